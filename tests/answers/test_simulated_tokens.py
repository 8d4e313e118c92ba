"""`simulate --sub`: a token of which not every key of the request is given."""

import json

import pytest

from tests.answers.test_simulate import ACCOUNT, API, NAME, PROVIDER, REQUEST, ask, run, with_condition


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:ResourceAccount": ACCOUNT}},
        {"StringEquals": {"aws:userid": PROVIDER, "aws:PrincipalType": "User"}},
        {"Null": {"sts:RoleAuthorizedByIdp": "false"}},
        {"Null": {"sts:RoleSessionName": "false", "aws:CurrentTime": "false"}},
    ],
)
def test_keys_that_every_request_has_need_not_be_given_where_their_value_decides_nothing(condition):
    policy = json.dumps(with_condition(condition)).encode()
    assert ask(policy).returncode == 0
    row = json.dumps({"id": "a", "policy": json.loads(policy), "request": REQUEST}).encode()
    assert json.loads(run("--vectors", "-", stdin=row).stdout)["decision"] == "implicit_deny"


def test_a_key_that_is_given_takes_the_place_of_what_is_known():
    policy = json.dumps(with_condition({"Bool": {"aws:SecureTransport": "false"}})).encode()
    assert (ask(policy).returncode, ask(policy, "--context", "aws:securetransport=false").returncode) == (1, 0)


def test_a_decision_names_the_keys_that_were_not_given_and_decide_it():
    condition = {"StringEquals": {f"{NAME}:sub": API}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    policy = json.dumps(with_condition(condition)).encode()
    assert json.loads(ask(policy).stdout)["depends_on"] == ["aws:SourceIp"]
    assert b"depends on aws:SourceIp" in ask(policy, "-f", "text").stdout
    for flags in (("--context", "aws:sourceip=10.0.0.1"), ("--context", "aws:SourceIp=11.0.0.1"), ("--sub", "other")):
        assert "depends_on" not in json.loads(ask(policy, *flags).stdout)
