"""Requests are decided as RBAC decides them: against an evaluator that was written apart, in random worlds."""

import itertools
import random

import pytest

from irsa_doctor.authorisation import AccessRequest, ClusterIdentity, Permission, decide_access
from irsa_doctor.model import Verdict
from tests.authorisation.worlds import access_of, identities, request, world


def groups_of(identity):
    if identity.kind == "ServiceAccount":
        return {"system:serviceaccounts", f"system:serviceaccounts:{identity.namespace}", "system:authenticated"}
    if identity.name in ("system:anonymous", "system:unauthenticated"):
        return {"system:unauthenticated"}
    accounts = {"system:serviceaccounts"} if identity.name.startswith("system:serviceaccounts:") else set()
    return {"system:authenticated", *accounts, *([identity.name] if identity.kind == "Group" else [])}


def naive(objects, identity, asked):
    """RBAC word by word, over the documents themselves: no index, no sets, nothing of the package."""
    user = f"system:serviceaccount:{identity.namespace}:{identity.name}" if identity.kind == "ServiceAccount" else identity.name
    for binding in objects:
        if not binding["kind"].endswith("Binding"):
            continue
        space = binding["metadata"].get("namespace")
        if space and space != asked.namespace:
            continue
        if not any(is_subject(s, user, groups_of(identity), identity, space) for s in binding["subjects"]):
            continue
        for role in objects:
            reference = binding["roleRef"]
            same = role["kind"] == reference["kind"] and role["metadata"]["name"] == reference["name"]
            if same and any(is_allowed(r, asked) for r in rules_of(role, objects, [])):
                return True
    return False


def rules_of(role, objects, above):
    """The rules of a role, of an aggregate those of what it selects, in turn."""
    if "aggregationRule" not in role:
        return role["rules"]
    selectors = role["aggregationRule"]["clusterRoleSelectors"]
    others = [item for item in objects if item["kind"] == "ClusterRole" and item not in (role, *above)]
    chosen = [item for item in others if any(selects(selector, item["metadata"].get("labels", {})) for selector in selectors)]
    return [rule for item in chosen for rule in rules_of(item, objects, [role, *above])]


def selects(selector, labels):
    if any(labels.get(key) != value for key, value in selector["matchLabels"].items()):
        return False
    return all(is_so(item, labels.get(item["key"])) for item in selector.get("matchExpressions", []))


def is_so(expression, value):
    return {
        "In": value in expression.get("values", []),
        "NotIn": value not in expression.get("values", []),
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]


def is_subject(subject, user, groups, identity, space):
    if subject["kind"] == "Group":
        return subject["name"] in groups
    if subject["kind"] == "User":
        return identity.kind != "Group" and subject["name"] == user
    return user == f"system:serviceaccount:{subject.get('namespace', space)}:{subject['name']}"


def is_allowed(rule, asked):
    permission = asked.permission
    whole = permission.resource + ("/" + permission.subresource if permission.subresource else "")
    if "nonResourceURLs" in rule:
        return False
    resources = ["*", whole] + (["*/" + permission.subresource] if permission.subresource else [])
    return (
        ("*" in rule["verbs"] or permission.verb in rule["verbs"])
        and ("*" in rule["apiGroups"] or permission.group in rule["apiGroups"])
        and any(word in rule["resources"] for word in resources)
        and (not rule.get("resourceNames") or (asked.name != "" and asked.name in rule["resourceNames"]))
    )


@pytest.mark.parametrize("seed", range(60))
def test_a_request_is_decided_as_rbac_written_apart_decides_it(seed):
    chance = random.Random(seed)  # noqa: S311
    space = f"w{seed}"
    objects = world(chance, space)
    are_decided_as_written_apart(objects, space, [request(chance, space) for _ in range(200)])


def are_decided_as_written_apart(objects, space, requests):
    """Requests of every identity of a world."""
    access = access_of(objects)
    for identity, asked in itertools.product(identities(space), requests):
        expected = Verdict.PASS if naive(objects, identity, asked) else Verdict.FAIL
        assert decide_access(access, identity, asked) is expected, (identity, asked)


def test_a_binding_to_a_role_that_is_not_in_the_input_is_unknown():
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "app"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "gone"},
        "subjects": [{"kind": "User", "name": "jane"}],
    }
    access = access_of([binding])
    asked = AccessRequest(Permission("get", "", "secrets"), "app", "x")
    assert decide_access(access, ClusterIdentity("", "User", "jane"), asked) is Verdict.UNKNOWN
    assert decide_access(access, ClusterIdentity("", "User", "john"), asked) is Verdict.FAIL
