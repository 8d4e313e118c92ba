"""Chains as they are searched: accounts that take themselves, names that leave no choice, and who nothing names."""

import pytest

from irsa_doctor.answers.reach.subject import reach_of_subject
from irsa_doctor.facts import View
from tests.facts.reach.worlds import (
    TOKENS,
    account,
    binding,
    cluster_role,
    group,
    iam_role,
    inventory,
    named,
    role,
    trust,
    user,
    wide_binding,
)

OWN_TOKEN = {**TOKENS, "resourceNames": ["web"]}
MAKING = {"apiGroups": [""], "resources": ["serviceaccounts", "serviceaccounts/token"], "verbs": ["create", "patch"]}


def reached(words, *objects, **options):
    """What somebody reaches: name of the role -> (steps, certainty, kinds of the paths)."""
    answer = reach_of_subject(View(inventory(*objects, **options)), words, lambda _: 1)
    return {
        item.role.rpartition("/")[2]: (item.steps, item.certainty, {path.kind for path in item.paths}) for item in answer.roles
    }


def test_an_account_that_is_taken_without_a_token_for_sts_may_request_one_for_itself():
    impersonate = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"], "resourceNames": ["web"]}
    objects = [
        role("own", OWN_TOKEN),
        binding("own", "Role/own", account("web")),
        role("dev", impersonate),
        binding("dev", "Role/dev", group("dev")),
    ]
    assert reached("group:dev", *objects) == {"web": (2, "certain", {"token-request"})}
    answer = reach_of_subject(View(inventory(*objects)), "group:dev", lambda _: 1)
    (path,) = answer.roles[0].paths
    assert [(step.kind, step.subject.name) for step in path.via] == [("impersonate", "web")]
    assert path.service_accounts == ("apollo/shop/web",)


def test_a_pod_with_a_token_of_the_api_server_is_enough_for_an_account_that_may_request_its_own():
    execute = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}
    volumes = [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]
    spec = {"serviceAccountName": "web", "containers": [{"name": "app", "image": "app"}], "volumes": volumes}
    objects = [
        role("own", OWN_TOKEN),
        binding("own", "Role/own", account("web")),
        role("dev", execute),
        binding("dev", "Role/dev", group("dev")),
        named("Pod", "web-1", "shop", api="v1", spec=spec, status={"phase": "Running"}),
    ]
    assert reached("group:dev", *objects) == {"web": (2, "certain", {"token-request"})}
    assert reached("group:dev", *objects[2:]) == {}


def test_a_group_that_nothing_names_has_what_it_has_without_a_binding():
    # https://kubernetes.io/docs/concepts/security/rbac-good-practices/: system:masters passes whatever the bindings are
    objects = [role("own", TOKENS), binding("own", "Role/own", user("ann"))]
    answer = reach_of_subject(View(inventory(*objects)), "group:system:masters", lambda _: 1)
    assert answer.cluster_admin is not None
    assert answer.cluster_admin.steps == 0
    assert [item.steps for item in answer.roles] == [1]


def test_a_user_name_of_an_account_that_is_not_there_has_what_all_its_groups_have():
    objects = [
        role("own", TOKENS),
        binding("own", "Role/own", group("system:serviceaccounts:ops")),
        cluster_role("pods", {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}),
        wide_binding("pods", "pods", user("system:serviceaccount:ops:gone")),
    ]
    found = reached("user:system:serviceaccount:ops:gone", *objects)
    assert found == {"web": (1, "certain", {"create-workload", "token-request"})}


@pytest.mark.parametrize(
    ("subjects", "names", "found"),
    [
        (("system:serviceaccount:*:api",), ["api"], True),
        (("system:serviceaccount:*:api",), ["web"], False),
        (("system:serviceaccount:*:api", "system:serviceaccount:*:jobs"), ["jobs"], True),
        (("system:serviceaccount:shop:x*",), ["y"], False),
    ],
)
def test_a_pattern_that_leaves_one_name_is_met_by_a_rule_that_singles_it_out(subjects, names, found):
    making = {**MAKING, "resourceNames": names}
    objects = [role("make", making), binding("make", "Role/make", user("ann"))]
    roles = (iam_role(trust(*subjects, operator="StringLike")),)
    assert reached("user:ann", *objects, roles=roles) == ({"web": (1, "certain", {"create-account"})} if found else {})


@pytest.mark.parametrize("names", [("literal", "pattern"), ("pattern", "literal")])
def test_the_certainty_of_one_role_is_not_that_of_another(names):
    # what a trust names may exist where not every account is in the input; a fresh name for a pattern is always found
    policies = {
        "literal": trust("system:serviceaccount:shop:gone"),
        "pattern": trust("system:serviceaccount:shop:x*", operator="StringLike"),
    }
    roles = tuple(iam_role(policies[name], name) for name in names)
    objects = [role("make", MAKING), binding("make", "Role/make", user("ann"))]
    found = reached("user:ann", *objects, roles=roles, complete=())
    assert found == {"pattern": (1, "certain", {"create-account"}), "literal": (1, "possible", {"create-account"})}
