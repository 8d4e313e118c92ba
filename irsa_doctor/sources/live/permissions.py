"""Permissions that commands need to read live sources: an IAM policy and a ClusterRole, made from the table of operations."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from irsa_doctor.sources.live.operations import AWS, COMMANDS, ENDPOINTS, KUBERNETES, ORGANIZATION, Resource

__all__ = [
    "COMMANDS",
    "OrganizationPermissions",
    "Permissions",
    "cluster_role",
    "iam_policy",
    "organization_permissions",
    "permissions_for",
]


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


class OrganizationPermissions(msgspec.Struct, frozen=True):
    """What `collect --org` needs: the policy of the caller, the template of the role that a StackSet rolls out to the accounts,
    and the ClusterRole, as JSON."""

    caller_policy: dict[str, Any]
    stack_set: dict[str, Any]
    cluster_role: dict[str, Any]


def organization_permissions(role: str = "irsa-doctor-read") -> OrganizationPermissions:
    """The permissions to collect an organisation; `role` is the role that is assumed in each account.

    The role trusts the organisation (aws:PrincipalOrgID), or one caller where the parameter names it
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid).
    """
    assume = {
        "Sid": "AssumeReaders",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": f"arn:*:iam::*:role/{role}",
    }
    caller = iam_policy((ORGANIZATION,))
    return OrganizationPermissions(
        {**caller, "Statement": [*caller["Statement"], assume]},
        _stack_set(role),
        cluster_role(("collect",), "irsa-doctor-collect"),
    )


def _stack_set(role: str) -> dict[str, Any]:
    only = {"ArnEquals": {"aws:PrincipalArn": {"Ref": "CallerArn"}}}
    condition = {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}}
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
        "Condition": {"Fn::If": ["OneCaller", {**condition, **only}, condition]},
    }
    policy = iam_policy(("collect",))
    statements = [each for each in policy["Statement"] if each["Sid"] != "ReadGuardrails"]
    # what `collect` of one account does not call
    more = ["account:ListRegions", "iam:GetAccountAuthorizationDetails"]
    regions = {"Sid": "ReadRegionsAndDetails", "Effect": "Allow", "Action": more, "Resource": "*"}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role with which irsa-doctor reads an account. It can change nothing.",
        "Parameters": {
            "OrganizationId": {"Type": "String", "AllowedPattern": "o-[a-z0-9]{10,32}"},
            "CallerArn": {
                "Type": "String",
                "Default": "",
                "Description": "The only caller, as an ARN; empty for any of the organisation",
            },
        },
        "Conditions": {"OneCaller": {"Fn::Not": [{"Fn::Equals": [{"Ref": "CallerArn"}, ""]}]}},
        "Resources": {
            "Reader": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": role,
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                    "Policies": [
                        {"PolicyName": role, "PolicyDocument": {**policy, "Statement": [*statements, regions]}},
                    ],
                },
            }
        },
    }
