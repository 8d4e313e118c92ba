"""The fewest subjects are taken from bindings, and what is left has no way."""

import pytest

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.facts.reach.closing import NotClosed, closing, without_subjects
from irsa_doctor.facts.reach.listing import Reachability
from tests.facts.reach.worlds import (
    ACCOUNT,
    PODS,
    ROLE,
    TOKENS,
    account,
    binding,
    cluster_role,
    group,
    inventory,
    role,
    user,
    view,
    wide_binding,
)

DEV = ("Group", "dev", "")
CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/apollo"


def closed(*objects, who=DEV, **options):
    """(names of the bindings, what is taken away), once it is shown that nothing is left and nothing is needless."""
    reachability = Reachability(view(*objects, **options))
    identity = ClusterIdentity(CLUSTER, who[0], who[1], who[2])
    answer = closing(reachability, identity, [ROLE])
    assert not reaches(without_subjects(reachability, answer.removals), identity)
    for removal in answer.removals:
        fewer = [other for other in answer.removals if other is not removal]
        assert reaches(without_subjects(reachability, fewer), identity)
    return sorted(removal.binding.name for removal in answer.removals), answer.rights


def reaches(reachability, identity):
    if identity.cluster not in reachability.graph.clusters:
        return False
    standing = reachability.graph.standing(identity)
    return any(arrival.steps(identity, standing) for _, arrival in reachability.graph.arrivals(ROLE))


def test_one_binding_with_one_way_loses_the_subject_and_no_other():
    objects = [role("tokens", TOKENS), binding("ci", "Role/tokens", group("dev"), group("ops"))]
    names, rights = closed(*objects)
    assert names == ["ci"]
    assert rights == ("Group dev loses create of serviceaccounts/token in namespace shop",)
    reachability = Reachability(view(*objects))
    answer = closing(reachability, ClusterIdentity(CLUSTER, *DEV), [ROLE])
    assert reaches(without_subjects(reachability, answer.removals), ClusterIdentity(CLUSTER, "Group", "ops", ""))


def test_every_way_of_several_bindings_is_closed():
    names, _ = closed(
        role("tokens", TOKENS),
        role("pods", PODS),
        binding("ci", "Role/tokens", group("dev")),
        binding("pods", "Role/pods", group("dev")),
        binding("look", "Role/read", group("dev")),
        role("read", {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}),
    )
    assert names == ["ci", "pods"]


def test_what_another_binding_still_gives_is_not_said_to_be_taken_away():
    _, rights = closed(
        role("pods", PODS),
        role("read", {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}),
        binding("pods", "Role/pods", group("dev")),
        binding("look", "Role/read", group("dev")),
    )
    assert rights == ("Group dev loses create of pods in namespace shop",)


def test_a_chain_is_cut_where_it_begins():
    names, _ = closed(
        role("tokens", TOKENS),
        binding("ci", "Role/tokens", account("ci")),
        role(
            "secret", {"apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": ["ci"], "verbs": ["impersonate"]}
        ),
        binding("start", "Role/secret", group("dev")),
    )
    assert names == ["start"]


def test_a_service_account_loses_what_its_group_has_only_where_it_has_nothing_itself():
    names, rights = closed(
        role("tokens", TOKENS),
        binding("own", "Role/tokens", account("ci")),
        binding("all", "Role/tokens", group("system:serviceaccounts:shop")),
        who=("ServiceAccount", "ci", "shop"),
    )
    assert names == ["all", "own"]
    assert any("Group system:serviceaccounts:shop" in words for words in rights)


def test_a_user_name_of_a_service_account_is_the_account():
    names, _ = closed(
        role("tokens", TOKENS),
        binding("own", "Role/tokens", user("system:serviceaccount:shop:ci")),
        who=("ServiceAccount", "ci", "shop"),
    )
    assert names == ["own"]


def test_a_way_that_rests_on_an_access_policy_is_not_closed_by_a_binding():
    principal = f"arn:aws:iam::{ACCOUNT}:role/Ci"
    policy = {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy", "accessScope": {"type": "cluster"}}
    files = {
        "entries.json": {"accessEntries": [principal]},
        "entry.json": {"accessEntry": {"clusterName": "apollo", "principalArn": principal, "type": "STANDARD"}},
        "policies.json": {"clusterName": "apollo", "principalArn": principal, "associatedAccessPolicies": [policy]},
    }
    with pytest.raises(NotClosed, match="rests on no binding"):
        closed(role("none"), who=("Principal", principal, ""), **files)


def test_a_wide_binding_is_named_with_the_whole_cluster():
    _, rights = closed(cluster_role("tokens", TOKENS), wide_binding("ci", "tokens", group("dev")))
    assert rights == ("Group dev loses create of serviceaccounts/token in the whole cluster",)


def test_the_inventory_itself_is_left_as_it_is():
    objects = [role("tokens", TOKENS), binding("ci", "Role/tokens", group("dev"))]
    before = inventory(*objects).access_bindings
    closed(*objects)
    assert inventory(*objects).access_bindings == before
