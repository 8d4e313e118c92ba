from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.model.nearness import edits, nearest, suggestion

words = st.text("abcd-", max_size=7)


def distance(word, other):
    """Optimal string alignment, by its definition."""
    if not word or not other:
        return len(word) + len(other)
    steps = [
        distance(word[:-1], other) + 1,
        distance(word, other[:-1]) + 1,
        distance(word[:-1], other[:-1]) + (word[-1] != other[-1]),
    ]
    if len(word) > 1 and len(other) > 1 and word[-1] == other[-2] and word[-2] == other[-1]:
        steps.append(distance(word[:-2], other[:-2]) + 1)
    return min(steps)


@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(0, 6))
def test_the_number_of_edits_is_that_of_the_definition_up_to_the_limit(word, other, limit):
    assert edits(word, other, limit) == min(distance(word, other), limit + 1)


@given(words, st.lists(words, max_size=6))
def test_a_name_that_exists_is_always_the_nearest(word, others):
    assert nearest(word, [*others, word])[0] == word


def test_the_nearest_come_first_and_far_ones_not_at_all():
    assert nearest("open-nosub", ["open-no-aud", "open-no-sub", "trust-sub"], 3) == ("open-no-sub", "open-no-aud")
    assert nearest("something", ["else", "entirely"]) == ()


def test_a_suggestion_is_a_question_or_nothing():
    assert suggestion("HIHG", ["high", "low"]) == ' Did you mean "high"?'
    assert suggestion("x", ["entirely"]) == ""
