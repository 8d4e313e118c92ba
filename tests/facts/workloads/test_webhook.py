import pytest

from irsa_doctor.facts.workloads.webhook import (
    csv_record,
    is_ignored_expiration,
    names_a_role,
    seconds_between,
    skipped_containers,
)
from irsa_doctor.model import Hole, Place, ServiceAccount, Text

KEY = "eks.amazonaws.com/role-arn"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        ("a, b", ("a", " b")),
        ('"a","b"', ("a", "b")),
        ('"a,b",c', ("a,b", "c")),
        ('"x""y"', ('x"y',)),
        ("a,", ("a", "")),
        ("\n\na,b\n", ("a", "b")),
        ("a,b\nc", ("a", "b")),
        ("a\r\nb", ("a",)),
        ('"a\nb",c', ("a\nb", "c")),
        ("", None),
        ("\n", None),
        ('a"b', None),
        ('"a" ,b', None),
        ('"a', None),
    ],
)
def test_names_are_read_as_the_webhook_reads_them(text, names):
    assert csv_record(text) == names


def test_a_pod_without_the_annotation_leaves_out_nothing_and_a_placeholder_cannot_be_read():
    assert skipped_containers({}) == frozenset()
    assert skipped_containers({"eks.amazonaws.com/skip-containers": "a,b"}) == {"a", "b"}
    assert skipped_containers({"eks.amazonaws.com/skip-containers": Text((Hole("${X}"),))}) is None


@pytest.mark.parametrize(
    ("value", "ignored"),
    [(None, False), ("600", False), ("86400", False), ("599", True), ("86401", True), ("1h", True), ("", True), ("٣٦٠٠", True)],
)
def test_a_lifetime_counts_only_as_whole_seconds_within_bounds(value, ignored):
    assert is_ignored_expiration(value) is ignored


@pytest.mark.parametrize(
    ("annotations", "acts"),
    [({}, False), ({KEY: ""}, False), ({KEY: "nonsense"}, True), ({KEY: Text((Hole("${ARN}"),))}, True)],
)
def test_the_webhook_acts_for_any_annotation_that_is_not_empty(annotations, acts):
    assert names_a_role(ServiceAccount("", "prod", "app", Place("x"), annotations)) is acts


def test_times_are_compared_across_zones_and_unknown_ones_not_at_all():
    assert seconds_between("2025-03-01T10:00:00Z", "2025-03-01T11:00:05+01:00") == 5
    assert seconds_between("", "2025-03-01T10:00:00Z") is None
    assert seconds_between("yesterday", "2025-03-01T10:00:00Z") is None
    assert seconds_between("2025-03-01", "2025-03-01T10:00:00Z") is None
