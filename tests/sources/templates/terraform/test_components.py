"""Terraform Stacks: components that call modules, and deployments that give their variables."""

import pytest

from tests.facts.situations import found
from tests.sources.templates.made import conditions, federated, roles_of, row_of
from tests.sources.worlds import inventory

MODULE = """\
variable "subject" { default = "system:serviceaccount:prod:default" }
variable "provider_arn" {}
variable "issuer" {}
resource "aws_iam_role" "app" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.provider_arn }
      Condition = { StringLike = { "${var.issuer}:sub" = var.subject, "${var.issuer}:aud" = "sts.amazonaws.com" } }
    }]
  })
}
"""
COMPONENTS = """\
component "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "20.0.0"
  inputs  = { cluster_name = "shop" }
}
component "roles" {
  source = "./roles"
  inputs = {
    subject      = var.subject
    provider_arn = component.eks.oidc_provider_arn
    issuer       = component.eks.oidc_provider
  }
  providers = { aws = provider.aws.main }
}
variable "subject" { type = string }
"""
DEPLOYMENTS = """\
locals { space = "prod" }
deployment "dev" {
  inputs = { subject = "system:serviceaccount:${local.space}:app" }
}
deployment "loose" {
  inputs = { subject = "*" }
}
"""
FILES = {"stack/main.tfcomponent.hcl": COMPONENTS, "stack/roles/main.tf": MODULE}
ADDRESS = "component.roles.aws_iam_role.app"


@pytest.mark.parametrize("name", ["main.tfcomponent.hcl", "components.tfstack.hcl"])
def test_a_component_calls_its_module_with_its_inputs(name):
    roles = roles_of({f"stack/{name}": COMPONENTS, "stack/roles/main.tf": MODULE})
    assert list(roles) == [ADDRESS]
    assert federated(roles[ADDRESS]).endswith(":oidc-provider/${issuer of shop}")
    assert conditions(roles[ADDRESS])["StringLike"]["${issuer of shop}:sub"] == "${var.subject}"


def test_a_component_may_be_made_several_times():
    written = COMPONENTS.replace('  source = "./roles"', '  source   = "./roles"\n  for_each = toset(["a", "b"])')
    assert sorted(roles_of({**FILES, "stack/main.tfcomponent.hcl": written})) == [
        'component.roles["a"].aws_iam_role.app',
        'component.roles["b"].aws_iam_role.app',
    ]


def test_each_deployment_is_judged_and_named():
    given = {**FILES, "stack/all.tfdeploy.hcl": DEPLOYMENTS}
    cases = {role.case: conditions(role)["StringLike"]["${issuer of shop}:sub"] for role in inventory(given).roles}
    assert cases == {"": "system:serviceaccount:prod:app", "(in deployment loose)": "*"}
    assert {rule for rule, _ in found(given)} >= {"open-sub-star"}
    assert row_of(inventory(given), "stack/all.tfdeploy.hcl").status == "read"


def test_a_known_module_takes_the_inputs_of_a_component():
    written = """\
component "irsa" {
  source = "terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks"
  inputs = {
    "role_name"    = "app"
    oidc_providers = { main = { provider_arn = "PROVIDER", namespace_service_accounts = ["prod:app"] } }
  }
}
""".replace("PROVIDER", "arn:aws:iam::111122223333:oidc-provider/x.example")
    (role,) = roles_of({"main.tfcomponent.hcl": written}).values()
    assert (role.address, role.planned) == ("component.irsa.aws_iam_role.this[0]", "app")


@pytest.mark.parametrize("inputs", ["merge(var.all, {})", "var.all", '{ (var.name) = "x" }'])
def test_inputs_that_are_no_object_leave_the_component_open(inputs):
    written = (
        f'component "roles" {{\n  source = "./roles"\n  inputs = {inputs}\n}}\noutput "arn" {{ value = component.roles.arn }}\n'
    )
    given = inventory({**FILES, "stack/main.tfcomponent.hcl": written})
    assert not any(role.address == ADDRESS for role in given.roles)
    assert "component.roles is not read: its inputs" in row_of(given, "stack/main.tfcomponent.hcl").why
    assert [gap.name for gap in given.gaps] == ["component.roles"]


def test_what_a_stack_does_not_show_is_named():
    written = COMPONENTS + 'stack "inner" {\n  source = "./inner"\n}\n'
    row = row_of(inventory({**FILES, "stack/main.tfcomponent.hcl": written}), "stack/main.tfcomponent.hcl")
    assert "stack.inner is not read" in row.why
    alone = row_of(inventory({"all.tfdeploy.hcl": DEPLOYMENTS}), "all.tfdeploy.hcl")
    assert alone.why == "deployments of a stack whose components are not in the input"
    dynamic = DEPLOYMENTS.replace('{ subject = "*" }', "local.all")
    row = row_of(inventory({**FILES, "stack/all.tfdeploy.hcl": dynamic}), "stack/all.tfdeploy.hcl")
    assert "deployment loose is not read" in row.why


def test_locals_of_deployments_that_need_each_other_end():
    written = 'locals {\n  a = local.b\n  b = local.a\n}\ndeployment "dev" {\n  inputs = { subject = local.a }\n}\n'
    (role,) = roles_of({**FILES, "stack/all.tfdeploy.hcl": written}).values()
    assert conditions(role)["StringLike"]["${issuer of shop}:sub"] != "*"


def test_a_deployment_that_exceeds_a_limit_is_named_and_the_others_are_read():
    grown = "".join(f'  a{number + 1} = "${{local.a{number}}}${{local.a{number}}}"\n' for number in range(30))
    written = f'locals {{\n  a0 = "x"\n{grown}}}\ndeployment "big" {{\n  inputs = {{ subject = local.a30 }}\n}}\n'
    rows = inventory({**FILES, "stack/all.tfdeploy.hcl": 'deployment "dev" {\n  inputs = {}\n}\n' + written}).documents
    row = next(row for row in rows if row.path == "stack/all.tfdeploy.hcl" and row.status == "unreadable")
    assert "steps at /deployment.big" in row.why


def test_a_block_of_that_name_in_a_resource_is_no_component():
    written = 'resource "aws_imagebuilder_image_recipe" "x" {\n  component {\n    inputs = 1\n  }\n}\n' + COMPONENTS
    assert list(roles_of({**FILES, "stack/main.tfcomponent.hcl": written})) == [ADDRESS]
