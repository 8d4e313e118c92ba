"""Finds the quotes of JSON strings in texts, and the characters to which the bytes of a text belong."""

from collections.abc import Sequence

_QUOTE, _BACKSLASH = b'"\\'


def closing_quote(raw: bytes, offset: int) -> int:
    """The offset of the quote that closes a JSON string."""
    end = raw.find(_QUOTE, offset)
    if end >= 0 and raw.find(_BACKSLASH, offset, end) < 0:
        return end
    while 0 <= offset < len(raw) and raw[offset] != _QUOTE:
        offset += 2 if raw[offset] == _BACKSLASH else 1
    return min(offset, len(raw) - 1)


def character_numbers(text: str, raw: bytes) -> Sequence[int]:
    """Byte offset -> number of the character that it belongs to."""
    if len(text) == len(raw):
        return range(len(raw))
    return [number for number, sign in enumerate(text) for _ in sign.encode()]


def ends_quoted(text: str, quoted: bool) -> bool:
    """Whether the text ends inside quotes, as JSON has them."""
    if "\\" not in text:
        return quoted ^ bool(text.count('"') & 1)
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == '"':
            quoted = not quoted
        elif sign == "\\" and quoted:
            at += 1
        at += 1
    return quoted
