"""Random RBAC of one namespace: roles, bindings and the requests that are decided."""

import random
from typing import Any

from irsa_doctor.authorisation import AccessRequest, ClusterAccess, ClusterIdentity, Permission, RoleTable
from irsa_doctor.authorisation.powers import CLOSED
from irsa_doctor.sources import load

GROUP = "rbac.authorization.k8s.io"
_NAMES = ("", "", "a", "b", "aws-auth")
BESIDE = (
    *(Permission(verb, "", "secrets") for verb in ("delete", "deletecollection")),
    *(Permission(verb, "", "pods") for verb in ("get", "list", "watch", "deletecollection")),
    Permission("get", "", "pods", "log"),
    Permission("patch", "apps", "deployments", "scale"),
    Permission("impersonate", "authentication.k8s.io", "uids"),
    Permission("impersonate", "authentication.k8s.io", "userextras", "scopes"),
    Permission("approve", "certificates.k8s.io", "signers"),
)
"""permissions that no way needs, and that rules may give or limit in the same manner"""
PERMISSIONS = (*CLOSED, *BESIDE)


def rule(chance: random.Random) -> dict[str, Any]:
    """A rule that is near the permissions of the closed table, with wildcards here and there."""
    base = chance.choice(PERMISSIONS)
    resources = chance.choice(
        [[base.path], ["*"], [base.resource], [f"{base.resource}/*"], [f"*/{base.subresource or 'scale'}"], [base.path, "pods"]]
    )
    made: dict[str, Any] = {
        "apiGroups": chance.choice([[base.group], ["*"], ["apps", base.group], ["batch"]]),
        "resources": resources,
        "verbs": chance.choice([[base.verb], ["*"], ["get", "list"], [base.verb, "patch"]]),
    }
    if chance.random() < 0.3:
        made["resourceNames"] = chance.sample(["a", "b", "aws-auth", "*"], 2)
    return made


def subjects(space: str) -> list[dict[str, str]]:
    """Subjects of all kinds, whose names no other world has."""
    return [
        {"kind": "User", "apiGroup": GROUP, "name": f"user-{space}"},
        {"kind": "User", "apiGroup": GROUP, "name": f"system:serviceaccount:{space}:one"},
        {"kind": "Group", "apiGroup": GROUP, "name": f"group-{space}"},
        {"kind": "Group", "apiGroup": GROUP, "name": f"system:serviceaccounts:{space}"},
        {"kind": "ServiceAccount", "name": "two", "namespace": space},
        {"kind": "ServiceAccount", "name": "one"},
    ]


def everybody() -> list[dict[str, str]]:
    """Subjects that all worlds have in common: they are bound in one namespace only."""
    groups = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts", "*")
    users = ("system:anonymous", "*")
    return [
        *({"kind": "Group", "apiGroup": GROUP, "name": name} for name in groups),
        *({"kind": "User", "apiGroup": GROUP, "name": name} for name in users),
    ]


def aggregate(chance: random.Random, space: str, number: int) -> dict[str, Any]:
    """A ClusterRole that selects others of its world, perhaps other aggregates and none; its own rules do not count."""
    expressions = [
        {"key": "part", "operator": "In", "values": ["a", "c"]},
        {"key": "part", "operator": "NotIn", "values": ["a"]},
        {"key": "part", "operator": "Exists"},
        {"key": "part", "operator": "DoesNotExist"},
    ]
    chosen = chance.choice([[], [], *([item] for item in expressions), expressions[:2]])
    labels = {"world": space} | ({"part": chance.choice("abc")} if not chosen else {})
    selector = {"matchLabels": labels} | ({"matchExpressions": chosen} if chosen else {})
    other = {"matchLabels": {"world": space, "part": chance.choice("abc")}}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": labelled(chance, space, f"{space}-all-{number}"),
        "aggregationRule": {"clusterRoleSelectors": chance.choice([[selector], [selector, other]])},
        "rules": [rule(chance)],
    }


def labelled(chance: random.Random, space: str, name: str) -> dict[str, Any]:
    """The metadata of a ClusterRole, with labels that aggregates may select."""
    part = chance.choice(["a", "b", "c", ""])
    return {"name": name, "labels": {"world": space} | ({"part": part} if part else {})}


def world(chance: random.Random, space: str) -> list[dict[str, Any]]:
    """The objects of a world."""
    objects: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}]
    for number in range(chance.randint(1, 4)):
        kind = chance.choice(["Role", "ClusterRole"])
        is_role, name = kind == "Role", f"{space}-{number}"
        metadata: dict[str, Any] = {"name": name, "namespace": space} if is_role else labelled(chance, space, name)
        rules = [rule(chance) for _ in range(chance.randint(0, 3))]
        if not is_role and chance.random() < 0.2:
            rules.append({"nonResourceURLs": ["*"], "verbs": ["*"]})
        bound: dict[str, Any] = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "rules": rules}
        objects.append(bound)
        if not is_role and chance.random() < 0.4:
            bound = aggregate(chance, space, number)
            objects.append(bound)
        metadata = bound["metadata"]
        wide = kind == "ClusterRole" and chance.random() < 0.5
        known = subjects(space) if wide else [*subjects(space), *everybody()]
        chosen = [dict(item) for item in chance.sample(known, chance.randint(0, 3))]
        for item in chosen if wide else ():
            if item["kind"] == "ServiceAccount":
                item.setdefault("namespace", space)
        objects.append(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": "ClusterRoleBinding" if wide else "RoleBinding",
                "metadata": {"name": f"{space}-{number}-bound", **({} if wide else {"namespace": space})},
                "roleRef": {"apiGroup": GROUP, "kind": kind, "name": metadata["name"]},
                "subjects": chosen,
            }
        )
    return objects


def identities(space: str) -> list[ClusterIdentity]:
    """Who is asked about."""
    return [
        ClusterIdentity("", "User", f"user-{space}"),
        ClusterIdentity("", "Group", f"group-{space}"),
        ClusterIdentity("", "ServiceAccount", "one", space),
        ClusterIdentity("", "ServiceAccount", "two", space),
        ClusterIdentity("", "Group", f"system:serviceaccounts:{space}"),
        ClusterIdentity("", "Group", "system:unauthenticated"),
        ClusterIdentity("", "User", "system:anonymous"),
    ]


_WIDE = frozenset(
    {"nodes", "namespaces", "clusterroles", "clusterrolebindings", "users", "groups", "mutatingwebhookconfigurations", "*"}
    | {"uids", "userextras", "signers"}
)


def request(chance: random.Random, space: str, permission: Permission | None = None) -> AccessRequest:
    """A request near the closed table, in the namespace of the world, in another or in none."""
    permission = permission or chance.choice(PERMISSIONS)
    # a namespace is the one object without namespace that is requested in one: itself
    is_wide = permission.resource in _WIDE and (permission.resource != "namespaces" or chance.random() < 0.5)
    place = "" if is_wide else chance.choice([space, space, space, "kube-system"])
    return AccessRequest(permission, place, chance.choice(_NAMES))


def access_of(objects: list[dict[str, Any]]) -> ClusterAccess:
    """RBAC of the objects, read as manifests."""
    import json

    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    inventory = load((), memory={"all.json": json.dumps(listed).encode()}).inventory
    namespaces = [item.name for item in inventory.namespaces]
    return ClusterAccess("", RoleTable(inventory.access_roles), inventory.access_bindings, (), namespaces)
