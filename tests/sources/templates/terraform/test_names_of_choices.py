"""What is made of one choice in two ways has two names, also where more conditions choose than are read."""

import pytest

from tests.sources.templates.made import ISSUER, conditions, federated, roles_of

OPEN = 'var.b ? "b" : "c"}-${var.c ? "c" : "d"}-${var.d ? "d" : "e"'


def _issuers(made: str, key: str, locals_: str) -> list[tuple[str, str]]:
    """The issuer in the principal and that in the key of the condition, in every case."""
    text = f"""
locals {{
  {locals_}
}}
resource "aws_iam_role" "r" {{
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect = "Allow"
      Action = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/${{{made}}}" }}
      Condition = {{ StringEquals = {{ "${{{key}}}:sub" = "system:serviceaccount:${{{OPEN}}}" }} }}
    }}]
  }})
}}
"""
    roles = roles_of({"main.tf": text}).values()
    return [
        (federated(role).split("oidc-provider/")[1], next(iter(conditions(role)["StringEquals"])).removesuffix(":sub"))
        for role in roles
    ]


@pytest.mark.parametrize(
    ("made", "key"),
    [
        ("upper(local.x)", "local.x"),
        ("upper(local.x)", "title(local.x)"),
        ("local.x.url", "local.x.other"),
        ('local.on ? var.p : "q"', 'local.on ? var.r : "s"'),
        ("[for each in local.x : upper(each)][0]", "[for each in local.x : title(each)][0]"),
        ("coalesce(var.x, var.y)", "coalesce(var.x, var.z)"),
    ],
)
def test_values_that_two_expressions_make_of_one_choice_are_not_called_the_same(made, key):
    several = _issuers(made, key, "x = var.a ? var.u : var.v\n  on = var.a ? true : var.e")
    assert several
    assert all(of_principal != of_key for of_principal, of_key in several)


def test_two_ways_to_the_same_value_of_one_choice_are_called_the_same():
    made, key = 'replace(local.x, "https://", "")', 'trimprefix(local.x, "https://")'
    ((of_principal, of_key),) = _issuers(made, key, "x = var.a ? var.u : var.v")
    assert of_principal == of_key


KEYS = (
    '{ a = { ns = "one" } }',
    'var.v ? { b = { ns = "two" } } : {}',
    'var.w ? { c = { ns = "three" }, a = { ns = "four" } } : {}',
)


def _each(keys: str, ns: str) -> dict[str, str]:
    """Address and case -> subject that a role admits, of roles for each of some keys."""
    text = f"""
resource "aws_iam_role" "r" {{
  for_each = {keys}
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect = "Allow"
      Action = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/{ISSUER}" }}
      Condition = {{ StringEquals = {{ "{ISSUER}:sub" = {ns} }} }}
    }}]
  }})
}}
"""
    roles = roles_of({"main.tf": text})
    return {name: conditions(role)["StringEquals"][f"{ISSUER}:sub"] for name, role in roles.items()}


def test_a_key_that_there_is_in_some_cases_only_has_the_values_of_those():
    assert _each(f"merge({', '.join(KEYS)})", "each.value.ns") == {
        'aws_iam_role.r["a"] (var.w)': "four",
        'aws_iam_role.r["a"] (not var.w)': "one",
        'aws_iam_role.r["b"]': "two",
        'aws_iam_role.r["c"]': "three",
    }


def test_the_value_of_an_item_of_a_set_is_the_item_in_each_case():
    made = _each('var.v ? toset(["x", "y"]) : toset(["x"])', "each.value")
    assert made == {'aws_iam_role.r["x"]': "x", 'aws_iam_role.r["y"]': "y"}
