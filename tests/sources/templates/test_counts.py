# ruff: noqa: E501 - configurations are easier to read in one piece
"""What every kind of template makes is counted, and what is not read is named."""

import json

import pytest
import yaml

from irsa_doctor.model import text_of
from tests.facts.situations import found
from tests.sources.templates.made import row_of, written_at
from tests.sources.templates.terraform.test_plan import change, configured, plan, resource
from tests.sources.worlds import inventory, loaded

ROLE_ARN = "eks.amazonaws.com/role-arn"
UNRESOLVED = "arn:aws:iam::111122223333:rol/app"


def counts(documents):
    made = inventory(documents)
    return {
        "providers": len(made.providers) + len(made.planned_providers),
        "clusters": len(made.clusters) + len(made.planned_clusters),
        "accounts": len(made.service_accounts) + sum(account.planned for account in made.account_templates),
        "associations": len(made.associations),
        "roles": len(made.roles),
    }


def counted(documents, **numbers):
    return counts(documents) == {"providers": 0, "clusters": 0, "accounts": 0, "associations": 0, "roles": 0, **numbers}


def stack(**resources):
    return json.dumps({"Resources": resources})


def of_type(kind, **properties):
    return {"Type": kind, "Properties": properties}


@pytest.mark.parametrize(
    "cluster",
    [
        of_type("AWS::EKS::Cluster", Name="shop"),
        of_type("AWS::EKS::Cluster"),
        of_type("AWS::EKS::Cluster", Name={"Fn::Sub": "${AWS::StackName}-eks"}),
        of_type("AWSQS::EKS::Cluster", Name="shop"),
        of_type("AWSQS::EKS::Cluster"),
        of_type("Custom::AWSCDK-EKS-Cluster", Config={"name": "shop"}),
        of_type("Custom::AWSCDK-EKS-Cluster", Config={"roleArn": "x"}),
    ],
)
def test_a_cluster_of_cloudformation_counts_whatever_its_name_is(cluster):
    assert counted({"t.json": stack(C=cluster)}, clusters=1)


@pytest.mark.parametrize(
    "document",
    [
        {
            "apiVersion": "eks.aws.upbound.io/v1beta1",
            "kind": "Cluster",
            "metadata": {"name": "${x}"},
            "spec": {"forProvider": {}},
        },
        {
            "apiVersion": "eks.services.k8s.aws/v1alpha1",
            "kind": "Cluster",
            "metadata": {"name": "shop"},
            "spec": {"name": "shop"},
        },
        {"name": "p", "runtime": "yaml", "resources": {"c": {"type": "eks:Cluster", "properties": {}}}},
        {"name": "p", "runtime": "yaml", "resources": {"c": {"type": "aws:eks:Cluster", "properties": {"name": "shop"}}}},
        {"terraform_version": "1", "values": {"root_module": {"resources": [resource("awscc_eks_cluster", "c", {})]}}},
    ],
)
def test_a_cluster_of_other_templates_counts_too(document):
    assert counted({"t.yaml": yaml.dump(document)}, clusters=1)


@pytest.mark.parametrize(
    ("api", "spec"),
    [
        ("iam.aws.upbound.io/v1beta1", {"forProvider": {"clientIdList": ["sts.amazonaws.co"]}}),
        ("iam.aws.m.upbound.io/v1beta1", {"forProvider": {"clientIdList": ["sts.amazonaws.co"], "url": "${url}"}}),
        ("iam.aws.crossplane.io/v1beta1", {"forProvider": {"clientIDList": ["sts.amazonaws.co"], "urlRef": {"name": "x"}}}),
        ("iam.services.k8s.aws/v1alpha1", {"clientIDs": ["sts.amazonaws.co"], "url": "https://${schema.spec.issuer}"}),
    ],
)
def test_a_provider_whose_issuer_is_filled_in_later_counts_and_is_judged(api, spec):
    document = {"apiVersion": api, "kind": "OpenIDConnectProvider", "metadata": {"name": "p"}, "spec": spec}
    text = yaml.dump(document)
    assert counted({"t.yaml": text}, providers=1)
    assert [rule for rule, _ in found({"t.yaml": text})] == ["aud-not-in-clientids"]


def test_the_cluster_of_the_package_eks_of_pulumi_has_a_provider():
    component = {"type": "eks:Cluster", "properties": {"createOidcProvider": True}}
    assert counted({"Pulumi.yaml": yaml.dump({"name": "p", "resources": {"c": component}})}, clusters=1, providers=1)


MANIFEST = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "app", "namespace": "prod", "annotations": {ROLE_ARN: UNRESOLVED}},
}
NAMELESS = {**MANIFEST, "metadata": {"name": "app", "annotations": {ROLE_ARN: UNRESOLVED}}}
VALUES = {"serviceAccount": {"create": True, "name": "app", "annotations": {ROLE_ARN: UNRESOLVED}}}
STEPS = {"serviceAccount.name": "app", "serviceAccount.annotations": {ROLE_ARN: UNRESOLVED}}
RESOURCES = {
    "CDK": of_type("Custom::AWSCDK-EKS-KubernetesResource", Manifest=json.dumps([MANIFEST])),
    "CDK, joined": of_type(
        "Custom::AWSCDK-EKS-KubernetesResource",
        Manifest={"Fn::Join": ["", [json.dumps([MANIFEST])[:-2], ',"x":"', {"Ref": "Other"}, '"}]']]},
    ),
    "object": of_type("AWSQS::Kubernetes::Resource", Manifest=MANIFEST),
    "YAML": of_type("AWSQS::Kubernetes::Resource", Manifest=yaml.dump(MANIFEST)),
    "namespace of the resource": of_type("AWSQS::Kubernetes::Resource", Namespace="prod", Manifest=NAMELESS),
    "namespace of the resource, YAML": of_type("AWSQS::Kubernetes::Resource", Namespace="prod", Manifest=yaml.dump(NAMELESS)),
    "namespace of the manifest": of_type("AWSQS::Kubernetes::Resource", Namespace="other", Manifest=MANIFEST),
    "chart of the CDK": of_type("Custom::AWSCDK-EKS-HelmChart", Namespace="prod", Values=json.dumps(VALUES)),
    "chart": of_type("AWSQS::Kubernetes::Helm", Namespace="prod", Values=STEPS),
    "chart with YAML": of_type("AWSQS::Kubernetes::Helm", Namespace="prod", ValueYaml=yaml.dump(VALUES)),
}


@pytest.mark.parametrize("form", RESOURCES)
def test_service_accounts_that_cloudformation_applies_to_a_cluster_are_read(form):
    documents = {"t.json": json.dumps({"Resources": {"Made": RESOURCES[form]}}, indent=1)}
    given = loaded(documents)
    (account,) = given.inventory.service_accounts
    assert (account.namespace, account.name, text_of(account.annotations[ROLE_ARN])) == ("prod", "app", UNRESOLVED)
    assert ("role-arn-malformed", "unknown-cluster/prod/app") in found(documents)
    line = written_at(given, account.place.at("metadata", "annotations", ROLE_ARN))
    # of what functions put together, where they begin
    assert UNRESOLVED in line or (form == "CDK, joined" and line == "[")


def test_the_role_that_a_manifest_of_the_cdk_names_is_the_one_of_the_stack():
    text = json.dumps([MANIFEST]).split(UNRESOLVED)
    manifest = {"Fn::Join": ["", [text[0], {"Fn::GetAtt": ["Role", "Arn"]}, text[1]]]}
    trust = {"Version": "2012-10-17", "Statement": []}
    documents = {
        "t.json": stack(
            Role=of_type("AWS::IAM::Role", AssumeRolePolicyDocument=trust),
            Made=of_type("Custom::AWSCDK-EKS-KubernetesResource", Manifest=manifest),
        )
    }
    (account,) = inventory(documents).service_accounts
    assert text_of(account.annotations[ROLE_ARN]) == "${Role.Arn}"


AWSCC = """
resource "awscc_eks_cluster" "c" {}
resource "awscc_iam_oidc_provider" "p" {
  url            = awscc_eks_cluster.c.open_id_connect_issuer_url
  client_id_list = ["sts.amazonaws.com"]
}
resource "awscc_iam_role" "r" {
  role_name = "r"
  assume_role_policy_document = jsonencode({ Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
    Principal = { Federated = awscc_iam_oidc_provider.p.arn }
    Condition = { StringEquals = {
      "${replace(awscc_eks_cluster.c.open_id_connect_issuer_url, "https://", "")}:aud" = "sts.amazonaws.com"
    } }
  }] })
}
resource "awscc_eks_pod_identity_association" "a" {
  cluster_name    = "shop"
  namespace       = "prod"
  service_account = "app"
  role_arn        = awscc_iam_role.r.arn
}
"""


def test_the_provider_made_of_cloudformation_types_is_read_like_the_other():
    assert counted({"main.tf": AWSCC}, clusters=1, providers=1, roles=1, associations=1)
    rules = {rule for rule, _ in found({"main.tf": AWSCC})}
    assert {"open-aud-only", "trust-irsa-only-for-pod-identity"} <= rules


ANNOTATED = (
    'resource "kubernetes_annotations" "a" {\n  kind = "KIND"\n  metadata {\n    name = "app"\n    namespace = "prod"\n  }\n'
    f'  annotations = {{ "{ROLE_ARN}" = "{UNRESOLVED}" }}\n}}\n'
)


def test_annotations_that_terraform_adds_to_a_service_account_are_read():
    assert ("role-arn-malformed", "unknown-cluster/prod/app") in found({"main.tf": ANNOTATED.replace("KIND", "ServiceAccount")})
    assert counted({"main.tf": ANNOTATED.replace("KIND", "Deployment")})


def test_an_account_of_terraform_whose_name_is_filled_in_later_counts_and_its_annotation_is_judged():
    text = f'resource "kubernetes_service_account" "a" {{\n  metadata {{\n    name = var.name\n    annotations = {{ "{ROLE_ARN}" = "{UNRESOLVED}" }}\n  }}\n}}\n'
    assert counted({"main.tf": text}, accounts=1)
    assert [rule for rule, _ in found({"main.tf": text})] == ["role-arn-malformed"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("kubernetes_manifest", {"manifest": MANIFEST}),
        ("kubectl_manifest", {"yaml_body": yaml.dump(MANIFEST)}),
        ("helm_release", {"namespace": "prod", "values": [yaml.dump(VALUES)]}),
        (
            "helm_release",
            {
                "namespace": "prod",
                "set": [
                    {"name": "serviceAccount.name", "value": "app"},
                    {"name": "serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn", "value": UNRESOLVED},
                ],
            },
        ),
        (
            "kubernetes_annotations",
            {
                "kind": "ServiceAccount",
                "metadata": [{"name": "app", "namespace": "prod"}],
                "annotations": {ROLE_ARN: UNRESOLVED},
            },
        ),
    ],
)
def test_what_a_plan_applies_to_a_cluster_is_read(kind, values):
    documents = {"plan.json": json.dumps(plan([resource(kind, "a", values)]))}
    assert ("role-arn-malformed", "unknown-cluster/prod/app") in found(documents)


def test_an_add_on_of_a_plan_has_its_account_and_its_associations():
    values = {"cluster_name": "shop", "addon_name": "vpc-cni", "pod_identity_association": [{"service_account": "aws-node"}]}
    values["pod_identity_association"][0]["role_arn"] = "arn:aws:iam::111122223333:role/cni"
    unknown = {"service_account_role_arn": True}
    made = plan(
        [resource("aws_eks_addon", "a", values)],
        [change("aws_eks_addon", "a", values, unknown)],
        [configured("aws_eks_addon.a", service_account_role_arn={"references": ["aws_iam_role.cni.arn", "aws_iam_role.cni"]})],
    )
    gathered = inventory({"plan.json": json.dumps(made)})
    (account,) = gathered.service_accounts
    assert text_of(account.annotations[ROLE_ARN]) == "${aws_iam_role.cni.arn}"
    assert [association.namespace for association in gathered.associations] == ["kube-system"]


def test_a_template_with_parameters_and_nothing_for_us_says_so():
    text = "AWSTemplateFormatVersion: '2010-09-09'\nParameters: {A: {Type: String}}\nResources: {B: {Type: AWS::S3::Bucket}}\n"
    row = row_of(inventory({"t.yaml": text}), "t.yaml")
    assert (row.status, row.why) == ("ignored", "a template without role, OIDC provider, cluster or Pod Identity association")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            'resource "aws_cloudformation_stack" "s" {\n  template_body = "{}"\n}\n',
            "aws_cloudformation_stack.s is not read: its template is not read here: add the template to the input",
        ),
        (
            'resource "null_resource" "s" {\n  provisioner "local-exec" {\n    command = "eksctl create iamserviceaccount"\n  }\n}\n',
            "null_resource.s is not read: it names create iamserviceaccount, and resources of this kind are not read",
        ),
        (
            'resource "aws_iam_role" "s" {\n  count = 0\n  assume_role_policy = "{}"\n}\n',
            "aws_iam_role.s is not made: its `count` is 0 or its `for_each` is empty",
        ),
    ],
)
def test_a_resource_of_terraform_that_is_not_read_is_named(text, why):
    assert row_of(inventory({"main.tf": text}), "main.tf").why == why


def test_a_permission_policy_and_an_ordinary_resource_are_not_named():
    text = 'resource "aws_iam_policy" "p" {\n  policy = "sts:AssumeRoleWithWebIdentity"\n}\nresource "null_resource" "n" {}\n'
    row = row_of(inventory({"main.tf": text}), "main.tf")
    assert row.why == "a module without role, OIDC provider, cluster or service account"


def test_a_custom_resource_that_names_what_is_ours_is_named():
    documents = {"t.json": stack(Made=of_type("Custom::Annotate", Key=[ROLE_ARN]), Other=of_type("AWS::S3::Bucket"))}
    row = row_of(inventory(documents), "t.json")
    assert row.why == f"Made names {ROLE_ARN}, but resources of kind Custom::Annotate are not read"


@pytest.mark.parametrize("spec", [{}, {"forProvider": {}}, {"forProvider": {"path": "/x/"}, "managementPolicies": ["Observe"]}])
def test_a_role_that_crossplane_observes_only_is_no_error(spec):
    role = {
        "apiVersion": "iam.aws.upbound.io/v1beta1",
        "kind": "Role",
        "metadata": {"name": "app"},
        "spec": spec,
        "status": {"atProvider": {"arn": "arn:aws:iam::111122223333:role/app"}},
    }
    made = inventory({"r.yaml": yaml.dump(role)})
    assert [role.arn for role in made.roles] == ["arn:aws:iam::111122223333:role/app"]
    assert row_of(made, "r.yaml").status == "read"


def test_a_template_by_its_ending_that_cannot_be_read_is_reported(tmp_path):
    broken = "# a comment\nAWSTemplateFormatVersion: 2010-09-09\n  a: b: c\n"
    (tmp_path / "stack.template").write_text(broken)
    (tmp_path / "nginx.template").write_text("server {\n  listen 80; : :\n")
    from irsa_doctor.sources import load

    rows = {row.path.rpartition("/")[2]: row.status for row in load([str(tmp_path)]).inventory.documents}
    assert rows == {"stack.template": "unreadable", "nginx.template": "ignored"}


DEFAULTS = """
variable "on" {
  default = false
}
variable "teams" {
  default = { a = { namespace = "x" } }
}
locals {
  teams = { for key, team in var.teams : key => team if var.on }
  none  = {}
}
resource "aws_eks_pod_identity_association" "a" {
  for_each        = local.NAME
  cluster_name    = "shop"
  namespace       = each.value.namespace
  service_account = "app"
  role_arn        = "arn:aws:iam::111122223333:role/x"
}
"""


def test_what_a_default_switches_off_may_be_switched_on():
    assert counted({"main.tf": DEFAULTS.replace("NAME", "teams")}, associations=1)
    assert counted({"main.tf": DEFAULTS.replace("NAME", "none")})
