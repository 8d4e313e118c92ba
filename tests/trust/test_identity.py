import pytest

from irsa_doctor.model import Hole, Place, Text, TrustPolicy
from irsa_doctor.trust.identity import PermissionRequest, deciding_policies, permission_answer, read_permissions

TARGET = "arn:aws:iam::444455556666:role/team/shared"
ASSUME = PermissionRequest(
    action="sts:AssumeRole",
    resource=TARGET,
    context={"sts:externalid": ("eu-west-1/1/prod/a/x",), "aws:principaltag/team": ("team",), "aws:tagkeys": ("a", "b")},
    present=frozenset({"aws:requesttag/kubernetes-pod-name"}),
)


def statement(resource=TARGET, effect="Allow", action="sts:AssumeRole", **members):
    return {"Effect": effect, "Action": action, "Resource": resource, **members}


def policy(*statements, version="2012-10-17"):
    return read_permissions(TrustPolicy({"Version": version, "Statement": list(statements)}, Place("p")))


def answer(*statements):
    return permission_answer([policy(*statements)], ASSUME)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (TARGET, "allowed"),
        ([TARGET.replace("shared", "other"), TARGET], "allowed"),
        ("*", "allowed"),
        ("arn:aws:iam::*:role/team/*", "allowed"),
        ("arn:aws:iam::444455556666:role/team/share?", "allowed"),
        ("arn:aws:iam::444455556666:*", "allowed"),
        ("arn:aws:iam::444455556666:role/shared", "not-allowed"),
        ("arn:aws:iam::444455556666:role/team/Shared", "not-allowed"),
        ("arn:aws:iam::111122223333:role/*", "not-allowed"),
        ("arn:aws:iam::444455556666:role/${aws:PrincipalTag/team}/shared", "allowed"),
        ("arn:aws:iam::444455556666:role/${aws:PrincipalTag/unit}/shared", None),
        ("arn:aws:iam::444455556666:user/${aws:PrincipalTag/unit}", "not-allowed"),
        ("arn:aws:iam*role/team/shared", "allowed"),
        ("arn:aws:*:444455556666:role/team/shared", None),
        (Text(("arn:aws:iam::444455556666:role/", Hole("${Name}"))), None),
        (Text(("arn:aws:s3:::", Hole("${Name}"))), "not-allowed"),
    ],
)
def test_a_resource_is_compared_by_its_components(resource, expected):
    assert answer(statement(resource)) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("sts:*", "allowed"),
        ("*", "allowed"),
        ("STS:assumerole", "allowed"),
        (["s3:GetObject", "sts:Assume*"], "allowed"),
        ("sts:TagSession", "not-allowed"),
        ("sts:AssumeRoleWithWebIdentity", "not-allowed"),
        ([], "not-allowed"),
    ],
)
def test_actions_have_no_case_and_wildcards(action, expected):
    assert answer(statement(action=action)) == expected


def test_what_is_excluded_is_not_covered_and_all_else_is():
    excluding = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:iam::444455556666:role/admin"}
    assert answer(excluding) == "allowed"
    assert answer({**excluding, "NotResource": TARGET}) == "not-allowed"
    assert answer({**excluding, "NotAction": "sts:*"}) == "not-allowed"
    assert answer({**excluding, "NotResource": "arn:aws:iam::444455556666:role/${aws:userid}/shared"}) is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"sts:ExternalId": "eu-west-1/1/prod/a/x"}}, "allowed"),
        ({"StringEquals": {"sts:ExternalId": "other"}}, "not-allowed"),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, None),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}}, "allowed"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, "not-allowed"),
        ({"Null": {"aws:RequestTag/kubernetes-pod-name": "false"}}, "allowed"),
        ({"NoSuchOperator": {"aws:SourceVpce": "vpce-1"}}, None),
    ],
)
def test_a_condition_on_what_is_not_known_leaves_the_answer_open(condition, expected):
    assert answer(statement(Condition=condition)) == expected


def test_a_deny_of_any_policy_decides_first():
    allow, deny = policy(statement()), policy(statement("*", "Deny"))
    assert permission_answer([allow, deny], ASSUME) == "denied"
    assert deciding_policies([allow, deny], ASSUME) == (1,)
    assert deciding_policies([deny, allow], ASSUME) == (0,)
    assert deciding_policies([policy(statement("arn:aws:s3:::x")), allow], ASSUME) == (1,)


def test_a_deny_that_may_match_leaves_open_what_is_allowed_and_what_is_not():
    maybe = policy(statement("*", "Deny", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}))
    assert permission_answer([policy(statement()), maybe], ASSUME) is None
    assert permission_answer([maybe], ASSUME) is None


def test_nothing_allows_what_no_policy_names():
    assert permission_answer([], ASSUME) == "not-allowed"


def test_a_policy_that_cannot_be_read_may_say_anything_but_another_may_still_deny():
    for document in (None, "text", {"Version": "2012-10-17"}, {"Statement": []}, {"Statement": [5]}):
        unread = read_permissions(TrustPolicy(document, Place("p")))
        assert permission_answer([unread, policy(statement())], ASSUME) is None
        assert permission_answer([unread, policy(statement(effect="Deny"))], ASSUME) == "denied"


def test_one_statement_needs_no_list():
    one = read_permissions(TrustPolicy({"Version": "2012-10-17", "Statement": statement()}, Place("p")))
    assert permission_answer([one], ASSUME) == "allowed"


def test_an_effect_that_a_template_fills_in_is_open():
    assert answer(statement(effect=Text((Hole("${Effect}"),)))) is None


def test_variables_are_text_in_the_older_version():
    own = statement("arn:aws:iam::444455556666:role/${aws:PrincipalTag/team}/shared")
    assert permission_answer([policy(own, version="2008-10-17")], ASSUME) == "not-allowed"
