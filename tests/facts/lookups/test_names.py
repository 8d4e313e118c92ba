from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts.lookups.names import Names, did_you_mean, is_one_letter_off

words = st.text("abAB-", max_size=6)


def distance(one: str, other: str) -> int:
    """Optimal string alignment, as in the textbook."""
    rows = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            same = one[i - 1] == other[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (not same))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(words, words)
def test_one_letter_off_is_a_distance_of_one_at_most(one, other):
    assert is_one_letter_off(one, other) == (distance(one, other) <= 1)


@given(st.lists(words, unique=True, max_size=8), words)
def test_a_near_miss_is_a_name_that_differs_in_case_or_by_one_letter(names, wrong):
    near = Names(tuple(names)).near(wrong)
    if near:
        assert near in names
        assert near != wrong
        assert near.lower() == wrong.lower() or is_one_letter_off(near, wrong)


@pytest.mark.parametrize("wrong", ["chekout", "checkoutt", "checkaut", "Checkout", "hceckout", "checkotu"])
def test_what_people_mistype_is_found(wrong):
    assert did_you_mean(wrong, ["payments", "checkout", "catalog"]) == ' Did you mean "checkout"?'


def test_nothing_is_guessed_among_many_that_are_alike():
    crowd = [f"application-{a}{b}" for a in ascii_lowercase for b in ascii_lowercase]
    assert did_you_mean("application-1a", crowd) == ""
