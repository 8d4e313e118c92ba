"""Roles and providers as objects of Crossplane."""

from collections.abc import Iterator
from typing import Any

from irsa_doctor.answers.intents.dialects.written import (
    Choices,
    Writing,
    by_account,
    made_file,
    unique_names,
    yaml_text,
)
from irsa_doctor.answers.intents.plan import IntentPlan, MadeProvider, MadeRole
from irsa_doctor.remedies.commands import policy_text

_FORMAT = "crossplane"
_API = "iam.aws.upbound.io/v1beta1"
_NAME = r"[^a-z0-9.-]+|^[.-]+|[.-]+$|(?<=[.-])[.-]+"
"""what the name of an object of Kubernetes has none of"""


def crossplane(plan: IntentPlan, choices: Choices) -> Writing:
    """Objects of provider-upjet-aws, https://marketplace.upbound.io/providers/upbound/provider-aws-iam, a file an account."""
    accounts = by_account(plan.roles)
    names, providers = role_names(plan), provider_names(plan)
    files = []
    for account, roles in accounts.items():
        config = "default" if len(accounts) == 1 else f"account-{account}"
        documents = [_role(role, names[role.role], config) for role in roles]
        documents += [document for role in roles for document in _attachments(role, names[role.role], config)]
        documents += [_provider(item, providers[item.arn], config) for item in plan.providers if item.account == account]
        path = f"{_FORMAT}/irsa.yaml" if len(accounts) == 1 else f"{_FORMAT}/irsa-{account}.yaml"
        files.append(made_file(path, _FORMAT, yaml_text(documents)))
    return Writing(files=tuple(files), addresses={role: f"Role {name}" for role, name in names.items()})


def role_names(plan: IntentPlan) -> dict[str, str]:
    """ARN of a role -> the name of its object: those of all accounts may be in one cluster."""
    lowered = {role.role: role.name.lower().replace("_", "-") for role in plan.roles}
    numbered = unique_names([f"{arn}\0{name}" for arn, name in lowered.items()], rf"^.*\0|{_NAME}")
    return {arn: numbered[f"{arn}\0{name}"] or "role" for arn, name in lowered.items()}


def provider_names(plan: IntentPlan) -> dict[str, str]:
    """ARN of a provider -> the name of its object."""
    clusters = {item.arn: item.cluster.lower().replace("_", "-") for item in plan.providers}
    numbered = unique_names([f"{arn}\0{name}" for arn, name in clusters.items()], rf"^.*\0|{_NAME}")
    return {arn: f"{numbered[f'{arn}{chr(0)}{name}'] or 'cluster'}-oidc" for arn, name in clusters.items()}


def _object(kind: str, name: str, external: str, parameters: dict[str, Any], config: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if external:
        metadata["annotations"] = {"crossplane.io/external-name": external}
    spec = {"forProvider": parameters, "providerConfigRef": {"name": config}}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _role(role: MadeRole, name: str, config: str) -> dict[str, Any]:
    intended = role.intended
    parameters: dict[str, Any] = {"path": intended.path} if intended.path != "/" else {}
    parameters["assumeRolePolicy"] = policy_text(role.policy) + "\n"
    if intended.description:
        parameters["description"] = intended.description
    if intended.max_session:
        parameters["maxSessionDuration"] = intended.max_session
    if intended.boundary:
        parameters["permissionsBoundary"] = intended.boundary
    if intended.tags:
        parameters["tags"] = dict(intended.tags)
    return _object("Role", name, role.name, parameters, config)


def _attachments(role: MadeRole, name: str, config: str) -> Iterator[dict[str, Any]]:
    for number, policy in enumerate(role.intended.policies, 1):
        yield _object("RolePolicyAttachment", f"{name}-{number}", "", {"policyArn": policy, "role": role.name}, config)


def _provider(provider: MadeProvider, name: str, config: str) -> dict[str, Any]:
    parameters = {"url": provider.url, "clientIdList": list(provider.client_ids)}
    return _object("OpenIDConnectProvider", name, "", parameters, config)
