import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from irsa_doctor.answers.check.asking import ask, meets
from irsa_doctor.answers.check.engine import evaluate, filled
from irsa_doctor.facts import Evidence, Judged
from irsa_doctor.model import Place, Unknown, Verdict
from irsa_doctor.rulebook.rules import SUBJECTS, Clause, Graded, Rule

values = st.sampled_from(["a", "b", "", True, False, 0, 1, 2, -1])
schemas = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "const": values,
            "enum": st.lists(values, max_size=3),
            "minimum": st.integers(-1, 2),
            "maximum": st.integers(-1, 2),
        },
    ),
    lambda inner: st.fixed_dictionaries({"not": inner}),
    max_leaves=3,
)


@given(schemas, values)
def test_the_small_vocabulary_means_what_json_schema_means(schema, value):
    assert meets(schema, value) == Draft202012Validator(schema).is_valid(value)


class Facts(msgspec.Struct, frozen=True):
    """Two facts."""

    one: object = "right"
    other: object = "right"


MISSING = Unknown("the roles", "aws iam list-roles")
RIGHT = {"const": "right"}


def rule(when=None, **more) -> Rule:
    clauses = [Clause("one", {"one": RIGHT}), Clause("other", {"other": RIGHT})]
    fields = {"severity": "high", "message": "{name} is {what}", "places": {"here": "{name} here"}, "why": "", "remedy": ""}
    return Rule("some-rule", "title", ["role"], confidence="high", require=clauses, when=when or {}, **(fields | more))


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (Facts(), Verdict.PASS),
        (Facts("wrong"), Verdict.FAIL),
        (Facts("right", "wrong"), Verdict.FAIL),
        (Facts(MISSING), Verdict.UNKNOWN),
        (Facts(MISSING, MISSING), Verdict.UNKNOWN),
        (Facts(MISSING, "wrong"), Verdict.FAIL),
        (Facts("wrong", MISSING), Verdict.FAIL),
    ],
)
def test_what_fails_on_known_facts_fails_whatever_is_unknown(facts, verdict):
    answer = ask(rule(), facts)
    assert answer is not None
    assert answer.verdict is verdict


def test_a_rule_that_does_not_apply_says_nothing_and_one_that_may_not_is_unknown():
    assert ask(rule(when={"one": RIGHT}), Facts("wrong")) is None
    answer = ask(rule(when={"one": RIGHT}), Facts(MISSING, "wrong"))
    assert answer is not None
    assert (answer.verdict, answer.missing) == (Verdict.UNKNOWN, (MISSING,))


def judged(ident: str, facts: Facts, kind: str = "role") -> Judged:
    evidence = Evidence({"name": ident, "what": lambda: "wrong"}, {"here": Place("file", "/a")})
    return Judged(kind, ident, ident, facts, lambda: evidence)


@pytest.fixture(autouse=True)
def _two_facts(monkeypatch):
    """In place of the many facts of a role, two."""
    monkeypatch.setitem(SUBJECTS, "role", Facts)


def run(*subjects: Judged, **more):
    return evaluate([rule(**more)], subjects, lambda place, key: (1, 2, 3, 4, "line", 1))


def test_findings_carry_their_names_places_and_a_mark_that_does_not_move():
    first, again = run(judged("x", Facts("wrong"))), run(judged("x", Facts("right", "wrong")))
    assert [f.message for f in first.findings] == ["x is wrong"]
    assert [(p.file, p.line, p.says) for p in first.findings[0].locations] == [("file", 1, "x here")]
    assert first.findings[0].fingerprint == again.findings[0].fingerprint
    assert first.findings[0].fingerprint != run(judged("y", Facts("wrong"))).findings[0].fingerprint


def test_everything_is_counted():
    outcome = run(judged("a", Facts()), judged("b", Facts("wrong")), judged("c", Facts(MISSING)), judged("d", Facts(MISSING)))
    tally = outcome.tallies[0]
    assert (tally.evaluated, tally.passed, tally.failed, tally.unknown) == (4, 1, 1, 2)
    assert [(m.missing, m.subjects, m.rules) for m in outcome.unknown] == [("the roles", 2, ("some-rule",))]


@given(st.lists(st.tuples(*[st.sampled_from(["right", "wrong", "other", MISSING, Unknown("else")])] * 2), max_size=12))
def test_a_record_is_answered_as_if_it_was_the_only_one(values):
    for when in ({}, {"one": RIGHT}, {"other": {"enum": ["right", "other"]}}):
        alone = [ask(rule(when), Facts(*pair)) for pair in values]
        outcome = run(*[judged(str(n), Facts(*pair)) for n, pair in enumerate(values)], when=when)
        verdicts = [answer.verdict for answer in alone if answer]
        tally = outcome.tallies[0]
        assert (tally.passed, tally.failed) == (verdicts.count(Verdict.PASS), verdicts.count(Verdict.FAIL))
        assert {m.missing for m in outcome.unknown} == {m.missing for answer in alone if answer for m in answer.missing}


def test_severity_may_depend_on_a_fact():
    graded = Graded("one", {"wrong": "critical", "true": "low"}, "medium")
    assert run(judged("a", Facts("wrong")), severity=graded).findings[0].severity == "critical"
    assert run(judged("a", Facts(True)), severity=graded).findings[0].severity == "low"
    assert run(judged("a", Facts("else")), severity=graded).findings[0].severity == "medium"


@pytest.mark.parametrize("attack", ["{name.__class__}", "{name!r}", "{0}", "{}", "{name:>100000000}", "{{name}}"])
def test_sentences_of_rules_look_up_names_and_nothing_else(attack):
    text = filled(attack, Evidence({"name": "value"}, {}))
    assert text in (attack, "{value}")
