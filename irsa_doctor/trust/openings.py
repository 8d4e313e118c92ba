"""What one pattern of subjects leaves open of the forms of an issuer, and the widest of several."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from irsa_doctor.issuers.profiles import SubjectTemplate
from irsa_doctor.trust.segments import SegmentValue

Ring = Literal["nobody", "workload", "ref", "repository", "group", "organisation", "unknown", "platform", "world"]
RINGS: tuple[Ring, ...] = (
    "nobody",
    "workload",
    "ref",
    "repository",
    "group",
    "organisation",
    "unknown",
    "platform",
    "world",
)
"""from the narrowest to the widest"""
OpenBy = Literal["", "guests", "caller", "crossing", "form", "anything", "unreviewed", "prefix", "placeholder"]
"""what leaves the ring as wide as it is, where there is more to say than which level is open"""


class Opening(msgspec.Struct, frozen=True):
    """The ring of one pattern of subjects: the pattern, the segment that is open (None where all are fixed), and why."""

    ring: Ring
    by: OpenBy = ""
    pattern: str = ""
    template: SubjectTemplate | None = None
    values: tuple[SegmentValue, ...] = ()
    segment: SegmentValue | None = None


def is_hidden(opening: Opening) -> bool:
    """Whether placeholders decide what a wildcard behind them leaves open."""
    return any(value.hidden for value in opening.values)


def widest_of(openings: Sequence[Opening]) -> Opening:
    """The widest that is sure; where nothing sure is open, one that may be, as placeholders are filled in."""
    sure = [opening for opening in openings if not is_hidden(opening)]
    is_open = any(RINGS.index(opening.ring) >= RINGS.index("repository") for opening in sure)
    if len(sure) < len(openings) and not is_open:
        return msgspec.structs.replace(next(filter(is_hidden, openings)), ring="unknown", by="placeholder")
    return max(sure, key=lambda opening: (RINGS.index(opening.ring), opening.by == "crossing"))
