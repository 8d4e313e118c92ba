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
    return {identity.name, "system:authenticated"} if identity.kind == "Group" else {"system:authenticated"}


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
            if same and any(is_allowed(r, asked) for r in role["rules"]):
                return True
    return False


def is_subject(subject, user, groups, identity, space):
    if subject["kind"] == "Group":
        return subject["name"] in groups
    if subject["kind"] == "User":
        return identity.kind != "Group" and subject["name"] == user
    return user == f"system:serviceaccount:{subject.get('namespace', space)}:{subject['name']}"


def is_allowed(rule, asked):
    permission = asked.permission
    whole = permission.resource + ("/" + permission.subresource if permission.subresource else "")
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
