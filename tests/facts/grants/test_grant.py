"""What is said of one Allow statement for one provider, in the many forms in which people write the same mistake."""

import json

import pytest

from irsa_doctor import api
from tests.facts.situations import ACCOUNT, ISSUER, account, aws, evaluation, found, manifests, policy, provider_arn, role
from tests.sources.worlds import got_provider, listed_providers

SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
RIGHT = "system:serviceaccount:prod:app"
AUDIENCE = "sts.amazonaws.com"
ALL = ("serviceaccounts",)


def fired(statement, *beside):
    """The rules that fire where one service account names a role; `statement` are changes to the right one."""
    document = policy()
    document["Statement"] = [document["Statement"][0] | statement, *beside]
    documents = {"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}, "o.yaml": manifests(account())}
    return {rule for rule, _ in found(aws(**documents), *ALL)}


def asking(value, operator="StringEquals"):
    """A condition that asks for a subject, or several, by an operator."""
    condition = {"StringEquals": {AUD: AUDIENCE}}
    condition.setdefault(operator, {})
    return {"Condition": {**condition, operator: {**condition[operator], SUB: value}}}


@pytest.mark.parametrize(
    ("value", "operator", "rule"),
    [
        ("prod/app", "StringEquals", "trust-sub-prefix-missing"),
        ("prod:app", "StringLike", "trust-sub-prefix-missing"),
        ("prod:ap*", "StringLike", "trust-sub-prefix-missing"),
        ("system:serviceaccounts:prod:*", "StringLike", "trust-sub-prefix-missing"),
        (f"{RIGHT} ", "StringEquals", "sub-invisible-char"),
        ("system:serviceaccount:prod/app", "StringEquals", "trust-sub-prefix-missing"),
        ("system:serviceaccount: prod:app", "StringEquals", "sub-invisible-char"),
        ("system:serviceaccount:Prod:app", "StringLike", "trust-case"),
        ("system:serviceaccount:Prod:*", "StringLike", "trust-case"),
        ("system:serviceaccount:prod:*", "StringEqualsIgnoreCase", "trust-stringequals-wildcard"),
        ("system:serviceaccount:prod:ap?", "StringLike", "open-sub-star"),
        ("*:prod:app", "StringLike", None),
        ("system:serviceaccount:Prod:App", "StringEqualsIgnoreCase", None),
    ],
)
def test_a_value_that_no_service_account_has_is_told_by_the_way_it_misses(value, operator, rule):
    assert fired(asking(value, operator)) == ({rule} if rule else set())
    assert fired(asking([RIGHT, value], operator)) == ({rule} if rule else set())


def test_each_odd_value_is_named_by_the_rule_that_it_concerns():
    assert fired(asking(["system:serviceaccount:Prod:app", "system:serviceaccount:prod:b-*", "prod/c"])) == {
        "trust-case",
        "trust-stringequals-wildcard",
        "trust-sub-prefix-missing",
    }


@pytest.mark.parametrize("key", [ISSUER.partition("/")[0], ISSUER.replace("/id/", "/"), ISSUER.rpartition("/")[0]])
def test_a_key_that_leaves_out_part_of_the_path_is_said_to(key):
    condition = {"StringEquals": {AUD: AUDIENCE}, "StringLike": {f"{key}:sub": RIGHT}}
    assert fired({"Condition": condition}) == {"trust-key-missing-path"}


@pytest.mark.parametrize(
    ("principal", "rule"),
    [
        (provider_arn(issuer=ISSUER.lower()), "trust-principal-wrong-arn"),
        (provider_arn(issuer=ISSUER.replace("eu-west-1", "us-east-1")), "trust-principal-wrong-arn"),
        (provider_arn(issuer=ISSUER.replace("oidc.eks.eu-west-1", "oidc.eu-west-1.eks")), "trust-principal-wrong-arn"),
        (provider_arn(issuer=ISSUER[:-4] + "*"), "trust-principal-wrong-arn"),
        ("*", "trust-principal-wrong-arn"),
        (f"arn:aws:iam::{ACCOUNT}:oidc-providers/{ISSUER}", "trust-principal-url-not-arn"),
        (provider_arn(issuer=ISSUER[:-4] + "0000"), "trust-principal-provider-deleted"),
    ],
)
def test_a_principal_that_is_nearly_the_provider_is_not_said_to_be_deleted(principal, rule):
    assert fired({"Principal": {"Federated": principal}}) == {rule}
    assert fired({"Principal": {"Federated": [principal]}}) == {rule}


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        (["sts:AssumeRole", "sts:TagSession"], "trust-action-assumerole"),
        ("sts:AssumeRoleWithSAML", "trust-action-assumerole"),
        ("sts:TagSession", "trust-action-assumerole"),
        ("sts:AssumeRoleWebIdentity", "trust-action-typo"),
        ("AssumeRoleWithWebIdentity", "trust-action-typo"),
        (["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentities"], "policy-refused"),
    ],
)
def test_an_action_that_lets_no_token_in_or_that_iam_refuses_is_found_once(action, rule):
    assert fired({"Action": action}) == {rule}


def test_a_refused_action_of_a_statement_that_is_no_grant_is_not_passed_over():
    other = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, "Action": "sts:AssumeRol"}
    assert fired({}, other) == {"policy-refused"}
    denied = {"Effect": "Deny", "Principal": {"Federated": f"https://{ISSUER}"}, "Action": "sts:AssumeRoleWithWebIdentity"}
    assert fired({}, denied) == {"policy-refused"}


def test_a_statement_for_session_tags_beside_the_right_one_is_no_defect_and_hides_none():
    tags = {"Effect": "Allow", "Principal": {"Federated": provider_arn()}, "Action": "sts:TagSession"}
    assert fired({}, tags) == set()
    assert "trust-sub-mismatch" in fired(asking("system:serviceaccount:other:thing"), tags)


def test_a_null_condition_makes_a_lenient_operator_strict():
    strict = {"Null": {SUB: "false"}, "StringEquals": {AUD: AUDIENCE}}
    assert fired({"Condition": {**strict, "ForAllValues:StringEquals": {SUB: RIGHT}}}) == set()
    assert fired({"Condition": {**strict, "StringEqualsIfExists": {SUB: RIGHT}}}) == set()
    loose = {**strict, "Null": {AUD: "false"}, "ForAllValues:StringEquals": {SUB: RIGHT}}
    assert fired({"Condition": loose}) == {"open-forallvalues"}


def test_a_pattern_with_exceptions_is_wide_by_the_pattern():
    conditions = {"StringLike": {SUB: "system:serviceaccount:prod:*"}, "StringNotLike": {SUB: "system:serviceaccount:prod:d*"}}
    assert fired({"Condition": {**conditions, "StringEquals": {AUD: AUDIENCE}}}) == {"open-sub-star"}


def denying(operator, *subjects):
    """A Deny statement with one condition on the subject."""
    own = {"Effect": "Deny", "Principal": {"Federated": provider_arn()}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return {**own, "Condition": {operator: {SUB: list(subjects)}}}


def test_a_deny_statement_that_leaves_a_namespace_leaves_a_pattern():
    everybody = {"Condition": {"StringEquals": {AUD: AUDIENCE}}}
    assert fired(everybody, denying("StringNotLike", "system:serviceaccount:prod:*")) == {"open-sub-star"}
    for letters in ("a", "qx", "xkq", "z"):
        patterns = [f"system:serviceaccount:{letter}*:*" for letter in letters]
        assert "open-sub-star" in fired(everybody, denying("StringNotLike", *patterns)), letters
        assert "open-aud-only" in fired(everybody, denying("StringLike", *patterns)), letters
    assert fired(everybody, denying("StringNotEquals", RIGHT)) == {"trust-deny-narrows"}
    assert fired(everybody, denying("StringEquals", "system:serviceaccount:prod:other")) == {"open-aud-only"}


def test_an_audience_that_may_be_any_is_not_checked():
    any_audience = {"StringLike": {AUD: "*"}}
    assert fired({"Condition": {**any_audience, "StringEquals": {SUB: RIGHT}}}) == {"open-aud-missing"}
    assert fired({"Condition": any_audience}) == {"open-no-sub"}
    assert fired({"Condition": {"StringLike": {AUD: "sts.*"}, "StringEquals": {SUB: RIGHT}}}) == set()


@pytest.mark.parametrize("name", ["*", "**"])
def test_a_session_name_that_may_be_any_is_not_required(name):
    right = {"StringEquals": {SUB: RIGHT, AUD: AUDIENCE}}
    assert fired({"Condition": {**right, "StringLike": {"sts:RoleSessionName": name}}}) == set()


def test_a_deny_for_all_but_private_addresses_denies_everybody():
    right = {"Condition": {"StringEquals": {SUB: RIGHT, AUD: AUDIENCE}}}
    own = {"Effect": "Deny", "Principal": {"Federated": provider_arn()}, "Action": "sts:AssumeRoleWithWebIdentity"}
    private, public = ({"NotIpAddress": {"aws:SourceIp": [block]}} for block in ("10.0.0.0/8", "203.0.113.0/24"))
    assert fired(right, {**own, "Condition": private}) == {"trust-sourceip-vpc"}
    assert fired(right, {**own, "Condition": public}) == set()


def test_a_deleted_provider_is_not_said_to_be_meant_by_its_own_arn(tmp_path):
    """Its cluster still exists: the ARN is right, and no other one is meant."""
    for name, document in {**aws(**{"providers.json": listed_providers()}), "o.yaml": manifests(account())}.items():
        if name != "provider.json":
            (tmp_path / name).write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    (finding,) = [each for each in api.check([str(tmp_path)]).findings if each.rule == "trust-principal-provider-deleted"]
    assert f'Did you mean "{provider_arn()}"' not in finding.message


def test_a_key_of_a_token_in_a_statement_for_pod_identity_is_one_defect():
    """A statement for the service, of a role that an association hands out, is for no web identity."""
    service = {"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    document = policy()
    document["Statement"] = [{"Effect": "Allow", **service, "Condition": {"StringEquals": {SUB: RIGHT}}}]
    named = role(AssumeRolePolicyDocument=document)
    association = {"clusterName": "prod", "namespace": "prod", "serviceAccount": "app", "roleArn": named["Arn"]}
    documents = aws(**{"roles.json": {"RoleDetailList": [named]}, "association.json": {"association": association}})
    assert "trust-principal-type-aws" in {rule for rule, _ in found(aws(**{"roles.json": {"RoleDetailList": [named]}}))}
    assert {rule for rule, _ in found(documents)} == {"podid-trust-condition"}


@pytest.mark.parametrize(
    "principal", [{"AWS": "*"}, {"AWS": "arn:aws:iam::111122223333:root"}, {"Service": "ec2.amazonaws.com"}]
)
@pytest.mark.parametrize("operator", ["StringNotEquals", "StringNotLike", "StringEqualsIfExists", "ForAllValues:StringEquals"])
def test_a_claim_that_only_tokens_have_limits_nobody_who_calls_without_one(principal, operator):
    document = policy()
    other = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": {operator: {SUB: RIGHT}}}
    document["Statement"] = [*document["Statement"], other]
    assert found_of(document) == {("open-principal-mixed", role()["Arn"])}
    # by the claim it was meant for a cluster, with no statement for one as well
    assert found_of({**document, "Statement": other}) == {("open-principal-mixed", role()["Arn"])}


def found_of(document):
    """What is found of a role with a trust policy."""
    return found(aws(**{"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}}))


@pytest.mark.parametrize(
    ("conditions", "client_ids", "refused"),
    [
        ({"StringEquals": {AUD: "foo"}}, [AUDIENCE], True),
        ({"StringEquals": {AUD: AUDIENCE}}, ["foo"], True),
        ({}, [], True),
        ({"StringEquals": {AUD: "foo"}, "StringNotEquals": {SUB: RIGHT}}, [AUDIENCE], True),
        ({"StringEquals": {AUD: "foo"}, "StringLike": {SUB: "system:serviceaccount:*"}}, [AUDIENCE], True),
        ({}, ["foo"], False),
        ({"StringEquals": {AUD: ["foo", AUDIENCE]}}, [AUDIENCE], False),
        ({"StringEquals": {AUD: "foo"}}, None, False),
    ],
)
def test_an_open_role_says_that_its_provider_refuses_its_tokens_and_is_as_grave(conditions, client_ids, refused):
    """One client id more opens it, and a change that is checked may bring the answer of the provider along."""
    document = policy()
    document["Statement"][0]["Condition"] = conditions
    documents = aws(**{"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}})
    documents["provider.json"]["ClientIDList"] = client_ids
    if client_ids is None:
        del documents["provider.json"]
    (opened,) = [finding for finding in evaluation(documents).findings if finding.rule.startswith("open-")]
    assert opened.severity in ("high", "critical")
    assert ("STS refuses" in opened.message) is refused


@pytest.mark.parametrize(
    ("sub", "aud", "refused"),
    [
        ("repo:*", "foo", True),
        ("repo:acme/*", "foo", True),
        ("repo:acme/shop:pull_request", "foo", True),
        ("repo:acme/*", AUDIENCE, False),
        ("repo:acme/*", ["foo", AUDIENCE], False),
    ],
)
def test_a_role_open_to_a_vendor_says_that_its_provider_refuses_its_tokens(sub, aud, refused):
    github = "token.actions.githubusercontent.com"
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{github}"
    document = policy()
    condition = {"StringLike": {f"{github}:sub": sub}, "StringEquals": {f"{github}:aud": aud}}
    document["Statement"][0] |= {"Principal": {"Federated": arn}, "Condition": condition}
    documents = aws(
        **{
            "roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]},
            "providers.json": listed_providers(provider_arn(), arn),
            "github.json": got_provider(issuer=github),
        }
    )
    (opened,) = [finding for finding in evaluation(documents).findings if finding.rule.startswith("reach-")]
    assert ("STS refuses" in opened.message) is refused


def test_an_audience_that_is_excluded_is_one_defect():
    assert fired({"Condition": {"StringEquals": {SUB: RIGHT}, "StringNotEquals": {AUD: AUDIENCE}}}) == {"trust-aud-mismatch"}


@pytest.mark.parametrize(
    ("sub", "closed", "is_known"),
    [
        (RIGHT, (), True),
        ("system:serviceaccount:test:web", (), False),
        ([RIGHT, "system:serviceaccount:test:web"], (), False),
        ("system:serviceaccount:test:web", ALL, True),
    ],
)
def test_the_audience_of_an_account_that_is_not_in_the_input_is_not_known(sub, closed, is_known):
    """What it requests by annotation is seen of the others of its cluster only."""
    document = policy()
    document["Statement"][0]["Condition"] = {"StringEquals": {SUB: sub, AUD: "foo"}}
    roles = {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}
    documents = aws(**{"roles.json": roles, "o.yaml": manifests(account(region="x"))})
    assert ("trust-aud-mismatch" in {rule for rule, _ in found(documents, *closed)}) is is_known
