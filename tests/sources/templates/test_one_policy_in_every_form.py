"""One trust policy, written as each template language wants its texts escaped, is one policy."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from irsa_doctor.model import Unknown
from tests.sources.templates.made import told
from tests.sources.worlds import inventory

Form = Callable[[Any], dict[str, str]]
"""(a policy) -> the documents that make a role of it"""

_PIECES = [
    "app",
    ":",
    "*",
    "?",
    "/",
    " ",
    "-",
    "'",
    '"',
    "\\",
    "\n",
    "\t",
    "#",
    "~",
    "%",
    "$",
    "é",
    "\u2028",
    "\U0001f511",
    ",",
]
_VARIABLES = ["${aws:PrincipalTag/team}", "${sts:RoleSessionName}", "${*}", "${?}", "${$}"]
_TEXTS = st.lists(st.sampled_from(_PIECES) | st.sampled_from(_VARIABLES), min_size=1, max_size=6).map("".join)
VALUES = _TEXTS.filter(lambda text: "$$" not in text)  # before a variable the sign would be part of its escape


def _policy(subjects: list[str], tag: str) -> dict[str, Any]:
    condition = {"StringLike": {"a.example:sub": subjects}, "StringNotEquals": {tag: "x"}}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn"}, "Condition": condition}],
    }


_KEYS = VALUES.filter(lambda text: "$" not in text)  # IAM puts nothing into keys
POLICIES = st.builds(_policy, st.lists(VALUES, min_size=1, max_size=3), _KEYS)


def _as_template(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _hcl(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_hcl(name)} = {_hcl(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_hcl, value)) + "]"
    return _as_template(json.dumps(value, ensure_ascii=False))


def _resource(policy: str) -> str:
    return f'resource "aws_iam_role" "app" {{\n  assume_role_policy = {policy}\n}}\n'


def _terraform_json(policy: str) -> dict[str, str]:
    return {"main.tf.json": json.dumps({"resource": {"aws_iam_role": {"app": {"assume_role_policy": policy}}}})}


def _cloudformation(policy: Any) -> dict[str, Any]:
    return {"Resources": {"App": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}}}


def _pulumi(policy: Any) -> dict[str, str]:
    role = {"type": "aws:iam:Role", "properties": {"assumeRolePolicy": policy}}
    return {"Pulumi.yaml": yaml.safe_dump({"name": "shop", "runtime": "yaml", "resources": {"app": role}})}


def _crossplane(policy: str) -> dict[str, str]:
    role = {"apiVersion": "iam.aws.upbound.io/v1beta1", "kind": "Role", "metadata": {"name": "app"}}
    return {"role.yaml": yaml.safe_dump({**role, "spec": {"forProvider": {"assumeRolePolicy": policy}}})}


def _planned(policy: str) -> dict[str, str]:
    resource = {"address": "aws_iam_role.app", "mode": "managed", "type": "aws_iam_role", "name": "app"}
    change = {"actions": ["create"], "before": None, "after": {"assume_role_policy": policy}, "after_unknown": {}}
    planned = {"root_module": {"resources": [{**resource, "values": change["after"]}]}}
    changes = [{**resource, "change": change}]
    return {"plan.json": json.dumps({"format_version": "1.2", "planned_values": planned, "resource_changes": changes})}


FORMS: dict[str, Form] = {
    "jsonencode": lambda policy: {"main.tf": _resource(f"jsonencode({_hcl(policy)})")},
    "a quoted text": lambda policy: {"main.tf": _resource(_hcl(json.dumps(policy)))},
    "a heredoc": lambda policy: {"main.tf": _resource(f"<<END\n{_as_template(json.dumps(policy, indent=1))}\nEND")},
    "a local": lambda policy: {
        "main.tf": f"locals {{\n  policy = {_hcl(policy)}\n}}\n" + _resource("jsonencode(local.policy)")
    },
    "a variable": lambda policy: {
        "main.tf": f'variable "policy" {{\n  default = {_hcl(json.dumps(policy))}\n}}\n' + _resource("var.policy")
    },
    "a file": lambda policy: {"main.tf": _resource('file("trust.json")'), "trust.json": json.dumps(policy)},
    "a file that is a template": lambda policy: {
        "main.tf": _resource('templatefile("trust.tpl", {})'),
        "trust.tpl": _as_template(json.dumps(policy)),
    },
    "Terraform's JSON": lambda policy: _terraform_json(_as_template(json.dumps(policy))),
    "an expression in Terraform's JSON": lambda policy: _terraform_json(f"${{jsonencode({_hcl(policy)})}}"),
    "a plan": lambda policy: _planned(json.dumps(policy)),
    "CloudFormation in JSON": lambda policy: {"app.json": json.dumps(_cloudformation(policy))},
    "CloudFormation in YAML": lambda policy: {"app.yaml": yaml.safe_dump(_cloudformation(policy))},
    "Fn::Sub": lambda policy: {"app.json": json.dumps(_cloudformation({"Fn::Sub": json.dumps(policy).replace("${", "${!")}))},
    "Fn::Join": lambda policy: {"app.json": json.dumps(_cloudformation({"Fn::Join": ["", list(json.dumps(policy))]}))},
    "Pulumi, as a text": lambda policy: _pulumi(json.dumps(policy).replace("$", "$$")),
    "Pulumi, as an object": lambda policy: _pulumi(json.loads(json.dumps(policy).replace("$", "$$"))),
    "Crossplane": lambda policy: _crossplane(json.dumps(policy)),
}


@pytest.mark.parametrize("form", FORMS)
@given(POLICIES)
@example(_policy(['"$app'], "app"))
def test_a_policy_is_read_as_it_was_before_it_was_escaped(form, policy):
    given = inventory(FORMS[form](policy))
    roles = [role for role in given.roles if not isinstance(role.policy, Unknown)]
    assert [told(role.policy.document) for role in roles] == [policy], given.documents
