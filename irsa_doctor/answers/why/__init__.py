"""Why a workload has no credentials, or those of somebody else: the links on the way of a credential."""

from irsa_doctor.answers.why.case import Asked, Case, Evidence
from irsa_doctor.answers.why.diagnose import diagnose
from irsa_doctor.answers.why.evidence.events import Event, NoEvents, Trail, read_events
from irsa_doctor.answers.why.evidence.tokens import BadToken, Token, read_token
from irsa_doctor.answers.why.records import (
    DiagnosedCause,
    DiagnosedLink,
    Diagnosis,
    MistakenRemedy,
    PredictedError,
    QuotedPlace,
    WorkloadIdentity,
)
from irsa_doctor.answers.why.rulebook import Rulebook, rulebook_of, shipped_rulebook
from irsa_doctor.answers.why.symptoms import Symptom, symptoms_in
from irsa_doctor.answers.why.target import NoTarget, asked_about, case_for, cases_of, find_case, parse_target

__all__ = [
    "Asked",
    "BadToken",
    "Case",
    "DiagnosedCause",
    "DiagnosedLink",
    "Diagnosis",
    "Event",
    "Evidence",
    "MistakenRemedy",
    "NoEvents",
    "NoTarget",
    "PredictedError",
    "QuotedPlace",
    "Rulebook",
    "Symptom",
    "Token",
    "Trail",
    "WorkloadIdentity",
    "asked_about",
    "case_for",
    "cases_of",
    "diagnose",
    "find_case",
    "parse_target",
    "read_events",
    "read_token",
    "rulebook_of",
    "shipped_rulebook",
    "symptoms_in",
]
