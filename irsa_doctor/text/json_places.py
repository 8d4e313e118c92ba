"""Finds the places of a JSON text: JSON pointer to byte offsets, without a scan in Python."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.model.regex import regex
from irsa_doctor.text.lines import LineIndex, Span
from irsa_doctor.text.scanner import escaped, unescaped_steps

_BIG = 65_536
"""Bytes of a list or object from which on its members' offsets are kept in a table."""

_DIGITS = 10
"""A list of JSON has fewer items than a number of so many digits says."""

_STRING = regex(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = regex(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)
_SPACE = regex(rb"[ \t\r\n]*")
_COMMA = regex(rb"[ \t\r\n]*,?[ \t\r\n]*")
_NAME = regex(rb'("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_NEXT_NAME = regex(_COMMA.pattern + _NAME.pattern, re.DOTALL)
_WHITE = b" \t\r\n"
_SCALAR = regex(rb"[^\s,\]}]*")

_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raw_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode


class _Member(msgspec.Struct, frozen=True, gc=False):
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


class JsonPlaces:
    """The places of one JSON text. The C decoder gives the length of each member, so that nothing is scanned in Python.

    `ranges` are the byte ranges of its values, `has_duplicates` whether a member appears twice somewhere: then the last one
    counts, as for whoever reads the value.
    """

    def __init__(self, text: bytes, ranges: Sequence[tuple[int, int]], has_duplicates: bool) -> None:
        self.text = text
        self._ranges = ranges
        self._has_duplicates = has_duplicates
        self.lines = LineIndex(text)
        self._roots: list[_Member | None] = [None] * len(ranges)
        self._tables: dict[int, dict[str, _Member]] = {}
        self._last: tuple[int, list[str], list[_Member]] = (-1, [], [])

    def root(self, part: int) -> _Member:
        """Return the offsets of the value of a part, without the white space around it."""
        root = self._roots[part]
        if root is None:
            start, end = self._ranges[part]
            start = _end_of(_SPACE, self.text, start)
            while end > start and self.text[end - 1] in _WHITE:
                end -= 1
            root = self._roots[part] = _Member(-1, start, end)
        return root

    def locate(self, place: Place, key: bool, *, quote: bool = True) -> Span:
        """Return the lines of the value at a place, with `key` those of the name of the member; zeros where there is none."""
        member = self.find(place, key)
        if member is None:
            return Span()
        if key and member.name >= 0:
            return self.lines.span(member.name, _end_of(_STRING, self.text, member.name), quote=quote)
        return self.lines.span(member.value, member.end, quote=quote)

    def is_text(self, place: Place) -> bool:
        """Whether the value at the place is a string."""
        member = self.find(place)
        return member is not None and self.text[member.value : member.value + 1] == b'"'

    def find(self, place: Place, named: bool = False) -> _Member | None:
        """The member that a pointer leads to, or as far as it leads; with the offset of its name where `named`."""
        if not 0 <= place.part < len(self._roots):
            return None
        steps = unescaped_steps(place.pointer)
        path = self._path(place.part, steps)
        for number in range(len(path) - 1, len(steps)):
            below = self._child(path[-1], steps[number], named and number >= len(steps) - 1)
            if below is None:
                break
            path.append(below)
        # not the last member: it was looked up with its name, or without
        self._last = (place.part, steps, path[: max(len(steps), 1)])
        return path[-1]

    def _path(self, part: int, steps: list[str]) -> list[_Member]:
        """The beginning of the path that is the same as that of the last place: findings of one role lie close together."""
        same, last, members = self._last
        if same != part:
            return [self.root(part)]
        shared = 0
        while shared + 1 < len(members) and shared < len(steps) and steps[shared] == last[shared]:
            shared += 1
        return members[: shared + 1]

    def _child(self, above: _Member, step: str, named: bool) -> _Member | None:
        if self.text[above.value : above.value + 1] not in (b"{", b"["):
            return None
        if above.end - above.value <= _BIG:
            return self._member(above, step, named)
        if above.value not in self._tables:
            self._tables[above.value] = dict(self.members(above))
        return self._tables[above.value].get(step)

    def _member(self, above: _Member, step: str, named: bool) -> _Member | None:
        """One member; the sizes of those before it are known, so their names are not decoded."""
        if self.text[above.value : above.value + 1] == b"[":
            return self._item(above, step)
        if self._has_duplicates:
            return next((member for name, member in self.members(above) if name == step), None)
        if not named and step in _WELL_KNOWN and (member := self._well_known_member(above, step)):
            return member
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
                return _Member(match.start(1), match.end(), match.end() + len(memoryview(item)))
            at = match.end() + len(memoryview(item))
        return None

    def _item(self, above: _Member, step: str) -> _Member | None:
        """One item of a list; the sizes of those before it are known."""
        number = int(step) if len(step) < _DIGITS and step.isdecimal() else 0
        if str(number) != step:
            return None
        try:
            items = _raw_items(memoryview(self.text)[above.value : above.end])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if number >= len(items):
            return None
        at = _end_of(_SPACE, self.text, above.value + 1)
        for item in items[:number]:
            at = _end_of(_COMMA, self.text, at + len(memoryview(item)))
        return _Member(-1, at, at + len(memoryview(items[number])))

    def _well_known_member(self, above: _Member, step: str) -> _Member | None:
        """A member of many paths, found by its text where that appears only once in the object."""
        try:
            raw = getattr(_well_known(memoryview(self.text)[above.value : above.end]), step)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        text = bytes(raw)
        start = self.text.find(text, above.value, above.end) if text else -1
        if start < 0 or self.text.find(text, start + 1, above.end) >= 0:
            return None
        return _Member(-1, start, start + len(text))

    def members(self, above: _Member) -> Iterator[tuple[str, _Member]]:
        """Yield name (number in a list) and offsets of the members of an object or a list."""
        raw = memoryview(self.text)[above.value : above.end]
        try:
            if self.text[above.value : above.value + 1] == b"[":
                return self._items(above.value, [len(memoryview(item)) for item in _raw_items(raw)])
            sizes = {name: len(memoryview(item)) for name, item in _raw_members(raw).items()}
            return self._named(above.value, {} if self._has_duplicates else sizes)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return iter(())

    def _items(self, offset: int, sizes: list[int]) -> Iterator[tuple[str, _Member]]:
        at = _end_of(_SPACE, self.text, offset + 1)
        for number, size in enumerate(sizes):
            yield str(number), _Member(-1, at, at + size)
            at = _end_of(_COMMA, self.text, at + size)

    def _named(self, offset: int, sizes: dict[str, int]) -> Iterator[tuple[str, _Member]]:
        """Members with the offsets of their names. Of duplicates only the size of the last is known, so each is measured."""
        members = []
        at = _end_of(_SPACE, self.text, offset + 1)
        while match := _NAME.match(self.text, at):
            name, value = self._name(match[1]), match.end()
            end = value + sizes[name] if name in sizes else self._end(value)
            if sizes:
                yield name, _Member(at, value, end)
            else:
                members.append((name, _Member(at, value, end)))
            at = _end_of(_COMMA, self.text, end)
        yield from dict(members).items()

    def _name(self, raw: bytes) -> str:
        if b"\\" not in raw:
            return raw[1:-1].decode(errors="replace")
        return _text(raw)

    def _end(self, offset: int) -> int:
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


def ranges_of(text: bytes) -> dict[str, tuple[int, int, int]]:
    """Return pointer -> byte offsets of name (-1 where there is none), value and end, for every value of a JSON text."""
    finder = JsonPlaces(text, [(0, len(text))], True)
    ranges: dict[str, tuple[int, int, int]] = {}
    pending = [("", finder.root(0))]
    while pending:
        pointer, member = pending.pop()
        ranges[pointer] = member.name, member.value, member.end
        if text[member.value : member.value + 1] in (b"{", b"["):
            pending += [(f"{pointer}/{escaped(name)}", below) for name, below in finder.members(member)]
    return ranges
