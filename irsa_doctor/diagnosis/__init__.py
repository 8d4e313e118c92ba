"""Why a workload has no credentials, or those of somebody else: the chain, link by link."""

from irsa_doctor.diagnosis.case import Asked, Case
from irsa_doctor.diagnosis.diagnose import diagnose, diagnose_symptoms
from irsa_doctor.diagnosis.events import Event, NoEvents, read_events
from irsa_doctor.diagnosis.records import Cause, Diagnosis, Link, PredictedError, Subject
from irsa_doctor.diagnosis.symptoms import Symptom, symptoms_in
from irsa_doctor.diagnosis.target import NoTarget, cases_of, find_case, parse_target
from irsa_doctor.diagnosis.tokens import NoToken, Token, read_token, token_links

__all__ = [
    "Asked",
    "Case",
    "Cause",
    "Diagnosis",
    "Event",
    "Link",
    "NoEvents",
    "NoTarget",
    "NoToken",
    "PredictedError",
    "Subject",
    "Symptom",
    "Token",
    "cases_of",
    "diagnose",
    "diagnose_symptoms",
    "find_case",
    "parse_target",
    "read_events",
    "read_token",
    "symptoms_in",
    "token_links",
]
