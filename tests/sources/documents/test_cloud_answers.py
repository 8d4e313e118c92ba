"""Answers of `az` and `gcloud` that cannot be read: each is named with the place, and never taken for a whole answer."""

import json

import pytest

from irsa_doctor import api
from irsa_doctor.facts import View
from irsa_doctor.sources import load

IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/api-id"
CREDENTIAL = {
    "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    "id": f"{IDENTITY}/federatedIdentityCredentials/aks",
    "name": "aks",
    "issuer": "https://westeurope.oic.prod-aks.azure.com/t/c/",
    "subject": "system:serviceaccount:orders:api",
    "audiences": ["api://AzureADTokenExchange"],
}
CLUSTER = {
    "type": "Microsoft.ContainerService/managedClusters",
    "name": "shop",
    "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/shop",
    "oidcIssuerProfile": {"enabled": True, "issuerUrl": CREDENTIAL["issuer"]},
    "securityProfile": {"workloadIdentity": {"enabled": True}},
}
PROVIDER = {
    "name": "projects/1/locations/global/workloadIdentityPools/ci/providers/github",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
    "attributeMapping": {"google.subject": "assertion.sub"},
}
EMAIL = "front@acme-web.iam.gserviceaccount.com"
BINDING = {"role": "roles/iam.workloadIdentityUser", "members": ["serviceAccount:acme-web.svc.id.goog[web/front]"]}


def problems(tmp_path, text):
    (tmp_path / "answer.json").write_text(text)
    return [finding.message for finding in api.check([str(tmp_path)]).findings if finding.rule == "input-unreadable"]


@pytest.mark.parametrize("answer", [CREDENTIAL, CLUSTER, PROVIDER, {"bindings": [BINDING], "etag": "x"}])
def test_a_whole_answer_is_read(tmp_path, answer):
    assert problems(tmp_path, json.dumps(answer)) == []
    assert problems(tmp_path, json.dumps(answer)[:-9]) != []


@pytest.mark.parametrize(
    ("answer", "change", "pointer"),
    [
        (CREDENTIAL, {"subject": 5}, "/subject"),
        (CREDENTIAL, {"issuer": ["https://x/"]}, "/issuer"),
        (CREDENTIAL, {"audiences": "api://AzureADTokenExchange"}, "/audiences"),
        (CREDENTIAL, {"audiences": [5]}, "/audiences/0"),
        (CLUSTER, {"oidcIssuerProfile": "on"}, "/oidcIssuerProfile"),
        (CLUSTER, {"securityProfile": [1]}, "/securityProfile"),
        (PROVIDER, {"oidc": "https://x"}, "/oidc"),
        (PROVIDER, {"attributeMapping": [1]}, "/attributeMapping"),
        (PROVIDER, {"attributeCondition": 5}, "/attributeCondition"),
        ({"etag": "x"}, {"bindings": [{**BINDING, "members": "user:a@b.example"}]}, "/bindings/0/members"),
        ({"etag": "x"}, {"bindings": [{**BINDING, "members": [5]}]}, "/bindings/0/members/0"),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_place(tmp_path, answer, change, pointer):
    (problem,) = problems(tmp_path, json.dumps({**answer, **change}))
    assert f" at {pointer}." in problem


@pytest.mark.parametrize(("broken", "whole"), [([], True), ([{"role": "roles/owner", "members": 5}], False)])
def test_a_policy_of_which_a_binding_is_not_read_is_not_taken_for_whole(broken, whole):
    found = {
        "resource": f"//iam.googleapis.com/projects/acme-web/serviceAccounts/{EMAIL}",
        "policy": {"bindings": [BINDING, *broken]},
    }
    view = View(load((), memory={"policies.json": json.dumps([found]).encode()}).inventory)
    assert view.clouds.has_whole_policy(None, EMAIL) is whole


@pytest.mark.parametrize(
    "document",
    [
        {"bindings": {"role": "roles/owner", "members": []}, "etag": "x", "version": 1},
        {"bindings": "none", "etag": "x"},
        {"resource": f"//iam.googleapis.com/projects/acme-web/serviceAccounts/{EMAIL}", "policy": {"bindings": 5}},
    ],
)
def test_bindings_that_are_no_list_are_an_input_that_is_not_readable(document):
    inventory = load((), memory={"policy.json": json.dumps(document).encode()}).inventory
    assert [(row.status, "bindings" in str(row)) for row in inventory.documents] == [("unreadable", True)]


def test_what_an_answer_of_azure_lists_of_another_kind_is_read_as_what_it_is(tmp_path):
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "api", "namespace": "orders"}}
    identity = {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "id": IDENTITY, "name": "api-id", "clientId": "c"}
    (tmp_path / "answer.json").write_text(json.dumps({"value": [identity, account, {"kind": "nothing"}]}))
    inventory = load([str(tmp_path)]).inventory
    assert [found.name for found in inventory.service_accounts] == ["api"]
    assert [found.name for found in inventory.clouds.identities] == ["api-id"]
