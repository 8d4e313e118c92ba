"""What a trust policy means. All meaning of policies is here and nowhere else."""

from irsa_doctor.trust.admitted import Admitted, Grant, admitted, grant_of, speaks_of
from irsa_doctor.trust.decide import Decision, Request, decide, provider_arn_of
from irsa_doctor.trust.policy import Policy, Problem, Statement, read_policy

__all__ = [
    "Admitted",
    "Decision",
    "Grant",
    "Policy",
    "Problem",
    "Request",
    "Statement",
    "admitted",
    "decide",
    "grant_of",
    "provider_arn_of",
    "read_policy",
    "speaks_of",
]
