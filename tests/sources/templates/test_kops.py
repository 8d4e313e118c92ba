import pytest

from irsa_doctor.model import text_of
from tests.sources.templates.made import conditions, federated, roles_of, row_of
from tests.sources.worlds import inventory

CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: prod.example.com
spec:
  iam:
    legacy: false
    serviceAccountExternalPermissions:
    - name: cart
      namespace: storefront
      aws:
        policyARNs: ["arn:aws:iam::111122223333:policy/cart"]
    - name: collector
      namespace: team-*
      aws:
        inlinePolicy: "[]"
  podIdentityWebhook:
    enabled: true
  serviceAccountIssuerDiscovery:
    additionalAudiences: [sts.amazonaws.com]
    discoveryStore: s3://keys-of-prod/prod.example.com/
    enableAWSOIDCProvider: true
"""
CART = "serviceaccount storefront/cart"
ISSUER = "keys-of-prod.s3.${region of bucket keys-of-prod}.amazonaws.com/prod.example.com"


def test_each_service_account_gets_the_role_that_kops_makes():
    role = roles_of({"cluster.yaml": CLUSTER})[CART]
    assert role.planned == "cart.storefront.sa.prod.example.com"
    assert federated(role).endswith(f":oidc-provider/{ISSUER}")
    assert conditions(role) == {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:storefront:cart"}}


def test_a_namespace_with_a_wildcard_is_compared_as_a_pattern():
    role = roles_of({"cluster.yaml": CLUSTER})["serviceaccount team-*/collector"]
    assert role.planned == "collector.team-wildcard.sa.prod.example.com"
    assert conditions(role) == {"StringLike": {f"{ISSUER}:sub": "system:serviceaccount:team-*:collector"}}


def test_a_name_that_is_too_long_is_cut_as_kops_cuts_it():
    long = CLUSTER.replace("name: prod.example.com", f"name: {'a' * 40}.example.com")
    name = roles_of({"cluster.yaml": long})[CART].planned
    assert (len(name), name[:57]) == (64, f"cart.storefront.sa.{'a' * 38}")
    assert name[57:] == "-o08j7u"


def test_the_provider_has_the_audience_of_kops_and_those_that_are_added():
    providers = inventory({"cluster.yaml": CLUSTER}).planned_providers
    assert [(text_of(one.issuer), one.client_ids) for one in providers] == [(ISSUER, ("amazonaws.com", "sts.amazonaws.com"))]


@pytest.mark.parametrize("setting", ["enableAWSOIDCProvider: false", ""])
def test_without_its_switch_kops_makes_no_provider(setting):
    written = CLUSTER.replace("enableAWSOIDCProvider: true", setting)
    assert inventory({"cluster.yaml": written}).planned_providers == ()


@pytest.mark.parametrize(
    ("of_the_server", "issuer"),
    [
        ("kubeAPIServer:\n    serviceAccountIssuer: https://keys.example.com/prod", "keys.example.com/prod"),
        ("kubeAPIServer: {}", ISSUER),
    ],
)
def test_an_issuer_that_the_api_server_is_given_is_that_of_the_cluster(of_the_server, issuer):
    written = CLUSTER.replace("podIdentityWebhook:", f"{of_the_server}\n  podIdentityWebhook:")
    assert federated(roles_of({"cluster.yaml": written})[CART]).endswith(f":oidc-provider/{issuer}")


def test_the_issuer_of_a_discovery_service_is_its_address():
    written = CLUSTER.replace(
        "discoveryStore: s3://keys-of-prod/prod.example.com/", "discoveryService: {url: 'https://discovery.example.com/prod'}"
    )
    assert federated(roles_of({"cluster.yaml": written})[CART]).endswith(":oidc-provider/discovery.example.com/prod")


def test_a_cluster_that_says_nothing_of_its_issuer_has_an_unknown_one():
    written = CLUSTER.split("  serviceAccountIssuerDiscovery:", maxsplit=1)[0]
    assert federated(roles_of({"cluster.yaml": written})[CART]).endswith("/${service account issuer of prod.example.com}")


def test_a_cluster_without_such_roles_and_what_is_made_for_addons_are_named():
    bare = "apiVersion: kops.k8s.io/v1alpha3\nkind: Cluster\nmetadata: {name: a}\nspec: {}\n"
    assert "without roles for service accounts" in row_of(inventory({"cluster.yaml": bare}), "cluster.yaml").why
    own = CLUSTER.replace("legacy: false", "useServiceAccountExternalPermissions: true")
    assert "add-ons" in row_of(inventory({"cluster.yaml": own}), "cluster.yaml").why
