"""Parses Terraform's configuration in JSON: the same blocks and arguments as in its own language, texts being templates.

https://developer.hashicorp.com/terraform/language/syntax/json
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from operator import itemgetter
from typing import Any

import msgspec

from irsa_doctor.sources.templates.terraform.syntax import LARGEST, Argument, Block, Body, Node, Syntax
from irsa_doctor.sources.templates.values import Fragment
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json
from irsa_doctor.text.json_places import ranges_of
from irsa_doctor.text.scanner import escaped

_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1, "provider": 1}
"""Kinds of blocks at the top -> number of labels, each of which is one level of objects"""
_ESCAPE = re.compile(rb'\\(?:[bfnrt"\\/]|u[0-9A-Fa-f]{4}(?:\\u[dD][c-fC-F][0-9A-Fa-f]{2})?)')
_COMMENT = "//"
_DEEP = 4
"""Levels of blocks in which dynamic ones are looked for"""

_decoded = msgspec.json.Decoder(str).decode


class JsonNode(msgspec.Struct, frozen=True):
    """A JSON value and the bytes at which it is written; stands where the configuration language has a syntax node."""

    value: Any
    pointer: str
    start_byte: int
    end_byte: int
    name_start: int = -1

    type = "json"
    has_error = False
    children: tuple[()] = ()
    named_children: tuple[()] = ()


class JsonSyntax(Syntax, frozen=True, dict=True, eq=False):
    """The syntax of one file in JSON."""

    value: Any = None

    @cached_property
    def parsed(self) -> tuple[tuple[Node, ...], TextError | None]:
        """The root; a file that is not valid JSON never gets here."""
        return (self.node("", self.value),), None

    @cached_property
    def _ranges(self) -> Mapping[str, tuple[int, int, int]]:
        return ranges_of(self.text)

    def node(self, pointer: str, value: Any) -> JsonNode:
        """The node of the value that a pointer leads to."""
        name, start, end = self._ranges.get(pointer, (-1, 0, 0))
        return JsonNode(value, pointer, start, end, name)

    def members(self, node: JsonNode) -> Iterator[tuple[str, JsonNode]]:
        """The members of an object, or of all objects in a list, with their names."""
        if isinstance(node.value, list):
            for item in self.items(node):
                yield from self.members(item)
        elif isinstance(node.value, dict):
            for name, value in node.value.items():
                if name != _COMMENT:
                    yield name, self.node(f"{node.pointer}/{escaped(name)}", value)

    def items(self, node: JsonNode) -> Iterator[JsonNode]:
        """The items of a list; of anything else, itself."""
        if not isinstance(node.value, list):
            yield node
            return
        for number, value in enumerate(node.value):
            yield self.node(f"{node.pointer}/{number}", value)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks at the top of the file."""
        root = self.parsed[0][0]
        return tuple(block for kind, node in self.members(root) for block in self._blocks(kind, (), node, _LABELS.get(kind, 0)))

    def _blocks(self, kind: str, labels: tuple[str, ...], node: JsonNode, levels: int) -> Iterator[Block]:
        if levels:
            for label, below in self.members(node):
                yield from self._blocks(kind, (*labels, label), below, levels - 1)
            return
        for item in self.items(node):
            if isinstance(item.value, dict):
                yield JsonBlock(self, kind, labels, item)

    @cached_property
    def arguments(self) -> dict[str, Argument]:
        """The arguments at the top: none, for files of variables in JSON are read elsewhere."""
        return {}

    def release(self) -> None:
        """Release what was made of the text."""
        for name in ("parsed", "blocks", "arguments", "_ranges"):
            self.__dict__.pop(name, None)


class JsonArgument(Argument, frozen=True):
    """A member of an object."""

    @property
    def name_span(self) -> tuple[int, int]:
        """The bytes of its name, with the quotes."""
        start: int = self.node.name_start
        return start, self.syntax.text.find(b'"', start + 1) + 1


class JsonBlock(Block, frozen=True, dict=True, eq=False):
    """A block that is written as an object."""

    @cached_property
    def body(self) -> Body:
        """The object."""
        return JsonBody(self.syntax, self.node)


class JsonBody(Body, frozen=True, dict=True, eq=False):
    """Arguments and blocks, which JSON does not distinguish: all members are arguments, but for dynamic blocks."""

    @cached_property
    def arguments(self) -> dict[str, Argument]:
        """The arguments by name."""
        members = ((name, node) for name, node in self._members() if not _is_block(name, node))
        return {name: JsonArgument(self.syntax, name, node, node) for name, node in members}

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The dynamic blocks, the blocks that have some in them, and the content of one."""
        blocks: list[Block] = []
        for name, node in self._members():
            if name == "dynamic":
                inside = self._inside(node)
                blocks += [JsonBlock(self.syntax, name, (label,), each) for label, below in inside for each in below]
            elif _is_block(name, node):
                blocks += [JsonBlock(self.syntax, name, (), each) for each in self._objects(node)]
        return tuple(blocks)

    def _members(self) -> Iterator[tuple[str, JsonNode]]:
        syntax: Any = self.syntax
        yield from syntax.members(self.node)

    def _inside(self, node: JsonNode) -> Iterator[tuple[str, list[JsonNode]]]:
        syntax: Any = self.syntax
        for label, below in syntax.members(node):
            yield label, self._objects(below)

    def _objects(self, node: JsonNode) -> list[JsonNode]:
        syntax: Any = self.syntax
        return [item for item in syntax.items(node) if isinstance(item.value, dict)]


def _is_block(name: str, node: JsonNode) -> bool:
    """Whether a member is no argument: a dynamic block, its content, or a block with a dynamic one in it."""
    return name == "dynamic" or (name == "content" and isinstance(node.value, dict)) or _has_dynamic(node.value, 0)


def _has_dynamic(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return depth < _DEEP and any(_has_dynamic(item, depth + 1) for item in value)
    if not isinstance(value, dict):
        return False
    return "dynamic" in value or (depth < _DEEP and any(_has_dynamic(item, depth + 1) for item in value.values()))


def json_syntax_of(text: bytes, document: str) -> JsonSyntax | TextError:
    """The syntax of a file; an error where it is not valid JSON, no object, or over 16 MiB."""
    if len(text) > LARGEST:
        return TextError(f"{len(text) >> 20} MiB of Terraform configuration: more than {LARGEST >> 20} MiB are not read")
    scan = read_json(text)
    if isinstance(scan, TextError):
        return scan
    return JsonSyntax(document, text, scan.value)


class JsonText(msgspec.Struct, frozen=True, dict=True):
    """The text of a JSON string, and at which byte of the file each byte of it is written."""

    raw: bytes
    start: int
    """offset of the opening quote in the file"""

    @cached_property
    def _pieces(self) -> list[tuple[int, int, bytes]]:
        """(offset in the text, offset in the file, the bytes), for runs without escapes and for each escape."""
        pieces, size, at, end = [], 0, 1, len(self.raw) - 1
        while at < end:
            match = _ESCAPE.search(self.raw, at, end)
            stop = match.start() if match else end
            if stop > at:
                pieces.append((size, self.start + at, self.raw[at:stop]))
                size += stop - at
            if match is None:
                break
            sign = _decoded(b'"' + match[0] + b'"').encode(errors="replace") if b"\\u" not in match[0] else _unicode(match[0])
            pieces.append((size, self.start + stop, sign))
            size, at = size + len(sign), match.end()
        return pieces

    @cached_property
    def text(self) -> bytes:
        """The decoded text."""
        return b"".join(piece for _, _, piece in self._pieces)

    def written_at(self, offset: int) -> int:
        """Where in the file a byte of the text is written, -1 for one that is not in it."""
        number = bisect_right(self._pieces, offset, key=itemgetter(0)) - 1
        if number < 0 or offset > len(self.text):
            return -1
        begin, at, _ = self._pieces[number]
        return at + (offset - begin if self.raw[at - self.start : at - self.start + 1] != b"\\" else 0)

    def size_at(self, offset: int) -> int:
        """The number of bytes as which a byte of the text is written: more than one where it is escaped."""
        match = _ESCAPE.match(self.raw, offset - self.start)
        return len(match[0]) if match else -1

    def between(self, offset: int, part: str) -> Iterator[Fragment]:
        """A part of the text that begins at an offset, cut where it is written with an escape; at the end what is left."""
        raw, at = part.encode(), offset
        for begin, written, piece in self._pieces[max(bisect_right(self._pieces, offset, key=itemgetter(0)) - 1, 0) :]:
            start, stop = at - begin, min(len(piece), offset + len(raw) - begin)
            if stop <= start:
                break
            escape = self.size_at(written)
            place = written if escape > 0 else written + start
            yield Fragment(piece[start:stop].decode(errors="replace"), place, escape)
            at = begin + stop

    def runs(self) -> Iterator[Fragment]:
        """The parts of the text with their places."""
        for _, at, piece in self._pieces:
            yield Fragment(piece.decode(errors="replace"), at, self.size_at(at))


def _unicode(escape: bytes) -> bytes:
    try:
        return _decoded(b'"' + escape + b'"').encode()
    except (msgspec.DecodeError, UnicodeError):
        return "\N{REPLACEMENT CHARACTER}".encode()
