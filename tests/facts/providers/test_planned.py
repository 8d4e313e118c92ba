"""OIDC providers that templates make, in an account that is not known."""

import pytest

from irsa_doctor.facts import View, derive
from irsa_doctor.facts.providers.provider import ProviderFacts
from irsa_doctor.model import Unknown
from tests.sources.templates.made import ISSUER
from tests.sources.worlds import inventory, policy

CLUSTER = "aws_eks_cluster.main.identity[0].oidc[0].issuer"


def provider(url, client_ids='["sts.amazonaws.com"]', more=""):
    inside = f"  url = {url}\n  client_id_list = {client_ids}\n{more}"
    return f'resource "aws_iam_openid_connect_provider" "main" {{\n{inside}}}\n'


def role(subject="system:serviceaccount:prod:app", audience="sts.amazonaws.com"):
    host = 'replace(aws_iam_openid_connect_provider.main.url, "https://", "")'
    return f"""resource "aws_iam_role" "app" {{
  assume_role_policy = jsonencode({{
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = aws_iam_openid_connect_provider.main.arn }}
      Condition = {{ StringEquals = {{ "${{{host}}}:sub" = "{subject}", "${{{host}}}:aud" = "{audience}" }} }}
    }}]
  }})
}}
"""


def judged(documents):
    (found,) = [item for item in derive(View(inventory(documents))) if isinstance(item.facts, ProviderFacts)]
    return found


@pytest.mark.parametrize("url", [CLUSTER, f'"https://{ISSUER}"', "module.eks.cluster_oidc_issuer_url"])
@pytest.mark.parametrize(
    ("client_ids", "audience"),
    [
        ('["sts.amazonaws.com"]', "there"),
        ('["sts.amazonaws.co"]', "missing"),
        ('["https://sts.amazonaws.com"]', "endpoint"),
        ('["sts.amazonaws.com.cn"]', "china"),
        ('["sts.eu-west-1.amazonaws.com"]', "endpoint"),
        ('["sts.amazonaws.com "]', "invisible"),
        ("[]", "missing"),
    ],
)
def test_the_client_ids_of_the_provider_of_a_cluster_have_the_audience_of_its_tokens(url, client_ids, audience):
    eks = 'module "eks" {\n  source = "terraform-aws-modules/eks/aws"\n  version = "~> 20.0"\n  enable_irsa = false\n}\n'
    found = judged({"main.tf": provider(url, client_ids), "eks.tf": eks if "module" in url else ""})
    assert found.facts.audience == audience
    assert found.id == "main.tf: aws_iam_openid_connect_provider.main"


def test_client_ids_that_are_not_known_are_unknown():
    assert isinstance(judged({"main.tf": provider(CLUSTER, "var.ids")}).facts.audience, Unknown)


@pytest.mark.parametrize(
    ("client_ids", "required", "audience"),
    [
        ('["sts.amazonaws.com"]', "sts.amazonaws.com", "there"),
        ('["sts.amazonaws.con"]', "sts.amazonaws.com", "missing"),
        ('["sts.amazonaws.com"]', "https://example.com", "there"),
        ('["https://example.com"]', "https://example.com", "there"),
    ],
)
def test_of_an_issuer_that_is_not_known_the_roles_say_which_audience_is_needed(client_ids, required, audience):
    found = judged({"main.tf": provider("var.issuer_url", client_ids) + role(audience=required)})
    assert found.facts.audience == audience


def test_a_provider_of_another_issuer_may_have_any_client_ids():
    found = judged({"main.tf": provider('"https://token.actions.githubusercontent.com"', '["https://github.com/acme"]')})
    assert (found.facts.audience, found.facts.issuer_form) == ("there", "other")


def test_url_and_thumbprints_are_judged():
    url = '"https://oidc-eks.eu-west-1.api.aws/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"'
    found = judged({"main.tf": provider(url, more='  thumbprint_list = ["x"]\n')})
    assert (found.facts.issuer_form, found.facts.thumbprints) == ("eks-dualstack", "malformed")


def test_a_provider_of_a_known_account_has_its_arn():
    given = inventory({"main.tf": provider(f'"https://{ISSUER}"')}, account="111122223333")
    assert [item.arn for item in given.providers] == [f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"]
    assert given.planned_providers == ()


def test_the_evidence_names_the_provider_and_its_client_ids():
    evidence = judged({"main.tf": provider(CLUSTER, '["a", "b\u200b"]')}).evidence()
    assert evidence.names["client_ids"] == "a, b\u200b"
    assert evidence.names["provider"] == "aws_iam_openid_connect_provider.main"
    assert evidence.place("aud").pointer.endswith("/client_id_list")


def test_a_provider_of_a_cloudformation_template_is_judged_too():
    template = {
        "Resources": {
            "Provider": {
                "Type": "AWS::IAM::OIDCProvider",
                "Properties": {"Url": {"Fn::GetAtt": ["Cluster", "OpenIdConnectIssuerUrl"]}, "ClientIdList": ["sts.amazonaws"]},
            },
            "Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {"RoleArn": "x"}},
        }
    }
    found = judged({"stack.json": template})
    assert found.facts.audience == "missing"


def test_the_provider_of_a_plan_is_judged_too():
    values = {"url": None, "client_id_list": ["sts.amazonaws.co"]}
    resource = {
        "address": "aws_iam_openid_connect_provider.main",
        "mode": "managed",
        "type": "aws_iam_openid_connect_provider",
        "values": values,
    }
    plan = {"planned_values": {"root_module": {"resources": [resource]}}, "resource_changes": [], "terraform_version": "1.9"}
    assert judged({"plan.json": plan}).facts.audience == "missing"


def test_policy_of_the_same_issuer_and_a_known_provider_is_no_planned_one():
    assert inventory({"role.json": policy()}).planned_providers == ()
