"""Texts of Terraform's configuration language, quoted or in heredocs, as pieces: characters, and what is put in between."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.text.hcl_tree import HclNode

_QUOTED = re.compile(
    rb'\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\[nrt"\\]|\$\$\{|%%\{|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*', re.DOTALL
)
_HEREDOC = re.compile(rb"\$\$\{|%%\{|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*", re.DOTALL)
_SIGNS = {b"n": "\n", b"r": "\r", b"t": "\t", b'"': '"', b"\\": "\\"}
_DYNAMIC = ("template_interpolation", "template_directive")


class TextPiece(msgspec.Struct, frozen=True):
    """One character and its bytes; or what is put in between (`node`), whose text is one of the values that a text has."""

    text: str
    start: int
    end: int
    node: HclNode = None


def text_pieces(content: bytes, node: HclNode) -> list[TextPiece]:
    """The pieces of a quoted text or a heredoc; what is put in between has no text yet."""
    start, end = text_range(content, node)
    pattern = _HEREDOC if node.type == "heredoc_template" else _QUOTED
    pieces: list[TextPiece] = []
    for part in node.named_children:
        if part.type in _DYNAMIC:
            pieces += _characters(content, start, part.start_byte, pattern)
            pieces.append(TextPiece("", part.start_byte, part.end_byte, part))
            start = part.end_byte
    return [*pieces, *_characters(content, start, max(start, end), pattern)]


def text_range(content: bytes, node: HclNode) -> tuple[int, int]:
    """The bytes between the quotes, or of the lines between the marks of a heredoc."""
    if node.type != "heredoc_template":
        return node.start_byte + 1, node.end_byte - 1
    start = content.find(b"\n", node.start_byte, node.end_byte) + 1
    return start, max(start, content.rfind(b"\n", start - 1, node.end_byte) + 1)


def _characters(content: bytes, start: int, end: int, pattern: re.Pattern[bytes]) -> Iterator[TextPiece]:
    for match in pattern.finditer(content, start, end):
        raw = match[0]
        if len(raw) > 1 and raw[:1] in (b"$", b"%"):
            # the sign that is doubled, and the brace
            yield TextPiece(raw[:1].decode(), match.start(), match.start() + 2)
            yield TextPiece("{", match.start() + 2, match.end())
        else:
            yield TextPiece(_unescaped(raw), match.start(), match.end())


def _unescaped(raw: bytes) -> str:
    if raw[:1] != b"\\" or len(raw) == 1:
        return raw.decode(errors="replace")
    return chr(int(raw[2:], 16)) if raw[1:2] in (b"u", b"U") else _SIGNS[raw[1:2]]


def encoded_for(node: HclNode, value: str) -> str:
    """Characters as they are written in a text of the same kind."""
    if node.type != "heredoc_template":
        value = json.dumps(value, ensure_ascii=False)[1:-1]
    return value.replace("${", "$${").replace("%{", "%%{")


def with_texts(pieces: Sequence[TextPiece], value: str, known: Mapping[int, str]) -> list[TextPiece] | None:
    """The pieces with the texts of what is put in between, so that they make a value; None where that is not determined.

    `known` are the texts that are known, by the first byte of the piece.
    """
    parts = [_pattern(piece, known) for piece in pieces]
    several = [
        re.fullmatch("".join(part.replace("(.*)", mode) for part in parts), value, re.DOTALL) for mode in ("(.*)", "(.*?)")
    ]
    if several[0] is None or several[1] is None or several[0].groups() != several[1].groups():
        return None
    groups = iter(several[0].groups())
    return [msgspec.structs.replace(piece, text=next(groups)) if piece.node is not None else piece for piece in pieces]


def _pattern(piece: TextPiece, known: Mapping[int, str]) -> str:
    if piece.node is None:
        return re.escape(piece.text)
    return f"({re.escape(known[piece.start])})" if piece.start in known else "(.*)"
