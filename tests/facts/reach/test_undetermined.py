"""Rules about who reaches roles are unknown where an input is missing, in one line for each input."""

import pytest

from irsa_doctor import api
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.reached import judged_identities, reach_facts
from irsa_doctor.facts.reach.records import IdentityFacts, ReachedRoleFacts
from irsa_doctor.model import Unknown
from tests.facts.reach.worlds import (
    ACCOUNT,
    COMPLETE,
    TOKENS,
    binding,
    cluster_role,
    documents,
    group,
    iam_role,
    role,
    trust,
    view,
    wide_binding,
    written,
)

GOOD = (role("tokens", TOKENS), binding("ci", "Role/tokens", group("dev")))
ROLES = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")


def unknown(*objects, kind=IdentityFacts, **options):
    """What is missing for the rules about identities, or those about roles."""
    facts = [judged.facts for judged in reach_facts(view(*objects, **options)) if isinstance(judged.facts, kind)]
    values = [item.concern if isinstance(item, IdentityFacts) else item.creatable for item in facts]
    return [value.missing for value in values if isinstance(value, Unknown)]


@pytest.mark.parametrize("kind", [IdentityFacts, ReachedRoleFacts])
def test_without_rbac_one_line_says_so_however_many_accounts_there_are(kind):
    assert unknown(kind=kind) == ["RBAC of cluster apollo: Roles, ClusterRoles, RoleBindings and ClusterRoleBindings"]


@pytest.mark.parametrize("kind", [IdentityFacts, ReachedRoleFacts])
def test_complete_rbac_leaves_nothing_unknown(kind):
    assert unknown(*GOOD, kind=kind) == []


def test_kinds_that_are_not_complete_are_one_line():
    says = "of cluster apollo"
    assert unknown(*GOOD, complete=()) == [f"all {', '.join(ROLES)} {says}"]
    assert unknown(*GOOD, complete=("roles", "clusterroles")) == [f"all rolebindings, clusterrolebindings {says}"]


def test_a_role_that_is_bound_and_not_there_is_unknown_where_it_may_exist():
    lost = wide_binding("lost", "none", group("ops"))
    open_kinds = [kind for kind in COMPLETE if kind != "clusterroles"]
    assert "rules of ClusterRole/none in cluster apollo, which are bound" in unknown(*GOOD, lost, complete=tuple(open_kinds))
    assert unknown(*GOOD, lost) == []


def test_a_principal_whose_policies_are_not_there_is_unknown():
    arn = f"arn:aws:iam::{ACCOUNT}:role/Ci"
    entry = {"accessEntry": {"clusterName": "apollo", "principalArn": arn, "type": "STANDARD"}}
    assert unknown(*GOOD, **{"entry.json": entry}) == [f"access policies of {arn} in cluster apollo"]


def test_a_policy_that_is_documented_in_prose_is_unknown():
    arn = f"arn:aws:iam::{ACCOUNT}:role/Ci"
    policy = {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSHybridPolicy", "accessScope": {"type": "cluster"}}
    files = {
        "entry.json": {"accessEntry": {"clusterName": "apollo", "principalArn": arn, "type": "STANDARD"}},
        "policies.json": {"clusterName": "apollo", "principalArn": arn, "associatedAccessPolicies": [policy]},
    }
    assert unknown(*GOOD, **files) == ["what the access policies AmazonEKSHybridPolicy allow"]


def test_the_report_has_each_once_and_what_supplies_it(tmp_path):
    for name, value in documents(cluster_role("none"), mode="").items():
        (tmp_path / name).write_bytes(written(value))
    report = api.check([str(tmp_path)])
    rows = [row for row in report.unknown if "rbac-group-reaches-role" in row.rules]
    says = "of cluster apollo"
    assert [row.missing for row in rows] == [f"all {', '.join(ROLES)} {says}"]
    assert rows[0].how.startswith("kubectl get roles,clusterroles,rolebindings,clusterrolebindings -A -o yaml")


def of_role(*objects, **options) -> ReachedRoleFacts:
    """The facts of the one role that is judged itself."""
    facts = next(item.facts for item in reach_facts(view(*objects, **options)) if item.kind == "role")
    assert isinstance(facts, ReachedRoleFacts)
    return facts


@pytest.mark.parametrize("lost", ROLES)
def test_a_role_passes_no_rule_while_who_is_bound_in_its_cluster_is_not_known(lost):
    facts = of_role(*GOOD, complete=tuple(kind for kind in COMPLETE if kind != lost))
    missing = f"all {lost} of cluster apollo"
    assert [value.missing for value in (facts.anyone, facts.creatable)] == [missing, missing]


def test_what_is_found_of_a_role_is_certain_though_bindings_are_missing():
    everybody = wide_binding("all", "tokens", group("system:authenticated"))
    facts = of_role(cluster_role("tokens", TOKENS), everybody, complete=())
    assert facts.anyone is True


def test_an_account_that_is_named_and_not_seen_may_be_created():
    making = {"apiGroups": [""], "resources": ["serviceaccounts", "serviceaccounts/token"], "verbs": ["create"]}
    policy = trust("system:serviceaccount:shop:web", "system:serviceaccount:shop:later")
    objects = (cluster_role("making", making), binding("ci", "ClusterRole/making", group("dev")))
    partly = tuple(kind for kind in COMPLETE if kind != "serviceaccounts")
    options = {"roles": [iam_role(policy)]}
    assert of_role(*objects, complete=COMPLETE, **options).creatable is True
    assert isinstance(of_role(*objects, complete=partly, **options).creatable, Unknown)


def test_a_finding_about_a_role_has_a_fix_though_bindings_are_missing():
    making = {"apiGroups": [""], "resources": ["serviceaccounts", "serviceaccounts/token", "namespaces"], "verbs": ["create"]}
    policy = trust("system:serviceaccount:*:web", operator="StringLike")
    objects = (cluster_role("making", making), wide_binding("ci", "making", group("dev")))
    judged = reach_facts(view(*objects, complete=(), roles=[iam_role(policy)]))
    own = next(item for item in judged if item.kind == "role")
    assert isinstance(own.facts, ReachedRoleFacts)
    assert (own.facts.creatable, isinstance(own.facts.anyone, Unknown)) == (True, True)
    reachability = Reachability(view(*objects, complete=(), roles=[iam_role(policy)]))
    identities, _ = judged_identities(reachability, own)
    assert [identity.name for identity in identities] == ["dev"]
