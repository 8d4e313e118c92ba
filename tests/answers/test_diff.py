import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsa_doctor.answers.diff import RoleChange, compare
from irsa_doctor.facts import View
from irsa_doctor.model import Place
from irsa_doctor.sources import load
from irsa_doctor.sources import read_policy_text as read_text
from irsa_doctor.trust import Request, decide, read_policy
from tests.cli.running import ACCOUNT, ISSUER, PROVIDER, RIGHT, ROLE, role, trust

SUBJECTS = [f"system:serviceaccount:{namespace}:{name}" for namespace in ("a", "ab", "b") for name in ("x", "xy", "default")]
AUDIENCES = ["sts.amazonaws.com", "vault"]
PATTERNS = [
    *SUBJECTS,
    "system:serviceaccount:a:*",
    "system:serviceaccount:a*",
    "*:x",
    "system:serviceaccount:?:x*",
    "*",
    "no-such",
]

conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "StringLike", "StringNotLike", "ForAllValues:StringLike", "StringEqualsIfExists"]),
    st.dictionaries(
        st.sampled_from([f"{ISSUER}:sub", f"{ISSUER}:aud", "other.example.com:sub"]),
        st.lists(st.sampled_from([*PATTERNS, *AUDIENCES]), min_size=1, max_size=2),
        min_size=1,
        max_size=2,
    ),
    max_size=2,
)
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
        "Principal": st.just({"Federated": PROVIDER}),
        "Action": st.just("sts:AssumeRoleWithWebIdentity"),
        "Condition": conditions,
    }
)
policies = st.fixed_dictionaries({"Version": st.just("2012-10-17"), "Statement": st.lists(statements, min_size=1, max_size=3)})


def view(policy, arn=ROLE) -> View:
    return View(load((), memory={"role.json": msgspec.json.encode(role(policy, arn))}).inventory)


def changes(old, new) -> list[RoleChange]:
    def key(analysed):
        return analysed.role.id

    return list(compare(view(old), view(new), key, key))


def change(old, new) -> RoleChange:
    rows = changes(old, new)
    assert len(rows) == 1
    return rows[0]


def admits(policy, subject, audience) -> bool:
    request = Request(ACCOUNT, PROVIDER, {f"{ISSUER}:sub".lower(): (subject,), f"{ISSUER}:aud".lower(): (audience,)})
    return decide(read_policy(read_text(msgspec.json.encode(policy), Place("-"))), request).outcome == "allow"


def matches(patterns, without, subject) -> bool:
    from fnmatch import fnmatchcase

    return any(fnmatchcase(subject, p) for p in patterns) and not any(fnmatchcase(subject, p) for p in without)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(policies, policies)
def test_what_is_gained_and_lost_is_what_single_decisions_say(old, new):
    rows = [row for row in changes(old, new) if row.provider]
    for row in rows:
        gained = {s for s in SUBJECTS if any(admits(new, s, a) and not admits(old, s, a) for a in AUDIENCES)}
        lost = {s for s in SUBJECTS if any(admits(old, s, a) and not admits(new, s, a) for a in AUDIENCES)}
        if gained:
            assert row.change in ("widened", "changed")
            assert row.gained.patterns
        if lost:
            assert row.change in ("narrowed", "changed")
            assert row.lost.patterns
        if row.gained.witness and not row.gained.without:
            assert matches(row.gained.patterns, (), row.gained.witness)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(policies, policies)
def test_the_other_way_round_gained_and_lost_change_places(old, new):
    mirrored = {"widened": "narrowed", "narrowed": "widened"}
    there, back = changes(old, new), changes(new, old)
    assert [mirrored.get(row.change, row.change) for row in there] == [row.change for row in back]
    assert [(row.gained.patterns, row.lost.patterns) for row in there] == [
        (row.lost.patterns, row.gained.patterns) for row in back
    ]
    assert [row.audiences.gained for row in there] == [row.audiences.lost for row in back]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(policies)
def test_nothing_is_different_from_itself(policy):
    assert {row.change for row in changes(policy, policy)} == {"same"}


def test_a_condition_that_is_dropped_widens_and_one_that_is_added_narrows():
    tight = trust("system:serviceaccount:a:x")
    tight["Statement"][0]["Condition"]["IpAddress"] = {"aws:SourceIp": "198.51.100.0/24"}
    loose = trust("system:serviceaccount:a:x")
    found = change(tight, loose)
    assert (found.change, found.conditions.lost) == ("widened", ("IpAddress aws:SourceIp 198.51.100.0/24",))
    assert change(loose, tight).change == "narrowed"


def test_a_new_statement_with_a_condition_of_its_own_widens_only():
    old, new = trust("system:serviceaccount:a:x"), trust("system:serviceaccount:a:x")
    more = trust("system:serviceaccount:b:x")["Statement"][0]
    more["Condition"]["IpAddress"] = {"aws:SourceIp": "198.51.100.0/24"}
    new["Statement"].append(more)
    found = change(old, new)
    assert (found.change, found.gained.patterns) == ("widened", ("system:serviceaccount:b:x",))


def test_the_same_trust_in_other_words_is_the_same():
    two = trust("system:serviceaccount:a:x", "system:serviceaccount:a:xy")
    apart = trust("system:serviceaccount:a:x")
    apart["Statement"] += trust("system:serviceaccount:a:xy")["Statement"]
    assert change(two, apart).change == "same"


def test_another_principal_is_a_gain():
    new = trust("system:serviceaccount:a:x")
    new["Statement"].append({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    rows = changes(trust("system:serviceaccount:a:x"), new)
    assert [(row.change, row.others.gained) for row in rows] == [("same", ()), ("widened", ("Service ec2.amazonaws.com",))]


def test_a_role_that_comes_under_another_name_says_so():
    def key(analysed):
        return analysed.role.id

    found = compare(view(RIGHT), view(RIGHT, ROLE + "-2"), key, key)
    assert [(row.change, row.maybe_renamed_from) for row in found] == [("removed", None), ("added", ROLE)]


@pytest.mark.parametrize("side", [0, 1])
def test_a_policy_that_iam_refuses_cannot_be_compared(side):
    broken = {"Version": "2012-10-17", "Statement": {"Effect": "Maybe"}}
    pair = (RIGHT, broken) if side else (broken, RIGHT)
    found = change(*pair)
    assert found.change == "unknown"
    assert found.because


INSIDE = {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}


def with_deny(**condition):
    policy = trust("system:serviceaccount:a:x", "system:serviceaccount:a:y")
    allow = policy["Statement"][0]
    policy["Statement"].append({**allow, "Effect": "Deny", "Condition": condition})
    return policy


def test_a_deny_that_stops_fewer_is_named_with_all_that_it_requires():
    sub = f"{ISSUER}:sub"
    found = change(with_deny(**INSIDE), with_deny(**INSIDE, StringEquals={sub: "system:serviceaccount:a:x"}))
    assert found.change == "widened"
    assert found.conditions.lost == ("Deny where NotIpAddress aws:SourceIp 10.0.0.0/8",)
    assert found.conditions.gained == (
        f"Deny where NotIpAddress aws:SourceIp 10.0.0.0/8 and StringEquals {sub} system:serviceaccount:a:x",
    )


def test_a_deny_of_another_principal_that_goes_is_a_gain():
    old = trust("system:serviceaccount:a:x")
    root = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}
    old["Statement"].append(root)
    new = msgspec.json.decode(msgspec.json.encode(old))
    old["Statement"].append({**root, "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::444455556666:role/x"}})
    assert [(row.change, row.others.lost) for row in changes(old, new)][1:] == [
        ("widened", ("Deny AWS arn:aws:iam::444455556666:role/x",))
    ]


def test_a_role_that_could_not_be_compared_for_an_error_of_ours_is_no_pass(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("irsa_doctor.answers.diff.widening", broken)
    found = change(RIGHT, trust("system:serviceaccount:a:x"))
    assert (found.change, found.judged, found.opens) == ("unknown", False, True)
