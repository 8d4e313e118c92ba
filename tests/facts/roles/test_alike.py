"""Roles that differ in their service account alone are analysed as if each was the only one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.roles import alike
from irsa_doctor.facts.roles.role import analyse
from irsa_doctor.trust.policy import DEFAULT_QUOTA
from tests.facts.situations import ISSUER, provider_arn, role, view
from tests.trust.drawing import examples

SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
MARK = "THE-SUBJECT"
OTHER = "system:serviceaccount:payments:a"
subjects = st.sampled_from(
    [
        "system:serviceaccount:payments:api",
        OTHER,
        "system:serviceaccount:payments:default",
        "system:serviceaccount:p:a.b",
        "system:serviceaccount:payments:*",
        "system:serviceaccount:payments",
        "system:serviceaccount:payments:API",
        "sts.amazonaws.com",
    ]
)
operators = st.sampled_from(
    [
        "ForAllValues:StringEquals",
        "StringEqualsIgnoreCase",
        "Null",
        "StringEquals",
        "StringLike",
        "StringEqualsIfExists",
        "StringNotEquals",
        "ArnLike",
    ]
)
subject_values = st.sampled_from([MARK, [MARK], [MARK, OTHER], [OTHER, MARK, "system:serviceaccount:x:y"], [MARK, MARK], "*"])
audience_values = st.sampled_from(["sts.amazonaws.com", ["sts.amazonaws.com"], "other", MARK])


@st.composite
def statements(draw) -> list[dict]:
    conditions: dict[str, dict] = {draw(operators): {SUB: draw(subject_values)}}
    conditions.setdefault(draw(operators), {})[AUD] = draw(audience_values)
    own = {
        "Effect": "Allow",
        "Principal": {"Federated": draw(st.sampled_from([provider_arn(), [provider_arn()], "https://" + ISSUER]))},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
    }
    others = [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/x"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"},
        {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Condition": {"StringEquals": {SUB: MARK}}},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"StringNotEquals": {SUB: [MARK, OTHER]}}},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"StringLike": {SUB: f"{OTHER}*"}}},
        {"Sid": "Long", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole"] * 90},
        own,
    ]
    more = draw(st.lists(st.sampled_from(others), max_size=2))
    return draw(st.permutations([own, *more]))


def looks(analysed: AnalysedRole) -> tuple[object, ...]:
    """All that is worked out of a role."""
    grants = [(judged.kind, judged.id, judged.facts, judged.case, judged.certain) for judged in analysed.grants]
    evidence = [[dict(judged.evidence().places), spoken(judged)] for judged in (*analysed.grants, analysed.judged)]
    rest = (analysed.policy, analysed.judged.facts, analysed.by_provider, analysed.blocked, analysed.blocked_issuers)
    return grants, evidence, rest


def spoken(judged) -> dict[str, object]:
    names = judged.evidence().names
    return {name: text if isinstance(text, str) else text() for name, text in names.items()}


def view_of_roles(policies):
    """An account with a role for each policy, a document or its text."""
    roles = [
        role(Arn=f"arn:aws:iam::111122223333:role/r{n}", RoleName=f"r{n}", AssumeRolePolicyDocument=policy)
        for n, policy in enumerate(policies)
    ]
    return view({"roles.json": {"RoleDetailList": roles}})


def naming(drawn, subjects: list[str]) -> list[str]:
    """The texts of a policy that names each of the subjects; only of texts is it known that they are plain."""
    text = json.dumps({"Version": "2012-10-17", "Statement": drawn})
    return [text.replace(MARK, subject) for subject in subjects]


@examples(300)
@given(statements(), st.lists(subjects, min_size=2, max_size=4))
def test_a_role_like_another_is_analysed_as_if_it_was_alone(drawn, named):
    seen = view_of_roles(naming(drawn, named))
    assert all(each.policy.plain for each in seen.inventory.roles)
    assert [looks(analysed) for analysed in seen.roles] == [looks(analyse(each, seen)) for each in seen.inventory.roles]


def analysed_in_full(monkeypatch, documents: list[dict]) -> int:
    """How many of the roles with these policies were analysed in full."""
    count = 0

    def counting(*args):
        nonlocal count
        count += 1
        return analyse(*args)

    monkeypatch.setattr(alike, "analyse", counting)
    assert len(list(view_of_roles(documents).roles)) == len(documents)
    return count


def sound(name: str, **more: object) -> dict:
    conditions = {"StringEquals": {SUB: f"system:serviceaccount:payments:{name}", AUD: "sts.amazonaws.com"}}
    principal = {"Federated": provider_arn()}
    action = "sts:AssumeRoleWithWebIdentity"
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": conditions, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_of_many_roles_that_are_alike_one_is_analysed_in_full(monkeypatch):
    assert analysed_in_full(monkeypatch, [sound(f"app-{n}") for n in range(50)]) == 1


def open_to_all(name: str) -> dict:
    """A policy without a subject, which is the same for every role."""
    document = sound(name)
    del document["Statement"][0]["Condition"]["StringEquals"][SUB]
    return document


def shut(name: str) -> dict:
    """A policy that asks for two service accounts at once."""
    document = sound(name)
    document["Statement"][0]["Condition"]["StringLike"] = {SUB: f"system:serviceaccount:payments:{name}-2"}
    return document


@pytest.mark.parametrize("policy", [open_to_all, shut])
def test_of_many_roles_with_the_same_defect_one_is_analysed_in_full(monkeypatch, policy):
    assert analysed_in_full(monkeypatch, [policy(f"app-{n}") for n in range(200)]) == 1


def test_a_policy_that_compares_service_accounts_with_a_pattern_is_analysed_by_itself(monkeypatch):
    documents = [sound(f"app-{n}") for n in range(3)]
    for document in documents:
        denial: dict[str, object] = {"Effect": "Deny", "Principal": "*", "Action": "*"}
        denial["Condition"] = {"StringLike": {SUB: "system:serviceaccount:payments:app-1*"}}
        document["Statement"].append(denial)
    assert analysed_in_full(monkeypatch, documents) == 3


def test_a_role_whose_policy_is_nearly_too_long_is_analysed_by_itself(monkeypatch):
    short, long = sound("a"), sound("a" * (DEFAULT_QUOTA - len(json.dumps(sound("a")))))
    assert analysed_in_full(monkeypatch, [short, long]) == 2


@examples(100)
@given(statements(), st.lists(subjects, min_size=2, max_size=4))
def test_a_role_admits_a_subject_where_its_model_admits_the_one_in_its_place(drawn, named):
    seen = view_of_roles(naming(drawn, named))
    for analysed in seen.roles:
        for subject in (*named, OTHER):
            modelled, _, its_subject = analysed.modelled(ISSUER, subject)
            assert bool(modelled.policy.refused) == bool(analysed.policy.refused)
            assert modelled.by_provider.keys() == analysed.by_provider.keys()
            for provider, admits in analysed.by_provider.items():
                for audience in ("sts.amazonaws.com", "other", its_subject):
                    own = subject if audience == its_subject else audience
                    assert modelled.by_provider[provider].admits(its_subject, audience) == admits.admits(subject, own)
