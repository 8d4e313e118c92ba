"""What is not seen of a Deny statement may take back everything: nothing beside it is open for certain."""

import json

import pytest

from irsa_doctor.answers.check.engine import Evaluation, evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.rulebook.rules import shipped_rules
from tests.sources.worlds import inventory

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
ARN = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
GITHUB = "token.actions.githubusercontent.com"
SUB, AUD, ONE = f"{ISSUER}:sub", f"{ISSUER}:aud", "system:serviceaccount:shop:cart"
ACTION = "sts:AssumeRoleWithWebIdentity"
WHO = "${WHO}"

ALLOWING = [
    {},
    {"StringEquals": {AUD: "sts.amazonaws.com"}},
    {"StringLike": {SUB: "system:serviceaccount:*"}},
    {"StringNotEquals": {SUB: ONE}},
    {"StringEqualsIfExists": {f"{ISSUER}:subject": ONE}},
    {"ForAllValues:StringLike": {SUB: "system:serviceaccount:*"}},
]
CLOSING = [
    {"Condition": {"StringNotEquals": {SUB: WHO}}},
    {"Condition": {"StringNotLike": {SUB: f"system:serviceaccount:{WHO}:*"}}},
    {"Condition": {"StringLike": {SUB: f"system:serviceaccount:{WHO}:*"}}},
    {"Condition": {"StringNotEquals": {SUB: [ONE, WHO]}}},
    {"Condition": {"StringNotEquals": {f"{WHO}:sub": ONE}}},
    {"Condition": {WHO: {SUB: ONE}}},
    {"Condition": {"DateGreaterThan": {"aws:CurrentTime": WHO}}},
    {"Condition": {"NumericGreaterThan": {"aws:EpochTime": WHO}}},
    {"Condition": WHO},
    {"Effect": WHO},
    {"Principal": {"Federated": WHO}},
    {"Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{WHO}"}},
    {"Principal": {"AWS": WHO}},
    {"Principal": {"AWS": "*"}},
    {"Principal": WHO},
    {"Action": WHO},
    {"Action": f"sts:{WHO}"},
    {"Action": None, "NotAction": WHO},
]


def judged(allowing: object, denying: dict, arn: str = ARN) -> Evaluation:
    """What the rules say of a template with an Allow and a Deny statement; the latter is for the same provider, unless it says
    otherwise."""
    own = {"Action": ACTION, "Principal": {"Federated": arn}}
    denial = {name: value for name, value in ({"Effect": "Deny", **own} | denying).items() if value is not None}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **own, "Condition": allowing}, denial]}
    role = {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": {"name": "app"}}
    text = json.dumps(role | {"spec": {"name": "app", "assumeRolePolicyDocument": json.dumps(document)}})
    world = derive(View(inventory({"role.json": text})))
    return evaluate(shipped_rules(), world, lambda place, name: (1, 1, 1, 1, place.pointer, 0))


def grave(evaluation: Evaluation) -> set[str]:
    """The rules with findings that are high or critical."""
    return {finding.rule for finding in evaluation.findings if finding.severity in ("high", "critical")}


def opening(evaluation: Evaluation) -> set[str]:
    """The rules of open roles that could not decide."""
    return {rule for missing in evaluation.unknown for rule in missing.rules if rule.startswith(("open-", "reach-"))}


@pytest.mark.parametrize("denying", CLOSING, ids=json.dumps)
def test_a_deny_that_is_not_seen_whole_leaves_open_whether_a_role_is(denying):
    for allowing in ALLOWING:
        evaluation = judged(allowing, denying)
        assert not grave(evaluation), allowing
        assert {"open-no-sub", "open-aud-only", "open-sub-star"} <= opening(evaluation), allowing


@pytest.mark.parametrize(
    "denying", [{"Condition": {"StringNotLike": {f"{GITHUB}:sub": WHO}}}, {"Condition": WHO}, {"Action": WHO}]
)
def test_the_same_holds_of_issuers_that_are_no_clusters(denying):
    arn = f"arn:aws:iam::111122223333:oidc-provider/{GITHUB}"
    for pattern in ("*", "repo:*", "repo:acme/*"):
        allowing = {"StringLike": {f"{GITHUB}:sub": pattern}, "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}
        assert grave(judged(allowing, {"Action": "sts:AssumeRole"}, arn)), pattern
        assert not grave(judged(allowing, denying, arn)), pattern


@pytest.mark.parametrize(
    "denying",
    [
        {"Condition": {"StringEquals": {SUB: WHO}}},
        {"Condition": {"StringEquals": {SUB: f"system:serviceaccount:{WHO}:cart"}}},
        {"Condition": {"StringLike": {SUB: "system:serviceaccount:shop:*"}, "StringEquals": {AUD: WHO}}},
        {"Principal": {"Federated": f"arn:aws:iam::{WHO}:oidc-provider/{GITHUB}"}},
        {"Action": f"ec2:{WHO}"},
    ],
    ids=json.dumps,
)
def test_a_deny_that_takes_a_few_whatever_it_holds_leaves_a_role_open(denying):
    assert grave(judged({"StringEquals": {AUD: "sts.amazonaws.com"}}, denying)) == {"open-aud-only"}
    assert grave(judged({}, denying)) == {"open-no-sub"}


@pytest.mark.parametrize(
    "denying", [{"Principal": None, "NotPrincipal": {"Federated": WHO}}, {"Principal": "*"}, {"Principal": {"User": WHO}}]
)
def test_beside_a_deny_that_iam_refuses_nobody_gets_in(denying):
    assert grave(judged({}, denying)) == {"policy-refused"}
