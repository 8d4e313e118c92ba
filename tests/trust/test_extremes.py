"""Policies that somebody made to be hard end in an answer, or in the word that they are too complex."""

import sys
from itertools import product

import pytest

from irsa_doctor.model import Verdict
from irsa_doctor.trust import decide, spell
from irsa_doctor.trust.automaton import BUDGET, TooComplex, shape_of
from irsa_doctor.trust.languages import EVERYTHING, Like, complement, contains, intersection, literal, union
from irsa_doctor.trust.operators import fold, spellings
from irsa_doctor.trust.patterns import Glob, Variable, Wild, glob_of, pieces_of, widest
from irsa_doctor.trust.subjects import AnyText, Reach, is_subject, reach_of
from tests.trust.asking import API, AUD, PROVIDER, STS, SUB, admit, deny, policy, policy_of_text, statement, token

PREFIX = "system:serviceaccount:"


def matches(pattern: str, text: str) -> bool:
    return Glob(widest(pieces_of(pattern, wildcards=True, variables=False))).matches(text)


def each(pattern: str, number: int) -> list[str]:
    return [pattern.replace("#", str(n)) for n in range(number)]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("ab*ba", "aba", False),
        ("*a?b*", "aaxb", True),
        ("*a?b*", "axxb", False),
        ("*?a?*", "ba", False),
        ("*a??b", "aaxxb", True),
        ("a?*?b", "axb", False),
        ("a?*?b", "axyb", True),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "aab", False),
    ],
)
def test_pieces_between_stars_do_not_overlap(pattern, text, expected):
    assert matches(pattern, text) is expected


# ---- matching one text: linear or nearly so, never exponential


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*a" * 30, "a" * 5000, True),
        ("*a" * 30 + "*b", "a" * 5000, False),
        ("a*" * 2000 + "b", "a" * 5000, False),
        ("*" * 5000 + "b", "a" * 5000, False),
        ("?" * 5000, "a" * 5000, True),
        ("?" * 5001, "a" * 5000, False),
        ("*?a" * 200, "ba" * 200, True),
        ("*" + "a?" * 500 + "b*", "a" * 5000, False),
        ("*" + "a" * 500 + "b*" + "a" * 500, "a" * 5000, False),
    ],
)
def test_stars_do_not_multiply(pattern, text, expected):
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    "text", ["${" * 100_000, "${a" + " " * 100_000 + ",'" + " " * 100_000, "*?" * 100_000, "${*}" * 50_000]
)
def test_long_values_are_taken_apart_in_time(text):
    assert pieces_of(text, wildcards=True, variables=True)
    assert pieces_of(text, wildcards=True, variables=False)


def test_a_variable_with_much_space_is_a_variable():
    assert pieces_of("${ a , ' b ' }", wildcards=False, variables=True) == (Variable("a", " b "),)


def test_an_arn_pattern_with_many_stars():
    glob = Glob(widest(pieces_of("arn:" + "*a" * 200 + ":*:*:*:" + "*b" * 200, wildcards=True, variables=False)), arn=True)
    assert not glob.matches("arn:" + "a" * 1000 + ":x:y:z:" + "b" * 199)


# ---- whole policies


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([statement({"StringLike": {SUB: "*a" * 30}})], "namespaces"),
        ([statement({"StringLike": {SUB: "*a" * 30 + "*"}}), deny({"StringLike": {SUB: "*a" * 29 + "*"}})], "nobody"),
        ([statement({"StringLike": {SUB: each(PREFIX + "ns#:*", 500)}})], "namespaces"),
        ([statement({"StringLike": {SUB: each(PREFIX + "*-#:*", 500)}})], "namespaces"),
        ([statement({"StringLike": {SUB: [PREFIX + "a:*", *each(PREFIX + "a:b#", 150)]}})], "namespace"),
        ([statement({"StringEquals": {SUB: each(PREFIX + "a:b#", 20_000)}})], "several"),
        ([statement({"StringEquals": {SUB: PREFIX + "a:b", AUD: aud}}) for aud in each("aud#", 300)], "one"),
        ([statement({"StringNotLike": {SUB: [f"*{a}{b}*" for a in "abcdefgh" for b in "abcdefgh"]}})], "nobody"),
        (
            [statement(), deny({"StringLike": {SUB: [PREFIX + f"{a}*" for a in "abcdefghijklmnopqrstuvwxyz0123456789"]}})],
            "nobody",
        ),
    ],
)
def test_what_is_only_large_is_answered(statements, expected):
    assert admit(*statements).reach.scope == expected


HARD = {
    "the twentieth character before the end": [
        statement({"StringLike": {SUB: "*a" + "?" * 24}}),
        deny({"StringLike": {SUB: "*b" + "?" * 23}}),
    ],
    "every order of many parts": [
        statement({"StringLike": {SUB: [f"*{a}*{b}*{c}*{d}*e" for a, b, c, d in product("abcd", repeat=4)]}}),
        deny({"StringLike": {SUB: [f"*{a}*{b}*{c}*{d}*f*" for a, b, c, d in product("abcd", repeat=4)]}}),
    ],
    "five hundred on either side": [
        statement({"StringLike": {SUB: each("*#*x#*", 500)}}),
        deny({"StringLike": {SUB: each("*#*y#*", 500)}}),
    ],
    "a pattern longer than any policy": [statement({"StringLike": {SUB: "*" + "a?" * 100_000 + "*"}})],
}


@pytest.mark.parametrize("statements", HARD.values(), ids=HARD)
def test_what_is_too_complex_is_said_to_be(statements):
    found = admit(*statements)
    assert (found.reach.scope, found.reach.witness) == (None, None)
    assert found.verdict(PREFIX + "a:b", STS) != Verdict.UNKNOWN
    assert contains(found.subjects, API) == found.admits(API, STS)
    spell(found.subjects, "service-account")


@pytest.mark.parametrize(
    "statements",
    [
        [statement({"StringLike": {AUD: f"*{n}*", SUB: f"{PREFIX}ns{n}:*"}}) for n in range(20)],
        [
            *(statement({"StringEquals": {AUD: f"a{n}"}, "StringLike": {SUB: f"{PREFIX}ns{n}:*"}}) for n in range(300)),
            *(deny({"StringEquals": {AUD: f"a{n}"}, "StringLike": {SUB: f"{PREFIX}ns{n}:a*"}}) for n in range(300)),
        ],
    ],
)
def test_too_many_kinds_of_audiences_are_too_complex_and_not_forgotten(statements):
    found = admit(*statements)
    assert found.too_complex
    assert found.reach.scope is None
    assert len(found.cells) == 1
    for number in (0, 7, 19):
        assert found.admits(f"{PREFIX}ns{number}:b", f"a{number}")
        assert found.verdict(f"{PREFIX}ns{number}:b", f"a{number}") == Verdict.PASS
    assert found.verdict(f"{PREFIX}other:b", "a0") == Verdict.FAIL


def test_an_upper_bound_of_what_is_too_complex_leaves_nobody_out():
    names = "aud"
    statements = [statement({"StringLike": {AUD: f"*{n}*", SUB: f"{PREFIX}ns{n}:*"}}) for n in range(20)]
    found = admit(*statements, deny({"StringLike": {SUB: "*:bad"}}))
    request = token(sub=f"{PREFIX}ns3:b", aud=names + "3")
    assert decide(policy(*statements), request).outcome == "allow"
    assert found.admits(f"{PREFIX}ns3:b", names + "3")
    assert found.verdict(f"{PREFIX}ns3:bad", names + "3") == Verdict.FAIL


def test_the_budget_is_spent_on_steps_not_on_time():
    language = Like(Glob(widest(pieces_of("*a" + "?" * 12, wildcards=True, variables=False))))
    assert shape_of(language, AnyText(), BUDGET).count is None
    with pytest.raises(TooComplex):
        shape_of(language, AnyText(), 100)


def test_thousands_of_statements_are_read_and_asked():
    found = policy(*(statement({"StringEquals": {SUB: subject}}) for subject in each(PREFIX + "a:b#", 3000)))
    assert decide(found, token(sub=PREFIX + "a:b2999")).outcome == "allow"


def with_condition(condition: str) -> str:
    head = f'"Effect": "Allow", "Principal": {{"Federated": "{PROVIDER}"}}, "Action": "sts:AssumeRole*"'
    return f'{{"Statement": [{{{head}, "Condition": {condition}}}]}}'


@pytest.mark.parametrize("depth", [50, 99, 5000])
def test_a_document_nested_deeply_is_refused(depth):
    nested = '{"StringEquals":' * depth + '{"a": "b"}' + "}" * depth
    assert policy_of_text(with_condition(nested)).refused


@pytest.mark.parametrize("number", ["1" * 5000, "1e999", "-0", "1E-400", "123456789012345678901234567890"])
def test_numbers_of_any_size_are_values(number):
    found = policy_of_text(with_condition(f'{{"NumericEquals": {{"aws:EpochTime": {number}}}}}'))
    assert not found.refused
    assert decide(found, token(aws_EpochTime="5")).outcome == "implicit_deny"


# ---- characters beyond ASCII


def test_case_is_folded_alike_in_matching_and_in_automata():
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if char.isascii() or fold(char).isascii():
            assert char in spellings(fold(char)) or not char.isalpha(), code
    assert spellings("k") == ("K", "k", "\N{KELVIN SIGN}")
    assert set(spellings("\u00e5")) == {"\u00c5", "\u00e5", "\N{ANGSTROM SIGN}"}
    assert spellings("1") == ("1",)


@pytest.mark.parametrize("char", ["\u00df", "\u0130", "\u01c5", "\ufb01", "\U0001f600"])
def test_folding_keeps_the_length(char):
    assert len(fold(char * 3)) == 3


def test_a_character_beyond_the_basic_plane_is_two_units():
    assert matches("??", "\U0001f600")
    assert not matches("?", "\U0001f600")
    assert matches("*\U0001f600?", "a\U0001f600b")


def test_what_languages_have_in_common_is_compared_in_units_too():
    both = intersection((literal("\U0001f600"), Like(glob_of((Wild.ONE, Wild.ONE)))))
    assert reach_of(both, "text").witness == "\U0001f600"
    left = intersection((Like(glob_of(("\U0001f600", Wild.MANY))), Like(glob_of((Wild.ONE, Wild.ONE)))))
    assert reach_of(left, "text") == Reach("one", "\U0001f600")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (API, True),
        (PREFIX + "a:b.c-d.e", True),
        (PREFIX + "a:b..c", False),
        (PREFIX + "a.b:c", False),
        (PREFIX + "-a:b", False),
        (PREFIX + "a:b-", False),
        (PREFIX + "A:b", False),
        (PREFIX + "a:", False),
        (PREFIX + "a:b:c", False),
        (PREFIX + "a:b\n", False),
        ("system:serviceaccounts:a:b", False),
        ("", False),
    ],
)
def test_what_a_cluster_can_mint(subject, expected):
    assert is_subject(subject) is expected
    assert contains(union([literal(subject), complement(EVERYTHING)]), subject)
