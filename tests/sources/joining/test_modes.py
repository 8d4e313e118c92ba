# ruff: noqa: E501 - configurations are easier to read in one piece
"""The authentication mode of a cluster, and who made it: what EKS answers, what templates set, and what is the default."""

import json

import pytest

from tests.sources.worlds import inventory

ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
EXCERPT = {"cluster": {"name": "prod", "arn": ARN, "identity": {"oidc": {"issuer": ISSUER}}}}
WHOLE = {"cluster": {**EXCERPT["cluster"], "status": "ACTIVE", "platformVersion": "eks.12"}}
ENTRY = {"accessEntry": {"clusterName": "prod", "principalArn": "arn:aws:iam::111122223333:role/Ci", "type": "STANDARD"}}
FOUNDER = "arn:aws:iam::111122223333:role/teams/Founder"


def with_access(answer, **config):
    return {"cluster": {**answer["cluster"], "accessConfig": config}}


def terraform(access=""):
    return f'resource "aws_eks_cluster" "this" {{\n  name = "prod"\n  {access}\n}}\n'


def module(version, more=""):
    return f'module "eks" {{\n  source = "terraform-aws-modules/eks/aws"\n  version = "{version}"\n  cluster_name = "prod"\n  {more}\n}}\n'


def stack(**properties):
    return {"Resources": {"C": {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "prod", **properties}}}}


def eksctl(more=""):
    return f"apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: prod, region: eu-west-1}}\n{more}"


@pytest.mark.parametrize(
    ("documents", "mode"),
    [
        # https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html: older answers have no accessConfig
        ({"c.json": WHOLE}, "CONFIG_MAP"),
        # an excerpt shows nothing of it
        ({"c.json": EXCERPT}, ""),
        ({"c.json": with_access(WHOLE, authenticationMode="API")}, "API"),
        ({"c.json": with_access(WHOLE, bootstrapClusterCreatorAdminPermissions=True)}, ""),
        # EKS refuses entries in mode CONFIG_MAP, so that the answer must have been cut
        ({"c.json": WHOLE, "e.json": ENTRY}, ""),
        ({"c.json": WHOLE, "e.json": {"accessEntries": [ENTRY["accessEntry"]["principalArn"]]}}, ""),
        ({"c.json": WHOLE, "e.json": {"accessEntries": []}}, "CONFIG_MAP"),
        # a template is surer than the absence of a member, an answer than a template
        ({"c.json": WHOLE, "main.tf": terraform('access_config {\n authentication_mode = "API"\n}')}, "API"),
        ({"c.json": with_access(WHOLE, authenticationMode="API"), "main.tf": terraform()}, "API"),
    ],
)
def test_an_answer_of_eks_shows_the_mode_or_that_there_was_none_yet(documents, mode):
    assert [cluster.mode for cluster in inventory(documents).clusters] == [mode]


@pytest.mark.parametrize(
    ("documents", "mode"),
    [
        # https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessConfigRequest.html
        ({"main.tf": terraform()}, "CONFIG_MAP"),
        ({"main.tf": terraform("access_config {\n bootstrap_cluster_creator_admin_permissions = false\n}")}, "CONFIG_MAP"),
        ({"main.tf": 'variable "mode" {}\n' + terraform("access_config {\n authentication_mode = var.mode\n}")}, ""),
        (
            {
                "main.tf": 'variable "on" {}\n'
                + terraform('dynamic "access_config" {\n for_each = var.on\n content {\n authentication_mode = "API"\n}\n}')
            },
            "",
        ),
        ({"main.tf": module("19.21.0")}, "CONFIG_MAP"),
        ({"main.tf": module("20.8.5")}, "API_AND_CONFIG_MAP"),
        ({"main.tf": module("21.0.1", 'authentication_mode = "API"')}, "API"),
        ({"main.tf": 'variable "mode" {}\n' + module("21.0.1", "authentication_mode = var.mode")}, ""),
        ({"s.json": stack()}, "CONFIG_MAP"),
        ({"s.json": stack(AccessConfig={"BootstrapClusterCreatorAdminPermissions": True})}, "CONFIG_MAP"),
        ({"s.json": stack(AccessConfig={"AuthenticationMode": {"Ref": "Mode"}})}, ""),
        # https://docs.aws.amazon.com/eks/latest/eksctl/access-entries.html
        ({"c.yaml": eksctl()}, "API_AND_CONFIG_MAP"),
        ({"c.yaml": eksctl("accessConfig: {authenticationMode: CONFIG_MAP}\n")}, "CONFIG_MAP"),
        (
            {
                "a.json": {
                    "apiVersion": "eks.services.k8s.aws/v1alpha1",
                    "kind": "Cluster",
                    "metadata": {"name": "p"},
                    "spec": {"name": "prod"},
                }
            },
            "CONFIG_MAP",
        ),
        (
            {
                "x.json": {
                    "apiVersion": "eks.aws.upbound.io/v1beta1",
                    "kind": "Cluster",
                    "metadata": {"name": "prod"},
                    "spec": {"forProvider": {"region": "eu-west-1"}},
                }
            },
            "CONFIG_MAP",
        ),
        (
            {
                "x.json": {
                    "apiVersion": "eks.aws.upbound.io/v1beta1",
                    "kind": "Cluster",
                    "metadata": {"name": "prod"},
                    "spec": {"managementPolicies": ["Observe"], "forProvider": {"region": "eu-west-1"}},
                }
            },
            "",
        ),
        (
            {
                "Pulumi.yaml": {
                    "name": "x",
                    "runtime": "yaml",
                    "resources": {"c": {"type": "aws:eks:Cluster", "properties": {"name": "prod"}}},
                }
            },
            "CONFIG_MAP",
        ),
        (
            {
                "Pulumi.yaml": {
                    "name": "x",
                    "runtime": "yaml",
                    "resources": {
                        "c": {
                            "type": "aws:eks:Cluster",
                            "properties": {"name": "prod", "accessConfig": {"authenticationMode": "${cfg.mode}"}},
                        }
                    },
                }
            },
            "",
        ),
    ],
)
def test_a_template_that_sets_no_mode_makes_a_cluster_with_the_default_of_its_tool(documents, mode):
    assert [(cluster.name, cluster.mode) for cluster in inventory(documents).clusters] == [("prod", mode)]


def test_an_entry_of_a_template_overrules_the_default_of_the_cluster():
    entry = 'resource "aws_eks_access_entry" "ci" {\n  cluster_name = aws_eks_cluster.this.name\n  principal_arn = "arn:aws:iam::111122223333:role/Ci"\n}\n'
    assert [cluster.mode for cluster in inventory({"main.tf": terraform() + entry}).clusters] == [""]


@pytest.mark.parametrize(("access", "mode"), [("", "CONFIG_MAP"), ('access_config {\n authentication_mode = "API"\n}', "API")])
def test_a_cluster_whose_name_is_known_later_keeps_its_mode(access, mode):
    text = f'variable "name" {{}}\nresource "aws_eks_cluster" "this" {{\n  name = var.name\n  {access}\n}}\n'
    read = inventory({"main.tf": text})
    assert [(item.address, item.mode) for item in read.planned_clusters] == [("aws_eks_cluster.this", mode)]


def event(**more):
    session = {"sessionIssuer": {"type": "Role", "arn": FOUNDER}}
    identity = {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Founder/me", "sessionContext": session}
    return {
        "eventSource": "eks.amazonaws.com",
        "eventName": "CreateCluster",
        "eventTime": "2024-05-01T10:00:00Z",
        "userIdentity": identity,
        "requestParameters": {"name": "prod"},
        "responseElements": {"cluster": {"arn": ARN}},
        **more,
    }


USER = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"}


@pytest.mark.parametrize(
    ("document", "creator"),
    [
        (event(), FOUNDER),
        ({"Records": [event(userIdentity=USER)]}, USER["arn"]),
        ({"Events": [{"EventName": "CreateCluster", "CloudTrailEvent": json.dumps(event())}]}, FOUNDER),
        # the last one counts: a cluster of that name was deleted before
        ({"Records": [event(), event(userIdentity=USER, eventTime="2023-01-01T00:00:00Z")]}, FOUNDER),
        (event(responseElements=None), FOUNDER),
        (event(errorCode="ResourceInUseException"), ""),
        (event(eventSource="ecs.amazonaws.com"), ""),
        (event(eventName="DeleteCluster"), ""),
        (event(userIdentity=None, requestParameters=7), ""),
        ({"Events": [{"EventName": "CreateCluster", "CloudTrailEvent": "{"}, {"EventName": "x", "CloudTrailEvent": 7}]}, ""),
        (event(responseElements={"cluster": {"arn": ARN.replace("prod", "other")}}), ""),
    ],
)
def test_the_event_that_made_a_cluster_names_its_creator(document, creator):
    assert [cluster.creator for cluster in inventory({"c.json": WHOLE, "event.json": document}).clusters] == [creator]


def test_a_cluster_of_the_cdk_is_made_by_the_role_that_it_names():
    properties = {"Config": {"name": "prod"}, "AssumeRoleArn": {"Fn::GetAtt": ["CreationRole", "Arn"]}}
    text = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {"C": {"Type": "Custom::AWSCDK-EKS-Cluster", "Properties": properties}},
    }
    (cluster,) = inventory({"stack.json": text}).clusters
    assert (cluster.mode, cluster.creator) == ("CONFIG_MAP", "${CreationRole.Arn}")
