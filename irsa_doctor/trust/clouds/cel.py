"""Reads the part of CEL in which attribute conditions of workload identity pools are written.

The language is https://github.com/google/cel-spec; what is not read here is unknown, never taken for nothing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")"
    r"|(?P<sign>&&|\|\||==|!=|[!().,\[\]]))"
)
_LONGEST = 4096
"""characters of a condition that Google Cloud accepts"""
_DEEP = 32
_METHODS = ("startsWith", "endsWith", "contains")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class TokenAttribute(msgspec.Struct, frozen=True):
    """A claim of the token (`assertion.X`), or an attribute (`google.X`, `attribute.X`)."""

    of: str
    name: str


class Literals(msgspec.Struct, frozen=True):
    """The values of a literal, one, or those of a list."""

    values: tuple[str | bool | float | None, ...]


class ClaimComparison(msgspec.Struct, frozen=True):
    """A claim compared with literals."""

    operator: Literal["==", "!=", "in", "startsWith", "endsWith", "contains"]
    claim: TokenAttribute
    literals: Literals


class Junction(msgspec.Struct, frozen=True):
    """Conditions of which all (`&&`) or one (`||`) must hold, or one must not (`!`)."""

    operator: Literal["&&", "||", "!"]
    parts: tuple["CelCondition", ...]


CelCondition = ClaimComparison | Junction


class _Unread(Exception):
    """The text has something that is not read."""


def read_condition(text: str) -> CelCondition | None:
    """The meaning of a condition, None where it has something that is not read."""
    if len(text) > _LONGEST:
        return None
    try:
        reader = _Reader(_tokens(text))
        condition = reader.alternatives(0)
    except _Unread:
        return None
    return condition if reader.is_at_end else None


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, end = [], 0
    stripped = text.rstrip()
    while end < len(stripped):
        match = _TOKEN.match(stripped, end)
        if match is None or match.lastgroup is None:
            raise _Unread
        tokens.append((match.lastgroup, match[match.lastgroup]))
        end = match.end()
    return tokens


class _Reader:
    """Reads tokens from left to right; every method leaves off behind what it has read."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._tokens)

    def _peek(self) -> tuple[str, str]:
        return ("", "") if self.is_at_end else self._tokens[self._at]

    def _take(self, *words: str) -> str:
        """The next word where it is one of these, else ""."""
        word = self._peek()[1]
        if word not in words or self._peek()[0] == "text":
            return ""
        self._at += 1
        return word

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise _Unread

    def alternatives(self, depth: int) -> CelCondition:
        if depth > _DEEP:
            raise _Unread
        parts = [self._conjunction(depth)]
        while self._take("||"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Junction("||", tuple(parts))

    def _conjunction(self, depth: int) -> CelCondition:
        parts = [self._single(depth)]
        while self._take("&&"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else Junction("&&", tuple(parts))

    def _single(self, depth: int) -> CelCondition:
        if self._take("!"):
            if depth > _DEEP:
                raise _Unread
            return Junction("!", (self._single(depth + 1),))
        if self._take("("):
            inside = self.alternatives(depth + 1)
            self._expect(")")
            return inside
        return self._comparison()

    def _comparison(self) -> CelCondition:
        if self._peek()[0] in ("text", "number") or self._peek()[1] in _WORDS:
            literals = Literals((self._literal(),))
            operator = self._take("==", "!=")
            if not operator:
                raise _Unread
            return ClaimComparison("==" if operator == "==" else "!=", self._claim()[0], literals)
        claim, method = self._claim()
        if method in _METHODS:
            literals = Literals((self._literal(),))
            self._expect(")")
            return msgspec.convert({"operator": method, "claim": claim, "literals": literals}, ClaimComparison)
        operator = self._take("==", "!=", "in")
        if not operator:
            raise _Unread
        literals = self._list() if operator == "in" else Literals((self._literal(),))
        return msgspec.convert({"operator": operator, "claim": claim, "literals": literals}, ClaimComparison)

    def _claim(self) -> tuple[TokenAttribute, str]:
        """A claim, and the method that is called on it, "" where none is."""
        of = self._take("assertion", "google", "attribute")
        if not of:
            raise _Unread
        if self._take("["):
            name = self._literal()
            self._expect("]")
        else:
            self._expect(".")
            name = self._name()
        if not isinstance(name, str):
            raise _Unread
        method = ""
        if self._take("."):
            method = self._name()
            self._expect("(")
        return TokenAttribute(of, name), method

    def _name(self) -> str:
        kind, word = self._peek()
        if kind != "name":
            raise _Unread
        self._at += 1
        return word

    def _literal(self) -> str | bool | float | None:
        kind, word = self._peek()
        self._at += 1
        if kind == "text":
            return word[1:-1]
        if kind == "number":
            return float(word)
        if kind == "name" and word in _WORDS:
            return _WORDS[word]
        raise _Unread

    def _list(self) -> Literals:
        self._expect("[")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._expect("]")
        return Literals(tuple(values))


def claim_comparisons(condition: CelCondition) -> Iterator[ClaimComparison]:
    """Every comparison in a condition."""
    if isinstance(condition, ClaimComparison):
        yield condition
        return
    for part in condition.parts:
        yield from claim_comparisons(part)


def always_holds(condition: CelCondition, *, of_texts: bool) -> bool | None:
    """Whether a condition is always true, or never, where all claims are texts (`of_texts`); None where it depends on them.

    Texts are never equal to a number or a boolean (https://github.com/google/cel-spec/blob/master/doc/langdef.md#equality).
    """
    if isinstance(condition, ClaimComparison):
        fits = any(isinstance(value, str) for value in condition.literals.values)
        if not of_texts or fits or condition.operator not in ("==", "!=", "in"):
            return None
        return condition.operator == "!="
    answers = [always_holds(part, of_texts=of_texts) for part in condition.parts]
    if condition.operator == "!":
        return None if answers[0] is None else not answers[0]
    decisive = condition.operator == "||"
    if decisive in answers:
        return decisive
    return None if None in answers else not decisive
