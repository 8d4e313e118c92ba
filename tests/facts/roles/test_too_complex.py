"""Policies that would take too long are unknown and said to be, and never pass."""

import json

import pytest

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.model import Unknown
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.sources import load

HOST = "oidc.eks.eu-west-1.amazonaws.com/id"
OPEN = {"StringLike": {f"{HOST}/{'0' * 32}:sub": "*"}}


def issuer(number: int) -> str:
    return f"{HOST}/{number:032X}"


def statement(numbers, condition, effect="Allow"):
    providers = [f"arn:aws:iam::111122223333:oidc-provider/{issuer(n)}" for n in numbers]
    principal = {"Federated": providers}
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}


def judged(*policies):
    roles = [
        {
            "RoleName": f"r{n}",
            "Arn": f"arn:aws:iam::111122223333:role/r{n}",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
        }
        for n, statements in enumerate(policies)
    ]
    view = View(load(["roles.json"], memory={"roles.json": json.dumps({"Roles": roles}).encode()}).inventory)
    outcome = evaluate(shipped_rules(), derive(view), lambda place, key: (1, 1, 1, 2, "", 0), work=view.work)
    grants = [item for role in view.roles for item in role.grants]
    return grants, {(finding.rule, finding.subject.id.rpartition("/")[2]): finding.severity for finding in outcome.findings}


def likes(n, patterns):
    return {"StringLike": {f"{issuer(n)}:sub": patterns}}


def hard(n, more=0):
    return [statement([n], likes(n, [f"*{letter}{'?' * (20 + more)}" for letter in "abc"]))]


def test_a_policy_that_is_too_complex_is_unknown_and_not_called_open():
    grants, findings = judged(hard(1), [statement([2], likes(2, "*"))])
    facts = grants[0].facts
    assert facts.too_complex is True
    assert isinstance(facts.scope, Unknown)
    assert isinstance(facts.reach_by, Unknown)
    assert findings["policy-too-complex", "r0#0"] == "medium"
    assert ("open-sub-star", "r0#0") not in findings
    assert findings["open-sub-star", "r1#0"] == "critical"
    assert ("policy-too-complex", "r1#0") not in findings


def test_each_of_many_hard_policies_says_so_and_an_open_one_behind_them_is_seen():
    grants, findings = judged(*(hard(n, n) for n in range(1, 40)), [statement([50], likes(50, "*"))])
    assert all(grant.facts.too_complex for grant in grants[:-1])
    assert [rule for rule, _ in findings].count("policy-too-complex") == 39
    assert findings["open-sub-star", "r39#0"] == "critical"


def test_principals_times_conditions_are_counted_and_the_statement_is_named():
    condition = {"StringLike": {f"{issuer(n)}:sub": f"*{n}*" for n in range(400)}}
    grants, findings = judged([statement(range(400), condition), statement([401], likes(401, "*"))])
    assert len(grants) < 100
    assert grants[-1].facts.too_complex is True
    assert {("policy-too-complex", "r0#0"), ("policy-too-complex", "r0#1")} <= set(findings)


def test_a_role_that_was_not_looked_at_for_a_provider_may_admit_anybody():
    condition = {"StringLike": {f"{issuer(n)}:sub": f"*{n}*" for n in range(400)}}
    document = {"Version": "2012-10-17", "Statement": [statement(range(400), condition)]}
    role = {"Role": {"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r", "AssumeRolePolicyDocument": document}}
    view = View(load(["r.json"], memory={"r.json": json.dumps(role).encode()}).inventory)
    admits = view.roles[0].by_provider[f"arn:aws:iam::111122223333:oidc-provider/{issuer(399)}"]
    assert admits.too_complex
    assert admits.verdict("system:serviceaccount:a:b", "sts.amazonaws.com").name == "UNKNOWN"


@pytest.mark.parametrize(
    "statements",
    [
        [statement(range(3000), {"StringLike": {f"{issuer(1)}:sub": "*"}})],
        [statement([n], likes(n, "system:serviceaccount:a:*")) for n in range(3000)],
        [statement([1], likes(1, [f"system:serviceaccount:a:b{n}" for n in range(30_000)]))],
    ],
    ids=["principals", "statements", "values"],
)
def test_what_is_only_long_is_judged_whole(statements):
    grants, _ = judged(statements)
    assert not any(grant.facts.too_complex for grant in grants)
