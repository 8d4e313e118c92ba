import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsa_doctor.trust import SUBJECT_PREFIX
from irsa_doctor.trust.automaton import shape_of
from irsa_doctor.trust.languages import Like, complement, difference, literal, union
from irsa_doctor.trust.patterns import Glob, Wild, pieces_of
from irsa_doctor.trust.subjects import _ANY_TEXT, _SERVICE_ACCOUNTS, _common_reach, _scope, is_empty, reach_of

parts = st.text("ab-.:", max_size=4)


def like(text: str) -> Like:
    return Like(Glob(tuple(pieces_of(text, wildcards=True, variables=False))))


FORMS = ["{0}*", "*{1}", "{0}*{1}", "{0}:{1}*", "*:{1}", "*", "a:a{1}*", "a:{1}*"]
names = st.sampled_from(["a:a", "a:b", "a:aa", "a:ab", "b:a", "a:aaa", "a:", "x", "A:a"])
patterns = st.builds(
    lambda form, one, other: like(SUBJECT_PREFIX + form.format(one, other)), st.sampled_from(FORMS), parts, parts
)
finite = st.builds(lambda found: literal(*(SUBJECT_PREFIX + name for name in found)), st.lists(names, min_size=1, max_size=3))
unions = st.lists(patterns | finite, min_size=1, max_size=3).map(union)


@settings(max_examples=3000, deadline=None, derandomize=True)
@given(patterns | unions | finite.map(complement))
def test_what_is_told_from_the_form_is_what_the_automaton_says(language):
    common = _common_reach(language)
    if common is not None:
        shape = shape_of(language, _SERVICE_ACCOUNTS)
        assert (common.scope, common.witness) == (_scope(shape, True), shape.witness)


@pytest.mark.parametrize(
    ("pattern", "scope"), [("payments:*", "namespace"), ("payments:web*", "namespace"), ("*:web", "namespaces")]
)
def test_the_common_forms_need_no_automaton(pattern, scope):
    language = like(SUBJECT_PREFIX + pattern)
    assert _common_reach(language) == reach_of(language, "service-account")
    assert reach_of(language, "service-account").scope == scope
    assert Wild.MANY in language.glob.pieces


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(patterns | unions | finite | finite.map(complement), finite, st.sampled_from(["service-account", "text"]))
def test_a_language_without_some_texts_is_empty_where_its_automaton_has_no_word(language, without, grammar):
    rest = difference(language, without)
    shape = shape_of(rest, _SERVICE_ACCOUNTS if grammar == "service-account" else _ANY_TEXT)
    assert is_empty(rest, grammar) is (shape.witness is None)
