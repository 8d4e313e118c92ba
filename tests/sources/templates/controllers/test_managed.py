"""Resources of Crossplane and ACK, in the forms of each provider."""

import json

import pytest
import yaml

from irsa_doctor.model import Unknown, text_of
from tests.facts.situations import found
from tests.sources.templates.made import conditions, row_of
from tests.sources.worlds import ISSUER, inventory, loaded, policy, provider_arn, service_account

TEXT = json.dumps(policy())
SPACE = "crossplane.io/external-name"


def document(api: str, kind: str, spec: dict, **more) -> dict:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "app", **more}, "spec": spec}


def upbound(policy, api: str = "iam.aws.upbound.io/v1beta1", **more) -> dict:
    return document(api, "Role", {"forProvider": {"assumeRolePolicy": policy}}, **more)


def classic(policy) -> dict:
    return document("iam.aws.crossplane.io/v1beta1", "Role", {"forProvider": {"assumeRolePolicyDocument": policy}})


def ack(policy, **more) -> dict:
    return document("iam.services.k8s.aws/v1alpha1", "Role", {"name": "app", "assumeRolePolicyDocument": policy, **more})


ROLES = [
    ack(TEXT),
    upbound(TEXT),
    upbound(TEXT, "iam.aws.m.upbound.io/v1beta1", namespace="infra"),
    classic(TEXT),
    classic(policy()),
    ack(json.dumps(policy(), indent=2)),
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("form", [json.dumps, yaml.safe_dump])
def test_a_role_has_the_policy_of_its_resource(role, form):
    given = inventory({"role.yaml": form(role)})
    (made,) = given.roles
    assert conditions(made)["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:prod:app"
    assert made.planned == "app"
    assert row_of(given, "role.yaml").status == "read"


@pytest.mark.parametrize(("form", "path"), [("List", "kubectl"), ("RoleList", "iam.services.k8s.aws/v1alpha1")])
def test_a_list_of_roles_is_read_item_by_item(form, path):
    items = [ack(TEXT), {**ack(TEXT), "metadata": {"name": "other"}}]
    given = inventory({"roles.json": {"apiVersion": "v1" if form == "List" else path, "kind": form, "items": items}})
    assert [role.address for role in given.roles] == ["Role app", "Role other"]


@pytest.mark.parametrize("has_kind", [True, False])
def test_the_graphs_and_clusters_of_a_list_are_read_as_what_they_are(has_kind):
    graph = {"metadata": {"name": "g"}, "spec": {"resources": [{"id": "role", "template": ack(TEXT)}]}}
    config = {"metadata": {"name": "shop"}, "iam": {"serviceAccounts": [{"metadata": {"name": "app"}, "roleName": "app"}]}}
    for version, kind, item in (
        ("kro.run/v1alpha1", "ResourceGraphDefinition", graph),
        ("eksctl.io/v1alpha5", "ClusterConfig", config),
    ):
        items = [{"apiVersion": version, "kind": kind, **item} if has_kind else item, "x"]
        given = inventory({"list.json": {"apiVersion": version, "kind": f"{kind}List", "items": items}})
        assert len(given.roles) == 1
        assert [row.status for row in given.documents] == ["read", "unreadable"]


def test_a_role_beside_a_service_account_drops_neither():
    text = "---\n".join(yaml.safe_dump(item) for item in (ack(TEXT), service_account(), upbound(TEXT, name="other")))
    given = inventory({"all.yaml": text})
    assert len(given.roles) == 2
    assert len(given.service_accounts) == 1


def test_a_role_that_exists_has_the_arn_that_its_controller_saw():
    arn = "arn:aws:iam::111122223333:role/team/app"
    seen = ack(TEXT) | {"status": {"ackResourceMetadata": {"arn": arn}}}
    observed = upbound(TEXT) | {"status": {"atProvider": {"arn": arn}}}
    assert [role.arn for role in inventory({"a.json": seen, "b.json": observed}).roles] == [arn]


def test_the_external_name_of_crossplane_is_the_name_of_the_role():
    (role,) = inventory({"role.json": upbound(TEXT, annotations={SPACE: "team-app"})}).roles
    assert role.planned == "team-app"


def test_placeholders_of_a_policy_are_holes_and_mistakes_of_its_text_are_found_in_it():
    (role,) = inventory({"role.json": ack(TEXT.replace(ISSUER, "${OIDC}"))}).roles
    assert conditions(role)["StringEquals"]["${OIDC}:sub"] == "system:serviceaccount:prod:app"
    text = yaml.safe_dump(ack("{\n 'Version': 1\n}\n"), default_style="|")
    given = loaded({"role.yaml": text})
    assert given.inventory.roles[0].policy.flaws[0].code == "syntax"


def test_a_policy_that_is_filled_in_as_a_whole_is_unknown():
    (role,) = inventory({"role.json": ack("${schema.spec.policy}")}).roles
    assert isinstance(role.policy, Unknown)


@pytest.mark.parametrize(
    "provider",
    [
        document("iam.services.k8s.aws/v1alpha1", "OpenIDConnectProvider", {"url": f"https://{ISSUER}", "clientIDs": ["x"]}),
        document(
            "iam.aws.upbound.io/v1beta1",
            "OpenIDConnectProvider",
            {"forProvider": {"url": f"https://{ISSUER}", "clientIdList": ["x"]}},
        ),
        document(
            "iam.aws.crossplane.io/v1beta1",
            "OpenIDConnectProvider",
            {"forProvider": {"url": f"https://{ISSUER}", "clientIDList": ["x"]}},
        ),
    ],
)
def test_a_provider_has_its_client_ids(provider):
    (made,) = inventory({"provider.json": provider}, account="111122223333").providers
    assert (made.arn, made.client_ids) == (provider_arn(), ("x",))


TRUSTS_PODS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "pods.eks.amazonaws.com"}}],
    }
)


@pytest.mark.parametrize(
    ("role", "association"),
    [
        (ack(TRUSTS_PODS), ("eks.services.k8s.aws/v1alpha1", {"roleRef": {"from": {"name": "app"}}})),
        (ack(TRUSTS_PODS), ("eks.services.k8s.aws/v1alpha1", {"roleARN": "arn:aws:iam::111122223333:role/app"})),
        (upbound(TRUSTS_PODS), ("eks.aws.upbound.io/v1beta1", {"roleArnRef": {"name": "app"}})),
    ],
)
def test_an_association_is_joined_to_the_role_that_it_refers_to(role, association):
    api, reference = association
    members = {"clusterName": "prod", "namespace": "prod", "serviceAccount": "app", **reference}
    spec = members if "k8s.aws" in api else {"forProvider": members}
    documents = {"role.json": role, "association.json": document(api, "PodIdentityAssociation", spec)}
    assert [rule for rule, _ in found(documents)] == ["podid-tagsession"]


def test_an_addon_annotates_the_account_that_is_known_of_it():
    spec = {"name": "aws-ebs-csi-driver", "clusterName": "prod", "serviceAccountRoleRef": {"from": {"name": "app"}}}
    (account,) = inventory({"addon.json": document("eks.services.k8s.aws/v1alpha1", "Addon", spec)}).service_accounts
    assert account.subject == "system:serviceaccount:kube-system:ebs-csi-controller-sa"
    assert text_of(account.annotations["eks.amazonaws.com/role-arn"]) == "${Role app.arn}"


@pytest.mark.parametrize(
    "spec", [None, [], "x", {"forProvider": 1}, {"forProvider": {"assumeRolePolicy": 1e400}}, {"forProvider": {}}]
)
def test_a_wrong_shape_is_a_row_and_no_crash(spec):
    rows = inventory({"role.json": document("iam.aws.upbound.io/v1beta1", "Role", spec)}).documents
    assert all(row.status in ("read", "unreadable") and (row.why or row.status == "read") for row in rows)


def test_other_resources_are_named():
    row = row_of(inventory({"b.json": document("s3.services.k8s.aws/v1alpha1", "Bucket", {"name": "b"})}), "b.json")
    assert (row.status, row.kind) == ("ignored", "ack")
    assert "Bucket" in row.why


@pytest.mark.parametrize("kind", ["AWSManagedControlPlane", "AWSManagedControlPlaneTemplate"])
def test_a_control_plane_of_cluster_api_makes_a_cluster_a_provider_and_accounts_of_add_ons(kind):
    addon = {"name": "aws-ebs-csi-driver", "version": "v1", "serviceAccountRoleARN": "arn:aws:iam::111122223333:role/ebs"}
    spec = {"eksClusterName": "shop", "associateOIDCProvider": True, "addons": [addon]}
    group = {"apiVersion": "controlplane.cluster.x-k8s.io/v1beta2", "kind": kind, "metadata": {"name": "plane"}}
    spec = {"template": {"spec": spec}} if kind.endswith("Template") else spec
    for document in (group | {"spec": spec}, {"apiVersion": "v1", "kind": "List", "items": [group | {"spec": spec}]}):
        given = inventory({"plane.json": document})
        assert [text_of(provider.issuer) for provider in given.planned_providers] == ["${issuer of shop}"]
        (account,) = given.service_accounts
        assert (account.cluster, account.namespace, account.name) == ("shop", "kube-system", "ebs-csi-controller-sa")


def test_a_control_plane_without_a_provider_makes_none():
    plane = {"apiVersion": "controlplane.cluster.x-k8s.io/v1beta2", "kind": "AWSManagedControlPlane", "metadata": {"name": "p"}}
    given = inventory({"plane.json": plane | {"spec": {"region": "eu-west-1", "addons": None}}})
    assert not given.planned_providers
    assert not given.service_accounts
