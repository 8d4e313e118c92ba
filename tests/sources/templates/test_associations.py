"""Target role, session tags and session policy of an association are read from every template, and holes stay unknown."""

import json

import pytest

from irsa_doctor.model import Text, text_of
from tests.sources.worlds import inventory

TARGET = "arn:aws:iam::444455556666:role/shared"
POLICY = {"Version": "2012-10-17", "Statement": []}


def terraform(**members):
    lines = "".join(f"  {name} = {value}\n" for name, value in members.items())
    names = '  cluster_name = "prod"\n  namespace = "a"\n  service_account = "x"\n'
    variable = 'variable "it" {}\n'
    return {"main.tf": f'{variable}resource "aws_eks_pod_identity_association" "x" {{\n{names}{lines}}}\n'}


def plan(unknown=(), expressions=(), **values):
    resource = {
        "address": "aws_eks_pod_identity_association.x",
        "type": "aws_eks_pod_identity_association",
        "name": "x",
        "values": {"cluster_name": "prod", "namespace": "a", "service_account": "x", **values},
    }
    change = {"actions": ["create"], "after": resource["values"], "after_unknown": dict.fromkeys(unknown, True)}
    configured = {
        "address": resource["address"],
        "type": resource["type"],
        "name": "x",
        "expressions": {name: {"references": ["aws_iam_role.shared.arn", "aws_iam_role.shared"]} for name in expressions},
    }
    document = {
        "format_version": "1.2",
        "terraform_version": "1.9.5",
        "planned_values": {"root_module": {"resources": [resource]}},
        "resource_changes": [{**resource, "change": change}],
        "configuration": {"root_module": {"resources": [configured]}},
    }
    return {"plan.json": document}


def cloudformation(**members):
    properties = {"ClusterName": "prod", "Namespace": "a", "ServiceAccount": "x", "RoleArn": TARGET, **members}
    resources = {"X": {"Type": "AWS::EKS::PodIdentityAssociation", "Properties": properties}}
    parameters = {"It": {"Type": "String"}}
    return {"template.json": {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": resources}}


def ack(**members):
    spec = {"clusterName": "prod", "namespace": "a", "serviceAccount": "x", "roleARN": TARGET, **members}
    kind = {"apiVersion": "eks.services.k8s.aws/v1alpha1", "kind": "PodIdentityAssociation"}
    return {"association.json": {**kind, "metadata": {"name": "x", "namespace": "b"}, "spec": spec}}


def eksctl(**members):
    item = {"namespace": "a", "serviceAccountName": "x", "roleARN": TARGET, **members}
    config = {"metadata": {"name": "prod", "region": "eu-west-1"}, "iam": {"podIdentityAssociations": [item]}}
    return {"cluster.json": {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig", **config}}


def pulumi(**members):
    properties = {"clusterName": "prod", "namespace": "a", "serviceAccount": "x", "roleArn": TARGET, **members}
    return {"Pulumi.yaml": {"name": "p", "runtime": "yaml", "resources": {"x": {"type": PULUMI, "properties": properties}}}}


PULUMI = "aws:eks:PodIdentityAssociation"


def module(**members):
    lines = "".join(f"      {name} = {value}\n" for name, value in members.items())
    names = '      cluster_name = "prod"\n      namespace = "a"\n      service_account = "x"\n'
    call = '  source = "terraform-aws-modules/eks-pod-identity/aws"\n  name = "x"\n'
    return {
        "main.tf": f'variable "it" {{}}\nmodule "x" {{\n{call}  associations = {{\n    x = {{\n{names}{lines}    }}\n  }}\n}}\n'
    }


def association(documents):
    (made,) = inventory(documents).associations
    return made


@pytest.mark.parametrize(
    "documents",
    [
        terraform(target_role_arn=f'"{TARGET}"', disable_session_tags="true", policy=f"jsonencode({json.dumps(POLICY)})"),
        plan(target_role_arn=TARGET, disable_session_tags=True, policy=json.dumps(POLICY)),
        cloudformation(TargetRoleArn=TARGET, DisableSessionTags=True, Policy=json.dumps(POLICY)),
        ack(targetRoleARN=TARGET, disableSessionTags=True, policy=json.dumps(POLICY)),
        eksctl(targetRoleARN=TARGET, disableSessionTags=True, policy=json.dumps(POLICY)),
        pulumi(targetRoleArn=TARGET, disableSessionTags=True, policy=json.dumps(POLICY)),
        pulumi(targetRoleArn=TARGET, disableSessionTags=True, policy={"fn::toJSON": POLICY}),
        module(target_role_arn=f'"{TARGET}"', disable_session_tags="true", policy=f"jsonencode({json.dumps(POLICY)})"),
    ],
    ids=["terraform", "plan", "cloudformation", "ack", "eksctl", "pulumi", "pulumi with a function", "module"],
)
def test_members_with_values_are_read(documents):
    made = association(documents)
    assert (made.target_role_arn, made.session_tags, made.narrowed) == (TARGET, False, True)


@pytest.mark.parametrize(
    "documents",
    [
        terraform(),
        plan(unknown=("disable_session_tags", "target_role_arn", "policy")),
        cloudformation(),
        ack(),
        eksctl(),
        pulumi(),
        module(),
    ],
    ids=["terraform", "plan", "cloudformation", "ack", "eksctl", "pulumi", "module"],
)
def test_what_a_template_leaves_out_is_as_aws_sets_it(documents):
    made = association(documents)
    assert (made.target_role_arn, made.session_tags, made.narrowed) == ("", True, False)


@pytest.mark.parametrize(
    "documents",
    [
        terraform(target_role_arn="var.it", disable_session_tags="var.it", policy="var.it"),
        plan(unknown=("disable_session_tags", "target_role_arn"), expressions=("target_role_arn", "disable_session_tags")),
        cloudformation(TargetRoleArn={"Ref": "It"}, DisableSessionTags={"Ref": "It"}, Policy={"Ref": "It"}),
        pulumi(targetRoleArn="${it}", disableSessionTags="${it}", policy="${it}"),
        pulumi(targetRoleArn={"fn::invoke": {}}, disableSessionTags={"fn::invoke": {}}),
        module(target_role_arn="var.it", disable_session_tags="var.it", policy="var.it"),
    ],
    ids=["terraform", "plan", "cloudformation", "pulumi", "pulumi with functions", "module"],
)
def test_what_a_template_fills_in_later_is_a_hole_and_no_absent_member(documents):
    made = association(documents)
    assert isinstance(made.target_role_arn, Text)
    assert isinstance(made.session_tags, Text)
    assert not made.narrowed
    assert text_of(made.target_role_arn).startswith("${")


@pytest.mark.parametrize("name", ["eks-pod-identity-agent", "vpc-cni"])
def test_an_add_on_of_a_template_is_one_of_its_cluster(name):
    pulumi = {"type": "aws:eks:Addon", "properties": {"clusterName": "prod", "addonName": name}}
    made = {"Type": "AWS::EKS::Addon", "Properties": {"ClusterName": "prod", "AddonName": name}}
    written = f'resource "aws_eks_addon" "x" {{\n  cluster_name = "prod"\n  addon_name = "{name}"\n}}\n'
    for documents in (
        {"Pulumi.yaml": {"name": "p", "runtime": "yaml", "resources": {"x": pulumi}}},
        {"template.json": {"Resources": {"X": made}}},
        {"main.tf": written},
    ):
        assert [(addon.cluster, addon.name) for addon in inventory(documents).addons] == [("prod", name)]
