import pytest

from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.trust import read_policy
from irsa_doctor.trust.services import RoleCall, denies, may_assume

SOURCE = "arn:aws:iam::111122223333:role/team/runner"
CALLER = RoleCall(SOURCE, session="ci-1")
ASSUME, TAG = "sts:AssumeRole", "sts:TagSession"


def policy(*statements):
    return read_policy(TrustPolicy({"Version": "2012-10-17", "Statement": list(statements)}, Place("role.json")))


def allow(principal, action=ASSUME, effect="Allow", **conditions):
    condition = {"Condition": conditions} if conditions else {}
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, **condition}


@pytest.mark.parametrize(
    "principal",
    [
        SOURCE,
        "arn:aws:iam::111122223333:root",
        "111122223333",
        "*",
        "arn:aws:sts::111122223333:assumed-role/runner/ci-1",
        ["arn:aws:iam::999900001111:root", SOURCE],
    ],
)
def test_a_principal_names_a_role_in_each_of_its_forms(principal):
    assert may_assume(policy(allow(principal)), ASSUME, CALLER) is True


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
    assert may_assume(policy(allow(principal)), ASSUME, CALLER) is False


def test_each_action_needs_its_own_grant():
    assert may_assume(policy(allow(SOURCE)), TAG, CALLER) is False
    assert may_assume(policy(allow(SOURCE, [ASSUME, TAG])), TAG, CALLER) is True


def test_a_condition_on_what_is_not_known_leaves_it_open():
    one = policy(allow(SOURCE, StringEquals={"sts:ExternalId": "x"}))
    assert may_assume(one, ASSUME, CALLER) is None
    assert may_assume(one, ASSUME, RoleCall(SOURCE, {"sts:externalid": ()})) is False
    assert may_assume(one, ASSUME, RoleCall(SOURCE, {"sts:externalid": ("x",)})) is True


def test_the_principal_arn_of_the_caller_is_known():
    condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/team/*"}}
    assert may_assume(policy(allow("*", **condition)), ASSUME, CALLER) is True
    condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/other/*"}}
    assert may_assume(policy(allow("*", **condition)), ASSUME, CALLER) is False


def test_a_deny_takes_precedence():
    both = policy(allow(SOURCE), allow("*", effect="Deny"))
    assert may_assume(both, ASSUME, CALLER) is False
    assert denies(both, ASSUME, CALLER)
    assert not denies(policy(allow(SOURCE)), ASSUME, CALLER)


def test_a_session_without_a_name_is_not_known_to_be_the_one():
    principal = "arn:aws:sts::111122223333:assumed-role/runner/ci-1"
    assert may_assume(policy(allow(principal)), ASSUME, RoleCall(SOURCE)) is None
