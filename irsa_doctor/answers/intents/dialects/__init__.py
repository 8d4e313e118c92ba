"""The dialects in which an intent is written out: one module each, and one row here."""

from collections.abc import Callable, Mapping

import msgspec

from irsa_doctor.answers.intents.dialects.ack import ack
from irsa_doctor.answers.intents.dialects.cli import cli
from irsa_doctor.answers.intents.dialects.cloudformation import cloudformation
from irsa_doctor.answers.intents.dialects.crossplane import crossplane
from irsa_doctor.answers.intents.dialects.eksctl import eksctl
from irsa_doctor.answers.intents.dialects.guardrails import rcp, scp
from irsa_doctor.answers.intents.dialects.kubernetes import kubernetes
from irsa_doctor.answers.intents.dialects.pod_identity import associations_and_trust
from irsa_doctor.answers.intents.dialects.terraform import terraform
from irsa_doctor.answers.intents.dialects.trust_policy import trust_policy
from irsa_doctor.answers.intents.dialects.vap import vap
from irsa_doctor.answers.intents.dialects.written import Choices, Writing
from irsa_doctor.answers.intents.plan import IntentPlan

__all__ = ["INTENT_FORMATS", "Choices", "IntentFormat", "Writing"]


class IntentFormat(msgspec.Struct, frozen=True):
    """A dialect: what writes it, whether `check` reads the trust policies in it, so that they are proved, whether its roles
    have names of its own, and whether `check` reads anything of it, so that it is judged."""

    write: Callable[[IntentPlan, Choices], Writing]
    is_read: bool = True
    is_template: bool = False
    is_checked: bool = True


INTENT_FORMATS: Mapping[str, IntentFormat] = {
    "trust-policy": IntentFormat(trust_policy),
    "terraform": IntentFormat(terraform, is_template=True),
    "cloudformation": IntentFormat(cloudformation, is_template=True),
    "eksctl": IntentFormat(eksctl, is_read=False),
    "kubernetes": IntentFormat(kubernetes, is_read=False),
    "crossplane": IntentFormat(crossplane),
    "ack": IntentFormat(ack),
    "cli": IntentFormat(cli, is_read=False, is_checked=False),
    "pod-identity": IntentFormat(associations_and_trust, is_read=False, is_checked=False),
    "vap": IntentFormat(vap, is_read=False, is_checked=False),
    "rcp": IntentFormat(rcp, is_read=False, is_checked=False),
    "scp": IntentFormat(scp, is_read=False, is_checked=False),
}
"""by the name that `--format` takes"""
