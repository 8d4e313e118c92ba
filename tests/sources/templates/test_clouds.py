"""Identities of Azure and Google Cloud in templates: Terraform, ARM, Azure Service Operator, Config Connector."""

import json

import pytest

from irsa_doctor.model import Text, Unknown
from irsa_doctor.sources import load

ISSUER = "https://westeurope.oic.prod-aks.azure.com/t/c/"
HCL = f"""
resource "azurerm_user_assigned_identity" "api" {{
  name                = "api-id"
  resource_group_name = "rg"
  location            = "westeurope"
}}
resource "azurerm_federated_identity_credential" "api" {{
  name      = "aks"
  audience  = ["api://AzureADTokenExchange"]
  issuer    = "{ISSUER}"
  parent_id = azurerm_user_assigned_identity.api.id
  subject   = "system:serviceaccount:orders:api"
}}
resource "google_service_account" "front" {{
  account_id = "front"
  project    = "acme-web"
}}
resource "google_service_account_iam_member" "front" {{
  service_account_id = google_service_account.front.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:acme-web.svc.id.goog[web/front]"
}}
resource "google_iam_workload_identity_pool_provider" "github" {{
  workload_identity_pool_id          = "ci"
  workload_identity_pool_provider_id = "github"
  attribute_mapping                  = {{ "google.subject" = "assertion.sub" }}
  attribute_condition                = "assertion.repository_owner_id == '1'"
  oidc {{
    issuer_uri = "https://token.actions.githubusercontent.com"
  }}
}}
"""


def clouds(**documents):
    named = {name.replace("_", "."): text.encode() for name, text in documents.items()}
    return load((), memory=named).inventory.clouds


def lookups(inventory_clouds):
    from irsa_doctor.facts import View
    from irsa_doctor.model import Inventory

    return View(Inventory(clouds=inventory_clouds)).clouds


def test_terraform_joins_resources_by_their_references():
    read = clouds(main_tf=HCL)
    (identity,), (account,), (provider,) = read.identities, read.accounts, read.providers
    tables = lookups(read)
    assert [credential.subject for credential in tables.credentials_of(identity)] == ["system:serviceaccount:orders:api"]
    assert account.email == "front@acme-web.iam.gserviceaccount.com"
    (binding,) = tables.bindings_of(account, account.email)
    assert binding.members == ("serviceAccount:acme-web.svc.id.goog[web/front]",)
    assert (provider.issuer, provider.condition) == (
        "https://token.actions.githubusercontent.com",
        "assertion.repository_owner_id == '1'",
    )


IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/api-id"


def test_a_plan_gives_the_same_as_its_configuration():
    values = {
        "name": "aks",
        "issuer": ISSUER,
        "subject": "system:serviceaccount:orders:api",
        "audience": ["api://AzureADTokenExchange"],
        "parent_id": IDENTITY,
    }
    resource = {
        "address": "azurerm_federated_identity_credential.api",
        "type": "azurerm_federated_identity_credential",
        "name": "api",
        "mode": "managed",
        "values": values,
    }
    plan = {"terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": [resource]}}, "resource_changes": []}
    (credential,) = clouds(plan_json=json.dumps(plan)).credentials
    assert (credential.issuer, credential.identity) == (ISSUER, IDENTITY.lower())


@pytest.mark.parametrize("nested", [False, True])
def test_an_arm_template_names_the_identity_before_the_credential(nested):
    properties = {"issuer": "[parameters('issuer')]", "subject": "system:serviceaccount:orders:api", "audiences": ["a"]}
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    if nested:
        child = {"type": "federatedIdentityCredentials", "name": "aks", "properties": properties}
        resources = [{"type": kind, "name": "api-id", "resources": [child]}]
    else:
        resources = [{"type": f"{kind}/federatedIdentityCredentials", "name": "api-id/aks", "properties": properties}]
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    (credential,) = clouds(template_json=json.dumps({"$schema": schema, "resources": resources})).credentials
    assert (credential.identity, credential.name) == ("api-id", "aks")
    assert isinstance(credential.issuer, Text)


def test_objects_of_controllers_are_read():
    text = """
apiVersion: managedidentity.azure.com/v1api20230131
kind: FederatedIdentityCredential
metadata: {name: aks}
spec:
  owner: {name: api-id}
  issuerFromConfig: {name: aks, key: issuer}
  subject: system:serviceaccount:orders:api
  audiences: ['api://AzureADTokenExchange']
---
apiVersion: iam.cnrm.cloud.google.com/v1beta1
kind: IAMPolicyMember
metadata: {name: front, annotations: {cnrm.cloud.google.com/project-id: acme-web}}
spec:
  member: serviceAccount:acme-web.svc.id.goog[web/front]
  role: roles/iam.workloadIdentityUser
  resourceRef: {kind: IAMServiceAccount, name: front}
"""
    read = clouds(objects_yaml=text)
    assert isinstance(read.credentials[0].issuer, Text)
    assert read.bindings[0].resource == "front@acme-web.iam.gserviceaccount.com"


CLUSTERS = """
resource "azurerm_kubernetes_cluster" "shop" {
  name                      = "shop"
  resource_group_name       = "rg"
  oidc_issuer_enabled       = true
  workload_identity_enabled = var.webhook
}
resource "google_container_cluster" "web" {
  name     = "web"
  location = "europe-west1"
  project  = "acme-web"
  workload_identity_config {
    workload_pool = "acme-web.svc.id.goog"
  }
}
resource "google_container_cluster" "bare" {
  name     = var.name
  location = "europe-west1"
}
"""


def test_terraform_makes_clusters_of_other_clouds():
    inventory = load((), memory={"main.tf": CLUSTERS.encode()}).inventory
    shop, web, bare = inventory.clouds.clusters
    assert (shop.cloud, shop.issues_tokens, shop.injects) == ("azure", True, None)
    assert (web.cloud, web.pool, web.pools) == ("google", "acme-web.svc.id.goog", None)
    assert bare.pool == ""
    issuers = {cluster.name: cluster.issuer for cluster in inventory.clusters}
    assert issuers["web"] == "container.googleapis.com/v1/projects/acme-web/locations/europe-west1/clusters/web"
    assert isinstance(issuers["shop"], Unknown)


def test_a_state_has_the_issuer_of_a_cluster_of_aks():
    values = {"name": "shop", "id": "/subscriptions/s/x", "oidc_issuer_enabled": True, "oidc_issuer_url": ISSUER}
    resource = {"type": "azurerm_kubernetes_cluster", "name": "shop", "mode": "managed", "instances": [{"attributes": values}]}
    state = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {}, "resources": [resource]}
    inventory = load((), memory={"terraform.tfstate": json.dumps(state).encode()}).inventory
    (cluster,), (known,) = inventory.clouds.clusters, inventory.clusters
    assert (cluster.issues_tokens, cluster.injects, known.issuer) == (True, False, ISSUER.removeprefix("https://"))


GKE = """
resource "google_container_cluster" "main" {
  name     = "main"
  location = "europe-west1"
  project  = "acme"
  DEFAULT
  workload_identity_config { workload_pool = "acme.svc.id.goog" }
}
resource "google_container_node_pool" "a" {
  name    = "a"
  cluster = google_container_cluster.main.REFERENCE
  node_config { workload_metadata_config { mode = "GCE_METADATA" } }
}
resource "google_container_node_pool" "b" {
  name    = "b"
  cluster = google_container_cluster.main.REFERENCE
  node_config { machine_type = "e2-small" }
}
resource "google_container_node_pool" "elsewhere" {
  cluster = "other"
}
"""
REMOVED = "remove_default_node_pool = true"


@pytest.mark.parametrize("reference", ["name", "id"])
@pytest.mark.parametrize(
    ("default", "pools"),
    [
        (REMOVED, [("a", "GCE_METADATA"), ("b", "GKE_METADATA")]),
        ("", None),
        (
            'node_config { workload_metadata_config { mode = "GCE_METADATA" } }',
            [("main", "GCE_METADATA"), ("a", "GCE_METADATA"), ("b", "GKE_METADATA")],
        ),
        ('node_pool { name = "own" }', [("own", "GKE_METADATA"), ("a", "GCE_METADATA"), ("b", "GKE_METADATA")]),
    ],
)
def test_node_pools_of_their_own_join_their_cluster(reference, default, pools):
    (cluster,) = clouds(main_tf=GKE.replace("DEFAULT", default).replace("REFERENCE", reference)).clusters
    assert (None if cluster.pools is None else [(pool.name, pool.mode) for pool in cluster.pools]) == pools


def test_the_mode_of_a_node_pool_that_a_variable_decides_is_not_known():
    text = GKE.replace("DEFAULT", REMOVED).replace("REFERENCE", "id").replace('"GCE_METADATA"', "var.mode")
    (cluster,) = clouds(main_tf=text).clusters
    assert cluster.pools is None


MEMBER = "serviceAccount:acme.svc.id.goog[shop/cart]"
POLICY = f"""
resource "google_service_account" "deploy" {{
  account_id = "deploy"
  project    = "acme"
}}
data "google_iam_policy" "own" {{
  binding {{
    role    = "roles/iam.workloadIdentityUser"
    members = ["{MEMBER}"]
    condition {{
      title      = "until"
      expression = "request.time < timestamp('2020-01-01T00:00:00Z')"
    }}
  }}
}}
resource "google_service_account_iam_policy" "own" {{
  service_account_id = google_service_account.deploy.name
  policy_data        = DATA
}}
"""
ENCODED = f'jsonencode({{ bindings = [{{ role = "roles/iam.workloadIdentityUser", members = ["{MEMBER}"] }}] }})'


@pytest.mark.parametrize("data", ["data.google_iam_policy.own.policy_data", ENCODED])
def test_a_whole_policy_of_terraform_has_its_bindings_and_no_others(data):
    read = clouds(main_tf=POLICY.replace("DATA", data))
    tables = lookups(read)
    (account,) = read.accounts
    bindings = [binding for binding in tables.bindings_of(account, account.email) if binding.role]
    assert [binding.members for binding in bindings] == [(MEMBER,)]
    assert tables.has_whole_policy(account, account.email)
    assert bool(bindings[0].condition) is data.startswith("data.")


def test_a_policy_that_is_not_seen_hides_who_is_in_it():
    read = clouds(main_tf=POLICY.replace("DATA", "var.policy"))
    (binding,) = read.bindings
    assert isinstance(binding.members[0], Text)
    assert not lookups(read).has_whole_policy(read.accounts[0], read.accounts[0].email)


def test_a_planned_policy_has_its_bindings():
    policy = json.dumps({"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [MEMBER]}]})
    values = {"service_account_id": "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com", "policy_data": policy}
    resource = {"address": "google_service_account_iam_policy.x", "mode": "managed", "values": values}
    resource |= {"type": "google_service_account_iam_policy", "name": "x"}
    plan = {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": [resource]}}}
    read = clouds(plan_json=json.dumps(plan))
    assert [(b.resource, b.members) for b in read.bindings if b.role] == [("a@p.iam.gserviceaccount.com", (MEMBER,))]
