"""An unexpected error costs the item that it comes of, and no other."""

import pytest

from irsa_doctor.model.errors import IrsaDoctorError, NotJudged
from irsa_doctor.model.faults import fault_words, judged_or_named, without_breaking
from irsa_doctor.model.limits import limited


def summed(numbers):
    if any(number < 0 for number in numbers):
        raise ZeroDivisionError
    return sum(numbers)


@pytest.mark.parametrize("numbers", [[-1], [1, -1, 2], [-1, -2, -3], [1, 2, 3, -4], [], list(range(-20, 100))])
def test_what_breaks_is_set_aside_and_the_rest_is_done(numbers):
    aside = []
    result = without_breaking(numbers, summed, lambda item, words: aside.append(item))
    assert result == sum(number for number in numbers if number > 0)
    assert sorted(aside) == sorted(number for number in numbers if number < 0)


def test_of_items_that_only_break_together_the_later_is_set_aside():
    def together(items):
        if {"a", "c"} <= set(items):
            raise KeyError
        return "".join(items)

    aside = []
    assert without_breaking(["a", "b", "c", "d"], together, lambda item, words: aside.append((item, words))) == "abd"
    assert aside == [("c", "could not be judged: an error of irsa-doctor, please report")]


def test_an_error_of_no_item_is_raised():
    def always(items):
        raise KeyError("bug")

    with pytest.raises(KeyError, match="bug"):
        without_breaking([1, 2], always, lambda item, words: None)


def test_what_runs_out_is_named():
    assert "nested too deeply" in fault_words(RecursionError())
    assert "memory" in fault_words(MemoryError())


def test_what_is_meant_for_the_caller_is_no_fault():
    with pytest.raises(IrsaDoctorError):
        fault_words(IrsaDoctorError("no such file"))


def test_a_question_that_meets_an_error_of_ours_names_what_was_not_judged():
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(NotJudged, match=r"^app: could not be judged: an error of irsa-doctor"):
        judged_or_named("app", broken)


def test_an_error_that_notes_its_document_names_that():
    def broken() -> None:
        error = RecursionError()
        error.add_note("other.json")
        raise error

    with pytest.raises(NotJudged, match=r"^other\.json: could not be judged: values nested too deeply"):
        judged_or_named("app", broken)


def test_a_question_that_reaches_a_limit_has_no_answer():
    with limited(0, 1 << 40), pytest.raises(NotJudged, match=r"^app: not judged: the run reached its limit of 0 seconds"):
        judged_or_named("app", lambda: 5)
    assert judged_or_named("app", lambda: 5) == 5
