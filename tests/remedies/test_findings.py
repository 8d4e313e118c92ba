"""What a finding offers lets in whom the role was made for, and nobody else."""

import json

import pytest

from tests.facts.situations import ACCOUNT, ISSUER, account, aws, manifests, provider_arn, role, role_arn, view
from tests.remedies.offering import (
    APP,
    AUD,
    OTHER,
    PREFIX,
    STS,
    SUB,
    WEB,
    conditions,
    given,
    offered,
    policies,
    reach,
    statement,
    whole,
)

SLIPS = [
    conditions(sub="prod/app"),
    conditions(sub=f"{PREFIX}Prod:app", operator="StringLike"),
    conditions(sub=f"{PREFIX}prod:*"),
    conditions(aud="sts.amazon.com"),
    conditions(aud="https://sts.eu-west-1.amazonaws.com"),
    conditions(StringLike={"aws:PrincipalOrgID": "o-*"}),
    {"Condition": {"StringLike": {f"https://{SUB}": APP}}},
    {"Condition": {"StringEquals": {f"{ISSUER}/:sub": APP, AUD: STS}}},
    {"Condition": {"StringEquals": {f"{provider_arn()}:sub": APP, AUD: STS}}},
    {"Condition": {"StringEquals": {SUB: STS, AUD: APP}}},
    {"Condition": {"StringEquals": {AUD: APP}}},
    {"Principal": {"Federated": provider_arn() + "/"}},
    {"Principal": {"Federated": f"https://{ISSUER}"}},
    {"Principal": {"Federated": provider_arn("999988887777", ISSUER.replace("/id/", "/"))}},
    {"Action": "sts:AssumeRole"},
    {"Action": "sts:AssumeRoleWithWebIdentiy"},
]
OPEN = [
    conditions(sub=None),
    conditions(sub=f"{PREFIX}*", operator="StringLike"),
    conditions(sub=[OTHER], operator="StringNotEquals"),
    conditions(sub=[OTHER], operator="StringNotEquals", aud=None),
    conditions(sub=f"{PREFIX}*", operator="ForAllValues:StringLike"),
    {"Condition": {"ForAllValues:StringEquals": {f"https://{SUB}": [APP]}}},
    {"Condition": {"StringEqualsIfExists": {f"{ISSUER}/:sub": APP}, "StringEquals": {AUD: STS}}},
    {"Condition": {}},
]


@pytest.mark.parametrize("changes", [*SLIPS, *OPEN])
def test_an_offered_policy_admits_the_service_account_that_uses_the_role_and_no_other(changes):
    found = offered(given(whole(statement(**changes))))
    found.pop("open-aud-missing", None)
    assert found
    for document in (fix.policy for fix in found.values()):
        admits = reach(document)
        assert admits.admits(APP, STS)
        assert admits.reach.scope == "one"


@pytest.mark.parametrize("changes", SLIPS)
def test_without_service_accounts_the_subjects_that_are_written_are_let_in(changes):
    for document in policies(whole(statement(**changes)), users=()):
        assert reach(document).reach.scope == "one"
        assert reach(document).admits(APP, STS)


@pytest.mark.parametrize("changes", OPEN)
def test_an_open_role_is_not_narrowed_to_users_of_a_list_that_may_lack_some(changes):
    found = offered(given(whole(statement(**changes)), complete=False))
    found.pop("open-aud-missing", None)
    for document in (fix.policy for fix in found.values() if fix):
        # what the text itself names may be said
        assert reach(document).reach.scope == "one"
        assert APP in str(changes)


def test_an_audience_is_required_where_it_was_forgotten():
    fix = offered(given(whole(statement(**conditions(aud=None)))))["open-aud-missing"]
    assert fix.policy["Statement"][0]["Condition"]["StringEquals"] == {SUB: APP, AUD: STS}
    assert (fix.keeps, fix.admits) == (1, ())


def test_what_limits_a_statement_besides_the_token_stays():
    source = {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]}}
    (document,) = policies(whole(statement(**conditions(aud=None, **source))))
    assert document["Statement"][0]["Condition"]["IpAddress"] == source["IpAddress"]


def test_actions_beside_the_defect_stay():
    (document,) = policies(whole(statement(**conditions(aud="x"), Action=[WEB, "sts:TagSession"])))
    assert document["Statement"][0]["Action"] == [WEB, "sts:TagSession"]


def test_a_pattern_that_would_let_others_in_is_replaced_by_who_uses_the_role():
    wide = conditions(sub=[APP, f"{PREFIX}prod:*"], operator="StringLike", aud="x")
    document = offered(given(whole(statement(**wide)), users=("app", "other")))["trust-aud-mismatch"].policy
    assert document["Statement"][0]["Condition"]["StringEquals"] == {AUD: STS, SUB: [APP, OTHER]}


def test_nothing_is_offered_for_tokens_of_other_issuers():
    github = "token.actions.githubusercontent.com"
    changes = {
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{github}"},
        "Condition": {"StringEquals": {f"https://{github}:sub": "repo:acme/app:ref:refs/heads/main", f"{github}:aud": "x"}},
    }
    listed = {"OpenIDConnectProviderList": [{"Arn": provider_arn(issuer=github)}]}
    wrong = statement(**changes)
    assert all(document["Statement"][0] == wrong for document in policies(whole(wrong), ("github.json", listed)))


def test_nothing_is_offered_where_no_provider_can_be_meant():
    assert policies(whole(statement(Principal={"Federated": "https://example.com"}, Condition={}))) == []


def test_a_policy_with_holes_is_not_mended():
    changes = conditions(sub="prod/app") | {"Principal": {"Federated": "<provider-arn>"}}
    assert policies(whole(statement(**changes))) == []


def test_a_finding_that_nobody_reads_costs_nothing():
    inventory = given(whole(statement(**conditions(sub="prod/app"))))
    from irsa_doctor.model.findings import Offer

    read = []
    assert Offer(lambda: read.append(1)) is not None
    assert read == []
    assert offered(inventory)["trust-sub-prefix-missing"].policy is not None


def test_no_role_is_made_to_require_an_audience_that_the_provider_may_not_take():
    annotated = manifests(account(role_arn=role_arn(), audience="vault"))
    given_all = aws(**{"roles.json": {"RoleDetailList": [role()]}, "o.yaml": annotated})
    known = "provider.json"
    taken = given_all | {known: {"Url": ISSUER, "ClientIDList": [STS, "vault"]}}
    fix = offered(view(taken, "serviceaccounts"))["trust-aud-mismatch"]
    assert fix is not None
    assert '"vault"' in json.dumps(fix.policy)
    unseen = {name: document for name, document in given_all.items() if name != known}
    assert offered(view(unseen, "serviceaccounts"))["trust-aud-mismatch"] is None
    # a role that names it is not changed in that
    other = role(AssumeRolePolicyDocument=whole(statement(**conditions(sub=f"{PREFIX}prod:app-1", aud="vault"))))
    named = unseen | {"roles.json": {"RoleDetailList": [other]}}
    assert offered(view(named, "serviceaccounts"))["trust-sub-mismatch"] is not None
