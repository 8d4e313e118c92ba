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
from irsa_doctor.answers.intents.dialects.pod_identity import pod_identity
from irsa_doctor.answers.intents.dialects.terraform import terraform
from irsa_doctor.answers.intents.dialects.trust_policy import trust_policy
from irsa_doctor.answers.intents.dialects.vap import vap
from irsa_doctor.answers.intents.dialects.written import Choices, Writing
from irsa_doctor.answers.intents.plan import IntentPlan

__all__ = ["DIALECTS", "Choices", "Dialect", "Writing"]


class Dialect(msgspec.Struct, frozen=True):
    """A dialect: what writes it, whether `check` reads the trust policies in it, so that they are proved, and whether its roles
    have names of its own."""

    write: Callable[[IntentPlan, Choices], Writing]
    is_read: bool = True
    is_template: bool = False


DIALECTS: Mapping[str, Dialect] = {
    "trust-policy": Dialect(trust_policy),
    "terraform": Dialect(terraform, is_template=True),
    "cloudformation": Dialect(cloudformation, is_template=True),
    "eksctl": Dialect(eksctl, is_read=False),
    "kubernetes": Dialect(kubernetes, is_read=False),
    "crossplane": Dialect(crossplane),
    "ack": Dialect(ack),
    "cli": Dialect(cli, is_read=False),
    "pod-identity": Dialect(pod_identity, is_read=False),
    "vap": Dialect(vap, is_read=False),
    "rcp": Dialect(rcp, is_read=False),
    "scp": Dialect(scp, is_read=False),
}
"""by the name that `--format` takes"""
