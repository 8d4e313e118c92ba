"""Reads JSON text as strictly as the scanner, by the fastest way that proves as much."""

import json
import re
from functools import lru_cache
from typing import NamedTuple

import msgspec

from irsa_doctor.text.errors import TextError, UnreadableItem
from irsa_doctor.text.scanner import DEPTH, Duplicate, Scan, escaped, line_and_column, number_of, scan

_SPACE = b" \t\r\n"
_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)
_SIGNS = b'{}[]"'
_OTHERS = bytes(set(range(256)) - set(_SIGNS))
_QUOTED = re.compile(b'"[^"]*"')
_ROUNDS = 20
"""Rounds in which brackets are paired off before they are counted one by one; a round takes at most two levels: `[{}]`"""
_SLOW_LIMIT = 2_000_000
"""Bytes up to which the scanner, in Python, is run for its better messages."""

_FAST_LIMIT = 16_000_000
"""Bytes up to which a text is written again to prove what it says: that takes as many bytes twice."""
_MESSAGES = (
    ("Expecting value", "a value was expected"),
    ("Expecting property name", "a member's name in double quotes was expected"),
    ("Expecting ':'", "a colon was expected after the member's name"),
    ("Expecting ','", "a comma or a closing bracket was expected"),
    ("Unterminated string", "the text that begins here has no closing quote"),
    ("Invalid control character", "a line break or control character inside quotes (is a closing quote missing?)"),
    ("Invalid \\", "an escape that JSON does not have"),
    ("Extra data", "the document ends before this, but more follows"),
    ("Illegal trailing comma", "a comma before a closing bracket"),
)
"""Beginnings of the standard library's messages, and ours."""

_decode = msgspec.json.Decoder().decode
_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raw_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def read_json(text: bytes) -> Scan | TextError:
    """Return the one JSON value of a UTF-8 text with its duplicate members, or what is wrong with the text (RFC 8259)."""
    if len(text) <= _FAST_LIMIT and (known := proved(text)):
        return Scan(known.value)
    if too_deep(text):
        return _too_deep(text)
    try:
        characters = text.decode()
    except UnicodeDecodeError as error:
        return TextError(f"not valid UTF-8: byte {text[error.start]:#04x}", *_position(text, error.start))
    return _read(characters)


class Proved(NamedTuple):
    """The value of a text, and the text that it encodes to."""

    value: object
    encoded: bytes


def proved(text: bytes) -> Proved | None:
    """Return the value of a text that, white space apart, is exactly what the value encodes to; else None.

    That proves strict JSON without duplicate members. A text that is valid but written otherwise, with escapes say, and
    `null` give None too: `read_json` decides these.
    """
    if text.count(b"{") + text.count(b"[") > DEPTH and too_deep(text):
        return None
    try:
        value: object = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    written, squeezed = _encode(value), text.translate(None, _SPACE)
    # most texts have no white space inside of strings
    is_same = value is not None and (written == squeezed or written.translate(None, _SPACE) == squeezed)
    return Proved(value, written) if is_same else None


def read_pieces(text: bytes) -> Scan | None:
    """Return the members of an object, each member and each item of a list read by itself.

    An item that cannot be read is `UnreadableItem`, and the others are still read; None where the text is not a JSON object, or
    a member that is not a list cannot be read. Positions of duplicate members count from their own piece: the caller
    moves them.
    """
    try:
        raws = _raw_members(text)
        duplicates: list[Duplicate] = []
        members = {name: _piece(bytes(raw), f"/{escaped(name)}", duplicates) for name, raw in raws.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if any(isinstance(value, UnreadableItem) for value in members.values()):
        return None
    return Scan(members, tuple(duplicates))


def _piece(raw: bytes, pointer: str, duplicates: list[Duplicate]) -> object:
    if raw[:1] == b"[":
        return [
            # nearly every item is proved at once
            _whole(item, f"{pointer}/{number}", duplicates)
            if len(item := bytes(part)) > _FAST_LIMIT or (known := proved(item)) is None
            else known.value
            for number, part in enumerate(_raw_items(raw))
        ]
    return _whole(raw, pointer, duplicates)


def _whole(raw: bytes, pointer: str, duplicates: list[Duplicate]) -> object:
    scan = read_json(raw)
    if isinstance(scan, TextError):
        return UnreadableItem(scan.why)
    duplicates.extend(msgspec.structs.replace(item, pointer=pointer + item.pointer) for item in scan.duplicates)
    return scan.value


def too_deep(text: bytes) -> bool:
    """Whether the brackets nest more than DEPTH levels deep."""
    if text.count(b"{") + text.count(b"[") <= DEPTH or _surely_flat(text):
        return False
    return _deep_at(text) >= 0


def _surely_flat(text: bytes) -> bool:
    """Whether the brackets of a text pair off within so few rounds that they cannot nest deeper than DEPTH.

    Each round is one pass in C. A text that is no JSON may pass as flat: its readers end at what is wrong with it, and have
    limits of their own.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    left = _QUOTED.sub(b"", text.translate(None, _OTHERS).replace(b'""', b""))
    for _ in range(_ROUNDS):
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return not left


def _deep_at(text: bytes) -> int:
    depth = 0
    for match in _BRACKET.finditer(text):
        sign = text[match.start()]
        if sign in b"[{":
            depth += 1
            if depth > DEPTH:
                return match.start()
        elif sign in b"]}":
            depth -= 1
    return -1


def _too_deep(text: bytes) -> TextError:
    return TextError(f"more than {DEPTH} levels deep", *_position(text, _deep_at(text)))


def _position(text: bytes, offset: int) -> tuple[int, int]:
    return line_and_column(text.decode(errors="replace"), offset)


class _Odd(Exception):
    """Input for which only the scanner has a good message."""


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Odd
    return members


def _constant(name: str) -> object:
    raise _Odd


# decoding with hooks is C as long as the hooks are not called: numbers are rare in what we read
_strict = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_int=number_of, parse_float=number_of)


def _read(text: str) -> Scan | TextError:
    """Read text whose depth is known to be within the limit."""
    try:
        value: object = _strict.decode(text)
        if "\\u" not in text or not _has_surrogate(text):
            return Scan(value)
    except (_Odd, RecursionError, ValueError):
        pass
    if len(text) <= _SLOW_LIMIT:
        return scan(text)
    return _read_big(text)


def _has_surrogate(text: str) -> bool:
    return re.search(r"\\u[dD][89a-fA-F]", text) is not None


def _read_big(text: str) -> Scan | TextError:
    """Read megabytes that are not strict JSON: the standard library finds the position in time, the message is ours."""
    try:
        json.loads(text, parse_constant=_constant)
    except json.JSONDecodeError as error:
        return TextError(_message_of(error.msg), error.lineno, error.colno)
    except (_Odd, RecursionError, ValueError):
        return TextError("not valid JSON: it contains NaN or Infinity")
    return scan(text)


def _message_of(message: str) -> str:
    """Our message for one of the standard library."""
    return next((ours for theirs, ours in _MESSAGES if message.startswith(theirs)), "not valid JSON")


@lru_cache(maxsize=1)
def _raw_decoder() -> json.JSONDecoder:
    return json.JSONDecoder()


def split_values(text: bytes) -> list[tuple[int, int]]:
    """Return the byte ranges of the values of JSON lines or of concatenated JSON; one range where the text is neither."""
    if lines := _lines(text):
        return lines
    return _concatenated(text)


def _lines(text: bytes) -> list[tuple[int, int]]:
    """JSON lines: every line begins like a value and the first is one, so that broken lines are reported one by one."""
    ranges, start = [], 0
    for line in text.splitlines(keepends=True):
        body = line.strip(_SPACE)
        if body:
            if body[:1] not in (b"{", b"["):
                return []
            at = start + line.index(body)
            ranges.append((at, at + len(body)))
        start += len(line)
    return ranges if len(ranges) > 1 and _is_value(text[slice(*ranges[0])]) else []


def _is_value(text: bytes) -> bool:
    return not too_deep(text) and isinstance(read_json(text), Scan)


def _concatenated(text: bytes) -> list[tuple[int, int]]:
    whole = [(0, len(text))]
    if too_deep(text):
        return whole
    try:
        characters = text.decode()
    except UnicodeDecodeError:
        return whole
    ranges: list[tuple[int, int]] = []
    offset = at = 0
    while True:
        while offset < len(characters) and characters[offset] in " \t\r\n":
            offset, at = offset + 1, at + 1
        if offset == len(characters):
            return ranges or whole
        try:
            _, end = _raw_decoder().raw_decode(characters, offset)
        except (ValueError, RecursionError):
            return whole
        size = len(characters[offset:end].encode(errors="replace"))
        ranges.append((at, at + size))
        offset, at = end, at + size
