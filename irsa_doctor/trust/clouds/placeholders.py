"""Names that stand for the placeholders of templates while conditions and members of Azure and Google Cloud are read."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from irsa_doctor.model import Hole, Text, holes_in
from irsa_doctor.trust.clouds.cel import CelCondition, ClaimComparison, Junction, Literals, Opaque, claim_comparisons

_NAME = "irsa-doctor-hole-"


def placeholder_name(hole: Hole) -> str:
    """The name that stands for a placeholder, the same wherever it is written; none is the beginning of another."""
    return f"{_NAME}{sha256(hole.name.encode(errors='replace')).hexdigest()[:16]}"


def placeholder_names(values: Iterable[str | Text]) -> Mapping[str, str]:
    """Name -> how the document writes the placeholder, for each that some texts have."""
    return {placeholder_name(hole): hole.name for value in values for hole in holes_in(value)}


def named_text(value: str | Text) -> str:
    """A text with a name for each of its placeholders."""
    parts = value.parts if isinstance(value, Text) else (value,)
    return "".join(part if isinstance(part, str) else placeholder_name(part) for part in parts)


def written_text(text: str, names: Mapping[str, str]) -> str:
    """A text with placeholders as the document writes them."""
    for name, hole in names.items():
        text = text.replace(name, hole)
    return text


def is_in_literals(text: str, condition: CelCondition) -> bool:
    """Whether every placeholder of a condition stands within a literal, where it cannot change what the rest means."""
    literals = [value for part in claim_comparisons(condition) for value in part.literals.values if isinstance(value, str)]
    return text.count(_NAME) == sum(value.count(_NAME) for value in literals)


def with_open_ends(condition: CelCondition, names: Mapping[str, str]) -> CelCondition:
    """A condition in which a placeholder at the open end of `startsWith`, `endsWith` or `contains` fixes nothing.

    It may be empty, or hold what ends a segment, so that the text beside it is all that is known to be required.
    """
    if isinstance(condition, Junction):
        return Junction(condition.operator, tuple(with_open_ends(part, names) for part in condition.parts))
    if not isinstance(condition, ClaimComparison) or condition.operator not in _OPEN_ENDS:
        return condition
    fixed = tuple(_fixed(value, names, _OPEN_ENDS[condition.operator]) for value in condition.literals.values)
    if fixed == condition.literals.values:
        return condition
    return Junction("&&", (msgspec.structs.replace(condition, literals=Literals(fixed)), Opaque()))


_OPEN_ENDS = {"startsWith": (False, True), "endsWith": (True, False), "contains": (True, True)}
"""whether more text may stand before and behind what is compared"""


def _fixed(value: object, names: Mapping[str, str], open_ends: tuple[bool, bool]) -> str:
    """A text without the placeholders at its open ends."""
    text, (before, behind) = str(value), open_ends
    while before and (name := next(filter(text.startswith, names), "")):
        text = text.removeprefix(name)
    while behind and (name := next(filter(text.endswith, names), "")):
        text = text.removesuffix(name)
    return text
