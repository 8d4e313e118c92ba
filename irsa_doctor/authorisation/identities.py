"""Who there is in a cluster, what each implies, and the roles that bindings and access policies give to each."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.authorisation.decisions import EVERYWHERE
from irsa_doctor.authorisation.policies import POLICIES
from irsa_doctor.authorisation.principals import MASTERS, MappedPrincipal, fits_pattern
from irsa_doctor.authorisation.roles import ADMIN_EVERYWHERE, ClusterRoleKey, RoleGrant, RoleTable, key_of_binding
from irsa_doctor.model.access import AccessBinding, AccessRule, AccessSubject, AssociatedPolicy
from irsa_doctor.model.extents import fits

IdentityKind = Literal["User", "Group", "ServiceAccount", "Principal", "Grant"]
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ANONYMOUS = "system:anonymous"
ACCOUNTS = "system:serviceaccounts"
POLICY = "AccessPolicy"
"""the kind of role that an access policy of EKS is"""
_ACCOUNT_USER = "system:serviceaccount:"
_UNKNOWN_RULES: tuple[AccessRule, ...] = ()


class ClusterIdentity(msgspec.Struct, frozen=True, order=True):
    """Somebody in a cluster. The name of a Grant is that of its role, `ClusterRole/edit`, its namespace "" for the whole
    cluster; that of a Principal is its ARN."""

    cluster: str
    kind: IdentityKind
    name: str
    namespace: str = ""


class HeldGrant(msgspec.Struct, frozen=True):
    """A role that an identity has, with the binding or the access policy that gives it; None of a group that needs none."""

    grant: RoleGrant
    source: AccessBinding | AssociatedPolicy | None


def subject_identity(cluster: str, subject: AccessSubject) -> ClusterIdentity:
    """Whom a binding of a cluster names; a service account may be named by its user name."""
    if subject.kind == "User" and subject.name.startswith(_ACCOUNT_USER):
        space, _, name = subject.name.removeprefix(_ACCOUNT_USER).partition(":")
        return ClusterIdentity(cluster, "ServiceAccount", name, space)
    return ClusterIdentity(cluster, subject.kind, subject.name, subject.namespace)


class ClusterAccess:
    """RBAC and access policies of one cluster, indexed by subject once."""

    def __init__(
        self,
        cluster: str,
        table: RoleTable,
        bindings: Iterable[AccessBinding],
        principals: Sequence[MappedPrincipal],
        namespaces: Iterable[str],
    ) -> None:
        self.cluster = cluster
        self.table = table
        self.bindings = tuple(bindings)
        self.principals: Mapping[str, MappedPrincipal] = {principal.arn: principal for principal in principals}
        self.namespaces = frozenset(namespaces)
        self.absent: dict[ClusterRoleKey, AccessBinding] = {}
        """roles that bindings name and the input does not have"""
        self._held: dict[tuple[str, str, str], list[HeldGrant]] = {}
        for binding in self.bindings:
            self._index(binding)

    def _index(self, binding: AccessBinding) -> None:
        key = key_of_binding(binding)
        if self.table.rules(key) is None:
            self.absent.setdefault(key, binding)
        held = HeldGrant(RoleGrant(key, binding.namespace or EVERYWHERE), binding)
        for subject in dict.fromkeys(binding.subjects):
            who = subject_identity(self.cluster, subject)
            self._held.setdefault((who.kind, who.namespace, who.name), []).append(held)

    def key_of(self, binding: AccessBinding) -> ClusterRoleKey:
        """The role that a binding names."""
        return key_of_binding(binding)

    def rules(self, key: ClusterRoleKey) -> tuple[AccessRule, ...]:
        """The rules of a role or access policy; none of what is not known."""
        if key.kind == POLICY:
            return POLICIES.get(key.name, _UNKNOWN_RULES)
        return self.table.rules(key) or _UNKNOWN_RULES

    @cached_property
    def users(self) -> frozenset[str]:
        """The users that bindings and mappings name."""
        named = {name for kind, _, name in self._held if kind == "User"}
        return frozenset(named | {item.plain_user for item in self.principals.values()} - {""})

    @cached_property
    def groups(self) -> frozenset[str]:
        """The groups that bindings and mappings name."""
        named = {name for kind, _, name in self._held if kind == "Group"}
        return frozenset(named.union(*(item.plain_groups for item in self.principals.values())))

    def implied(self, identity: ClusterIdentity) -> tuple[ClusterIdentity, ...]:
        """The identities that one implies: its groups, of a Principal also its user.

        https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
        """
        groups: list[str] = []
        user = ""
        if identity.kind == "ServiceAccount":
            groups = [f"{ACCOUNTS}:{identity.namespace}", ACCOUNTS]
        elif identity.kind == "Group" and identity.name.startswith(f"{ACCOUNTS}:"):
            groups = [ACCOUNTS]
        elif identity.kind == "Principal":
            principal = self.principals[identity.name]
            groups, user = list(principal.plain_groups), principal.plain_user
        if identity.name == ANONYMOUS and identity.kind == "User":
            groups.append(UNAUTHENTICATED)
        elif identity.name not in (AUTHENTICATED, UNAUTHENTICATED) or identity.kind != "Group":
            groups.append(AUTHENTICATED)
        users = [self.of_user(user)] if user else []
        return (*users, *(ClusterIdentity(self.cluster, "Group", group) for group in groups))

    def of_user(self, name: str) -> ClusterIdentity:
        """The identity of a user name, which may be that of a service account."""
        if name.startswith(_ACCOUNT_USER):
            space, _, account = name.removeprefix(_ACCOUNT_USER).partition(":")
            return ClusterIdentity(self.cluster, "ServiceAccount", account, space)
        return ClusterIdentity(self.cluster, "User", name)

    def held(self, identity: ClusterIdentity) -> Iterator[HeldGrant]:
        """The roles that an identity has, by itself and by what it implies."""
        yield from self.own(identity)
        for other in self.implied(identity):
            yield from self.own(other)

    def held_possibly(self, identity: ClusterIdentity) -> Iterator[HeldGrant]:
        """The roles of users and groups whose names some session of a principal has: whoever assumes the role chooses that name
        (https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html)."""
        principal = self.principals.get(identity.name) if identity.kind == "Principal" else None
        for kind, pattern in principal.patterns if principal else ():
            for name in _beginning(self._sorted_users if kind == "User" else self._sorted_groups, pattern.partition("{{")[0]):
                if fits_pattern(pattern, name):
                    yield from self.own(self.of_user(name) if kind == "User" else ClusterIdentity(self.cluster, kind, name))

    @cached_property
    def _sorted_users(self) -> list[str]:
        return sorted(self.users)

    @cached_property
    def _sorted_groups(self) -> list[str]:
        return sorted({*self.groups, MASTERS})

    def own(self, identity: ClusterIdentity) -> Iterator[HeldGrant]:
        """The roles that bindings and access policies give to an identity by its own name."""
        if identity.kind == "Grant":
            yield HeldGrant(self.grant_of(identity), None)
            return
        if identity.kind == "Principal":
            yield from self._of_policies(self.principals[identity.name])
            return
        yield from self._held.get((identity.kind, identity.namespace, identity.name), ())
        if identity.kind == "Group" and identity.name == MASTERS:
            yield HeldGrant(ADMIN_EVERYWHERE, None)

    def _of_policies(self, principal: MappedPrincipal) -> Iterator[HeldGrant]:
        for policy in principal.policies:
            key = ClusterRoleKey(POLICY, "", policy.name)
            for scope in self._scopes(policy):
                yield HeldGrant(RoleGrant(key, scope), policy)

    def _scopes(self, policy: AssociatedPolicy) -> Iterator[str]:
        """The namespaces of a policy, wildcards resolved (https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html)."""
        if policy.namespaces is None:
            yield EVERYWHERE
            return
        for pattern in policy.namespaces:
            yield from (name for name in sorted(self.namespaces) if fits(pattern, name)) if "*" in pattern else (pattern,)

    def grant_of(self, identity: ClusterIdentity) -> RoleGrant:
        """The grant that an identity of kind Grant is."""
        kind, _, name = identity.name.partition("/")
        return RoleGrant(
            ClusterRoleKey(kind, identity.namespace if kind == "Role" else "", name), identity.namespace or EVERYWHERE
        )

    def identity_of(self, grant: RoleGrant) -> ClusterIdentity:
        """A grant as an identity."""
        space = "" if grant.scope == EVERYWHERE else grant.scope
        return ClusterIdentity(self.cluster, "Grant", grant.role.label, space)

    def unknown_policies(self) -> Iterator[str]:
        """What is not known of the access policies of principals."""
        for principal in self.principals.values():
            for policy in principal.policies:
                if policy.name not in POLICIES:
                    yield f"what the access policy {policy.name} allows"

    def unknown_of(self, identity: ClusterIdentity) -> Iterator[str]:
        """What is not known of the rules of an identity: roles that are bound and not in the input, policies of EKS."""
        for held in self.held(identity):
            key = held.grant.role
            if key.kind == POLICY and key.name not in POLICIES:
                yield f"what the access policy {key.name} allows"
            elif key in self.absent:
                yield f"{key.label} in namespace {key.namespace}" if key.namespace else key.label
        if identity.kind == "Principal" and (unknown := self.principals[identity.name].unknown):
            yield unknown


def _beginning(names: Sequence[str], start: str) -> Iterator[str]:
    """The names of a sorted list that begin with a text."""
    for number in range(bisect_left(names, start), len(names)):
        if not names[number].startswith(start):
            return
        yield names[number]
