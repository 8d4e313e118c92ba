"""What policies may cost: each has an allowance, a run that costs much leaves less to each, and what is given up is counted."""

import pytest

from irsa_doctor.trust.automaton import STATES
from irsa_doctor.trust.languages import All, Like, Not
from irsa_doctor.trust.patterns import glob_of, pieces_of, widest
from irsa_doctor.trust.subjects import reach_of, subject_form
from irsa_doctor.trust.work import Work, allowance


def like(pattern: str) -> Like:
    return Like(glob_of(widest(pieces_of(pattern, wildcards=True, variables=False))))


def hard(letter: str, number: int) -> Like:
    return like(f"*{letter}{'?' * 24}{'x' * number}")


def test_a_policy_has_one_allowance_for_all_its_questions():
    work = Work()
    with work.on("a") as first:
        for number in range(40):
            assert reach_of(hard("b", number), "service-account").scope is None
        assert first.losses == 40
        left = first.left
    with work.on("a") as again:
        assert again is first
        assert again.left == left


def test_a_run_is_bounded_and_leaves_something_to_every_policy():
    work, granted, spent = Work(), [], 0
    for number in range(150):
        with work.on(f"role-{number}") as purse:
            granted.append(purse.granted)
            reach_of(hard("c", number), "service-account")
            spent += purse.granted - purse.left
    assert granted == sorted(granted, reverse=True)
    assert spent < 800_000 + 150 * 4_000
    with work.on("simple") as purse:
        assert reach_of(like("system:serviceaccount:pay?:a*b"), "service-account").scope == "namespaces"
        assert purse.losses == 0


def test_what_one_run_has_no_steps_for_is_asked_again_in_the_next():
    language = All((like("system:serviceaccount:*a????????:b"), Not(like("*c"))))
    spent = Work()
    for number in range(60):
        with spent.on(f"role-{number}"):
            reach_of(hard("d", number), "service-account")
    with spent.on("late"):
        assert reach_of(language, "service-account").scope is None
        assert reach_of(language, "service-account").scope is None
    with Work().on("early"):
        assert reach_of(language, "service-account").scope == "namespaces"


def test_steps_are_charged_once_to_the_run_whatever_the_number_of_visits():
    work = Work()
    with work.on("a"):
        reach_of(hard("e", 1), "service-account")
    after_one = work._granted()
    for _ in range(5):
        with work.on("a"):
            reach_of(hard("e", 1), "service-account")
    assert work._granted() == after_one


@pytest.mark.parametrize("wildcards", [True, False])
def test_a_pattern_that_cannot_be_told_apart_is_a_loss_to_every_policy_that_has_it(wildcards):
    value = "*f" + "?" * 30
    work, losses = Work(), []
    for name in ("one", "two"):
        with work.on(name) as purse:
            subject_form(value, wildcards=wildcards)
            losses.append(purse.losses > 0)
    assert losses == [True, True]


def test_no_automaton_has_more_states_than_are_allowed_outside_of_a_run_too():
    assert allowance() is None
    assert reach_of(like("*g" + "?" * 16), "text").scope is None
    assert 2**13 < STATES < 2**16
    assert reach_of(like("*g" + "?" * 12), "text").scope == "pattern"
