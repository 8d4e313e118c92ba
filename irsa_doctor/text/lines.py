"""Byte offsets of a text to lines and columns, and the line that is shown for them, without secrets."""

from bisect import bisect_left

import msgspec

from irsa_doctor.model.regex import regex
from irsa_doctor.text.mask import masked

_BLOCK = 8_192
_WIDEST = 400
"""Characters of a line that are shown."""
_LOOKED_AT = 2 * _WIDEST
"""Bytes before and behind a place that are looked at for secrets: what is shown may hold the end of one"""

_CUT_WORD = regex(r"^[\w.-]+")
_CUT_SECRET = regex(r"\b(?:(?:AKIA|ASIA)[A-Z0-9]*|eyJ[\w-]*)$")
_SECRET_KIND = regex(rb"""kind["']?\s*:\s*["']?Secret\b""")


class Span(msgspec.Struct, frozen=True):
    """A range of a document: 1-based, columns in characters, the end after the last one; zeros where unknown.

    `source` is the text of the first line, or the part of a long line that is shown; the value begins at `offset` in it. It is
    empty where nobody quotes it.
    """

    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    source: str = ""
    offset: int = 0


NOT_QUOTED = ("", 0)
"""what stands for source and offset of a span"""


def holds_secret(text: bytes) -> bool:
    """Whether the text has a Kubernetes Secret: then no more of a line is shown than the value itself."""
    return b"Secret" in text and _SECRET_KIND.search(text) is not None


class LineIndex:
    """Lines and columns of the byte offsets of a text, by the number of newlines in each block."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.ascii = text.isascii()
        self.secret = holds_secret(text)
        self.before = [0]
        for start in range(0, len(text), _BLOCK):
            self.before.append(self.before[-1] + text.count(b"\n", start, start + _BLOCK))

    def _start(self, offset: int) -> int:
        """Offset of the first byte of the line; blocks without newline are not searched."""
        block = offset // _BLOCK
        newline = self.text.rfind(b"\n", block * _BLOCK, offset)
        if newline < 0 and self.before[block]:
            block = bisect_left(self.before, self.before[block]) - 1
            newline = self.text.rfind(b"\n", block * _BLOCK, (block + 1) * _BLOCK)
        return newline + 1

    def _position(self, offset: int) -> tuple[int, int]:
        block = min(offset // _BLOCK, len(self.before) - 1)
        line = self.before[block] + self.text.count(b"\n", block * _BLOCK, offset) + 1
        start = self._start(offset)
        return line, 1 + (offset - start if self.ascii else len(self.text[start:offset].decode(errors="replace")))

    def span(self, start: int, end: int, *, quote: bool = True) -> Span:
        """Return the span of a byte range, with the text of its first line where that is to be quoted."""
        source = self._source(start, end) if quote else NOT_QUOTED
        line, column = self._position(start)
        if self.ascii and self.text.find(b"\n", start, end) < 0:
            return Span(line, column, line, column + end - start, *source)
        end_line, end_column = self._position(end)
        return Span(line, column, end_line, end_column, *source)

    def _source(self, start: int, end: int) -> tuple[str, int]:
        first = self._start(start)
        last = self.text.find(b"\n", start, start + _LOOKED_AT)
        last = min(len(self.text), start + _LOOKED_AT) if last < 0 else last
        if self.secret:
            # the rest of the line may be secret
            first, last = start, min(end, last)
        begin = max(first, start - _LOOKED_AT)
        before = self.text[begin:start].decode(errors="replace")
        after = self.text[start:last].decode(errors="replace").rstrip("\r")
        # half a secret does not match the pattern
        if begin > first:
            before = _CUT_WORD.sub("", before)
        if last == start + _LOOKED_AT:
            after = _CUT_SECRET.sub("...", after)
        return visible_line(before, after)


def visible_line(before: str, after: str) -> tuple[str, int]:
    """Return a line, or the part of a long one on both sides of the point between the two texts, and the offset of that point.

    Secrets are masked.
    """
    whole, offset = before + after, len(before)
    text = masked(whole)
    if text != whole:
        offset = min(len(masked(before)), len(text))
    if len(text) <= _WIDEST:
        return text, offset
    room = _WIDEST - min(len(text) - offset, _WIDEST // 2)
    begin = max(0, offset - room)
    return text[begin : begin + _WIDEST], offset - begin
