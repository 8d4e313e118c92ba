"""Service accounts whose role kOps tells its webhook need no annotation."""

import pytest

from irsa_doctor.facts import ServiceAccountFacts, service_account_facts
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.model import Unknown
from tests.sources.templates.test_kops import CLUSTER
from tests.sources.worlds import inventory, provider_arn, role

ISSUER = "keys-of-prod.s3.eu-west-1.amazonaws.com/prod.example.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider_arn(issuer=ISSUER)},
            "Condition": {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:storefront:cart"}},
        }
    ],
}
DISCOVERY = {
    "issuer": f"https://{ISSUER}",
    "jwks_uri": f"https://{ISSUER}/openid/v1/jwks",
    "response_types_supported": ["id_token"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "cart", "namespace": "storefront"}}


def world(cluster: str) -> dict:
    return {
        "cluster.yaml": cluster,
        "role.json": {"Role": role("cart.storefront.sa.prod.example.com", AssumeRolePolicyDocument=TRUST)},
        "openid-configuration.json": DISCOVERY,
        "account.json": ACCOUNT,
    }


@pytest.mark.parametrize(
    ("written", "instead", "wanted"),
    [
        ("", "", "no"),
        ("enabled: true", "enabled: false", "yes"),
        ("keys-of-prod", "keys-of-dev", "yes"),
        ("name: cart", "name: till", "yes"),
        ("discoveryStore: s3://keys-of-prod/prod.example.com/", "", "unknown"),
    ],
)
def test_what_the_webhook_is_told_needs_no_annotation(written, instead, wanted):
    view = View(inventory(world(CLUSTER.replace(written, instead))))
    facts = service_account_facts(view, view.inventory.service_accounts[0]).facts
    assert isinstance(facts, ServiceAccountFacts)
    assert wanted == ("unknown" if isinstance(facts.wanted, Unknown) else "yes" if facts.wanted else "no")


def test_what_is_in_the_map_of_a_webhook_is_unknown_without_the_specification():
    documents = world("")
    metadata = {"name": "pod-identity-webhook", "namespace": "kube-system"}
    documents["map.json"] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"config": "{}"}}
    documents["other.json"] = {**ACCOUNT, "metadata": {"name": "till", "namespace": "storefront"}}
    view = View(inventory(documents))
    found = [service_account_facts(view, account).facts for account in view.inventory.service_accounts]
    assert ["the webhook gives" in str(getattr(facts, "wanted", "")) for facts in found] == [True, False]


def test_of_a_cluster_without_an_issuer_it_is_unknown():
    documents = world(CLUSTER)
    del documents["openid-configuration.json"]
    view = View(inventory(documents))
    facts = service_account_facts(view, view.inventory.service_accounts[0]).facts
    assert isinstance(facts, ServiceAccountFacts)
    assert isinstance(facts.wanted, Unknown)
