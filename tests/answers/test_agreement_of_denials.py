"""`check` and `why` name the same cause where a trust policy has a Deny statement."""

import json

import pytest

from irsa_doctor import api
from tests.answers.test_agreement import AUD, AUDIENCE, CLOSED, COLLEAGUE, OWN, SUB, certain, equals, world
from tests.facts.situations import account, manifests, plain_account, policy, provider_arn, role

OVER, AHEAD = "2021-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


def with_deny(folder, conditions, sub=OWN, allowed=None):
    """What check finds, and the verdict of why, where a Deny with these conditions is beside a right Allow."""
    document = policy()
    allow = document["Statement"][0] | {"Condition": equals(sub) if allowed is None else allowed}
    deny = {key: value for key, value in allow.items() if key in ("Principal", "Action")} | {"Effect": "Deny"}
    document["Statement"] = [allow, deny | {"Condition": conditions}]
    world(folder, {}, *([account("web")] if COLLEAGUE in sub else []))
    (folder / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    report = api.check([str(folder)], settings=CLOSED)
    diagnosis = api.why("prod/app", [str(folder)], settings=CLOSED)
    return [f"{finding.rule} {finding.subject.kind}" for finding in report.findings], diagnosis


@pytest.mark.parametrize(
    "conditions",
    [
        {"DateGreaterThan": {"aws:CurrentTime": OVER}},
        {"DateGreaterThanEquals": {"aws:EpochTime": "1609459200"}},
        {"NumericGreaterThan": {"aws:EpochTime": "1609459200"}},
        {"DateLessThan": {"aws:CurrentTime": AHEAD}},
        {"DateNotEquals": {"aws:CurrentTime": AHEAD}},
        {"DateGreaterThan": {"aws:CurrentTime": OVER}, "StringLike": {SUB: "system:serviceaccount:prod:*"}},
    ],
)
def test_a_deny_whose_time_has_come_is_found_as_why_finds_it(conditions, tmp_path):
    found, diagnosis = with_deny(tmp_path, conditions)
    assert found == ["trust-deny-statement role"]
    assert (diagnosis.verdict, diagnosis.causes[0].id) == ("broken", "trust-deny-statement")
    assert diagnosis.causes[0].fix is None or diagnosis.causes[0].fix.policy is None


def test_a_deny_that_never_matches_does_not_explain_the_one_that_does(tmp_path):
    document = policy()
    deny = {key: value for key, value in document["Statement"][0].items() if key in ("Principal", "Action")} | {
        "Effect": "Deny"
    }
    idle = deny | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}}
    document["Statement"] = [*document["Statement"], idle, deny]
    world(tmp_path, {})
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    assert certain(tmp_path) == {"trust-deny-statement"}
    (finding,) = api.check([str(tmp_path)], settings=CLOSED).findings
    assert finding.locations[0].pointer.endswith("/Statement/2/Effect")


def test_another_subject_is_found_beside_a_deny_of_everybody(tmp_path):
    document = policy()
    allow = document["Statement"][0] | {"Condition": equals("system:serviceaccount:test:app")}
    deny = {key: value for key, value in allow.items() if key in ("Principal", "Action")} | {"Effect": "Deny"}
    document["Statement"] = [allow, deny]
    world(tmp_path, {})
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    assert certain(tmp_path) == {"sa-namespace-mismatch", "trust-deny-statement"}


def test_a_deny_whose_time_has_come_for_one_of_two_is_found_for_that_one(tmp_path):
    conditions = {"DateGreaterThan": {"aws:CurrentTime": OVER}, "StringEquals": {SUB: OWN}}
    found, diagnosis = with_deny(tmp_path, conditions, [OWN, COLLEAGUE])
    assert found == ["trust-deny-statement binding"]
    assert diagnosis.verdict == "broken"


@pytest.mark.parametrize(
    "conditions",
    [
        {"DateGreaterThan": {"aws:CurrentTime": AHEAD}},
        {"DateLessThan": {"aws:CurrentTime": OVER}},
        {"NumericLessThan": {"aws:EpochTime": "1609459200"}},
        {"DateGreaterThan": {"aws:CurrentTime": OVER}, "StringEquals": {SUB: COLLEAGUE}},
        {"DateGreaterThan": {"aws:CurrentTime": OVER}, "Bool": {"aws:SecureTransport": "false"}},
    ],
)
def test_a_deny_whose_time_has_not_come_is_none(conditions, tmp_path):
    found, diagnosis = with_deny(tmp_path, conditions)
    assert (found, diagnosis.verdict) == ([], "works")


@pytest.mark.parametrize(
    ("allowed", "denied", "rules"),
    [
        ({"StringEquals": {SUB: OWN}}, {"StringNotEquals": {AUD: AUDIENCE}}, []),
        ({"StringEquals": {SUB: OWN}}, {"StringEquals": {AUD: "x"}}, ["open-aud-missing grant"]),
        ({"StringEquals": {SUB: OWN}}, {"StringNotEquals": {AUD: "x"}}, ["trust-deny-statement binding"]),
        (
            {"StringEquals": {SUB: OWN}},
            {"StringEquals": {AUD: AUDIENCE}},
            ["open-aud-missing grant", "trust-deny-statement binding"],
        ),
        ({}, {"StringNotEquals": {AUD: AUDIENCE}}, ["open-aud-only grant"]),
        ({}, {"StringEquals": {AUD: "x"}}, ["open-no-sub grant"]),
    ],
)
def test_a_deny_that_leaves_named_audiences_checks_the_audience(allowed, denied, rules, tmp_path):
    found, diagnosis = with_deny(tmp_path, denied, allowed=allowed)
    assert sorted(found) == rules
    assert diagnosis.verdict == ("broken" if any("deny" in rule for rule in rules) else "works")


@pytest.mark.parametrize(("until", "rules"), [(OVER, ["trust-deny-statement role"]), (AHEAD, ["open-aud-only grant"])])
def test_what_is_denied_to_everybody_for_good_is_not_called_open(until, rules, tmp_path):
    document = policy()
    allow = document["Statement"][0] | {"Condition": {"StringEquals": {AUD: AUDIENCE}}}
    deny = {**allow, "Effect": "Deny", "Condition": {"DateGreaterThan": {"aws:CurrentTime": until}}}
    document["Statement"] = [allow, deny]
    world(tmp_path, {})
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    found = api.check([str(tmp_path)], settings=CLOSED).findings
    assert [f"{finding.rule} {finding.subject.kind}" for finding in found] == rules


@pytest.mark.parametrize(
    "broken",
    [
        {"Action": "sts:AssumeRole"},
        {"Principal": {"Federated": provider_arn() + "/"}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Condition": {"StringEquals": {f"https://{SUB}": OWN, AUD: AUDIENCE}}},
    ],
)
def test_a_deny_is_found_beside_an_allow_that_is_broken(broken, tmp_path):
    document = policy()
    deny = {**document["Statement"][0], "Effect": "Deny", "Condition": {"StringEquals": {SUB: OWN}}}
    document["Statement"] = [document["Statement"][0] | broken, deny]
    world(tmp_path, {})
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    assert "trust-deny-statement" in certain(tmp_path)


PODS = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
NO_PODS = PODS | {"Effect": "Deny"}


@pytest.mark.parametrize(
    ("statements", "rules"),
    [
        ([PODS | {"Condition": {"DateLessThan": {"aws:CurrentTime": AHEAD}}}], set()),
        ([PODS | {"Condition": {"DateLessThan": {"aws:CurrentTime": OVER}}}], {"podid-trust-condition"}),
        ([PODS | {"Condition": {"NumericLessThan": {"aws:EpochTime": "1609459200"}}}], {"podid-trust-condition"}),
        ([PODS, PODS | {"Effect": "Deny", "Condition": {"DateGreaterThan": {"aws:CurrentTime": AHEAD}}}], set()),
        (
            [PODS, PODS | {"Effect": "Deny", "Condition": {"DateGreaterThan": {"aws:CurrentTime": OVER}}}],
            {"podid-trust-condition"},
        ),
    ],
)
def test_the_time_decides_for_eks_pod_identity_as_well(statements, rules, tmp_path):
    world(tmp_path, {})
    named = role(AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": statements})
    held = {"clusterName": "prod", "namespace": "prod", "serviceAccount": "app", "roleArn": named["Arn"]}
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [named]}))
    (tmp_path / "association.json").write_text(json.dumps({"association": held}))
    (tmp_path / "objects.yaml").write_text(manifests(plain_account()))
    found = {finding.rule for finding in api.check([str(tmp_path)], settings=CLOSED).findings}
    diagnosis = api.why("prod/app", [str(tmp_path)], settings=CLOSED)
    assert found - {"open-podid-trust"} == rules
    assert {cause.id for cause in diagnosis.causes if cause.certainty == "certain"} == rules


ABSENT = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a"}}


@pytest.mark.parametrize("allowed", [OWN, [OWN, COLLEAGUE]])
@pytest.mark.parametrize(
    ("first", "second", "rules", "says"),
    [
        ({}, {"StringLike": {SUB: "*:app"}}, {"trust-deny-statement"}, "Deny statements 1 and 2"),
        (ABSENT, ABSENT, {"trust-deny-notlike-missing-key"}, "Deny statements 1 and 2"),
        ({}, ABSENT, {"trust-deny-statement", "trust-deny-notlike-missing-key"}, "A Deny statement"),
        ({"StringEquals": {AUD: "x"}}, ABSENT, {"trust-deny-notlike-missing-key"}, "A Deny statement"),
    ],
)
def test_each_of_two_denies_that_refuse_is_named(first, second, rules, says, allowed, tmp_path):
    document = policy()
    allow = document["Statement"][0] | {"Condition": equals(allowed)}
    deny = {key: value for key, value in allow.items() if key in ("Principal", "Action")} | {"Effect": "Deny"}
    of_own = {"StringEquals": {SUB: OWN}}
    document["Statement"] = [allow, *({**deny, "Condition": {**of_own, **each}} for each in (first, second))]
    world(tmp_path, {})
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    assert certain(tmp_path) == rules
    causes = [c for c in api.why("prod/app", [str(tmp_path)], settings=CLOSED).causes if c.certainty == "certain"]
    assert all(says in cause.because for cause in causes)


@pytest.mark.parametrize("denied", [{"StringEquals": {SUB: OWN}}, {"StringLike": {SUB: "system:serviceaccount:prod:a*"}}])
def test_a_deny_of_an_account_is_found_beside_an_allow_for_another(denied, tmp_path):
    found, diagnosis = with_deny(tmp_path, denied, "system:serviceaccount:prod:other")
    assert {"trust-deny-statement binding", "trust-sub-mismatch binding"} <= set(found)
    assert [cause.id for cause in diagnosis.causes] == ["trust-sub-mismatch", "trust-deny-statement"]


def test_a_deny_of_others_is_not_found_beside_an_allow_for_another(tmp_path):
    found, _ = with_deny(tmp_path, {"StringEquals": {SUB: COLLEAGUE}}, "system:serviceaccount:prod:other")
    assert [rule for rule in found if rule.startswith("trust-")] == ["trust-sub-mismatch binding"]
