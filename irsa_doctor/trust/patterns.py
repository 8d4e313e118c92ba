"""Patterns: what one value of a string or ARN condition matches.

A value is literal text, wildcards, and policy variables whose value comes from the request. Wildcards are matched by
simulation, never by `re`: a dozen stars would hang it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache

import msgspec

from irsa_doctor.model import Hole, Text


class Wild(Enum):
    """What stands for characters that are not named."""

    MANY = "*"
    """any sequence, the empty one too"""
    ONE = "?"
    """exactly one character"""
    MANY_IN = "* within a component"
    """any sequence without a colon"""
    ONE_IN = "? within a component"
    """one character but a colon"""


class Variable(msgspec.Struct, frozen=True):
    """`${key}` or `${key, 'default'}`; the key in lower case (V1, V4)."""

    key: str
    default: str | None = None


Piece = str | Wild | Variable | Hole
Token = str | Wild
"""a single literal character, or a wildcard"""

_MARKUP = re.compile(r"\$\{([^}]*)\}|[*?]", re.DOTALL)
_DEFAULT = re.compile(r"\s*([^,]*?)\s*,\s*'(.*)'\s*", re.DOTALL)


def _variable(inner: str) -> Piece:
    if inner in ("*", "?", "$"):
        return inner
    if match := _DEFAULT.fullmatch(inner):
        return Variable(match[1].lower(), match[2])
    return Variable(inner.strip().lower())


def _pieces_of_str(text: str, *, wildcards: bool, variables: bool) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for match in _MARKUP.finditer(text):
        found = match[0]
        piece: Piece
        if found in ("*", "?"):
            if not wildcards:
                continue
            piece = Wild.MANY if found == "*" else Wild.ONE
        elif variables:
            piece = _variable(match[1])
        elif wildcards and any(c in found for c in "*?"):
            # version 2008: "${*}" is the text "${", a wildcard, "}" (V6)
            inner = [Wild.MANY if c == "*" else Wild.ONE if c == "?" else c for c in found]
            pieces += [text[at : match.start()], *inner]
            at = match.end()
            continue
        else:
            continue
        pieces += [text[at : match.start()], piece]
        at = match.end()
    pieces.append(text[at:])
    return pieces


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        if piece == "":
            continue
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece is Wild.MANY and joined and joined[-1] is Wild.MANY:
            continue
        else:
            joined.append(piece)
    return tuple(joined)


@lru_cache(maxsize=65536)
def pieces_of(value: str | Text, *, wildcards: bool, variables: bool) -> tuple[Piece, ...]:
    """A policy value taken apart. `wildcards` for the ...Like operators, `variables` for version 2012-10-17."""
    if isinstance(value, str):
        if "$" not in value and not (wildcards and ("*" in value or "?" in value)):
            return (value,) if value else ()
        return _joined(_pieces_of_str(value, wildcards=wildcards, variables=variables))
    pieces: list[Piece] = []
    for part in value.parts:
        pieces += [part] if isinstance(part, Hole) else _pieces_of_str(part, wildcards=wildcards, variables=variables)
    return _joined(pieces)


def resolve(pieces: Sequence[Piece], lookup: Callable[[Variable], str | None]) -> tuple[Piece, ...] | None:
    """The pieces with every variable replaced by its value, as literal text (V5); None where one has no value (V2)."""
    resolved: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Variable):
            value = lookup(piece)
            if value is None:
                return None
            resolved.append(value)
        else:
            resolved.append(piece)
    return _joined(resolved)


class Glob(msgspec.Struct, frozen=True):
    """A pattern without variables: literal text and wildcards."""

    pieces: tuple[str | Wild, ...]
    ignore_case: bool = False
    arn: bool = False
    """Compared as an ARN: wildcards stay within one of six components (the last may contain colons)."""

    def __str__(self) -> str:
        return "".join(piece if isinstance(piece, str) else piece.value[0] for piece in self.pieces)

    def matches(self, text: str) -> bool:
        """Whether the whole text fits."""
        if self.arn:
            return _matches_arn(self.pieces, text)
        if self.ignore_case:
            from irsa_doctor.trust.operators import fold

            return _matches(tuple(fold(p) if isinstance(p, str) else p for p in self.pieces), fold(text))
        return _matches(self.pieces, text)

    def tokens(self) -> tuple[Token, ...]:
        """One token a character, for automata; empty wildcards of ARN components already bounded."""
        if self.arn:
            return _arn_tokens(self.pieces)
        return tuple(token for piece in self.pieces for token in (piece if isinstance(piece, str) else (piece,)))


def _matches(pieces: tuple[str | Wild, ...], text: str) -> bool:
    """Two pointers: after a mismatch only the last star can take one character more."""
    tokens: list[Token] = []
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return text == pieces[0]
    if pieces and isinstance(pieces[0], str):
        if not text.startswith(pieces[0]):
            return False
        text, pieces = text[len(pieces[0]) :], pieces[1:]
        if pieces == (Wild.MANY,):
            return True
    for piece in pieces:
        tokens += piece if isinstance(piece, str) else (piece,)
    t = p = 0
    star = mark = -1
    while t < len(text):
        if p < len(tokens) and tokens[p] is Wild.MANY:
            star, mark = p, t
            p += 1
        elif p < len(tokens) and (tokens[p] is Wild.ONE or tokens[p] == text[t]):
            p, t = p + 1, t + 1
        elif star >= 0:
            mark += 1
            p, t = star + 1, mark
        else:
            return False
    return all(token is Wild.MANY for token in tokens[p:])


def _arn_components(pieces: Sequence[str | Wild]) -> list[tuple[str | Wild, ...]] | None:
    """Six components of an ARN pattern, split at the first five literal colons; None where it is no ARN."""
    components: list[list[str | Wild]] = [[]]
    for piece in pieces:
        if isinstance(piece, Wild):
            components[-1].append(piece)
            continue
        head, *rest = piece.split(":", 6 - len(components))
        components[-1].append(head)
        components += [[part] for part in rest]
    if len(components) != 6:
        return None
    return [tuple(piece for piece in component if piece != "") for component in components]


def _matches_arn(pieces: Sequence[str | Wild], text: str) -> bool:
    patterns, values = _arn_components(pieces), text.split(":", 5)
    if patterns is None or len(values) != 6 or values[0] != "arn":
        return False
    return all(_matches(pattern, value) for pattern, value in zip(patterns, values, strict=True))


def _arn_tokens(pieces: Sequence[str | Wild]) -> tuple[Token, ...]:
    components = _arn_components(pieces)
    assert components is not None
    within = {Wild.MANY: Wild.MANY_IN, Wild.ONE: Wild.ONE_IN}
    tokens: list[Token] = []
    for n, component in enumerate(components):
        for piece in component:
            if isinstance(piece, str):
                tokens += piece
            else:
                tokens.append(piece if n == 5 else within[piece])
        if n < 5:
            tokens.append(":")
    return tuple(tokens)


def is_arn_pattern(pieces: Sequence[Piece]) -> bool:
    """Whether a resolved pattern has the six components of an ARN."""
    return _arn_components([piece for piece in pieces if isinstance(piece, str | Wild)]) is not None
