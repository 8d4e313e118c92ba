"""Who may change the link between a service account and its role."""

import pytest

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.facts.reach.changers import changed_parts, link_changers, words_of_changers
from irsa_doctor.facts.reach.listing import Reachability
from tests.facts.reach.worlds import ACCOUNT, account, binding, cluster_role, group, role, view, wide_binding

CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/apollo"


def parts(*objects, mode="API"):
    reachability = Reachability(view(*objects, mode=mode))
    return {(item.part, item.identity.name) for item in link_changers(reachability, CLUSTER, "shop", "web")}


def rule(verb, resource, api="", *names):
    return {"apiGroups": [api], "resources": [resource], "verbs": [verb]} | ({"resourceNames": list(names)} if names else {})


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (rule("patch", "serviceaccounts"), "annotation"),
        (rule("update", "serviceaccounts", "", "web"), "annotation"),
        (rule("create", "podidentityassociations", "eks.services.k8s.aws"), "association"),
        (rule("patch", "podidentityassociations", "eks.aws.upbound.io"), "association"),
        (rule("update", "roles", "iam.services.k8s.aws"), "trust-policy"),
        (rule("create", "roles", "iam.aws.upbound.io"), "trust-policy"),
        (rule("create", "roles", "iam.aws.crossplane.io"), "trust-policy"),
    ],
)
def test_each_right_to_write_a_part_of_the_link_is_named(given, part):
    assert parts(role("r", given), binding("b", "Role/r", group("dev"))) == {(part, "dev")}


@pytest.mark.parametrize(
    "given",
    [
        rule("get", "serviceaccounts"),
        rule("create", "serviceaccounts"),
        rule("patch", "serviceaccounts", "", "other"),
        rule("create", "roles", "rbac.authorization.k8s.io"),
        rule("patch", "configmaps", "", "other"),
    ],
)
def test_what_does_not_write_it_is_not(given):
    assert parts(role("r", given), binding("b", "Role/r", group("dev")), mode="CONFIG_MAP") == set()


def test_another_namespace_is_not_this_one():
    other = [
        role("r", rule("patch", "serviceaccounts"), namespace="other"),
        binding("b", "Role/r", group("dev"), namespace="other"),
    ]
    assert parts(*other) == set()


@pytest.mark.parametrize(("mode", "expected"), [("CONFIG_MAP", {("aws-auth", "dev")}), ("API", set())])
def test_aws_auth_matters_where_it_counts(mode, expected):
    objects = [cluster_role("r", rule("patch", "configmaps", "", "aws-auth")), wide_binding("b", "r", group("dev"))]
    assert parts(*objects, mode=mode) == expected


def test_administrators_are_left_out():
    admin = [
        cluster_role("all", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
        wide_binding("b", "all", group("ops")),
    ]
    assert parts(*admin) == set()


def test_the_words_name_the_binding():
    objects = [role("r", rule("patch", "serviceaccounts")), binding("b", "Role/r", group("dev"), account("ci"))]
    words = words_of_changers(Reachability(view(*objects)), CLUSTER, "shop", "web")
    assert words == (
        "group:dev (annotate the service account, by RoleBinding shop/b), "
        "serviceaccount:shop/ci (annotate the service account, by RoleBinding shop/b)"
    )


def test_what_a_group_gives_counts_for_its_members():
    objects = [role("r", rule("patch", "serviceaccounts")), binding("b", "Role/r", group("system:serviceaccounts:shop"))]
    identity = ClusterIdentity(CLUSTER, "ServiceAccount", "ci", "shop")
    assert changed_parts(Reachability(view(*objects)), identity, "shop", "web") == ["annotation"]
