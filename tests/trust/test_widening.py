import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsa_doctor.issuers import EKS
from irsa_doctor.model import Place
from irsa_doctor.sources import read_policy_text
from irsa_doctor.trust import Request, decide, read_policy
from irsa_doctor.trust.principals import admit_more, named_principals
from irsa_doctor.trust.restrictions import Restriction, alternatives_of, restrictions_of
from irsa_doctor.trust.widening import widening
from tests.cli.running import ACCOUNT, ISSUER, PROVIDER

SUB, AUD, NAME, ADDRESS, TIME = f"{ISSUER}:sub", f"{ISSUER}:aud", "sts:RoleSessionName", "aws:SourceIp", "aws:CurrentTime"
OTHER = "arn:aws:iam::444455556666:role/deployer"


def policy(*statements, version="2012-10-17"):
    document = {"Version": version, "Statement": list(statements)}
    return read_policy(read_policy_text(msgspec.json.encode(document), Place("-")))


def statement(condition, effect="Allow", principal=None, action="sts:AssumeRoleWithWebIdentity"):
    principal = principal or {"Federated": PROVIDER}
    return {"Effect": effect, "Principal": principal, "Action": action, "Condition": condition}


def allow(**operators):
    return statement({**operators, "StringEquals": {SUB: "system:serviceaccount:a:x", **operators.get("StringEquals", {})}})


def deny(**operators):
    return statement(operators, "Deny")


def both_ways(earlier, later):
    old, new = policy(*earlier), policy(*later)
    return widening(old, new, PROVIDER, EKS), widening(new, old, PROVIDER, EKS)


ANY = statement({"StringLike": {SUB: "system:serviceaccount:a:*"}})
INSIDE = {"NotIpAddress": {ADDRESS: "10.0.0.0/8"}}


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({"IpAddress": {ADDRESS: "10.0.0.0/8"}}, {"IpAddress": {ADDRESS: ["10.1.0.0/16", "10.2.0.1"]}}),
        ({"IpAddress": {ADDRESS: "2001:db8::/32"}}, {"IpAddress": {ADDRESS: "2001:db8:1::/48"}}),
        ({"StringLike": {NAME: "ci-*"}}, {"StringLike": {NAME: "ci-a*"}}),
        ({"StringLike": {NAME: "ci-*"}}, {"StringEquals": {NAME: ["ci-a", "ci-b"]}}),
        ({"StringEqualsIgnoreCase": {NAME: "CI"}}, {"StringEquals": {NAME: "ci"}}),
        ({"StringNotEquals": {NAME: "a"}}, {"StringNotLike": {NAME: ["a*", "b"]}}),
        ({"DateLessThan": {TIME: "2030-01-01T00:00:00Z"}}, {"DateLessThanEquals": {TIME: "2029-12-31T23:59:59Z"}}),
        ({"DateGreaterThanEquals": {TIME: "2026-01-01T00:00:00Z"}}, {"DateGreaterThan": {TIME: "2026-01-01T00:00:00Z"}}),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, {"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
    ],
    ids=repr,
)
def test_a_restriction_that_is_tightened_narrows_and_one_that_is_loosened_widens(wide, narrow):
    assert both_ways([allow(**wide)], [allow(**narrow)]) == ("none", "some")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"IpAddress": {ADDRESS: "10.0.0.0/8"}}, {"IpAddress": {ADDRESS.lower(): ["10.9.0.0/8"]}}),
        ({"Null": {"aws:TagKeys": "true"}}, {}),
        ({"NotIpAddress": {ADDRESS: "10.0.0.0/8"}}, {"NotIpAddressIfExists": {ADDRESS: "10.0.0.0/8"}}),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, {}),
        ({"DateLessThan": {TIME: "2030-01-01T00:00:00Z"}}, {"DateLessThan": {TIME: "2030-01-01T01:00:00+01:00"}}),
    ],
    ids=repr,
)
def test_what_is_only_written_otherwise_changes_nothing(one, other):
    assert both_ways([allow(**one)], [allow(**other)]) == ("none", "none")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"IpAddress": {ADDRESS: "10.0.0.0/8"}}, {"IpAddress": {ADDRESS: "11.0.0.0/8"}}),
        ({"StringEquals": {NAME: "a"}}, {"StringEquals": {NAME: "b"}}),
        ({"StringLike": {NAME: "${aws:userid}"}}, {"StringLike": {NAME: "*-x"}}),
        ({"ForAllValues:StringEquals": {"aws:CalledVia": "a"}}, {"ForAnyValue:StringEquals": {"aws:CalledVia": "a"}}),
    ],
    ids=repr,
)
def test_what_is_not_proved_to_be_tighter_is_a_change(one, other):
    assert both_ways([allow(**one)], [allow(**other)]) == ("some", "some")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([ANY, deny(**INSIDE)], [ANY, deny(**INSIDE, StringEquals={SUB: "system:serviceaccount:a:x"})]),
        ([ANY, deny(**INSIDE)], [ANY, deny(NotIpAddress={ADDRESS: ["10.0.0.0/8", "11.0.0.0/8"]})]),
        ([ANY, deny(**INSIDE)], [ANY, deny(**INSIDE, StringEquals={NAME: "x"})]),
        ([ANY, deny(**INSIDE)], [ANY]),
        ([ANY, deny(**INSIDE)], [ANY, statement(INSIDE, "Deny", action="sts:TagSession")]),
    ],
)
def test_a_deny_that_stops_less_widens_and_one_that_stops_more_narrows(earlier, later):
    assert both_ways(earlier, later) == ("some", "none")


def of_own_name(operator, effect="Allow"):
    return statement({operator: {SUB: "system:serviceaccount:a:${sts:RoleSessionName}"}}, effect)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([of_own_name("StringLike")], [ANY]),
        ([of_own_name("StringNotEquals")], [statement({})]),
        ([ANY, of_own_name("StringNotLike", "Deny")], [ANY]),
    ],
    ids=["allowed", "not allowed", "denied"],
)
def test_a_subject_compared_with_what_a_request_holds_is_more_than_a_subject(earlier, later):
    assert both_ways(earlier, later) == ("some", "none")
    assert both_ways(earlier, earlier) == ("none", "none")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([allow(), deny(StringEquals={"aws:PrincipalTag/team": "a"})], [allow()]),
        ([allow(), deny(**INSIDE, StringEquals={SUB: "system:serviceaccount:b:x"})], [allow()]),
        ([allow(), statement(INSIDE, "Deny", action="sts:TagSession")], [allow()]),
    ],
    ids=["of nobody", "of others", "of another action"],
)
def test_a_deny_that_stopped_nobody_may_go(earlier, later):
    assert both_ways(earlier, later) == ("none", "none")


def test_whether_a_deny_for_every_aws_principal_stops_tokens_is_contested():
    everybody = statement({}, "Deny", {"AWS": "*"})
    assert both_ways([allow(), everybody], [allow()]) == ("contested", "none")
    assert both_ways([allow(), everybody], [allow(), everybody]) == ("none", "none")


def assume(principal, condition=None, effect="Allow", action="sts:AssumeRole"):
    return statement(condition or {}, effect, principal, action)


EC2 = {"Service": "ec2.amazonaws.com"}
PODS = {"Service": "pods.eks.amazonaws.com"}
ROOT = {"AWS": "arn:aws:iam::444455556666:root"}


def more(earlier, later):
    old, new = (named_principals(policy(*side)) for side in (earlier, later))
    return admit_more(new, old), admit_more(old, new)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([assume(ROOT, {"StringEquals": {"sts:ExternalId": "x"}})], [assume(ROOT)]),
        ([assume(ROOT), assume({"AWS": OTHER}, effect="Deny")], [assume(ROOT)]),
        ([assume(ROOT, action="sts:TagSession")], [assume(ROOT)]),
        ([assume(EC2), assume({"AWS": "*"}, effect="Deny")], [assume(EC2)]),
        ([assume(PODS)], [assume(PODS, action=["sts:AssumeRole", "sts:TagSession"])]),
        ([assume(PODS)], [assume(PODS), assume(PODS, action="sts:TagSession")]),
        (
            [allow()],
            [allow(), assume({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/x"}, action="sts:AssumeRoleWithSAML")],
        ),
        ([assume(ROOT)], [assume({"AWS": "*"})]),
        ([assume(EC2)], [assume({"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]})]),
    ],
)
def test_principals_that_are_no_web_identities_are_compared_by_what_they_may(earlier, later):
    assert more(earlier, later) == (True, False)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([assume(ROOT)], [assume({"AWS": "444455556666"})]),
        ([assume(ROOT)], [assume(ROOT), assume(EC2, action="sts:TagSession")]),
        ([assume({"AWS": [OTHER, ACCOUNT]})], [assume({"AWS": ACCOUNT}), assume({"AWS": OTHER})]),
        ([assume({"AWS": ACCOUNT}), assume({"AWS": OTHER}, effect="Deny")], [assume({"AWS": ACCOUNT})]),
    ],
    ids=["two forms", "tags of sessions that nobody gets", "split", "a deny for nobody who is let in"],
)
def test_the_same_principals_in_other_words_are_the_same(earlier, later):
    assert more(earlier, later) == (False, False)


SUBJECTS = [f"system:serviceaccount:a:{name}" for name in ("x", "xy", "z")]
VALUES = ["a", "ab", "b", "A", "10.0.0.1", "10.1.0.1", "11.0.0.1", "2029-01-01", "2031-01-01", "5", "7", "true", ""]
restrictions = st.dictionaries(
    st.sampled_from(
        [
            *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "IpAddress"),
            *(
                "NotIpAddress",
                "DateLessThan",
                "DateGreaterThanEquals",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "Bool",
                "Null",
            ),
            *("StringEqualsIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotEquals"),
        ]
    ),
    st.dictionaries(
        st.sampled_from([NAME, ADDRESS]),
        st.sampled_from(["a", "a*", "*b", "b", "10.0.0.0/8", "10.1.0.0/16", "2030", "6", "true"]),
        min_size=1,
        max_size=1,
    ),
    min_size=1,
    max_size=2,
)
claims = st.sampled_from([{}, {"StringEquals": {SUB: SUBJECTS[0]}}, {"StringLike": {SUB: SUBJECTS[0] + "*"}}])
blocks = st.tuples(restrictions, claims).map(lambda two: {**two[0], "Bool": {"aws:SecureTransport": "true"}, **two[1]})
drawn = st.builds(statement, st.one_of(blocks, claims), st.sampled_from(["Allow", "Allow", "Deny"]))
policies = st.lists(drawn, min_size=1, max_size=3)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(policies, policies)
def test_no_request_is_admitted_that_was_not_unless_it_is_said(earlier, later):
    old, new = policy(*earlier), policy(*later)
    if old.refused or new.refused or widening(old, new, PROVIDER, EKS) != "none":
        return
    for subject in SUBJECTS:
        for name in VALUES:
            for address in (None, "10.0.0.1", "10.1.0.1", "a"):
                context = {
                    SUB.lower(): (subject,),
                    AUD.lower(): ("sts.amazonaws.com",),
                    "aws:securetransport": ("true",),
                    NAME.lower(): (name,),
                }
                context |= {ADDRESS.lower(): (address,)} if address is not None else {}
                request = Request(ACCOUNT, PROVIDER, context)
                if decide(new, request).outcome == "allow":
                    assert decide(old, request).outcome == "allow", (name, address, subject)


def test_a_restriction_does_not_imply_one_of_another_version():
    use = policy(allow(StringLike={NAME: "a"})).statements[0].conditions[1].use
    assert not Restriction(use, NAME.lower(), ("${x}",), variables=True).implies(Restriction(use, NAME.lower(), ("${x}",)))


def _numbered(word, numbers):
    return [f"{word}-{number}" for number in numbers]


def test_values_are_told_apart_by_what_the_other_policy_asks():
    conditions = {"StringEquals": {NAME: _numbered("s", range(8)), "aws:SourceVpc": _numbered("vpc", range(8))}}
    first = policy(statement(conditions))
    asked = policy(statement({"StringEquals": {NAME: _numbered("s", range(3))}})).statements[0]
    cases = alternatives_of(restrictions_of(first, first.statements[0]), restrictions_of(first, asked))
    names = sorted(sorted(len(restriction.values) for restriction in case) for case in cases)
    assert names == [[3, 8], [5, 8]]


def test_many_values_in_many_statements_are_compared_as_fast_as_few(monkeypatch):
    asked = []

    def implies(one, other):
        asked.append(other)
        return one == other

    monkeypatch.setattr(Restriction, "implies", implies)

    def side(first):
        windows = [range(n, n + 8) for n in range(first, first + 6)]
        kinds = [({}, window, "aws:UserAgent") for window in windows], [(None, window, "aws:Referer") for window in windows]
        for claim, window, key in (*kinds[0], *kinds[1]):
            values = {"StringEquals": {"aws:SourceVpc": _numbered("vpc", window)}, "StringLike": {key: _numbered("u*", window)}}
            yield deny(**values) if claim is None else allow(**values)

    assert both_ways(list(side(0)), list(side(1))) == ("some", "some")
    assert len(asked) < 20_000
