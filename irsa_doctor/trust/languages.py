"""Languages: sets of strings built from literals and patterns, and their properties.

A finite set of literals stays a set; only what has wildcards or complements becomes a formula over patterns, which
`automaton` can explore.
"""

from collections.abc import Iterable

import msgspec

from irsa_doctor.trust.patterns import Glob


class Finite(msgspec.Struct, frozen=True):
    """Exactly these strings."""

    values: frozenset[str]


class Like(msgspec.Struct, frozen=True):
    """What one pattern matches."""

    glob: Glob


class Not(msgspec.Struct, frozen=True):
    """Every string but these."""

    inner: "Language"


class Any(msgspec.Struct, frozen=True):
    """What at least one admits."""

    parts: tuple["Language", ...]


class All(msgspec.Struct, frozen=True):
    """What every one admits."""

    parts: tuple["Language", ...]


Language = Finite | Like | Not | Any | All

NOTHING = Finite(frozenset())
EVERYTHING = Not(NOTHING)


def literal(*values: str) -> Finite:
    """The language of these strings."""
    return Finite(frozenset(values))


def contains(language: Language, text: str) -> bool:
    """Whether the text is in the language."""
    if isinstance(language, Finite):
        return text in language.values
    if isinstance(language, Like):
        return language.glob.matches(text)
    if isinstance(language, Not):
        return not contains(language.inner, text)
    if isinstance(language, Any):
        return any(contains(part, text) for part in language.parts)
    return all(contains(part, text) for part in language.parts)


def complement(language: Language) -> Language:
    """Every string that is not in it."""
    return language.inner if isinstance(language, Not) else Not(language)


def union(languages: Iterable[Language]) -> Language:
    """What at least one of them admits; literals are gathered, and dropped where a pattern covers them."""
    languages = tuple(languages)
    if len(languages) == 1:
        return languages[0]
    literals: set[str] = set()
    rest: dict[Language, None] = {}
    for language in languages:
        for part in language.parts if isinstance(language, Any) else (language,):
            if isinstance(part, Finite):
                literals |= part.values
            elif part == EVERYTHING:
                return EVERYTHING
            else:
                rest[part] = None
    if not rest:
        return Finite(frozenset(literals))
    left = frozenset(value for value in literals if not any(contains(part, value) for part in rest))
    parts = (*((Finite(left),) if left else ()), *rest)
    return parts[0] if len(parts) == 1 else Any(parts)


def intersection(languages: Iterable[Language]) -> Language:
    """What all of them admit. With a finite one among them the answer is finite."""
    languages = tuple(languages)
    if len(languages) == 1:
        return languages[0]
    parts: dict[Language, None] = {}
    finite: frozenset[str] | None = None
    for language in languages:
        for part in language.parts if isinstance(language, All) else (language,):
            if isinstance(part, Finite):
                finite = part.values if finite is None else finite & part.values
            elif part != EVERYTHING:
                parts[part] = None
    if finite is not None:
        return Finite(frozenset(value for value in finite if all(contains(part, value) for part in parts)))
    if not parts:
        return EVERYTHING
    return next(iter(parts)) if len(parts) == 1 else All(tuple(parts))


def difference(language: Language, without: Language) -> Language:
    """What the first admits and the second does not."""
    return language if without == NOTHING else intersection((language, complement(without)))


def may_share(first: Language, second: Language) -> bool:
    """Whether two languages may have a text in common; patterns are not compared, only the texts that the second names."""
    return not isinstance(second, Finite) or any(contains(first, value) for value in second.values)
