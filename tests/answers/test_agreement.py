"""`check` and `why` name the same cause for one mistake in a trust policy."""

import json

import pytest

from irsa_doctor import api
from irsa_doctor.governance.settings import Settings
from tests.facts.situations import (
    ISSUER,
    account,
    aws,
    manifests,
    policy,
    provider_arn,
    role,
    role_arn,
)
from tests.sources.worlds import cluster, got_provider, listed_providers

SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
OWN, COLLEAGUE, AUDIENCE = "system:serviceaccount:prod:app", "system:serviceaccount:prod:web", "sts.amazonaws.com"
CLOSED = Settings(complete=("serviceaccounts",))


def equals(sub=OWN, aud=AUDIENCE):
    """StringEquals on both claims."""
    return {"StringEquals": {AUD: aud, SUB: sub}}


SLIPS = {
    "https before the audience": equals(aud="https://sts.amazonaws.com"),
    "https before an endpoint": equals(aud="https://sts.eu-west-1.amazonaws.com"),
    "a slash after the audience": equals(aud="sts.amazonaws.com/"),
    "an endpoint with fips": equals(aud="sts-fips.us-east-1.amazonaws.com"),
    "an endpoint of a vpc": equals(aud="vpce-0a1b.sts.eu-west-1.vpce.amazonaws.com"),
    "an endpoint in capitals": equals(aud="STS.eu-west-1.amazonaws.com"),
    "the suffix of China": equals(aud="sts.amazonaws.com.cn"),
    "a space in the audience": equals(aud=" sts.amazonaws.com"),
    "capitals in the audience": equals(aud="Sts.Amazonaws.Com"),
    "another audience": equals(aud="sts.amazon.com"),
    "a subject as audience": equals(aud=OWN),
    "two wrong audiences": equals(aud=["sts.amazonaws.com.cn", "sts.eu-west-1.amazonaws.com"]),
    "an audience as subject": equals(AUDIENCE),
    "a slash for the prefix": equals("prod/app"),
    "no prefix": equals("prod:app"),
    "a slash in the subject": equals("system:serviceaccount:prod/app"),
    "a plural": equals("system:serviceaccounts:prod:app"),
    "capital prefix": equals("SYSTEM:serviceaccount:prod:app"),
    "a capital namespace": equals("system:serviceaccount:Prod:app"),
    "a space in the subject": equals("system:serviceaccount:prod:app "),
    "a space after a colon": equals("system:serviceaccount: prod:app"),
    "a no-break space": equals("system:serviceaccount:prod:app\u00a0"),
    "a literal wildcard": equals("system:serviceaccount:prod:*"),
    "a variable": equals("system:serviceaccount:prod:${aws:PrincipalTag/app}"),
    "the name alone": equals("app"),
    "another namespace": equals("system:serviceaccount:test:app"),
    "a release name": equals("system:serviceaccount:prod:release-app"),
    "another name": equals("system:serviceaccount:prod:other"),
    "a key with a scheme": {"StringEquals": {AUD: AUDIENCE, f"https://{SUB}": OWN}},
    "a key with a slash": {"StringEquals": {AUD: AUDIENCE, f"{ISSUER}/:sub": OWN}},
    "a key without path": {"StringEquals": {AUD: AUDIENCE, f"{ISSUER.partition('/')[0]}:sub": OWN}},
    "an arn as key": {"StringEquals": {AUD: AUDIENCE, f"{provider_arn()}:sub": OWN}},
    "a key of another issuer": {"StringEquals": {f"{ISSUER[:-4]}ffff:sub": OWN, AUD: AUDIENCE}},
    "a second issuer": {"StringEquals": {SUB: OWN, f"{ISSUER[:-4]}ffff:aud": AUDIENCE}},
    "a key of the organization": {"StringEquals": {**equals()["StringEquals"], "aws:PrincipalOrgID": "o-a"}},
    "a session tag": {"StringEquals": {**equals()["StringEquals"], "aws:RequestTag/team": "a"}},
    "a key with a space": {"StringEquals": {AUD: AUDIENCE, f"{SUB} ": OWN}},
    "a key after a space": {"StringEquals": {AUD: AUDIENCE, f" {SUB}": OWN}},
    "the claim alone as key": {"StringEquals": {AUD: AUDIENCE, "sub": OWN}},
    "a slash before the claim": {"StringEquals": {AUD: AUDIENCE, f"{ISSUER}/sub": OWN}},
    "the end of an arn as key": {"StringEquals": {AUD: AUDIENCE, f"oidc-provider/{SUB}": OWN}},
    "the key of an external id": {"StringEquals": {AUD: AUDIENCE, "sts:ExternalId": OWN}},
    "a letter of another alphabet": equals("system:serviceaccount:prod:\u0430pp"),
    "a colon of another width": equals("system:serviceaccount:prod\uff1aapp"),
    "a space without width": equals("system:serviceaccount:prod:\u200bapp"),
    "a byte order mark": equals(aud="\ufeffsts.amazonaws.com"),
    "a full stop of another alphabet": equals(aud="sts.amazonaws\u3002com"),
    "an invisible character in a key": {"StringEquals": {AUD: AUDIENCE, f"{ISSUER}\u200b:sub": OWN}},
    "a letter of another alphabet in a key": {"StringEquals": {AUD: AUDIENCE, SUB.replace("eks", "ek\u0455"): OWN}},
    "a group of all service accounts": equals("system:serviceaccounts"),
    "a group of a namespace": equals("system:serviceaccounts:prod"),
    "a subject that must be absent": {**equals(), "Null": {SUB: "true"}},
    "an audience that must be absent": {"StringEquals": {SUB: OWN}, "Null": {AUD: "true"}},
    "an operator in lower case": {"StringEquals": {AUD: AUDIENCE}, "stringEquals": {SUB: OWN}},
    "an operator of numbers": {"StringEquals": {AUD: AUDIENCE}, "NumericEquals": {SUB: OWN}},
    "another account of the role": {"StringEquals": {**equals()["StringEquals"], "aws:ResourceAccount": "444455556666"}},
    "a call without TLS": {**equals(), "Bool": {"aws:SecureTransport": "false"}},
    "a day that is over": {**equals(), "DateLessThan": {"aws:CurrentTime": "2024-01-01T00:00:00Z"}},
    "a time that is over, in seconds": {**equals(), "NumericLessThan": {"aws:EpochTime": "1609459200"}},
    "a day that has not come": {**equals(), "DateGreaterThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}},
    "a second that has not come": {**equals(), "NumericGreaterThanEquals": {"aws:EpochTime": "32472144000"}},
    "a moment that is over": {**equals(), "DateEqualsIfExists": {"aws:CurrentTime": "2024-01-01T00:00:00Z"}},
    "an account that must be absent": {**equals(), "Null": {"aws:PrincipalAccount": "true"}},
    "two subjects at once": {"StringEquals": {SUB: OWN}, "StringLike": {SUB: "system:serviceaccount:prod:w*", AUD: AUDIENCE}},
}


def world(folder, statement, *others):
    """A folder with one role of this statement, which `others` use too."""
    document = policy()
    document["Statement"] = [document["Statement"][0] | statement]
    documents = aws(
        **{
            "roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]},
            "objects.yaml": manifests(account(), *others),
        }
    )
    for path, content in documents.items():
        (folder / path).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def named(folder, statement, *others):
    """(what check finds, what why names first) in that world."""
    world(folder, statement, *others)
    report = api.check([str(folder)], settings=CLOSED)
    diagnosis = api.why("prod/app", [str(folder)], settings=CLOSED)
    assert diagnosis.causes[0].certainty == "certain"
    return {finding.rule for finding in report.findings if not finding.rule.startswith("open-")}, diagnosis.causes[0].id


def test_a_statement_whose_time_is_over_is_open_to_nobody(tmp_path):
    def fired(until):
        conditions = {"StringEquals": {AUD: AUDIENCE}, "DateLessThan": {"aws:CurrentTime": f"{until}-01-01T00:00:00Z"}}
        return {f.rule for f in api.check([str(world(tmp_path, {"Condition": conditions}))], settings=CLOSED).findings}

    assert fired(2021) == {"trust-context-value"}
    assert fired(2999) == {"open-aud-only"}


def test_a_statement_that_begins_later_is_no_defect_where_another_admits_as_many_until_then(tmp_path):
    def found(sub_today):
        document = policy()
        ahead = {"Condition": {**equals(), "DateGreaterThanEquals": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}}
        until = {"Condition": {**equals(sub_today), "DateLessThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}}
        document["Statement"] = [document["Statement"][0] | ahead, document["Statement"][0] | until]
        world(tmp_path, {}, *([account("web")] if sub_today == COLLEAGUE else []))
        (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
        findings = api.check([str(tmp_path)], settings=CLOSED).findings
        return {f.rule: f.severity for f in findings}, api.why("prod/app", [str(tmp_path)], settings=CLOSED).verdict

    assert found(OWN) == ({}, "works")
    assert found(COLLEAGUE) == ({"trust-context-value": "medium"}, "broken")


def test_the_form_of_the_time_is_not_known_where_it_is_compared_as_a_text(tmp_path):
    world(tmp_path, {"Condition": {**equals(), "StringLike": {"aws:CurrentTime": "2021-*"}}})
    assert api.why("prod/app", [str(tmp_path)], settings=CLOSED).verdict == "unknown"


def test_a_time_decides_whatever_else_of_the_request_is_not_known(tmp_path):
    of_session = {"StringLike": {"sts:RoleSessionName": "ci-*"}}
    world(tmp_path, {"Condition": {**equals(), **of_session, "DateLessThan": {"aws:CurrentTime": "2021-01-01T00:00:00Z"}}})
    assert api.why("prod/app", [str(tmp_path)], settings=CLOSED).verdict == "broken"
    assert "trust-context-value" in {finding.rule for finding in api.check([str(tmp_path)], settings=CLOSED).findings}
    right, half = policy(), {"Condition": {**equals(COLLEAGUE), **of_session}}
    since = {"Condition": {**equals(), "DateGreaterThan": {"aws:CurrentTime": "2021-01-01T00:00:00Z"}}}
    right["Statement"] = [right["Statement"][0] | half, right["Statement"][0] | since]
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=right)]}))
    assert api.why("prod/app", [str(tmp_path)], settings=CLOSED).verdict == "works"


@pytest.mark.parametrize("conditions", SLIPS.values(), ids=SLIPS)
def test_check_and_why_name_the_same_cause_for_one_slip(conditions, tmp_path):
    found, first = named(tmp_path, {"Condition": conditions})
    assert found == {first}


@pytest.mark.parametrize(
    "value",
    [
        v["StringEquals"][SUB]
        for v in SLIPS.values()
        if isinstance(v["StringEquals"].get(SUB), str) and v["StringEquals"][SUB] != OWN
    ],
)
def test_a_right_subject_beside_the_wrong_one_changes_nothing(value, tmp_path):
    found, first = named(tmp_path, {"Condition": equals([value, COLLEAGUE])}, account("web"))
    assert first in found


@pytest.mark.parametrize("broken", [{"Effect": "Deny"}, {"Condition": [equals()]}, {"Conditions": equals(), "Condition": {}}])
def test_check_and_why_name_the_same_cause_where_the_statement_is_broken(broken, tmp_path):
    found, first = named(tmp_path, broken)
    assert found == {first}


@pytest.mark.parametrize(
    "broken",
    [
        {"Condition": {"stringEquals": {SUB: OWN}, "StringEquals": {AUD: AUDIENCE}}},
        {"Condition": [equals()]},
        {"Conditions": equals(), "Condition": {}},
    ],
)
def test_what_iam_refuses_to_save_is_not_called_open(broken, tmp_path):
    report = api.check([str(world(tmp_path, broken))], settings=CLOSED)
    assert [finding.rule for finding in report.findings] == ["policy-refused"]


def test_another_subject_that_is_misspelt_is_still_that_of_another_namespace(tmp_path):
    world(tmp_path, {"Condition": equals("system:serviceaccount:test/app")})
    assert certain(tmp_path) == {"sa-namespace-mismatch", "trust-sub-prefix-missing"}


@pytest.mark.parametrize(
    "slip",
    [
        "https before an endpoint",
        "another audience",
        "an audience as subject",
        "no prefix",
        "a literal wildcard",
        "a capital namespace",
        "another namespace",
        "a key with a scheme",
        "a key of another issuer",
        "a key of the organization",
        "a session tag",
        "another account of the role",
        "a day that is over",
        "two subjects at once",
    ],
)
def test_a_wrong_action_hides_no_other_slip(slip, tmp_path):
    world(tmp_path, {"Condition": SLIPS[slip], "Action": "sts:AssumeRole"})
    assert len(certain(tmp_path)) == 2


@pytest.mark.parametrize(
    "principal",
    [
        {"Federated": ISSUER},
        {"Federated": provider_arn(issuer=f"{ISSUER}/")},
        {"Federated": provider_arn(issuer=ISSUER.replace("oidc.eks.eu-west-1", "oidc.eu-west-1.eks"))},
        {"Federated": provider_arn(account="444455556666")},
        {"AWS": provider_arn()},
    ],
)
@pytest.mark.parametrize(
    "slip",
    [
        "https before an endpoint",
        "another audience",
        "no prefix",
        "a literal wildcard",
        "another namespace",
        "another name",
        "a key with a scheme",
        "a key of the organization",
        "a day that is over",
    ],
)
def test_a_wrong_principal_hides_no_other_slip(slip, principal, tmp_path):
    arn = next(iter(principal.values()))
    named = arn.partition(":oidc-provider/")[2]
    for issuer in {ISSUER, named or ISSUER}:
        conditions = json.loads(json.dumps(SLIPS[slip]).replace(ISSUER, issuer))
        world(tmp_path, {"Condition": conditions, "Principal": principal})
        assert len(certain(tmp_path)) == 2


@pytest.mark.parametrize(
    "action", ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:TagSession", "sts:AssumeRoleWithWebIdentitty"]
)
def test_a_wrong_action_is_named_beside_a_statement_for_another(action, tmp_path):
    document, right = policy(), equals(COLLEAGUE)
    document["Statement"] = [document["Statement"][0] | {"Action": action}, document["Statement"][0] | {"Condition": right}]
    world(tmp_path, {}, account("web"))
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    certain(tmp_path)


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:TagSession", ["sts:TagSession", "sts:SetSourceIdentity"]])
@pytest.mark.parametrize("named", [equals(), {}, {"StringLike": {SUB: "system:serviceaccount:prod:app"}}])
def test_an_action_beside_a_statement_for_the_same_is_no_slip(action, named, tmp_path):
    document = policy()
    document["Statement"] = [*document["Statement"], document["Statement"][0] | {"Action": action, "Condition": named}]
    world(tmp_path, {})
    (tmp_path / "roles.json").write_text(json.dumps({"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}))
    assert not api.check([str(tmp_path)], settings=CLOSED).findings
    assert api.why("prod/app", [str(tmp_path)], settings=CLOSED).verdict == "works"


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentitty", "sts:AssumeRoleWithSAML"])
def test_check_and_why_name_the_same_cause_for_an_action(action, tmp_path):
    found, first = named(tmp_path, {"Action": action})
    assert found == {first}


@pytest.mark.parametrize(
    "principal",
    [
        f"https://{ISSUER}",
        ISSUER,
        provider_arn(issuer=f"https://{ISSUER}"),
        provider_arn(issuer=f"{ISSUER}/"),
        provider_arn(issuer=ISSUER.lower()),
        provider_arn(issuer=ISSUER.replace("/id/", "/")),
        provider_arn(issuer=f"{ISSUER} "),
        provider_arn(issuer=f"{ISSUER}\u200b"),
        provider_arn(issuer=ISSUER[:-1]),
        provider_arn(issuer=ISSUER[:-1] + "F"),
        provider_arn().replace(":iam::", ":iam:eu-west-1:"),
    ],
)
def test_check_and_why_name_the_same_cause_for_a_principal(principal, tmp_path):
    found, first = named(tmp_path, {"Principal": {"Federated": principal}})
    assert found == {first}


def test_check_and_why_name_the_same_cause_for_a_provider_of_another_address(tmp_path):
    alias = ISSUER.replace("oidc.eks.eu-west-1.amazonaws.com", "oidc-eks.eu-west-1.api.aws")
    statement = {
        "Principal": {"Federated": provider_arn(issuer=alias)},
        "Condition": {"StringEquals": {f"{alias}:sub": OWN, f"{alias}:aud": AUDIENCE}},
    }
    world(tmp_path, statement)
    (tmp_path / "providers.json").write_text(json.dumps(listed_providers(provider_arn(issuer=alias))))
    (tmp_path / "provider.json").write_text(json.dumps(got_provider(issuer=alias)))
    assert certain(tmp_path) == {"oidc-url-dualstack"}


def test_check_and_why_name_the_same_cause_for_the_provider_of_another_account(tmp_path):
    theirs = provider_arn(account="444455556666")
    world(tmp_path, {"Principal": {"Federated": theirs}})
    (tmp_path / "theirs.json").write_text(json.dumps(listed_providers(theirs)))
    assert certain(tmp_path) == {"oidc-provider-other-account"}


def test_a_refused_audience_and_the_role_that_admits_another_are_one_cause(tmp_path):
    world(tmp_path, {}, account("web"))
    (tmp_path / "objects.yaml").write_text(manifests(account(role_arn=role_arn(), audience="sts.eu-west-1.amazonaws.com")))
    assert certain(tmp_path) == {"aud-annotation-custom"}


def test_the_role_that_admits_a_service_account_and_the_one_that_it_names_are_one_cause(tmp_path):
    world(tmp_path, {"Condition": equals(COLLEAGUE)}, account("web"))
    (tmp_path / "more.json").write_text(json.dumps({"RoleDetailList": [role("other")]}))
    assert certain(tmp_path) == {"two-sas-one-annotation"}


def test_a_cluster_without_issuer_says_nothing_of_the_trust_policy(tmp_path):
    world(tmp_path, {})
    local = cluster()
    del local["cluster"]["identity"]
    local["cluster"]["outpostConfig"] = {"outpostArns": ["arn:aws:outposts:eu-west-1:111122223333:outpost/op-1"]}
    (tmp_path / "cluster.json").write_text(json.dumps(local))
    assert certain(tmp_path) == {"no-webhook-cluster"}


def test_a_wrong_audience_and_another_subject_are_two_findings(tmp_path):
    world(tmp_path, {"Condition": equals("system:serviceaccount:test:app", "sts.eu-west-1.amazonaws.com")})
    assert certain(tmp_path) == {"aud-regional-endpoint-confusion", "sa-namespace-mismatch"}


def certain(folder):
    """The causes of which why is certain; check reports them, and no other of what denies."""
    report = api.check([str(folder)], settings=CLOSED)
    diagnosis = api.why("prod/app", [str(folder)], settings=CLOSED)
    proved = [cause.id for cause in diagnosis.causes if cause.certainty == "certain"]
    assert proved
    assert set(proved) == {finding.rule for finding in report.findings if not finding.rule.startswith("open-")}
    return set(proved)


@pytest.mark.parametrize("keys", [f"{ISSUER[:-4]}EEEE", ISSUER])
def test_a_principal_that_does_not_exist_comes_first_whoever_the_keys_are_of(keys, tmp_path):
    condition = {"StringEquals": {f"{keys}:sub": OWN, f"{keys}:aud": AUDIENCE}}
    world(tmp_path, {"Principal": {"Federated": f"{provider_arn()[:-4]}EEEE"}, "Condition": condition})
    (finding,) = api.check([str(tmp_path)], settings=CLOSED).findings
    cause = api.why("prod/app", [str(tmp_path)], settings=CLOSED).causes[0]
    assert finding.rule == cause.id == "trust-principal-provider-deleted"


def test_a_provider_of_pipelines_that_does_not_exist_is_not_why_a_service_account_is_refused(tmp_path):
    host = "token.actions.githubusercontent.com"
    condition = {"StringEquals": {f"{host}:sub": "repo:acme/shop:ref:refs/heads/main", f"{host}:aud": AUDIENCE}}
    principal = f"arn:aws:iam::111122223333:oidc-provider/{host}"
    world(tmp_path, {"Principal": {"Federated": principal}, "Condition": condition})
    causes = api.why("prod/app", [str(tmp_path)], settings=CLOSED).causes
    assert causes
    assert "trust-principal-provider-deleted" not in {cause.id for cause in causes}
