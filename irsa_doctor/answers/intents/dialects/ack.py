"""Roles and providers as objects of AWS Controllers for Kubernetes."""

from typing import Any

from irsa_doctor.answers.intents.dialects.crossplane import provider_names, role_names
from irsa_doctor.answers.intents.dialects.written import Choices, Writing, by_account, made_file, yaml_text
from irsa_doctor.answers.intents.plan import IntentPlan, MadeProvider, MadeRole
from irsa_doctor.remedies.commands import policy_text

_NAME = "ack"
_API = "iam.services.k8s.aws/v1alpha1"
_OWNER = "services.k8s.aws/owner-account-id"
"""the account that a namespace, or an object, is for: https://aws-controllers-k8s.github.io/community/docs/user-docs/cross-account-resource-management/"""


def ack(plan: IntentPlan, choices: Choices) -> Writing:
    """Objects of the IAM controller (https://aws-controllers-k8s.github.io/community/reference/), a file an account."""
    accounts = by_account(plan.roles)
    names, providers = role_names(plan), provider_names(plan)
    files = []
    for account, roles in accounts.items():
        own = [provider for provider in plan.providers if provider.account == account]
        owner = {} if len(accounts) == 1 else {"annotations": {_OWNER: account}}
        documents = [
            *[_role(role, {"name": names[role.role], **owner}) for role in roles],
            *[_provider(provider, {"name": providers[provider.arn], **owner}) for provider in own],
        ]
        path = f"{_NAME}/irsa.yaml" if len(accounts) == 1 else f"{_NAME}/irsa-{account}.yaml"
        files.append(made_file(path, _NAME, yaml_text(documents)))
    return Writing(files=tuple(files), addresses={role: f"Role {name}" for role, name in names.items()})


def _role(role: MadeRole, metadata: dict[str, Any]) -> dict[str, Any]:
    intended = role.intended
    spec: dict[str, Any] = {"name": role.name}
    if intended.path != "/":
        spec["path"] = intended.path
    spec["assumeRolePolicyDocument"] = policy_text(role.policy) + "\n"
    if intended.policies:
        spec["policies"] = list(intended.policies)
    if intended.description:
        spec["description"] = intended.description
    if intended.max_session:
        spec["maxSessionDuration"] = intended.max_session
    if intended.boundary:
        spec["permissionsBoundary"] = intended.boundary
    if intended.tags:
        spec["tags"] = [{"key": key, "value": value} for key, value in intended.tags.items()]
    return {"apiVersion": _API, "kind": "Role", "metadata": metadata, "spec": spec}


def _provider(provider: MadeProvider, metadata: dict[str, Any]) -> dict[str, Any]:
    spec = {"url": provider.url, "clientIDs": list(provider.client_ids)}
    return {"apiVersion": _API, "kind": "OpenIDConnectProvider", "metadata": metadata, "spec": spec}
