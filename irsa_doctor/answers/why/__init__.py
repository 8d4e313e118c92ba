"""Why a workload has no credentials, or those of somebody else: the links on the way of a credential."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.case_evidence import CaseEvidence, DiagnosisTarget
from irsa_doctor.answers.why.diagnose import diagnose, undiagnosed
from irsa_doctor.answers.why.evidence.events import NoEvents, StsCall, Trail, read_events
from irsa_doctor.answers.why.evidence.tokens import BadToken, WebIdentityToken, read_token
from irsa_doctor.answers.why.log_excerpt import log_excerpt
from irsa_doctor.answers.why.mentions import mentions_in
from irsa_doctor.answers.why.private import private_files
from irsa_doctor.answers.why.records import (
    ContainerIdentity,
    DiagnosedCause,
    DiagnosedLink,
    Diagnosis,
    LinkNeed,
    MistakenRemedy,
    PredictedError,
    QuotedPlace,
    WorkloadIdentity,
)
from irsa_doctor.answers.why.rulebook import Rulebook, rulebook_of, shipped_rulebook
from irsa_doctor.answers.why.symptoms import Symptom, symptoms_in
from irsa_doctor.answers.why.target import (
    NoTarget,
    case_for,
    cases_of,
    find_case,
    hint_for,
    is_misspelt,
    parse_target,
    target_of,
)

__all__ = [
    "BadToken",
    "Case",
    "CaseEvidence",
    "ContainerIdentity",
    "DiagnosedCause",
    "DiagnosedLink",
    "Diagnosis",
    "DiagnosisTarget",
    "LinkNeed",
    "MistakenRemedy",
    "NoEvents",
    "NoTarget",
    "PredictedError",
    "QuotedPlace",
    "Rulebook",
    "StsCall",
    "Symptom",
    "Trail",
    "WebIdentityToken",
    "WorkloadIdentity",
    "case_for",
    "cases_of",
    "diagnose",
    "find_case",
    "hint_for",
    "is_misspelt",
    "log_excerpt",
    "mentions_in",
    "parse_target",
    "private_files",
    "read_events",
    "read_token",
    "rulebook_of",
    "shipped_rulebook",
    "symptoms_in",
    "target_of",
    "undiagnosed",
]
