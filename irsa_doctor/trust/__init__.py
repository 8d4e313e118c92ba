"""What a trust policy means. All meaning of policies is here and nowhere else."""

from irsa_doctor.trust.admitted import Admitted, Grant, admitted, grant_of, speaks_of
from irsa_doctor.trust.decide import Decision, Request, decide, provider_arn_of
from irsa_doctor.trust.policy import Policy, Problem, Statement, read_policy
from irsa_doctor.trust.spelling import Spelling, spell
from irsa_doctor.trust.subjects import PREFIX as SUBJECT_PREFIX
from irsa_doctor.trust.subjects import is_subject

__all__ = [
    "SUBJECT_PREFIX",
    "Admitted",
    "Decision",
    "Grant",
    "Policy",
    "Problem",
    "Request",
    "Spelling",
    "Statement",
    "admitted",
    "decide",
    "grant_of",
    "is_subject",
    "provider_arn_of",
    "read_policy",
    "speaks_of",
    "spell",
]
