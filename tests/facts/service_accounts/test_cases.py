"""Roles that a template makes in one of several cases, and the service accounts that name them."""

import pytest

from irsa_doctor.answers.check.engine import Evaluation, evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.remedies import Offers
from irsa_doctor.rulebook.rules import shipped_rules
from tests.sources.templates.holes import ARN, ISSUER
from tests.sources.worlds import inventory

POLICY = """resource "aws_iam_role" "app" {{
  name = "app"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "{arn}" }}
      Condition = {condition}
    }}]
  }})
}}
"""
ACCOUNT = """resource "kubernetes_service_account" "app" {{
  metadata {{
    name        = "api"
    namespace   = "shop"
    annotations = {{ "eks.amazonaws.com/role-arn" = {role} }}
  }}
}}
"""
BY_REFERENCE, BY_ARN = "aws_iam_role.app.arn", '"arn:aws:iam::111122223333:role/app"'


def world(subjects: str, role: str, more: str = "") -> dict[str, str]:
    condition = f'{{ StringEquals = {{ "{ISSUER}:sub" = {subjects}, "{ISSUER}:aud" = "sts.amazonaws.com" }} }}'
    return {"main.tf": POLICY.format(arn=ARN, condition=condition) + ACCOUNT.format(role=role) + more}


def judged(documents: dict[str, str]) -> Evaluation:
    view = View(inventory(documents))
    return evaluate(
        shipped_rules(),
        derive(view),
        lambda place, name: (1, 1, 1, 1, place.pointer, 0),
        Offers(view),
    )


def rules_of(documents: dict[str, str]) -> set[str]:
    return {finding.rule for finding in judged(documents).findings}


def subject(namespace: str, name: str = "api") -> str:
    return f'"system:serviceaccount:{namespace}:{name}"'


@pytest.mark.parametrize("role", [BY_REFERENCE, BY_ARN])
def test_an_account_that_every_case_keeps_out_is_found(role):
    assert rules_of(world(f"var.x ? {subject('a')} : {subject('b')}", role)) == {"sa-namespace-mismatch"}


@pytest.mark.parametrize("role", [BY_REFERENCE, BY_ARN])
def test_an_account_that_one_case_keeps_out_is_unknown_and_the_case_is_named(role):
    evaluation = judged(world(f"var.x ? {subject('shop')} : {subject('b')}", role))
    assert not {finding.rule for finding in evaluation.findings} & {"sa-namespace-mismatch", "trust-sub-mismatch"}
    (missing,) = [item.missing for item in evaluation.unknown if "which case" in item.missing]
    assert missing.endswith("does not admit shop/api where not var.x")


@pytest.mark.parametrize("role", [BY_REFERENCE, BY_ARN])
def test_an_account_that_every_case_admits_has_nothing_to_say(role):
    documents = world(f"var.x ? {subject('shop')} : [{subject('shop')}, {subject('b')}]", role)
    assert rules_of(documents) == set()
    assert not [item for item in judged(documents).unknown if "which case" in item.missing]


def test_a_policy_is_offered_where_it_is_proved_in_each_case():
    aud = f'var.checked ? {{ "{ISSUER}:aud" = "sts.amazonaws.com" }} : {{}}'
    condition = f'{{ StringEquals = merge({{ "{ISSUER}:sub" = {subject("shop")} }}, {aud}) }}'
    evaluation = judged({"main.tf": POLICY.format(arn=ARN, condition=condition)})
    (finding,) = evaluation.findings
    assert finding.rule == "open-aud-missing"
    fix = finding.offer.fix
    assert fix is not None
    assert "sts.amazonaws.com" in str(fix.policy)


def test_no_policy_is_offered_that_keeps_out_whom_another_case_admits():
    checked = f'{{ "{ISSUER}:sub" = {subject("store")}, "{ISSUER}:aud" = "sts.amazonaws.com" }}'
    condition = f'{{ StringEquals = var.checked ? {checked} : {{ "{ISSUER}:sub" = {subject("shop")} }} }}'
    evaluation = judged({"main.tf": POLICY.format(arn=ARN, condition=condition)})
    (finding,) = evaluation.findings
    assert finding.rule == "open-aud-missing"
    assert finding.offer.fix is None


POD_ROLE = """resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
    }]
  })
}
resource "aws_eks_pod_identity_association" "app" {
  cluster_name    = CLUSTER
  namespace       = "shop"
  service_account = "api"
  role_arn        = aws_iam_role.app.arn
}
"""


@pytest.mark.parametrize("cluster", ['"shop"', "var.cluster", "aws_eks_cluster.shop.name"])
def test_an_account_with_an_association_beside_it_does_not_need_the_annotation(cluster):
    text = POD_ROLE.replace("CLUSTER", cluster) + ACCOUNT.format(role=BY_REFERENCE)
    assert "trust-pod-identity-only" not in rules_of({"main.tf": text})
    assert "trust-pod-identity-only" not in rules_of(
        {"main.tf": text, "b.tf": 'resource "aws_eks_cluster" "b" {\n  name = "b"\n}\n', "c.json": '{"clusters": ["x", "y"]}'}
    )


def test_an_association_of_another_folder_is_another_matter():
    account = POD_ROLE.partition('resource "aws_eks_pod')[0] + ACCOUNT.format(role=BY_REFERENCE)
    elsewhere = POD_ROLE.replace("CLUSTER", '"shop"')
    assert "trust-pod-identity-only" in rules_of({"a/main.tf": account, "b/main.tf": elsewhere})


@pytest.mark.parametrize(
    ("namespace", "account", "is_sure"),
    [
        ("var.ns", "var.sa", False),
        ('"shop"', '"${var.app}-api"', True),
        ('"shop"', '"${var.app}api"', False),
        ("var.ns", '"b"', True),
    ],
)
def test_an_association_for_whom_a_template_says_may_be_that_of_the_account(namespace, account, is_sure):
    text = POD_ROLE.replace("CLUSTER", '"shop"').replace(
        '"shop"\n  service_account = "api"', f"{namespace}\n  service_account = {account}"
    )
    assert ("trust-pod-identity-only" in rules_of({"main.tf": text + ACCOUNT.format(role=BY_REFERENCE)})) == is_sure


HOLES = """resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.arn }
      Condition = { StringEquals = { "${var.issuer}:sub" = "system:serviceaccount:shop:NAME" } }
    }]
  })
}
"""


def test_a_role_whose_provider_and_issuer_are_two_holes_keeps_others_out_with_medium_confidence():
    wrong = judged({"main.tf": HOLES.replace("NAME", "other") + ACCOUNT.format(role=BY_REFERENCE)})
    (finding,) = [finding for finding in wrong.findings if finding.rule == "trust-sub-mismatch"]
    assert finding.confidence == "medium"
    assert "It admits system:serviceaccount:shop:other" in finding.message
    right = rules_of({"main.tf": HOLES.replace("NAME", "api") + ACCOUNT.format(role=BY_REFERENCE)})
    assert "trust-sub-mismatch" not in right
