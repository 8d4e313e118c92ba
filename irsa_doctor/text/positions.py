"""From a place to its line and column, found in the kept text when somebody asks."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.text.scanner import escaped

_BIG = 65_536
"""Bytes of a list or object from which on its members' offsets are kept in a table."""
_BLOCK = 8_192
_WIDEST = 400
"""Characters of a line that are shown."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*")
_COMMA = re.compile(rb"[ \t\r\n]*,?[ \t\r\n]*")
_NAME = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_NEXT_NAME = re.compile(_COMMA.pattern + _NAME.pattern, re.DOTALL)
_WHITE = b" \t\r\n"
_SCALAR = re.compile(rb"[^\s,\]}]*")
# a token counts from its first dot on: what is looked at may end inside its claims
_SECRET = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]{8,}\.[\w.-]+")
_CUT_WORD = re.compile(r"^[\w.-]+")
_CUT_SECRET = re.compile(r"\b(?:(?:AKIA|ASIA)[A-Z0-9]*|eyJ[\w-]*)$")
_SECRET_KIND = re.compile(rb"""["']?kind["']?\s*:\s*["']?Secret\b""")

_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raw_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode


class Span(msgspec.Struct, frozen=True):
    """Where something stands: 1-based, columns in characters, the end after the last one; zeros where unknown.

    `source` is the text of the first line, or of its surroundings where the line is long; the value begins at `offset` in it.
    """

    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    source: str = ""
    offset: int = 0


class Spot(msgspec.Struct, frozen=True):
    """Where something stands that a template makes of what is written elsewhere.

    With a `pointer` alone: what stands there. With `start` and `end` too: characters of the text that stands there. Without a
    pointer: bytes of the document. `name` and `name_end` are those of the member's name in the same way, -1 for none.
    """

    pointer: str | None = None
    start: int = -1
    end: int = -1
    name: int = -1
    name_end: int = -1


class Source(msgspec.Struct):
    """The kept text of one document, UTF-8; `ranges` are the byte ranges of its JSON values.

    `spots` say by (part, pointer) where that stands to which no pointer of the document itself leads.
    """

    text: bytes
    form: Literal["json", "yaml", "hcl", "other"]
    ranges: list[tuple[int, int]] = []
    repeats: bool = False
    """whether a member is given twice somewhere: then the last one counts, as for whoever reads the value"""
    spots: Mapping[tuple[int, str], Spot] = {}


class Documents:
    """The texts of everything that was read, for finding places in them."""

    def __init__(self, sources: Mapping[str, Source] | None = None) -> None:
        self._finders: dict[str, _Finder] = {}
        self._sources = dict(sources or {})

    def locate(self, place: Place, key: bool = False) -> Span:
        """Line and column of the value that a place names, or of the member's name with `key`.

        As deep as the pointer can be followed: a policy inside a JSON string is found at the string. Zeros where the
        document is not known.
        """
        finder = self._finder(place.document)
        if finder is None:
            return Span()
        if spots := self._sources[place.document].spots:
            return _by_spot(finder, spots, place, key)
        return finder.locate(place, key)

    def _finder(self, document: str) -> "_Finder | None":
        finder = self._finders.get(document)
        source = self._sources.get(document)
        if finder is None and source is not None:
            finder = self._finders[document] = _FINDERS[source.form](source)
        return finder

    def is_text(self, place: Place) -> bool:
        """Whether the value at the place is a text, in which positions mean nothing for the document."""
        finder = self._finder(place.document)
        return finder is not None and finder.is_text(place)

    def form(self, document: str) -> str:
        """`json`, `yaml`, `hcl` or `other`; "" where the document was not read."""
        source = self._sources.get(document)
        return source.form if source else ""

    def text(self, document: str) -> bytes | None:
        """The kept text of a document, UTF-8."""
        source = self._sources.get(document)
        return source.text if source else None


def _by_spot(finder: "_Finder", spots: Mapping[tuple[int, str], Spot], place: Place, key: bool) -> Span:
    """The place by the nearest spot at or above it; what lies below that is looked for where the spot leads."""
    steps = place.pointer.split("/")
    for size in range(len(steps), 0, -1):
        spot = spots.get((place.part, "/".join(steps[:size])))
        if spot is None:
            continue
        named = key and size == len(steps) and spot.name >= 0
        start, end = (spot.name, spot.name_end) if named else (spot.start, spot.end)
        if spot.pointer is None:
            return finder.lines.span(start, end) if isinstance(finder, _Json | _Hcl) else finder.locate(place, key)
        below = Place(place.document, "/".join((spot.pointer, *steps[size:])), place.part)
        if start >= 0 and isinstance(finder, _Yaml):
            return finder.inside(below, start, end)
        return finder.locate(below, key)
    return finder.locate(place, key)


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def holds_secret(text: bytes) -> bool:
    """Whether a Secret of Kubernetes is among the objects."""
    return b"Secret" in text and _SECRET_KIND.search(text) is not None


class _Lines:
    """Line numbers of byte offsets, by counts of newlines a block."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.ascii = text.isascii()
        self.secret = holds_secret(text)
        self.before = [0]
        for start in range(0, len(text), _BLOCK):
            self.before.append(self.before[-1] + text.count(b"\n", start, start + _BLOCK))

    def start(self, offset: int) -> int:
        """Offset of the first byte of the line; blocks without newline are not searched."""
        block = offset // _BLOCK
        found = self.text.rfind(b"\n", block * _BLOCK, offset)
        if found < 0 and self.before[block]:
            block = bisect_left(self.before, self.before[block]) - 1
            found = self.text.rfind(b"\n", block * _BLOCK, (block + 1) * _BLOCK)
        return found + 1

    def position(self, offset: int) -> tuple[int, int]:
        block = min(offset // _BLOCK, len(self.before) - 1)
        line = self.before[block] + self.text.count(b"\n", block * _BLOCK, offset) + 1
        start = self.start(offset)
        return line, 1 + (offset - start if self.ascii else len(self.text[start:offset].decode(errors="replace")))

    def span(self, start: int, end: int) -> Span:
        line, column = self.position(start)
        if self.ascii and self.text.find(b"\n", start, end) < 0:
            return Span(line, column, line, column + end - start, *self.source(start, end))
        end_line, end_column = self.position(end)
        return Span(line, column, end_line, end_column, *self.source(start, end))

    def source(self, start: int, end: int) -> tuple[str, int]:
        first = self.start(start)
        last = self.text.find(b"\n", start, start + 4 * _WIDEST)
        last = min(len(self.text), start + 4 * _WIDEST) if last < 0 else last
        if self.secret:
            # what stands beside it may be what nobody should see
            first, last = start, min(end, last)
        begin = max(first, start - 4 * _WIDEST)
        before = self.text[begin:start].decode(errors="replace")
        after = self.text[start:last].decode(errors="replace").rstrip("\r")
        # half a secret looks like none
        if begin > first:
            before = _CUT_WORD.sub("", before)
        if last == start + 4 * _WIDEST:
            after = _CUT_SECRET.sub("...", after)
        return shown(before, after)


def shown(before: str, after: str) -> tuple[str, int]:
    """A line, or the part of a long one around the point between the two texts, without secrets; and where that point is."""
    text, offset = before + after, len(before)
    # the cheap question first: it is asked of every line that is shown
    if ("AKIA" in text or "ASIA" in text or "eyJ" in text) and _SECRET.search(text):
        text = _masked(text)
        offset = min(len(_masked(before)), len(text))
    if len(text) <= _WIDEST:
        return text, offset
    room = _WIDEST - min(len(text) - offset, _WIDEST // 2)
    begin = max(0, offset - room)
    return text[begin : begin + _WIDEST], offset - begin


def _masked(text: str) -> str:
    return _SECRET.sub(lambda match: match[0][:4] + "...", text)


class _Found(msgspec.Struct, frozen=True, gc=False):
    """Byte offsets of a member: its name (-1 in a list), its value, and the end of that."""

    name: int
    value: int
    end: int


_WELL_KNOWN = (
    *("AssumeRolePolicyDocument", "Statement", "Principal", "Federated", "Condition", "StringEquals", "StringLike"),
    *("metadata", "annotations"),
)
_well_known = msgspec.json.Decoder(
    msgspec.defstruct("_WellKnown", [(name, msgspec.Raw, msgspec.Raw()) for name in _WELL_KNOWN])
).decode


class _Json:
    """Goes down to a place, asking the C decoder how long each member is, so that nothing is scanned in Python."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.lines = _Lines(source.text)
        self.roots: list[_Found | None] = [None] * len(source.ranges)
        self.tables: dict[int, dict[str, _Found]] = {}
        self.last: tuple[int, list[str], list[_Found]] = (-1, [], [])

    def root(self, part: int) -> _Found:
        found = self.roots[part]
        if found is None:
            start, end = self.source.ranges[part]
            start = _end_of(_SPACE, self.text, start)
            while end > start and self.text[end - 1] in _WHITE:
                end -= 1
            found = self.roots[part] = _Found(-1, start, end)
        return found

    def locate(self, place: Place, key: bool) -> Span:
        found = self.find(place, key)
        if found is None:
            return Span()
        if key and found.name >= 0:
            return self.lines.span(found.name, _end_of(_STRING, self.text, found.name))
        return self.lines.span(found.value, found.end)

    def is_text(self, place: Place) -> bool:
        found = self.find(place)
        return found is not None and self.text[found.value : found.value + 1] == b'"'

    def find(self, place: Place, named: bool = False) -> _Found | None:
        """What a pointer leads to, or as far as it leads; with the offset of its name where it is to be `named`."""
        if not 0 <= place.part < len(self.roots):
            return None
        steps = _steps(place.pointer)
        way = self.way(place.part, steps)
        for number in range(len(way) - 1, len(steps)):
            below = self.child(way[-1], steps[number], named and number >= len(steps) - 1)
            if below is None:
                break
            way.append(below)
        # not the last: it was looked for with its name, or without
        self.last = (place.part, steps, way[: max(len(steps), 1)])
        return way[-1]

    def way(self, part: int, steps: list[str]) -> list[_Found]:
        """The beginning of a way that it shares with the last one: what is said of one role is nearly all in one place."""
        same, last, found = self.last
        if same != part:
            return [self.root(part)]
        shared = 0
        while shared + 1 < len(found) and shared < len(steps) and steps[shared] == last[shared]:
            shared += 1
        return found[: shared + 1]

    def child(self, above: _Found, step: str, named: bool) -> _Found | None:
        if self.text[above.value : above.value + 1] not in (b"{", b"["):
            return None
        if above.end - above.value <= _BIG:
            return self.member(above, step, named)
        if above.value not in self.tables:
            self.tables[above.value] = dict(self.members(above))
        return self.tables[above.value].get(step)

    def member(self, above: _Found, step: str, named: bool) -> _Found | None:
        """One member, the sizes of those before it known: their names need not be read."""
        if self.source.repeats or self.text[above.value : above.value + 1] == b"[":
            return next((found for name, found in self.members(above) if name == step), None)
        if not named and step in _WELL_KNOWN and (found := self.well_known(above, step)):
            return found
        try:
            sizes = _raw_members(memoryview(self.text)[above.value : above.end])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        at = above.value + 1
        for name, item in sizes.items() if step in sizes else ():
            match = _NEXT_NAME.match(self.text, at)
            if match is None:
                break
            if name == step:
                return _Found(match.start(1), match.end(), match.end() + len(memoryview(item)))
            at = match.end() + len(memoryview(item))
        return None

    def well_known(self, above: _Found, step: str) -> _Found | None:
        """A member by which many ways lead, where its text stands but once in the object: then that is where it is."""
        try:
            raw = getattr(_well_known(memoryview(self.text)[above.value : above.end]), step)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        text = bytes(raw)
        start = self.text.find(text, above.value, above.end) if text else -1
        if start < 0 or self.text.find(text, start + 1, above.end) >= 0:
            return None
        return _Found(-1, start, start + len(text))

    def members(self, above: _Found) -> Iterator[tuple[str, _Found]]:
        raw = memoryview(self.text)[above.value : above.end]
        try:
            if self.text[above.value : above.value + 1] == b"[":
                return self.items(above.value, [len(memoryview(item)) for item in _raw_items(raw)])
            sizes = {name: len(memoryview(item)) for name, item in _raw_members(raw).items()}
            return self.named(above.value, {} if self.source.repeats else sizes)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return iter(())

    def items(self, offset: int, sizes: list[int]) -> Iterator[tuple[str, _Found]]:
        at = _end_of(_SPACE, self.text, offset + 1)
        for number, size in enumerate(sizes):
            yield str(number), _Found(-1, at, at + size)
            at = _end_of(_COMMA, self.text, at + size)

    def named(self, offset: int, sizes: dict[str, int]) -> Iterator[tuple[str, _Found]]:
        """Where a member is given twice, only the size of the last is known: then each is measured, the last first."""
        found = []
        at = _end_of(_SPACE, self.text, offset + 1)
        while match := _NAME.match(self.text, at):
            name, value = self.name(match[1]), match.end()
            end = value + sizes[name] if name in sizes else self.end(value)
            if sizes:
                yield name, _Found(at, value, end)
            else:
                found.append((name, _Found(at, value, end)))
            at = _end_of(_COMMA, self.text, end)
        yield from dict(found).items()

    def name(self, raw: bytes) -> str:
        if b"\\" not in raw:
            return raw[1:-1].decode(errors="replace")
        return _text(raw)

    def end(self, offset: int) -> int:
        """Offset after the value that begins here."""
        text = self.text
        first = text[offset : offset + 1]
        if first == b'"':
            return _end_of(_STRING, text, offset)
        if first not in (b"{", b"["):
            return _end_of(_SCALAR, text, offset)
        depth = 0
        for token in _TOKEN.finditer(text, offset):
            sign = text[token.start()]
            if sign in b"{[":
                depth += 1
            elif sign in b"}]":
                depth -= 1
                if depth == 0:
                    return token.end()
        return len(text)


def _end_of(pattern: re.Pattern[bytes], text: bytes, offset: int) -> int:
    match = pattern.match(text, offset)
    return match.end() if match else offset


class _Yaml:
    """The nodes of a YAML stream, composed again when the first place in it is asked for."""

    def __init__(self, source: Source) -> None:
        from irsa_doctor.text.yaml import compose

        roots = compose(source.text)
        self.roots = roots if isinstance(roots, list) else []
        self.lines = source.text.decode(errors="replace").split("\n")
        self.secret = holds_secret(source.text)

    def locate(self, place: Place, key: bool) -> Span:
        name, node = self.find(place)
        if node is None:
            return Span()
        at = name if key and name is not None else node
        return self.span(at.start_mark, self.end(at))

    def is_text(self, place: Place) -> bool:
        node = self.find(place)[1]
        return node is not None and node.id == "scalar"

    def find(self, place: Place) -> tuple[Any, Any]:
        """The nodes of a member's name and value, None where there are none."""
        name, node = None, self.roots[place.part] if 0 <= place.part < len(self.roots) else None
        for step in _steps(place.pointer) if node is not None else ():
            below = self.child(node, step)
            if below is None:
                break
            name, node = below
        return name, node

    def child(self, node: Any, step: str) -> tuple[Any, Any] | None:
        if node.tag.startswith("!") and step.removeprefix("Fn::") == node.tag[1:]:
            # the short form of a function of CloudFormation, for which the pointer has the long one
            return None, node
        if node.id == "sequence":
            return (None, node.value[int(step)]) if step.isdecimal() and int(step) < len(node.value) else None
        found = merged = None
        for name, value in node.value if node.id == "mapping" else ():
            if name.value == step:
                found = name, value
            elif name.value == "<<" and merged is None:
                sources = value.value if value.id == "sequence" else [value]
                merged = next((below for source in sources if (below := self.child(source, step))), None)
        return found or merged

    def inside(self, place: Place, start: int, end: int) -> Span:
        """Characters of the text of a scalar: of a literal block, whose lines are those of the document; else the scalar."""
        node = self.find(place)[1]
        if node is None or node.id != "scalar" or node.style != "|":
            return self.locate(place, False)
        positions = []
        for offset in (start, end):
            line = node.start_mark.line + 1 + node.value.count("\n", 0, offset)
            first = node.value.rfind("\n", 0, offset) + 1
            written = self.lines[line] if line < len(self.lines) else ""
            indent = max(len(written.rstrip("\r")) - len(node.value[first:].partition("\n")[0]), 0)
            positions.append((line, indent + offset - first, written.rstrip("\r")))
        (line, column, written), (end_line, end_column, _) = positions
        before, after = ("", "") if self.secret else (written[:column], written[column:])
        return Span(line + 1, column + 1, end_line + 1, end_column + 1, *shown(before, after))

    def end(self, node: Any) -> Any:
        """A block ends, for the parser, where the next thing begins; for people, with its last value."""
        while node.id != "scalar" and not node.flow_style and node.value:
            last = node.value[-1]
            node = last[1] if isinstance(last, tuple) else last
        return node.end_mark

    def span(self, start: Any, end: Any) -> Span:
        line = self.lines[start.line].rstrip("\r") if start.line < len(self.lines) else ""
        before, after = line[: start.column], line[start.column :]
        if self.secret:
            before, after = "", after[: max(end.column - start.column, 0) if end.line == start.line else None]
        return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1, *shown(before, after))


class _Other:
    """A text whose inside is not looked into, a URL-encoded policy say."""

    def __init__(self, source: Source) -> None:
        self.span = _Lines(source.text).span(0, len(source.text))

    def locate(self, place: Place, key: bool) -> Span:
        return self.span

    def is_text(self, place: Place) -> bool:
        return True


class _Hcl:
    """The configuration language of Terraform, whose places are all spots."""

    def __init__(self, source: Source) -> None:
        self.lines = _Lines(source.text)

    def locate(self, place: Place, key: bool) -> Span:
        return self.lines.span(0, 0)

    def is_text(self, place: Place) -> bool:
        return True


_Finder = _Json | _Yaml | _Hcl | _Other
_FINDERS: Mapping[str, type[_Json] | type[_Yaml] | type[_Hcl] | type[_Other]] = {
    "json": _Json,
    "yaml": _Yaml,
    "hcl": _Hcl,
    "other": _Other,
}


def ranges_of(text: bytes) -> dict[str, tuple[int, int, int]]:
    """Pointer -> byte offsets of name (-1 where there is none), value and end, of everything in a JSON text."""
    finder = _Json(Source(text, "json", [(0, len(text))], True))
    found: dict[str, tuple[int, int, int]] = {}
    waiting = [("", finder.root(0))]
    while waiting:
        pointer, here = waiting.pop()
        found[pointer] = here.name, here.value, here.end
        if text[here.value : here.value + 1] in (b"{", b"["):
            waiting += [(f"{pointer}/{escaped(name)}", below) for name, below in finder.members(here)]
    return found
