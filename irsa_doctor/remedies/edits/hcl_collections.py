"""Edits of lists and objects in Terraform's configuration language, in the layout that they have."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.changes import Add, Change, Drop, Put, Rename, changes
from irsa_doctor.remedies.edits.hcl_names import HclValue
from irsa_doctor.remedies.edits.hcl_values import KnownExpressions, SharedTexts, text_edits
from irsa_doctor.remedies.edits.json_style import indent_at
from irsa_doctor.remedies.edits.records import CannotWrite, Edit
from irsa_doctor.text.hcl_tree import HclNode, call_of, significant
from irsa_doctor.text.scanner import unescaped_steps

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LINE_END = re.compile(rb"[ \t]*,?[ \t]*(?:(?:#|//)[^\r\n]*|/\*(?:(?!\*/)[^\r\n])*\*/)?[ \t]*(?=\r?\n)")
_COMMA = re.compile(rb"[ \t]*,")
_DEEP = 20
_TOGETHER = ("concat", "merge")
"""functions that put collections together"""


class HclLayout(msgspec.Struct, frozen=True):
    """How new values are written: what is near, the ends of lines, and a unit of indentation."""

    near: KnownExpressions
    newline: str = "\n"
    unit: str = "  "

    def about(self, value: HclValue, position: int = -1) -> "HclLayout":
        """The same for a place: with what is nearest to it."""
        return msgspec.structs.replace(self, near=self.near.about(value, position))

    def rendered(self, value: Any, indent: str, *, inline: bool) -> str:
        """A value as an expression; `indent` is that of the line on which it begins."""
        if isinstance(value, Mapping):
            items = [
                f"{self.name(name)} = {self.rendered(item, indent + self.unit, inline=inline)}" for name, item in value.items()
            ]
            return self._between("{", items, "}", " ", indent, inline=inline)
        if isinstance(value, list):
            items = [self.rendered(item, indent + self.unit, inline=inline) for item in value]
            plain = all(not isinstance(item, dict | list) for item in value)
            return self._between("[", items, "]", "", indent, inline=inline or plain)
        if isinstance(value, str):
            return self.near.alone(value)
        return msgspec.json.encode(value).decode()

    def name(self, name: Any) -> str:
        """The name of a member."""
        text = str(name)
        if _IDENTIFIER.fullmatch(text):
            return text
        written = self.near.alone(text)
        return written if written.startswith('"') else f"({written})"

    def _between(self, opening: str, items: list[str], closing: str, pad: str, indent: str, *, inline: bool) -> str:
        if not items:
            return opening + closing
        if inline:
            return f"{opening}{pad}{', '.join(items)}{pad}{closing}"
        line = f"{self.newline}{indent}{self.unit}"
        comma = "," if opening == "[" else ""
        return f"{opening}{line}{f'{comma}{line}'.join(items)}{comma}{self.newline}{indent}{closing}"


def layout_near(value: HclValue, node: HclNode, shared: SharedTexts) -> HclLayout:
    """The layout of what is written in a node."""
    content = value.text.content
    newline = "\r\n" if b"\r\n" in content[: content.find(b"\n") + 1] else "\n"
    return HclLayout(KnownExpressions.near(value, node, shared), newline)


def collection_of(value: HclValue) -> HclValue:
    """The list or object that an expression is, where it is written: in a call of jsonencode, or in a local or a variable.

    Raises CannotWrite where it is none.
    """
    for _ in range(_DEEP):
        value = value.plain
        if value.node.type in ("object", "tuple"):
            return value
        name, arguments = call_of(value.node)
        if name in ("jsonencode", "tolist", "toset", "tomap") and len(arguments) == 1:
            value = value.at(arguments[0])
        elif name in _TOGETHER and len(filled := [part for part in _parts(value) if _has_children(part)]) == 1:
            value = filled[0]
        elif value.declared is not None:
            value = value.declared_for_policies()
        else:
            break
    raise CannotWrite("not-in-source", "the value is put together in a way that is not edited")


def _parts(value: HclValue) -> list[HclValue]:
    """The collections that a call of `concat` or `merge` puts together. Raises CannotWrite for one that is not written out."""
    return [collection_of(value.at(argument)) for argument in call_of(value.plain.node)[1]]


def _has_children(value: HclValue) -> bool:
    return any(child.type in ("object_elem", "expression") for child in significant(value.node))


def plain_value(value: HclValue) -> Any:
    """The value that is written out: lists, objects and texts. Raises CannotWrite for anything else."""
    text = value.known()
    if text is not None:
        return text
    owner = collection_of(value)
    listed = [child for child in significant(owner.node) if child.type in ("object_elem", "expression")]
    if owner.node.type == "tuple":
        return [plain_value(owner.at(child)) for child in listed]
    pairs = [_expressions(child) for child in listed]
    names = [owner.at(pair[0]) for pair in pairs]
    return {
        name.source if _IDENTIFIER.fullmatch(name.source) else plain_value(name): plain_value(owner.at(pair[-1]))
        for name, pair in zip(names, pairs, strict=True)
    }


class CollectionWriter:
    """Carries out changes of one value that is written as lists and objects."""

    def __init__(self, layout: HclLayout) -> None:
        self.layout = layout

    def edits(self, value: HclValue, before: Any, after: Any) -> list[Edit]:
        """The edits that make a value another one. Raises CannotWrite."""
        if isinstance(before, str) and isinstance(after, str):
            return text_edits(value, before, after, self.layout.near)
        edits: list[Edit] = []
        owners: dict[str, list[Change]] = {}
        for change in changes(before, after):
            if isinstance(change, Put):
                edits += self._put(*_followed(value, before, unescaped_steps(change.pointer)), change)
            else:
                pointer = change.pointer if isinstance(change, Add) else change.pointer.rpartition("/")[0]
                owners.setdefault(pointer, []).append(change)
        for pointer, listed in owners.items():
            owner, held = _followed(value, before, unescaped_steps(pointer))
            within = collection_of(owner)
            edits += CollectionWriter(self.layout.about(within))._members(within, held, listed)
        return edits

    def _members(self, owner: HclValue, held: Any, listed: Sequence[Change]) -> list[Edit]:
        """The edits of the children of one list or object."""
        names = {_number(held, change.pointer): change for change in listed if isinstance(change, Rename)}
        edits = [edit for number, change in names.items() for edit in self._renamed(owner, held, number, change)]
        others = [change for change in listed if not isinstance(change, Rename)]
        gone = [_number(held, change.pointer) for change in others if isinstance(change, Drop)]
        lines = AlignedLines(owner.text.content, [child for n, child in enumerate(_elements(owner, held)) if n not in gone])
        widths = [len(self.layout.name(change.name)) for change in others if isinstance(change, Add)]
        pads = lines.paddings(edits, widths) if owner.node.type == "object" else {}
        edits += [owner.text.edit(start, end, " " * size) for (start, end), size in pads.items()]
        return [*edits, *self._children(owner, held, others, lines.column)] if others else edits

    def _put(self, value: HclValue, before: Any, change: Put) -> list[Edit]:
        if isinstance(before, str) and isinstance(change.value, str):
            return text_edits(value, before, change.value, self.layout.near)
        indent = indent_at(value.text.content, value.node.start_byte)
        inline = not isinstance(before, dict | list) or "\n" not in value.source
        return [
            value.text.edit(
                value.node.start_byte,
                value.node.end_byte,
                self.layout.about(value).rendered(change.value, indent, inline=inline),
            )
        ]

    def _renamed(self, owner: HclValue, held: Any, number: int, change: Rename) -> list[Edit]:
        child, last = owner.at(_elements(owner, held)[number]), unescaped_steps(change.pointer)[-1]
        name, new = child.at(_expressions(child.node)[0]), str(change.name)
        if _IDENTIFIER.fullmatch(name.source):
            return [name.text.edit(name.node.start_byte, name.node.end_byte, self.layout.name(new))]
        edits = text_edits(name, last, new, self.layout.near)
        return [_as_name(edit, name) for edit in edits]

    # ---- children

    def _children(self, owner: HclValue, held: Any, listed: Sequence[Change], column: int) -> list[Edit]:
        children = _elements(owner, held)
        gone = sorted(_number(held, change.pointer) for change in listed if isinstance(change, Drop))
        added = [change for change in listed if isinstance(change, Add)]
        if len(gone) == len(children):
            return [self._whole(owner, added)]
        inline = not _stands_on_lines(owner, children)
        kept = [number for number in range(len(children)) if number not in gone]
        edits = [self._gone(owner, children, number, inline=inline, last=number > kept[-1]) for number in gone]
        for index in dict.fromkeys(change.index for change in added):
            texts = [self._text(owner, children, change, column) for change in added if change.index == index]
            edits += self._added(owner, children, index, texts)
        return edits

    def _whole(self, owner: HclValue, added: Sequence[Add]) -> Edit:
        is_list = owner.node.type == "tuple"
        value: Any = [add.value for add in added] if is_list else {add.name: add.value for add in added}
        indent, inline = indent_at(owner.text.content, owner.node.start_byte), "\n" not in owner.source
        return owner.text.edit(owner.node.start_byte, owner.node.end_byte, self.layout.rendered(value, indent, inline=inline))

    def _text(self, owner: HclValue, children: Sequence[HclNode], change: Add, column: int) -> str:
        inline = not _stands_on_lines(owner, children)
        indent = indent_at(owner.text.content, children[-1].start_byte)
        like = [child.text for child in children if b"{" in child.text]
        value = self.layout.rendered(change.value, indent, inline=inline or any(b"\n" not in text for text in like[-1:]))
        if owner.node.type == "tuple":
            return value
        sign = " : " if re.search(rb'^(?:"[^"]*"|[\w-]+)[ \t]*:', children[-1].text) else " = "
        width = column if "\n" not in value else 0
        return f"{self.layout.name(change.name):<{width}}{sign}{value}"

    def _added(self, owner: HclValue, children: Sequence[HclNode], index: int, texts: Sequence[str]) -> Iterator[Edit]:
        content = owner.text.content
        if not _stands_on_lines(owner, children):
            at = children[index - 1].end_byte if index else children[0].start_byte
            yield owner.text.edit(at, at, "".join(f", {text}" if index else f"{text}, " for text in texts))
            return
        indent = indent_at(content, children[max(index, 1) - 1].start_byte)
        commas = owner.node.type == "tuple" or any(_comma_behind(content, child) for child in children)
        if index == 0:
            at = children[0].start_byte
            yield owner.text.edit(
                at, at, "".join(f"{text}{',' if commas else ''}{self.layout.newline}{indent}" for text in texts)
            )
            return
        yield from self._behind(owner, children, index, [indent + text for text in texts], commas=commas)

    def _behind(
        self, owner: HclValue, children: Sequence[HclNode], index: int, lines: Sequence[str], *, commas: bool
    ) -> Iterator[Edit]:
        """Lines behind the line of a child; a comma is added to that where it needs one."""
        content, before = owner.text.content, children[index - 1]
        had = bool(_comma_behind(content, before))
        last = index == len(children)
        ends = [commas] * (len(lines) - 1) + [commas and (had or not last)]
        text = "".join(f"{self.layout.newline}{line}{',' if comma else ''}" for line, comma in zip(lines, ends, strict=True))
        end = _LINE_END.match(content, before.end_byte)
        at = end.end() if end else before.end_byte
        missing = commas and not had
        if missing and at == before.end_byte:
            text, missing = f",{text}", False
        if missing:
            yield owner.text.edit(before.end_byte, before.end_byte, ",")
        yield owner.text.edit(at, at, text)

    def _gone(self, owner: HclValue, children: Sequence[HclNode], number: int, *, inline: bool, last: bool) -> Edit:
        content, child = owner.text.content, children[number]
        if not inline:
            start = content.rfind(b"\n", 0, child.start_byte)
            start -= content[start - 1 : start] == b"\r"
            end = _LINE_END.match(content, child.end_byte)
            if end and not content[start : child.start_byte].strip():
                return owner.text.edit(start, end.end(), "")
        if not last:
            return owner.text.edit(child.start_byte, children[number + 1].start_byte, "")
        return owner.text.edit(children[number - 1].end_byte, child.end_byte, "")


class AlignedLines:
    """Members of an object on lines of their own whose `=` stand in one column, as `terraform fmt` has them.

    `column` is the width of the longest name, 0 where the lines are not aligned.
    """

    def __init__(self, content: bytes, children: Sequence[HclNode]) -> None:
        self.content = content
        rows = [child for child in children if child.type == "object_elem" and b"\n" not in child.text]
        self.rows = [(_expressions(child)[0], self._sign(child)) for child in rows]
        self.column = self._width({}) if len(children) > 1 and self._is_aligned(children, rows) else 0

    def _sign(self, child: HclNode) -> int:
        return next((int(part.start_byte) for part in child.children if part.type == "="), -1)

    def _is_aligned(self, children: Sequence[HclNode], rows: Sequence[HclNode]) -> bool:
        lines = [child.start_point[0] for child in rows]
        if len(rows) != len(children) or lines != list(range(lines[0], lines[0] + len(lines))):
            return False
        width = self._width({})
        return all(sign >= 0 and self._length(name.start_byte, sign) == width + 1 for name, sign in self.rows)

    def _length(self, start: int, end: int) -> int:
        return len(self.content[start:end].decode(errors="replace"))

    def _width(self, more: Mapping[int, int]) -> int:
        return max(self._length(name.start_byte, name.end_byte) + more.get(name.start_byte, 0) for name, _ in self.rows)

    def paddings(self, edits: Sequence[Edit], widths: Sequence[int]) -> dict[tuple[int, int], int]:
        """The white space before `=` that has another size when names change and others come."""
        if not self.column:
            return {}
        more = {
            name.start_byte: sum(
                len(e.new) - len(e.old) for e in edits if name.start_byte <= e.start and e.end <= name.end_byte
            )
            for name, _ in self.rows
        }
        self.column = max(self._width(more), *widths) if widths else self._width(more)
        sizes = {
            (int(name.end_byte), sign): self.column + 1 - self._length(name.start_byte, name.end_byte) - more[name.start_byte]
            for name, sign in self.rows
        }
        return {place: size for place, size in sizes.items() if size != self._length(*place)}


def _as_name(edit: Edit, name: HclValue) -> Edit:
    """An edit of the name of a member: an expression in the place of all of it stands in parentheses."""
    is_whole = (edit.document, edit.start, edit.end) == (name.text.document, name.node.start_byte, name.node.end_byte)
    if is_whole and not edit.new.startswith('"'):
        return msgspec.structs.replace(edit, new=f"({edit.new})")
    return edit


def _followed(value: HclValue, before: Any, steps: Sequence[str]) -> tuple[HclValue, Any]:
    """The expression to which steps lead from the expression of a value, and its value."""
    for step in steps:
        child = _child(value, before, step)
        value = child.at(_expressions(child.node)[-1]) if child.node.type == "object_elem" else child
        before = before[step] if isinstance(before, Mapping) else before[int(step)]
    return value, before


def _child(value: HclValue, before: Any, step: str) -> HclValue:
    """The child of a list or an object, also where it is put together of several."""
    is_together = call_of(value.plain.node)[0] in _TOGETHER
    owners = _parts(value.plain) if is_together else [collection_of(value)]
    children = [owner.at(node) for owner in owners for node in _nodes_of(owner)]
    if len(children) != len(before) or any((o.node.type == "object") != isinstance(before, Mapping) for o in owners):
        raise CannotWrite("not-in-source", "the value is put together in a way that is not edited")
    return children[_index(before, step)]


def _nodes_of(owner: HclValue) -> list[HclNode]:
    kind = "object_elem" if owner.node.type == "object" else "expression"
    return [child for child in significant(owner.node) if child.type == kind]


def _index(before: Any, step: str) -> int:
    return [str(name) for name in before].index(step) if isinstance(before, Mapping) else int(step)


def _number(before: Any, pointer: str) -> int:
    return _index(before, unescaped_steps(pointer)[-1])


def _elements(owner: HclValue, before: Any) -> Sequence[HclNode]:
    """The children of a list or an object, as many as its value has."""
    children = _nodes_of(owner)
    if len(children) != len(before) or (owner.node.type == "tuple") == isinstance(before, Mapping):
        raise CannotWrite("not-in-source", "the value is put together in a way that is not edited")
    return children


def _expressions(element: HclNode) -> Sequence[HclNode]:
    return [part for part in significant(element) if part.type == "expression"]


def _stands_on_lines(owner: HclValue, children: Sequence[HclNode]) -> bool:
    """Whether the last child begins a line."""
    start = owner.node.start_byte if len(children) == 1 else children[-2].end_byte
    return b"\n" in owner.text.content[start : children[-1].start_byte]


def _comma_behind(content: bytes, child: HclNode) -> re.Match[bytes] | None:
    return _COMMA.match(content, child.end_byte)
