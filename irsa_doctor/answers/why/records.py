"""What a diagnosis says: links on the way of a credential, causes, and the error that STS would give."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from irsa_doctor.model.findings import Fix, Location

Verdict = Literal["pass", "fail", "unknown", "skipped"]
Certainty = Literal["certain", "likely", "possible"]
Whole = Literal["works", "broken", "unknown"]


class Sight(msgspec.Struct, frozen=True):
    """Something that was seen, and where; line and column are 1-based, 0 where it has none."""

    file: str
    line: int
    says: str
    column: int = 0


class Link(msgspec.Struct, frozen=True):
    """One link of the chain, with what was seen of it; `settle` is the command that would tell, where it is unknown."""

    id: str
    title: str
    verdict: Verdict
    because: str
    evidence: tuple[Sight, ...] = ()
    settle: str = ""


class Cause(msgspec.Struct, frozen=True):
    """What is wrong: proved from what was given (certain), or fitting the symptom. `settle` is the command that would tell,
    `link` where it belongs."""

    id: str
    certainty: Certainty
    because: str
    remedy: str
    settle: str = ""
    url: str = ""
    commands: tuple[str, ...] = ()
    title: str = ""
    link: str = ""
    evidence: tuple[Sight, ...] = ()
    fix: Fix | None = None


class PredictedError(msgspec.Struct, frozen=True):
    """The answer of STS to the first request of the workload; the message is "" where nobody has seen it."""

    code: str
    message: str
    http_status: int


class WrongFix(msgspec.Struct, frozen=True):
    """A remedy that somebody has tried: it mends nothing, or mends it at a price."""

    id: str
    says: str
    instead: str
    evidence: tuple[Sight, ...] = ()


class Subject(msgspec.Struct, frozen=True):
    """Whose credential it is; "" where it is not known."""

    cluster: str = ""
    namespace: str = ""
    service_account: str = ""
    workload: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """The answer for one subject.

    `roles` are those whose trust admits it, where it names none; `claims` what a token says that was given. `quotes` are the
    places of each failing link with their lines, for people.
    """

    subject: Subject
    role: str
    verdict: Whole
    links: tuple[Link, ...]
    causes: tuple[Cause, ...]
    predicted_error: PredictedError | None = None
    notes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    wrong_fixes: tuple[WrongFix, ...] = ()
    claims: Mapping[str, Any] = {}
    quotes: Mapping[str, tuple[Location, ...]] = {}


def sights(places: tuple[Location, ...]) -> tuple[Sight, ...]:
    """Places as they are told."""
    return tuple(Sight(place.file, place.line, place.says, place.column) for place in places)
