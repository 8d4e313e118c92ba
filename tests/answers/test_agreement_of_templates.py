"""`why` and `check` name the same cause for a role that a template makes, though nobody knows the issuer yet."""

import json

import pytest

from irsa_doctor import api
from irsa_doctor.governance.settings import Settings

OWN = "system:serviceaccount:prod:app"
PAIRS = {
    "two variables": ("var.provider_arn", "${var.issuer}"),
    "two outputs of a module": ("module.cluster.oidc_arn", '${replace(module.cluster.oidc_url, "https://", "")}'),
    "two parameters of a store": ("data.aws_ssm_parameter.arn.value", "${data.aws_ssm_parameter.url.value}"),
}
WHOLE = {"one provider": ("aws_iam_openid_connect_provider.p.arn", "${aws_iam_openid_connect_provider.p.url}")}
AUDIENCE = '"KEY:aud" = "sts.amazonaws.com"'
SLIPS = {
    "other subject": (f'"KEY:sub" = "system:serviceaccount:prod:other", {AUDIENCE}', "trust-sub-mismatch"),
    "other namespace": (f'"KEY:sub" = "system:serviceaccount:test:app", {AUDIENCE}', "sa-namespace-mismatch"),
    "wildcard": (f'"KEY:sub" = "system:serviceaccount:prod:*", {AUDIENCE}', "trust-stringequals-wildcard"),
    "prefix": (f'"KEY:sub" = "serviceaccount:prod:app", {AUDIENCE}', None),
}


def template(principal, key, conditions):
    return f"""
variable "provider_arn" {{}}
variable "issuer" {{}}
module "cluster" {{
  source = "./elsewhere"
}}
data "aws_eks_cluster" "c" {{
  name = "shop"
}}
resource "aws_iam_openid_connect_provider" "p" {{
  url            = data.aws_eks_cluster.c.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}}
resource "aws_iam_role" "app" {{
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
    Effect    = "Allow"
    Action    = "sts:AssumeRoleWithWebIdentity"
    Principal = {{ Federated = {principal} }}
    Condition = {{ StringEquals = {{ {conditions.replace("KEY", key)} }} }}
  }}] }})
}}
resource "kubernetes_service_account" "app" {{
  metadata {{
    name        = "app"
    namespace   = "prod"
    annotations = {{ "eks.amazonaws.com/role-arn" = aws_iam_role.app.arn }}
  }}
}}
"""


def rules_of_check(folder):
    report = api.check([str(folder)], settings=Settings())
    return [finding.rule for finding in report.findings if finding.severity in ("critical", "high")]


def diagnosis_of(folder):
    return api.why("prod/app", [str(folder)])


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("pair", {**PAIRS, **WHOLE})
def test_both_name_the_cause_of_a_slip_and_are_certain_only_of_one_issuer(pair, slip, tmp_path):
    principal, key = {**PAIRS, **WHOLE}[pair]
    conditions, rule = SLIPS[slip]
    (tmp_path / "main.tf").write_text(template(principal, key, conditions))
    rules = rules_of_check(tmp_path)
    diagnosis = diagnosis_of(tmp_path)
    causes = {cause.id: cause.certainty for cause in diagnosis.causes}
    assert set(rules) & set(causes)
    assert rule is None or (rule in rules and rule in causes)
    link = next(link for link in diagnosis.links if link.id == "trust-policy")
    if pair in PAIRS:
        assert "certain" not in {causes.get(found) for found in rules}
        assert (diagnosis.verdict, link.verdict) == ("unknown", "unknown")
    else:
        assert (diagnosis.verdict, link.verdict) == ("broken", "fail")


@pytest.mark.parametrize("pair", {**PAIRS, **WHOLE})
def test_a_right_policy_passes_no_link_before_the_issuer_is_known(pair, tmp_path):
    principal, key = {**PAIRS, **WHOLE}[pair]
    right = f'"KEY:sub" = "{OWN}", "KEY:aud" = "sts.amazonaws.com"'
    (tmp_path / "main.tf").write_text(template(principal, key, right))
    assert rules_of_check(tmp_path) == []
    diagnosis = diagnosis_of(tmp_path)
    link = next(link for link in diagnosis.links if link.id == "trust-policy")
    assert (diagnosis.verdict, diagnosis.causes) == ("unknown", ())
    assert link.verdict == "unknown"
    assert link.because.startswith(f"it admits {OWN} with the audience sts.amazonaws.com")


def test_a_hole_in_the_subject_leaves_the_link_open(tmp_path):
    principal, key = PAIRS["two variables"]
    (tmp_path / "main.tf").write_text(template(principal, key, '"KEY:sub" = "system:serviceaccount:${var.ns}:app"'))
    assert rules_of_check(tmp_path) == []
    link = next(link for link in diagnosis_of(tmp_path).links if link.id == "trust-policy")
    assert link.verdict in ("unknown", "skipped")


def test_the_stack_of_a_role_and_of_the_account_that_names_it_agree(tmp_path):
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": {"Ref": "ProviderArn"}},
        "Condition": {"Fn::GetAtt": ["Conditions", "Value"]},
    }
    value = '{"StringEquals": {"${Issuer}:sub": "system:serviceaccount:prod:other"}}'
    manifest = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "app", "namespace": "prod", "annotations": {"eks.amazonaws.com/role-arn": "ARN"}},
    }
    before, after = json.dumps(manifest).split("ARN")
    resources = {
        "Conditions": {"Type": "Custom::AWSCDKCfnJson", "Properties": {"Value": {"Fn::Sub": value}}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [statement]}}},
        "Account": {
            "Type": "Custom::AWSCDK-EKS-KubernetesResource",
            "Properties": {"Manifest": {"Fn::Join": ["", [before, {"Fn::GetAtt": ["Role", "Arn"]}, after]]}},
        },
    }
    (tmp_path / "stack.json").write_text(json.dumps({"Resources": resources}))
    assert "trust-sub-mismatch" in rules_of_check(tmp_path)
    assert [cause.id for cause in diagnosis_of(tmp_path).causes] == ["trust-sub-mismatch"]
