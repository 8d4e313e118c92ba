"""What conditions on the time of a request say at a moment and on a day."""

import pytest

from irsa_doctor.trust.times import holds_at, holds_from
from tests.trust.test_holding import condition

DAY = "2026-05-04"
NOON = f"{DAY}T12:00:00Z"


@pytest.mark.parametrize(
    ("operator", "key", "value", "at", "holds", "for_good"),
    [
        ("DateLessThan", "aws:CurrentTime", "2021-01-01T00:00:00Z", DAY, False, False),
        ("DateLessThan", "aws:CurrentTime", "2999-01-01T00:00:00Z", DAY, True, None),
        ("DateGreaterThan", "aws:CurrentTime", "2021-01-01T00:00:00Z", DAY, True, True),
        ("DateGreaterThan", "aws:CurrentTime", "2999-01-01T00:00:00Z", DAY, False, None),
        ("DateGreaterThan", "aws:EpochTime", "1609459200", DAY, True, True),
        ("NumericLessThanEquals", "aws:EpochTime", "1609459200", DAY, False, False),
        ("DateNotEquals", "aws:CurrentTime", "2999-01-01T00:00:00Z", DAY, True, None),
        # the day of the run: it depends on the hour
        ("DateGreaterThan", "aws:CurrentTime", NOON, DAY, None, None),
        ("DateGreaterThan", "aws:CurrentTime", f"{DAY}T11:00:00Z", NOON, True, True),
        ("DateGreaterThan", "aws:CurrentTime", "2021-01-01T00:00:00Z", "", None, None),
        # a time is no number, and no text of one form
        ("NumericLessThan", "aws:CurrentTime", "1", DAY, False, False),
        ("StringLike", "aws:CurrentTime", "2026-*", DAY, None, None),
        ("DateGreaterThan", "aws:TokenIssueTime", "2021-01-01T00:00:00Z", DAY, None, None),
    ],
)
def test_the_time_decides(operator, key, value, at, holds, for_good):
    on_time = condition(operator, key, value)
    assert holds_at(on_time, at, variables=True) is holds
    assert holds_from(on_time, at, variables=True) is for_good
