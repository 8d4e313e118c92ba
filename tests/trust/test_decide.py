# Long: one table for every rule of evaluation
"""What one request comes to, rule by rule."""

import msgspec
import pytest

from irsa_doctor.trust import Request, decide, provider_arn_of
from tests.trust.asking import (
    ACCOUNT,
    ALLOWED,
    API,
    AUD,
    DENIED,
    ELSEWHERE,
    FORBIDDEN,
    ISSUER,
    PROVIDER,
    STS,
    SUB,
    WEB_IDENTITY,
    ask,
    deny,
    hole,
    policy,
    policy_of_text,
    statement,
    token,
)

NEVER = "aws:PrincipalArn"


def outcome(conditions: dict, request: Request | None = None, version: str = "2012-10-17") -> str:
    return ask(statement(conditions), request=request, version=version).outcome


# ---- statements


def test_nothing_is_allowed_without_an_allow():
    assert ask(deny({"StringEquals": {SUB: "system:serviceaccount:shop:other"}})).outcome == DENIED


def test_one_statement_that_allows_is_enough():
    assert ask(statement({"StringEquals": {SUB: "nobody"}}), statement({"StringEquals": {SUB: API}})).outcome == ALLOWED


@pytest.mark.parametrize("order", [1, -1])
def test_a_deny_goes_before_every_allow_in_whatever_order(order):
    assert ask(*[statement(), deny(), statement()][::order]).outcome == FORBIDDEN


def test_a_single_statement_needs_no_list():
    text = f'{{"Statement": {{"Effect": "Allow", "Principal": {{"Federated": "{PROVIDER}"}}, "Action": "{WEB_IDENTITY}"}}}}'
    assert decide(policy_of_text(text), token()).outcome == ALLOWED


def test_every_statement_has_its_reason():
    found = ask(statement({"StringEquals": {SUB: "other", AUD: "other"}}), statement(principal={"AWS": "1" * 12}), statement())
    assert [(reason.statement, reason.outcome) for reason in found.reasons] == [
        (0, "does-not-match"),
        (1, "does-not-match"),
        (2, "matches"),
    ]
    assert f"StringEquals {SUB} is not met: the request has" in found.reasons[0].says
    assert f"StringEquals {AUD} is not met: the request has" in found.reasons[0].says
    assert found.reasons[1].says == "no principal is the token's provider"


def test_the_reason_says_that_a_key_is_not_there():
    found = ask(statement({"StringLike": {f"https://{SUB}": "*"}}))
    assert found.reasons[0].says == f"StringLike https://{SUB} is not met: the request has no such key"


@pytest.mark.parametrize(("operator", "expected"), [("StringEquals", DENIED), ("StringNotEquals", ALLOWED)])
def test_a_key_without_a_name_is_in_no_request_and_no_hole(operator, expected):
    decision = ask(statement({operator: {"": "x"}}))
    assert (decision.outcome, decision.unseen) == (expected, ())


# ---- principals


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"Federated": PROVIDER}, ALLOWED),
        ({"Federated": [f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ELSEWHERE}", PROVIDER]}, ALLOWED),
        ({"AWS": "123456789012", "Federated": PROVIDER}, ALLOWED),
        ({"Service": "pods.eks.amazonaws.com", "Federated": [PROVIDER]}, ALLOWED),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ELSEWHERE}"}, DENIED),
        ({"Federated": PROVIDER.replace(ACCOUNT, "111111111111")}, DENIED),
        ({"Federated": PROVIDER.replace("arn:aws:", "arn:aws-cn:")}, DENIED),
        ({"Federated": PROVIDER.replace("FEEDFACE", "feedface")}, DENIED),
        ({"Federated": PROVIDER + "/"}, DENIED),
        ({"Federated": PROVIDER.replace("oidc-provider/", "oidc-provider/https://")}, DENIED),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/*"}, DENIED),
        ({"Federated": PROVIDER[:-1] + "?"}, DENIED),
        ({"Federated": ISSUER}, DENIED),
        ({"Federated": "cognito-identity.amazonaws.com"}, DENIED),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/{ISSUER}"}, DENIED),
        ({"Federated": "*"}, DENIED),
        ({"AWS": ACCOUNT}, DENIED),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, DENIED),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}, DENIED),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/session"}, DENIED),
        ({"AWS": PROVIDER}, DENIED),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:*"}, DENIED),
        ({"Service": "pods.eks.amazonaws.com"}, DENIED),
        ({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, DENIED),
        ({}, DENIED),
    ],
)
def test_only_the_exact_provider_is_a_principal(principal, expected):
    assert ask(statement(principal=principal)).outcome == expected


def test_a_provider_of_another_account_is_not_the_role_s():
    foreign = PROVIDER.replace(ACCOUNT, "111111111111")
    request = Request(ACCOUNT, foreign, token().context)
    assert decide(policy(statement(principal={"Federated": foreign})), request).outcome == DENIED


@pytest.mark.parametrize("url", [f"https://{ISSUER}", ISSUER])
def test_the_arn_of_a_provider_has_the_issuer_without_its_scheme(url):
    assert provider_arn_of("aws", ACCOUNT, url) == PROVIDER


def test_an_issuer_that_ends_in_a_slash_keeps_it():
    assert (
        provider_arn_of("aws", ACCOUNT, "https://tokens.example/path/")
        == f"arn:aws:iam::{ACCOUNT}:oidc-provider/tokens.example/path/"
    )


# ---- actions


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (WEB_IDENTITY, ALLOWED),
        ("STS:ASSUMEROLEWITHWEBIDENTITY", ALLOWED),
        ("STS:*", ALLOWED),
        ("Sts:Assume*", ALLOWED),
        ("sts:AssumeRole*", ALLOWED),
        ("sts:*WebIdentity", ALLOWED),
        ("sts:AssumeRoleWith???Identity", ALLOWED),
        ("*", ALLOWED),
        (["sts:TagSession", WEB_IDENTITY], ALLOWED),
        ("sts:AssumeRole", DENIED),
        ("sts:AssumeRoleWithSAML", DENIED),
        ("sts:AssumeRoleWith??Identity", DENIED),
        (["sts:TagSession"], DENIED),
        ([], DENIED),
    ],
)
def test_actions_have_wildcards_and_no_case(action, expected):
    assert ask(statement(Action=action)).outcome == expected


@pytest.mark.parametrize(
    ("not_action", "expected"),
    [
        ("sts:AssumeRole", ALLOWED),
        (["sts:TagSession", "sts:Get*"], ALLOWED),
        ([], ALLOWED),
        ("sts:Assume*", DENIED),
        ("*", DENIED),
    ],
)
def test_not_action_covers_what_it_does_not_list(not_action, expected):
    assert ask(statement(NotAction=not_action)).outcome == expected


def test_another_action_of_the_request_is_another_question():
    request = Request(ACCOUNT, PROVIDER, token().context, action="sts:TagSession")
    assert decide(policy(statement()), request).outcome == DENIED
    assert decide(policy(statement(Action=["sts:TagSession"])), request).outcome == ALLOWED


# ---- combining conditions


def test_operators_and_keys_are_all_to_be_met():
    assert outcome({"StringEquals": {SUB: API, AUD: STS}, "StringLike": {SUB: "system:*"}}) == ALLOWED
    assert outcome({"StringEquals": {SUB: API, AUD: "other"}}) == DENIED
    assert outcome({"StringEquals": {SUB: API}, "StringLike": {SUB: "other*"}}) == DENIED


@pytest.mark.parametrize("block", [{}, {"StringEquals": {}}, {"StringEquals": {}, "Bool": {}}])
def test_empty_blocks_ask_nothing(block):
    assert outcome(block) == ALLOWED


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("StringEquals", ["x", API], ALLOWED),
        ("StringEquals", ["x", "y"], DENIED),
        ("StringNotEquals", ["x", "y"], ALLOWED),
        ("StringNotEquals", ["x", API], DENIED),
        ("StringNotLike", ["x*", "*:kube-system:*"], ALLOWED),
        ("StringNotLike", ["x*", "*:shop:*"], DENIED),
    ],
)
def test_values_are_alternatives_and_negated_ones_all_exclude(operator, values, expected):
    assert outcome({operator: {SUB: values}}) == expected


@pytest.mark.parametrize("key", [SUB, SUB.upper(), SUB.lower(), SUB.replace(":sub", ":SuB")])
def test_names_of_keys_have_no_case_the_issuer_s_part_neither(key):
    assert outcome({"StringEquals": {key: API}}) == ALLOWED


@pytest.mark.parametrize(
    "key",
    [
        f"https://{SUB}",
        f"{ISSUER}/:sub",
        f"{ISSUER.partition('/')[0]}:sub",
        "sub",
        f"{ELSEWHERE}:sub",
        f" {SUB}",
        f"{ISSUER}:azp",
    ],
)
def test_a_key_that_is_not_quite_the_issuer_s_is_never_there(key):
    assert outcome({"StringEquals": {key: API}}) == DENIED
    assert outcome({"StringNotEquals": {key: "anything"}}) == ALLOWED


# ---- missing keys: operator by operator, plain, IfExists and the two qualifiers

FAMILIES = {
    "StringEquals": "v",
    "StringEqualsIgnoreCase": "v",
    "StringLike": "*",
    "ArnEquals": "arn:aws:iam::*:role/x",
    "ArnLike": "arn:aws:iam::*:role/x",
    "NumericEquals": "5",
    "NumericLessThan": "5",
    "NumericLessThanEquals": 5,
    "NumericGreaterThan": "5",
    "NumericGreaterThanEquals": "5",
    "DateEquals": "2025-05-05",
    "DateLessThan": "2025-05-05",
    "DateLessThanEquals": "2025-05-05",
    "DateGreaterThan": "2025-05-05",
    "DateGreaterThanEquals": "2025-05-05",
    "Bool": "true",
    "BinaryEquals": "QUJD",
    "IpAddress": "10.0.0.0/8",
}
NEGATED = {
    "StringNotEquals": "v",
    "StringNotEqualsIgnoreCase": "v",
    "StringNotLike": "*",
    "ArnNotEquals": "arn:aws:iam::*:role/x",
    "ArnNotLike": "arn:aws:iam::*:role/x",
    "NumericNotEquals": "5",
    "DateNotEquals": "2025-05-05",
    "NotIpAddress": "0.0.0.0/0",
}


@pytest.mark.parametrize(("operator", "value"), [*FAMILIES.items(), *NEGATED.items()])
def test_what_a_missing_key_means_to_an_operator(operator, value):
    plain = ALLOWED if operator in NEGATED else DENIED
    assert outcome({operator: {NEVER: value}}) == plain
    assert outcome({operator + "IfExists": {NEVER: value}}) == ALLOWED
    for suffix in ("", "IfExists"):
        assert outcome({f"ForAllValues:{operator}{suffix}": {NEVER: value}}) == ALLOWED
        assert outcome({f"ForAnyValue:{operator}{suffix}": {NEVER: value}}) == DENIED


def test_if_exists_changes_nothing_where_the_key_is_there():
    assert outcome({"StringEqualsIfExists": {SUB: "other"}}) == DENIED
    assert outcome({"StringNotEqualsIfExists": {SUB: API}}) == DENIED
    assert outcome({"StringLikeIfExists": {SUB: "*:api"}}) == ALLOWED


# ---- Null


@pytest.mark.parametrize(
    ("operator", "values", "there", "missing"),
    [
        ("Null", "true", DENIED, ALLOWED),
        ("Null", "false", ALLOWED, DENIED),
        ("Null", True, DENIED, ALLOWED),
        ("Null", False, ALLOWED, DENIED),
        ("Null", "FALSE", ALLOWED, DENIED),
        ("Null", ["true", "false"], ALLOWED, ALLOWED),
        ("Null", "maybe", ALLOWED, DENIED),
        ("ForAllValues:Null", "true", ALLOWED, ALLOWED),
        ("ForAllValues:Null", "false", ALLOWED, ALLOWED),
        ("ForAnyValue:Null", "true", DENIED, DENIED),
        ("ForAnyValue:Null", "false", DENIED, DENIED),
    ],
)
def test_null_asks_whether_a_key_is_there(operator, values, there, missing):
    assert outcome({operator: {SUB: values}}) == there
    assert outcome({operator: {SUB: values}}, token(sub=None)) == missing


# ---- set qualifiers


@pytest.mark.parametrize(
    ("operator", "wanted", "has", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], ALLOWED),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], DENIED),
        ("ForAllValues:StringEquals", ["a"], [], ALLOWED),
        ("ForAllValues:StringLike", ["a*", "?"], ["abc", "x"], ALLOWED),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], ALLOWED),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], DENIED),
        ("ForAnyValue:StringEquals", ["a", "b"], ["z", "b"], ALLOWED),
        ("ForAnyValue:StringEquals", ["a", "b"], ["z"], DENIED),
        ("ForAnyValue:StringEquals", ["a"], [], DENIED),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], ALLOWED),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], DENIED),
        ("ForAnyValue:NumericLessThan", "5", ["9", "3"], ALLOWED),
        ("ForAllValues:NumericLessThan", "5", ["9", "3"], DENIED),
    ],
)
def test_qualifiers_ask_all_or_any_of_the_request_s_values(operator, wanted, has, expected):
    assert outcome({operator: {"aws:TagKeys": wanted}}, token(aws_TagKeys=has)) == expected


def test_qualifiers_work_on_a_key_with_one_value_as_if_they_were_not_there():
    for qualifier in ("", "ForAllValues:", "ForAnyValue:"):
        assert outcome({f"{qualifier}StringEquals": {SUB: API}}) == ALLOWED
        assert outcome({f"{qualifier}StringNotEquals": {SUB: API}}) == DENIED


# ---- lists of values


@pytest.mark.parametrize(
    ("operator", "there", "missing"),
    [
        ("StringEqualsIfExists", DENIED, ALLOWED),
        ("StringNotEqualsIfExists", DENIED, ALLOWED),
        ("ForAllValues:StringEquals", DENIED, ALLOWED),
        ("ForAllValues:StringNotEquals", DENIED, ALLOWED),
        ("ForAnyValue:StringEquals", DENIED, DENIED),
        ("ForAnyValue:StringNotEquals", DENIED, DENIED),
    ],
)
def test_an_empty_list_under_if_exists_or_a_qualifier(operator, there, missing):
    decision = ask(statement({operator: {SUB: []}}))
    assert (decision.outcome, decision.contested) == (there, ())
    assert outcome({operator: {SUB: []}}, token(sub=None)) == missing


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (5, "5"), (-2, "-2"), (1.5, "1.5")])
def test_numbers_and_booleans_are_compared_by_their_text(value, text):
    assert outcome({"StringEquals": {SUB: value}}, token(sub=text)) == ALLOWED
    assert outcome({"StringEquals": {SUB: ["x", value]}}, token(sub=text)) == ALLOWED


# ---- operators on text


@pytest.mark.parametrize(
    ("operator", "wanted", "has", "expected"),
    [
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a?", "ab", False),
        ("StringEquals", "A", "a", False),
        ("StringEquals", "a ", "a", False),
        ("StringEqualsIgnoreCase", "SyStEm:X", "system:x", True),
        ("StringEqualsIgnoreCase", "A*", "ab", False),
        ("StringEqualsIgnoreCase", "A*", "a*", True),
        ("StringNotEqualsIgnoreCase", "SYSTEM", "system", False),
        ("StringLike", "*", "", True),
        ("StringLike", "?", "", False),
        ("StringLike", "?*", "x", True),
        ("StringLike", "a*c", "ac", True),
        ("StringLike", "a*c", "abbc", True),
        ("StringLike", "a*c", "acd", False),
        ("StringLike", "a*c", "xac", False),
        ("StringLike", "a*b*c", "a1b2b3c", True),
        ("StringLike", "*ab*ab*", "aabab", True),
        ("StringLike", "*ab*ab*", "ababx"[:3], False),
        ("StringLike", "a*", "A", False),
        ("StringLike", "*:a/*", "x:y:a/b:c/d", True),
        ("StringLike", "a*", "a\nb\n", True),
        ("StringLike", "a", "a\n", False),
        ("StringLike", "a?c", "a\nc", True),
        ("StringLike", "?", "ü", True),
        ("StringLike", "[ab]", "a", False),
        ("StringLike", "a.c", "abc", False),
        ("StringLike", "a\\*", "a\\xyz", True),
        ("StringLike", "(a|b)+$", "a", False),
        ("StringNotLike", "a*", "b", True),
        ("StringNotLike", "a*", "ab", False),
        ("ArnEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::123:role/a/b:c", True),
        ("ArnLike", "arn:aws:iam::123:role/?", "arn:aws:iam::123:role/x", True),
        ("ArnLike", "arn:*:iam::*:role/x", "arn:aws:iam:eu:1:role/x", False),
        ("ArnLike", "arn:aws:*:role/x", "arn:aws:iam::1:role/x", False),
        ("ArnLike", "arn:aws:iam::1:*", "arn:aws:iam::1:a:b:c", True),
        ("ArnLike", "*", "arn:aws:iam::1:role/x", False),
        ("ArnLike", "a*:aws:iam::1:role/x", "arn:aws:iam::1:role/x", True),
        ("ArnEquals", "ARN:aws:iam::1:role/x", "arn:aws:iam::1:role/x", False),
        ("ArnNotLike", "arn:aws:iam::1:*", "arn:aws:iam::2:role/x", True),
        ("ArnNotEquals", "arn:aws:iam::1:*", "arn:aws:iam::1:role/x", False),
    ],
)
def test_text_and_arns_are_compared_character_by_character(operator, wanted, has, expected):
    decision = ask(statement({operator: {"aws:RequestTag/x": wanted}}), request=token(**{"aws_RequestTag/x": has}))
    assert (decision.outcome, decision.contested) == (ALLOWED if expected else DENIED, ())


# ---- typed operators


@pytest.mark.parametrize(
    ("operator", "wanted", "has", "expected"),
    [
        ("NumericEquals", "10", "10.00", True),
        ("NumericEquals", 10, "1e1", True),
        ("NumericEquals", "0.1", ".1", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericNotEquals", ["10", "11"], "11", False),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "10.0001", True),
        ("NumericGreaterThanEquals", "10", "9.9", False),
        ("NumericLessThan", "10", "nine", False),
        ("NumericEquals", "10", "\u0661\u0660", False),
        ("DateEquals", "2025-05-05T10:00:00Z", "2025-05-05T12:00:00+02:00", True),
        ("DateEquals", "2025-05-05", "2025-05-05T00:00:00Z", True),
        ("DateEquals", "2025-05", "2025-05-01", True),
        ("DateEquals", "2025", "2025-01-01", True),
        ("DateEquals", "1970-01-02", "86400", True),
        ("DateEquals", "2025-05-05T10:00:00.5Z", "2025-05-05T10:00:00Z", False),
        ("DateNotEquals", "2025-05-05", "2025-05-06", True),
        ("DateLessThan", "2025-05-05", "2025-05-04T23:59:59.999Z", True),
        ("DateGreaterThan", "2025-05-05T10:00Z", "2025-05-05T10:00:01Z", True),
        ("DateLessThanEquals", "2025-05-05", "2025-05-05", True),
        ("DateGreaterThanEquals", "2025-05-05", "2025-05-04", False),
        ("DateLessThan", "9999-12-31T23:59:59-23:59", "2025-05-04", True),
        ("DateLessThan", "0001-01-01T00:00:00+23:59", "2025-05-04", False),
        ("DateGreaterThan", "2025-05-05T10:00:00", "2026-01-01", True),
        ("Bool", "TRUE", "true", True),
        ("Bool", True, "True", True),
        ("Bool", "false", "true", False),
        ("Bool", "1", "1", True),
        ("Bool", "true", " true ", False),
        ("Bool", "false", " true ", True),
        ("Bool", "false", "", True),
        ("Bool", "yes", "no", True),
        ("Bool", ["true", "false"], "whatever", True),
        ("NumericEquals", "1", "01", True),
        ("NumericEquals", "+1", "1.", True),
        ("NumericEquals", "1e0", "1.0", True),
        ("NumericEquals", "9007199254740993", "9007199254740992", False),
        ("NumericNotEquals", "5", "five", True),
        ("NumericNotEquals", "5", "", True),
        ("NumericNotEquals", "5", "NaN", True),
        ("NumericNotEquals", "5", "Infinity", True),
        ("NumericNotEquals", "5", "5.0", False),
        ("NumericGreaterThan", "5", "Infinity", False),
        ("NumericLessThan", "1e999999", "1e999998", True),
        ("NumericLessThan", "-1e999999", "1", False),
        ("DateNotEquals", "2025-05-05", "some day", True),
        ("DateEquals", "2025-05-05T10:00:00Z", "+1746439200", True),
        ("DateEquals", "2025-05-05T10:00:00.0009Z", "2025-05-05T10:00:00Z", True),
        ("DateEquals", "2025-05-05T10:00:00.001Z", "2025-05-05T10:00:00Z", False),
        ("DateEquals", "2025-05-05T10:00:00", "2025-05-05T10:00:00Z", True),
        ("BinaryEquals", "QUJD", "QUJD", True),
        ("BinaryEquals", "QUJD", "QUJE", False),
        ("BinaryEquals", "YQ==", "YR==", False),
        ("IpAddress", "192.0.2.0/24", "192.0.2.200", True),
        ("IpAddress", "192.0.2.7", "192.0.2.7", True),
        ("IpAddress", "192.0.2.7", "192.0.2.8", False),
        ("IpAddress", "192.0.2.77/24", "192.0.2.200", True),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:DB8:0:0::1", True),
        ("IpAddress", "2001:db8::1", "2001:db8::1", True),
        ("IpAddress", "0.0.0.0/0", "::1", False),
        ("IpAddress", "10.0.0.0/8", "somewhere", False),
        ("IpAddress", "192.0.2.0/24", "192.000.2.1", True),
        ("IpAddress", "192.000.002.0/024", "192.0.2.1", True),
        ("IpAddress", "192.0.2.0/+24", "192.0.2.1", True),
        ("IpAddress", "192.0.2.0/24", "192.0.2.1/32", False),
        ("IpAddress", "192.0.2.0/24", "192.0.2.256", False),
        ("NotIpAddress", "10.0.0.0/8", "somewhere", False),
        ("NotIpAddress", "10.0.0.0/8", "", False),
        ("NotIpAddress", "10.0.0.0/8", "192.0.2.1/32", False),
        ("NotIpAddress", "10.0.0.0/8", "fe80::1%eth0", False),
        ("ArnNotLike", "arn:aws:iam::*:user/*", "arn:aws:iam::123456789012:role/x", True),
        ("ArnNotLike", "arn:aws:iam::*:user/*", "arn:aws:iam", False),
        ("ArnNotEquals", "arn:aws:iam::*:user/*", "", False),
        ("NotIpAddress", "10.0.0.0/8", "192.0.2.1", True),
        ("NotIpAddress", "10.0.0.0/8", "10.1.1.1", False),
        ("NotIpAddress", "10.0.0.0/8", "::1", True),
    ],
)
def test_typed_values_are_compared_as_what_they_are(operator, wanted, has, expected):
    decision = ask(statement({operator: {"aws:RequestTag/x": wanted}}), request=token(**{"aws_RequestTag/x": has}))
    assert decision.outcome == (ALLOWED if expected else DENIED)
    assert decision.otherwise is None


@pytest.mark.parametrize(
    ("operator", "wanted", "has", "expected"),
    [
        ("NumericEquals", "ten", "10", False),
        ("NumericEquals", "0x10", "16", False),
        ("NumericNotEquals", "NaN", "1", True),
        ("DateLessThan", "2025-13-05", "2025-05-04", False),
        ("DateLessThan", "2025-02-30", "2025-05-04", False),
        ("DateNotEquals", "soon", "soon", True),
        ("IpAddress", "10.0.0.0/33", "10.0.0.1", False),
        ("IpAddress", "10.0.0.0/", "10.0.0.0", False),
        ("NotIpAddress", "here", "10.0.0.1", True),
        ("NotIpAddress", "here", "here", False),
        ("BinaryEquals", "not base64", "not base64", False),
        ("ArnLike", "x:*", "arn:aws:iam::1:y", False),
        ("ArnNotLike", "x:*", "arn:aws:iam::1:y", True),
        ("ArnNotLike", "x:*", "x:y", False),
    ],
)
def test_a_policy_value_of_another_type_meets_nothing(operator, wanted, has, expected):
    document = policy(statement({operator: {"aws:RequestTag/x": wanted}}))
    decision = decide(msgspec.structs.replace(document, problems=()), token(**{"aws_RequestTag/x": has}))
    assert decision.outcome == (ALLOWED if expected else DENIED)


@pytest.mark.parametrize("claim", ["sub", "aud"])
@pytest.mark.parametrize(
    ("operator", "value"),
    [("NumericEquals", "5"), ("Bool", "true"), ("DateLessThan", "2999-01-01"), ("IpAddress", "::/0"), ("BinaryEquals", "QUJD")],
)
def test_no_subject_of_a_service_account_and_no_usual_audience_is_of_another_type_than_text(claim, operator, value):
    assert outcome({operator: {f"{ISSUER}:{claim}": value}}) == DENIED


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"NumericNotEquals": {SUB: "5"}}, ALLOWED),
        ({"DateNotEquals": {SUB: "2030-01-01"}}, ALLOWED),
        ({"Bool": {SUB: "false"}}, ALLOWED),
        ({"Bool": {SUB: "anything"}}, ALLOWED),
        ({"NotIpAddress": {SUB: "192.0.2.0/24"}}, DENIED),
        ({"ArnNotLike": {SUB: "arn:aws:iam::1:*"}}, DENIED),
        ({"Null": {SUB: "anything"}}, ALLOWED),
    ],
)
def test_what_typed_operators_say_of_every_subject(conditions, expected):
    decision = ask(statement(conditions))
    assert (decision.outcome, decision.otherwise) == (expected, None)


# ---- policy variables

TEAM = "aws:RequestTag/team"


@pytest.mark.parametrize(
    ("operator", "wanted", "has", "expected"),
    [
        ("StringEquals", f"x-${{{TEAM}}}", "x-red", True),
        ("StringEquals", f"x-${{{TEAM.upper()}}}", "x-red", True),
        ("StringEquals", f"x-${{{TEAM}}}", "x-blue", False),
        ("StringNotEquals", f"x-${{{TEAM}}}", "x-red", False),
        ("StringLike", f"*-${{{TEAM}}}-?", "x-red-1", True),
        ("StringEqualsIgnoreCase", f"X-${{{TEAM}}}", "x-Red", True),
        ("ArnLike", f"arn:aws:iam::*:role/${{{TEAM}}}", "arn:aws:iam::1:role/red", True),
        ("StringEquals", "${aws:RequestTag/none}", "", False),
        ("StringNotEquals", "${aws:RequestTag/none}", "red", True),
        ("StringNotLike", ["${aws:RequestTag/none}", "r*"], "red", False),
        ("StringEquals", ["${aws:RequestTag/none}", "red"], "red", True),
        ("StringEquals", "${aws:RequestTag/none, 'red'}", "red", True),
        ("StringEquals", f"${{{TEAM}, 'blue'}}", "blue", False),
        ("StringEquals", f"${{{TEAM}, 'blue'}}", "red", True),
        ("StringEquals", "${aws:RequestTag/none,''}x", "x", True),
        ("StringEquals", "${aws:RequestTag/none, red}", "red", False),
        ("StringEquals", "a${*}b${?}c${$}", "a*b?c$", True),
        ("StringLike", "a${*}b", "axb", False),
        ("StringLike", "a${?}*", "a?xyz", True),
        ("StringEquals", "${unfinished", "${unfinished", True),
        ("StringLike", "${unfinished*", "${unfinished and more", True),
        ("StringEquals", "$", "$", True),
        ("NumericEquals", f"${{{TEAM}}}", "5", False),
    ],
)
def test_variables_stand_for_what_the_request_has(operator, wanted, has, expected):
    request = token(**{"aws_RequestTag/x": has, "aws_RequestTag/team": "red"})
    assert outcome({operator: {"aws:RequestTag/x": wanted}}, request) == (ALLOWED if expected else DENIED)


def test_a_wildcard_that_comes_from_a_variable_is_a_character():
    request = token(sub="system:serviceaccount:any:api", sts_RoleSessionName="*")
    assert outcome({"StringLike": {SUB: "system:serviceaccount:${sts:RoleSessionName}:api"}}, request) == DENIED


def test_a_claim_compared_with_itself_is_always_equal():
    assert outcome({"StringEquals": {SUB: f"${{{SUB}}}"}}) == ALLOWED
    assert outcome({"StringEquals": {SUB: f"${{{SUB}}}"}}, token(sub=None)) == DENIED


@pytest.mark.parametrize(
    "context", [{"aws_TagKeys": ["a", "b"]}, {"aws_TagKeys": ["a"], "multi": ("aws:TagKeys",)}, {"aws_TagKeys": []}]
)
def test_a_multi_valued_key_is_no_variable(context):
    assert outcome({"StringEquals": {SUB: "${aws:TagKeys}"}}, token(sub="a", **context)) == DENIED


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_older_versions_have_no_variables_but_wildcards(version):
    written = "system:serviceaccount:${sts:RoleSessionName}:*"
    assert (
        outcome({"StringLike": {SUB: written}}, token(sub="system:serviceaccount:x:a", sts_RoleSessionName="x"), version)
        == DENIED
    )
    assert (
        outcome({"StringLike": {SUB: written}}, token(sub="system:serviceaccount:${sts:RoleSessionName}:a"), version) == ALLOWED
    )
    assert outcome({"StringLike": {SUB: "a${*}"}}, token(sub="a${anything}"), version) == ALLOWED
    assert outcome({"StringEquals": {SUB: "a${*}"}}, token(sub="a${*}"), version) == ALLOWED


# ---- keys of several values, and letters


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringNotEqualsIfExists"])
@pytest.mark.parametrize("tags", [["a"], ["a", "b"], ["b"]])
def test_an_operator_for_one_value_is_false_of_a_multi_valued_key(operator, tags):
    request = token(aws_TagKeys=tags, multi=("aws:TagKeys",))
    assert outcome({operator: {"aws:TagKeys": "a"}}, request) == DENIED
    assert ask(statement(), deny({operator: {"aws:TagKeys": "a"}}), request=request).outcome == ALLOWED


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAllValues:StringEquals", "x", DENIED),
        ("ForAllValues:StringNotEquals", "x", ALLOWED),
        ("ForAnyValue:StringEquals", "", ALLOWED),
        ("ForAnyValue:StringNotEquals", "", DENIED),
        ("ForAnyValue:StringNotEquals", "x", ALLOWED),
    ],
)
def test_an_empty_text_is_a_value_like_any_other(operator, values, expected):
    assert outcome({operator: {AUD: values}}, token(aud="")) == expected


@pytest.mark.parametrize(
    ("wanted", "has", "expected"),
    [
        ("\u00c9", "\u00e9", True),
        ("\u00df", "\u1e9e", True),
        ("\u00df", "SS", False),
        ("k", "\u212a", True),
        ("I", "\u0131", False),
        ("i", "\u0130", False),
        ("s", "\u017f", False),
        ("${aws:RequestTag/team}", "\u03bf\u03c2", True),
        ("${aws:RequestTag/team}", "\u03bf\u03c3", False),
    ],
)
def test_letters_are_folded_one_by_one(wanted, has, expected):
    request = token(sub=has, **{"aws_RequestTag/team": "\u039f\u03a3"})
    assert outcome({"StringEqualsIgnoreCase": {SUB: wanted}}, request) == (ALLOWED if expected else DENIED)
    assert outcome({"StringNotEqualsIgnoreCase": {SUB: wanted}}, request) == (DENIED if expected else ALLOWED)


def test_letters_beyond_the_basic_plane_are_not_folded():
    capital, small = "\U00010400", "\U00010428"
    request = token(sub=small, **{"aws_RequestTag/team": capital})
    assert outcome({"StringEqualsIgnoreCase": {SUB: "${aws:RequestTag/team}"}}, request) == DENIED


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("?", False), ("??", True), ("a?b", False), ("*?", True), ("?*", True), ("???", False)],
)
def test_a_question_mark_is_one_utf_16_unit(pattern, expected):
    assert outcome({"StringLike": {SUB: pattern}}, token(sub="\U00010400")) == (ALLOWED if expected else DENIED)


# ---- what is contested

ANYBODY = {"AWS": "*"}


@pytest.mark.parametrize(
    ("statements", "request_", "points", "expected", "otherwise"),
    [
        ([statement(principal=ANYBODY)], token(), (), DENIED, None),
        ([statement(principal={"AWS": ["1" * 12, "*"]})], token(), (), DENIED, None),
        ([statement(), deny(principal=ANYBODY)], token(), ("P5",), FORBIDDEN, ALLOWED),
        ([statement(), deny({"StringEquals": {SUB: "x"}}, principal=ANYBODY)], token(), (), ALLOWED, None),
        ([deny(principal=ANYBODY)], token(), ("P5",), FORBIDDEN, DENIED),
        ([statement(), statement(principal=ANYBODY)], token(), (), ALLOWED, None),
        ([statement(principal={**ANYBODY, "Federated": PROVIDER})], token(), (), ALLOWED, None),
        ([statement({"StringEquals": {SUB: []}})], token(), ("C11",), DENIED, ALLOWED),
        ([statement({"StringNotEquals": {SUB: []}})], token(), ("C11",), ALLOWED, DENIED),
        ([statement({"StringEquals": {SUB: []}, "StringLike": {AUD: "x"}})], token(), (), DENIED, None),
        ([statement({"Null": {SUB: []}})], token(), ("C11",), DENIED, ALLOWED),
        ([statement({"StringEquals": {"aws:TagKeys": []}})], token(aws_TagKeys=["a", "b"]), (), DENIED, None),
        ([statement({"StringEquals": {SUB: API, SUB.upper(): "x"}})], token(), ("K2",), DENIED, ALLOWED),
        ([statement({"StringEquals": {SUB: "y", SUB.upper(): "x"}})], token(), (), DENIED, None),
        ([statement({"StringEquals": {SUB: API, SUB.upper(): API}})], token(), (), ALLOWED, None),
        ([statement(effect="allow")], token(), ("G1",), ALLOWED, DENIED),
        ([statement({"StringEquals": {SUB: "other"}}, effect="allow")], token(), (), DENIED, None),
        ([statement(), statement(effect="deny")], token(), ("G1",), FORBIDDEN, ALLOWED),
        (
            [statement({"StringEquals": {SUB: []}}), deny(principal=ANYBODY)],
            token(),
            ("C11", "P5"),
            FORBIDDEN,
            DENIED,
        ),
    ],
)
def test_a_contested_point_is_named_and_so_is_the_other_answer(statements, request_, points, expected, otherwise):
    decision = ask(*statements, request=request_)
    assert (decision.contested, decision.outcome, decision.otherwise) == (points, expected, otherwise)
    assert decision.is_certain == (otherwise is None)


# ---- holes


@pytest.mark.parametrize(
    ("statements", "expected", "otherwise", "unseen"),
    [
        ([statement({"StringEquals": {SUB: hole("<name>")}})], DENIED, ALLOWED, ("<name>",)),
        ([statement({"StringEquals": {SUB: hole("system:serviceaccount:", "<ns>", ":api")}})], DENIED, ALLOWED, ("<ns>",)),
        ([statement({"StringEquals": {SUB: hole("system:serviceaccount:", "<ns>", ":web")}})], DENIED, None, ()),
        ([statement({"StringEquals": {SUB: [hole("<name>"), API]}})], ALLOWED, None, ()),
        ([statement({"StringNotEquals": {SUB: [hole("<name>"), API]}})], DENIED, None, ()),
        ([statement({"StringNotEquals": {SUB: [hole("<name>"), "x"]}})], DENIED, ALLOWED, ("<name>",)),
        ([statement({"ForAllValues:StringLike": {SUB: hole("*", "<tail>")}})], DENIED, ALLOWED, ("<tail>",)),
        ([statement({"ForAnyValue:StringLike": {SUB: hole("x", "<tail>")}})], DENIED, None, ()),
        ([statement({"ArnLike": {SUB: hole("<arn>")}})], DENIED, None, ()),
        ([statement({"IpAddress": {"aws:SourceIp": hole("<cidr>")}})], DENIED, None, ()),
        ([statement({"Null": {SUB: hole("<flag>")}})], DENIED, ALLOWED, ("<flag>",)),
        ([statement({"Null": {SUB: [hole("<flag>"), "false"]}})], ALLOWED, None, ()),
        ([statement({"StringEquals": {hole("<issuer>", ":sub"): API}})], DENIED, ALLOWED, ("<issuer>",)),
        ([statement({"StringEquals": {hole("<issuer>", ":sub"): API, AUD: "x"}})], DENIED, None, ()),
        ([statement({"StringEquals": hole("<keys>")})], DENIED, ALLOWED, ("<keys>",)),
        ([statement({hole("<operator>"): {SUB: API}})], DENIED, ALLOWED, ("<operator>",)),
        ([statement(principal={"Federated": hole("<provider>")})], DENIED, ALLOWED, ("<provider>",)),
        (
            [statement(principal={"Federated": hole(f"arn:aws:iam::{ACCOUNT}:oidc-provider/", "<host>")})],
            DENIED,
            ALLOWED,
            ("<host>",),
        ),
        ([statement(principal={"Federated": hole("arn:aws:iam::", "<account>", ":saml-provider/x")})], DENIED, None, ()),
        ([statement(principal={"AWS": hole("arn:aws:iam::", "<account>", ":root")})], DENIED, None, ()),
        ([statement(principal=hole("<principal>"))], DENIED, ALLOWED, ("<principal>",)),
        ([statement(Action=hole("sts:", "<action>"))], DENIED, ALLOWED, ("<action>",)),
        ([statement(Action=[hole("ec2:", "<action>")])], DENIED, None, ()),
        ([statement(Action=[hole("<action>"), WEB_IDENTITY])], ALLOWED, None, ()),
        ([statement(effect=hole("<effect>"))], DENIED, ALLOWED, ("<effect>",)),
        ([statement(), statement(effect=hole("<effect>"))], ALLOWED, FORBIDDEN, ("<effect>",)),
        ([statement(), deny({"StringLike": {SUB: hole("<who>")}})], ALLOWED, FORBIDDEN, ("<who>",)),
        ([statement(), statement({"StringLike": {SUB: hole("<who>")}})], ALLOWED, None, ()),
        ([deny(), statement({"StringLike": {SUB: hole("<who>")}})], FORBIDDEN, None, ()),
        ([statement(), hole("<statement>")], ALLOWED, FORBIDDEN, ("<statement>",)),
        ([hole("<statement>")], DENIED, ALLOWED, ("<statement>",)),
    ],
)
def test_where_a_hole_decides_the_answer_says_so(statements, expected, otherwise, unseen):
    decision = ask(*statements)
    assert (decision.outcome, decision.otherwise, decision.unseen) == (expected, otherwise, unseen)
    assert decision.is_certain == (otherwise is None)


def test_holes_are_named_in_the_reason():
    found = ask(statement({"StringEquals": {SUB: hole("<name>")}}))
    assert [(reason.outcome, reason.says) for reason in found.reasons] == [("unseen", "hangs on <name>")]


def test_a_version_that_is_a_hole_matters_only_to_variables():
    version = hole("<version>")
    assert ask(statement({"StringEquals": {SUB: API}}), version=version).is_certain
    assert ask(statement({"StringEquals": {SUB: "${aws:x}"}}), version=version).unseen == ("<version>",)
