"""A rule that nothing in the input is about is not asked; one that an input is missing for is unknown, and never passes."""

import msgspec
import pytest

from irsa_doctor.answers.check.asking import ask
from irsa_doctor.facts import View, derive
from irsa_doctor.facts.service_accounts.records import ServiceAccountFacts
from irsa_doctor.model import Place, ResourceControlPolicy, TrustPolicy, Unknown
from irsa_doctor.model.inventory import Gap
from irsa_doctor.rulebook.rules import SUBJECTS, shipped_rules
from tests.facts.situations import ACCOUNT, account, aws, manifests, plain_account, view

WHOLE = ("serviceaccounts", "pods", "daemonsets")
ABOUT_ROLES, ABOUT_ASSOCIATIONS = "sa-annotation-missing", "podid-association-other-name"


def verdict(inventory: View, rule: str, kind: str) -> str | None:
    """What a rule says of the only subject of a kind, None where it does not apply."""
    known = next(each for each in shipped_rules() if each.id == rule)
    types = {SUBJECTS[subject] for subject in known.subject}
    (judged,) = [each for each in derive(inventory) if each.kind == kind and type(each.facts) in types]
    answer = ask(known, judged.facts)
    return answer.verdict.value if answer else None


def given(*left_out: str, account=plain_account, complete=WHOLE) -> View:
    documents = aws(**{"o.yaml": manifests(account("other"))})
    return view({name: document for name, document in documents.items() if name not in left_out}, *complete)


def refused(inventory: View, *gap: str) -> View:
    return View(msgspec.structs.replace(inventory.inventory, gaps=(Gap(*gap, "denied", ""),)))


def test_manifests_alone_leave_nothing_unknown_of_a_service_account_that_names_no_role():
    alone = view({"o.yaml": manifests(plain_account())})
    assert [verdict(alone, rule, "service-account") for rule in (ABOUT_ROLES, ABOUT_ASSOCIATIONS)] == [None, None]


@pytest.mark.parametrize(
    ("rule", "list_of"), [(ABOUT_ROLES, "roles.json"), (ABOUT_ASSOCIATIONS, "associations.json"), (ABOUT_ROLES, "cluster.json")]
)
def test_a_service_account_that_names_no_role_does_not_pass_for_want_of_a_list(rule, list_of):
    assert verdict(given(), rule, "service-account") == "pass"
    assert verdict(given(list_of), rule, "service-account") == "unknown"


def test_an_empty_annotation_is_wrong_whatever_the_roles_are():
    def empty(name):
        return account(name, role_arn="")

    assert verdict(given("roles.json", account=empty), "role-arn-empty", "service-account") == "fail"
    assert verdict(given("roles.json", account=empty), ABOUT_ROLES, "service-account") == "unknown"


def test_roles_of_another_account_that_were_refused_may_admit_a_service_account():
    assert verdict(refused(given(), "roles", "444455556666", ""), ABOUT_ROLES, "service-account") == "unknown"


def test_nobody_asks_for_policies_of_an_organization_that_were_not_given():
    rule = "rcp-trusted-oidc-providers"
    assert verdict(given(), rule, "provider") is None
    assert verdict(refused(given(), "rcps", ACCOUNT, ""), rule, "provider") == "unknown"


def test_policies_over_one_account_say_nothing_of_providers_in_another():
    inventory = given().inventory
    statement = {"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*"}
    condition = {"StringNotEquals": {"sts:OIDCProvider": ["oidc.example"]}}
    policy = {"Version": "2012-10-17", "Statement": [statement | {"Condition": condition}]}
    for over, asked in ((ACCOUNT, True), ("444455556666", False)):
        rcp = ResourceControlPolicy("rcp", TrustPolicy(policy, Place("rcp.json")), Place("rcp.json"), account=over)
        whole = View(msgspec.structs.replace(inventory, rcps=(rcp,)))
        assert (verdict(whole, "rcp-trusted-oidc-providers", "provider") is not None) is asked


@pytest.mark.parametrize("rule", ["podid-agent-missing", "podid-agent-degraded"])
def test_a_cluster_whose_associations_were_refused_may_need_the_agent(rule):
    whole = given()
    cluster = whole.inventory.clusters[0].id
    assert verdict(whole, rule, "cluster") is None
    assert verdict(refused(whole, "associations", cluster, ""), rule, "cluster") == "unknown"


def test_an_association_of_a_near_name_is_no_pass_where_its_service_account_may_exist():
    near = {"associations": [{"clusterName": "prod", "namespace": "prod", "serviceAccount": "others", "associationId": "a-1"}]}
    documents = aws(**{"o.yaml": manifests(plain_account("other")), "associations.json": near})
    assert verdict(view(documents, *WHOLE), ABOUT_ASSOCIATIONS, "service-account") == "fail"
    assert verdict(view(documents), ABOUT_ASSOCIATIONS, "service-account") == "unknown"


def test_what_is_unknown_says_why():
    facts = next(each.facts for each in derive(given("roles.json")) if each.kind == "service-account")
    assert isinstance(facts, ServiceAccountFacts)
    assert isinstance(facts.wanted, Unknown)
    assert facts.wanted.missing == f"roles of account {ACCOUNT}"
