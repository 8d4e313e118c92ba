"""Ranges inside literal blocks of YAML, whose lines are those of the document behind their indentation."""

import bisect
from collections.abc import Iterator, Sequence
from typing import Any

from irsa_doctor.remedies.edits.json import SpliceRange


def block_ranges(text: str, node: Any, ranges: Sequence[SpliceRange], newline: str) -> Iterator[SpliceRange]:
    """Ranges of the value of a literal block (in its UTF-8 bytes) as ranges of the document (in characters)."""
    value: str = node.value
    first = text.index("\n", node.start_mark.index) + 1
    starts, offset, indent = [], first, None
    for line in value.splitlines(keepends=True):
        written = text[offset : text.find("\n", offset) + 1 or len(text)]
        if indent is None and line.strip():
            indent = len(written) - len(written.lstrip(" "))
            indent -= len(line) - len(line.lstrip(" "))
        starts.append(offset)
        offset += len(written)
    known, lines, raw = indent or 0, _offsets(value), value.encode()

    def placed(position: int) -> int:
        number = bisect.bisect_right(lines, position) - 1
        return starts[number] + known + position - lines[number]

    for start, end, new in ranges:
        begin, finish = (placed(len(raw[:at].decode())) for at in (start, end))
        yield begin, finish, new.replace("\n", f"{newline}{' ' * known}")


def _offsets(value: str) -> list[int]:
    """The offsets of the lines of a text."""
    offsets = [0]
    for line in value.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    return offsets
