"""Of whose tokens two trust policies speak, and what one says of principals that are no OIDC providers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from irsa_doctor.facts.grants.reading import issuer_kind, profile_for
from irsa_doctor.issuers import built_in_issuers, cluster_profile
from irsa_doctor.remedies.draft import PolicyDocument
from irsa_doctor.remedies.proof import Viewpoint
from irsa_doctor.remedies.trust_policy import RolePolicy
from irsa_doctor.trust import Policy
from irsa_doctor.trust.policy import WEB_IDENTITY
from irsa_doctor.trust.presented import PresentedToken

_OIDC = ":oidc-provider/"


def viewpoints(role: RolePolicy, new: Policy, targets: Sequence[PresentedToken] = ()) -> Iterator[Viewpoint]:
    """The providers of which either policy speaks; an issuer that AWS knows is its own provider."""
    statements = (*role.policy.statements, *new.statements)
    named = {v for s in statements for v in s.federated if isinstance(v, str) and (_OIDC in v or v in built_in_issuers())}
    for provider in sorted(named | {target.provider for target in targets}):
        issuer = provider.partition(_OIDC)[2] or provider
        own = any(target.provider == provider for target in targets)
        kinds = {issuer_kind(s, issuer, role.view) for s in statements if provider in s.federated}
        is_cluster = own or bool(kinds - {"other", "unknown"})
        profile = cluster_profile(issuer) if is_cluster else profile_for("other", issuer, statements, role.view)
        yield Viewpoint(provider, issuer, profile)


def others(role: RolePolicy, document: PolicyDocument) -> set[str]:
    """What a document says of principals that are no OIDC provider: effect, principal, actions and conditions of each."""
    grants = set()
    for statement in filter(_is_object, _listed(document.get("Statement"))):
        for kind, value in _principals(statement):
            is_known = value in built_in_issuers()
            foreign = kind == "Federated" and role.view.principals.form(value, role.account) in ("saml", "domain")
            if kind == "Federated" and (not foreign or is_known):
                continue
            # "AWS": "*" may mean callers with a token too (P5)
            every = foreign or value == "*"
            actions = [action for action in _listed(statement.get("Action")) if every or not _is_web_identity(action)]
            if actions or "NotAction" in statement:
                rest = [statement.get(name) for name in ("Effect", "NotAction", "Condition")]
                grants.add(json.dumps([kind, value, actions, *rest], sort_keys=True))
    return grants


def _is_object(statement: Any) -> bool:
    return isinstance(statement, dict)


def _principals(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        yield from ((kind, str(value)) for kind, listed in principal.items() for value in _listed(listed))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_web_identity(action: Any) -> bool:
    return str(action).lower() == WEB_IDENTITY.lower()
