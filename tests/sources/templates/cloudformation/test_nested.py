"""Nested stacks whose templates are in the input: each is read with what the stack around it gives to it."""

import json

import pytest

from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, roles_of, row_of
from tests.sources.templates.terraform.test_stacks import template
from tests.sources.worlds import inventory

EVERY = "system:serviceaccount:*:*"
KINDS = ["AWS::CloudFormation::Stack: TemplateURL", "AWS::Serverless::Application: Location"]


def around(subject, url="roles.yaml", kind=KINDS[0], name="Inner", before=""):
    resource, _, source = kind.partition(": ")
    properties = f"{{{source}: {url}, Parameters: {{Subject: {subject}}}}}"
    head = f"AWSTemplateFormatVersion: '2010-09-09'\n{before}Resources:\n"
    return head + f"  {name}:\n    Type: {resource}\n    Properties: {properties}\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("subject", "before"),
    [
        (f"'{EVERY}'", ""),
        ("!Ref S", f"Parameters: {{S: {{Type: String, Default: '{EVERY}'}}}}\n"),
        ("!Sub 'system:serviceaccount:${S}:*'", "Parameters: {S: {Type: String, Default: '*'}}\n"),
    ],
)
def test_a_nested_stack_is_judged_with_the_parameters_it_is_given(subject, before, kind):
    files = {"main.yaml": around(subject, kind=kind, before=before), "roles.yaml": template()}
    (role,) = inventory(files).roles
    assert "in the stack Inner of main.yaml" in role.case
    assert ("open-sub-star", "roles.yaml: App#0") in found(files)
    assert not inventory(files).gaps
    assert "not read" not in (row_of(inventory(files), "main.yaml").why or "")


def test_a_path_is_that_of_the_folder_of_the_template():
    files = {"a/main.yaml": around(f"'{EVERY}'", "../b/roles.yaml"), "b/roles.yaml": template()}
    assert ("open-sub-star", "b/roles.yaml: App#0") in found(files)


def test_a_stack_in_a_stack_in_a_stack_is_given_what_the_first_has():
    middle = around("!Ref Subject", before="Parameters: {Subject: {Type: String}}\n", name="Deep")
    files = {"main.yaml": around(f"'{EVERY}'", "middle.yaml"), "middle.yaml": middle, "roles.yaml": template()}
    assert ("open-sub-star", "roles.yaml: App#0") in found(files)


def test_a_stack_of_itself_ends():
    files = {"main.yaml": around("a", "main.yaml"), "a.yaml": around("a", "b.yaml"), "b.yaml": around("a", "a.yaml")}
    assert row_of(inventory(files), "a.yaml").status in ("ignored", "read")


BUCKET = "https://${Bucket}.s3.amazonaws.com/${Prefix}templates/roles.yaml"
DIGEST = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "metadata", "file"),
    [
        (f"!Sub '{BUCKET}'", "", "templates/roles.yaml"),
        (f"!Sub ['{BUCKET}', {{Bucket: !If [Own, a, b]}}]", "", "templates/roles.yaml"),
        ("!Join ['', ['https://', !Ref Bucket, '.s3.amazonaws.com/templates/roles.yaml']]", "", "templates/roles.yaml"),
        ("file://templates/roles.yaml", "", "templates/roles.yaml"),
        (f"'https://s3.amazonaws.com/bucket/{DIGEST}.template'", "", f"{DIGEST}.template"),
        ("!Join ['', [!Ref Asset, '/0123.json']]", "Metadata: {'aws:asset:path': Inner.nested.template.json}", None),
    ],
)
def test_the_address_of_a_packaged_template_is_that_of_the_file_in_the_input(url, metadata, file):
    main = around(f"'{EVERY}'", url).rstrip("\n") + f"\n    {metadata}\n"
    name = file or "Inner.nested.template.json"
    files = {"main.yaml": main, name: template(), "other/roles.txt": "x"}
    assert ("open-sub-star", f"{name}: App#0") in found(files)
    assert "not read" not in (row_of(inventory(files), "main.yaml").why or "")


def test_of_two_files_that_end_alike_none_is_taken_unless_one_is_nearer():
    main = around(f"'{EVERY}'", f"!Sub '{BUCKET}'")
    other = {"b/templates/roles.yaml": template(), "c/templates/roles.yaml": template()}
    assert "not read by itself" in row_of(inventory({"a/main.yaml": main, **other}), "a/main.yaml").why
    assert ("open-sub-star", "b/templates/roles.yaml: App#0") in found({"b/main.yaml": main, **other})


PARTS = """\
Parameters: {Cluster: {Type: String}, Space: {Type: String}, Issuer: {Type: String}}
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties: {Url: !Ref Issuer, ClientIdList: [sts.amazonaws.com]}
  Own: {Type: AWS::EKS::Cluster, Properties: {Name: !Ref Cluster}}
  Link:
    Type: AWS::EKS::PodIdentityAssociation
    Properties: {ClusterName: !Ref Cluster, Namespace: !Ref Space, ServiceAccount: web, RoleArn: !GetAtt Own.RoleArn}
  Account:
    Type: AWSQS::Kubernetes::Resource
    Properties:
      Namespace: !Ref Space
      Manifest: {apiVersion: v1, kind: ServiceAccount, metadata: {name: app, annotations: {eks.amazonaws.com/role-arn: x}}}
"""


def with_parts(*stacks):
    resources = "".join(
        f"  {name}:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: parts.yaml\n"
        f"      Parameters: {{Cluster: {name.lower()}, Space: {space}, Issuer: 'https://{ISSUER}{number}'}}\n"
        for number, (name, space) in enumerate(stacks)
    )
    return {"main.yaml": f"AWSTemplateFormatVersion: '2010-09-09'\nResources:\n{resources}", "parts.yaml": PARTS}


def test_all_that_a_nested_stack_makes_has_the_parameters_of_the_stack_around_it():
    inside = inventory(with_parts(("Shop", "prod")))
    assert [provider.issuer for provider in inside.planned_providers] == [f"{ISSUER}0"]
    assert [cluster.name for cluster in inside.clusters] == ["shop"]
    assert [(link.cluster, link.namespace) for link in inside.associations] == [("shop", "prod")]
    assert [account.namespace for account in inside.service_accounts] == ["prod"]


def test_two_stacks_of_one_template_make_two_of_each():
    inside = inventory(with_parts(("Shop", "prod"), ("Blog", "live")))
    assert len(inside.planned_providers) == len(inside.associations) == len(inside.service_accounts) == 2


BODY = json.dumps(
    json.dumps(
        {
            "Parameters": {"Subject": {"Type": "String"}},
            "Resources": {
                "App": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "AssumeRolePolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Principal": {"Federated": PROVIDER},
                                    "Action": "sts:AssumeRoleWithWebIdentity",
                                    "Condition": {
                                        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
                                        "StringLike": {f"{ISSUER}:sub": {"Ref": "Subject"}},
                                    },
                                }
                            ],
                        }
                    },
                }
            },
        }
    )
)


def test_the_template_in_a_stack_set_has_the_parameters_of_the_set():
    pair = f"{{ParameterKey: Subject, ParameterValue: '{EVERY}'}}"
    set_ = f"Type: AWS::CloudFormation::StackSet\n    Properties:\n      Parameters: [{pair}]\n      TemplateBody: {BODY}"
    files = {"main.yaml": f"AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Set:\n    {set_}\n"}
    (role,) = inventory(files).roles
    assert role.case == "(in the stack set Set)"
    assert ("open-sub-star", "main.yaml: App#0") in found(files)
    assert not inventory(files).gaps
    assert "not read" not in (row_of(inventory(files), "main.yaml").why or "")


def test_a_stack_set_with_a_template_elsewhere_is_named():
    set_ = "Type: AWS::CloudFormation::StackSet\n    Properties: {TemplateURL: 'https://example.com/irsa.yaml'}"
    files = {"main.yaml": f"AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Set:\n    {set_}\n"}
    assert "https://example.com/irsa.yaml" in row_of(inventory(files), "main.yaml").why


@pytest.mark.parametrize("url", ["'https://example.com/roles.yaml'", "s3://bucket/roles.yaml", "other.yaml", "!Ref Url"])
def test_a_template_elsewhere_is_named_and_the_file_is_read_alone(url):
    files = {"main.yaml": around(f"'{EVERY}'", url), "roles.yaml": template()}
    (made,) = roles_of(files).values()
    assert conditions(made)["StringLike"][f"{ISSUER}:sub"] == "${Subject}"
    assert "the nested stack Inner is not read by itself" in row_of(inventory(files), "main.yaml").why
