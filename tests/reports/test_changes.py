import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.remedies.commands import policy_text
from irsa_doctor.remedies.difference import policy_difference
from irsa_doctor.reports import Style
from irsa_doctor.reports.changes import change_lines
from irsa_doctor.reports.fitting import columns
from tests.reports.saying import HOSTILE

KEY = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"


def change(before, after, width=80):
    return list(change_lines(policy_difference(policy_text(before), policy_text(after)), Style(width=width)))


def test_a_member_that_is_added_is_one_line_though_the_comma_moves():
    assert change({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}) == [
        '        "a": {',
        '          "b": 1,',
        '    +     "c": 2',
        "        }",
        "      }",
    ]


def test_lines_far_from_a_change_are_left_out():
    before = {f"member-{number}": number for number in range(40)}
    lines = change(before, {**before, "member-20": 0})
    assert [line for line in lines if line.startswith(("    -", "    +"))] == [
        '    - "member-20": 20,',
        '    + "member-20": 0,',
    ]
    assert len(lines) == 6


def test_hunks_are_apart():
    before = {f"member-{number}": number for number in range(40)}
    lines = change(before, {**before, "member-3": 0, "member-30": 0})
    assert [line.strip() for line in lines].count("...") == 1


def test_of_a_long_key_the_claim_and_the_value_stay():
    lines = change({"k": 1}, {"k": 1, f"{KEY}:sub": "system:serviceaccount:billing:invoices"})
    (line,) = [line for line in lines if line.startswith("    +")]
    assert re.fullmatch(r' +\+ +"oidc\S*…\S*:sub": "system:serviceaccount:billing:invoices"', line)
    assert columns(line) <= 80


def test_what_makes_two_lines_differ_is_never_cut_out():
    other = KEY.replace("A7B4F", "A7B5F")
    value = "system:serviceaccount:billing:invoices-of-the-last-century"
    lines = change({f"{KEY}:sub": value}, {f"{other}:sub": value})
    assert "A7B4F" in "".join(line.strip("- ") for line in lines if line.startswith("    -"))
    assert "A7B5F" in "".join(line.strip("+ ") for line in lines if line.startswith("    +"))
    assert max(map(columns, lines)) <= 80


def test_a_change_of_many_lines_is_cut_and_says_so():
    lines = change({}, {"Statement": [{"Sid": str(number)} for number in range(30)]})
    assert len(lines) == 25
    assert lines[-1] == "      … and 71 more lines"


@given(st.dictionaries(st.text(max_size=200), st.text(max_size=200), max_size=4), st.integers(40, 140))
def test_lines_fit_and_hold_no_control_characters(document, width):
    for line in change({"a": 1}, document, width):
        assert columns(line) <= width
        assert line.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_escaped(text):
    assert all(line.isprintable() for line in change({"a": 1}, {text: [text]}))
