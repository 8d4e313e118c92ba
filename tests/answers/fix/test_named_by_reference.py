"""A service account that names a role of its own template by a reference is one of those for whom the role is."""

import json

import pytest

from irsa_doctor import api

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
CLUSTER = {"cluster": {"name": "shop", "arn": ARN, "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}}
ROLE = f"""variable "name" {{}}

resource "aws_iam_role" "cart" {{
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/{ISSUER}" }}
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {{
        StringLike   = {{ "{ISSUER}:sub" = "system:serviceaccount:*" }}
        StringEquals = {{ "{ISSUER}:aud" = "sts.amazonaws.com" }}
      }}
    }}]
  }})
}}
"""
ACCOUNT = """resource "kubernetes_service_account" "cart" {
  metadata {
    name        = "cart"
    namespace   = "shop"
    annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.cart.arn }
  }
}
"""


def fixing(folder, files):
    for name, text in {**files, "cluster.json": json.dumps(CLUSTER)}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return api.fix([str(folder)], unsafe=True).fixing


@pytest.mark.parametrize("account", [ACCOUNT, ACCOUNT.replace("account", "account_v1", 1)])
def test_the_subjects_are_narrowed_to_who_names_the_role(tmp_path, account):
    answer = fixing(tmp_path, {"role.tf": ROLE, "account.tf": account})
    (text,) = answer.after.values()
    assert b'"system:serviceaccount:shop:cart"' in text
    assert b"system:serviceaccount:*" not in text
    # the accounts of the cluster were not listed whole
    assert {fix.safety for fix in answer.fixes} == {"unsafe"}


@pytest.mark.parametrize(
    "files",
    [
        {"role.tf": ROLE, "elsewhere/account.tf": ACCOUNT},
        {"role.tf": ROLE, "account.tf": ACCOUNT.replace('"cart"\n    namespace', "var.name\n    namespace")},
        {"role.tf": ROLE, "account.tf": ACCOUNT.replace("aws_iam_role.cart.arn", "aws_iam_role.other.arn")},
    ],
    ids=["another folder", "a name that is not known", "another role"],
)
def test_nobody_is_written_who_does_not_surely_name_it(tmp_path, files):
    answer = fixing(tmp_path, files)
    assert not answer.after
    assert [(each.rule, each.reason) for each in answer.unfixed if each.rule.startswith("open-")] == [
        ("open-sub-star", "nobody-named")
    ]
