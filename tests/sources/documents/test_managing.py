import json

import pytest

from irsa_doctor.sources import load
from irsa_doctor.sources.documents.managing import manager_of_object, manager_of_tags


@pytest.mark.parametrize(
    ("labels", "annotations", "tool"),
    [
        ({"app.kubernetes.io/managed-by": "Helm"}, {}, "Helm"),
        ({"app.kubernetes.io/managed-by": "Helm"}, {"meta.helm.sh/release-name": "dns"}, "the Helm release dns"),
        ({"argocd.argoproj.io/instance": "dns"}, {"meta.helm.sh/release-name": "x"}, "the application dns of Argo CD"),
        ({}, {"argocd.argoproj.io/tracking-id": "dns:/ServiceAccount:kube-system/dns"}, "the application dns of Argo CD"),
        ({"kustomize.toolkit.fluxcd.io/name": "infra"}, {}, "the Kustomization infra of Flux"),
        ({"app.kubernetes.io/managed-by": "eksctl"}, {}, "eksctl"),
        ({"app.kubernetes.io/managed-by": "kubectl"}, {}, ""),
        ({"app": "web"}, {}, ""),
    ],
)
def test_an_object_shows_the_tool_that_manages_it(labels, annotations, tool):
    assert manager_of_object(labels, annotations) == tool


@pytest.mark.parametrize(
    ("key", "value", "tool"),
    [
        ("aws:cloudformation:stack-name", "irsa", "the CloudFormation stack irsa"),
        ("ManagedBy", "terraform", "terraform"),
        ("terraform", "true", "Terraform"),
        ("Provisioner", "OpenTofu", "OpenTofu"),
        ("team", "payments", ""),
    ],
)
def test_a_role_shows_it_in_its_tags(key, value, tool):
    assert manager_of_tags([{"Key": key, "Value": value}, {"Key": 3}, "x"]) == tool


@pytest.mark.parametrize("padding", [0, 40_000])
def test_both_ways_to_read_an_export_keep_the_tool(padding):
    tags = [{"Key": "ManagedBy", "Value": "terraform"}]
    role = {"Arn": "arn:aws:iam::111122223333:role/app", "RoleName": "app", "AssumeRolePolicyDocument": {}, "Tags": tags}
    account = {"kind": "ServiceAccount", "metadata": {"name": "app", "namespace": "x", "labels": {"olm.owner": "op"}}}
    documents = {
        "roles.json": {"RoleDetailList": [role], "UserDetailList": [], "Padding": "x" * padding},
        "list.json": {"apiVersion": "v1", "kind": "List", "items": [account], "padding": "x" * padding},
    }
    inventory = load([], memory={path: json.dumps(value).encode() for path, value in documents.items()}).inventory
    assert inventory.roles[0].managed_by == "terraform"
    assert inventory.service_accounts[0].managed_by == "op of the Operator Lifecycle Manager"
