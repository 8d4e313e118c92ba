"""Patterns: what one value of a string or ARN condition matches.

A value is literal text, wildcards, and policy variables whose value comes from the request. Wildcards are matched piece by
piece, never by `re`: a dozen stars would keep it busy without end.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import cached_property, lru_cache
from typing import TypeGuard

import msgspec

from irsa_doctor.model import Hole, Text
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.operators import fold


class Wild(Enum):
    """The sign for characters that are not named."""

    MANY = "*"
    """any sequence, the empty one too"""
    ONE = "?"
    """exactly one UTF-16 unit: most characters are one, those above U+FFFF two"""
    MANY_IN = "* within a component"
    """any sequence without a colon"""
    ONE_IN = "? within a component"
    """one unit but a colon"""


class Variable(msgspec.Struct, frozen=True):
    """`${key}` or `${key, 'default'}`; the key in lower case (V1, V4)."""

    key: str
    default: str | None = None


Plain = str | Wild
"""what a pattern is made of once its variables have their values"""
Piece = Plain | Variable | Hole
PatternToken = str | Wild
"""a single literal character, or a wildcard"""

_WILDCARD = regex(r"[*?]")
_MARKUP = regex(r"\$\{|[*?]")
_WILD = {"*": Wild.MANY, "?": Wild.ONE}


def _variable(inner: str) -> Piece:
    if inner in ("*", "?", "$"):
        return inner
    key, comma, rest = inner.partition(",")
    default = rest.strip()
    if comma and len(default) > 1 and default[0] == default[-1] == "'":
        return Variable(key.strip().lower(), default[1:-1])
    return Variable(inner.strip().lower())


def _pieces_of_str(text: str, *, wildcards: bool, variables: bool) -> list[Piece]:
    """Version 2008-10-17 has no variables: `${*}` is then the text `${`, a wildcard, `}` (V6)."""
    if not variables:
        return _split_at_wildcards(text) if wildcards else [text]
    pieces: list[Piece] = []
    done, at, last_brace = 0, 0, text.rfind("}")
    while match := _MARKUP.search(text, at):
        at = match.end()
        if match[0] != "${":
            if wildcards:
                pieces += [text[done : match.start()], _WILD[match[0]]]
                done = at
        elif at <= last_brace:
            # without a closing brace it stays text
            end = text.index("}", at)
            pieces += [text[done : match.start()], _variable(text[at:end])]
            done = at = end + 1
    pieces.append(text[done:])
    return pieces


def _split_at_wildcards(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    done = 0
    for match in _WILDCARD.finditer(text):
        pieces += [text[done : match.start()], _WILD[match[0]]]
        done = match.end()
    pieces.append(text[done:])
    return pieces


def merged_pieces(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same pieces, neighbouring texts as one, neighbouring stars as one."""
    together: list[Piece] = []
    run: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            run.append(piece)
            continue
        if text := "".join(run):
            together.append(text)
        run.clear()
        if piece is not Wild.MANY or not together or together[-1] is not Wild.MANY:
            together.append(piece)
    if text := "".join(run):
        together.append(text)
    return tuple(together)


@lru_cache(maxsize=1024)
def pieces_of(value: str | Text, *, wildcards: bool, variables: bool) -> tuple[Piece, ...]:
    """A policy value in pieces. `wildcards` for the ...Like operators, `variables` for version 2012-10-17."""
    if isinstance(value, str):
        if "$" not in value and not (wildcards and ("*" in value or "?" in value)):
            return (value,) if value else ()
        return merged_pieces(_pieces_of_str(value, wildcards=wildcards, variables=variables))
    pieces: list[Piece] = []
    for part in value.parts:
        pieces += [part] if isinstance(part, Hole) else _pieces_of_str(part, wildcards=wildcards, variables=variables)
    return merged_pieces(pieces)


def is_plain(pieces: tuple[Piece, ...]) -> TypeGuard[tuple[Plain, ...]]:
    """Whether nothing is left to be filled in."""
    return all(isinstance(piece, str | Wild) for piece in pieces)


def widest(pieces: Iterable[Piece]) -> tuple[Plain, ...]:
    """The pieces with a star for every variable and hole: an upper bound of what they can match."""
    merged = merged_pieces(piece if isinstance(piece, str | Wild) else Wild.MANY for piece in pieces)
    return tuple(piece for piece in merged if isinstance(piece, str | Wild))


def resolve(pieces: Iterable[Piece], lookup: Callable[[Variable], str | None]) -> tuple[Piece, ...] | None:
    """The pieces with every variable replaced by its value, as literal text (V5); None where one has no value (V2)."""
    resolved: list[Piece] = []
    for piece in pieces:
        value = lookup(piece) if isinstance(piece, Variable) else piece
        if value is None:
            return None
        resolved.append(value)
    return merged_pieces(resolved)


class _Run(msgspec.Struct, frozen=True):
    """The part between two stars: literal texts at their offsets; every other character may be anything."""

    length: int
    texts: tuple[tuple[int, str], ...]

    def fits(self, text: str, at: int) -> bool:
        return at >= 0 and at + self.length <= len(text) and all(text.startswith(part, at + n) for n, part in self.texts)

    def find(self, text: str, at: int, end: int) -> int:
        """The first offset from `at` at which it fits before `end`, -1 where it does not."""
        last = end - self.length
        if not self.texts:
            return at if at <= last else -1
        offset, longest = max(self.texts, key=lambda part: len(part[1]))
        while (found := text.find(longest, at + offset, last + offset + len(longest))) >= 0:
            at = found - offset
            if len(self.texts) == 1 or self.fits(text, at):
                return at
            at += 1
        return -1


def units_of(text: str) -> str:
    """A text with a character for every UTF-16 unit: one above U+FFFF is two, and two `?` match it (S2)."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(int.from_bytes(raw[n : n + 2], "little")) for n in range(0, len(raw), 2))


def text_of_units(units: str) -> str:
    """The text of UTF-16 units; half a pair stays as it is."""
    return units if units.isascii() else units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _run_of(pieces: Sequence[Plain]) -> _Run:
    texts: list[tuple[int, str]] = []
    length = 0
    for piece in pieces:
        if isinstance(piece, str):
            text = units_of(piece)
            texts.append((length, text))
            length += len(text)
        else:
            length += 1
    return _Run(length, tuple(texts))


def _runs(pieces: Sequence[Plain]) -> tuple[_Run, ...]:
    """The runs between the stars, n + 1 of them for n stars."""
    runs: list[_Run] = []
    start = 0
    for n, piece in enumerate(pieces):
        if piece is Wild.MANY:
            runs.append(_run_of(pieces[start:n]))
            start = n + 1
    runs.append(_run_of(pieces[start:]))
    return tuple(runs)


def _matches(runs: tuple[_Run, ...], text: str) -> bool:
    """The first and the last run are anchored; each between them can be matched as far to the left as possible."""
    first, last = runs[0], runs[-1]
    if len(runs) == 1:
        return len(text) == first.length and first.fits(text, 0)
    end = len(text) - last.length
    if end < first.length or not first.fits(text, 0) or not last.fits(text, end):
        return False
    at = first.length
    for run in runs[1:-1]:
        found = run.find(text, at, end)
        if found < 0:
            return False
        at = found + run.length
    return True


class Glob(msgspec.Struct, frozen=True, dict=True):
    """A pattern without variables: literal text and wildcards."""

    pieces: tuple[Plain, ...]
    ignore_case: bool = False
    arn: bool = False
    """Compared as an ARN: wildcards stay within one of six components (the last may contain colons)."""

    def matches(self, text: str) -> bool:
        """Whether the whole text fits."""
        if self.ignore_case:
            text = fold(text)
        if not text.isascii():
            text = units_of(text)
        if self.arn:
            values = text.split(":", 5)
            if len(values) != 6 or values[0] != "arn":
                return False
            return all(_matches(runs, value) for runs, value in zip(self._components, values, strict=False))
        return _matches(self._runs, text)

    @cached_property
    def _runs(self) -> tuple[_Run, ...]:
        if self.ignore_case:
            return _runs([fold(piece) if isinstance(piece, str) else piece for piece in self.pieces])
        return _runs(self.pieces)

    @cached_property
    def _components(self) -> tuple[tuple[_Run, ...], ...]:
        return tuple(_runs(component) for component in arn_components(self.pieces) or ())

    def tokens(self) -> tuple[PatternToken, ...]:
        """One token a UTF-16 unit, for automata; wildcards of ARN components already bounded."""
        if self.arn:
            return _arn_tokens(arn_components(self.pieces) or ())
        return tuple(token for piece in self.pieces for token in (units_of(piece) if isinstance(piece, str) else (piece,)))


@lru_cache(maxsize=65536)
def glob_of(pieces: tuple[Plain, ...], ignore_case: bool = False, arn: bool = False) -> Glob:
    """The pattern of some pieces, prepared once."""
    return Glob(pieces, ignore_case, arn)


def arn_components(pieces: Sequence[Plain]) -> tuple[tuple[Plain, ...], ...] | None:
    """Six components of an ARN pattern, split at the first five literal colons; None where it is no pattern of ARNs (S4)."""
    components: list[list[Plain]] = [[]]
    for piece in pieces:
        if isinstance(piece, Wild):
            components[-1].append(piece)
            continue
        head, *rest = piece.split(":", 6 - len(components))
        components[-1].append(head)
        components += [[part] for part in rest]
    if len(components) != 6:
        return None
    split = tuple(tuple(piece for piece in component if piece != "") for component in components)
    return split if _matches(_runs(split[0]), "arn") else None


def is_arn(text: str) -> bool:
    """Whether a text can be compared as an ARN: `arn` and six components."""
    return text.startswith("arn:") and text.count(":") >= 5


_WITHIN = {Wild.MANY: Wild.MANY_IN, Wild.ONE: Wild.ONE_IN}


def _arn_tokens(components: Sequence[Sequence[Plain]]) -> tuple[PatternToken, ...]:
    tokens: list[PatternToken] = []
    for n, component in enumerate(components):
        tokens += ":" if n else ""
        for piece in component:
            if isinstance(piece, str):
                tokens += units_of(piece)
            else:
                tokens.append(piece if n == 5 else _WITHIN[piece])
    return tuple(tokens)
