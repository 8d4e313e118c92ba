"""The trust policy of a role of an intent: exactly those who are named, and nobody else."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.intents.clusters import ResolvedCluster
from irsa_doctor.model.intents import IntendedRole, IntendedSubject
from irsa_doctor.trust.policy import WEB_IDENTITY

POLICY_VERSION = "2012-10-17"
POD_IDENTITY = "pods.eks.amazonaws.com"


class Pair(msgspec.Struct, frozen=True):
    """A service account of a cluster; `asked` is the audience that its role asks for, "" where that is the cluster's."""

    cluster: ResolvedCluster
    subject: IntendedSubject
    asked: str = ""

    @property
    def audience(self) -> str:
        """The audience of its tokens."""
        return self.asked or self.cluster.audience


def trust_policy_for(role: IntendedRole, pairs: Sequence[Pair]) -> Mapping[str, Any]:
    """The trust policy that admits the pairs, in their order: a statement a cluster, and one for its whole namespaces."""
    statements = _web_identity(role, pairs) if role.via == "irsa" else _pod_identity(pairs)
    return {"Version": POLICY_VERSION, "Statement": statements}


def _web_identity(role: IntendedRole, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, bool], list[str]] = {}
    for pair in pairs:
        groups.setdefault((pair.cluster.issuer, pair.audience, bool(pair.subject.name)), []).append(pair.subject.subject)
    statements = []
    for (issuer, audience, is_named), subjects in groups.items():
        sub = {f"{issuer}:sub": _one_or_all(list(dict.fromkeys(subjects)))}
        aud = {f"{issuer}:aud": audience}
        condition = {"StringEquals": {**aud, **sub}} if is_named else {"StringEquals": aud, "StringLike": sub}
        statements.append(
            {
                "Effect": "Allow",
                "Principal": {"Federated": role.provider(issuer)},
                "Action": WEB_IDENTITY,
                "Condition": condition,
            }
        )
    return statements


def _pod_identity(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """A statement a cluster and namespace: lists of both tags in one would admit every combination.

    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for pair in pairs:
        groups.setdefault((pair.cluster.arn, pair.subject.namespace), []).append(pair.subject.name)
    return [
        {
            "Effect": "Allow",
            "Principal": {"Service": POD_IDENTITY},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    **({"aws:RequestTag/eks-cluster-arn": arn} if arn else {}),
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": _one_or_all(list(dict.fromkeys(names))),
                }
            },
        }
        for (arn, namespace), names in groups.items()
    ]


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
