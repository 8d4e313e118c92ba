import pytest

from irsa_doctor.model import Flaw, Place, TrustPolicy
from irsa_doctor.trust.guardrails import denial, guardrails, united

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAA"
OTHER = "oidc.eks.eu-west-1.amazonaws.com/id/BBBB"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
WEB = "sts:AssumeRoleWithWebIdentity"


def deny(action=WEB, resource="*", **condition):
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition}


def rails(*statements):
    return guardrails(TrustPolicy({"Version": "2012-10-17", "Statement": list(statements)}, Place("rcp.json")))


def stops(statement, provider=PROVIDER):
    (rail,) = rails(statement)
    return denial(rail, provider).stops


ORG = {"aws:PrincipalOrgID": "o-1"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        # the key is never there: negated operators hold, positive ones do not
        ({"StringNotEquals": ORG}, "all"),
        ({"StringNotEqualsIfExists": ORG}, "all"),
        ({"StringEquals": ORG}, "none"),
        ({"Null": {"aws:PrincipalOrgID": "true"}}, "all"),
        ({"Null": {"aws:PrincipalOrgID": "false"}}, "none"),
        ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, "all"),
        ({}, "all"),
        # the caller is no service
        ({"StringNotEquals": ORG, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}, "all"),
        ({"StringNotEquals": ORG, "Bool": {"aws:PrincipalIsAWSService": "true"}}, "none"),
        ({"StringNotEquals": ORG, "Bool": {"aws:PrincipalIsAWSService": "false"}}, "depends"),
        ({"Null": {"aws:SourceAccount": "false"}, "StringNotEquals": ORG}, "none"),
        # STS speaks TLS only
        ({"BoolIfExists": {"aws:SecureTransport": "false"}}, "none"),
        # where the request comes from is not known
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "depends"),
        ({"StringNotEquals": {**ORG, "aws:ResourceOrgID": "o-1"}}, "depends"),
        ({"StringEquals": {"aws:ResourceAccount": "111122223333"}}, "all"),
        ({"StringNotEquals": {"aws:ResourceAccount": "111122223333"}}, "none"),
        # issuers
        ({"Null": {f"{ISSUER}:sub": "true", f"{OTHER}:sub": "true"}}, "none"),
        ({"Null": {f"{OTHER}:sub": "true"}}, "all"),
        ({"Null": {f"{ISSUER}:SUB": "true"}}, "none"),
        ({"StringNotLike": {f"{ISSUER}:sub": "system:serviceaccount:prod:*"}}, "some"),
        ({"StringNotLikeIfExists": {f"{OTHER}:sub": "x"}, "Null": {f"{OTHER}:sub": "false"}}, "none"),
        ({"StringNotEquals": {"aws:FederatedProvider": PROVIDER}}, "depends"),
        ({"StringNotLike": {"aws:FederatedProvider": f"*{ISSUER}"}}, "none"),
        ({"StringNotLike": {"aws:FederatedProvider": f"*{OTHER}"}}, "all"),
    ],
)
def test_a_deny_stops_all_or_some_or_none_or_hangs_on_what_is_not_known(condition, expected):
    assert stops(deny(**condition)) == expected


def test_a_tag_that_exempts_roles_is_named():
    exempting = {"StringNotEquals": ORG, "StringNotEqualsIfExists": {"aws:ResourceTag/exempt": "true"}}
    (rail,) = rails(deny(**exempting))
    found = denial(rail, PROVIDER)
    assert (found.stops, found.exempt) == ("all", ("aws:ResourceTag/exempt",))
    assert stops(deny(StringEquals={"aws:ResourceTag/guarded": "true"})) == "none"


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        (deny("sts:*"), 1),
        (deny("*"), 1),
        (deny(["s3:*", "sts:assumerolewithwebidentity"]), 1),
        (deny("sts:AssumeRole"), 0),
        (deny("s3:*"), 0),
        ({**deny(), "Effect": "Allow"}, 0),
        ({**deny(), "Principal": {"AWS": "*"}}, 1),
        ({**deny(), "Principal": {"AWS": "111122223333"}}, 0),
    ],
)
def test_only_denies_of_the_call_for_everybody_are_guardrails(statement, count):
    assert len(rails(statement)) == count


@pytest.mark.parametrize(
    ("resource", "every", "app", "other"),
    [
        ({"Resource": "*"}, True, True, True),
        ({"Resource": ["arn:aws:s3:::*", "*"]}, True, True, True),
        ({"Resource": "arn:aws:iam::*:role/app*"}, False, True, False),
        ({"Resource": "arn:aws:s3:::*"}, False, False, False),
        ({"NotResource": "arn:aws:iam::*:role/app*"}, False, False, True),
    ],
)
def test_resources_say_which_roles_are_meant(resource, every, app, other):
    made = {name: value for name, value in deny().items() if name != "Resource"} | resource
    (rail,) = rails(made)
    assert rail.every_role is every
    assert rail.covers_role("arn:aws:iam::111122223333:role/app-1") is app
    assert rail.covers_role("arn:aws:iam::111122223333:role/other") is other


def test_statements_that_ask_for_the_issuer_are_told_apart():
    assert rails(deny(Null={f"{ISSUER}:sub": "true"}))[0].by_provider
    assert rails(deny(StringNotEquals={"aws:FederatedProvider": "x"}))[0].by_provider
    assert not rails(deny(StringNotEquals=ORG))[0].by_provider


def test_a_single_statement_has_its_place_and_a_broken_document_none():
    (rail,) = guardrails(TrustPolicy({"Version": "2012-10-17", "Statement": deny()}, Place("rcp.json")))
    assert rail.place.pointer == "/Statement"
    assert guardrails(TrustPolicy(None, Place("rcp.json"), (Flaw("syntax", "no JSON"),))) == ()
    assert guardrails(TrustPolicy({"Statement": deny()}, Place("rcp.json"), (Flaw("duplicate-member", "twice"),))) == ()


def test_what_stops_all_outweighs_what_is_not_known_and_that_what_stops_some():
    found = [
        denial(rails(deny(**condition))[0], PROVIDER)
        for condition in (
            {"StringNotLike": {f"{ISSUER}:sub": "x"}},
            {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
            {"StringNotEquals": ORG},
            {"StringEquals": ORG},
        )
    ]
    assert [part.stops for part in found] == ["some", "depends", "all", "none"]
    assert united(found).stops == "all"
    assert united(found[:2]).stops == "depends"
    assert united(found[:1]).stops == "some"
    assert united(found[3:]) is None
