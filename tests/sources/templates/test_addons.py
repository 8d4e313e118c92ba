"""Add-ons of CloudFormation, and how their service accounts are judged."""

import pytest

from irsa_doctor.model import text_of
from irsa_doctor.sources.templates.addons import ADDON_ACCOUNTS
from tests.facts.situations import found
from tests.sources.worlds import ISSUER, cluster, inventory, provider_arn, service_account

HEAD = "Resources:\n"
ADDON = "  Addon:\n    Type: AWS::EKS::Addon\n    Properties: {ClusterName: prod, AddonName: NAME, MORE}\n"
ROLE = """\
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: storage
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal: {Federated: PROVIDER}
            Condition:
              StringEquals: {"ISSUER:sub": "system:serviceaccount:kube-system:ACCOUNT", "ISSUER:aud": sts.amazonaws.com}
"""


def stack(more: str, name: str = "aws-ebs-csi-driver", account: str = "ebs-csi-controller-sa") -> str:
    role = ROLE.replace("PROVIDER", provider_arn()).replace("ISSUER", ISSUER).replace("ACCOUNT", account)
    return HEAD + role + ADDON.replace("NAME", name).replace("MORE", more)


def rules(text: str, **more) -> set[str]:
    return {rule for rule, _ in found({"stack.yaml": text, "cluster.json": cluster(), **more})}


REFERENCES = ["!GetAtt Role.Arn", "{'Fn::GetAtt': [Role, Arn]}", "!Sub '${Role.Arn}'", "arn:aws:iam::111122223333:role/storage"]


@pytest.mark.parametrize("reference", REFERENCES)
def test_the_account_of_a_known_addon_is_judged_with_the_role_that_it_gets(reference):
    text = f"ServiceAccountRoleArn: {reference}"
    assert "trust-sub-mismatch" in rules(stack(text, account="other"))
    assert not {"trust-sub-mismatch", "role-missing"} & rules(stack(text))


def test_a_role_of_another_stack_is_not_known_to_be_this_one():
    assert "trust-sub-mismatch" not in rules(stack("ServiceAccountRoleArn: !ImportValue storage", account="other"))


def test_the_manifest_of_an_account_takes_precedence_over_the_addon():
    account = service_account("ebs-csi-controller-sa", "kube-system", "arn:aws:iam::111122223333:role/storage")
    documents = {"stack.yaml": stack("ServiceAccountRoleArn: !GetAtt Role.Arn"), "cluster.json": cluster(), "z.json": account}
    given = inventory(documents)
    assert [one.annotations for one in given.service_accounts] == [account["metadata"]["annotations"]]
    assert given.contradictions == ()


def test_of_an_addon_that_is_not_listed_only_the_annotation_is_judged():
    text = stack("ServiceAccountRoleArn: 'arn:aws:iam::111122223333:policy/x'", name="of-somebody")
    assert "role-arn-is-policy-arn" in rules(text)
    assert inventory({"stack.yaml": text}).service_accounts == ()
    assert "trust-sub-mismatch" not in rules(
        stack("ServiceAccountRoleArn: !GetAtt Role.Arn", name="of-somebody", account="other")
    )


@pytest.mark.parametrize(
    ("more", "namespace"),
    [("", "kube-system"), ("NamespaceConfig: {Namespace: storage},", "storage")],
)
def test_associations_of_an_addon_are_those_of_its_namespace(more, namespace):
    text = stack(f"{more} PodIdentityAssociations: [{{ServiceAccount: ebs-csi-controller-sa, RoleArn: !GetAtt Role.Arn}}]")
    (association,) = inventory({"stack.yaml": text}).associations
    assert (association.namespace, association.service_account) == (namespace, "ebs-csi-controller-sa")
    assert "trust-irsa-only-for-pod-identity" in rules(text)


def test_associations_that_a_parameter_fills_in_are_judged_with_their_role():
    text = (
        HEAD
        + ROLE.replace("PROVIDER", provider_arn()).replace("ISSUER", ISSUER)
        + (
            "  Association:\n    Type: AWS::EKS::PodIdentityAssociation\n"
            "    Properties: {ClusterName: !Ref C, Namespace: !Ref Space, ServiceAccount: app, RoleArn: !GetAtt Role.Arn}\n"
        )
    )
    (association,) = inventory({"stack.yaml": text}).associations
    assert text_of(association.cluster) == "${C}"
    assert "trust-irsa-only-for-pod-identity" in rules(text)


def test_every_account_of_an_addon_has_the_page_that_names_it():
    assert all(account.source.startswith("https://docs.aws.amazon.com/") for account in ADDON_ACCOUNTS.values())
