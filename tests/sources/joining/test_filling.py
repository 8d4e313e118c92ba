import json

import pytest

from irsa_doctor.model import Hole, text_of
from irsa_doctor.sources import load
from irsa_doctor.sources.joining.filling import HoleValues
from tests.sources.worlds import ACCOUNT, ISSUER, OTHER, cluster, policy, role, role_arn

KNOWN = HoleValues(ACCOUNT, "aws-cn", lambda name: {"prod": ISSUER}.get(name, ""))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("${AWS::AccountId}", ACCOUNT),
        ("${account of Provider}", ACCOUNT),
        ("${data.aws_caller_identity.current.account_id}", ACCOUNT),
        ("${module.a.module.b[0].data.aws_caller_identity.this[0].account_id}", ACCOUNT),
        ("${AWS::Partition}", "aws-cn"),
        ("${partition of x}", "aws-cn"),
        ("${data.aws_partition.current.partition}", "aws-cn"),
        ("${issuer of prod}", ISSUER),
        ("${issuer of other}", ""),
        ("${AWS::Region}", ""),
        ("${var.account_id}", ""),
        ("${AccountId}", ""),
        ("<account-id>", ""),
    ],
)
def test_a_hole_is_filled_where_it_is_sure_what_it_stands_for(name, value):
    assert KNOWN.of(Hole(name)) == value


CHANGE = """\
data "aws_eks_cluster" "this" {
  name = "prod"
}
data "aws_iam_openid_connect_provider" "this" {
  url = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
}
resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = data.aws_iam_openid_connect_provider.this.arn }
      Condition = { StringEquals = { "${data.aws_iam_openid_connect_provider.this.url}:sub" = "x" } }
    }]
  })
}
resource "kubernetes_service_account" "app" {
  metadata {
    name        = "app"
    annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.app.arn }
  }
}
"""


def laid_over(tmp_path, base, change=CHANGE):
    for name, content in {**base, "main.tf": change}.items():
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return load([str(tmp_path / "main.tf")], base=[str(tmp_path / name) for name in base])


def test_a_change_is_filled_with_what_the_base_knows(tmp_path):
    given = laid_over(tmp_path, {"cluster.json": cluster(), "role.json": {"Role": role("other")}})
    made = next(one for one in given.inventory.roles if one.address)
    assert made.arn == role_arn("app")
    (statement,) = made.policy.document["Statement"]
    assert statement["Principal"]["Federated"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    assert statement["Condition"] == {"StringEquals": {f"{ISSUER}:sub": "x"}}
    (account,) = given.inventory.service_accounts
    assert account.annotations["eks.amazonaws.com/role-arn"] == role_arn("app")
    span = given.documents.locate(made.policy.place.at("Statement", 0, "Condition", "StringEquals", f"{ISSUER}:sub"), key=True)
    line = CHANGE.splitlines()[span.line - 1]
    assert line[span.column - 1 : span.end_column - 1] == '"${data.aws_iam_openid_connect_provider.this.url}:sub"'


def test_of_two_accounts_nobody_knows_which(tmp_path):
    base = {"cluster.json": cluster(), "role.json": {"Role": role("other", OTHER)}}
    made = next(one for one in laid_over(tmp_path, base).inventory.roles if one.address)
    assert made.arn == ""
    assert "${account of" in text_of(made.policy.document["Statement"][0]["Principal"]["Federated"])


def test_a_cluster_of_another_region_is_not_known_by_its_name(tmp_path):
    elsewhere = CHANGE.replace('  name = "prod"\n', '  name = "prod"\n  provider = aws.other\n')
    made = next(one for one in laid_over(tmp_path, {"cluster.json": cluster()}, elsewhere).inventory.roles if one.address)
    assert "${issuer of data.aws_eks_cluster.this}" in text_of(made.policy.document["Statement"][0]["Principal"]["Federated"])


def test_without_a_base_holes_stay(tmp_path):
    (tmp_path / "main.tf").write_text(CHANGE)
    (tmp_path / "cluster.json").write_text(json.dumps(cluster()))
    (made,) = load([str(tmp_path)]).inventory.roles
    assert "${issuer of prod}" in text_of(made.policy.document["Statement"][0]["Principal"]["Federated"])


def test_the_policy_of_the_base_is_not_touched(tmp_path):
    written = json.loads(json.dumps(policy()).replace(ACCOUNT, "${AWS::AccountId}"))
    there = role("other", AssumeRolePolicyDocument=written)
    given = laid_over(tmp_path, {"cluster.json": cluster(), "role.json": {"Role": there}})
    kept = next(one for one in given.inventory.roles if not one.address)
    assert "${AWS::AccountId}" in kept.policy.document["Statement"][0]["Principal"]["Federated"]
