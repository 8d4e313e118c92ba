"""Of several documents of which any may be the policy of a role, by how many there are of each, every one is judged."""

import pytest

from irsa_doctor.model import Unknown
from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, federated, roles_of

A, B = "data.aws_iam_policy_document.a", "data.aws_iam_policy_document.b"


def _document(name, count):
    return f"""
data "aws_iam_policy_document" "{name}" {{
  {count}
  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = ["{PROVIDER}"]
    }}
    condition {{
      test     = "StringEquals"
      variable = "{ISSUER}:sub"
      values   = ["of-{name}"]
    }}
  }}
}}
"""


def _cases(expression, a="count = var.a ? 1 : 0", b="count = var.b ? 1 : 0", more=""):
    """Case -> subject that the policy admits, None where the policy is not known."""
    text = f'resource "aws_iam_role" "r" {{\n{more}  assume_role_policy = {expression}\n}}\n'
    roles = roles_of({"main.tf": _document("a", a) + _document("b", b) + text}).values()
    return {role.case: _subject(role) for role in roles if role.address.startswith("aws_iam_role.r")}


def _subject(role):
    if isinstance(role.policy, Unknown):
        return None
    return role.policy.document["Statement"][0]["Condition"]["StringEquals"][f"{ISSUER}:sub"]


EXPRESSIONS = (
    f"concat({A}[*].json, {B}[*].json)[0]",
    f"concat({A}.*.json, {B}.*.json)[0]",
    f"element(concat({A}[*].json, {B}[*].json), 0)",
    f"try({A}[0].json, {B}[0].json)",
    f"try({A}[0].json, try({B}[0].json))",
    f"coalesce(one({A}[*].json), one({B}[*].json))",
    f'coalesce(join("", {A}[*].json), join("", {B}[*].json))',
    f"coalescelist({A}[*].json, {B}[*].json)[0]",
    f"flatten([{A}[*].json, {B}[*].json])[0]",
    f"compact([one({A}[*].json), one({B}[*].json)])[0]",
    f"[for d in concat({A}, {B}) : d.json][0]",
    f"[for d in [one({A}[*].json), one({B}[*].json)] : d if d != null][0]",
    f"length({A}) > 0 ? {A}[0].json : {B}[0].json",
    f"length({A}) == 0 ? {B}[0].json : {A}[0].json",
    f"one({A}[*].json) != null ? one({A}[*].json) : one({B}[*].json)",
    f"distinct(concat({A}[*].json, {B}[*].json))[0]",
    f"reverse(concat({B}[*].json, {A}[*].json))[0]",
    f"slice(concat({A}[*].json, {B}[*].json), 0, 1)[0]",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_first_of_documents_that_may_not_be_made_is_each_of_them(expression):
    assert _cases(expression) == {"(var.a)": "of-a", "(not var.a)": "of-b"}
    assert _cases(expression, "count = var.a", "count = var.b") == {"(var.a > 0)": "of-a", "(not var.a > 0)": "of-b"}
    of_a = "length(aws_iam_policy_document.a) > 0"
    assert _cases(expression, "count = var.a + 1 - 1") == {f"({of_a})": "of-a", f"(not {of_a})": "of-b"}
    assert _cases(expression, b="count = var.a ? 0 : 1") == {"(var.a)": "of-a", "(not var.a)": "of-b"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_surely_made_is_no_choice(expression):
    assert _cases(expression, "count = 1", "count = var.b") == {"": "of-a"}
    assert _cases(expression, "count = 0", "count = var.b") == {"": "of-b"}


def test_an_instance_that_is_there_in_every_case_is_no_choice():
    assert _cases(EXPRESSIONS[0], "count = var.many ? 3 : 1") == {"": "of-a"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_document_that_a_default_switches_off_is_one_of_both(expression):
    default = 'variable "a" {\n  default = false\n}\n'
    text = f'resource "aws_iam_role" "r" {{\n  assume_role_policy = {expression}\n}}\n{default}'
    documents = _document("a", "count = var.a ? 1 : 0") + _document("b", "count = var.a ? 0 : 1")
    roles = roles_of({"main.tf": documents + text}).values()
    assert {role.case: _subject(role) for role in roles} == {"(var.a)": "of-a", "(not var.a)": "of-b"}


def test_where_both_may_be_made_and_cannot_be_the_others_are_judged():
    both = f"concat({A}[*].json, {B}[*].json)"
    apart = {"(var.a)": "of-a", "(not var.a)": "of-b"}
    assert _cases(f"one({both})") == apart
    assert _cases(f'join("", {both})') == {"(var.a, var.b)": None, "(var.a, not var.b)": "of-a", "(not var.a)": "of-b"}
    assert _cases(f'join("", {both})', b="count = var.a ? 0 : 1") == apart


def test_a_document_that_stands_in_for_a_value_that_is_not_known_is_judged():
    for expression in (f"coalesce(var.given, {A}[0].json)", f"var.given == null ? {A}[0].json : var.given"):
        assert _cases(expression, "count = 1", "count = 1") == {"(var.given == null)": "of-a", "(not var.given == null)": None}


def test_a_role_that_is_made_under_the_condition_of_a_document_has_that():
    assert _cases(f"concat({A}[*].json, {B}[*].json)[0]", more="  count = var.a ? 1 : 0\n") == {"": "of-a"}
    assert _cases(f"try({A}[0].json, {B}[0].json)", "count = var.n", more="  count = var.n\n") == {"": "of-a"}


@pytest.mark.parametrize(
    "expression",
    [f"{A}[0].json", f"one({A}[*].json)", f'join("", {A}.*.json)', f"try({A}[0].json, null)", f'try({A}[0].json, "")'],
)
def test_a_document_that_is_alone_is_taken_as_made(expression):
    assert _cases(expression) == {"": "of-a"}


@pytest.mark.parametrize(
    "expression",
    [
        f"concat(values({A})[*].json, {B}[*].json)[0]",
        f"length({A}) > 0 ? null : {B}[0].json",
        f"[for d in concat([for k, d in {A} : d], {B}) : d.json][0]",
        f"merge({A}, {{}})",
    ],
)
def test_a_document_for_each_of_nobody_knows_what_is_not_none(expression):
    given = _cases(expression, "for_each = var.a", "count = 1")
    assert None in given.values()


def test_what_is_made_for_each_of_nobody_knows_what_is_made():
    text = 'resource "aws_eks_cluster" "c" {\n  for_each = var.c\n  name = each.key\n}\n'
    text += 'resource "aws_iam_role" "r" {\n  for_each = aws_eks_cluster.c\n  assume_role_policy = jsonencode({})\n}\n'
    assert len(roles_of({"main.tf": text})) == 1


def test_a_condition_that_may_not_be_made_is_a_case():
    dynamic = f"""
data "aws_iam_policy_document" "t" {{
  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = aws_iam_openid_connect_provider.p[*].arn
    }}
    dynamic "condition" {{
      for_each = aws_eks_cluster.c
      content {{
        test     = "StringEquals"
        variable = "{ISSUER}:sub"
        values   = ["x"]
      }}
    }}
  }}
}}
resource "aws_iam_openid_connect_provider" "p" {{
  count = var.p ? 1 : 0
  url   = "https://{ISSUER}"
}}
resource "aws_eks_cluster" "c" {{
  count = var.c ? 1 : 0
}}
resource "aws_iam_role" "r" {{
  assume_role_policy = data.aws_iam_policy_document.t.json
}}
"""
    statements = {role.case: role.policy.document["Statement"][0] for role in roles_of({"main.tf": dynamic}).values()}
    assert {case: statement.get("Condition") for case, statement in statements.items()} == {
        "(var.c)": {"StringEquals": {f"{ISSUER}:sub": "x"}},
        "(not var.c)": None,
    }


def test_a_condition_is_called_by_what_it_compares_and_not_by_the_words_for_it():
    module = """
variable "eks" {}
locals {
  arn = var.eks.oidc != null ? var.eks.oidc.arn : null
}
resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({ Statement = [{
    Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = local.arn }
  }] })
}
"""
    call = 'module "m" {\n  source = "./m"\n  count  = WHEN ? 1 : 0\n  eks = var.cluster\n}\nvariable "cluster" {}\n'
    for when in ("var.cluster.oidc != null", "var.on && var.cluster.oidc != null", "true && var.cluster.oidc != null"):
        (role,) = roles_of({"main.tf": call.replace("WHEN", when), "m/main.tf": module}).values()
        assert (role.case, federated(role)) == ("", "${var.cluster.oidc.arn}")
    roles = roles_of({"main.tf": call.replace("WHEN", "var.on"), "m/main.tf": module}).values()
    assert {role.case for role in roles} == {"(var.cluster.oidc == null)", "(not var.cluster.oidc == null)"}


def test_a_statement_for_each_of_nobody_knows_what_is_read_once():
    text = (
        _document("a", "")
        .replace("statement {", 'dynamic "statement" {\n    for_each = var.issuers\n    content {')
        .replace(f'"{ISSUER}:sub"', '"${statement.value}:sub"')
    )
    text = text.rstrip().removesuffix("}") + "}\n}\n" + f'resource "aws_iam_role" "r" {{\n  assume_role_policy = {A}.json\n}}\n'
    (role,) = roles_of({"main.tf": text}).values()
    assert conditions(role) == {"StringEquals": {"${value of dynamic statement}:sub": "of-a"}}


GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"


@pytest.mark.parametrize("issuer", [PROVIDER, GITHUB])
def test_how_far_a_role_is_open_is_not_known_where_a_condition_is_not(issuer):
    text = (
        _document("a", "")
        .replace(PROVIDER, issuer)
        .replace("condition {", 'dynamic "condition" {\n      for_each = var.x\n content {')
    )
    text = text.replace('values   = ["of-a"]', 'values   = ["of-a"]\n    }')
    documents = {"main.tf": text + f'resource "aws_iam_role" "r" {{\n  assume_role_policy = {A}.json\n}}\n'}
    assert [rule for rule, _ in found(documents) if rule.startswith(("open-", "reach-"))] == []
    without = {"main.tf": documents["main.tf"].replace("var.x", "[]")}
    assert [rule for rule, _ in found(without) if rule.startswith(("open-", "reach-"))] != []


def test_the_issuer_in_a_key_may_be_worked_out_by_what_is_not_read():
    text = f"""
locals {{
  issuer = regex("oidc-provider/(.*)$", "{PROVIDER}")[0]
}}
resource "aws_iam_role" "r" {{
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
    Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = {{ Federated = "{PROVIDER}" }}
    Condition = {{ StringEquals = {{ "${{local.issuer}}:sub" = "system:serviceaccount:a:b" }} }}
  }}] }})
}}
"""
    assert [rule for rule, _ in found({"main.tf": text}) if rule.startswith("trust-")] == []


def test_what_is_made_in_some_case_is_read_with_what_it_is_there():
    text = f"""
locals {{
  roles = merge({{ a = {{ sub = "x" }} }}, var.on ? {{ b = {{ sub = "y" }} }} : {{ a = {{ sub = "z" }} }})
}}
{_document("a", "for_each = local.roles").replace('"of-a"', "each.value.sub")}
resource "aws_iam_role" "r" {{
  for_each           = local.roles
  assume_role_policy = {A}[each.key].json
}}
resource "aws_iam_role" "s" {{
  count              = var.on ? 2 : 1
  assume_role_policy = {A}["a"].json
}}
"""
    found = {f"{role.address} {role.case}": _subject(role) for role in roles_of({"main.tf": text}).values()}
    assert found == {
        'aws_iam_role.r["a"] (var.on)': "x",
        'aws_iam_role.r["a"] (not var.on)': "z",
        'aws_iam_role.r["b"] ': "y",
        "aws_iam_role.s[0] (var.on)": "x",
        "aws_iam_role.s[0] (not var.on)": "z",
        "aws_iam_role.s[1] ": "x",
    }


@pytest.mark.parametrize(
    "expression",
    [
        "local.m[var.k]",
        "[local.m[var.k]][0]",
        "flatten([local.m[var.k]])[0]",
        "compact([local.m[var.k]])[0]",
        'join("", [local.m[var.k]])',
        "[for name in [var.k] : local.m[name]][0]",
    ],
)
def test_a_member_that_may_be_missing_leaves_the_next_argument_wherever_it_is_put_in(expression):
    text = f"""
locals {{
  m = {{ x = {A}.json }}
}}
resource "aws_iam_role" "r" {{
  assume_role_policy = try({expression}, {B}.json)
}}
"""
    roles = roles_of({"main.tf": _document("a", "") + _document("b", "") + text}).values()
    assert {role.case: _subject(role) for role in roles} == {'(var.k == "x")': "of-a", '(not var.k == "x")': "of-b"}


DENY = f"""
data "aws_iam_policy_document" "deny" {{
  COUNT
  statement {{
    effect  = "Deny"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "*"
      identifiers = ["*"]
    }}
    condition {{
      test     = "StringNotEquals"
      variable = "{ISSUER}:sub"
      values   = ["system:serviceaccount:a:b"]
    }}
  }}
}}
data "aws_iam_policy_document" "both" {{
  source_policy_documents = DOCUMENTS
}}
resource "aws_iam_role" "r" {{
  assume_role_policy = data.aws_iam_policy_document.both.json
}}
"""
OPEN = _document("a", "").replace(":sub", ":aud")


@pytest.mark.parametrize(
    "documents",
    [
        f"concat([{A}.json], data.aws_iam_policy_document.deny[*].json)",
        f"compact([{A}.json, one(data.aws_iam_policy_document.deny[*].json)])",
    ],
)
def test_what_denies_may_not_be_there(documents):
    text = OPEN + DENY.replace("DOCUMENTS", documents)
    for count, statements in (("count = 1", {"": 2}), ("count = var.n", {"(var.n > 0)": 2, "(not var.n > 0)": 1})):
        roles = roles_of({"main.tf": text.replace("COUNT", count)}).values()
        assert {role.case: len(role.policy.document["Statement"]) for role in roles} == statements


def test_a_statement_for_each_of_nobody_knows_what_that_denies_may_not_be_there():
    text = OPEN.rstrip().removesuffix("}") + DENY.partition("COUNT")[2].partition("}\ndata")[0] + "}\n"
    text = text.replace("  statement {\n    effect", '  dynamic "statement" {\n    for_each = var.x\n    content {\n    effect')
    text = text.rstrip().removesuffix("}") + "}\n}\n" + f'resource "aws_iam_role" "r" {{\n  assume_role_policy = {A}.json\n}}\n'
    (role,) = roles_of({"main.tf": text}).values()
    assert str(role.policy.document["Statement"][1]) == "${dynamic statement}"


@pytest.mark.parametrize("form", ["concat({})", "flatten([{}])", "flatten([concat({})])"])
def test_of_more_documents_than_cases_are_read_each_is_judged_but_none_is_the_first(form):
    names = [f"d{number}" for number in range(7)]
    documents = "".join(_document(name, f"count = var.{name} ? 1 : 0") for name in names)
    listed = form.format(", ".join(f"data.aws_iam_policy_document.{name}[*].json" for name in names))
    merged = f'data "aws_iam_policy_document" "all" {{\n  source_policy_documents = {listed}\n}}\n'
    for policy, known in (("data.aws_iam_policy_document.all.json", True), (f"{listed}[0]", False)):
        text = f'resource "aws_iam_role" "r" {{\n  assume_role_policy = {policy}\n}}\n'
        (role,) = roles_of({"main.tf": documents + merged + text}).values()
        assert isinstance(role.policy, Unknown) != known
        if known:
            subjects = [each["Condition"]["StringEquals"][f"{ISSUER}:sub"] for each in role.policy.document["Statement"]]
            assert subjects == [f"of-{name}" for name in names]
