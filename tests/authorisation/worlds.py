"""Random RBAC of one namespace: roles, bindings and the requests that are decided."""

import random
from typing import Any

from irsa_doctor.authorisation import AccessRequest, ClusterAccess, ClusterIdentity, Permission, RoleTable
from irsa_doctor.authorisation.powers import CLOSED
from irsa_doctor.sources import load

GROUP = "rbac.authorization.k8s.io"
_NAMES = ("", "", "a", "b", "aws-auth")


def rule(chance: random.Random) -> dict[str, Any]:
    """A rule that is near the permissions of the closed table, with wildcards here and there."""
    base = chance.choice(CLOSED)
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


def world(chance: random.Random, space: str) -> list[dict[str, Any]]:
    """The objects of a world."""
    objects: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}]
    for number in range(chance.randint(1, 4)):
        kind = chance.choice(["Role", "ClusterRole"])
        metadata = {"name": f"{space}-{number}", **({"namespace": space} if kind == "Role" else {})}
        rules = [rule(chance) for _ in range(chance.randint(0, 3))]
        objects.append({"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "rules": rules})
        wide = kind == "ClusterRole" and chance.random() < 0.5
        chosen = [dict(item) for item in chance.sample(subjects(space), chance.randint(0, 2))]
        for item in chosen if wide else ():
            if item["kind"] == "ServiceAccount":
                item.setdefault("namespace", space)
        objects.append(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": "ClusterRoleBinding" if wide else "RoleBinding",
                "metadata": {"name": f"{space}-{number}", **({} if wide else {"namespace": space})},
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
    ]


_WIDE = ("nodes", "namespaces", "clusterroles", "clusterrolebindings", "users", "groups", "mutatingwebhookconfigurations", "*")


def request(chance: random.Random, space: str) -> AccessRequest:
    """A request of the closed table, in the namespace of the world, in another or in none."""
    permission: Permission = chance.choice(CLOSED)
    place = "" if permission.resource in _WIDE else chance.choice([space, space, "kube-system"])
    return AccessRequest(permission, place, chance.choice(_NAMES))


def access_of(objects: list[dict[str, Any]]) -> ClusterAccess:
    """RBAC of the objects, read as manifests."""
    import json

    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    inventory = load((), memory={"all.json": json.dumps(listed).encode()}).inventory
    namespaces = [item.name for item in inventory.namespaces]
    return ClusterAccess("", RoleTable(inventory.access_roles), inventory.access_bindings, (), namespaces)
