"""The concrete syntax of a JSON text: every value and name with its byte range, duplicate members included."""

import re
from typing import Literal

import msgspec

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*")
_SCALAR = re.compile(rb"[^\s,\]}\[{\"]+")
_text = msgspec.json.Decoder(str).decode


class SyntaxNode(msgspec.Struct):
    """A value: its bytes are those from `start` to `end`. Children of objects have names."""

    kind: Literal["object", "list", "string", "other"]
    start: int
    end: int
    children: list["SyntaxChild"] = []

    def child(self, name: str) -> "SyntaxChild | None":
        """The child of a name, or of a number in a list; the last one of several, which counts for whoever reads the value."""
        if self.kind == "list":
            return self.children[int(name)] if name.isdecimal() and int(name) < len(self.children) else None
        return next((child for child in reversed(self.children) if child.name == name), None)


class SyntaxChild(msgspec.Struct):
    """A member of an object, or an item of a list, which has no name: its bytes are those from `start` to the end of its
    value."""

    node: SyntaxNode
    name: str = ""
    start: int = -1
    name_end: int = -1

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.node.end


class NoTree(ValueError):
    """The text is no valid JSON."""


def json_tree(text: bytes, start: int = 0) -> SyntaxNode:
    """The tree of the value that begins at an offset or behind the white space there. Raises NoTree."""
    return _value(text, _behind(_SPACE, text, start))


def _behind(pattern: re.Pattern[bytes], text: bytes, offset: int) -> int:
    match = pattern.match(text, offset)
    if match is None:
        raise NoTree(f"byte {offset}")
    return match.end()


def _value(text: bytes, start: int) -> SyntaxNode:
    first = text[start : start + 1]
    if first in (b"{", b"["):
        return _container(text, start, first == b"{")
    if first == b'"':
        return SyntaxNode("string", start, _behind(_STRING, text, start))
    return SyntaxNode("other", start, _behind(_SCALAR, text, start))


def _container(text: bytes, start: int, named: bool) -> SyntaxNode:
    node = SyntaxNode("object" if named else "list", start, start, [])
    offset, close = _behind(_SPACE, text, start + 1), b"}" if named else b"]"
    while text[offset : offset + 1] != close:
        if node.children:
            offset = _behind(_SPACE, text, _comma(text, offset))
        child = _member(text, offset) if named else SyntaxChild(_value(text, offset), start=offset)
        node.children.append(child)
        offset = _behind(_SPACE, text, child.end)
    node.end = offset + 1
    return node


def _comma(text: bytes, offset: int) -> int:
    if text[offset : offset + 1] != b",":
        raise NoTree(f"byte {offset}")
    return offset + 1


def _member(text: bytes, start: int) -> SyntaxChild:
    end = _behind(_STRING, text, start)
    colon = _behind(_SPACE, text, end)
    if text[colon : colon + 1] != b":":
        raise NoTree(f"byte {colon}")
    node = _value(text, _behind(_SPACE, text, colon + 1))
    return SyntaxChild(node, _text(text[start:end]), start, end)
