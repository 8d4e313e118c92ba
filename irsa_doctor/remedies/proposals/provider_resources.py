"""Ways to add the OIDC provider that a role needs to the template that makes the role.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_openid_connect_provider
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-oidcprovider.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from irsa_doctor.facts import AnalysedRole
from irsa_doctor.issuers import EKS, profile_of
from irsa_doctor.model import Role, parse_arn
from irsa_doctor.model.edits import EditKind
from irsa_doctor.model.findings import Fix
from irsa_doctor.model.regex import regex
from irsa_doctor.remedies.commands import create_eks_provider, create_provider
from irsa_doctor.remedies.draft import PolicyDocument
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.policy_fix import command_fix
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable
from irsa_doctor.remedies.targets import case_of
from irsa_doctor.remedies.trust_policy import provider_for, role_policy

_HOST = regex(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")
_TERRAFORM, _CLOUDFORMATION = (".tf",), (".yaml", ".yml", ".json", ".template")


class _Needed(msgspec.Struct, frozen=True):
    """A provider that is needed: its issuer, what to call it, the roles that need it, and the command that makes it."""

    issuer: str
    name: str
    roles: Sequence[AnalysedRole]
    command: str
    offered: Fix | None = None


def _provider_added(case: FixCase) -> Iterator[Proposal]:
    """A resource for the provider beside a role that needs it; else the command that creates it."""
    needed = _of_cluster(case) if case.judged.kind == "cluster" else _of_grant(case)
    if not _HOST.fullmatch(needed.issuer):
        raise Unfixable("value-unknown", "the issuer is not known")
    because = "whoever can make tokens of this issuer can then be trusted by roles of the account"
    changed = list(_with_principals(case, needed))
    for role in needed.roles:
        wish = _resource(case, role.role, needed)
        if wish is not None:
            more = [wish for other, wish, _ in changed if other.role.id == role.role.id]
            policy = next((policy for other, _, policy in changed if other.role.id == role.role.id), None)
            yield Proposal(
                wishes=(wish, *more),
                safety="unsafe",
                because=because,
                policy=policy,
                role=role.role if policy else None,
                offered=needed.offered,
            )
            return
    commands = (needed.command,) if needed.command else ()
    yield Proposal(wishes=(), safety="unsafe", because=because, commands=commands, offered=needed.offered)


def _of_cluster(case: FixCase) -> _Needed:
    """The provider of a cluster."""
    cluster = next((known for known in case.view.inventory.clusters if known.subject == case.judged.id), None)
    if cluster is None or not isinstance(cluster.issuer, str):
        raise Unfixable("value-unknown", "the issuer of the cluster is not known")
    issuer = cluster.issuer
    roles = case.view.roles_of_issuer(issuer)
    command = create_eks_provider(cluster.name, cluster.region)
    offered = command_fix(command) if profile_of(issuer) is EKS else None
    return _Needed(issuer, cluster.name, roles or _of_templates(case), command, offered)


def _of_templates(case: FixCase) -> list[AnalysedRole]:
    return [role for role in case.view.roles if role.role.address]


def _of_grant(case: FixCase) -> _Needed:
    """The provider that a statement names."""
    analysed = case_of(case.view, case.judged)
    issuer = _issuer_of(str(case.judged.evidence().names.get("principal") or ""))
    if analysed is None or not issuer:
        raise Unfixable("not-in-source", "the role is not in the input")
    names = sorted(cluster.name for cluster in case.view.inventory.clusters_by_issuer.get(issuer, ()))
    audience = case.view.audience_of(issuer)
    return _Needed(issuer, names[0] if names else "eks", [analysed], create_provider(issuer, audience))


def _issuer_of(provider: str) -> str:
    arn = parse_arn(provider)
    return arn.name if arn is not None and arn.kind == "oidc-provider" else ""


def _with_principals(case: FixCase, needed: _Needed) -> Iterator[tuple[AnalysedRole, Wish, PolicyDocument]]:
    """The policies of the roles with the provider of the role's own account, where they name that of another one."""
    for analysed in needed.roles:
        role = role_policy(case.view, analysed)
        if role is None or not role.account:
            continue
        right = provider_for(role.known_role, needed.issuer)
        wrong = {
            p for s in role.policy.statements for p in s.federated if isinstance(p, str) and _issuer_of(p) == needed.issuer
        }
        if wrong - {right}:
            document = _replaced(wrong, right, role.document)
            yield analysed, Wish(role.place, role.document, document), document


def _replaced(old: set[str], new: str, value: Any) -> Any:
    """A JSON value with one text in the place of others."""
    if isinstance(value, Mapping):
        return {name: _replaced(old, new, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(old, new, item) for item in value]
    return new if isinstance(value, str) and value in old else value


# ---- resources


def _resource(case: FixCase, role: Role, needed: _Needed) -> Wish | None:
    """A resource for the provider in the document that makes a role; None where that is no template that is written."""
    document, audience = role.place.document, case.view.audience_of(needed.issuer)
    if not role.address:
        return None
    if document.endswith(_TERRAFORM):
        name = re.sub(r"[^A-Za-z0-9_-]", "_", needed.name)
        name = name if re.match(r"[A-Za-z_]", name) else f"_{name}"
        return Wish(msgspec.structs.replace(role.place, pointer=""), None, None, appended=_block(name, needed.issuer, audience))
    if document.endswith(_CLOUDFORMATION) and role.place.pointer.startswith("/Resources/"):
        name = re.sub(r"[^A-Za-z0-9]", "", needed.name.title()) + "OidcProvider"
        resource = {"Type": "AWS::IAM::OIDCProvider", "Properties": _properties(needed.issuer, audience)}
        place = msgspec.structs.replace(role.place, pointer="/Resources")
        return Wish(place, None, None, transform=partial(_with_member, name, resource))
    return None


def _properties(issuer: str, audience: str) -> dict[str, Any]:
    return {"Url": f"https://{issuer}", "ClientIdList": [audience]}


def _block(name: str, issuer: str, audience: str) -> str:
    return (
        f'resource "aws_iam_openid_connect_provider" "{name}" {{\n'
        f'  url            = "https://{issuer}"\n  client_id_list = ["{audience}"]\n}}\n'
    )


def _with_member(name: str, resource: Any, resources: Any) -> Any:
    if name in resources:
        raise ValueError(name)
    return {**resources, name: resource}


RESOURCE_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {"provider-added": _provider_added}
"""the ways to add resources, by name"""
