"""The answer of a diagnosis: links on the way of a credential, causes, and the error that STS gives."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from irsa_doctor.model.findings import Fix, Location
from irsa_doctor.rulebook.cause_block import Certainty

LinkVerdict = Literal["pass", "fail", "unknown", "skipped"]
CERTAINTIES: tuple[Certainty, ...] = ("certain", "likely", "possible")
CaseVerdict = Literal["works", "broken", "unknown"]


class QuotedPlace(msgspec.Struct, frozen=True):
    """A place in the input and what it shows; line and column are 1-based, 0 where they are not known."""

    file: str
    line: int
    says: str
    column: int = 0


class LeakedRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role that a token opens; `certain`: its trust policy admits it whatever is not in the input. `longest_session` is in
    seconds, 0 where it is not known."""

    role: str
    certain: bool
    longest_session: int
    provider: str


class TokenLeak(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy of a token buys: until when STS takes it, and when the last session that it buys ends (RFC 3339, "" where not
    known); `ended`: STS takes it no longer. `bound_to` is its pod; `steps` are what to do, in this order."""

    taken_until: str
    sessions_until: str
    ended: bool
    bound_to: str
    roles: tuple[LeakedRole, ...]
    steps: tuple[str, ...]


class LinkNeed(msgspec.Struct, frozen=True):
    """An input that a link looks at, the command that supplies it, and whether the link is unknown for want of it."""

    name: str
    command: str
    missing: bool


class DiagnosedLink(msgspec.Struct, frozen=True, kw_only=True):
    """One link with its verdict and the reason; `settle` is the command that supplies the missing input, "" where none is.

    `needs` are the inputs without which the link cannot be judged.
    """

    id: str
    title: str
    verdict: LinkVerdict
    because: str
    evidence: tuple[QuotedPlace, ...] = ()
    settle: str = ""
    needs: tuple[LinkNeed, ...] = ()


class DiagnosedCause(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that the input proves (certain), or that fits the symptoms.

    `settle` is the command that settles whether it is this one, "" where it is certain; `link` the id of the link that it
    breaks; `fix` what corrects it, None where nothing is proved to; `commands` are those of the fix.
    """

    id: str
    certainty: Certainty
    because: str
    remedy: str
    settle: str = ""
    url: str = ""
    commands: tuple[str, ...] = ()
    title: str = ""
    link: str = ""
    evidence: tuple[QuotedPlace, ...] = ()
    fix: Fix | None = None


class PredictedError(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of STS to the first request of the workload; the message is "" where it is not known.

    `older_message` is what STS answered before 2026, which old logs have; "" where it was the same.
    """

    code: str
    message: str
    http_status: int
    older_message: str = ""


class MistakenRemedy(msgspec.Struct, frozen=True):
    """Something that looks like a remedy and corrects nothing, or opens the role; `instead` is what to do."""

    id: str
    says: str
    instead: str
    evidence: tuple[QuotedPlace, ...] = ()


class WorkloadIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose credential it is; "" where it is not known. `workload` is KIND/NAME, "" where a service account was the target."""

    cluster: str = ""
    namespace: str = ""
    service_account: str = ""
    workload: str = ""


class ContainerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The identity that a container uses: static-keys, web-identity, pod-identity, other-agent or none; `role` is ""
    where it is not known.

    `workload` is KIND/NAME; `injected`: the spec of the container shows it, else it is what the webhook would set up now.
    """

    workload: str
    container: str
    mechanism: str
    role: str
    injected: bool


class RoleChain(msgspec.Struct, frozen=True, kw_only=True):
    """The links of one credential on its way to one of several roles or identities; `cloud` is that of the role."""

    role: str
    verdict: CaseVerdict
    links: tuple[DiagnosedLink, ...]
    causes: tuple[DiagnosedCause, ...]
    predicted_error: PredictedError | None = None
    cloud: Literal["aws", "azure", "google"] = "aws"


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one credential.

    `roles` are those whose trust policy admits it, where it names no role, and `chains` what there is to say of each role that
    trusts its issuer, and of each other cloud in which it has an identity, the broken last; `claims` are those of the token of
    the input, which is never shown; `identities` are those of the containers of its workloads; `quotes` are the places of each
    failing link with their lines, by link id.
    """

    subject: WorkloadIdentity
    role: str
    verdict: CaseVerdict
    links: tuple[DiagnosedLink, ...]
    causes: tuple[DiagnosedCause, ...]
    predicted_error: PredictedError | None = None
    notes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    wrong_fixes: tuple[MistakenRemedy, ...] = ()
    identities: tuple[ContainerIdentity, ...] = ()
    claims: Mapping[str, Any] = {}
    quotes: Mapping[str, tuple[Location, ...]] = {}
    cloud: Literal["aws", "azure", "google"] = "aws"
    leak: TokenLeak | None = None
    """what a copy of the token buys, None where the input has no token"""
    chains: tuple[RoleChain, ...] = ()


def quoted_places(places: tuple[Location, ...]) -> tuple[QuotedPlace, ...]:
    """Places without their lines."""
    return tuple(QuotedPlace(place.file, place.line, place.says, place.column) for place in places)
