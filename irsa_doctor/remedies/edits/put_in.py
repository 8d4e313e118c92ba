"""Policies that are the JSON in a text of which parts are put in between: by a template, or by `Fn::Sub`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html
"""

import bisect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.hcl_texts import TextPiece, with_texts
from irsa_doctor.remedies.edits.json import SpliceRange, text_ranges
from irsa_doctor.remedies.edits.nearness import PlacedReference, brace_spans, nearest_references
from irsa_doctor.remedies.edits.records import CannotWrite, Wish

_SIGNS = 0xF0000
"""the first of the characters that stand for what is put in between; no policy has them"""
_PIECE = re.compile(r"\$\{!([^}]*)\}|\$\{([^}]*)\}|(.)", re.DOTALL)
_SHORTEST = 8


def policy_ranges(value: str, wish: Wish) -> list[SpliceRange]:
    """What changes in a text that is the JSON of a policy, also where CloudFormation puts something in between."""
    if wish.place.pointer.startswith("/Resources/"):
        return substituted_ranges(value, wish)
    return text_ranges(value, wish)


def substituted_ranges(value: str, wish: Wish) -> list[SpliceRange]:
    """What changes in a text of `Fn::Sub` that is the JSON of a policy; in its UTF-8 bytes. Raises CannotWrite."""
    if "${" not in value:
        return text_ranges(value, wish)
    pieces = filled_pieces(list(_pieces(value)), {}, wish.before)
    whole = "".join(piece.text for piece in pieces)
    put_in = [piece for piece in pieces if piece.node is not None and len(piece.text) >= _SHORTEST]
    names = [PlacedReference(piece.text, str(piece.node), _bytes(value, piece.start)) for piece in put_in]
    raw, spans = whole.encode(), brace_spans(value.encode())
    ranges = []
    for start, end, new in text_ranges(whole, msgspec.structs.replace(wish, opened=None)):
        first, last = (len(raw[:offset].decode()) for offset in (start, end))
        begin, finish, text = _placed(pieces, whole, first, last, new)
        place = _bytes(value, begin)
        ranges.append((place, _bytes(value, finish), _named(text, nearest_references(names, spans, place))))
    return ranges


def _bytes(value: str, offset: int) -> int:
    return len(value[:offset].encode())


def _pieces(value: str) -> Iterator[TextPiece]:
    for match in _PIECE.finditer(value):
        if match[2] is not None:
            yield TextPiece("", match.start(), match.end(), match[0])
        else:
            yield TextPiece(match[3] or f"${{{match[1]}}}", match.start(), match.end())


def _placed(pieces: Sequence[TextPiece], whole: str, first: int, last: int, new: str) -> tuple[int, int, str]:
    """A range of the whole text as one of what is written: what is put in between changes whole or not at all."""
    bounds = [0, *accumulate(len(piece.text) for piece in pieces)]
    starts = [*(piece.start for piece in pieces), pieces[-1].end]
    begin, finish = bisect.bisect_right(bounds, first) - 1, bisect.bisect_left(bounds, last)
    text = whole[bounds[begin] : first] + new + whole[last : bounds[finish]]
    return starts[begin], starts[finish], text


def _named(text: str, names: Mapping[str, str]) -> str:
    """A text with what is put in between in the place of what it is."""
    for known, name in sorted(names.items(), key=lambda item: -len(item[0])):
        before, is_there, after = text.partition(known)
        if is_there:
            return f"{_named(before, names)}{name}{_named(after, names)}"
    return text.replace("${", "${!")


def filled_pieces(pieces: Sequence[TextPiece], known: Mapping[int, str], policy: Any) -> list[TextPiece]:
    """The pieces with the texts of what is put in between, as the policy has them; `known` are those that are known, by the
    first byte of the piece. Raises CannotWrite."""
    signs = {piece.start: chr(_SIGNS + number) for number, piece in enumerate(p for p in pieces if p.node is not None)}
    text = "".join(signs.get(piece.start, piece.text) for piece in pieces)
    try:
        written = json.loads(_quoted_signs(text))
    except ValueError:
        raise CannotWrite("not-in-source", "the text is no JSON with what is put in between") from None
    texts = {signs[start]: word for start, word in known.items()}
    for template, meant in _pairs(written, policy):
        texts |= _texts_of(template, meant, texts)
    if not set(signs.values()) <= texts.keys():
        raise CannotWrite("not-in-source", "the text is put together in a way that cannot be followed")
    return [
        piece if piece.node is None else msgspec.structs.replace(piece, text=json.dumps(texts[signs[piece.start]])[1:-1])
        for piece in pieces
    ]


def _quoted_signs(text: str) -> str:
    """What is put in between outside quotes is a value of which nothing is known."""
    made, quoted, escaped = [], False, False
    for character in text:
        if ord(character) >= _SIGNS and not quoted:
            raise ValueError("a value is put in between")
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
        made.append(character)
    return "".join(made)


def _pairs(written: Any, meant: Any) -> Iterator[tuple[str, str]]:
    """The texts of two values of one shape."""
    if isinstance(written, dict) and isinstance(meant, Mapping) and len(written) == len(meant):
        for (name, value), (other, other_value) in zip(written.items(), meant.items(), strict=True):
            yield name, str(other)
            yield from _pairs(value, other_value)
    elif isinstance(written, list) and isinstance(meant, list) and len(written) == len(meant):
        for value, other_value in zip(written, meant, strict=True):
            yield from _pairs(value, other_value)
    elif isinstance(written, str) and isinstance(meant, str):
        yield written, meant


def _texts_of(template: str, meant: str, known: Mapping[str, str]) -> dict[str, str]:
    pieces = [TextPiece(c, ord(c), -1, c if ord(c) >= _SIGNS else None) for c in template]
    listed = with_texts(pieces, meant, {ord(sign): text for sign, text in known.items()})
    return {chr(piece.start): piece.text for piece in listed or () if piece.node is not None}
