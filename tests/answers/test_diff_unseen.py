"""What differs only in what is known later, in tags of sessions, in the version, or in how values are written."""

import json

import pytest

from irsa_doctor.answers.diff import compare
from irsa_doctor.facts import View
from irsa_doctor.sources import load
from tests.answers.test_diff import changes
from tests.cli.running import ACCOUNT, ISSUER, PROVIDER

AUD = "sts.amazonaws.com"
OWN = {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:x", f"{ISSUER}:aud": AUD}}
TAG = "sts:TagSession"


def statement(conditions=OWN, effect="Allow", principal=PROVIDER, actions="sts:AssumeRoleWithWebIdentity"):
    return {"Effect": effect, "Principal": {"Federated": principal}, "Action": actions, "Condition": conditions}


def partner(*external, effect="Allow", actions="sts:AssumeRole"):
    condition = {"StringEquals": {"sts:ExternalId": list(external)}} if external else {}
    principal = {"AWS": "arn:aws:iam::444455556666:root"}
    return {"Effect": effect, "Principal": principal, "Action": actions, "Condition": condition}


def policy(*statements, version="2012-10-17"):
    return {"Version": version, "Statement": list(statements)}


def kinds(old, new):
    return {row.change for row in changes(old, new)}


def from_addresses(*blocks, effect="Allow"):
    return statement({**OWN, "IpAddress": {"aws:SourceIp": list(blocks)}}, effect)


ONE, TWO = "10.0.0.0/8", "192.168.0.0/16"
WHOLE_AND_SPLIT = [
    (policy(from_addresses(ONE, TWO)), policy(from_addresses(ONE), from_addresses(TWO))),
    (policy(partner("a", "b")), policy(partner("a"), partner("b"))),
    (
        policy(statement(), from_addresses(ONE, TWO, effect="Deny")),
        policy(statement(), from_addresses(ONE, effect="Deny"), from_addresses(TWO, effect="Deny")),
    ),
    (
        policy(partner(), partner("a", "b", effect="Deny")),
        policy(partner(), partner("a", effect="Deny"), partner("b", effect="Deny")),
    ),
]


@pytest.mark.parametrize(("whole", "split"), WHOLE_AND_SPLIT)
def test_values_of_one_list_may_stand_in_statements_of_their_own(whole, split):
    assert kinds(whole, split) == kinds(split, whole) == {"same"}


def test_one_of_the_statements_with_the_values_of_a_list_is_less():
    whole, half = policy(from_addresses(ONE, TWO)), policy(from_addresses(ONE))
    assert (kinds(whole, half), kinds(half, whole)) == ({"narrowed"}, {"widened"})
    denied, less = (policy(partner(), partner(*values, effect="Deny")) for values in ("ab", "a"))
    assert (kinds(denied, less), kinds(less, denied)) == ({"widened"}, {"narrowed"})


@pytest.mark.parametrize("issuer", ["agent.buildkite.com", "idp.example.com/realms/staff", "acme.okta.com"])
def test_sessions_with_tags_need_their_action_where_tokens_may_carry_tags(issuer):
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    conditions = {"StringEquals": {f"{issuer}:sub": "s", f"{issuer}:aud": AUD}}
    plain = statement(conditions, principal=provider)
    tagged = statement(conditions, principal=provider, actions=["sts:AssumeRoleWithWebIdentity", TAG])
    alone = statement(conditions, principal=provider, actions=TAG)
    assert kinds(policy(plain), policy(tagged)) == kinds(policy(plain), policy(plain, alone)) == {"widened"}
    assert kinds(policy(tagged), policy(plain)) == {"narrowed"}
    assert kinds(policy(tagged), policy(plain, alone)) == {"same"}
    elsewhere = statement({"StringEquals": {f"{issuer}:sub": "other"}}, principal=provider, actions=TAG)
    assert kinds(policy(plain), policy(plain, elsewhere)) == {"same"}
    limited = {"StringEquals": {**conditions["StringEquals"], "aws:RequestTag/team": "a"}}
    denial = statement(limited, effect="Deny", principal=provider)
    assert kinds(policy(tagged, denial), policy(tagged)) == {"widened"}


def test_tokens_of_a_cluster_have_no_sessions_with_tags():
    assert kinds(policy(statement()), policy(statement(actions=["sts:AssumeRoleWithWebIdentity", TAG]))) == {"same"}


def test_a_denial_means_what_the_version_of_its_own_policy_says():
    # with variables the subject of x is spared, without them nobody is
    subject = {f"{ISSUER}:sub": "system:serviceaccount:a:${aws:username, 'x'}"}
    denial = statement({"StringNotLike": subject, "IpAddress": {"aws:SourceIp": ONE}}, "Deny")
    old, new = policy(statement(), denial, version="2008-10-17"), policy(statement(), denial)
    assert (kinds(old, new), kinds(new, old)) == ({"widened"}, {"narrowed"})


def planned(*statements):
    """The view of a CloudFormation template with a role, in which {"Ref": ...} is a hole."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "app", "AssumeRolePolicyDocument": policy(*statements)}}
    parameters = {name: {"Type": "String"} for name in ("Some", "More")}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": {"Role": role}}
    return View(load((), memory={"template.json": json.dumps(template).encode()}).inventory)


def planned_kinds(old, new):
    def key(analysed):
        return analysed.role.id

    return [row.change for row in compare(planned(*old), planned(*new), key, key) if not row.provider]


SOME, MORE = {"Ref": "Some"}, {"Ref": "More"}


@pytest.mark.parametrize(
    "hidden",
    [
        partner() | {"Effect": SOME},
        partner() | {"Effect": "Deny", "Action": SOME},
        partner() | {"Effect": "Deny", "Condition": SOME},
        SOME,
    ],
)
def test_a_statement_about_others_that_is_not_seen_whole_is_no_same(hidden):
    assert planned_kinds([statement(), partner()], [statement(), partner(), hidden]) == ["unknown"]
    assert planned_kinds([statement(), partner(), hidden], [statement(), partner()]) in (["unknown"], ["widened"])
    assert planned_kinds([statement(), partner(), hidden], [statement(), hidden, partner()]) == []


def test_what_has_another_name_is_not_the_same():
    old, new = (partner() | {"Condition": {"StringEquals": {"sts:ExternalId": name}}} for name in (SOME, MORE))
    assert planned_kinds([statement(), old], [statement(), new]) == ["changed"]
    old, new = (partner() | {"Effect": name} for name in (SOME, MORE))
    assert planned_kinds([statement(), old], [statement(), new]) == ["unknown"]
