import pytest

from irsa_doctor.model import Hole, Place, Text, TrustPolicy
from irsa_doctor.trust import read_policy
from irsa_doctor.trust.holding import all_of, holds

MULTI = frozenset({"aws:tagkeys"})


def condition(operator, key, value):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {operator: {key: value}},
    }
    document = {"Version": "2012-10-17", "Statement": statement}
    return read_policy(TrustPolicy(document, Place("p"))).statements[0].conditions[0]


@pytest.mark.parametrize(
    ("operator", "value", "context", "expected"),
    [
        ("StringEquals", "x", {"aws:a": ("x",)}, True),
        ("StringEquals", "x", {"aws:a": ("y",)}, False),
        ("StringEquals", "x", {"aws:a": ()}, False),
        ("StringNotEquals", "x", {"aws:a": ()}, True),
        ("StringEqualsIfExists", "x", {"aws:a": ()}, True),
        ("StringLike", "x*", {"aws:a": ("xyz",)}, True),
        ("Bool", "false", {"aws:a": ("false",)}, True),
        ("Null", "true", {"aws:a": ()}, True),
        ("Null", "true", {"aws:a": ("x",)}, False),
        ("StringEquals", "x", {}, None),
        ("StringEquals", "x", {"aws:b": ("x",)}, None),
        ("StringEquals", "${aws:b}", {"aws:a": ("x",), "aws:b": ("x",)}, True),
        ("StringEquals", "${aws:b}", {"aws:a": ("x",), "aws:b": ("y",)}, False),
        ("StringEquals", "${aws:b}", {"aws:a": ("x",)}, None),
        ("StringEquals", Text(("a", Hole("${X}"))), {"aws:a": ("x",)}, None),
        ("StringEquals", Text(("a", Hole("${X}"))), {"aws:a": ()}, False),
        ("StringNotEquals", Text((Hole("${X}"),)), {"aws:a": ()}, True),
        ("StringNotEquals", Text((Hole("${X}"),)), {}, None),
        ("Null", Text((Hole("${X}"),)), {"aws:a": ()}, None),
        ("StringEquals", [], {"aws:a": ("x",)}, None),
    ],
)
def test_a_condition_is_met_or_not_or_hangs_on_what_is_not_known(operator, value, context, expected):
    assert holds(condition(operator, "aws:A", value), context, variables=True) is expected


def test_keys_with_several_values_are_asked_with_set_operators():
    tags = {"aws:tagkeys": ("a", "b")}
    assert holds(condition("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b"]), tags, variables=True, multi=MULTI) is True
    assert holds(condition("ForAllValues:StringEquals", "aws:TagKeys", ["a"]), tags, variables=True, multi=MULTI) is False
    assert holds(condition("ForAnyValue:StringEquals", "aws:TagKeys", ["a"]), tags, variables=True, multi=MULTI) is True


def test_a_key_of_several_values_that_has_one_is_not_met_without_a_set_operator():
    tags = {"aws:tagkeys": ("a",)}
    assert holds(condition("StringEquals", "aws:TagKeys", ["a"]), tags, variables=True, multi=MULTI) is False


def test_what_is_false_outweighs_what_is_not_known():
    assert all_of([True, None, False]) is False
    assert all_of([True, None]) is None
    assert all_of([True]) is True
