"""The time in which the conditions of a statement hold together."""

import pytest

from tests.trust.asking import admit, deny, statement

EARLY, LATE = "2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("conditions", "is_empty"),
    [
        ({"DateLessThan": {"aws:CurrentTime": EARLY}, "DateGreaterThan": {"aws:CurrentTime": LATE}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": EARLY}, "DateLessThan": {"aws:CurrentTime": LATE}}, False),
        ({"DateEquals": {"aws:CurrentTime": EARLY}, "DateLessThan": {"aws:CurrentTime": EARLY}}, True),
        ({"DateLessThanEquals": {"aws:CurrentTime": EARLY}, "DateGreaterThanEquals": {"aws:CurrentTime": EARLY}}, False),
        ({"DateLessThan": {"aws:CurrentTime": [EARLY, LATE]}, "DateGreaterThan": {"aws:CurrentTime": EARLY}}, False),
        ({"DateEquals": {"aws:CurrentTime": [EARLY, LATE]}, "DateNotEquals": {"aws:CurrentTime": [EARLY, LATE]}}, True),
        ({"NumericLessThan": {"aws:EpochTime": "5"}, "NumericGreaterThan": {"aws:EpochTime": "6"}}, True),
        ({"NumericLessThan": {"aws:EpochTime": "5"}, "NumericGreaterThan": {"aws:EpochTime": "3"}}, False),
        ({"DateLessThanIfExists": {"aws:CurrentTime": EARLY}, "DateGreaterThanIfExists": {"aws:CurrentTime": LATE}}, True),
        # a time compared as text, and the two forms of a time
        ({"StringLike": {"aws:CurrentTime": "2031-*"}, "DateLessThan": {"aws:CurrentTime": EARLY}}, False),
    ],
)
def test_a_window_that_ends_before_it_begins_admits_nobody(conditions, is_empty):
    assert (admit(statement(conditions)).reach.scope == "nobody") is is_empty
    assert (admit(statement(), deny(conditions)).depends_on == ()) is is_empty
