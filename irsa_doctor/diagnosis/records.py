"""What a diagnosis says: links on the way of a credential, causes, and the error that STS would give."""

from typing import Literal

import msgspec

Verdict = Literal["pass", "fail", "unknown", "skipped"]
Certainty = Literal["certain", "likely", "possible"]
Whole = Literal["works", "broken", "unknown"]


class Sight(msgspec.Struct, frozen=True):
    """Something that was seen, and where; line 0 where it has none."""

    file: str
    line: int
    says: str


class Link(msgspec.Struct, frozen=True):
    """One link of the chain, with what was seen of it; `settle` is the command that would tell, where it is unknown."""

    id: str
    title: str
    verdict: Verdict
    because: str
    evidence: tuple[Sight, ...] = ()
    settle: str = ""


class Cause(msgspec.Struct, frozen=True):
    """What is wrong: proved from what was given (certain), or fitting the symptom. `settle` is the command that would tell."""

    id: str
    certainty: Certainty
    because: str
    remedy: str
    settle: str = ""
    url: str = ""
    commands: tuple[str, ...] = ()


class PredictedError(msgspec.Struct, frozen=True):
    """The answer of STS to the first request of the workload."""

    code: str
    message: str
    http_status: int


class Subject(msgspec.Struct, frozen=True):
    """Whose credential it is; "" where it is not known."""

    cluster: str = ""
    namespace: str = ""
    service_account: str = ""
    workload: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """The answer for one subject."""

    subject: Subject
    role: str
    verdict: Whole
    links: tuple[Link, ...]
    causes: tuple[Cause, ...]
    predicted_error: PredictedError | None = None
    notes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """where none is named: the roles whose trust admits this subject"""
