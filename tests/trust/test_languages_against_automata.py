"""What is said of languages is what automata of another library say of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.trust import spell
from irsa_doctor.trust.languages import (
    EVERYTHING,
    NOTHING,
    Any,
    Language,
    Like,
    complement,
    contains,
    difference,
    intersection,
    literal,
    union,
)
from irsa_doctor.trust.patterns import Glob, pieces_of, widest
from irsa_doctor.trust.subjects import PREFIX, is_subject, reach_of
from tests.trust import oracle
from tests.trust.drawing import NAMES, NAMESPACES, examples

WORDS = ["", *(a + b + c for a in "abC:" for b in ("", "a", "b", ":") for c in ("", "a", "B"))]


def like(text: str, *, ignore_case: bool = False, arn: bool = False) -> Language:
    return Like(Glob(widest(pieces_of(text, wildcards=True, variables=False)), ignore_case, arn))


short = st.lists(st.sampled_from(["a", "b", "C", ":", "*", "?", "*"]), max_size=5).map("".join)
arns = st.sampled_from(["arn:a:b:*:c:d*", "arn:*:b:?:*:*:x", "a*:a:b::c:*", "arn:a:b:c:d:e"])
leaves = st.one_of(
    short.map(like),
    st.sets(st.sampled_from(WORDS), max_size=3).map(lambda words: literal(*words)),
    short.map(lambda text: like(text, ignore_case=True)),
    arns.map(lambda text: like(text, arn=True)),
)


def combined(parts: st.SearchStrategy[Language]) -> st.SearchStrategy[Language]:
    return st.one_of(
        st.lists(parts, min_size=2, max_size=3).map(union),
        st.lists(parts, min_size=2, max_size=3).map(intersection),
        st.tuples(parts, parts).map(lambda pair: difference(*pair)),
        parts.map(complement),
    )


languages = st.recursive(leaves, combined, max_leaves=5)
SCOPES = {0: "nobody", 1: "one", 2: "several"}


@examples(800)
@given(languages)
def test_scope_and_witness_over_all_text(language):
    fsm = oracle.of_language(language)
    reach = reach_of(language, "text")
    count = oracle.counted(fsm)
    whole = "anyone" if (oracle.everything() - fsm).empty() else "pattern"
    assert reach.scope == (whole if count is None else SCOPES[count])
    if reach.witness is None:
        assert count == 0
    else:
        assert contains(language, reach.witness)
        assert fsm.accepts(reach.witness)
        assert len(reach.witness) == oracle.shortest(fsm)


@examples(300)
@given(languages, languages, st.sampled_from(WORDS))
def test_set_operations_are_those_of_sets(one, other, word):
    assert contains(union((one, other)), word) == (contains(one, word) or contains(other, word))
    assert contains(intersection((one, other)), word) == (contains(one, word) and contains(other, word))
    assert contains(difference(one, other), word) == (contains(one, word) and not contains(other, word))
    assert contains(complement(one), word) != contains(one, word)
    assert contains(one, word) == oracle.of_language(one).accepts(word)


@examples(500)
@given(languages, languages)
def test_equality_is_found(one, other):
    nothing_beyond = [reach_of(difference(a, b), "text").scope == "nobody" for a, b in ((one, other), (other, one))]
    assert all(nothing_beyond) == oracle.same(oracle.of_language(one), oracle.of_language(other))


@examples(800)
@given(languages)
def test_spellings_say_the_language_or_more(language):
    spelling = spell(language)
    spelt = spelt_language(spelling)
    beyond = difference(language, spelt)
    assert oracle.of_language(beyond).empty()
    if spelling.exact:
        assert oracle.of_language(difference(spelt, language)).empty()


def spelt_language(spelling) -> Language:
    """A spelling read as a reader would: `*` and `?` are wildcards, `${*}` is none."""

    def read(text: str) -> Language:
        pieces = pieces_of(text, wildcards=True, variables=True)
        return Like(Glob(widest(pieces), text in spelling.ignoring_case))

    return difference(union(map(read, spelling.patterns)), union(map(read, spelling.without)))


subject_patterns = st.one_of(
    st.builds(
        "{}{}:{}{}".format,
        st.sampled_from([PREFIX, PREFIX, PREFIX, "*", "s*:", "?ystem:serviceaccount:"]),
        st.sampled_from(["a", "b", "*", "?", "a*", "*-b", "a?", "??"]),
        st.sampled_from(["", "x", "*", "?", "x-"]),
        st.sampled_from(["", "y", "*", "?", ".*", "-y"]),
    ),
    short,
    st.sampled_from(["*:x", "*-*", "*.*", "system:*", "*:a:*", "*"]),
)
subject_languages = st.recursive(
    st.one_of(
        subject_patterns.map(like),
        subject_patterns.map(lambda text: like(text.upper(), ignore_case=True)),
        st.sets(
            st.builds("{}{}:{}".format, st.just(PREFIX), st.sampled_from(NAMESPACES), st.sampled_from(NAMES)), max_size=3
        ).map(lambda words: literal(*words)),
    ),
    combined,
    max_leaves=4,
)


@examples(500)
@given(subject_languages)
def test_scope_and_witness_over_subjects(language):
    fsm = oracle.of_language(language) & oracle.minted()
    reach = reach_of(language, "service-account")
    count = oracle.counted(fsm)
    if count is not None:
        assert reach.scope == SCOPES[count]
    elif (oracle.minted() - fsm).empty():
        assert reach.scope == "cluster"
    else:
        namespace = reach.witness.split(":")[2]
        alone = (fsm - oracle.automaton_of(rf"{PREFIX}{namespace}:(.|\n)*")).empty()
        assert reach.scope == ("namespace" if alone else "namespaces")
    if reach.witness is not None:
        assert is_subject(reach.witness)
        assert contains(language, reach.witness)
        assert len(reach.witness) == oracle.shortest(fsm)


@examples(300)
@given(subject_languages)
def test_spellings_of_subjects_say_the_language_or_more(language):
    spelling = spell(language, "service-account")
    spelt = spelt_language(spelling)
    minted = oracle.minted()
    assert (oracle.of_language(difference(language, spelt)) & minted).empty()
    assert not spelling.ignoring_case
    if spelling.exact:
        assert (oracle.of_language(difference(spelt, language)) & minted).empty()


@pytest.mark.parametrize("pattern", ["arn:*:b:c:d:e", "arn:?:b:c:d:e", "a*:a:b:c:d:e*", "arn:a:b:*x:*:*"])
def test_wildcards_of_arns_stay_in_their_component(pattern):
    as_text, as_arn = like(pattern), like(pattern, arn=True)
    assert reach_of(difference(as_arn, as_text), "text").scope == "nobody"
    beyond = difference(as_text, as_arn)
    assert oracle.same(oracle.of_language(beyond), oracle.of_language(as_text) - oracle.of_glob(as_arn.glob))
    witness = reach_of(beyond, "text").witness
    assert (witness is None) == oracle.of_language(beyond).empty()
    assert witness is None or not as_arn.glob.matches(witness)


def test_the_whole_and_the_empty_language_are_spelt():
    assert spell(EVERYTHING).patterns == ("*",)
    assert spell(NOTHING).patterns == ()
    assert spell(Any(())).patterns == ()
