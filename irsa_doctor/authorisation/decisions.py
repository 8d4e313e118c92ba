"""Decides what a rule of RBAC allows: verbs, API groups, resources, subresources and names.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/ and plugin/pkg/auth/authorizer/rbac of Kubernetes.
"""

from collections.abc import Iterable

import msgspec

from irsa_doctor.model.access import AccessRule

EVERYWHERE = "*"
"""the scope of a grant that is not limited to a namespace"""


class ObjectNames(msgspec.Struct, frozen=True):
    """Names of objects: every one, or those of `listed`. Only every name allows a request without a name."""

    every: bool = False
    listed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether it holds any name."""
        return self.every or bool(self.listed)

    def __contains__(self, name: str) -> bool:
        """Whether it holds a name."""
        return self.every or name in self.listed

    def __or__(self, other: "ObjectNames") -> "ObjectNames":
        """The names of both."""
        if self.every or other.every:
            return EVERY_NAME
        return self if not other.listed else other if not self.listed else ObjectNames(False, self.listed | other.listed)

    def __and__(self, other: "ObjectNames") -> "ObjectNames":
        """The names that are in both."""
        if self.every or other.every:
            return other if self.every else self
        return ObjectNames(False, self.listed & other.listed)


NO_NAME = ObjectNames()
EVERY_NAME = ObjectNames(True)


class Permission(msgspec.Struct, frozen=True, order=True):
    """A verb on a resource or subresource of an API group; `group` is "" of the core group."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    @property
    def path(self) -> str:
        """The resource as rules write it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def rule_covers(rule: AccessRule, permission: Permission) -> bool:
    """Whether a rule is about a permission, names set aside.

    `*` is every resource and subresource, `*/exec` that subresource of every resource; `pods/*` matches nothing.
    """
    return (
        ("*" in rule.verbs or permission.verb in rule.verbs)
        and ("*" in rule.groups or permission.group in rule.groups)
        and (
            "*" in rule.resources
            or permission.path in rule.resources
            or (bool(permission.subresource) and f"*/{permission.subresource}" in rule.resources)
        )
    )


def names_allowed(rules: Iterable[AccessRule], permission: Permission) -> ObjectNames:
    """The names for which some rule allows a permission."""
    listed: set[str] = set()
    for rule in rules:
        if rule_covers(rule, permission):
            if not rule.names:
                return EVERY_NAME
            listed.update(rule.names)
    return ObjectNames(False, frozenset(listed)) if listed else NO_NAME


def allows(rules: Iterable[AccessRule], permission: Permission, name: str = "") -> bool:
    """Whether some rule allows a request; `name` is "" where the request has none, as a plain create or list."""
    names = names_allowed(rules, permission)
    return names.every if not name else name in names
