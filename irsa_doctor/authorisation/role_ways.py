"""The steps of whoever may bind roles, or put rules into them that he does not have (`bind`, `escalate`).

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from irsa_doctor.authorisation.creating import creatable, to_change, to_create
from irsa_doctor.authorisation.decisions import EVERYWHERE, ObjectNames, Permission
from irsa_doctor.authorisation.objects import ClusterObjects
from irsa_doctor.authorisation.powers import RBAC, Powers
from irsa_doctor.authorisation.roles import ADMIN, ADMIN_KEY, ClusterRoleKey, RoleGrant, key_of_binding
from irsa_doctor.authorisation.steps import AccessWay, Use, WayTarget
from irsa_doctor.model.access import AccessRule


class BindableRoles:
    """The roles of a cluster that a binding may name."""

    def __init__(
        self,
        rules: Callable[[ClusterRoleKey], tuple[AccessRule, ...]],
        has: Callable[[ClusterRoleKey], bool],
        roles: Iterable[tuple[str, str]],
    ) -> None:
        self._rules = rules
        self._has = has
        self._local: dict[str, list[str]] = {}
        for namespace, name in roles:
            self._local.setdefault(namespace, []).append(name)

    def has(self, key: ClusterRoleKey) -> bool:
        """Whether a role exists, and is one of Kubernetes."""
        return self._has(key)

    def has_rules(self, key: ClusterRoleKey) -> bool:
        """Whether a role has any rule about resources."""
        return bool(self._rules(key))

    def named(self, resource: str, space: str, names: ObjectNames) -> Iterator[ClusterRoleKey]:
        """The roles that names reach; of all ClusterRoles cluster-admin alone, which holds the others."""
        if resource == "clusterroles":
            chosen = [ADMIN] if ADMIN in names else sorted(names.listed)
            yield from (ClusterRoleKey("ClusterRole", "", name) for name in chosen)
            return
        local = self._local.get(space, [])
        yield from (ClusterRoleKey("Role", space, name) for name in local if name in names)


class RoleWays:
    """The ways of somebody with some powers by roles of RBAC. `grants` are the roles that bindings give."""

    def __init__(self, powers: Powers, grants: Sequence[RoleGrant], objects: ClusterObjects, roles: BindableRoles) -> None:
        self.powers = powers
        self.grants = grants
        self.objects = objects
        self.roles = roles

    def in_scope(self, scope: str) -> Iterator[AccessWay]:
        """The ways by bindings of a namespace, or of every namespace (`*`)."""
        wide, local = Permission("bind", RBAC, "clusterroles"), Permission("bind", RBAC, "roles")
        writing = (to_create(RBAC, "rolebindings"), *to_change(RBAC, "rolebindings"))
        if not self.powers.names(scope, wide, local) or not self.powers.names(scope, *writing):
            return
        if scope == EVERYWHERE and ADMIN in self.powers.names(scope, wide) and self.powers.names(scope, writing[0]).every:
            uses = (Use(writing[0], scope), Use(wide, scope, ADMIN))
            yield AccessWay("bind", WayTarget("grants", EVERYWHERE), uses)
            return
        for space in self.objects.spaces(scope):
            bound = list(self._bound(space, "rolebindings", space))
            yield from self._chosen(bound, space)

    def in_cluster(self) -> Iterator[AccessWay]:
        """The ways by bindings of the whole cluster, and by new rules of roles."""
        yield from self._chosen(list(self._bound(EVERYWHERE, "clusterrolebindings", "")), EVERYWHERE)
        yield from self._escalations()

    def _chosen(self, bound: list[tuple[ClusterRoleKey, tuple[Use, ...]]], scope: str) -> Iterator[AccessWay]:
        """The roles that can be bound; where cluster-admin is among them that alone, which holds all others."""
        admin = [entry for entry in bound if entry[0] == ADMIN_KEY]
        for key, uses in admin[:1] or bound:
            if self.roles.has_rules(key):
                yield AccessWay("bind", WayTarget("grant", scope, key.label), uses)

    def _bound(self, scope: str, resource: str, space: str) -> Iterator[tuple[ClusterRoleKey, tuple[Use, ...]]]:
        """Roles that can be bound in a scope; `space` is the namespace of the bindings."""
        existing = self.objects.bindings.get(space, {})
        names, creating = creatable(self.powers, scope, RBAC, resource, existing)
        kinds = ("clusterroles",) if scope == EVERYWHERE else ("clusterroles", "roles")
        bindable = {kind: self.powers.names(scope, Permission("bind", RBAC, kind)) for kind in kinds}
        if not any(bindable.values()):
            return
        if names:
            for kind, roles in bindable.items():
                for key in self.roles.named(kind, space, roles):
                    yield key, (*creating, Use(Permission("bind", RBAC, kind), scope, key.name))
        for permission in to_change(RBAC, resource):
            reached = self.powers.names(scope, permission)
            for name in existing if reached.every else reached.listed.intersection(existing):
                key = key_of_binding(existing[name])
                kind = "roles" if key.kind == "Role" else "clusterroles"
                if key.name in bindable.get(kind, ObjectNames()):
                    yield key, (Use(permission, scope, name), Use(Permission("bind", RBAC, kind), scope, key.name))

    def _escalations(self) -> Iterator[AccessWay]:
        for grant in self.grants:
            key = grant.role
            if not self.roles.has(key):
                continue
            resource, scope = ("roles", key.namespace) if key.kind == "Role" else ("clusterroles", EVERYWHERE)
            escalate = Permission("escalate", RBAC, resource)
            if key.name not in self.powers.names(scope, escalate):
                continue
            for write in to_change(RBAC, resource):
                if key.name in self.powers.names(scope, write):
                    uses = (Use(escalate, scope, key.name), Use(write, scope, key.name))
                    yield AccessWay("escalate", WayTarget("grant", grant.scope, ADMIN_KEY.label), uses)
        for scope in self.powers.scopes:
            yield from self._new_roles(scope)

    def _new_roles(self, scope: str) -> Iterator[AccessWay]:
        """A new role with every rule, bound by a new binding of the same scope."""
        pairs = [("roles", "rolebindings", scope)]
        if scope == EVERYWHERE:
            pairs.append(("clusterroles", "clusterrolebindings", ""))
        for resource, bindings, space in pairs:
            needed = [Permission(verb, RBAC, resource) for verb in ("create", "escalate", "bind")]
            if not all(self.powers.names(scope, permission).every for permission in needed):
                continue
            for place in self.objects.spaces(scope) if bindings == "rolebindings" else (EVERYWHERE,):
                existing = self.objects.bindings.get(place if bindings == "rolebindings" else space, {})
                names, creating = creatable(self.powers, place, RBAC, bindings, existing)
                if names:
                    uses = (*(Use(permission, scope) for permission in needed), *creating)
                    yield AccessWay("escalate", WayTarget("grant", place, ADMIN_KEY.label), uses)
