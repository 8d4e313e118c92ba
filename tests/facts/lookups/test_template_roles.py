import msgspec
import pytest

from irsa_doctor.facts.lookups.view import View
from tests.sources.worlds import ISSUER, inventory, policy, service_account

STACK = """\
Resources:
  App:
    Type: AWS::IAM::Role
    Properties:
      RoleName: app
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: pods.eks.amazonaws.com}, Action: ACTION}
  Association:
    Type: AWS::EKS::PodIdentityAssociation
    Properties: {ClusterName: prod, Namespace: prod, ServiceAccount: app, RoleArn: ROLE}
"""
CONFIGURATION = """\
resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ACTION, Principal = { Service = "pods.eks.amazonaws.com" } }]
  })
}
resource "aws_eks_pod_identity_association" "app" {
  cluster_name    = "prod"
  namespace       = "prod"
  service_account = "app"
  role_arn        = ROLE
}
"""
LITERAL = "arn:aws:iam::111122223333:role/app"


def stack(role: str, actions: str = "sts:AssumeRole") -> str:
    return STACK.replace("ROLE", role).replace("ACTION", actions)


def pod_identity(documents):
    lookups = View(inventory(documents))
    return {analysed.role.id: msgspec.to_builtins(analysed.judged.facts)["pod_identity"] for analysed in lookups.roles}


@pytest.mark.parametrize("role", ["!GetAtt App.Arn", "{'Fn::GetAtt': [App, Arn]}", "!Sub '${App.Arn}'", LITERAL])
def test_an_association_of_a_stack_is_joined_to_the_role_of_the_stack(role):
    assert pod_identity({"stack.yaml": stack(role)}) == {"stack.yaml: App": "no-tags"}
    right = stack(role, '["sts:AssumeRole", "sts:TagSession"]')
    assert pod_identity({"stack.yaml": right}) == {"stack.yaml: App": "served"}


@pytest.mark.parametrize("role", ["aws_iam_role.app.arn", '"${aws_iam_role.app.arn}"', f'"{LITERAL}"'])
def test_an_association_of_a_configuration_is_joined_to_its_role(role):
    text = CONFIGURATION.replace("ROLE", role).replace("ACTION", '"sts:AssumeRole"')
    assert pod_identity({"main.tf": text}) == {"main.tf: aws_iam_role.app": "no-tags"}


def test_a_reference_means_the_role_of_its_own_stack():
    right = stack("!GetAtt App.Arn", '["sts:AssumeRole", "sts:TagSession"]').replace("Namespace: prod", "Namespace: other")
    documents = {"a.yaml": stack("!GetAtt App.Arn"), "b.yaml": right}
    assert pod_identity(documents) == {"a.yaml: App": "no-tags", "b.yaml: App": "served"}


@pytest.mark.parametrize("role", ["!ImportValue app-role", "!Ref RoleArn", "arn:aws:iam::111122223333:role/team/app"])
def test_a_role_of_somewhere_else_is_joined_to_none(role):
    assert pod_identity({"stack.yaml": stack(role)}) == {"stack.yaml: App": "none"}


def _planned(name: str = "app", account: str = "111122223333") -> dict:
    properties = {"RoleName": name, "AssumeRolePolicyDocument": policy(account=account)}
    return {"Resources": {"App": {"Type": "AWS::IAM::Role", "Properties": properties}}}


def test_a_planned_role_has_the_arn_of_its_name_and_the_account_of_its_provider():
    view = View(inventory({"stack.json": _planned(), "account.json": service_account(arn=LITERAL)}))
    assert view.role_by_arn[LITERAL].role.address == "App"
    assert ISSUER in str(view.role_by_arn[LITERAL].by_provider)


def test_a_planned_role_of_another_account_or_of_two_stacks_has_no_arn():
    assert LITERAL not in View(inventory({"stack.json": _planned(account="444455556666")})).role_by_arn
    assert LITERAL not in View(inventory({"a.json": _planned(), "b.json": _planned()})).role_by_arn
