"""Files of Terragrunt: the module that they call, with their inputs."""

import pytest

from tests.sources.templates.made import conditions, federated, roles_of, row_of
from tests.sources.worlds import inventory

INPUTS = """\
inputs = {
  role_name = "app"
  oidc_providers = {
    main = { provider_arn = PROVIDER, namespace_service_accounts = ["prod:app"] }
  }
}
"""
FORMS = [
    "tfr:///terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks?version=5.30.0",
    "tfr://registry.terraform.io/terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks?version=5.30.0",
    "git::https://github.com/terraform-aws-modules/terraform-aws-iam.git//modules/iam-role-for-service-accounts-eks?ref=v5.30.0",
]


def terragrunt(source: str, provider: str = '"arn:aws:iam::111122223333:oidc-provider/x.example"', inputs: str = INPUTS) -> str:
    return (
        f'include "root" {{\n  path = find_in_parent_folders()\n}}\nterraform {{\n  source = "{source}"\n}}\n'
        + inputs.replace("PROVIDER", provider)
    )


@pytest.mark.parametrize("source", FORMS)
def test_a_known_module_makes_its_role_of_the_inputs(source):
    (role,) = roles_of({"live/app/terragrunt.hcl": terragrunt(source)}).values()
    assert conditions(role)["StringEquals"]["x.example:sub"] in (
        "system:serviceaccount:prod:app",
        ["system:serviceaccount:prod:app"],
    )
    assert role.planned == "app"


def test_an_output_of_a_dependency_is_a_hole():
    (role,) = roles_of({"terragrunt.hcl": terragrunt(FORMS[0], "dependency.cluster.outputs.oidc_provider_arn")}).values()
    assert federated(role) == "${dependency.cluster.outputs.oidc_provider_arn}"


def test_a_module_beside_the_file_is_read_with_the_inputs():
    module = (
        'variable "subject" {}\nresource "aws_iam_role" "app" {\n  assume_role_policy = jsonencode({ Version = "2012-10-17",\n'
        '    Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "p" },\n'
        '      Condition = { StringEquals = { "i:sub" = var.subject } } }] })\n}\n'
    )
    text = terragrunt("../../modules//app", inputs='inputs = { subject = "system:serviceaccount:a:b" }\n')
    (role,) = roles_of({"live/app/terragrunt.hcl": text, "modules/app/main.tf": module}).values()
    assert conditions(role) == {"StringEquals": {"i:sub": "system:serviceaccount:a:b"}}


def test_what_is_included_may_take_the_place_of_a_default():
    module = (
        'variable "subject" { default = "system:serviceaccount:a:b" }\nresource "aws_iam_role" "app" {\n'
        '  assume_role_policy = jsonencode({ Version = "2012-10-17",\n'
        '    Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "p" },\n'
        '      Condition = { StringEquals = { "i:sub" = var.subject } } }] })\n}\n'
    )
    including = terragrunt("../../modules//app", inputs="inputs = {}\n")
    alone = including.partition("terraform {")[1] + including.partition("terraform {")[2]
    (role,) = roles_of({"live/app/terragrunt.hcl": including, "modules/app/main.tf": module}).values()
    assert "${subject of what is included}" in str(conditions(role))
    (role,) = roles_of({"live/app/terragrunt.hcl": alone, "modules/app/main.tf": module}).values()
    assert conditions(role) == {"StringEquals": {"i:sub": "system:serviceaccount:a:b"}}


def test_any_other_module_and_a_file_without_one_are_named():
    row = row_of(inventory({"terragrunt.hcl": terragrunt("git::ssh://example.com/modules.git//irsa")}), "terragrunt.hcl")
    assert "git::ssh://example.com/modules.git//irsa is not in the input" in row.why
    assert row_of(inventory({"terragrunt.hcl": "inputs = {}\n"}), "terragrunt.hcl").status == "ignored"
