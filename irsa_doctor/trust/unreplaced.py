"""The placeholders in subjects of a live policy, which nobody fills in any more."""

from collections.abc import Iterable, Iterator

from irsa_doctor.text.placeholders import placeholders_of, stands_for_name
from irsa_doctor.trust.segments import SegmentValue

_NAMED = ("tenant", "group", "repository")
"""levels whose values are names of somebody or something"""


def is_unfilled(pattern: str) -> bool:
    """Whether a pattern has a placeholder in a notation of its own, such as <org>."""
    return bool(placeholders_of(pattern))


def unreplaced_in(patterns: Iterable[str], segments: Iterable[SegmentValue]) -> tuple[str, ...]:
    """The placeholders in patterns of subjects, and the words that stand in the place of names in their segments."""
    return tuple(dict.fromkeys(_unreplaced_in(patterns, segments)))


def _unreplaced_in(patterns: Iterable[str], segments: Iterable[SegmentValue]) -> Iterator[str]:
    for pattern in patterns:
        yield from placeholders_of(pattern)
    values = (segment.value for segment in segments if segment.level in _NAMED)
    yield from (value for value in values if value and stands_for_name(value))
