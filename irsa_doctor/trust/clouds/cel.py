"""Reads attribute conditions of workload identity pools, which are CEL, into what they require of the claims of a token.

The grammar is `cel.lark`; what of a condition is not worked out is kept as `Opaque`, so that it is never taken for nothing.
lark parses it: it is plain Python and installs everywhere, which the libraries that evaluate CEL do not (cel-python needs
google-re2, for which there are no wheels for Alpine). They would not do either, for a condition is not evaluated for a token:
asked is which tokens it admits, with true, false and unknown as answers. cel-python is the reference in the tests.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from lark import Lark

_GRAMMAR = Path(__file__).parent / "cel.lark"
_LONGEST = 4096
"""characters of a condition that Google Cloud accepts"""
_DEEP = 32
_METHODS = ("startsWith", "endsWith", "contains")
_ORIGINS = ("assertion", "google", "attribute")
_PLAIN_ESCAPE = re.compile(r"\\(?:([\\'\"`?])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")
_WORDS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}

LiteralValue = str | bool | float | None


class TokenAttribute(msgspec.Struct, frozen=True):
    """A claim of the token (`assertion.X`), or an attribute (`google.X`, `attribute.X`)."""

    of: str
    name: str


class Literals(msgspec.Struct, frozen=True):
    """The values of a literal, one, or those of a list."""

    values: tuple[LiteralValue, ...]


class ClaimComparison(msgspec.Struct, frozen=True):
    """A claim compared with literals."""

    operator: Literal["==", "!=", "in", "startsWith", "endsWith", "contains"]
    claim: TokenAttribute
    literals: Literals


class Junction(msgspec.Struct, frozen=True):
    """Conditions of which all (`&&`) or one (`||`) must hold, or one must not (`!`); all of none hold, one of none does not."""

    operator: Literal["&&", "||", "!"]
    parts: tuple["CelCondition", ...]


class Opaque(msgspec.Struct, frozen=True):
    """A part of which it is not known when it holds."""


CelCondition = ClaimComparison | Junction | Opaque
_OPAQUE = Opaque()


class _Unread(Exception):
    """A part has something that is not worked out."""


@cache
def _parser() -> "Lark":
    from lark import Lark

    return Lark(_GRAMMAR.read_text(encoding="utf-8"), parser="lalr")


def read_condition(text: str) -> CelCondition | None:
    """The meaning of a condition, None where it is not CEL or too long; what is not worked out of it is `Opaque`."""
    from lark.exceptions import LarkError

    if len(text) > _LONGEST:
        return None
    try:
        tree = _parser().parse(text)
    except LarkError:
        return None
    return _condition(tree.children[0], 0)


def attribute_of(text: str) -> TokenAttribute | None:
    """The claim that an expression is, as mappings have it; None where it is anything else."""
    from lark.exceptions import LarkError

    try:
        tree = _parser().parse(text) if len(text) <= _LONGEST else None
        return _attribute(tree.children[0]) if tree else None
    except (LarkError, _Unread):
        return None


def _kind(node: object) -> str:
    """The rule of a tree, the name of a token, "" for nothing."""
    return str(getattr(node, "data", "") or getattr(node, "type", ""))


def _children(node: object) -> Sequence[object]:
    return getattr(node, "children", ())


def _condition(node: object, depth: int) -> CelCondition:
    if depth > _DEEP:
        return _OPAQUE
    kind, parts = _kind(node), _children(node)
    if kind in ("disjunction", "conjunction"):
        inner = tuple(_condition(part, depth + 1) for part in parts)
        return Junction("||" if kind == "disjunction" else "&&", inner)
    if kind == "choice":
        asked, chosen, otherwise = (_condition(part, depth + 1) for part in parts)
        return Junction("||", (Junction("&&", (asked, chosen)), Junction("&&", (Junction("!", (asked,)), otherwise))))
    if kind == "negation":
        inside = _condition(parts[-1], depth + 1)
        return Junction("!", (inside,)) if len(parts) % 2 == 0 else inside
    try:
        return _single(kind, node, parts)
    except _Unread:
        return _OPAQUE


def _single(kind: str, node: object, parts: Sequence[object]) -> CelCondition:
    if kind == "literal" and isinstance(truth := _literal(node), bool):
        return Junction("&&" if truth else "||", ())
    if kind == "relation" and len(parts) == 3:
        return _relation(parts[0], str(parts[1]), parts[2])
    if kind == "member" and _kind(parts[-1]) == "call":
        name, arguments = _children(parts[-1])
        values = _children(arguments)
        if str(name) in _METHODS and len(values) == 1 and isinstance(text := _literal(values[0]), str):
            claim = _attribute_in(parts[:-1])
            return msgspec.convert({"operator": str(name), "claim": claim, "literals": Literals((text,))}, ClaimComparison)
    raise _Unread


def _relation(left: object, operator: str, right: object) -> ClaimComparison:
    if operator == "in":
        if _kind(right) != "list":
            raise _Unread
        listed = next(iter(_children(right)), None)
        return ClaimComparison("in", _attribute(left), Literals(tuple(map(_literal, _children(listed)))))
    if operator not in ("==", "!="):
        raise _Unread
    if _kind(left) == "literal":
        left, right = right, left
    return ClaimComparison("==" if operator == "==" else "!=", _attribute(left), Literals((_literal(right),)))


def _attribute(node: object) -> TokenAttribute:
    if _kind(node) != "member":
        raise _Unread
    return _attribute_in(_children(node))


def _attribute_in(parts: Sequence[object]) -> TokenAttribute:
    """The claim of `assertion.NAME` or `assertion["NAME"]`."""
    if len(parts) != 2 or _kind(parts[0]) != "name" or _kind(parts[1]) not in ("select", "index"):
        raise _Unread
    origin, name = str(_children(parts[0])[0]), _children(parts[1])[0]
    text = _literal(name) if _kind(parts[1]) == "index" else str(name)
    if origin not in _ORIGINS or not isinstance(text, str):
        raise _Unread
    return TokenAttribute(origin, text)


def _literal(node: object) -> LiteralValue:
    if _kind(node) == "negative":
        number = _literal(_children(node)[0])
        if not isinstance(number, float):
            raise _Unread
        return -number
    if _kind(node) != "literal":
        raise _Unread
    token = _children(node)[0]
    kind, text = _kind(token), str(token)
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "RAW":
        return text[2:-1]
    return _text(text[1:-1]) if kind == "TEXT" else _number(text)


def _number(text: str) -> float:
    text = text.rstrip("uU")
    return float(int(text, 16) if text.lower().startswith("0x") else float(text))


def _text(text: str) -> str:
    """A text with its escapes resolved; those that hardly anybody writes are not."""
    rest = _PLAIN_ESCAPE.sub("", text)
    if "\\" in rest:
        raise _Unread
    return _PLAIN_ESCAPE.sub(lambda match: match[1] or chr(int(match[2] or match[3], 16)), text)


def claim_comparisons(condition: CelCondition) -> Iterator[ClaimComparison]:
    """Every comparison in a condition."""
    if isinstance(condition, ClaimComparison):
        yield condition
    elif isinstance(condition, Junction):
        for part in condition.parts:
            yield from claim_comparisons(part)


def always_holds(condition: CelCondition, *, of_texts: bool) -> bool | None:
    """Whether a condition is always true, or never, where all claims are texts (`of_texts`); None where it depends on them.

    Texts are never equal to a number or a boolean (https://github.com/google/cel-spec/blob/master/doc/langdef.md#equality).
    """
    if isinstance(condition, Opaque):
        return None
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
