import pytest

from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.trust import read_policy
from irsa_doctor.trust.callers import RoleCaller, caller_may, names_deleted

SOURCE = "arn:aws:iam::111122223333:role/team/runner"
CALLER = RoleCaller(SOURCE, "ci-1")
ASSUME, TAG = "sts:AssumeRole", "sts:TagSession"


def policy(*statements):
    return read_policy(TrustPolicy({"Version": "2012-10-17", "Statement": list(statements)}, Place("role.json")))


def allow(principal, action=ASSUME, effect="Allow", **conditions):
    condition = {"Condition": conditions} if conditions else {}
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, **condition}


@pytest.mark.parametrize(
    ("principal", "form"),
    [
        (SOURCE, "role"),
        ("arn:aws:iam::111122223333:root", "account"),
        ("111122223333", "account"),
        ("*", "anyone"),
        ("arn:aws:sts::111122223333:assumed-role/runner/ci-1", "session"),
        (["arn:aws:iam::999900001111:root", SOURCE], "role"),
    ],
)
def test_a_principal_names_a_role_in_each_of_its_forms(principal, form):
    answer = caller_may(policy(allow(principal)), ASSUME, CALLER)
    assert (answer.allowed, answer.form) == (True, form)


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::111122223333:role/runner",
        "arn:aws:iam::111122223333:user/runner",
        "arn:aws:sts::111122223333:assumed-role/runner/ci-2",
        "AROAEXAMPLEEXAMPLE001",
    ],
)
def test_another_principal_admits_nobody_else(principal):
    assert caller_may(policy(allow(principal)), ASSUME, CALLER).allowed is False


def test_each_action_needs_its_own_grant():
    assert caller_may(policy(allow(SOURCE)), TAG, CALLER).allowed is False
    assert caller_may(policy(allow(SOURCE, [ASSUME, TAG])), TAG, CALLER).allowed is True


def test_a_condition_on_what_is_not_known_leaves_it_open():
    one = policy(allow(SOURCE, StringEquals={"sts:ExternalId": "x"}))
    assert caller_may(one, ASSUME, CALLER).allowed is None
    assert caller_may(one, ASSUME, RoleCaller(SOURCE, "ci-1", {"sts:externalid": ()})).allowed is False
    assert caller_may(one, ASSUME, RoleCaller(SOURCE, "ci-1", {"sts:externalid": ("x",)})).allowed is True


def test_the_principal_arn_of_the_caller_is_known():
    condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/team/*"}}
    assert caller_may(policy(allow("*", **condition)), ASSUME, CALLER).allowed is True
    condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/other/*"}}
    assert caller_may(policy(allow("*", **condition)), ASSUME, CALLER).allowed is False


def test_a_deny_takes_precedence():
    answer = caller_may(policy(allow(SOURCE), allow("*", effect="Deny")), ASSUME, CALLER)
    assert (answer.allowed, answer.denied) == (False, True)


def test_a_session_without_a_name_is_not_known_to_be_the_one():
    principal = "arn:aws:sts::111122223333:assumed-role/runner/ci-1"
    assert caller_may(policy(allow(principal)), ASSUME, RoleCaller(SOURCE)).allowed is None


def test_a_deleted_role_is_shown_by_its_unique_id():
    assert names_deleted(policy(allow("AROAEXAMPLEEXAMPLE001")))
    assert not names_deleted(policy(allow(SOURCE)))
