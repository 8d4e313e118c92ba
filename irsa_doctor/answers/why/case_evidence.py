"""What a user gives to a diagnosis: its target, and the evidence beside files."""

import msgspec

from irsa_doctor.answers.why.evidence.events import Trail
from irsa_doctor.answers.why.evidence.tokens import BadToken, WebIdentityToken
from irsa_doctor.answers.why.symptoms import Symptom


class DiagnosisTarget(msgspec.Struct, frozen=True):
    """The target of a diagnosis: a service account, or one workload (kind in lower case); `role` where the user names one."""

    namespace: str
    name: str
    kind: str = ""
    role: str = ""


class CaseEvidence(msgspec.Struct, frozen=True):
    """What a user gives beside files: messages, a token, a log; `now` in seconds since 1970.

    `failing`: the user gives an error message, recognised or not; `mentions` is what it names, in words. `pasted`: the
    documents of the case are in the text of the message.
    """

    symptoms: tuple[Symptom, ...] = ()
    token: WebIdentityToken | BadToken | None = None
    trail: Trail | None = None
    failing: bool = False
    now: float = 0.0
    mentions: str = ""
    pasted: bool = False


NO_EVIDENCE = CaseEvidence()
