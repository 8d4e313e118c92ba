"""Whether a changed trust policy may be offered: who gets in, who stays in, and that nobody else does.

Of the policy before (B) and after (A): every target gets in; A admits nobody beyond B but the targets, the service accounts
that use the role and the subjects that the policy itself names; who uses the role and was admitted still is; what it grants to
other principals is the same; IAM would save it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.facts.grants.reading import issuer_kind, profile_for
from irsa_doctor.issuers import cluster_profile
from irsa_doctor.remedies.draft import PolicyDocument, read_for_iam
from irsa_doctor.remedies.proof import Comparison, Surplus, Viewpoint
from irsa_doctor.remedies.trust_policy import RolePolicy, admits
from irsa_doctor.trust import Policy, is_subject
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.policy import DEFAULT_QUOTA, WEB_IDENTITY
from irsa_doctor.trust.presented import PresentedToken

_OIDC = ":oidc-provider/"


class Verified(msgspec.Struct, frozen=True):
    """A document that may be offered: how many service accounts keep the role, which subjects it newly admits."""

    document: PolicyDocument
    keeps: int
    admits: tuple[str, ...]


class _Account(msgspec.Struct, frozen=True):
    """What changes for the tokens of one provider."""

    compared: Comparison
    more: Surplus
    intended: frozenset[str]

    @property
    def view(self) -> Viewpoint:
        return self.compared.view

    @property
    def is_opened(self) -> bool:
        """Whether it admits every service account of a cluster, and did not before: nobody should save that, even where the
        only subjects that it newly admits use the role."""
        after, before = (admits.reach.scope for admits in self.compared.both)
        return after == "cluster" != before

    @property
    def less(self) -> Surplus:
        return self.compared.lost


def verify(
    role: RolePolicy, document: PolicyDocument, targets: Sequence[PresentedToken] = (), *, handed_out: bool = False
) -> Verified | None:
    """The document with what it comes to, None where it is not proved that it does no harm.

    `handed_out`: it changes what services or roles may do, which has a proof of its own.
    """
    try:
        new = read_for_iam(document)
    except UnicodeEncodeError:
        return None
    if document == role.document or new.refused or new.size > max(DEFAULT_QUOTA, role.policy.size):
        return None
    if not handed_out and others(role, document) != others(role, role.document):
        return None
    changes = [_change(role, new, view, targets) for view in viewpoints(role, new, targets)]
    admitted_by = {change.view.provider: change.compared.both[0] for change in changes}
    if not all(admits(new, target, admitted_by[target.provider]) for target in targets):
        return None
    if not all(_is_harmless(role, change) for change in changes):
        return None
    admitted_now = {subject for c in changes for subject in c.intended if c.more.has(subject, None)}
    return Verified(document, _keeps(role, changes), tuple(sorted(admitted_now)))


def viewpoints(role: RolePolicy, new: Policy, targets: Sequence[PresentedToken] = ()) -> Iterator[Viewpoint]:
    """The providers of which either policy speaks."""
    statements = (*role.policy.statements, *new.statements)
    named = {v for s in statements for v in s.federated if isinstance(v, str) and _OIDC in v}
    for provider in sorted(named | {target.provider for target in targets}):
        issuer = provider.partition(_OIDC)[2]
        own = any(target.provider == provider for target in targets)
        kinds = {issuer_kind(s, issuer, role.view) for s in statements if provider in s.federated}
        is_cluster = own or bool(kinds - {"other", "unknown"})
        profile = cluster_profile(issuer) if is_cluster else profile_for("other", issuer, statements, role.view)
        yield Viewpoint(provider, issuer, profile)


def _change(role: RolePolicy, new: Policy, view: Viewpoint, targets: Sequence[PresentedToken]) -> _Account:
    compared = Comparison(new, role.policy, view, role.admitted_at(view))
    # what IAM refuses is not in force: then whatever the new one admits is new
    nothing = msgspec.structs.replace(role.policy, statements=()) if role.policy.refused else None
    more = Comparison(new, nothing, view).gained if nothing else compared.gained
    wanted = {target.subject for target in targets if target.provider == view.provider}
    intended = wanted | role.users_at(view) | _written(new, view) if view.profile.is_cluster else frozenset[str]()
    return _Account(compared, more, frozenset(intended))


def _written(policy: Policy, view: Viewpoint) -> set[str]:
    """The subjects that statements for this provider alone write out."""
    issuer = view.issuer.lower()
    return {
        value
        for statement in policy.statements
        if statement.allow and statement.federated == (view.provider,)
        for condition in statement.conditions
        if presence(condition.key, issuer) == "sub" and not condition.use.operator.negated
        for value in condition.values
        if isinstance(value, str) and is_subject(value)
    }


def _is_harmless(role: RolePolicy, change: _Account) -> bool:
    """Whether nobody else gets in, and nobody who uses the role loses it."""
    view = change.view
    if not change.more.is_within(change.intended, view.profile.grammar) or not change.less.certain:
        return False
    if change.is_opened:
        return False
    if not view.profile.is_cluster:
        return change.less.is_within(frozenset(), view.profile.grammar)
    return not any(change.less.has(user.subject, user.audience or None) for user in role.users_of(view))


def _keeps(role: RolePolicy, changes: Sequence[_Account]) -> int:
    """How many service accounts are admitted before and after."""
    kept = set()
    for compared in (change.compared for change in changes if change.view.profile.is_cluster):
        for user in role.users_of(compared.view):
            if user.audience and all(policy.admits(user.subject, user.audience) for policy in compared.both):
                kept.add((user.subject, user.issuer))
    return len(kept)


def others(role: RolePolicy, document: PolicyDocument) -> set[str]:
    """What a document says of principals that are no OIDC provider: effect, principal, actions and conditions of each."""
    grants = set()
    for statement in filter(_is_object, _listed(document.get("Statement"))):
        for kind, value in _principals(statement):
            foreign = kind == "Federated" and role.view.principals.form(value, role.account) in ("saml", "domain")
            if kind == "Federated" and not foreign:
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
