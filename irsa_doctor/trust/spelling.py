"""How a language is written for people and programs: patterns that admit, and patterns that are taken out again."""

from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce

import msgspec

from irsa_doctor.issuers import SubjectGrammar
from irsa_doctor.trust.languages import (
    NOTHING,
    All,
    Any,
    Finite,
    Language,
    Like,
    Not,
    complement,
    intersection,
    literal,
    union,
)
from irsa_doctor.trust.operators import fold
from irsa_doctor.trust.patterns import Glob, PatternToken, Plain, Wild, arn_components, glob_of, merged_pieces, text_of_units
from irsa_doctor.trust.subjects import reach_of

_TERMS = 64
"""alternatives, and patterns of an intersection, that are still written out"""
_MOST = 1_000
"""alternatives that need no more than to be listed"""
_CELLS = 20_000
"""product of the lengths of two patterns whose intersection is still written out"""
_QUESTIONS = 200
_QUESTION_BUDGET = 5_000


class Spelling(msgspec.Struct, frozen=True):
    """What matches one of `patterns` and none of `without`, both sorted; an upper bound of the language unless `exact`.

    `*` and `?` are wildcards, `${*}`, `${?}` and `${$}` the characters themselves, as in policies. `ignoring_case` are
    those among the patterns that match in any spelling.
    """

    patterns: tuple[str, ...]
    without: tuple[str, ...] = ()
    exact: bool = True
    ignoring_case: tuple[str, ...] = ()


class _TooMany(Exception):
    """More alternatives than a reader takes in."""


class _Term(msgspec.Struct, frozen=True):
    """What is in all of `within` and in none of `out`."""

    within: tuple[Language, ...] = ()
    out: tuple[Language, ...] = ()

    @property
    def language(self) -> Language:
        """The term as a language."""
        return intersection((*self.within, *map(complement, self.out)))

    @property
    def alternatives(self) -> Language:
        """The same once it is written: then any of `within` will do."""
        return intersection((union(self.within), *map(complement, self.out)))


@lru_cache(maxsize=256)
def spell(language: Language, grammar: SubjectGrammar = "text") -> Spelling:
    """Write a language down. Of service accounts only subjects that a cluster can mint matter, which are in lower case."""
    try:
        return _Writer(grammar).spelling(_terms(language))
    except _TooMany:
        return Spelling(("*",), exact=False)


class _Writer:
    """Writes one language. Whether two parts overlap is computed with automata, so not often."""

    def __init__(self, grammar: SubjectGrammar) -> None:
        self.grammar = grammar
        self.questions = _QUESTIONS

    def spelling(self, alternatives: Sequence[_Term]) -> Spelling:
        written = [_written(term, self.grammar) for term in alternatives]
        terms = [term for term, _ in written]
        exact = all(sure for _, sure in written)
        without, all_taken = self.taken_out_of(terms)
        patterns = _widest(part for term in terms for part in term.within)
        named = _widest(without)
        # the same text cannot mean two things
        texts, ignoring_case = _texts(patterns), _ignoring_case(patterns)
        without = [part for part in named if _texts((part,)) & ignoring_case == _ignoring_case((part,)) & texts]
        return Spelling(
            tuple(sorted(texts)),
            tuple(sorted(_texts(without))),
            exact and all_taken and len(without) == len(named),
            tuple(sorted(ignoring_case | _ignoring_case(without))),
        )

    def is_nothing(self, *parts: Language) -> bool:
        """Whether languages certainly have nothing in common."""
        together = intersection(parts)
        if not isinstance(together, Finite):
            self.questions -= 1 + sum(len(part.parts) for part in parts if isinstance(part, Any | All)) // 16
            if self.questions < 0:
                return False
        return reach_of(together, self.grammar, _QUESTION_BUDGET).scope == "nobody"

    def taken_out_of(self, terms: Sequence[_Term]) -> tuple[list[Language], bool]:
        """The parts to name as excluded, and whether these are all: no other alternative admits them again."""
        whole = union(part for term in terms for part in term.within)
        shared = set(terms[0].out).intersection(*(term.out for term in terms)) if terms else set()
        in_order = [out for out in terms[0].out if out in shared] if terms else []
        without = [narrowed for out in in_order if not self.is_nothing(narrowed := _narrowed(out, whole), whole)]
        rest = [(out, n) for n, term in enumerate(terms) for out in term.out if out not in shared]
        if len(rest) * len(terms) > _QUESTIONS * _TERMS:
            return without, False
        taken = [self.taken_out(out, terms[n], [*terms[:n], *terms[n + 1 :]]) for out, n in rest]
        return [*without, *(part for parts in taken for part in parts or ())], None not in taken

    def taken_out(self, out: Language, term: _Term, others: Iterable[_Term]) -> list[Language] | None:
        """What to name as taken out of a term, where no other lets it in again; None where one does."""
        within = union(term.within)
        narrowed = _narrowed(out, within)
        if self.is_nothing(narrowed, within):
            return []
        again = [other for other in others if out not in other.out]
        if all(self.is_nothing(narrowed, other.alternatives) for other in again):
            return [narrowed]
        narrower: list[Language] = []
        for pattern in term.within:
            common = _common([pattern], out)
            if common is None:
                return None
            narrower += common
        if all(self.is_nothing(part, other.alternatives) for other in again for part in narrower):
            return narrower
        return None


def _terms(language: Language, negated: bool = False) -> list[_Term]:
    """Alternatives whose union the language is."""
    if isinstance(language, Not):
        return _terms(language.inner, not negated)
    if isinstance(language, Any | All):
        parts = [_terms(part, negated) for part in language.parts]
        if isinstance(language, Any) is not negated:
            return _counted(term for part in parts for term in part)
        return reduce(_product, parts, [_Term()])
    if language == NOTHING:
        return [_Term()] if negated else []
    return [_Term(out=(language,))] if negated else [_Term(within=(language,))]


def _counted(terms: Iterable[_Term]) -> list[_Term]:
    counted: list[_Term] = []
    for term in terms:
        counted.append(term)
        if len(counted) > _MOST:
            raise _TooMany
    return counted


def _product(terms: Sequence[_Term], more: Sequence[_Term]) -> list[_Term]:
    if len(terms) > 1 < len(more) and len(terms) * len(more) > _TERMS:
        raise _TooMany
    return _counted(_both(term, other) for term in terms for other in more)


def _narrowed(language: Language, within: Language) -> Language:
    """Literals without those that are outside; a pattern as it is."""
    return intersection((language, within)) if isinstance(language, Finite) else language


def _both(term: _Term, other: _Term) -> _Term:
    return _Term(_distinct((*term.within, *other.within)), _distinct((*term.out, *other.out)))


def _distinct(languages: Iterable[Language]) -> tuple[Language, ...]:
    return tuple(dict.fromkeys(languages))


def _written(term: _Term, grammar: SubjectGrammar) -> tuple[_Term, bool]:
    """A term as alternatives of patterns (in `within`) and what is taken out of them; whether these are exact."""
    finite = [part for part in term.within if isinstance(part, Finite)]
    if finite:
        return _Term((intersection((*finite, term.language)),)), True
    exact = True
    out: list[Language] = []
    for part in term.out:
        plain, same = _plain(part, grammar)
        if same:
            out.append(plain)
        exact &= same
    patterns: list[Language] = [Like(glob_of((Wild.MANY,)))]
    for part in term.within:
        plain, same = _plain(part, grammar)
        narrower = _common(patterns, plain)
        if narrower is not None:
            patterns = narrower
        exact = exact and same and narrower is not None
    return _Term(tuple(patterns), tuple(out)), exact


def _plain(language: Language, grammar: SubjectGrammar) -> tuple[Language, bool]:
    """A literal or pattern in which wildcards mean what they mean to readers (at least), whether it is still the same."""
    if not isinstance(language, Like):
        return language, True
    glob = language.glob
    if glob.ignore_case and grammar != "text":
        return Like(glob_of(joined_plain(fold(p) if isinstance(p, str) else p for p in glob.pieces))), True
    if not glob.arn:
        return language, True
    *head, _ = arn_components(glob.pieces) or ((),)
    same = not any(isinstance(piece, Wild) for component in head for piece in component)
    return Like(glob_of(glob.pieces)), same


def joined_plain(pieces: Iterable[Plain]) -> tuple[Plain, ...]:
    """`merged_pieces` for pieces without variables."""
    merged = merged_pieces(pieces)
    return tuple(text_of_units(piece) if isinstance(piece, str) else piece for piece in merged if isinstance(piece, str | Wild))


def _common(patterns: Sequence[Language], other: Language) -> list[Language] | None:
    """What some patterns and another have in common, as patterns; None where it cannot be written, or would be too long."""
    common: dict[Language, None] = {}
    for pattern in patterns:
        if pattern in (other, Like(glob_of((Wild.MANY,)))):
            common[other] = None
            continue
        globs = [part.glob for part in (pattern, other) if isinstance(part, Like) and not part.glob.ignore_case]
        if len(globs) < 2:
            return None
        try:
            common |= dict.fromkeys(_Shuffle(globs[0], globs[1]).patterns())
        except _TooMany:
            return None
    return _widest(common) if len(common) <= _TERMS else None


class _Shuffle:
    """The patterns that together match what two patterns both match: stars of the one take in pieces of the other."""

    def __init__(self, first: Glob, other: Glob) -> None:
        self.first, self.other = first.tokens(), other.tokens()
        if len(self.first) * len(self.other) > _CELLS:
            raise _TooMany
        self.known: dict[tuple[int, int], frozenset[tuple[PatternToken, ...]]] = {}

    def patterns(self) -> list[Language]:
        for n in range(len(self.first), -1, -1):
            for m in range(len(self.other), -1, -1):
                ways = frozenset(self.rest(n, m))
                if len(ways) > _TERMS:
                    raise _TooMany
                self.known[n, m] = ways
        return [_language(joined_plain(tokens)) for tokens in sorted(self.known[0, 0], key=str)]

    def rest(self, n: int, m: int) -> Iterable[tuple[PatternToken, ...]]:
        """Ways to match the rest of both, from positions n and m; those of later positions are known."""
        if n == len(self.first) and m == len(self.other):
            return [()]
        a = self.first[n] if n < len(self.first) else None
        b = self.other[m] if m < len(self.other) else None
        ways: list[tuple[PatternToken, ...]] = []
        if a is Wild.MANY:
            # it matches nothing, or whatever comes next in the other
            ways += self.known[n + 1, m]
            ways += self.after(b, n, m + 1)
        if b is Wild.MANY:
            ways += self.known[n, m + 1]
            ways += self.after(a, n + 1, m)
        if a and b and Wild.MANY not in (a, b) and (a == b or Wild.ONE in (a, b)):
            ways += self.after(b if a is Wild.ONE else a, n + 1, m + 1)
        return ways

    def after(self, token: PatternToken | None, n: int, m: int) -> list[tuple[PatternToken, ...]]:
        if token is None:
            return []
        return [rest if token is Wild.MANY is (rest[0] if rest else None) else (token, *rest) for rest in self.known[n, m]]


def _language(pieces: tuple[Plain, ...]) -> Language:
    if any(isinstance(piece, Wild) for piece in pieces):
        return Like(glob_of(pieces))
    return literal("".join(map(str, pieces)))


def _widest(languages: Iterable[Language]) -> list[Language]:
    """The languages without those that another one visibly contains."""
    parts = list(dict.fromkeys(languages))
    if len(parts) <= _TERMS:
        globs = [(part, part.glob) for part in parts if isinstance(part, Like)]
        covered = {part for part, glob in globs for other, wide in globs if other != part and _covers(wide, glob)}
        parts = [part for part in parts if part not in covered]
    together = union(parts)
    if together == NOTHING:
        return []
    return list(together.parts) if isinstance(together, Any) else [together]


def _covers(wide: Glob, narrow: Glob) -> bool:
    """Whether a pattern, read as text, matches another, and so matches all that this one does."""
    if wide.arn or narrow.arn or (narrow.ignore_case and not wide.ignore_case):
        return False
    tokens, text = ([_folded(token, wide.ignore_case) for token in glob.tokens()] for glob in (wide, narrow))
    at = position = 0
    star, mark = -1, 0
    while position < len(text):
        token = tokens[at] if at < len(tokens) else None
        if token is Wild.MANY:
            star, mark = at, position
            at += 1
        elif token == text[position] or (token is Wild.ONE and text[position] is not Wild.MANY):
            at, position = at + 1, position + 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return all(token is Wild.MANY for token in tokens[at:])


def _folded(token: PatternToken, ignore_case: bool) -> PatternToken:
    return fold(token) if ignore_case and isinstance(token, str) else token


def _texts(languages: Iterable[Language]) -> set[str]:
    texts: set[str] = set()
    for language in languages:
        if isinstance(language, Finite):
            texts |= {_text((value,)) for value in language.values}
        elif isinstance(language, Like):
            texts.add(_text(language.glob.pieces))
    return texts


def _ignoring_case(languages: Iterable[Language]) -> set[str]:
    return {_text(part.glob.pieces) for part in languages if isinstance(part, Like) and part.glob.ignore_case}


def _text(pieces: Sequence[Plain]) -> str:
    """A pattern as a policy writes it."""
    return "".join(_escaped(piece) if isinstance(piece, str) else piece.value[0] for piece in pieces)


def _escaped(text: str) -> str:
    return text.replace("${", "${$}{").replace("*", "${*}").replace("?", "${?}")
