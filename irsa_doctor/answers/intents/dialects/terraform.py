"""Terraform configurations, one file an account, laid out as `terraform fmt` does."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, by_account, file_of_pieces, unique_names
from irsa_doctor.answers.intents.plan import IntentPlan, MadeProvider, MadeRole

_NAME = "terraform"
_LABEL = r"[^A-Za-z0-9_-]+"
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_Attributes = Sequence[tuple[str, str]]
"""(name, expression)"""


def terraform(plan: IntentPlan, choices: Choices) -> Writing:
    """Resources of hashicorp/aws (https://registry.terraform.io/providers/hashicorp/aws/latest/docs)."""
    accounts = by_account(plan.roles)
    labels = unique_names([role.role for role in plan.roles], r"^.*/|" + _LABEL, "role_")
    pieces: dict[str, list[tuple[str, str]]] = {}
    for account, roles in accounts.items():
        alias = "" if len(accounts) == 1 else f"aws.account_{account}"
        configured = [("", block) for block in _configured(account, alias)]
        blocks = [*configured, *_blocks(plan, account, roles, labels, alias)]
        path = f"{_NAME}/irsa.tf" if not alias else f"{_NAME}/irsa-{account}.tf"
        pieces[path] = [(role, text if number == 0 else f"\n{text}") for number, (role, text) in enumerate(blocks)]
    addresses = {role.role: f"aws_iam_role.{labels[role.role]}" for role in plan.roles}
    files = tuple([file_of_pieces(path, _NAME, parts) for path, parts in pieces.items()])
    return Writing(files=files, addresses=addresses, pieces=pieces)


def _configured(account: str, alias: str) -> Iterator[str]:
    """The provider of an account where there are several; how it gets its credentials is for its owner to say."""
    if alias:
        name = alias.partition(".")[2]
        yield _block('provider "aws"', [("alias", _text(name)), ("allowed_account_ids", f"[{_text(account)}]")])


def _blocks(
    plan: IntentPlan, account: str, roles: Sequence[MadeRole], labels: Mapping[str, str], alias: str
) -> Iterator[tuple[str, str]]:
    """The blocks of an account, each with the ARN of the role that it is."""
    # the files of all accounts are one module, so labels are unique in all of them
    clusters = unique_names([f"{item.cluster} {item.arn}" for item in plan.providers], r" .*|" + _LABEL, "cluster_")
    for provider in plan.providers:
        if provider.account == account:
            yield "", _provider(provider, clusters[f"{provider.cluster} {provider.arn}"], alias)
    attachments = _attachments(plan.roles, labels)
    for role in roles:
        label = labels[role.role]
        yield role.role, _role(role, label, alias)
        for number, arn in enumerate(role.intended.policies, 1):
            attached = [("role", f"aws_iam_role.{label}.name"), ("policy_arn", _text(arn))]
            yield "", _resource("aws_iam_role_policy_attachment", attachments[role.role, number], attached, alias)
    own = {role.role for role in roles}
    for number, item in enumerate((item for item in plan.associations if item.role in own), 1):
        attributes = [
            ("cluster_name", _text(plan.cluster(item.cluster).eks_name)),
            ("namespace", _text(item.namespace)),
            ("service_account", _text(item.service_account)),
            ("role_arn", f"aws_iam_role.{labels[item.role]}.arn"),
        ]
        yield "", _resource("aws_eks_pod_identity_association", f"{labels[item.role]}_{number}", attributes, alias)


def _attachments(roles: Sequence[MadeRole], labels: Mapping[str, str]) -> dict[tuple[str, int], str]:
    """(role, number of its policy) -> the label of the attachment."""
    texts = {}
    for role in roles:
        count = len(role.intended.policies)
        for number in range(1, count + 1):
            texts[role.role, number] = f"{role.role} {number}\0{labels[role.role]}" + (f"_{number}" if count > 1 else "")
    unique = unique_names(list(texts.values()), r"^.*\0")
    return {key: unique[text] for key, text in texts.items()}


def _provider(provider: MadeProvider, label: str, alias: str) -> str:
    ids = f"[{', '.join(map(_text, provider.client_ids))}]"
    return _resource("aws_iam_openid_connect_provider", label, [("url", _text(provider.url)), ("client_id_list", ids)], alias)


def _role(role: MadeRole, label: str, alias: str) -> str:
    intended = role.intended
    attributes = [("name", _text(role.name))]
    if intended.path != "/":
        attributes.append(("path", _text(intended.path)))
    if intended.description:
        attributes.append(("description", _text(intended.description)))
    if intended.max_session:
        attributes.append(("max_session_duration", str(intended.max_session)))
    if intended.boundary:
        attributes.append(("permissions_boundary", _text(intended.boundary)))
    attributes.append(("assume_role_policy", f"jsonencode({_value(role.policy, 1)})"))
    if intended.tags:
        attributes.append(("tags", _value(intended.tags, 1)))
    return _resource("aws_iam_role", label, attributes, alias)


def _resource(kind: str, label: str, attributes: _Attributes, alias: str) -> str:
    provided = [("provider", alias)] if alias else []
    return _block(f'resource "{kind}" "{label}"', [*provided, *attributes])


def _block(head: str, attributes: _Attributes) -> str:
    return f"{head} {{\n{_aligned(attributes, 1)}\n}}\n"


def _aligned(attributes: _Attributes, depth: int) -> str:
    """Attributes on lines of their own; equal signs of neighbours that take one line each stand below one another."""
    lines: list[str] = []
    group: list[tuple[str, str]] = []

    def close() -> None:
        width = max((len(name) for name, _ in group), default=0)
        lines.extend(f"{'  ' * depth}{name:<{width}} = {value}" for name, value in group)
        group.clear()

    for name, value in attributes:
        if "\n" in value:
            close()
            lines.append(f"{'  ' * depth}{name} = {value}")
        else:
            group.append((name, value))
    close()
    return "\n".join(lines)


def _value(value: Any, depth: int) -> str:
    """A value as an expression whose first line is at a depth."""
    if isinstance(value, Mapping):
        members = [(name if _BARE.fullmatch(name) else _text(name), _value(item, depth + 1)) for name, item in value.items()]
        return f"{{\n{_aligned(members, depth + 1)}\n{'  ' * depth}}}"
    if isinstance(value, list):
        if all(isinstance(item, str) for item in value) and len(value) == 1:
            return f"[{_text(value[0])}]"
        items = "\n".join(f"{'  ' * (depth + 1)}{_value(item, depth + 1)}," for item in value)
        return f"[\n{items}\n{'  ' * depth}]"
    return _text(value)


def _text(text: str) -> str:
    """A text in quotes (https://developer.hashicorp.com/terraform/language/expressions/strings)."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
