"""Who admits a service account by name is found without analysing the roles that do not write its name."""

import json

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts.roles import alike
from irsa_doctor.facts.roles.role import analyse
from irsa_doctor.model import parse_arn
from irsa_doctor.trust.languages import Finite
from tests.facts.roles.test_alike import MARK, SUB, sound, statements
from tests.facts.situations import role, view
from tests.trust.drawing import examples

WRITTEN = [
    "system:serviceaccount:payments:api",
    "system:serviceaccount:payments:default",
    "system:serviceaccount:Payments:API",
    "SYSTEM:serviceaccount:payments:api",
    "system:serviceaccount:payments:${*}",
    "system:serviceaccount:payments:a${?}i",
    "system:serviceaccount:payments:caf\\u00e9",
    "system:serviceaccount:payments:a\\/pi",
    "system:serviceaccount:payments:*",
    "system:serviceaccount:",
]


def roles_with(policies: list[str]) -> list[dict]:
    return [
        role(Arn=f"arn:aws:iam::111122223333:role/r{n}", RoleName=f"r{n}", AssumeRolePolicyDocument=text)
        for n, text in enumerate(policies)
    ]


def admitted_by_name(seen) -> dict[tuple[str, str], list[str]]:
    """What `trusted_by_name` looks up, from all roles analysed one by one."""
    table: dict[tuple[str, str], list[str]] = {}
    for each in seen.inventory.roles:
        for provider, admits in analyse(each, seen).by_provider.items():
            named = sorted(admits.subjects.values) if isinstance(admits.subjects, Finite) else ()
            for subject in [subject for subject in named if subject.startswith("system:serviceaccount:")]:
                table.setdefault((parse_arn(provider).name, subject), []).append(each.id)
    return table


@examples(300)
@given(st.lists(st.tuples(statements(), st.sampled_from(WRITTEN)), min_size=1, max_size=4))
def test_the_roles_that_admit_a_service_account_by_name_are_those_of_all_that_are_analysed(drawn):
    policies = [json.dumps({"Version": "2012-10-17", "Statement": own}).replace(MARK, subject) for own, subject in drawn]
    seen = view({"roles.json": {"RoleDetailList": roles_with(policies)}})
    every = admitted_by_name(seen)
    looked_up = {key: [role.role.id for role in seen.trusted_by_name.get(key, ())] for key in every}
    assert looked_up == every
    assert set(seen.trusted_by_name) == set(every)


def test_only_the_roles_that_write_the_name_are_analysed(monkeypatch):
    analysed = []

    def noting(known, lookups):
        analysed.append(known.name)
        return analyse(known, lookups)

    monkeypatch.setattr(alike, "analyse", noting)
    policies = [json.dumps(sound(f"app-{n}", Sid=f"S{n}")) for n in range(20)]
    seen = view({"roles.json": {"RoleDetailList": roles_with(policies)}})
    issuer = SUB.removesuffix(":sub")
    assert [each.role.name for each in seen.trusted_by_name.get((issuer, "system:serviceaccount:payments:app-7"), ())] == ["r7"]
    assert analysed == ["r7"]


def test_a_name_that_nobody_admits_has_no_roles():
    seen = view({"roles.json": {"RoleDetailList": roles_with([json.dumps(sound("app"))])}})
    key = (SUB.removesuffix(":sub"), "system:serviceaccount:payments:other")
    assert seen.trusted_by_name.get(key, ()) == ()
    assert key not in seen.trusted_by_name
    assert len(seen.trusted_by_name) == 1
