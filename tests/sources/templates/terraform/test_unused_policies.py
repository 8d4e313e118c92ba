"""Trust policies of a configuration that no role of it uses."""

import json

import pytest

from irsa_doctor.facts import View, derive
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, row_of, written_at
from tests.sources.worlds import inventory, loaded, policy

POLICY = f"""{{
  Statement = [{{
    Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = {{ Federated = "{PROVIDER}" }}
    Condition = {{ StringEquals = {{ "{ISSUER}:sub" = "system:serviceaccount:prod:app" }} }}
  }}]
}}"""
DOCUMENT = f"""data "aws_iam_policy_document" "trust" {{
  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = ["{PROVIDER}"]
    }}
    condition {{
      test     = "StringEquals"
      variable = "{ISSUER}:sub"
      values   = ["system:serviceaccount:prod:app"]
    }}
  }}
}}
"""
ROLE = 'resource "aws_iam_role" "app" {\n  assume_role_policy = %s\n}\n'


def bare(text, **files):
    return {role.source: role for role in inventory({"main.tf": text, **files}).roles if role.is_bare}


def call(inside, source="./elsewhere"):
    return f'module "worker" {{\n  source = "{source}"\n  {inside}\n}}\n'


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (DOCUMENT, "data.aws_iam_policy_document.trust"),
        (
            DOCUMENT + 'output "trust" {\n  value = data.aws_iam_policy_document.trust.json\n}\n',
            "data.aws_iam_policy_document.trust",
        ),
        (DOCUMENT + call("documents = [data.aws_iam_policy_document.trust.json]"), "data.aws_iam_policy_document.trust"),
        (f"locals {{\n  trust = jsonencode({POLICY})\n}}\n", "local.trust"),
        (f"locals {{\n  trust = <<EOT\n{json.dumps(policy())}\nEOT\n}}\n", "local.trust"),
        (f'output "trust" {{\n  value = jsonencode({POLICY})\n}}\n', "output.trust"),
        (call(f"trust = jsonencode({POLICY})"), "module.worker.trust"),
        (call(f"trust = {POLICY}", "acme/role/aws"), "module.worker.trust"),
        (call(f"trust = [jsonencode({POLICY})]"), "module.worker.trust"),
    ],
)
def test_a_policy_that_no_role_uses_is_judged_as_a_bare_one(text, address):
    found = bare(text)
    assert list(found) == [address]
    assert conditions(found[address])["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:prod:app"
    assert row_of(inventory({"main.tf": text}), "main.tf").status == "read"


def test_each_of_several_policies_of_a_file_has_its_own_findings():
    second = DOCUMENT.replace('"trust"', '"other"')
    ids = [judged.id for judged in derive(View(inventory({"main.tf": DOCUMENT + second}))) if judged.kind == "policy"]
    assert len(set(ids)) == 2


def test_parts_of_an_unused_document_are_found_where_they_are_written():
    given = loaded({"main.tf": DOCUMENT})
    (role,) = given.inventory.roles
    place = role.policy.place.at("Statement", 0, "Condition", "StringEquals", f"{ISSUER}:sub")
    assert written_at(given, place) == '"system:serviceaccount:prod:app"'


@pytest.mark.parametrize(
    "uses",
    [
        ROLE % "data.aws_iam_policy_document.trust.json",
        ROLE % "data.aws_iam_policy_document.trust.minified_json",
        "locals {\n  json = data.aws_iam_policy_document.trust.json\n}\n" + ROLE % "local.json",
        (ROLE % "data.aws_iam_policy_document.trust.json").replace("{\n", "{\n  count = 0\n", 1),
        'data "aws_iam_policy_document" "all" {\n  source_policy_documents = [data.aws_iam_policy_document.trust.json]\n}\n'
        + ROLE % "data.aws_iam_policy_document.all.json",
        call("trust = data.aws_iam_policy_document.trust.json", "./inner"),
    ],
)
def test_a_policy_that_a_role_uses_is_that_of_the_role_alone(uses):
    inner = 'variable "trust" {}\n' + ROLE % "var.trust"
    assert bare(DOCUMENT + uses, **{"inner/main.tf": inner}) == {}


def test_a_local_that_a_role_uses_is_that_of_the_role_alone():
    assert bare(f"locals {{\n  trust = jsonencode({POLICY})\n}}\n" + ROLE % "local.trust") == {}


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENT.replace("sts:AssumeRoleWithWebIdentity", "s3:GetObject"),
        DOCUMENT[: DOCUMENT.index("    principals")] + '    resources = ["*"]\n  }\n}\n',
        DOCUMENT.replace("statement {", 'statement {\n    effect = "Deny"'),
        'locals {\n  action = "sts:AssumeRoleWithWebIdentity"\n}\n',
        'output "x" {\n  value = "AssumeRoleWithWebIdentity ${var.x}"\n}\n',
    ],
)
def test_what_is_no_trust_policy_is_none(text):
    assert bare(text) == {}


def test_every_instance_of_a_document_is_judged():
    text = DOCUMENT.replace("  statement {", '  for_each = toset(["a", "b"])\n  statement {', 1).replace(
        "prod:app", "${each.key}:app"
    )
    assert list(bare(text)) == [f'data.aws_iam_policy_document.trust["{key}"]' for key in "ab"]


def test_a_document_in_a_module_is_judged_with_the_values_of_its_caller():
    inner = 'variable "ns" {}\n' + DOCUMENT.replace("prod:app", "${var.ns}:app")
    found = bare(call('ns = "web"', "./inner"), **{"inner/main.tf": inner})
    assert list(found) == ["module.worker.data.aws_iam_policy_document.trust"]
    assert conditions(*found.values())["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:web:app"


@pytest.mark.parametrize("written", ["data.aws_iam_policy_document.trust", "${data.aws_iam_policy_document.trust}"])
def test_a_document_that_is_assigned_without_its_json_is_refused_at_the_argument(written):
    text = DOCUMENT + ROLE % (f'"{written}"' if "$" in written else written)
    given = loaded({"main.tf": text})
    (role,) = given.inventory.roles
    assert "write data.aws_iam_policy_document.trust.json" in role.policy.flaws[0].message
    assert written_at(given, role.policy.place).strip('"') == written


@pytest.mark.parametrize("mark", ["#", "//"])
def test_a_role_that_names_a_document_in_a_comment_does_not_use_it(mark):
    role = f'resource "aws_iam_role" "app" {{\n  {mark} assume_role_policy = data.aws_iam_policy_document.trust.json\n'
    text = DOCUMENT + role + f"  assume_role_policy = jsonencode({POLICY})\n}}\n"
    assert [made.source for made in inventory({"main.tf": text}).roles if made.is_bare] == [
        "data.aws_iam_policy_document.trust"
    ]
