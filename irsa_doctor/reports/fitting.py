"""Measures escaped text in terminal columns and fits it into a width."""

import re
import unicodedata
from collections.abc import Callable, Iterator

_SEPARATORS = "/:,;=&?|._-"
"""characters after which a word that is too long is broken"""
_BLANKS = re.compile(r"[ \t\r\n]+")


def columns(text: str) -> int:
    """Returns the columns that text takes: two for wide East Asian characters, none for combining marks."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def start_of(text: str, room: int) -> str:
    """Returns as much of the beginning as fits."""
    if text.isascii():
        return text[: max(room, 0)]
    for at, char in enumerate(text):
        room -= _cells(char)
        if room < 0:
            return text[:at]
    return text


def end_of(text: str, room: int) -> str:
    """Returns as much of the end as fits."""
    if text.isascii():
        return text[-room:] if room > 0 else ""
    for at in range(len(text) - 1, -1, -1):
        room -= _cells(text[at])
        if room < 0:
            return text[at + 1 :]
    return text


def without_end(text: str, room: int, ellipsis: str) -> str:
    """Returns text that fits, shortened at its end if necessary."""
    return text if columns(text) <= room else start_of(start_of(text, room - len(ellipsis)) + ellipsis, room)


def without_start(text: str, room: int, ellipsis: str) -> str:
    """Returns text that fits, shortened at its beginning if necessary."""
    return text if columns(text) <= room else start_of(ellipsis + end_of(text, room - len(ellipsis)), room)


def without_middle(text: str, room: int, ellipsis: str) -> str:
    """Returns text that fits, shortened in the middle if necessary: names differ at their ends."""
    if columns(text) <= room:
        return text
    left = room - len(ellipsis)
    return start_of(start_of(text, left - left // 3) + ellipsis + end_of(text, left // 3), room)


def on_one_line(text: str, escape: Callable[[str], str]) -> str:
    """Returns prose in one line, escaped; line breaks become spaces."""
    return escape(text if text.isprintable() else _BLANKS.sub(" ", text)).strip()


def wrapped(text: str, width: int) -> list[str]:
    """Returns text in lines of at most `width` columns; words longer than that are broken."""
    lines: list[str] = []
    line: list[str] = []
    used = 0
    for word in text.split():
        # a word that must be broken may begin in the second half of a line
        first = width - used if used <= width // 2 else width
        for piece in _pieces(word, width, first) if columns(word) > width else (word,):
            wide = columns(piece)
            if used + wide > width and used:
                lines.append(" ".join(line))
                line, used = [], 0
            line.append(piece)
            used += wide + 1
    return [*lines, " ".join(line)] if line else lines


def _pieces(word: str, width: int, first: int) -> Iterator[str]:
    """A word in pieces that fit, broken after a separator unless a piece becomes shorter than half a line."""
    at, room = 0, first
    while at < len(word):
        piece = start_of(word[at : at + room], room) or word[at]
        if at + len(piece) < len(word):
            cut = max(piece.rfind(separator) for separator in _SEPARATORS) + 1
            piece = piece[:cut] if cut > len(piece) // 2 else piece
        yield piece
        at, room = at + len(piece), width
