import pytest

from irsa_doctor.model import Hole, Place, Text, TrustPolicy
from irsa_doctor.trust import read_policy
from irsa_doctor.trust.services import ServiceCall, may_assume, trusts_service

PODS = "pods.eks.amazonaws.com"
NAMESPACE = "aws:RequestTag/kubernetes-namespace"
CALL = ServiceCall(PODS, {"aws:requesttag/kubernetes-namespace": ("prod",), "aws:sourceaccount": ("111122223333",)})


def statement(effect="Allow", principal=PODS, action=("sts:AssumeRole", "sts:TagSession"), **condition):
    made = {"Effect": effect, "Principal": {"Service": principal}, "Action": list(action)}
    return {**made, "Condition": condition} if condition else made


def policy(*statements):
    return read_policy(TrustPolicy({"Version": "2012-10-17", "Statement": list(statements)}, Place("p")))


EVERYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([statement()], True),
        ([statement(principal=["ec2.amazonaws.com", PODS])], True),
        ([statement(principal="ec2.amazonaws.com")], False),
        ([statement(action=["sts:TagSession"])], False),
        ([statement(action=["sts:*"])], True),
        ([statement(StringEquals={NAMESPACE: "prod"})], True),
        ([statement(StringEquals={NAMESPACE: "dev"})], False),
        ([statement(StringEquals={"aws:SourceAccount": "111122223333"})], True),
        ([statement(StringEquals={"sts:ExternalId": "x"})], False),
        ([statement(ArnLike={"aws:SourceArn": "arn:aws:eks:*:*:cluster/*"})], None),
        ([statement(ArnLike={"aws:SourceArn": "arn:x"}), statement()], True),
        ([statement(), statement("Deny", StringNotEquals={NAMESPACE: "dev"})], False),
        ([statement(), statement("Deny", StringNotEquals={NAMESPACE: "prod"})], True),
        ([statement(), statement("Deny", Bool={"aws:MultiFactorAuthPresent": "x"})], None),
        ([EVERYBODY], None),
        ([statement(principal=Text((Hole("${Service}"),)))], None),
    ],
)
def test_a_may_assume_assume_a_role_or_may_not_or_it_hangs_on_what_is_not_known(statements, expected):
    assert may_assume(policy(*statements), "sts:AssumeRole", CALL) is expected


def test_passing_tags_is_an_action_of_its_own():
    only = policy(statement(action=["sts:AssumeRole"]))
    assert may_assume(only, "sts:AssumeRole", CALL) is True
    assert may_assume(only, "sts:TagSession", CALL) is False


def test_what_a_service_is_trusted_with_is_asked_without_conditions():
    guarded = policy(statement(StringEquals={NAMESPACE: "dev"}))
    assert trusts_service(guarded, PODS, "sts:AssumeRole")
    assert not trusts_service(guarded, "ec2.amazonaws.com", "sts:AssumeRole")
    assert not trusts_service(policy(statement("Deny")), PODS, "sts:AssumeRole")


UNKNOWN = Text((Hole("${dynamic statement}"),))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([UNKNOWN], None),
        ([UNKNOWN, statement(principal="ec2.amazonaws.com")], None),
        ([UNKNOWN, statement()], None),
        ([UNKNOWN, statement(), statement("Deny")], False),
        ([{**statement(), "Effect": UNKNOWN}], None),
    ],
)
def test_a_statement_of_which_nothing_is_known_may_allow_or_deny(statements, expected):
    assert may_assume(policy(*statements), "sts:AssumeRole", CALL) is expected
