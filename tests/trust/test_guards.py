"""What the guards of shared issuers ask on save is listed, and refuses no stored document.

Recorded: radkawar/stackd, commit 9dc356f5, iam/policy/testdata/oidc_trust_controls*_aws.json.
"""

import pytest

from irsa_doctor.issuers.guards import guard_of
from tests.trust.asking import ACCOUNT, SUB, WEB_IDENTITY, deny, hole, policy, statement

GITHUB, GITLAB, TERRAFORM = "token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"
COGNITO, GOOGLE, AMAZON, FACEBOOK = (
    *("cognito-identity.amazonaws.com", "accounts.google.com"),
    *("www.amazon.com", "graph.facebook.com"),
)
BUILT_IN = (COGNITO, GOOGLE, AMAZON, FACEBOOK)


def principal(issuer):
    return issuer if issuer in BUILT_IN else f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"


def allow(issuer, conditions=None, **members):
    return statement(conditions, principal={"Federated": principal(issuer)}, **members)


def refusals(*statements):
    found = policy(*statements)
    assert not found.refused
    return [problem.message for problem in found.problems if problem.code == "shared-issuer-control"]


def codes(*statements):
    return [problem.code for problem in policy(*statements).problems]


def test_the_texts_are_those_of_iam():
    asks = "must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase,"
    arn = principal(GITHUB)
    assert refusals(allow(GITLAB)) == [
        f"Trust policy with trusted principal {GITLAB} {asks} {GITLAB}:sub which is not scoped to all."
    ]
    keys = f"{GITHUB}:sub or {GITHUB}:job_workflow_ref"
    assert refusals(allow(GITHUB)) == [f"Trust policy with trusted principal {arn} {asks} {keys} which is not scoped to all."]
    assert refusals(allow(COGNITO)) == ["A condition block must be present for the Cognito provider"]
    assert refusals(allow(COGNITO, {"Bool": {"aws:SecureTransport": "true"}})) == [
        f"Trust policy with trusted principal {COGNITO} {asks} {COGNITO}:aud which is not scoped to all."
    ]
    assert refusals(allow(GOOGLE)) == [f"Policy trusting {GOOGLE} requires a StringEquals condition on an application id"]


@pytest.mark.parametrize(
    "conditions",
    [
        {"StringEquals": {"%s:sub": "a"}},
        {"StringLike": {"%s:sub": ["a*", "b"]}},
        {"StringEqualsIgnoreCase": {"%s:SUB": "a"}},
        {"ForAnyValue:StringEquals": {"%s:sub": "a"}},
        {"ForAllValues:StringLike": {"%s:sub": "a*"}},
        {"StringEquals": {"%s:sub": "a"}, "StringLike": {"%s:sub": "*"}},
        {"StringEquals": {"%s:sub": []}},
        {"StringLike": {"%s:sub": "?*"}},
        {"StringLike": {"%s:sub": "${aws:username}"}},
    ],
)
@pytest.mark.parametrize("issuer", [GITHUB, GITLAB, TERRAFORM, "agent.buildkite.com", "studio.datachain.ai/api"])
def test_what_counts_as_limited_is_saved(issuer, conditions):
    assert codes(allow(issuer, filled(conditions, issuer))) == []


@pytest.mark.parametrize(
    "conditions",
    [
        {"StringNotEquals": {"%s:sub": "a"}},
        {"StringEqualsIfExists": {"%s:sub": "a"}},
        {"Null": {"%s:sub": "false"}},
        {"NumericEquals": {"%s:sub": "1"}},
        {"Bool": {"%s:sub": "true"}},
        {"StringLike": {"%s:sub": "*"}},
        {"StringEquals": {"%s:sub": ["*", "a"]}},
        {"StringEquals": {"%s:aud": "sts.amazonaws.com"}},
        {"StringEquals": {SUB: "a"}},
        {},
    ],
)
@pytest.mark.parametrize("issuer", [GITHUB, GITLAB, TERRAFORM, "agent.buildkite.com", "studio.datachain.ai/api"])
def test_what_does_not_count_is_listed(issuer, conditions):
    assert codes(allow(issuer, filled(conditions, issuer))) == ["shared-issuer-control"]


def filled(conditions, issuer):
    return {
        operator: {key.replace("%s", issuer): values for key, values in keys.items()} for operator, keys in conditions.items()
    }


@pytest.mark.parametrize(
    ("value", "github"), [("**", False), ("*?", False), ("", False), (" ", False), ("*a", False), ("?", True)]
)
def test_what_is_blank_or_begins_with_a_star_is_all_for_github_alone(value, github):
    assert (codes(allow(GITHUB, {"StringLike": {f"{GITHUB}:sub": value}})) == []) is github
    assert codes(allow(GITLAB, {"StringLike": {f"{GITLAB}:sub": value}})) == []


def test_two_keys_under_one_operator_each_have_to_pass():
    sub, workflow = f"{GITHUB}:sub", f"{GITHUB}:job_workflow_ref"
    assert codes(allow(GITHUB, {"StringEquals": {workflow: "a"}})) == []
    assert codes(allow(GITHUB, {"StringEquals": {sub: "a", workflow: "*"}})) == ["shared-issuer-control"]
    assert codes(allow(GITHUB, {"StringEquals": {sub: "*", workflow: "a"}})) == ["shared-issuer-control"]
    assert codes(allow(GITHUB, {"StringEquals": {sub: "a"}, "StringLike": {workflow: "*"}})) == []


def test_every_allow_of_web_identity_is_asked_and_nothing_else():
    good = allow(GITLAB, {"StringEquals": {f"{GITLAB}:sub": "a"}})
    assert codes(good, deny(principal={"Federated": principal(GITLAB)})) == []
    assert codes(good, allow(GITLAB, Action="sts:TagSession")) == []
    assert codes(good, allow(GITLAB)) == ["shared-issuer-control"]
    assert codes(good, allow(GOOGLE)) == ["shared-issuer-control"]
    both = statement(good["Condition"], principal={"Federated": [principal(GITLAB), principal(TERRAFORM)]})
    assert codes(both) == ["shared-issuer-control"]
    assert codes(allow(GITLAB, Action=[WEB_IDENTITY, "sts:TagSession"])) == ["shared-issuer-control"]


@pytest.mark.parametrize("issuer", [GITHUB + "/enterprise", GITHUB + "other", GITHUB + ".example"])
def test_an_issuer_that_begins_like_github_is_always_listed(issuer):
    assert codes(allow(issuer, {"StringEquals": {f"{GITHUB}:sub": "a"}})) == ["shared-issuer-control"]
    assert codes(allow(issuer, {"StringEquals": {f"{issuer}:sub": "a"}})) == ["guard-unobserved"]


def test_an_issuer_that_begins_like_another_is_not_asked():
    assert codes(allow(GITLAB + "/group"), allow("gitlab.company.example"), allow("oidc.vercel.com/team")) == []


@pytest.mark.parametrize(
    ("issuer", "conditions", "saved"),
    [
        (GOOGLE, {"StringEquals": {f"{GOOGLE}:aud": "*"}}, True),
        (GOOGLE, {"StringEquals": {f"{GOOGLE}:oaud": []}}, True),
        (GOOGLE, {"StringEqualsIgnoreCase": {f"{GOOGLE}:sub": "1"}}, True),
        (GOOGLE, {"ForAnyValue:StringEquals": {f"{GOOGLE}:aud": "1"}}, True),
        (GOOGLE, {"StringEquals": {f"{GOOGLE}:AUD": "1"}}, False),
        (GOOGLE, {"StringEquals": {f"{GOOGLE}:email": "1"}}, False),
        (GOOGLE, {"StringEquals": {f"{GOOGLE}:app_id": "1"}}, False),
        (GOOGLE, {"StringLike": {f"{GOOGLE}:aud": "1"}}, False),
        (GOOGLE, {"StringEqualsIfExists": {f"{GOOGLE}:aud": "1"}}, False),
        (GOOGLE, {"StringNotEquals": {f"{GOOGLE}:aud": "1"}}, False),
        (GOOGLE, {"Null": {f"{GOOGLE}:aud": "false"}}, False),
        (AMAZON, {"StringEquals": {f"{AMAZON}:app_id": "1"}}, True),
        (AMAZON, {"StringEquals": {f"{AMAZON}:sub": "1"}}, True),
        (AMAZON, {"StringEquals": {f"{AMAZON}:aud": "1"}}, False),
        (FACEBOOK, {"StringEquals": {f"{FACEBOOK}:app_id": ""}}, True),
        (FACEBOOK, {"StringEquals": {f"{FACEBOOK}:sub": "1"}}, False),
    ],
)
def test_built_in_providers_ask_for_an_application(issuer, conditions, saved):
    assert codes(allow(issuer, conditions)) == ([] if saved else ["shared-issuer-control"])


def test_other_claims_than_the_subject_are_asked_for_where_they_name_the_tenant():
    for issuer in ("api.pulumi.com/oidc", "oidc.vercel.com", "sandboxes.cloud"):
        assert codes(allow(issuer, {"StringEquals": {f"{issuer}:aud": "a"}})) == []
        assert codes(allow(issuer, {"StringEquals": {f"{issuer}:sub": "a"}})) == ["shared-issuer-control"]
    sentinel = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d"
    assert codes(allow(sentinel, {"StringEquals": {"sts:RoleSessionName": "a"}})) == []
    assert codes(allow(sentinel)) == ["shared-issuer-control"]
    assert codes(allow("sts.windows.net/00000000-4d64-4f8c-a055-5bdaffd5e33d")) == []


def test_what_is_not_seen_is_not_listed():
    assert codes(allow(GITLAB, {"StringEquals": {f"{GITLAB}:sub": hole("<sub>")}})) == []
    assert codes(allow(GITLAB, {"StringEquals": {hole("<issuer>", ":sub"): "a"}})) == []
    assert codes(allow(GITLAB, {"StringEquals": {f"{GITLAB}:sub": [hole("<sub>"), "*"]}})) == ["shared-issuer-control"]


def test_no_guard_asks_anything_for_a_cluster():
    assert guard_of("oidc.eks.eu-west-1.amazonaws.com/id/ABC", built_in=False) is None
    assert guard_of(GITHUB, built_in=True) is None
