"""Ranges inside literal blocks of YAML, whose lines are those of the document behind their indentation."""

import bisect
import re
from collections.abc import Iterator, Sequence

from irsa_doctor.remedies.edits.json import SpliceRange

# the line breaks of YAML 1.1, https://yaml.org/spec/1.1/#id871136: all but the last two become line feeds
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def block_ranges(text: str, header: int, value: str, ranges: Sequence[SpliceRange], newline: str) -> Iterator[SpliceRange]:
    """Ranges of the value of a literal block (in its UTF-8 bytes) as ranges of the document (in characters); `header` is the
    offset of its mark."""
    starts, lines = _line_starts(text, header)[1:], _line_starts(value, 0)
    indent = _indent(text, starts, value, lines)
    raw = value.encode()

    def placed(position: int) -> int:
        number = bisect.bisect_right(lines, position) - 1
        return starts[number] + indent + position - lines[number]

    for start, end, new in ranges:
        begin, finish = (placed(len(raw[:at].decode())) for at in (start, end))
        yield begin, finish, new.replace("\n", f"{newline}{' ' * indent}")


def _line_starts(text: str, offset: int) -> list[int]:
    """The offsets of the lines of a text from an offset on, which is the first."""
    return [offset, *(found.end() for found in _BREAK.finditer(text, offset))]


def _indent(text: str, starts: Sequence[int], value: str, lines: Sequence[int]) -> int:
    """By how much the document has the lines of a value further to the right."""
    for start, line in zip(starts, lines, strict=False):
        own = _spaces(value, line)
        if value[line + own : line + own + 1].strip():
            return _spaces(text, start) - own
    return 0


def _spaces(text: str, offset: int) -> int:
    end = offset
    while text[end : end + 1] == " ":
        end += 1
    return end - offset
