import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsa_doctor.trust import SUBJECT_PREFIX
from irsa_doctor.trust.automaton import shape_of
from irsa_doctor.trust.languages import Like
from irsa_doctor.trust.patterns import Glob, Wild, pieces_of
from irsa_doctor.trust.subjects import _SERVICE_ACCOUNTS, _common_reach, _scope, reach_of

parts = st.text("ab-.:", max_size=4)


def like(text: str) -> Like:
    return Like(Glob(tuple(pieces_of(text, wildcards=True, variables=False))))


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(parts, parts, st.sampled_from(["{0}*", "*{1}", "{0}*{1}", "{0}:{1}*", "*:{1}", "*"]))
def test_what_is_told_from_the_form_is_what_the_automaton_says(one, other, form):
    language = like(SUBJECT_PREFIX + form.format(one, other))
    common = _common_reach(language)
    if common is not None:
        shape = shape_of(language, _SERVICE_ACCOUNTS)
        assert (common.scope, common.witness) == (_scope(shape, True), shape.witness)


@pytest.mark.parametrize(
    ("pattern", "scope"), [("payments:*", "namespace"), ("payments:web*", "namespace"), ("*:web", "namespaces")]
)
def test_the_common_forms_need_no_automaton(pattern, scope):
    language = like(SUBJECT_PREFIX + pattern)
    assert _common_reach(language) == reach_of(language, kubernetes=True)
    assert reach_of(language, kubernetes=True).scope == scope
    assert Wild.MANY in language.glob.pieces
