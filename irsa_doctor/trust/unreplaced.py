"""The placeholders in subjects of a live policy, which nobody fills in any more."""

from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.text.placeholders import may_be_name, placeholders_of, stands_for_name
from irsa_doctor.trust.patterns import Variable, pieces_of
from irsa_doctor.trust.segments import SegmentValue

_NAMED = ("tenant", "group", "repository")
"""levels whose values are names of somebody or something, the widest first"""


def is_unfilled(pattern: str) -> bool:
    """Whether a pattern has a placeholder in a notation of its own, such as <org>."""
    return bool(placeholders_of(pattern))


def unfilled_variables(value: str) -> tuple[str, ...]:
    """The placeholders in a value that IAM reads as policy variables, such as `${ORG}`: all keys of requests have a prefix, so
    that none of these has a value (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html)."""
    found = placeholders_of(value) if "${" in value else ()
    return tuple(placeholder for placeholder in found if placeholder.startswith("${") and not _has_default(placeholder))


def _has_default(placeholder: str) -> bool:
    (variable,) = pieces_of(placeholder, wildcards=False, variables=True)
    return isinstance(variable, Variable) and variable.default is not None


def unreplaced_in(patterns: Iterable[str], said: Iterable[Sequence[SegmentValue]]) -> tuple[str, ...]:
    """The placeholders in patterns of subjects, and the words in the place of names; `said`: the segments of each."""
    read = [*said]
    notations = (placeholder for pattern in patterns for placeholder in placeholders_of(pattern.replace("${$}", "$")))
    placeholders = (placeholder for placeholder in notations if not _is_chosen(placeholder, read))
    return tuple(dict.fromkeys([*placeholders, *(word for segments in read for word in _words_for_names(segments))]))


def _is_chosen(placeholder: str, said: Iterable[Sequence[SegmentValue]]) -> bool:
    """Whether it may be what people call something, as an environment `{EU_WEST}`: only names of a vendor are plain words."""
    levels = {segment.level for segments in said for segment in segments if segment.value and placeholder in segment.value}
    return may_be_name(placeholder) and bool(levels) and levels.isdisjoint(_NAMED)


def _words_for_names(segments: Sequence[SegmentValue]) -> Iterator[str]:
    """The words in the place of names. An id beside a name, or of what is within it, shows that the name is a real one."""
    ids = [_NAMED.index(segment.level) for segment in segments if segment.is_id and segment.fixed and segment.level in _NAMED]
    unseen = _NAMED[max(ids, default=-1) + 1 :]
    named = (segment.value for segment in segments if segment.level in unseen and not segment.is_id)
    yield from (value for value in named if value and stands_for_name(value))
