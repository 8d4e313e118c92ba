"""What can be pasted lets in whom it should, and nobody else."""

import json

import pytest

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.facts import derive
from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.trust import admitted, read_policy
from irsa_doctor.trust.languages import contains
from tests.facts.situations import ACCOUNT, ISSUER, account, aws, manifests, policy, provider_arn, role, view

SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
APP, OTHER = "system:serviceaccount:prod:app", "system:serviceaccount:prod:other"
WEB = "sts:AssumeRoleWithWebIdentity"


def corrections(statement, *documents):
    """The corrected statements of a role that the service account `app` names; `statement` is laid over the right one."""
    right = policy()["Statement"][0]
    roles = {"RoleDetailList": [role(AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [right | statement]})]}
    given = aws(**{"roles.json": roles, "o.yaml": manifests(account())}, **dict(documents))
    outcome = evaluate(shipped_rules(), derive(view(given, "serviceaccounts")), lambda *_: (0, 0, 0, 0, "", 0))
    return [json.loads(s.text) for finding in outcome.findings for s in finding.snippets if s.language == "json"]


def lets_in(statement):
    """What a statement alone admits for the provider of the cluster."""
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return admitted(read_policy(TrustPolicy(document, Place("p"))), provider_arn(), ISSUER)


def asking(*, sub=None, aud="sts.amazonaws.com", operator="StringEquals", **more):
    """A condition by operator; nothing of what is None."""
    condition = {name: dict(keys) for name, keys in more.items()}
    for name, key, value in (("StringEquals", AUD, aud), (operator, SUB, sub)):
        if value:
            condition.setdefault(name, {})[key] = value
    return {"Condition": condition}


@pytest.mark.parametrize(
    "statement",
    [
        asking(),
        asking(sub=APP, aud=None),
        asking(sub="prod/app"),
        asking(sub="system:serviceaccount:Prod:app", operator="StringLike"),
        asking(sub="system:serviceaccount:prod:*"),
        asking(sub=[OTHER], operator="StringNotEquals"),
        asking(sub=[OTHER], operator="StringNotEquals", aud=None),
        asking(sub=APP, operator="StringEqualsIfExists"),
        asking(sub=APP, aud="sts.amazon.com"),
        asking(sub=APP, StringLike={"aws:PrincipalOrgID": "o-*"}),
        asking(StringLike={f"https://{SUB}": APP}),
        {"Principal": {"Federated": provider_arn() + "/"}},
        {"Principal": {"Federated": f"https://{ISSUER}"}},
        {"Principal": {"Federated": "*"}},
        {"Principal": {"Federated": provider_arn("999988887777", ISSUER.replace("/id/", "/"))}},
        {"Action": "sts:AssumeRole"},
        {"Condition": {}},
    ],
)
def test_a_corrected_statement_admits_the_service_account_that_was_meant_and_no_other(statement):
    found = corrections(statement)
    assert found
    for corrected in found:
        it = lets_in(corrected)
        assert it.admits(APP, "sts.amazonaws.com")
        assert it.reach.scope == "one"
        assert not it.admits(APP, "another")


def test_what_limits_a_statement_besides_the_token_stays():
    source = {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]}}
    (corrected,) = corrections(asking(sub=APP, aud=None, **source))
    assert corrected["Condition"]["IpAddress"] == source["IpAddress"]
    assert lets_in(corrected).depends_on == ("aws:SourceIp",)


def test_patterns_and_actions_beside_the_fault_stay():
    (corrected,) = corrections(
        {**asking(sub=[APP, "system:serviceaccount:jobs:*"], operator="StringLike", aud="x"), "Action": [WEB, "sts:TagSession"]}
    )[:1]
    it = lets_in(corrected)
    assert contains(it.subjects, APP)
    assert contains(it.subjects, "system:serviceaccount:jobs:nightly")
    assert corrected["Action"] == [WEB, "sts:TagSession"]


def test_the_audience_of_another_kind_of_cluster_is_not_replaced_by_that_of_eks():
    issuer = "oidc.example.org"
    statement = {
        "Principal": {"Federated": provider_arn(issuer=issuer)},
        "Condition": {"StringEquals": {f"{issuer}:aud": "amazonaws.com"}},
    }
    discovery = {"issuer": f"https://{issuer}", "jwks_uri": f"https://{issuer}/keys", "subject_types_supported": ["public"]}
    listed = {"OpenIDConnectProviderList": [{"Arn": provider_arn(issuer=issuer)}]}
    (corrected,) = corrections(statement, ("kops/discovery.json", discovery), ("kops/providers.json", listed))
    assert corrected["Condition"]["StringEquals"][f"{issuer}:aud"] == "amazonaws.com"


def test_subjects_of_other_issuers_are_left_as_they_are():
    github = "token.actions.githubusercontent.com"
    statement = {
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{github}"},
        "Condition": {"StringEquals": {f"https://{github}:sub": "repo:acme/app:ref:refs/heads/main", f"{github}:aud": "x"}},
    }
    listed = {"OpenIDConnectProviderList": [{"Arn": provider_arn(issuer=github)}]}
    (corrected,) = corrections(statement, ("github.json", listed))
    asked = corrected["Condition"]["StringEquals"]
    assert (asked[f"{github}:sub"], asked[f"{github}:aud"]) == ("repo:acme/app:ref:refs/heads/main", "x")


def test_nothing_is_proposed_where_no_provider_can_be_meant():
    assert corrections({"Principal": {"Federated": "https://example.com"}, "Condition": {}}) == []
