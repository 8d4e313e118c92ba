"""The time in which the conditions of a statement hold together."""

import pytest

from tests.trust.asking import admit, deny, statement

EARLY, LATE = "2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"
TENTH = "2030-01-01T00:00:10"


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
        ({"DateGreaterThan": {"aws:CurrentTime": LATE}, "NumericLessThan": {"aws:EpochTime": "5"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "1970-01-01T00:00:03Z"}, "NumericLessThan": {"aws:EpochTime": "5"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": EARLY, "aws:EpochTime": EARLY}}, False),
        # how exact the time of a request is, is not documented
        (
            {"DateGreaterThan": {"aws:CurrentTime": f"{TENTH}.200Z"}, "DateLessThan": {"aws:CurrentTime": f"{TENTH}.800Z"}},
            False,
        ),
        ({"DateGreaterThan": {"aws:CurrentTime": f"{TENTH}.800Z"}, "DateLessThan": {"aws:CurrentTime": f"{TENTH}.200Z"}}, True),
        # a time compared as text, and the two forms of a time
        ({"StringLike": {"aws:CurrentTime": "2031-*"}, "DateLessThan": {"aws:CurrentTime": EARLY}}, False),
    ],
)
def test_a_window_that_ends_before_it_begins_admits_nobody(conditions, is_empty):
    assert (admit(statement(conditions)).reach.scope == "nobody") is is_empty
    assert (admit(statement(), deny(conditions)).depends_on == ()) is is_empty


def test_of_many_limits_only_the_widest_is_compared():
    early = [f"20{year}-01-01T00:00:00.{part:03d}Z" for year in range(10, 30) for part in range(200)]
    over = {"DateLessThan": {"aws:CurrentTime": early}, "DateGreaterThan": {"aws:CurrentTime": LATE}}
    assert admit(statement(over)).reach.scope == "nobody"
    still = {"DateLessThan": {"aws:CurrentTime": [*early, "2032-01-01"]}, "DateGreaterThan": {"aws:CurrentTime": LATE}}
    assert admit(statement(still)).reach.scope != "nobody"


def test_a_long_list_of_moments_takes_no_long_time():
    moments = [f"20{year}-01-01T00:00:00.{part:03d}Z" for year in range(10, 30) for part in range(200)]
    assert admit(
        statement({"DateEquals": {"aws:CurrentTime": moments}, "DateGreaterThan": {"aws:CurrentTime": LATE}})
    ).depends_on
