"""Roles of managed capabilities of EKS: no pod can assume them, and nothing is wrong with them."""

import pytest

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.rulebook.rules import shipped_rules
from tests.answers.why import world as w
from tests.answers.why.test_pod_identity import pod_identity_world, trust

CAPABILITY = {"Service": "capabilities.eks.amazonaws.com"}


def reported(documents):
    subjects = derive(View(w.loaded(documents).inventory))
    return {f.rule for f in evaluate(shipped_rules(), subjects, lambda *_: (0, 0, 0, 0, "", 0)).findings}


def role(document):
    return {
        "Role": {"RoleName": "argocd", "Arn": f"arn:aws:iam::{w.ACCOUNT}:role/argocd", "AssumeRolePolicyDocument": document}
    }


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        (trust(CAPABILITY), set()),
        (trust(CAPABILITY, "sts:AssumeRole", "sts:TagSession", StringEquals={"aws:SourceAccount": w.ACCOUNT}), set()),
        (trust({"Service": ["capabilities.eks.amazonaws.com", "ec2.amazonaws.com"]}), set()),
        (trust(CAPABILITY, "sts:*"), {"policy-refused"}),
        (trust(CAPABILITY, "sts:AssumeRole"), {"capability-role-incomplete"}),
        (trust(CAPABILITY, "sts:TagSession"), {"capability-role-incomplete"}),
    ],
)
def test_a_role_of_a_capability_needs_both_actions_and_no_service_account(document, rules):
    assert reported({**w.healthy(), "capability.json": role(document)}) == rules


def test_a_service_account_that_names_it_gets_another_role_and_the_capability_keeps_its_own():
    documents = w.healthy()
    w.role(documents)["AssumeRolePolicyDocument"] = trust(CAPABILITY)
    found = w.why(documents)
    assert w.causes(found) == [("trust-capability-only", "certain")]
    assert found.causes[0].fix is None
    assert any("managed capability" in note for note in found.notes)
    assert "trust-capability-only" in reported(documents)


def test_an_association_with_it_is_refused():
    found = w.why(pod_identity_world(trust(CAPABILITY)), w.POD)
    assert (found.verdict, w.causes(found)) == ("broken", [("trust-irsa-only-for-pod-identity", "certain")])


def described(arn, cluster="prod"):
    """The answer of `aws eks describe-capability`."""
    return {"capability": {"capabilityName": "argocd", "clusterName": cluster, "type": "ARGOCD", "roleArn": arn}}


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        (trust(CAPABILITY), set()),
        (trust(CAPABILITY, "sts:AssumeRole"), {"capability-role-incomplete"}),
        (trust({"Service": "pods.eks.amazonaws.com"}), {"capability-role-incomplete"}),
        (trust({"AWS": f"arn:aws:iam::{w.ACCOUNT}:role/admin"}), {"capability-role-incomplete"}),
    ],
)
def test_the_role_of_a_capability_in_the_input_has_to_trust_eks_for_it(document, rules):
    arn = f"arn:aws:iam::{w.ACCOUNT}:role/argocd"
    documents = {**w.healthy(), "role-of.json": role(document), "capability.json": described(arn)}
    assert reported(documents) == rules


def test_a_capability_says_nothing_of_other_roles():
    other = f"arn:aws:iam::{w.ACCOUNT}:role/other"
    documents = {**w.healthy(), "role-of.json": role(trust({"AWS": f"arn:aws:iam::{w.ACCOUNT}:role/a"}))}
    assert reported({**documents, "capability.json": described(other)}) == reported(documents)
