"""What somebody with some roles may do of the closed list of permissions on which ways depend."""

from collections.abc import Iterable, Mapping

from irsa_doctor.authorisation.decisions import EVERY_NAME, EVERYWHERE, NO_NAME, ObjectNames, Permission
from irsa_doctor.model.access import AccessRule

RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
WORKLOAD_RESOURCES: tuple[tuple[str, str], ...] = (
    ("", "pods"),
    *(("apps", name) for name in ("deployments", "daemonsets", "statefulsets", "replicasets")),
    ("", "replicationcontrollers"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
)
"""what makes pods; of jobs the template cannot be changed, of pods the account"""
CHANGEABLE = tuple(resource for resource in WORKLOAD_RESOURCES if resource[1] not in ("pods", "jobs"))
EVERY_PERMISSION = Permission("*", "*", "*")


def _of(verbs: str, group: str, resource: str, subresource: str = "") -> Iterable[Permission]:
    return (Permission(verb, group, resource, subresource) for verb in verbs.split())


CLOSED: tuple[Permission, ...] = (
    *_of("create", "", "serviceaccounts", "token"),
    *(permission for resource in WORKLOAD_RESOURCES for permission in _of("create patch update", *resource)),
    *_of("create get", "", "pods", "exec"),
    *_of("create get", "", "pods", "attach"),
    *_of("patch update", "", "pods", "ephemeralcontainers"),
    *_of("create get", "", "nodes", "proxy"),
    *_of("create patch get list watch", "", "secrets"),
    *_of("impersonate", "", "users"),
    *_of("impersonate", "", "groups"),
    *_of("impersonate create patch update", "", "serviceaccounts"),
    *_of("create patch update", RBAC, "rolebindings"),
    *_of("create patch update", RBAC, "clusterrolebindings"),
    *_of("create patch update bind escalate", RBAC, "roles"),
    *_of("create patch update bind escalate", RBAC, "clusterroles"),
    *_of("create patch update", "", "configmaps"),
    *_of("create patch update", ADMISSION, "mutatingwebhookconfigurations"),
    *_of("create patch", ADMISSION, "mutatingadmissionpolicies"),
    *_of("create patch", ADMISSION, "mutatingadmissionpolicybindings"),
    *_of("create patch", "", "namespaces"),
    EVERY_PERMISSION,
)
"""every permission that the table of ways names"""
_BY_PATH: dict[str, list[Permission]] = {}
for _permission in CLOSED:
    _BY_PATH.setdefault(_permission.path, []).append(_permission)
    if _permission.subresource:
        _BY_PATH.setdefault(f"*/{_permission.subresource}", []).append(_permission)
_BY_PATH["*"] = list(CLOSED)
Table = Mapping[Permission, ObjectNames]


def powers_of(rules: Iterable[AccessRule]) -> Table:
    """The permissions of the closed list that rules give, with their names."""
    table: dict[Permission, ObjectNames] = {}
    for rule in rules:
        names = ObjectNames(False, frozenset(rule.names)) if rule.names else EVERY_NAME
        for path in rule.resources:
            for permission in _BY_PATH.get(path, ()):
                if _is_named(rule.verbs, permission.verb) and _is_named(rule.groups, permission.group):
                    table[permission] = table.get(permission, NO_NAME) | names
    return table


def _is_named(values: tuple[str, ...], value: str) -> bool:
    return value in values or "*" in values


class Powers:
    """The permissions of somebody, by scope."""

    def __init__(self, tables: Iterable[tuple[str, Table]]) -> None:
        self._by_scope: dict[str, dict[Permission, ObjectNames]] = {}
        for scope, table in tables:
            if table:
                merged = self._by_scope.setdefault(scope, {})
                for permission, names in table.items():
                    merged[permission] = merged.get(permission, NO_NAME) | names

    @property
    def scopes(self) -> Iterable[str]:
        """The scopes in which there is any permission."""
        return self._by_scope

    def has(self, permission: Permission) -> bool:
        """Whether a permission is there in any scope, with any name."""
        return any(permission in table for table in self._by_scope.values())

    def names(self, scope: str, *permissions: Permission) -> ObjectNames:
        """The names for which one of some permissions is there in a scope."""
        names = NO_NAME
        for table in {EVERYWHERE: None, scope: None}:
            own = self._by_scope.get(table)
            if own:
                for permission in permissions:
                    names |= own.get(permission, NO_NAME)
        return names
