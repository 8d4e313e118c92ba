"""The placeholders in subjects of a live policy, which nobody fills in any more."""

from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.text.placeholders import placeholders_of, stands_for_name
from irsa_doctor.trust.segments import SegmentValue

_NAMED = ("tenant", "group", "repository")
"""levels whose values are names of somebody or something, the widest first"""


def is_unfilled(pattern: str) -> bool:
    """Whether a pattern has a placeholder in a notation of its own, such as <org>."""
    return bool(placeholders_of(pattern))


def unreplaced_in(patterns: Iterable[str], said: Iterable[Sequence[SegmentValue]]) -> tuple[str, ...]:
    """The placeholders in patterns of subjects, and the words in the place of names; `said`: the segments of each."""
    notations = (placeholder for pattern in patterns for placeholder in placeholders_of(pattern))
    return tuple(dict.fromkeys([*notations, *(word for segments in said for word in _words_for_names(segments))]))


def _words_for_names(segments: Sequence[SegmentValue]) -> Iterator[str]:
    """The words in the place of names. An id beside a name, or of what is within it, shows that the name is a real one."""
    ids = [_NAMED.index(segment.level) for segment in segments if segment.is_id and segment.fixed and segment.level in _NAMED]
    unseen = _NAMED[max(ids, default=-1) + 1 :]
    named = (segment.value for segment in segments if segment.level in unseen and not segment.is_id)
    yield from (value for value in named if value and stands_for_name(value))
