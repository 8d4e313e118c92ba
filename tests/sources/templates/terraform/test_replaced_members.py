"""Members that are written twice in an object of Terraform: the last one counts, and what the first one required is lost."""

import pytest

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.facts import derive
from irsa_doctor.rulebook.rules import shipped_rules
from tests.facts.situations import found, view
from tests.sources.templates.made import conditions, roles_of

GITHUB = "token.actions.githubusercontent.com"
BRANCH = "repo:acme@1/shop@2:ref:refs/heads/main"
OTHERS = [
    (GITHUB, BRANCH),
    ("gitlab.com", "project_path:acme/shop:ref_type:branch:ref:main"),
    ("app.terraform.io", "organization:acme:project:core:workspace:network:run_phase:apply"),
]
CLUSTER = ("oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111", "system:serviceaccount:a:b")


def main(issuer, condition):
    provider = f"arn:aws:iam::111122223333:oidc-provider/{issuer}"
    statement = f"""[{{
      Effect = "Allow"
      Action = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "{provider}" }}
      Condition = {condition}
    }}]"""
    policy = f'jsonencode({{\n    Version = "2012-10-17"\n    Statement = {statement}\n  }})'
    return {"main.tf": f'resource "aws_iam_role" "app" {{\n  name = "app"\n  assume_role_policy = {policy}\n}}\n'}


def twice(issuer, first, second):
    """Two operators of one name."""
    operators = [f'StringEquals = {{ "{issuer}:{key}" = "{value}" }}' for key, value in (first, second)]
    return "{\n      " + "\n      ".join(operators) + "\n      }"


def rules_of(files):
    return {rule for rule, subject in found(files)}


@pytest.mark.parametrize(("issuer", "subject"), OTHERS)
def test_a_lost_condition_on_the_subject_is_one_critical_finding(issuer, subject):
    files = main(issuer, twice(issuer, ("sub", subject), ("aud", "sts.amazonaws.com")))
    assert rules_of(files) == {"policy-duplicate-member"}
    places = lambda place, *_: (0, 0, 0, 0, place.pointer, 0)  # noqa: E731
    (finding,) = evaluate(shipped_rules(), derive(view(files)), places).findings
    assert finding.severity == "critical"
    assert "Terraform takes the last one" in finding.message


def test_of_a_cluster_the_role_is_open_as_well():
    issuer, subject = CLUSTER
    files = main(issuer, twice(issuer, ("sub", subject), ("aud", "sts.amazonaws.com")))
    assert rules_of(files) == {"open-aud-only", "policy-duplicate-member"}


def test_a_lost_audience_leaves_the_subject():
    issuer, subject = OTHERS[0]
    files = main(issuer, twice(issuer, ("aud", "sts.amazonaws.com"), ("sub", subject)))
    assert rules_of(files) == {"open-aud-missing", "policy-duplicate-member"}
    (role,) = roles_of(files).values()
    assert conditions(role) == {"StringEquals": {f"{issuer}:sub": subject}}


def test_a_lost_subject_beside_a_wide_one_leaves_the_finding_of_the_wide_one():
    condition = f"""{{ StringLike = {{ "{GITHUB}:sub" = "{BRANCH}", "{GITHUB}:sub" = "repo:*" }}
      StringEquals = {{ "{GITHUB}:aud" = "sts.amazonaws.com" }} }}"""
    assert rules_of(main(GITHUB, condition)) == {"reach-guard-passed", "policy-duplicate-member"}


def test_a_whole_condition_that_is_lost_counts_too():
    first, second = (f'{{ StringEquals = {{ "{GITHUB}:{key}" = "x" }} }}' for key in ("sub", "aud"))
    assert rules_of(main(GITHUB, f"{first}\n      Condition = {second}")) == {"policy-duplicate-member"}


def test_a_member_that_is_written_twice_alike_is_not_lost():
    condition = f"""{{ StringLike = {{ "{GITHUB}:sub" = "{BRANCH}", "{GITHUB}:sub" = "{BRANCH}" }}
      StringEquals = {{ "{GITHUB}:aud" = "sts.amazonaws.com" }} }}"""
    assert rules_of(main(GITHUB, condition)) <= {"issuer-names-only"}


def test_members_of_different_objects_are_not_twice():
    condition = f"""{{ StringEquals = {{ "{GITHUB}:sub" = "{BRANCH}" }}
      StringLike = {{ "{GITHUB}:aud" = "sts.amazonaws.com" }} }}"""
    assert rules_of(main(GITHUB, condition)) == set()
