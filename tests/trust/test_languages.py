"""The simplest form of a set is found where that is plain to see."""

import pytest

from irsa_doctor.trust.languages import (
    EVERYTHING,
    NOTHING,
    All,
    Any,
    Like,
    Not,
    complement,
    difference,
    intersection,
    literal,
    union,
)
from irsa_doctor.trust.patterns import Glob, pieces_of, widest

A, B, C = (Like(Glob(widest(pieces_of(text, wildcards=True, variables=False)))) for text in ("a*", "*b", "c?"))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (union([]), NOTHING),
        (union([A]), A),
        (union([A, A]), A),
        (union([A, EVERYTHING, B]), EVERYTHING),
        (union([NOTHING, A]), A),
        (union([literal("x"), literal("y")]), literal("x", "y")),
        (union([literal("ab", "x"), A]), Any((literal("x"), A))),
        (union([literal("ab"), A]), A),
        (union([union([A, B]), C]), Any((A, B, C))),
        (intersection([]), EVERYTHING),
        (intersection([A]), A),
        (intersection([A, EVERYTHING]), A),
        (intersection([A, A]), A),
        (intersection([A, NOTHING]), NOTHING),
        (intersection([A, literal("ab", "x")]), literal("ab")),
        (intersection([literal("x"), literal("x", "y")]), literal("x")),
        (intersection([intersection([A, B]), C]), All((A, B, C))),
        (complement(A), Not(A)),
        (complement(complement(A)), A),
        (complement(EVERYTHING), NOTHING),
        (difference(A, NOTHING), A),
        (difference(literal("ab", "x"), A), literal("x")),
        (difference(EVERYTHING, A), Not(A)),
        (difference(A, EVERYTHING), NOTHING),
    ],
)
def test_the_form_of_a_set(found, expected):
    assert found == expected
