"""How sets of subjects are written, by example."""

import pytest

from irsa_doctor.trust import spell
from irsa_doctor.trust.languages import EVERYTHING, Language, Like, complement, difference, intersection, literal, union
from irsa_doctor.trust.patterns import Glob, pieces_of, widest

PREFIX = "system:serviceaccount:"


def like(text: str, **how: bool) -> Language:
    return Like(Glob(widest(pieces_of(text, wildcards=True, variables=False)), **how))


@pytest.mark.parametrize(
    ("language", "patterns", "without"),
    [
        (literal("b", "a"), ("a", "b"), ()),
        (union([like("a*"), literal("ab", "c")]), ("a*", "c"), ()),
        (union([like("a*"), like("ab*"), like("*b")]), ("*b", "a*"), ()),
        (difference(like("a*"), literal("ab", "zz")), ("a*",), ("ab",)),
        (difference(like("a*"), like("*b")), ("a*",), ("*b",)),
        (difference(like("a*"), like("b*")), ("a*",), ()),
        (difference(union([like("a*"), like("c*")]), union([like("*b"), literal("cd")])), ("a*", "c*"), ("*b", "cd")),
        (intersection([like("a*"), like("*b")]), ("a*b",), ()),
        (intersection([like("*a"), like("?b*")]), ("?b*a",), ()),
        (intersection([like("*ab*"), like("*bc*")]), ("*ab*bc*", "*abc*", "*bc*ab*"), ()),
        (intersection([like("a?c"), like("?b?")]), ("abc",), ()),
        (intersection([like("a"), like("b")]), (), ()),
        (complement(like("a*")), ("*",), ("a*",)),
        (union([difference(like("a*"), literal("ab")), like("c*")]), ("a*", "c*"), ("ab",)),
        (union([difference(like("a*"), like("*b")), like("c*")]), ("a*", "c*"), ("a*b",)),
        (union([difference(like("a*"), like("b*")), like("c*")]), ("a*", "c*"), ()),
        (literal("a*b?", "${x}", "$x"), ("$x", "${$}{x}", "a${*}b${?}"), ()),
        (like("arn:aws:s3:::b/*", arn=True), ("arn:aws:s3:::b/*",), ()),
        (EVERYTHING, ("*",), ()),
        (union([]), (), ()),
    ],
)
def test_patterns_and_what_is_taken_out_of_them(language, patterns, without):
    spelling = spell(language)
    assert (spelling.patterns, spelling.without, spelling.exact) == (patterns, without, True)


@pytest.mark.parametrize(
    ("language", "patterns"),
    [
        (union([difference(like("a*"), literal("ab")), like("*c")]), ("*c", "a*")),
        (union([difference(like("a*"), like("*b")), like("*b*")]), ("*b*", "a*")),
        (like("arn:aws:*:eu:1:x", arn=True), ("arn:aws:*:eu:1:x",)),
    ],
)
def test_what_cannot_be_written_so_is_an_upper_bound(language, patterns):
    spelling = spell(language)
    assert spelling.patterns == patterns
    assert spelling.exact == (spelling.without != ())


def test_case_is_lower_in_subjects_and_said_elsewhere():
    language = like(PREFIX.upper() + "Shop:*", ignore_case=True)
    assert spell(language, "service-account").patterns == (PREFIX + "shop:*",)
    assert spell(language, "service-account").ignoring_case == ()
    assert spell(language).ignoring_case == spell(language).patterns


def test_what_no_cluster_can_mint_is_not_taken_out():
    language = difference(like(PREFIX + "*"), literal(PREFIX + "A:b", PREFIX + "a:b"))
    assert spell(language).without == (PREFIX + "A:b", PREFIX + "a:b")
    assert spell(difference(like(PREFIX + "*"), literal("x")), "service-account").without == ()


def test_hundreds_of_patterns_are_listed():
    names = tuple(f"{PREFIX}n{n}:*" for n in range(300))
    outs = tuple(f"*:x{n}" for n in range(30))
    spelling = spell(difference(union(map(like, names)), union(map(like, outs))), "service-account")
    assert (spelling.patterns, spelling.without, spelling.exact) == (tuple(sorted(names)), tuple(sorted(outs)), True)


def test_too_many_alternatives_are_not_written():
    language = intersection([union([like(f"*{a}{n}*") for n in range(20)]) for a in "abc"])
    assert (spell(language).patterns, spell(language).exact) == (("*",), False)
