"""CloudFormation templates, one an account."""

from collections.abc import Sequence
from typing import Any

from irsa_doctor.answers.intents.dialects.written import (
    Choices,
    Writing,
    by_account,
    file_of_pieces,
    unique_names,
    yaml_members,
)
from irsa_doctor.answers.intents.plan import IntentPlan, MadeRole

_NAME = "cloudformation"
_LETTERS = r"[^A-Za-z0-9]+"
"""what the logical id of a resource has none of"""


def cloudformation(plan: IntentPlan, choices: Choices) -> Writing:
    """Templates with the roles, the providers and the associations of each account.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
    """
    accounts = by_account(plan.roles)
    names = unique_names([role.role for role in plan.roles], rf"^.*/|{_LETTERS}", "Role")
    pieces: dict[str, list[tuple[str, str]]] = {}
    for account, roles in accounts.items():
        by_name = {names[role.role]: role.role for role in roles}
        resources = {names[role.role]: _role(role) for role in roles}
        resources |= _providers(plan, account, resources)
        resources |= _associations(plan, roles, names, resources)
        template = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"IAM roles for service accounts of account {account}",
        }
        head = yaml_members(template, 0) + "Resources:\n"
        parts = [(by_name.get(name, ""), yaml_members({name: resource}, 1)) for name, resource in resources.items()]
        path = f"{_NAME}/irsa.yaml" if len(accounts) == 1 else f"{_NAME}/irsa-{account}.yaml"
        pieces[path] = [("", head), *parts]
    files = tuple([file_of_pieces(path, _NAME, listed) for path, listed in pieces.items()])
    return Writing(files=files, addresses=names, pieces=pieces)


def _role(role: MadeRole) -> dict[str, Any]:
    intended = role.intended
    properties: dict[str, Any] = {"RoleName": role.name}
    if intended.path != "/":
        properties["Path"] = intended.path
    if intended.description:
        properties["Description"] = intended.description
    properties["AssumeRolePolicyDocument"] = role.policy
    if intended.policies:
        properties["ManagedPolicyArns"] = list(intended.policies)
    if intended.boundary:
        properties["PermissionsBoundary"] = intended.boundary
    if intended.max_session:
        properties["MaxSessionDuration"] = intended.max_session
    if intended.tags:
        properties["Tags"] = [{"Key": key, "Value": value} for key, value in intended.tags.items()]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _providers(plan: IntentPlan, account: str, taken: dict[str, Any]) -> dict[str, Any]:
    own = [provider for provider in plan.providers if provider.account == account]
    texts = {provider.arn: f"{provider.arn}\0{provider.cluster}Provider" for provider in own}
    names = unique_names([*taken, *texts.values()], rf"^.*\0|{_LETTERS}", "Cluster")
    return {
        names[texts[provider.arn]]: {
            "Type": "AWS::IAM::OIDCProvider",
            "Properties": {"Url": provider.url, "ClientIdList": list(provider.client_ids)},
        }
        for provider in own
    }


def _associations(plan: IntentPlan, roles: Sequence[MadeRole], names: dict[str, str], taken: dict[str, Any]) -> dict[str, Any]:
    own = {role.role for role in roles}
    items = [item for item in plan.associations if item.role in own]
    texts = [f"{number}\0Association{number}" for number in range(1, len(items) + 1)]
    ids = unique_names([*taken, *texts], r"^.*\0")
    resources = {}
    for text, item in zip(texts, items, strict=True):
        properties = {
            "ClusterName": plan.cluster(item.cluster).eks_name,
            "Namespace": item.namespace,
            "ServiceAccount": item.service_account,
            "RoleArn": {"Fn::GetAtt": [names[item.role], "Arn"]},
        }
        resources[ids[text]] = {"Type": "AWS::EKS::PodIdentityAssociation", "Properties": properties}
    return resources
