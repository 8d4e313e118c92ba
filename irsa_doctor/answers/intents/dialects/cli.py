"""A script of commands that makes everything, for a person to read and run."""

import json
import shlex
from collections.abc import Iterator

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, by_account, made_file
from irsa_doctor.answers.intents.plan import IntentPlan, MadeProvider, MadeRole
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN

_NAME = "cli"


def cli(plan: IntentPlan, choices: Choices) -> Writing:
    """A POSIX script an account: providers, roles, attachments, annotations and associations."""
    accounts = by_account(plan.roles)
    files = []
    for account, roles in accounts.items():
        lines = ["#!/bin/sh", f"# for account {account}: run it with credentials of that account", "set -eu", ""]
        lines += [_create_provider(provider) for provider in plan.providers if provider.account == account]
        for role in roles:
            lines += _role(role)
        lines += _in_clusters(plan, roles)
        path = f"{_NAME}/irsa.sh" if len(accounts) == 1 else f"{_NAME}/irsa-{account}.sh"
        files.append(made_file(path, _NAME, "\n".join(lines) + "\n"))
    return Writing(files=tuple(files))


def _create_provider(provider: MadeProvider) -> str:
    ids = ["--client-id-list", *provider.client_ids]
    return shlex.join(["aws", "iam", "create-open-id-connect-provider", "--url", provider.url, *ids])


def _role(role: MadeRole) -> Iterator[str]:
    intended = role.intended
    options = ["--path", intended.path] if intended.path != "/" else []
    if intended.description:
        options += ["--description", intended.description]
    if intended.max_session:
        options += ["--max-session-duration", str(intended.max_session)]
    if intended.boundary:
        options += ["--permissions-boundary", intended.boundary]
    if intended.tags:
        options += ["--tags", json.dumps([{"Key": key, "Value": value} for key, value in intended.tags.items()])]
    policy = json.dumps(role.policy, indent=2)
    yield ""
    yield shlex.join(["aws", "iam", "create-role", "--role-name", role.name, *options, "--assume-role-policy-document", policy])
    for arn in intended.policies:
        yield shlex.join(["aws", "iam", "attach-role-policy", "--role-name", role.name, "--policy-arn", arn])


def _in_clusters(plan: IntentPlan, roles: list[MadeRole]) -> Iterator[str]:
    own = {role.role for role in roles}
    yield ""
    for item in (item for item in plan.annotations if item.value in own):
        audience = [f"{AUDIENCE_ANNOTATION}={item.audience}"] if item.audience else []
        command = ["kubectl", "--context", item.cluster, "annotate", "serviceaccount", item.service_account]
        yield shlex.join([*command, "--namespace", item.namespace, "--overwrite", f"{ROLE_ARN}={item.value}", *audience])
    for association in (item for item in plan.associations if item.role in own):
        cluster = plan.cluster(association.cluster)
        region = ["--region", cluster.region] if cluster.region else []
        command = ["aws", "eks", "create-pod-identity-association", "--cluster-name", cluster.eks_name, *region]
        named = ["--namespace", association.namespace, "--service-account", association.service_account]
        yield shlex.join([*command, *named, "--role-arn", association.role])
