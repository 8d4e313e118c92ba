"""Edits of JSON texts, also of those inside strings of other texts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.changes import Add, Change, Drop, Put, Rename, changes
from irsa_doctor.remedies.edits.json_style import (
    Layout,
    child_indent,
    indent_at,
    is_inline,
    layout_of,
    separator,
    spanned,
)
from irsa_doctor.remedies.edits.records import CannotWrite, Edit, SourceText, Wish, values_by_name, written_pointer
from irsa_doctor.remedies.edits.strings import encoded_text, rewritten, written_characters
from irsa_doctor.text.json_tree import NoTree, SyntaxChild, SyntaxNode, json_tree
from irsa_doctor.text.scanner import unescaped_steps

SpliceRange = tuple[int, int, str]
"""a range of bytes and what takes its place"""


TextWriter = Callable[[str, Wish], list["SpliceRange"]]
"""what changes in the text of a policy"""


def write_json(text: SourceText, wish: Wish, in_text: TextWriter | None = None) -> tuple[Edit, ...]:
    """The edits of a JSON document; a policy may stand in it as an object or as the text of one in a string."""
    start = text.ranges[wish.place.part][0] if text.ranges else 0
    try:
        root = json_tree(text.content, start)
    except NoTree as error:
        raise CannotWrite("unreadable", f"the text is no valid JSON at {error}") from None
    node, rest = followed(root, unescaped_steps(written_pointer(text, wish)))
    if rest or node is None:
        raise CannotWrite("not-in-source", "the document does not have this value as it is read")
    if node.kind == "string" and not isinstance(wish.before, str):
        ranges = _inside_string(text.content, node, wish, in_text or text_ranges)
    else:
        ranges = json_ranges(text.content, root, node, wish)
    return tuple(text.edit(*one) for one in ranges)


def followed(node: SyntaxNode | None, steps: Sequence[str]) -> tuple[SyntaxNode | None, Sequence[str]]:
    """The node that the steps of a pointer lead to, and the steps that lead nowhere."""
    for number, step in enumerate(steps):
        child = node.child(step) if node else None
        if child is None:
            return node, steps[number:]
        node = child.node
    return node, ()


def json_ranges(content: bytes, root: SyntaxNode, node: SyntaxNode, wish: Wish) -> list[SpliceRange]:
    """What changes in a text for a wish about one of its nodes."""
    writer = _JsonWriter(content, layout_of(content, root))
    if wish.merge:
        return [one for pointer in wish.merge for one in writer.merged(node, unescaped_steps(pointer))]
    return writer.carried_out(node, list(changes(*values_by_name(wish))))


def text_ranges(value: str, wish: Wish) -> list[SpliceRange]:
    """What changes in a text that is JSON itself and stands in a string or a block of another text; in its UTF-8 bytes."""
    content = value.encode()
    try:
        root = json_tree(content)
    except NoTree:
        raise CannotWrite("not-in-source", "the policy is written in another form than JSON") from None
    if root.kind == "string":
        raise CannotWrite("not-in-source", "the policy is the text of a text")
    return json_ranges(content, root, root, wish)


def _inside_string(content: bytes, node: SyntaxNode, wish: Wish, in_text: TextWriter) -> list[SpliceRange]:
    written = content[node.start + 1 : node.end - 1].decode()
    value = msgspec.json.decode(content[node.start : node.end], type=str)
    ranges = in_text(value, wish)
    return list(escaped_ranges(written, value, node.start + 1, ranges))


def escaped_ranges(written: str, value: str, start: int, ranges: Iterable[SpliceRange]) -> Iterator[SpliceRange]:
    """Ranges of the value of a JSON string as ranges of the document; `written` is its content, which begins at `start`."""
    pieces = written_characters(written)
    if len(pieces) != len(value):
        raise CannotWrite("not-in-source", "the text of the policy has characters that cannot be placed")
    offsets = [start]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece.encode()))
    raw = value.encode()
    for first, end, new in ranges:
        begin, finish = (len(raw[:offset].decode()) for offset in (first, end))
        yield offsets[begin], offsets[finish], encoded_text(new, written)


class _JsonWriter:
    """Carries out changes of one JSON text."""

    def __init__(self, content: bytes, layout: Layout) -> None:
        self.content = content
        self.layout = layout

    def carried_out(self, node: SyntaxNode, wanted: Sequence[Change]) -> list[SpliceRange]:
        """The ranges that change, for changes of the value of a node."""
        ranges: list[SpliceRange] = []
        containers: dict[int, tuple[SyntaxNode, list[int], list[Add]]] = {}
        for change in wanted:
            steps = unescaped_steps(change.pointer)
            if isinstance(change, Add):
                owner = self._node(node, steps)
                containers.setdefault(owner.start, (owner, [], []))[2].append(change)
            elif isinstance(change, Drop):
                owner = self._node(node, steps[:-1])
                containers.setdefault(owner.start, (owner, [], []))[1].append(_number(owner, steps[-1]))
            else:
                ranges.append(self._plain(node, steps, change))
        for owner, gone, added in containers.values():
            ranges += self._children(owner, sorted(gone), added)
        return ranges

    def _node(self, node: SyntaxNode, steps: Sequence[str]) -> SyntaxNode:
        below, rest = followed(node, steps)
        if below is None or rest:
            raise CannotWrite("not-in-source", "the document does not have this value as it is read")
        return below

    def _plain(self, node: SyntaxNode, steps: Sequence[str], change: Put | Rename) -> SpliceRange:
        if isinstance(change, Rename):
            owner = self._node(node, steps[:-1])
            child = owner.children[_number(owner, steps[-1])]
            return self._string(child.start, child.name_end, str(change.name))
        below = _of_sub(self._node(node, steps), change)
        if below.kind == "string" and not isinstance(change.value, dict | list | bool | int | float | None):
            return self._string(below.start, below.end, str(change.value))
        indent = indent_at(self.content, below.start)
        inline = below.kind in ("string", "other") or b"\n" not in self.content[below.start : below.end]
        return below.start, below.end, self.layout.rendered(change.value, indent, inline and not isinstance(change.value, list))

    def _string(self, start: int, end: int, new: str) -> SpliceRange:
        return start + 1, end - 1, rewritten(self.content[start + 1 : end - 1].decode(), new)

    def _children(self, owner: SyntaxNode, gone: list[int], added: list[Add]) -> Iterator[SpliceRange]:
        """The ranges of children that go and come."""
        children = owner.children
        if len(gone) == len(children):
            value: Any = [add.value for add in added] if owner.kind == "list" else {add.name: add.value for add in added}
            indent, inline = indent_at(self.content, owner.start), is_inline(self.content, owner) and bool(children)
            yield owner.start, owner.end, self.layout.rendered(value, indent, inline)
            return
        for first, last in _runs(gone):
            if last + 1 < len(children):
                yield children[first].start, children[last + 1].start, ""
            else:
                yield children[first - 1].end, children[last].end, ""
        for index in dict.fromkeys(add.index for add in added):
            yield self._added(owner, index, [add for add in added if add.index == index])

    def _added(self, owner: SyntaxNode, index: int, added: Sequence[Add]) -> SpliceRange:
        between = separator(self.content, owner, index, self.layout)
        indent, inline = child_indent(self.content, owner, self.layout), is_inline(self.content, owner)
        texts = [self._child_text(add, indent, inline) for add in added]
        if index == 0:
            start = owner.children[0].start
            return start, start, "".join(text + between for text in texts)
        end = owner.children[index - 1].end
        return end, end, "".join(between + text for text in texts)

    def _child_text(self, add: Add, indent: str, inline: bool) -> str:
        value = self.layout.rendered(add.value, indent, inline)
        return value if add.name is None else f"{self.layout.quoted(add.name)}{self.layout.colon}{value}"

    # ---- members that are written twice

    def merged(self, node: SyntaxNode, steps: Sequence[str]) -> Iterator[SpliceRange]:
        """The ranges that change so that the members of one name become the first of them."""
        owner = self._node(node, steps[:-1])
        numbers = [n for n, child in enumerate(owner.children) if child.name == steps[-1]]
        first, others = owner.children[numbers[0]], [owner.children[number] for number in numbers[1:]]
        if all(child.node.kind == "object" for child in (first, *others)):
            yield from self._with_members(first, others)
        elif any(self._value(child) != self._value(first) for child in others):
            values = [value for child in (first, *others) for value in _listed(self._value(child))]
            value = list(dict.fromkeys(values)) if all(isinstance(value, str) for value in values) else None
            if value is None:
                raise CannotWrite("ambiguous", f"{steps[-1]} is written twice with different values")
            yield first.node.start, first.end, self.layout.rendered(value, indent_at(self.content, first.start), False)
        yield from self._children(owner, numbers[1:], [])

    def _with_members(self, first: SyntaxChild, others: Sequence[SyntaxChild]) -> Iterator[SpliceRange]:
        """The first of several objects with the members of the others."""
        known = {child.name: self._value(child) for child in first.node.children}
        texts: list[str] = []
        for child in (child for other in others for child in other.node.children):
            if child.name not in known:
                texts.append(spanned(self.content, child))
            elif known[child.name] != self._value(child):
                raise CannotWrite("ambiguous", f"{child.name} has two values")
            known.setdefault(child.name, self._value(child))
        if texts and not first.node.children:
            raise CannotWrite("ambiguous", "the first of the two is empty")
        if texts:
            between = separator(self.content, first.node, len(first.node.children), self.layout)
            yield first.node.children[-1].end, first.node.children[-1].end, "".join(between + text for text in texts)

    def _value(self, child: SyntaxChild) -> Any:
        return msgspec.json.decode(self.content[child.node.start : child.end])


def _of_sub(node: SyntaxNode, change: Put) -> SyntaxNode:
    """The text of `Fn::Sub` that a node is, where the text that takes its place has variables of it."""
    sub = node.child("Fn::Sub") if node.kind == "object" and len(node.children) == 1 and "${" in str(change.value) else None
    return sub.node if sub else node


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(owner: SyntaxNode, step: str) -> int:
    """The number of a child of a name, the last one of several."""
    if owner.kind == "list":
        return int(step)
    numbers = [number for number, child in enumerate(owner.children) if child.name == step]
    if not numbers:
        raise CannotWrite("not-in-source", "the document does not have this value as it is read")
    return numbers[-1]


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each run of consecutive numbers."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield numbers[start], numbers[place - 1]
            start = place
