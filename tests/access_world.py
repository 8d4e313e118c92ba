"""Writes a cluster with many service accounts, roles and bindings, and IAM roles that trust some of them."""

import json
import random
from pathlib import Path
from typing import Any

from tests.facts.reach.worlds import RBAC, documents, iam_role, named, trust

Json = dict[str, Any]
_RULES = (
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]},
    {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create"]},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
)


def listed(items: list[Json]) -> Json:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def write_access(folder: Path, accounts: int, *, access: bool = True, seed: int = 15) -> None:
    """Writes so many service accounts, two fifths as many bindings, a fifth as many roles, 20 IAM roles; without `access`
    neither roles nor bindings."""
    chance = random.Random(seed)  # noqa: S311
    spaces = [f"team-{number}" for number in range(max(4, accounts // 50))]
    names = [(chance.choice(spaces), f"account-{number}") for number in range(accounts)]
    roles = [
        iam_role(trust(f"system:serviceaccount:{space}:{name}"), f"role-{n}") for n, (space, name) in enumerate(names[:20])
    ]
    files = documents(roles=tuple(roles)) | {
        "core.json": listed([named("ServiceAccount", name, space, api="v1") for space, name in names]),
        "namespaces.json": listed([named("Namespace", space, api="v1") for space in spaces]),
    }
    if access:
        files |= {"roles-of-kubernetes.json": listed(_roles(chance, spaces, accounts // 5))}
        files |= {"bindings.json": listed(_bindings(chance, spaces, names, accounts))}
    folder.mkdir(parents=True)
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value), encoding="utf-8")


def _roles(chance: random.Random, spaces: list[str], number: int) -> list[Json]:
    made = []
    for n in range(number):
        rules = [dict(rule) for rule in chance.sample(_RULES, 2)]
        if n % 5 == 0:
            rules[0]["resourceNames"] = [f"x-{n}"]
        kind, space = ("Role", chance.choice(spaces)) if n % 4 else ("ClusterRole", "")
        made.append(named(kind, f"role-{n}", space, rules=rules))
    return made


def _bindings(chance: random.Random, spaces: list[str], names: list[tuple[str, str]], accounts: int) -> list[Json]:
    made = []
    for n in range(2 * accounts // 5):
        space, name = chance.choice(names)
        subject = {"kind": "ServiceAccount", "name": name, "namespace": space}
        if n % 3 == 0:
            subject = {"kind": "Group", "apiGroup": RBAC, "name": f"team-{n % 97}"}
        reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": f"role-{4 * (n % (accounts // 20))}"}
        made.append(named("RoleBinding", f"binding-{n}", chance.choice(spaces), roleRef=reference, subjects=[subject]))
    return made
