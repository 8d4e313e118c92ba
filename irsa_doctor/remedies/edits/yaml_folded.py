"""Ranges inside scalars of YAML whose lines are not those of their values: folded blocks, and quotes over several lines.

White space folds, every other character stands where it is written, or as an escape
(https://yaml.org/spec/1.2.2/#flow-folding, #block-folding, #escape-sequences).
"""

import bisect
import re
from collections.abc import Iterator, Sequence

from irsa_doctor.remedies.edits.json import SpliceRange
from irsa_doctor.remedies.edits.records import CannotWrite
from irsa_doctor.remedies.edits.strings import encoded_text

_WRITTEN = {
    '"': re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|[^xuU])|\S|\s", re.DOTALL),
    "'": re.compile(r"''|\S|\s"),
    ">": re.compile(r"\S|\s"),
}
"""style -> what is written for one character of the value"""
_OF_SPACE = {*"tnrvfNLP_ \t\r\n", "\r\n"}
"""escapes that stand for white space, or for nothing"""
_STRING = re.compile(r'("(?:[^"\\]|\\.)*")', re.DOTALL)
_SPACE = re.compile(r"\s+")
_CANNOT = "the text of the policy is folded, and cannot be placed in its lines"


def folded_ranges(written: str, style: str, value: str, ranges: Sequence[SpliceRange], newline: str) -> Iterator[SpliceRange]:
    """Ranges of a value (in its UTF-8 bytes) as ranges of what is written for it (in characters). Raises CannotWrite.

    `written` is what stands between the quotes, or below the line that begins a block; `newline` is that of the lines of a new
    part in a block, "" for one line.
    """
    spans = list(_visible(written, style))
    signs = [number for number, sign in enumerate(value) if not sign.isspace()]
    if style not in _WRITTEN or len(spans) != len(signs):
        raise CannotWrite("not-in-source", _CANNOT)
    raw, indent = value.encode(), _indent(written)
    for first, last, new in ranges:
        begin, finish = (len(raw[:offset].decode()) for offset in (first, last))
        start = _placed(begin, signs, spans, value)
        end = start if begin == finish else _placed(finish, signs, spans, value)
        yield start, end, _text(new, style, written, newline and f"{newline}{indent}")


def _visible(written: str, style: str) -> Iterator[tuple[int, int]]:
    """Where each character that is no white space is written."""
    for match in _WRITTEN[style].finditer(written) if style in _WRITTEN else ():
        text = match[0]
        is_escape = style == '"' and text.startswith("\\")
        if not (text[1:] in _OF_SPACE if is_escape else text.isspace()):
            yield match.span()


def _placed(offset: int, signs: Sequence[int], spans: Sequence[tuple[int, int]], value: str) -> int:
    """Where an offset of a value is in what is written: at the character before or behind it that is no white space."""
    number = bisect.bisect_left(signs, offset)
    if number and signs[number - 1] == offset - 1:
        return spans[number - 1][1]
    if number < len(signs) and signs[number] == offset:
        return spans[number][0]
    if number < len(signs) and not value[offset : signs[number]].strip(" "):
        return spans[number][0] - min(signs[number] - offset, _spaces_before(spans, number))
    raise CannotWrite("not-in-source", _CANNOT)


def _spaces_before(spans: Sequence[tuple[int, int]], number: int) -> int:
    return spans[number][0] - (spans[number - 1][1] if number else 0)


def _text(new: str, style: str, written: str, line: str) -> str:
    """A new part in the style: quotes fold it into one line, a block has lines of its own."""
    if style == ">" and line:
        return new.replace("\n", line)
    one_line = _SPACE.sub(" ", new) if "\n" in new else new
    if style == ">":
        return one_line
    return one_line.replace("'", "''") if style == "'" else encoded_text(one_line, written)


def _indent(written: str) -> str:
    first = next((line for line in written.splitlines() if line.strip()), "")
    return first[: len(first) - len(first.lstrip(" "))]


def is_same_but_for_folding(one: str, other: str) -> bool:
    """Whether two texts of JSON differ in white space between their tokens alone."""
    return _tokens(one) == _tokens(other)


def _tokens(text: str) -> list[str]:
    return [part if part.startswith('"') else _SPACE.sub("", part) for part in _STRING.split(text)]


def block_of_one_line(written: str, value: str, new: str) -> tuple[int, int] | None:
    """Where the only line of a block is written, if another text in its place gives this value; None where it does not."""
    line = value.strip()
    end = value[len(value.rstrip("\n")) :]
    if not line or "\n" in line or "\n" in new.rstrip("\n") or new != new.strip() + end or not new.strip():
        return None
    start = written.index(line, written.index("\n"))
    return start, start + len(line)


def spliced_value(value: str, ranges: Sequence[SpliceRange]) -> str:
    """A value after changes of ranges of its UTF-8 bytes."""
    raw = value.encode()
    for start, end, new in sorted(ranges, reverse=True):
        raw = raw[:start] + new.encode() + raw[end:]
    return raw.decode()
