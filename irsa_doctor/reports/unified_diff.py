"""Changed files as a unified diff that `git apply` takes, byte for byte."""

import os
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from irsa_doctor.text.encoding import is_in_wide_encoding

_CONTEXT = 3


def unified_diff(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[bytes, list[str]]:
    """Returns the diff of files by path, sorted, and the paths of those that a diff cannot show, for they are UTF-16.

    Paths are relative to the current folder, or to where they are named from outside of it.
    """
    wide = [path for path in sorted(after) if is_in_wide_encoding(before[path])]
    shown = [path for path in sorted(after) if path not in wide]
    return b"".join(part for path in shown for part in _file(path, before[path], after[path])), wide


def _file(path: str, old: bytes, new: bytes) -> Iterator[bytes]:
    name = os.path.relpath(path) if os.path.isabs(path) else os.path.normpath(path)
    old_lines, new_lines = _lines(old), _lines(new)
    matcher = SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    yield b"--- " + _quoted(f"a/{name}") + b"\n+++ " + _quoted(f"b/{name}") + b"\n"
    for codes in matcher.get_grouped_opcodes(_CONTEXT):
        first, last = codes[0], codes[-1]
        yield b"@@ -%s +%s @@\n" % (_range(first[1], last[2]), _range(first[3], last[4]))
        for tag, start, end, new_start, new_end in codes:
            if tag == "equal":
                yield from (_line(b" ", line) for line in old_lines[start:end])
                continue
            yield from (_line(b"-", line) for line in old_lines[start:end])
            yield from (_line(b"+", line) for line in new_lines[new_start:new_end])


def _lines(content: bytes) -> list[bytes]:
    """The lines of a text, which end with a newline alone: a carriage return before it is part of its line."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _range(start: int, end: int) -> bytes:
    size = end - start
    return f"{start + 1 if size else start}".encode() + (b"" if size == 1 else f",{size}".encode())


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"


_ESCAPES = {ord("\t"): b"\\t", ord("\n"): b"\\n", ord("\r"): b"\\r", ord('"'): b'\\"', ord("\\"): b"\\\\"}


def _quoted(name: str) -> bytes:
    """A name as git writes it: in quotes with escapes where it has characters that are not plain ASCII."""
    raw = os.fsencode(name)
    if all(0x20 <= byte < 0x7F and byte not in _ESCAPES for byte in raw):
        return raw + (b"\t" if b" " in raw else b"")
    pieces = [_ESCAPES.get(byte) or (bytes([byte]) if 0x20 <= byte < 0x7F else b"\\%03o" % byte) for byte in raw]
    return b'"' + b"".join(pieces) + b'"'
