import pytest

from irsa_doctor.model import text_of
from tests.sources.templates.made import conditions, federated, roles_of, row_of, statement, written_at
from tests.sources.worlds import inventory, loaded

CONFIG = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata:
  name: shop
  region: eu-west-1
iam:
  withOIDC: true
  serviceAccounts:
    - metadata:
        name: cart
        namespace: storefront
      attachPolicyARNs: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
    - metadata:
        name: search
        namespace: storefront
      attachRoleARN: arn:aws:iam::111122223333:role/search
    - metadata:
        name: reports
      roleOnly: true
      attachPolicyARNs: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
  podIdentityAssociations:
    - namespace: ops
      serviceAccountName: backup
      createServiceAccount: true
      permissionPolicyARNs: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
    - namespace: ops
      serviceAccountName: audit
      roleARN: arn:aws:iam::111122223333:role/audit
"""


def test_each_service_account_gets_the_role_that_eksctl_makes():
    roles = roles_of({"cluster.yaml": CONFIG})
    cart = roles["iamserviceaccount storefront/cart"]
    assert federated(cart).endswith(":oidc-provider/${issuer of shop}")
    assert conditions(cart)["StringEquals"] == {
        "${issuer of shop}:sub": "system:serviceaccount:storefront:cart",
        "${issuer of shop}:aud": "sts.amazonaws.com",
    }
    assert "iamserviceaccount default/reports" in roles
    assert "iamserviceaccount storefront/search" not in roles


def test_service_accounts_name_the_roles_made_for_them_or_given():
    accounts = {one.name: one for one in inventory({"cluster.yaml": CONFIG}).service_accounts}
    named = {name: text_of(one.annotations.get("eks.amazonaws.com/role-arn", "")) for name, one in accounts.items()}
    assert named == {
        "cart": "${iamserviceaccount storefront/cart.arn}",
        "search": "arn:aws:iam::111122223333:role/search",
        "backup": "",
    }
    assert {one.cluster for one in accounts.values()} == {"shop"}


def test_associations_have_the_given_role_or_the_one_that_eksctl_makes():
    given = inventory({"cluster.yaml": CONFIG})
    named = {one.service_account: text_of(one.role_arn) for one in given.associations}
    assert named == {"backup": "${podidentityassociation ops/backup.arn}", "audit": "arn:aws:iam::111122223333:role/audit"}
    role = roles_of({"cluster.yaml": CONFIG})["podidentityassociation ops/backup"]
    assert statement(role)["Principal"] == {"Service": "pods.eks.amazonaws.com"}


def test_the_annotation_is_found_where_the_role_is_named():
    given = loaded({"cluster.yaml": CONFIG})
    accounts = {one.name: one for one in given.inventory.service_accounts}
    at = ("metadata", "annotations", "eks.amazonaws.com/role-arn")
    assert written_at(given, accounts["search"].place.at(*at)) == "arn:aws:iam::111122223333:role/search"
    assert written_at(given, accounts["cart"].place.at(*at)) == "cart"


def test_service_accounts_without_oidc_are_worth_a_note():
    row = row_of(inventory({"cluster.yaml": CONFIG.replace("withOIDC: true", "withOIDC: false")}), "cluster.yaml")
    assert "withOIDC" in row.why
    assert row_of(inventory({"cluster.yaml": CONFIG}), "cluster.yaml").why is None


def test_placeholders_in_names_are_holes():
    given = inventory({"cluster.yaml": CONFIG.replace("name: shop", "name: ${CLUSTER}")})
    assert given.clusters == ()
    assert {text_of(association.cluster) for association in given.associations} == {"${CLUSTER}"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("name: cart", "name: [1]"), "a list where a string was expected"),
        (("serviceAccountName: audit", "serviceAccount: audit"), "`serviceAccountName` is missing"),
        (("roleARN: arn:aws:iam::111122223333:role/audit", "roleARN: {}"), "an object where a string was expected"),
    ],
)
def test_a_broken_entry_is_told_and_loses_no_other(wrong, told):
    given = inventory({"cluster.yaml": CONFIG.replace(*wrong)})
    row = next(row for row in given.documents if row.status == "unreadable")
    assert told in row.why
    assert row.line
    assert len(given.roles) + len(given.service_accounts) >= 4


def test_other_objects_of_eksctl_have_nothing_for_us():
    row = row_of(inventory({"x.yaml": "apiVersion: eksctl.io/v1alpha5\nkind: NodeGroup\n"}), "x.yaml")
    assert (row.status, row.kind) == ("ignored", "eksctl")


def _addons(addons: str, oidc: str = "true") -> str:
    head = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop}\n"
    return f"{head}iam: {{withOIDC: {oidc}}}\naddons:\n{addons}"


@pytest.mark.parametrize(
    "policies",
    [
        "attachPolicyARNs: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']",
        "wellKnownPolicies: {ebsCSIController: true}",
        "attachPolicy: {Version: '2012-10-17', Statement: []}",
    ],
)
def test_the_role_of_an_addon_checks_the_audience_alone_unless_eksctl_knows_the_account(policies):
    roles = roles_of(
        {"cluster.yaml": _addons(f"- {{name: aws-ebs-csi-driver, {policies}}}\n- {{name: vpc-cni, {policies}}}\n")}
    )
    assert conditions(roles["addon aws-ebs-csi-driver"]) == {"StringEquals": {"${issuer of shop}:aud": "sts.amazonaws.com"}}
    assert (
        conditions(roles["addon vpc-cni"])["StringEquals"]["${issuer of shop}:sub"]
        == "system:serviceaccount:kube-system:aws-node"
    )


@pytest.mark.parametrize(
    "addon",
    [
        "{name: coredns}",
        "{name: x, attachPolicyARNs: []}",
        "{name: x, serviceAccountRoleARN: 'arn:aws:iam::111122223333:role/x'}",
    ],
)
def test_an_addon_without_policies_gets_no_role(addon):
    assert roles_of({"cluster.yaml": _addons(f"- {addon}\n")}) == {}


def test_without_oidc_eksctl_makes_no_role_for_an_addon():
    given = inventory(
        {"cluster.yaml": _addons("- {name: vpc-cni, wellKnownPolicies: {awsLoadBalancerController: true}}\n", "false")}
    )
    assert given.roles == ()
    assert "withOIDC" in row_of(given, "cluster.yaml").why


def test_an_addon_annotates_its_service_account_with_the_role_given_or_made():
    text = _addons(
        "- {name: vpc-cni, serviceAccountRoleARN: 'arn:aws:iam::111122223333:role/cni'}\n"
        "- {name: aws-ebs-csi-driver, wellKnownPolicies: {ebsCSIController: true}}\n"
        "- {name: of-somebody, serviceAccountRoleARN: 'arn:aws:iam::111122223333:policy/x'}\n"
    )
    given = inventory({"cluster.yaml": text})
    named = {
        (one.namespace, one.name): text_of(one.annotations["eks.amazonaws.com/role-arn"]) for one in given.service_accounts
    }
    assert named == {
        ("kube-system", "aws-node"): "arn:aws:iam::111122223333:role/cni",
        ("kube-system", "ebs-csi-controller-sa"): "${addon aws-ebs-csi-driver.arn}",
    }
    assert [one.name for one in given.account_templates] == ["add-on of-somebody"]


def test_associations_of_an_addon_have_the_role_given_or_made():
    text = _addons(
        "- name: aws-efs-csi-driver\n  podIdentityAssociations:\n"
        "  - {serviceAccountName: efs-csi-controller-sa, wellKnownPolicies: {efsCSIController: true}}\n"
        "  - {serviceAccountName: b, namespace: other, roleARN: 'arn:aws:iam::111122223333:role/b'}\n"
    )
    given = inventory({"cluster.yaml": text})
    named = {(one.namespace, one.service_account): text_of(one.role_arn) for one in given.associations}
    assert named == {
        ("kube-system", "efs-csi-controller-sa"): "${addon aws-efs-csi-driver efs-csi-controller-sa.arn}",
        ("other", "b"): "arn:aws:iam::111122223333:role/b",
    }
    role = roles_of({"cluster.yaml": text})["addon aws-efs-csi-driver efs-csi-controller-sa"]
    assert statement(role)["Principal"] == {"Service": "pods.eks.amazonaws.com"}


@pytest.mark.parametrize(("oidc", "count"), [("true", 1), ("false", 0), ("null", 0), ("'true'", 0)])
def test_the_provider_that_eksctl_makes_counts_with_its_audience(oidc, count):
    text = f"apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: shop}}\niam: {{withOIDC: {oidc}}}\n"
    providers = inventory({"c.yaml": text}).planned_providers
    assert [provider.client_ids for provider in providers] == [("sts.amazonaws.com",)] * count


def test_a_cluster_of_eksctl_without_a_name_has_its_provider_all_the_same():
    text = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: '${CLUSTER}'}\niam: {withOIDC: true}\n"
    assert len(inventory({"c.yaml": text}).planned_providers) == 1


@pytest.mark.parametrize("name", ["${CLUSTER_NAME:-main}", "{{ .cluster }}", "$NAME", "<cluster>"])
def test_a_cluster_whose_name_is_a_placeholder_is_read(name):
    config = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": name, "region": "eu-west-1"},
        "addons": [{"name": "vpc-cni", "useDefaultPodIdentityAssociations": True}],
    }
    made = inventory({"cluster.yaml": config})
    assert row_of(made, "cluster.yaml").status == "read"
    assert len(made.planned_clusters) == 1
