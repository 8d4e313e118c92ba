"""The trust policy that is offered for an association lets it in, keeps whoever was in, and lets nobody else in."""

import copy
import json

import pytest

from irsa_doctor.facts import View
from irsa_doctor.facts.lookups.associations import role_answer, target_answer
from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.remedies import association_policy_for
from irsa_doctor.trust import read_policy
from tests.answers.why import world as w
from tests.answers.why.test_pod_identity import EXTERNAL, PODS, ROLE, TARGET_ROLE, pod_identity_world, trust

BOTH = ["sts:AssumeRole", "sts:TagSession"]
NAMESPACE, ACCOUNT = "aws:RequestTag/kubernetes-namespace", "aws:RequestTag/kubernetes-service-account"
CLUSTER = "aws:RequestTag/eks-cluster-arn"
OWN = {CLUSTER: w.CLUSTER, NAMESPACE: "payments", ACCOUNT: "checkout"}
IRSA = w.role(w.healthy())["AssumeRolePolicyDocument"]


def offered(role_trust=None, target_trust=None, others=(), **more):
    """The policy that is offered for the association of payments/checkout, and the view that it was worked out in."""
    documents = pod_identity_world(role_trust, target_trust, pod=False, **more)
    for number, (namespace, account) in enumerate(others):
        other = copy.deepcopy(documents["association.json"])
        other["association"].update({"namespace": namespace, "serviceAccount": account, "associationId": f"a-{number + 2}"})
        documents[f"other{number}.json"] = other
    view = View(w.loaded(documents).inventory)
    own = next(a for a in view.inventory.associations if (a.namespace, a.service_account) == ("payments", "checkout"))
    target = target_trust is not None
    fix = association_policy_for(view, view.role_by_arn[TARGET_ROLE if target else ROLE], own, target=target)
    if fix is not None:
        answer = target_answer if target else role_answer
        policy = read_policy(TrustPolicy(fix.policy, Place("p")))
        assert not policy.refused
        assert answer(policy, own, view).state == "served"
        assert json.dumps(fix.policy, indent=2) in fix.commands[0]
    return fix


def statements(fix):
    return fix.policy["Statement"]


def test_a_role_that_trusts_web_identity_alone_gets_a_statement_for_this_association_alone():
    fix = offered(IRSA)
    first, second = statements(fix)
    assert first == IRSA["Statement"][0]
    assert second == {"Effect": "Allow", "Principal": PODS, "Action": BOTH, "Condition": {"StringEquals": OWN}}


def test_session_tags_are_added_to_the_statement_of_the_service():
    before = trust(PODS, "sts:AssumeRole", StringEquals={"aws:SourceAccount": w.ACCOUNT})
    fix = offered(before)
    assert statements(fix) == [{**before["Statement"][0], "Action": BOTH}]


@pytest.mark.parametrize("principal", [{"Service": ["pods.eks.amazonaws.com", "ec2.amazonaws.com"]}, {**PODS, "AWS": ROLE}])
def test_a_statement_that_others_share_is_left_alone(principal):
    before = trust(principal, "sts:AssumeRole")
    fix = offered(before)
    assert statements(fix)[0] == before["Statement"][0]
    assert statements(fix)[1]["Condition"] == {"StringEquals": OWN}


def test_a_condition_gets_the_value_of_the_association():
    before = trust(PODS, StringEquals={NAMESPACE: "payment", ACCOUNT: "checkout"})
    expected = {NAMESPACE: "payments", ACCOUNT: "checkout", CLUSTER: w.CLUSTER}
    assert [s["Condition"] for s in statements(offered(before))] == [{"StringEquals": expected}]


def test_a_condition_on_the_cluster_is_put_right_in_its_place():
    before = trust(PODS, StringEquals={**OWN, CLUSTER: w.CLUSTER.replace("prod", "dev")})
    assert [s["Condition"] for s in statements(offered(before))] == [{"StringEquals": OWN}]


def test_who_was_admitted_by_the_value_keeps_the_role():
    before = trust(PODS, StringEquals={NAMESPACE: "billing"})
    fix = offered(before, others=[("billing", "reports")])
    assert statements(fix)[0] == before["Statement"][0]
    assert statements(fix)[1]["Condition"] == {"StringEquals": OWN}
    assert fix.keeps >= 1


def test_a_condition_that_would_open_the_role_to_other_clusters_is_not_mended_by_its_value_alone():
    before = trust(PODS, StringEquals={"aws:SourceAccount": w.OTHER})
    fix = offered(before)
    assert statements(fix)[-1]["Condition"] == {"StringEquals": OWN}


def test_a_deny_is_not_edited():
    deny = {"Effect": "Deny", "Principal": PODS, "Action": "sts:AssumeRole"}
    before = {"Version": "2012-10-17", "Statement": [*trust(PODS)["Statement"], deny]}
    assert offered(before) is None


def test_without_session_tags_nothing_names_the_service_account_so_nothing_is_offered():
    assert offered(IRSA, disableSessionTags=True) is None


def test_a_target_role_gets_the_external_id_of_the_association():
    before = trust({"AWS": ROLE}, StringEquals={"sts:ExternalId": EXTERNAL + "2"})
    fix = offered(target_trust=before, targetRoleArn=TARGET_ROLE, externalId=EXTERNAL)
    assert statements(fix)[0]["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL}}


@pytest.mark.parametrize("before", [trust({"AWS": w.OTHER}), trust(PODS), IRSA], ids=["account", "service", "web identity"])
def test_a_target_role_that_does_not_trust_the_role_gets_a_statement_for_it(before):
    fix = offered(target_trust=before, targetRoleArn=TARGET_ROLE, externalId=EXTERNAL)
    own = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": BOTH}
    assert statements(fix)[-1] == {**own, "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL}}}
    assert statements(fix)[:-1] == before["Statement"]


@pytest.mark.parametrize(
    ("role_trust", "rule"),
    [
        (IRSA, "trust-irsa-only-for-pod-identity"),
        (trust(PODS, "sts:AssumeRole"), "podid-tagsession"),
        (trust(PODS, StringEquals={NAMESPACE: "dev"}), "podid-trust-condition"),
    ],
)
def test_why_offers_it_for_a_cause_that_is_certain(role_trust, rule):
    found = w.why(pod_identity_world(role_trust), w.POD)
    assert w.causes(found)[0] == (rule, "certain")
    mended = pod_identity_world(found.causes[0].fix.policy)
    assert w.why(mended, w.POD).verdict == "works"
