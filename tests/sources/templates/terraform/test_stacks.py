"""Stacks of CloudFormation in Terraform: their templates are read, with their parameters, where they are known."""

import json
from textwrap import indent

import pytest

from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, roles_of, row_of
from tests.sources.worlds import inventory

TEMPLATE = f"""AWSTemplateFormatVersion: '2010-09-09'
Parameters: {{Subject: {{Type: String}}}}
Resources:
  App:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
        - Effect: Allow
          Principal: {{Federated: '{PROVIDER}'}}
          Action: sts:AssumeRoleWithWebIdentity
          Condition:
            StringLike:
              '{ISSUER}:sub': SUBJECT
              '{ISSUER}:aud': sts.amazonaws.com
"""


def template(subject="!Ref Subject"):
    return TEMPLATE.replace("SUBJECT", subject)


def stack(body, parameters="", name="s"):
    given = f'  parameters = {{ Subject = "{parameters}" }}\n' if parameters else ""
    return f'resource "aws_cloudformation_stack" "{name}" {{\n  name = "{name}"\n{given}  template_body = {body}\n}}\n'


def heredoc(text):
    return f"<<-EOT\n{indent(text, '    ')}  EOT"


def in_json(subject):
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Resources": {"App": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}}}


EVERY = "system:serviceaccount:*:*"
BODIES = [
    {"main.tf": stack(heredoc(template(f"'{EVERY}'")))},
    {"main.tf": stack(heredoc(template()), EVERY)},
    {"main.tf": stack(heredoc(template("!Sub '$${Subject}'")), EVERY)},
    {"main.tf": stack(heredoc(json.dumps(in_json(EVERY)) + "\n"))},
    {"main.tf": stack(f"jsonencode({json.dumps(in_json(EVERY))})")},
    {"main.tf": stack(f"yamlencode({json.dumps(in_json(EVERY))})")},
    {"main.tf": "locals {\n  body = jsonencode(" + json.dumps(in_json(EVERY)) + ")\n}\n" + stack("local.body")},
    {
        "main.tf": 'variable "every" {\n  default = "*"\n}\n'
        + stack(heredoc(template("'system:serviceaccount:${var.every}:*'")))
    },
]


@pytest.mark.parametrize("files", BODIES)
def test_the_role_of_a_template_in_a_stack_is_judged(files):
    assert ("open-sub-star", "main.tf: aws_cloudformation_stack.s.App#0") in found(files)
    assert row_of(inventory(files), "main.tf").why is None


def test_a_template_in_a_file_is_judged_once_at_its_own_lines():
    files = {"main.tf": stack('file("${path.module}/stack.yaml")', EVERY), "stack.yaml": template()}
    (role,) = inventory(files).roles
    assert (role.place.document, role.place.pointer, role.case) == (
        "stack.yaml",
        "/Resources/App",
        "(aws_cloudformation_stack.s)",
    )
    assert ("open-sub-star", "stack.yaml: App#0") in found(files)


def test_a_file_that_two_stacks_use_is_judged_for_each():
    body = 'file("stack.yaml")'
    files = {
        "main.tf": stack(body, EVERY, "a") + stack(body, "system:serviceaccount:app:web", "b"),
        "stack.yaml": template(),
    }
    assert sorted(role.case for role in inventory(files).roles) == [
        "(aws_cloudformation_stack.a)",
        "(aws_cloudformation_stack.b)",
    ]


def test_a_hole_of_terraform_is_a_hole_of_the_template():
    files = {"main.tf": 'variable "ns" {}\n' + stack(heredoc(template("'system:serviceaccount:${var.ns}:web'")))}
    (made,) = roles_of(files).values()
    assert conditions(made)["StringLike"][f"{ISSUER}:sub"] == "system:serviceaccount:${var.ns}:web"
    assert not {rule for rule, _ in found(files) if rule.startswith("open-")}
    star = {"main.tf": 'variable "ns" {}\n' + stack(heredoc(template("'system:serviceaccount:${var.ns}:*'")))}
    assert ("open-sub-star", "main.tf: aws_cloudformation_stack.s.App#0") in found(star)


def test_a_parameter_that_is_not_known_is_a_hole():
    files = {"main.tf": stack(heredoc(template()))}
    assert conditions(roles_of(files)["aws_cloudformation_stack.s.App"])["StringLike"][f"{ISSUER}:sub"] == "${Subject}"


@pytest.mark.parametrize("body", ["var.body", "data.http.t.response_body", '"AWS::IAM::Role: ["', '"- AWS::IAM::Role"'])
def test_a_template_that_is_not_known_is_named(body):
    files = {"main.tf": 'variable "body" {}\n' + stack(body)}
    assert "aws_cloudformation_stack.s is not read" in row_of(inventory(files), "main.tf").why
    assert any("aws_cloudformation_stack.s" in gap.missing for gap in inventory(files).gaps)
