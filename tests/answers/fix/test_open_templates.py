# Long: one table of templates, each whole beside its fix
"""Fixes of policies in which a template leaves something open: the edit writes the references that stand there."""

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from irsa_doctor import api

CLUSTER = """
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = "arn:aws:iam::111122223333:role/eks"
}

resource "aws_iam_openid_connect_provider" "eks" {
  url            = aws_eks_cluster.main.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}

module "eks" {
  source = "terraform-aws-modules/eks/aws"
}

locals {
  oidc = replace(aws_iam_openid_connect_provider.eks.url, "https://", "")
}

variable "namespace" {}
variable "oidc_arn" {}
variable "oidc_url" {}
data "aws_caller_identity" "current" {}
"""


def encoded(principal: str, condition: str, action: str = "sts:AssumeRoleWithWebIdentity") -> str:
    return f"""{CLUSTER}
resource "aws_iam_role" "cart" {{
  name = "cart"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "{action}"
      Principal = {{ Federated = {principal} }}
      Condition = {{
{condition}
      }}
    }}]
  }})
}}
"""


def document(principal: str, *conditions: tuple[str, str, str]) -> str:
    blocks = "".join(
        f"""
    condition {{
      test     = "{test}"
      variable = "{key}"
      values   = ["{value}"]
    }}
"""
        for test, key, value in conditions
    )
    return f"""{CLUSTER}
data "aws_iam_policy_document" "cart" {{
  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {{
      type        = "Federated"
      identifiers = [{principal}]
    }}
{blocks}  }}
}}

resource "aws_iam_role" "cart" {{
  name               = "cart"
  assume_role_policy = data.aws_iam_policy_document.cart.json
}}
"""


def heredoc(principal: str, condition: str) -> str:
    return f"""{CLUSTER}
resource "aws_iam_role" "cart" {{
  name               = "cart"
  assume_role_policy = <<-EOT
    {{
      "Version": "2012-10-17",
      "Statement": [
        {{
          "Effect": "Allow",
          "Principal": {{"Federated": "{principal}"}},
          "Action": "sts:AssumeRoleWithWebIdentity",
          "Condition": {condition}
        }}
      ]
    }}
  EOT
}}
"""


def cloudformation(condition: str, federated: str = "arn:aws:iam::${AWS::AccountId}:oidc-provider/${Oidc}") -> str:
    return f"""Parameters:
  Oidc: {{Type: String}}
  Namespace: {{Type: String}}
Resources:
  CartRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: !Sub |
        {{
          "Version": "2012-10-17",
          "Statement": [
            {{
              "Effect": "Allow",
              "Principal": {{"Federated": "{federated}"}},
              "Action": "sts:AssumeRoleWithWebIdentity",
              "Condition": {condition}
            }}
          ]
        }}
"""


SUB, AUD = "system:serviceaccount:shop:cart", "sts.amazonaws.com"
OPEN_SUB = "system:serviceaccount:${var.namespace}:cart"
ARN, URL = "aws_iam_openid_connect_provider.eks.arn", "${aws_iam_openid_connect_provider.eks.url}"
ISSUER = "${aws_eks_cluster.main.identity[0].oidc[0].issuer}"
BARE = '${replace(aws_eks_cluster.main.identity[0].oidc[0].issuer, "https://", "")}'
ACCOUNT = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:oidc-provider/${local.oidc}"


def fixed(folder: Path, name: str, text: str, *, unsafe: bool = False) -> tuple[str, Any]:
    """The text after all fixes, and what is said of them."""
    (folder / name).write_text(text, encoding="utf-8")
    answer = api.fix([str(folder)], settings=api.Settings(), unsafe=unsafe)
    after = answer.fixing.after
    assert len(after) <= 1
    return next(iter(after.values()), text.encode()).decode(), answer.fixing


SAFE = {
    "the audience beside a key of a resource": (
        document(ARN, ("StringEquals", f"{URL}:sub", SUB)),
        document(ARN, ("StringEquals", f"{URL}:sub", SUB), ("StringEquals", f"{URL}:aud", AUD)),
    ),
    "the audience beside a subject that is open": (
        encoded(
            "module.eks.oidc_provider_arn",
            f'        StringEquals = {{\n          "${{module.eks.oidc_provider}}:sub" = "{OPEN_SUB}"\n        }}',
        ),
        encoded(
            "module.eks.oidc_provider_arn",
            f'        StringEquals = {{\n          "${{module.eks.oidc_provider}}:sub" = "{OPEN_SUB}"\n'
            f'          "${{module.eks.oidc_provider}}:aud" = "{AUD}"\n        }}',
        ),
    ),
    "a scheme that comes from a reference": (
        document(ARN, ("StringEquals", f"{ISSUER}:sub", SUB), ("StringEquals", f"{ISSUER}:aud", AUD)),
        document(ARN, ("StringEquals", f"{BARE}:sub", SUB), ("StringEquals", f"{BARE}:aud", AUD)),
    ),
    "a scheme before a reference": (
        document(ARN, ("StringEquals", f"https://{URL}:sub", SUB), ("StringEquals", f"https://{URL}:aud", AUD)),
        document(ARN, ("StringEquals", f"{URL}:sub", SUB), ("StringEquals", f"{URL}:aud", AUD)),
    ),
    "an action": (
        encoded(ARN, f'        StringEquals = {{ "{URL}:sub" = "{SUB}", "{URL}:aud" = "{AUD}" }}', "sts:AssumeRole"),
        encoded(ARN, f'        StringEquals = {{ "{URL}:sub" = "{SUB}", "{URL}:aud" = "{AUD}" }}'),
    ),
    "swapped keys in a heredoc": (
        heredoc(ACCOUNT, f'{{"StringEquals": {{"${{local.oidc}}:aud": "{SUB}", "${{local.oidc}}:sub": "{AUD}"}}}}'),
        heredoc(ACCOUNT, f'{{"StringEquals": {{"${{local.oidc}}:sub": "{SUB}", "${{local.oidc}}:aud": "{AUD}"}}}}'),
    ),
    "a qualifier in a heredoc": (
        heredoc(
            ACCOUNT, f'{{"ForAllValues:StringEquals": {{"${{local.oidc}}:sub": "{SUB}", "${{local.oidc}}:aud": "{AUD}"}}}}'
        ),
        heredoc(ACCOUNT, f'{{"StringEquals": {{"${{local.oidc}}:sub": "{SUB}", "${{local.oidc}}:aud": "{AUD}"}}}}'),
    ),
    "a scheme in a text of Fn::Sub": (
        cloudformation(f'{{"StringEquals": {{"https://${{Oidc}}:sub": "{SUB}", "https://${{Oidc}}:aud": "{AUD}"}}}}'),
        cloudformation(f'{{"StringEquals": {{"${{Oidc}}:sub": "{SUB}", "${{Oidc}}:aud": "{AUD}"}}}}'),
    ),
    "swapped keys in a text of Fn::Sub": (
        cloudformation(f'{{"StringEquals": {{"${{Oidc}}:aud": "{SUB}", "${{Oidc}}:sub": "{AUD}"}}}}'),
        cloudformation(f'{{"StringEquals": {{"${{Oidc}}:sub": "{SUB}", "${{Oidc}}:aud": "{AUD}"}}}}'),
    ),
}


@pytest.mark.parametrize("change", SAFE)
def test_a_safe_fix_writes_the_references_that_stand_there(tmp_path: Path, change: str) -> None:
    before, after = SAFE[change]
    name = "template.yaml" if before.startswith("Parameters") else "main.tf"
    text, fixing = fixed(tmp_path, name, before)
    assert text == after
    assert all(fix.safety == "safe" for fix in fixing.fixes)
    again, nothing = fixed(tmp_path, name, text)
    assert again == text
    assert not nothing.fixes


def test_the_audience_of_an_issuer_of_which_nothing_is_known_is_only_offered(tmp_path: Path) -> None:
    key = '${replace(var.oidc_arn, "/^(.*provider/)/", "")}'
    before = document("var.oidc_arn", ("StringEquals", f"{key}:sub", SUB))
    text, fixing = fixed(tmp_path, "main.tf", before)
    assert text == before
    assert [fix.safety for fix in fixing.fixes] == ["unsafe"]
    assert "whether the issuer is one of EKS" in fixing.fixes[0].because
    text, _ = fixed(tmp_path, "main.tf", before, unsafe=True)
    assert text == document("var.oidc_arn", ("StringEquals", f"{key}:sub", SUB), ("StringEquals", f"{key}:aud", AUD))


def test_a_key_takes_the_reference_of_the_key_beside_it_and_not_that_of_the_principal(tmp_path: Path) -> None:
    before = document("var.oidc_arn", ("StringEquals", "${var.oidc_url}:sub", SUB))
    text, _ = fixed(tmp_path, "main.tf", before, unsafe=True)
    assert 'variable = "${var.oidc_url}:aud"' in text


def test_a_subject_that_is_open_is_nobody_whom_the_text_names(tmp_path: Path) -> None:
    keys = [("StringEquals", f"https://{URL}:sub", OPEN_SUB), ("StringEquals", f"https://{URL}:aud", AUD)]
    text, fixing = fixed(tmp_path, "main.tf", document(ARN, *keys))
    assert text == document(ARN, *keys)
    assert [(fix.safety, fix.proof.kind) for fix in fixing.fixes] == [("unsafe", "none")]
    assert fixing.fixes[0].proof.after[0].patterns == ("system:serviceaccount:${var.namespace}:cart",)


@pytest.mark.parametrize("change", SAFE)
def test_nothing_that_stands_for_a_reference_is_shown(tmp_path: Path, change: str) -> None:
    before, _ = SAFE[change]
    name = "template.yaml" if before.startswith("Parameters") else "main.tf"
    _, fixing = fixed(tmp_path, name, before, unsafe=True)
    shown = repr((fixing.fixes, fixing.unfixed, fixing.commands, fixing.after))
    assert "/id/0000" not in shown
    assert "::99" not in shown


def test_a_whole_condition_that_is_open_is_left_alone(tmp_path: Path) -> None:
    text = encoded(ARN, "").replace("Condition = {\n\n      }", "Condition = var.namespace").replace('Identity"', 'Identitee"')
    after, fixing = fixed(tmp_path, "main.tf", text)
    assert after == text
    assert not fixing.fixes


# ---- policies that are put together

MODULE = "module.eks.oidc_provider_arn"
KEY = "${module.eks.oidc_provider}"
PLAIN = document(MODULE, ("StringEquals", f"{KEY}:sub", SUB), ("StringEquals", f"{KEY}:aud", AUD))
ENCODED = encoded(
    MODULE, f'        StringEquals = {{\n          "{KEY}:sub" = "{SUB}"\n          "{KEY}:aud" = "{AUD}"\n        }}'
)


def each(text: str) -> str:
    """The data source and the role once for each of two namespaces."""
    instances = '  for_each = toset(["shop", "web"])\n'
    text = text.replace('"cart" {\n  statement', f'"cart" {{\n{instances}  statement').replace(":shop:", ":${each.key}:")
    text = text.replace("policy_document.cart.json", "policy_document.cart[each.key].json")
    return text.replace('"cart" {\n  name               = "cart"', f'"cart" {{\n{instances}  name               = each.key')


TOGETHER = {
    "instances of for_each": each(PLAIN),
    "merge": ENCODED.replace("StringEquals = {", "StringEquals = merge({").replace(
        f'"{AUD}"\n        }}', f'"{AUD}"\n        }}, {{}})'
    ),
    "concat": ENCODED.replace("Statement = [{", "Statement = concat([{").replace("    }]\n  })", "    }], [])\n  })"),
    "a dynamic condition": PLAIN.replace(
        f'    condition {{\n      test     = "StringEquals"\n'
        f'      variable = "{KEY}:sub"\n      values   = ["{SUB}"]\n    }}\n',
        f'    dynamic "condition" {{\n      for_each = ["{SUB}"]\n      content {{\n        test     = "StringEquals"\n'
        f'        variable = "{KEY}:sub"\n        values   = [condition.value]\n      }}\n    }}\n',
    ),
    "a dynamic statement": PLAIN.replace(
        "  statement {", '  dynamic "statement" {\n    for_each = [1]\n    content {', 1
    ).replace('\n  }\n}\n\nresource "aws_iam_role"', '\n    }\n  }\n}\n\nresource "aws_iam_role"'),
    "a document of another one": PLAIN.replace("policy_document.cart.json", "policy_document.all.json")
    + """
data "aws_iam_policy_document" "all" {
  source_policy_documents = [data.aws_iam_policy_document.cart.json]

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}
""",
}


def with_scheme(text: str) -> str:
    return text.replace(f'"{KEY}:', f'"https://{KEY}:')


def with_other_action(text: str) -> str:
    return text.replace('"sts:AssumeRoleWithWebIdentity"', '"sts:AssumeRoleWithWebIdentities"')


@pytest.mark.parametrize("slip", [with_scheme, with_other_action])
@pytest.mark.parametrize("form", TOGETHER)
def test_what_is_put_together_is_edited_where_it_is_written(tmp_path: Path, form: str, slip: Any) -> None:
    right = TOGETHER[form]
    assert slip(right) != right
    text, fixing = fixed(tmp_path, "main.tf", slip(right))
    assert text == right
    assert all(fix.applied for fix in fixing.fixes)


# ---- two references of one text

BLUE = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"


def two_clusters(form: str, *lacking: str) -> str:
    """A policy with a statement for each of two variables that have one default; the statements of some lack the audience."""
    names = ["blue", "green"]
    if form == "document":
        blocks = [
            document(f'"arn:aws:iam::111122223333:oidc-provider/${{var.{name}}}"', *keys).partition("  statement {")[2]
            for name in names
            for keys in [
                [("StringEquals", f"${{var.{name}}}:sub", SUB)]
                + [("StringEquals", f"${{var.{name}}}:aud", AUD)] * (name not in lacking)
            ]
        ]
        statements = "".join("  statement {" + block.partition('\n}\n\nresource "aws_iam_role"')[0] + "\n" for block in blocks)
        policy = "data.aws_iam_policy_document.cart.json"
        head = f'data "aws_iam_policy_document" "cart" {{\n{statements}}}\n'
    else:
        sign, opening, closing = {"encoded": (" =", "jsonencode(", ")"), "heredoc": (":", "<<EOT\n", "\nEOT")}.get(
            form, (":", "", "")
        )
        value = "${%s}" if form == "cloudformation" else "${var.%s}"
        rows = []
        for name in names:
            key = value % name
            audience = "" if name in lacking else f', "{key}:aud"{sign} "{AUD}"'
            rows.append(
                f'      {{ "Condition"{sign} {{ "StringEquals"{sign} {{ "{key}:sub"{sign} "{SUB}"{audience} }} }},\n'
                f'        "Effect"{sign} "Allow", "Action"{sign} "sts:AssumeRoleWithWebIdentity",\n'
                f'        "Principal"{sign} {{ "Federated"{sign} "arn:aws:iam::111122223333:oidc-provider/{key}" }} }}'
            )
        listed = ",\n".join(rows)
        policy = f'{opening}{{ "Version"{sign} "2012-10-17", "Statement"{sign} [\n{listed}\n      ] }}{closing}'
        head = ""
    if form == "cloudformation":
        parameters = "".join(f"  {name}: {{Type: String, Default: {BLUE}}}\n" for name in names)
        return (
            f"Parameters:\n{parameters}Resources:\n  CartRole:\n    Type: AWS::IAM::Role\n    Properties:\n"
            f"      AssumeRolePolicyDocument: !Sub |\n{indent(policy, ' ' * 8)}\n"
        )
    declared = "".join(f'variable "{name}" {{ default = "{BLUE}" }}\n' for name in names)
    return f'{declared}{head}resource "aws_iam_role" "cart" {{\n  name = "cart"\n  assume_role_policy = {policy}\n}}\n'


@pytest.mark.parametrize("lacking", [("blue",), ("green",), ("blue", "green")])
@pytest.mark.parametrize("form", ["document", "encoded", "heredoc", "cloudformation"])
def test_of_two_references_of_one_text_a_key_takes_that_of_its_statement(
    tmp_path: Path, form: str, lacking: tuple[str, ...]
) -> None:
    name = "template.yaml" if form == "cloudformation" else "main.tf"
    text, fixing = fixed(tmp_path, name, two_clusters(form, *lacking))
    assert text == two_clusters(form)
    assert all(fix.safety == "safe" for fix in fixing.fixes)


def test_a_key_that_is_an_expression_stays_one(tmp_path: Path) -> None:
    head = f"""variable "issuer" {{ default = "{BLUE}" }}
locals {{
  keys = {{ sub = "https://${{var.issuer}}:sub", aud = "https://${{var.issuer}}:aud" }}
}}
"""
    principal = '"arn:aws:iam::111122223333:oidc-provider/${var.issuer}"'
    before = encoded(principal, f'        StringEquals = {{ (local.keys.sub) = "{SUB}", (local.keys.aud) = "{AUD}" }}')
    text, _ = fixed(tmp_path, "main.tf", head + before)
    after = before
    for claim in ("sub", "aud"):
        after = after.replace(f"(local.keys.{claim})", f'(replace(local.keys.{claim}, "https://", ""))')
    assert text == head + after


LOCAL_CONDITION = f"""
locals {{
  condition = {{
    StringEquals = {{
      "${{module.eks.oidc_provider}}:sub" = "{SUB}"
    }}
  }}
}}

resource "aws_iam_role" "cart" {{
  name = "cart"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = module.eks.oidc_provider_arn }}
      Condition = local.condition
    }}]
  }})
}}
"""
READERS = {
    "an output": 'output "condition" {\n  value = local.condition\n}\n',
    "another resource": 'resource "aws_ssm_parameter" "x" {\n  value = jsonencode(local.condition)\n}\n',
}


def test_a_collection_that_only_policies_read_is_edited_where_it_is_written(tmp_path: Path) -> None:
    text, _ = fixed(tmp_path, "main.tf", LOCAL_CONDITION, unsafe=True)
    assert f'"${{module.eks.oidc_provider}}:aud" = "{AUD}"' in text


@pytest.mark.parametrize("reader", READERS)
def test_a_collection_that_something_else_reads_is_left_alone(tmp_path: Path, reader: str) -> None:
    text, fixing = fixed(tmp_path, "main.tf", LOCAL_CONDITION + READERS[reader], unsafe=True)
    assert text == LOCAL_CONDITION + READERS[reader]
    assert {left.reason for left in fixing.unfixed} == {"shared-text"}
