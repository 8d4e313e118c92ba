"""What an accepted extent holds of another."""

from functools import partial

from irsa_doctor.model.extents import IGNORING_CASE, Extent, LazyExtent, worked_out

ONE, WIDE = (Extent(patterns=(pattern,), audiences=("sts.amazonaws.com",)) for pattern in ("repo:octo/app:*", "repo:octo/*"))


def ignoring_case(pattern):
    return Extent(patterns=(pattern,), audiences=("sts.amazonaws.com",), keys=(f"{IGNORING_CASE}{pattern}",))


def of_cases(*extents):
    """The extent of a finding that holds in several cases of a template."""
    return LazyExtent(*(partial(worked_out, extent) for extent in extents)).extent


def test_a_pattern_that_ignores_case_is_wider_than_its_text():
    assert not ONE.holds(ignoring_case("repo:octo/app:*"))
    assert not WIDE.holds(ignoring_case("repo:octo/app:*"))
    assert Extent(patterns=("*",), audiences=("*",)).holds(ignoring_case("repo:octo/app:*"))


def test_of_several_cases_none_may_come_in_addition():
    accepted = of_cases(ONE, WIDE)
    assert accepted.holds(of_cases(WIDE, ONE))
    assert not accepted.holds(of_cases(ONE, WIDE, Extent(patterns=("*",))))
