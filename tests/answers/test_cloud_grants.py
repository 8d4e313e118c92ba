"""Who can be an identity of Azure or a service account of Google Cloud."""

import json

import pytest

from irsa_doctor.answers.check.examples import base_world, documents_of, example_world, named
from irsa_doctor.answers.cloud_grants import who_can_be_identity
from irsa_doctor.api import check
from irsa_doctor.facts import View
from irsa_doctor.facts.clouds.google import google_facts
from irsa_doctor.facts.clouds.records import PolicyMemberFacts
from irsa_doctor.sources import load


def answer(name, patch):
    world = named(example_world(base_world(), patch))
    return who_can_be_identity(View(load((), memory=documents_of(world)).inventory), name)


@pytest.mark.parametrize("name", ["orders-id", "3e9a6b17-2c84-4f0d-b5a8-6d1c7e4f9023"])
def test_an_identity_of_azure_names_its_service_accounts(name):
    (grant,) = answer(name, {"with": ["aks"]}).grants
    assert (grant.subjects.patterns, grant.ring, grant.cloud) == (("system:serviceaccount:orders:api",), "workload", "azure")
    assert grant.service_accounts == ("shop/orders/api",)


def credential(**values):
    own = {"id": "$IDENTITY/federatedIdentityCredentials/ci", "name": "ci", "audiences": ["api://AzureADTokenExchange"]}
    return {"with": ["aks"], "files": {"aks/ci.json": {**own, "type": TYPE, **values}}}


TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
GITHUB = "https://token.actions.githubusercontent.com"


def test_a_credential_for_github_has_a_ring_and_a_tenant():
    expression = {"value": "claims['sub'] matches 'repo:acme@7/*'"}
    grants = answer("orders-id", credential(issuer=GITHUB, claimsMatchingExpression=expression)).grants
    (grant,) = (grant for grant in grants if grant.issuer == GITHUB)
    assert (grant.ring, grant.issuer_id, grant.subjects.patterns) == ("organisation", "github", ("repo:acme@7/*",))
    assert [(tenant.name, tenant.id) for tenant in grant.tenants] == [("acme", "7")]
    assert grant.subjects.witness == "repo:acme@7/x@88120001:ref:refs/heads/main"


def test_a_member_of_a_pool_has_the_ring_of_its_provider():
    pool = "projects/420000000002/locations/global/workloadIdentityPools/ci"
    members = [f"principalSet://iam.googleapis.com/{pool}/*"]
    policy = {"policy": {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": members}]}}
    provider = {
        "name": f"{pool}/providers/github",
        "state": "ACTIVE",
        "oidc": {"issuerUri": GITHUB},
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": "assertion.repository_owner == 'acme'",
    }
    patch = {"with": ["gke"], "files": {"gke/policy.json": policy, "gke/pool.json": provider}}
    (grant,) = answer("front@acme-web.iam.gserviceaccount.com", patch).grants
    assert (grant.ring, grant.issuer, grant.subjects.exact) == ("organisation", GITHUB, True)
    assert [(claim.key, claim.values) for claim in grant.claims] == [("repository_owner", ("acme",))]


def test_an_expression_is_not_passed_as_nobody():
    change = {"subject": None, "claimsMatchingExpression": {"value": "claims['sub'] matches 'x*'"}}
    (grant,) = answer("orders-id", {"with": ["aks"], "files": {"aks/credential.json": change}}).grants
    assert (grant.ring, grant.subjects.scope, grant.subjects.exact) == ("unknown", "unknown", False)


def test_members_of_other_kinds_are_named():
    bindings = [
        {
            "role": "roles/iam.workloadIdentityUser",
            "members": ["serviceAccount:acme-web.svc.id.goog[web/front]", "user:ann@example.com"],
        }
    ]
    patch = {"with": ["gke"], "files": {"gke/policy.json": {"policy": {"bindings": bindings}}}}
    result = answer("front@acme-web.iam.gserviceaccount.com", patch)
    assert result.grants[0].subjects.patterns == ("system:serviceaccount:web:front",)
    assert [other.value for other in result.others] == ["user:ann@example.com"]


def test_a_name_of_nothing_has_no_answer():
    assert answer("nobody-knows", {"with": ["aks"]}) is None


def test_a_member_that_a_template_hides_is_missing_and_no_other_principal():
    text = """
    resource "google_service_account" "deploy" {
      account_id = "deploy"
      project    = "acme"
    }
    resource "google_service_account_iam_member" "hidden" {
      service_account_id = google_service_account.deploy.name
      role               = "roles/iam.workloadIdentityUser"
      member             = var.member
    }
    """
    view = View(load((), memory={"main.tf": text.encode()}).inventory)
    found = who_can_be_identity(view, "deploy@acme.iam.gserviceaccount.com")
    assert (found.others, found.grants) == ((), ())
    assert any("var.member" in missing.missing for missing in found.unknown)


PROJECTS = [
    (["acme-web"], "yours"),
    (["acme-web@420000000002"], "yours"),
    (["acme-other"], "outsider"),
    (["420000000009"], "outsider"),
    (["420000000002"], "yours"),
    ([], "unknown"),
]


@pytest.mark.parametrize(("declared", "whose"), PROJECTS)
def test_settings_say_whose_the_project_of_a_pool_is(declared, whose):
    world = named(example_world(base_world(), {"with": ["gke"]}))
    view = View(load((), memory=documents_of(world)).inventory, owner={"gcp-projects": declared} if declared else {})
    found = who_can_be_identity(view, "front@acme-web.iam.gserviceaccount.com")
    (grant,) = found.grants
    assert (grant.whose, [tenant.name for tenant in grant.tenants]) == (whose, ["acme-web"])
    assert found.ring == grant.ring == "workload"
    facts = [judged.facts for judged in google_facts(view.clouds) if isinstance(judged.facts, PolicyMemberFacts)]
    assert any(each.outsider for each in facts) is (whose == "outsider")


@pytest.mark.parametrize(
    ("condition", "ring"),
    [("", "world"), ("assertion.sub == 'eu-west-1:7c9e6679-7425-40de-944b-e07fc1f90ae7'", "workload")],
)
def test_a_pool_that_trusts_an_identity_pool_of_cognito_admits_its_guests(condition, ring):
    pool = "projects/420000000002/locations/global/workloadIdentityPools/app"
    members = [f"principalSet://iam.googleapis.com/{pool}/*"]
    policy = {"policy": {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": members}]}}
    provider = {
        "name": f"{pool}/providers/cognito",
        "state": "ACTIVE",
        "oidc": {"issuerUri": "https://cognito-identity.amazonaws.com", "allowedAudiences": ["eu-west-1:0f"]},
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": condition,
    }
    patch = {"with": ["gke"], "files": {"gke/policy.json": policy, "gke/pool.json": provider}}
    (grant,) = answer("front@acme-web.iam.gserviceaccount.com", patch).grants
    assert grant.ring == ring


@pytest.mark.parametrize("member", ["allUsers", "allAuthenticatedUsers"])
@pytest.mark.parametrize(
    ("role", "rules"), [("roles/iam.serviceAccountTokenCreator", ["reach-world"]), ("roles/iam.serviceAccountUser", [])]
)
def test_whoever_everybody_can_be_is_open_to_everybody(member, role, rules, tmp_path):
    account = "//iam.googleapis.com/projects/acme-web/serviceAccounts/front@acme-web.iam.gserviceaccount.com"
    policy = {"resource": account, "policy": {"bindings": [{"role": role, "members": [member]}]}}
    path = tmp_path / "policies.json"
    path.write_text(json.dumps([policy]), encoding="utf-8")
    assert [(found.rule, found.severity) for found in check([str(path)]).findings] == [(rule, "critical") for rule in rules]


OPEN_POOL = (
    "principalSet://iam.googleapis.com/projects/420000000002/locations/global/workloadIdentityPools/acme-web.svc.id.goog/*"
)
CONFIG_CONNECTOR = f"""
apiVersion: iam.cnrm.cloud.google.com/v1beta1
kind: IAMPolicy
metadata: {{name: front, namespace: web}}
spec:
  resourceRef: {{kind: IAMServiceAccount, external: projects/acme-web/serviceAccounts/front@acme-web.iam.gserviceaccount.com}}
  bindings:
  - role: roles/iam.workloadIdentityUser
    members: ["{OPEN_POOL}"]
"""
GOOGLE_TERRAFORM = """
resource "google_service_account" "front" {
  account_id = "front"
  project    = "acme-web"
}
resource "google_service_account_iam_member" "front" {
  service_account_id = google_service_account.front.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "allUsers"
}
"""
AZURE_TERRAFORM = """
resource "azurerm_kubernetes_cluster" "shop" {
  name                = "shop"
  oidc_issuer_enabled = true
}
resource "azurerm_user_assigned_identity" "api" {
  name = "api"
}
resource "azurerm_federated_identity_credential" "api" {
  name      = "shop"
  parent_id = azurerm_user_assigned_identity.api.id
  issuer    = azurerm_kubernetes_cluster.shop.oidc_issuer_url
  audience  = ["api://AzureADTokenExchange"]
  subject   = "SUBJECT"
}
"""


@pytest.mark.parametrize(
    ("name", "text", "rules"),
    [
        ("policy.yaml", CONFIG_CONNECTOR, ["reach-organisation"]),
        ("main.tf", GOOGLE_TERRAFORM, ["reach-world"]),
        ("main.tf", AZURE_TERRAFORM.replace("SUBJECT", "system:serviceaccount:orders/api"), ["azure-subject-impossible"]),
        ("main.tf", AZURE_TERRAFORM.replace("SUBJECT", "system:serviceaccount:orders:*"), ["azure-subject-impossible"]),
        ("main.tf", AZURE_TERRAFORM.replace("SUBJECT", "system:serviceaccount:orders:api"), []),
    ],
)
def test_a_template_is_judged_by_what_it_writes(name, text, rules, tmp_path):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert [found.rule for found in check([str(path)]).findings] == rules
