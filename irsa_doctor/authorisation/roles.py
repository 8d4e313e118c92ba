"""The rules that roles of a cluster give: those of live objects as they are, those of manifests with what they aggregate."""

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from irsa_doctor.authorisation.decisions import EVERYWHERE
from irsa_doctor.model.access import AccessBinding, AccessRole, AccessRule

ADMIN = "cluster-admin"
_EVERYTHING = (AccessRule(("*",), ("*",), ("*",)),)


class ClusterRoleKey(msgspec.Struct, frozen=True, order=True):
    """What identifies a role of Kubernetes in its cluster; `namespace` is "" of a ClusterRole and of an access policy."""

    kind: str
    namespace: str
    name: str

    @property
    def label(self) -> str:
        """As answers name it."""
        return f"{self.kind}/{self.name}"


ADMIN_KEY = ClusterRoleKey("ClusterRole", "", ADMIN)


class RoleGrant(msgspec.Struct, frozen=True, order=True):
    """The rules of a role in a namespace, or in the whole cluster (`*`)."""

    role: ClusterRoleKey
    scope: str


ADMIN_EVERYWHERE = RoleGrant(ADMIN_KEY, EVERYWHERE)


def key_of_role(role: AccessRole) -> ClusterRoleKey:
    """The key of a role."""
    return ClusterRoleKey(role.kind, role.namespace, role.name)


def key_of_binding(binding: AccessBinding) -> ClusterRoleKey:
    """The key of the role that a binding names."""
    return ClusterRoleKey(binding.role_kind, binding.namespace if binding.role_kind == "Role" else "", binding.role)


class RoleTable:
    """The roles of one cluster and their rules."""

    def __init__(self, roles: Iterable[AccessRole]) -> None:
        self.roles: Mapping[ClusterRoleKey, AccessRole] = {key_of_role(role): role for role in roles}
        self._rules: dict[ClusterRoleKey, tuple[AccessRule, ...]] = {}

    def rules(self, key: ClusterRoleKey) -> tuple[AccessRule, ...] | None:
        """The rules of a role, None where it is not in the input; cluster-admin has all that there are in any case."""
        if key not in self._rules:
            role = self.roles.get(key)
            if role is None:
                return _EVERYTHING if key == ADMIN_KEY else None
            self._rules[key] = self._aggregated(role) if role.selectors is not None and not role.stored else role.rules
        return self._rules[key]

    @cached_property
    def _labelled(self) -> list[tuple[AccessRole, dict[str, str]]]:
        return [(role, dict(role.labels)) for role in self.roles.values() if role.kind == "ClusterRole"]

    def _aggregated(self, role: AccessRole) -> tuple[AccessRule, ...]:
        """The rules of every ClusterRole that is selected, in turn; its own are overwritten by a controller.

        https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
        """
        rules: dict[AccessRule, None] = {}
        seen, waiting = {role.name}, [role]
        while waiting:
            current = waiting.pop()
            for selected, labels in self._labelled:
                if selected.name in seen or not any(selector.selects(labels) for selector in current.selectors or ()):
                    continue
                seen.add(selected.name)
                if selected.selectors is None or selected.stored:
                    rules.update(dict.fromkeys(selected.rules))
                else:
                    waiting.append(selected)
        return tuple(rules)
