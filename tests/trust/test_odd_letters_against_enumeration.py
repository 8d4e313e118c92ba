"""Languages over letters that are folded, and over those of two UTF-16 units, are what enumerating short words finds."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.trust import spell
from irsa_doctor.trust.languages import (
    Language,
    Like,
    complement,
    contains,
    difference,
    intersection,
    literal,
    union,
)
from irsa_doctor.trust.patterns import Glob, pieces_of, units_of, widest
from irsa_doctor.trust.subjects import reach_of
from tests.trust import reference
from tests.trust.drawing import examples

LETTERS = ("a", "A", "k", "\u212a", "\u00df", "\u1e9e", "\u00c9", "i", "\u0130", "\U00010400")
WORDS = tuple("".join(letters) for length in range(4) for letters in product(LETTERS, repeat=length))

text = st.lists(st.sampled_from([*LETTERS[:9], "?", "*", "?"]), max_size=3).map("".join)
words = st.lists(st.sampled_from(LETTERS), max_size=2).map("".join)


def like(pattern: str) -> Language:
    return Like(Glob(widest(pieces_of(pattern, wildcards=True, variables=False))))


def folded(word: str) -> Language:
    return Like(Glob((word,), ignore_case=True))


leaves = st.one_of(text.map(like), words.map(folded), st.sets(words, max_size=2).map(lambda found: literal(*found)))


def combined(parts: st.SearchStrategy[Language]) -> st.SearchStrategy[Language]:
    return st.one_of(
        st.lists(parts, min_size=2, max_size=3).map(union),
        st.lists(parts, min_size=2, max_size=3).map(intersection),
        st.tuples(parts, parts).map(lambda pair: difference(*pair)),
        parts.map(complement),
    )


languages = st.recursive(leaves, combined, max_leaves=4)


@examples(1500)
@given(text, st.sampled_from(WORDS))
def test_a_pattern_matches_units(pattern, word):
    assert contains(like(pattern), word) == reference.wild(reference.units(pattern), reference.units(word))


@examples(1500)
@given(words, words)
def test_letters_are_folded_like_those_of_the_reference(one, other):
    assert contains(folded(one), other) == (reference.folded(one) == reference.folded(other))


@examples(300)
@given(languages)
def test_what_a_search_finds_is_what_is_there(language):
    found = [word for word in WORDS if contains(language, word)]
    reach = reach_of(language, "text")
    if reach.witness is None:
        assert reach.scope == "nobody"
        assert not found
        return
    assert contains(language, reach.witness)
    assert all(len(units_of(reach.witness)) <= len(units_of(word)) for word in found)
    if reach.scope == "one":
        assert set(found) <= {reach.witness}
    if reach.scope == "anyone":
        assert len(found) == len(WORDS)


@examples(300)
@given(languages)
def test_patterns_that_are_written_down_leave_no_word_out(language):
    spelling = spell(language)
    spelt = difference(union(map(like, spelling.patterns)), union(map(like, spelling.without)))
    if not spelling.ignoring_case:
        assert all(contains(spelt, word) for word in WORDS if contains(language, word))
