"""What mends a finding or a cause: corrected policies, each proved, and commands that can be pasted as they stand."""

from irsa_doctor.remedies.commands import (
    add_audience,
    create_eks_provider,
    create_provider,
    create_service_account,
    restart,
)
from irsa_doctor.remedies.naming import annotation
from irsa_doctor.remedies.offers import Offers, RuleQuestion, SubjectOffer, policy_for
from irsa_doctor.remedies.pod_identity import association_policy_for
from irsa_doctor.remedies.policy_fix import command_fix

__all__ = [
    "Offers",
    "RuleQuestion",
    "SubjectOffer",
    "add_audience",
    "annotation",
    "association_policy_for",
    "command_fix",
    "create_eks_provider",
    "create_provider",
    "create_service_account",
    "policy_for",
    "restart",
]
