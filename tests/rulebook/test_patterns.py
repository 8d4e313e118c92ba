import time

import pytest

from irsa_doctor.answers.why.symptoms import symptoms_in
from irsa_doctor.rulebook.cause_files import causes_folder
from irsa_doctor.rulebook.message_files import read_messages
from irsa_doctor.rulebook.patterns import Unsafe, check_pattern


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a+", "a repeat without a limit"),
        ("a*b", "a repeat without a limit"),
        ("a{3,}", "a repeat without a limit"),
        ("a{0,601}b", "a repeat without a limit, or with one over 600"),
        ("(?:a{1,9}b?){1,9}c", "a repeat inside a repeat"),
        ("(?:a|ab){1,9}c", "a repeat inside a repeat"),
        (r"x[\s\S]{0,600}y[\s\S]{0,600}z", "steps at one place"),
        (r"(?=x[\s\S]{0,600}y[\s\S]{0,600}z)x", "steps at one place"),
        ("a{0,9}", "it matches the empty text"),
        ("", "it matches the empty text"),
        ("(a", "not a valid regular expression of Python, character 1"),
        ("(a)?(?(1)b|c)", "a condition on a group"),
        ("(?<!a{1,2})b", "not a valid regular expression of Python"),
    ],
)
def test_a_pattern_that_could_keep_a_search_busy_is_refused(pattern, says):
    with pytest.raises(Unsafe, match=r".*") as caught:
        check_pattern(pattern)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "Incorrect token audience",
        r"Access ?Denied|not authorized",
        r"sts\.[\w.-]{0,60}+ failed",
        r"a[\s\S]{0,200}b",
        r"(?P<x>[a-z]{1,20}+) is (?P=x)",
        r"(?:[a-z]{1,30}+\.){0,3}+com",
        r"(?>a{0,200})b[\s\S]{0,500}c",
        r"(?<!\w,\s)b",
    ],
)
def test_a_pattern_that_takes_few_steps_is_used(pattern):
    check_pattern(pattern)


TEXTS = [example.text for examples in read_messages(causes_folder()).examples.values() for example in examples]


BEGINNINGS = sorted({text[: len(text) * part // 4] for text in TEXTS for part in (2, 3)}, key=lambda text: (len(text), text))


@pytest.mark.parametrize("text", BEGINNINGS[-40:])
def test_beginnings_of_messages_over_and_over_take_no_minutes(text):
    start = time.process_time()
    symptoms_in(text * (200_000 // max(len(text), 1)))
    assert time.process_time() - start < 10
