"""Permissions that commands need to read live sources: an IAM policy and a ClusterRole, made from the table of operations."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from irsa_doctor.sources.live.operations import AWS, COMMANDS, ENDPOINTS, KUBERNETES, Resource

__all__ = ["COMMANDS", "Permissions", "cluster_role", "iam_policy", "permissions_for"]


class Permissions(msgspec.Struct, frozen=True):
    """The least permissions that some commands need: an IAM policy and a Kubernetes ClusterRole, as JSON."""

    commands: tuple[str, ...]
    iam_policy: dict[str, Any]
    cluster_role: dict[str, Any]


def permissions_for(commands: Iterable[str], name: str, *, secrets: bool = False) -> Permissions:
    """The permissions for some commands; `name` is that of the ClusterRole. `secrets`: those for names of Secrets too."""
    listed = tuple(commands)
    return Permissions(listed, iam_policy(listed), cluster_role(listed, name, secrets=secrets))


def iam_policy(commands: Iterable[str]) -> dict[str, Any]:
    """The IAM policy for these commands. Everything is a read. `ReadRolePermissions` shows what roles that assume another role
    may do, `ReadClusterParts` where the agent of EKS Pod Identity runs; where they are left out, that is unknown.

    All resources: the lists of IAM and Organizations know no others
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
    """
    selected = frozenset(commands)
    families: dict[str, list[str]] = {}
    for operation in AWS:
        if operation.needs_permission and operation.commands & selected:
            families.setdefault(operation.family, []).append(operation.action)
    statements = [
        {"Sid": f"Read{family}", "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
        for family, actions in families.items()
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def cluster_role(commands: Iterable[str], name: str, *, secrets: bool = False) -> dict[str, Any]:
    """The ClusterRole for these commands. Of config maps it has aws-auth alone; Secrets only where `secrets` says so, for
    Kubernetes knows no permission for their names without one for their contents
    (https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets)."""
    selected = frozenset(commands)
    groups: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for resource in KUBERNETES:
        if resource.commands & selected and (secrets or not resource.opt_in):
            key = (resource.group, _verbs(resource, selected), resource.only.rpartition("/")[2])
            groups.setdefault(key, []).append(resource.plural)
    rules: list[Mapping[str, object]] = [
        {
            "apiGroups": [group],
            "resources": sorted(resources),
            **({"resourceNames": [only]} if only else {}),
            "verbs": list(verbs),
        }
        for (group, verbs, only), resources in groups.items()
    ]
    paths = [endpoint.path for endpoint in ENDPOINTS if endpoint.commands & selected]
    rules.append({"nonResourceURLs": paths, "verbs": ["get"]})
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}


def _verbs(resource: Resource, commands: frozenset[str]) -> tuple[str, ...]:
    """One object is requested by name where a single service account or workload is diagnosed, or it is the only one."""
    if resource.only:
        return ("get",)
    return ("get", "list") if resource.single and "why" in commands else ("list",)
