"""How far members of Google Cloud reach of which a template fills in parts: open is a finding, hidden is unknown."""

import json

import pytest

from irsa_doctor.facts import View
from irsa_doctor.facts.clouds.google import google_facts
from irsa_doctor.facts.clouds.records import PolicyMemberFacts
from irsa_doctor.model import Unknown
from irsa_doctor.sources import load

POOL = """
resource "google_iam_workload_identity_pool" "ci" { workload_identity_pool_id = "ci" }
resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.ci.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
    "attribute.owner"      = "assertion.repository_owner"
    "attribute.actor"      = "assertion.actor"
  }
  CONDITION
  oidc { issuer_uri = "https://token.actions.githubusercontent.com" }
}
resource "google_service_account_iam_binding" "deploy" {
  service_account_id = "projects/acme/serviceAccounts/deploy@acme.iam.gserviceaccount.com"
  role               = "roles/iam.workloadIdentityUser"
  members            = MEMBERS
}
"""
BY_NAME = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.ci.name}"
BY_NUMBER = (
    "principalSet://iam.googleapis.com/projects/${data.google_project.own.number}/locations/global/workloadIdentityPools/"
    "${google_iam_workload_identity_pool.ci.workload_identity_pool_id}"
)
OPEN = "projects/${var.number}/locations/global/workloadIdentityPools/${var.pool}"


def members(written, condition=""):
    text = POOL.replace("MEMBERS", written)
    text = text.replace("CONDITION", f'attribute_condition = "{condition}"' if condition else "")
    view = View(load((), memory={"main.tf": text.encode()}).inventory)
    return [judged.facts for judged in google_facts(view.clouds) if isinstance(judged.facts, PolicyMemberFacts)]


def reach(member, condition=""):
    (facts,) = members(f'["{member}"]', condition)
    return "unknown" if isinstance(facts.reach, Unknown) else facts.reach


@pytest.mark.parametrize("pool", [BY_NAME, BY_NUMBER])
@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("/*", "platform"),
        ("/attribute.repository/acme/shop", "repository"),
        ("/attribute.repository/acme/${var.repository}", "repository"),
        ("/attribute.repository/${var.owner}/${var.repository}", "repository"),
        ("/attribute.owner/${var.owner}", "organisation"),
        ("/attribute.actor/${var.who}", "caller"),
        ("/attribute.${var.attribute}/acme", "unknown"),
        ("/${var.rest}", "unknown"),
    ],
)
def test_a_member_is_judged_by_what_its_placeholders_leave_open(pool, rest, expected):
    assert reach(f"{pool}{rest}") == expected


@pytest.mark.parametrize(
    "member",
    [
        "${var.member}",
        "${local.prefix}/*",
        "principalSet://${var.pool}/*",
        f"principalSet://iam.googleapis.com/{OPEN}/*",
        "principalSet://iam.googleapis.com/${var.pool}/attribute.repository/acme/shop",
        "${var.kind}://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/*",
    ],
)
def test_a_member_that_a_placeholder_hides_is_unknown_with_its_reason(member):
    (facts,) = members(f'["{member}"]')
    assert isinstance(facts.reach, Unknown)
    assert facts.reach.missing


@pytest.mark.parametrize(
    "written",
    [
        "var.members",
        "concat(var.members, [])",
        '[for name in var.names : "principalSet://iam.googleapis.com/${var.pool}/attribute.repository/${name}"]',
    ],
)
def test_a_list_of_members_that_is_filled_in_later_is_not_nobody(written):
    assert [type(facts.reach) for facts in members(written)] == [Unknown]


def test_an_empty_list_of_members_is_nobody():
    assert members("[]") == []


@pytest.mark.parametrize(
    "member",
    [
        "user:${var.name}@example.com",
        "serviceAccount:${google_service_account.own.email}",
        "${google_service_account.own.member}",
        "group:${var.group}",
        "principal://goog/subject/${var.email}",
    ],
)
def test_people_and_accounts_with_placeholders_are_no_members_of_pools(member):
    account = 'resource "google_service_account" "own" { account_id = var.name }\n'
    text = account + POOL.replace("MEMBERS", f'["{member}"]').replace("CONDITION", "")
    view = View(load((), memory={"main.tf": text.encode()}).inventory)
    assert not [judged for judged in google_facts(view.clouds) if isinstance(judged.facts, PolicyMemberFacts)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("assertion.repository_owner == '${var.owner}'", "organisation"),
        ("assertion.repository == '${var.owner}/shop'", "repository"),
        ("assertion.repository == '${var.repository}'", "repository"),
        ("assertion.repository.startsWith('${var.owner}/')", "organisation"),
        ("assertion.actor == '${var.actor}'", "caller"),
        ("assertion.repository_owner != '${var.owner}'", "platform"),
        # what is at the open end may be empty, or end a segment
        ("assertion.repository.startsWith('${var.prefix}')", "unknown"),
        ("assertion.repository.startsWith('acme/${var.prefix}')", "unknown"),
        ("!assertion.repository.startsWith('acme/${var.prefix}')", "unknown"),
        # outside of literals a placeholder may change what the rest means
        ("assertion.repository_owner == 'acme' && ${var.more}", "unknown"),
        ("assertion.repository == 'acme/shop' ${var.more}", "unknown"),
        ("${var.condition}", "unknown"),
        ("assertion.${var.claim} == 'acme'", "unknown"),
        ("assertion.repository in ${jsonencode(var.repositories)}", "unknown"),
    ],
)
def test_of_a_condition_counts_what_its_literals_fix(condition, expected):
    assert reach(f"{BY_NAME}/*", condition) == expected


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("serviceAccount:${var.project}.svc.id.goog[web/front]", "none"),
        ("serviceAccount:${google_container_cluster.own.workload_identity_config[0].workload_pool}[web/front]", "none"),
        (f"principalSet://iam.googleapis.com/{OPEN}/namespace/web", "group"),
        (
            "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/${var.p}.svc.id.goog/*",
            "organisation",
        ),
    ],
)
def test_a_member_of_clusters_is_known_by_its_form_whatever_the_project_is(member, expected):
    assert reach(member) == expected


def test_a_project_that_is_filled_in_is_not_taken_for_an_id():
    (by_id,) = members(
        '["principalSet://iam.googleapis.com/projects/${var.project}/locations/global/workloadIdentityPools/ci/*"]'
    )
    (by_number,) = members(f'["{BY_NUMBER}/*"]')
    assert (type(by_id.form), by_number.form) == (Unknown, "fine")


def test_a_plan_that_computes_the_member_later_is_not_nobody():
    resource = {
        "address": "google_service_account_iam_member.deploy",
        "type": "google_service_account_iam_member",
        "name": "deploy",
        "mode": "managed",
        "values": {"role": "roles/iam.workloadIdentityUser", "service_account_id": "deploy@acme.iam.gserviceaccount.com"},
    }
    plan = {"terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": [resource]}}, "resource_changes": []}
    view = View(load((), memory={"plan.json": json.dumps(plan).encode()}).inventory)
    (judged,) = google_facts(view.clouds)
    assert isinstance(judged.facts, PolicyMemberFacts)
    assert isinstance(judged.facts.reach, Unknown)


def test_a_pool_whose_issuer_is_filled_in_is_unknown():
    text = POOL.replace("MEMBERS", f'["{BY_NAME}/*"]').replace("CONDITION", "")
    text = text.replace('"https://token.actions.githubusercontent.com"', "var.issuer")
    view = View(load((), memory={"main.tf": text.encode()}).inventory)
    (facts,) = [judged.facts for judged in google_facts(view.clouds) if isinstance(judged.facts, PolicyMemberFacts)]
    assert isinstance(facts.reach, Unknown)
