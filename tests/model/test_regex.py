"""Expressions that are compiled by their first use."""

import re

import pytest

from irsa_doctor.model.regex import regex


@pytest.mark.parametrize("flags", [0, re.IGNORECASE])
def test_an_expression_does_what_a_compiled_one_does(flags):
    pattern, compiled = regex("(a+)b", flags), re.compile("(a+)b", flags)
    for text in ("aab", "AAB xaab", "b"):
        assert pattern.findall(text) == compiled.findall(text)
        assert pattern.sub(r"<\1>", text) == compiled.sub(r"<\1>", text)
        assert bool(pattern.fullmatch(text)) == bool(compiled.fullmatch(text))
    assert pattern.pattern == compiled.pattern
    assert pattern.groups == 1


def test_an_expression_over_bytes_is_one_over_bytes():
    assert regex(rb"\d+").findall(b"a12b3") == [b"12", b"3"]


def test_an_error_in_an_expression_is_raised_by_its_first_use():
    pattern = regex("(")
    with pytest.raises(re.error):
        pattern.match("x")
