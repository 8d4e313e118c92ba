"""Edits of YAML texts, in block and flow style, also of JSON texts inside blocks and strings of them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.changes import Add, Change, Drop, Put, Rename, changes
from irsa_doctor.remedies.edits.json import SpliceRange, escaped_ranges
from irsa_doctor.remedies.edits.put_in import policy_ranges
from irsa_doctor.remedies.edits.records import (
    CannotWrite,
    Edit,
    SourceText,
    Wish,
    values_by_name,
    where_written,
    written_pointer,
)
from irsa_doctor.remedies.edits.yaml_blocks import block_ranges
from irsa_doctor.remedies.edits.yaml_folded import block_of_one_line, folded_ranges, is_same_but_for_folding, spliced_value
from irsa_doctor.remedies.edits.yaml_layout import YamlLayout
from irsa_doctor.remedies.edits.yaml_scalars import rewritten_scalar, written_scalar
from irsa_doctor.text.scanner import unescaped_steps

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_NOT_THERE = "the document does not have this value as it is read"


def write_yaml(text: SourceText, wish: Wish) -> tuple[Edit, ...]:
    """The edits of a YAML document; a policy may stand in it as an object, or as JSON in a string or a block."""
    from irsa_doctor.text.yaml import compose

    roots = compose(text.content)
    if not isinstance(roots, list) or wish.place.part >= len(roots):
        raise CannotWrite("unreadable", "the text is no valid YAML")
    if wish.merge:
        raise CannotWrite("ambiguous", "a member is written twice", "remove one of the two")
    writer, written = _YamlWriter(text), where_written(text, wish)
    node = node_at(roots[wish.place.part], unescaped_steps(written.pointer))
    if written.within is not None:
        ranges = iter(list(writer.inside_yaml(node, wish, written.within)))
    elif node.id == "scalar" and not isinstance(wish.before, str | int | float | bool | None):
        ranges = iter(list(writer.inside_text(node, wish)))
    else:
        made = tuple(writer.carried_out(node, list(changes(*values_by_name(wish)))))
        writer.roots(made)
        ranges = iter(made)
    return tuple(text.edit(*writer.in_bytes(one)) for one in ranges)


def node_at(node: Any, steps: Sequence[str]) -> Any:
    """The node that steps lead to; short forms of functions of CloudFormation have a step of their own."""
    for step in steps:
        if node is not None and (node.tag or "").startswith("!") and step.removeprefix("Fn::") == node.tag[1:]:
            continue
        node = _child(node, step)
        if node is None:
            raise CannotWrite("not-in-source", _NOT_THERE)
    return node


def _child(node: Any, step: str) -> Any:
    if node is None or node.id == "scalar":
        return None
    if node.id == "sequence":
        return node.value[int(step)] if step.isdecimal() and int(step) < len(node.value) else None
    return next((value for name, value in reversed(node.value) if name.value == step), None)


def _of_sub(node: Any, change: Put) -> Any:
    """The text of `Fn::Sub` that a node is, where the text that takes its place has variables of it."""
    members = list(node.value) if node.id == "mapping" and "${" in str(change.value) else []
    return members[0][1] if len(members) == 1 and members[0][0].value == "Fn::Sub" else node


def last_end(node: Any) -> int:
    """The offset behind the last token of a node: the parser ends a block where the next node begins."""
    while node.id != "scalar" and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return end


class _YamlWriter:
    """Carries out changes of one YAML text; offsets are in characters."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = text = source.content.decode()
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.layout = YamlLayout(self.newline, _unit(text))
        self._ascii = text.isascii()

    def with_ranges(self, ranges: Sequence[SpliceRange]) -> str:
        """The text after changes of ranges of characters, which do not overlap."""
        text = self.text
        for start, end, new in sorted(ranges, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def in_bytes(self, one: SpliceRange) -> SpliceRange:
        """A range of characters as one of bytes."""
        start, end, new = one
        if self._ascii:
            return one
        return len(self.text[:start].encode()), len(self.text[:end].encode()), new

    # ---- YAML inside a literal block

    def inside_yaml(self, node: Any, wish: Wish, pointer: str) -> Iterator[SpliceRange]:
        """The ranges that change inside a literal block that is a text of YAML, as charts take their values."""
        if node.id != "scalar" or node.style != "|":
            raise CannotWrite("not-in-source", "the values are a text in quotes or of folded lines, which is not edited")
        inner = SourceText(self.source.document, node.value.encode(), "yaml")
        place = msgspec.structs.replace(wish.place, pointer=pointer, part=0)
        edits = write_yaml(inner, msgspec.structs.replace(wish, place=place))
        yield from self._inside_block(node, [(edit.start, edit.end, edit.new) for edit in edits], wish)

    def _inside_block(self, node: Any, ranges: Sequence[SpliceRange], wish: Wish) -> Sequence[SpliceRange]:
        """Ranges inside a literal block; what they make of it is read again."""
        made = list(block_ranges(self.text, self._behind_properties(node), node.value, ranges, self.newline))
        steps = unescaped_steps(where_written(self.source, wish).pointer)
        if node_at(self.roots(made)[wish.place.part], steps).value != spliced_value(node.value, ranges):
            raise CannotWrite("not-in-source", "the text in the block would be another one")
        return made

    # ---- JSON inside a scalar

    def inside_text(self, node: Any, wish: Wish) -> Iterator[SpliceRange]:
        """The ranges that change inside a scalar that is the text of a policy."""
        value: str = node.value
        ranges = policy_ranges(value, wish)
        start, end = self._behind_properties(node), node.end_mark.index
        if node.style == "|":
            yield from self._inside_block(node, ranges, wish)
        elif node.style == '"' and "\n" not in self.text[start:end]:
            content = self.text[start + 1 : end - 1]
            offset = len(self.text[: start + 1].encode())
            for first, last, new in escaped_ranges(content, value, offset, ranges):
                prefix = self.text.encode()
                yield len(prefix[:first].decode()), len(prefix[:last].decode()), new
        elif node.style == "'" and "'" not in value and "\n" not in self.text[start:end]:
            raw = value.encode()
            for first, last, new in ranges:
                begin, finish = (start + 1 + len(raw[:offset].decode()) for offset in (first, last))
                yield begin, finish, new.replace("'", "''")
        else:
            yield from self._inside_folded(node, value, ranges, wish)

    def _inside_folded(self, node: Any, value: str, ranges: Sequence[SpliceRange], wish: Wish) -> Sequence[SpliceRange]:
        """Ranges inside a scalar whose lines are folded; what they make of it is read again."""
        style, start, end = node.style or "", self._behind_properties(node), node.end_mark.index
        start, end = (self._line_end(start), end) if style == ">" else (start + 1, end - 1)
        steps, wanted = unescaped_steps(written_pointer(self.source, wish)), spliced_value(value, ranges)
        # lines of their own may change how those around them are folded; one line does not
        for newline in (self.newline, ""):
            placed = folded_ranges(self.text[start:end], style, value, ranges, newline)
            made = [(start + first, start + last, new) for first, last, new in placed]
            if is_same_but_for_folding(node_at(self.roots(made)[wish.place.part], steps).value, wanted):
                return made
        raise CannotWrite("not-in-source", "the text of the policy is folded, and would be another one")

    def roots(self, ranges: Sequence[SpliceRange]) -> Sequence[Any]:
        """The documents after changes of ranges of characters. Raises CannotWrite where they can no longer be read."""
        from irsa_doctor.text.yaml import compose

        roots = compose(self.with_ranges(ranges).encode())
        if not isinstance(roots, list):
            # a part that is an alias is written where its anchor is
            raise CannotWrite("shared-text", "a part of the list is written elsewhere, at an anchor")
        return roots

    # ---- changes of nodes

    def carried_out(self, node: Any, wanted: Sequence[Change]) -> Iterator[SpliceRange]:
        """The ranges that change, for changes of the value of a node."""
        gone: dict[int, tuple[Any, list[int]]] = {}
        added: dict[int, tuple[Any, list[Add]]] = {}
        for change in wanted:
            steps = unescaped_steps(change.pointer)
            if isinstance(change, Add):
                owner = node_at(node, steps)
                added.setdefault(id(owner), (owner, []))[1].append(change)
            elif isinstance(change, Drop):
                owner = node_at(node, steps[:-1])
                gone.setdefault(id(owner), (owner, []))[1].append(_number(owner, steps[-1]))
            else:
                yield self._plain(node, steps, change)
        for owner, numbers in gone.values():
            if len(numbers) == len(owner.value):
                yield self._emptied(owner, [add for _, adds in [added.pop(id(owner), (owner, []))] for add in adds])
            else:
                yield from self._dropped(owner, sorted(numbers))
        for owner, adds in added.values():
            for index in dict.fromkeys(add.index for add in adds):
                yield self._added(owner, [add for add in adds if add.index == index])

    def _plain(self, node: Any, steps: Sequence[str], change: Put | Rename) -> SpliceRange:
        owner: Any = node_at(node, steps[:-1]) if steps else None
        if isinstance(change, Rename):
            name = owner.value[_number(owner, steps[-1])][0]
            return self._scalar(name, str(change.name), flow=bool(owner.flow_style))
        # the owner of the text of a short form is that text itself: it may stand in flow style
        below, flow = _of_sub(node_at(node, steps), change), owner is not None and bool(getattr(owner, "flow_style", True))
        if below.id == "scalar" and not isinstance(change.value, dict | list):
            return self._scalar(below, change.value, flow=flow, inside=bool(steps) and steps[-1] == "Fn::Sub")
        start, end = below.start_mark.index, last_end(below)
        if below.id == "scalar" and not flow and owner is not None and owner.id == "mapping" and change.value:
            indent = self._column(owner.value[_number(owner, steps[-1])][0])
            return start - self._spaces_before(start), end, self.layout.block(change.value, indent, _quote(below))
        if below.id != "scalar" and not below.flow_style and owner is not None and owner.id == "mapping":
            return start - self._spaces_before(start), end, f" {self.layout.flow(change.value, '')}"
        return start, end, self.layout.flow(change.value, _quote(below))

    def _scalar(self, node: Any, value: Any, *, flow: bool, inside: bool = False) -> SpliceRange:
        """Another value of a scalar, behind its anchor; `inside` the short form of a function that the value is the text of."""
        start, end = self._behind_properties(node), node.end_mark.index
        if node.style in ("|", ">"):
            return self._block_scalar(node, value)
        is_function = (node.tag or "").startswith("!") and not inside and not (node.tag == "!Sub" and "${" in str(value))
        lead = ""
        if is_function:  # the value takes the place of the function too
            head = self.text[node.start_mark.index : start]
            start, lead = node.start_mark.index, "".join(f"{word} " for word in head.split() if word.startswith("&"))
        written = self.text[self._behind_properties(node) : end]
        if not isinstance(value, str) and (value is None or isinstance(value, bool | int | float)):
            return start, end, lead + written_scalar(value)
        new = lead + rewritten_scalar(written, node.style or "", str(value), flow=flow)
        return start, end, new if start < end else f" {new}"

    def _block_scalar(self, node: Any, value: Any) -> SpliceRange:
        """Another text in the only line of a block."""
        start = self._behind_properties(node)
        place = block_of_one_line(self.text[start : node.end_mark.index], node.value, str(value))
        if place is None or not isinstance(value, str):
            raise CannotWrite("not-in-source", "the value is a block of several lines")
        return start + place[0], start + place[1], value.strip()

    def _behind_properties(self, node: Any) -> int:
        """The offset of the text of a scalar, behind its anchor and its tag."""
        start: int = node.start_mark.index
        properties = _PROPERTIES.match(self.text, start, node.end_mark.index)
        return properties.end() if properties else start

    # ---- children that go and come

    def _emptied(self, owner: Any, adds: Sequence[Add]) -> SpliceRange:
        """A container that loses all that it has, in flow style with what it gets."""
        value: Any = [add.value for add in adds] if owner.id == "sequence" else {add.name: add.value for add in adds}
        start, end = _opening(owner), last_end(owner)
        lead = 0 if owner.flow_style else self._spaces_before(start)
        return (start - lead, end, f" {self.layout.flow(value, '')}") if lead else (start, end, self.layout.flow(value, ""))

    def _dropped(self, owner: Any, numbers: Sequence[int]) -> Iterator[SpliceRange]:
        starts = [_start(child) for child in owner.value]
        ends = [last_end(_value_of(child)) for child in owner.value]
        for number in numbers:
            if owner.flow_style:
                yield from self._from_flow(number, numbers, starts, ends)
            else:
                yield self._from_block(owner, number, numbers, starts, ends)

    def _from_flow(
        self, number: int, numbers: Sequence[int], starts: Sequence[int], ends: Sequence[int]
    ) -> Iterator[SpliceRange]:
        later = [other for other in range(number + 1, len(starts)) if other not in numbers]
        if later:
            yield starts[number], starts[number + 1], ""
        else:
            yield ends[number - 1], ends[number], ""

    def _from_block(
        self, owner: Any, number: int, numbers: Sequence[int], starts: Sequence[int], ends: Sequence[int]
    ) -> SpliceRange:
        """Whole lines, with their comments; what shares its line with a dash in front of it goes to where the next begins."""
        start = starts[number]
        if owner.id == "sequence":
            start = self.text.rindex("-", 0, start)
        line = self._line_start(start)
        if self.text[line:start].strip():
            if number + 1 == len(starts):
                raise CannotWrite("not-in-source", "the value stands on the line of another one")
            following = starts[number + 1]
            return start, self.text.rindex("-", 0, following) if owner.id == "sequence" else following, ""
        end = self._line_end(ends[number])
        if end == len(self.text) and not self.text.endswith("\n"):
            return line - len(self.newline) if line else line, end, ""
        return line, end, ""

    def _added(self, owner: Any, adds: Sequence[Add]) -> SpliceRange:
        if not owner.value:
            value: Any = [a.value for a in adds] if owner.id == "sequence" else {a.name: a.value for a in adds}
            return owner.start_mark.index, last_end(owner), self.layout.flow(value, "")
        index, quote = min(adds[0].index, len(owner.value)), _usual_quote(owner)
        if owner.flow_style:
            return self._into_flow(owner, index, [self.layout.flow_child(add, quote) for add in adds])
        indent = self._column_of_child(owner)
        texts = [self.layout.block_child(add, indent, quote) for add in adds]
        if index == 0:
            start = self._line_start(_start(owner.value[0])) + indent
            return start, start, "".join(f"{text}{self.newline}{' ' * indent}" for text in texts)
        end = self._content_end(last_end(_value_of(owner.value[index - 1])))
        return end, end, "".join(f"{self.newline}{' ' * indent}{text}" for text in texts)

    def _into_flow(self, owner: Any, index: int, texts: Sequence[str]) -> SpliceRange:
        if index == 0:
            start = _start(owner.value[0])
            return start, start, "".join(f"{text}, " for text in texts)
        end = last_end(_value_of(owner.value[index - 1]))
        following = _start(owner.value[index]) if index < len(owner.value) else -1
        between = self.text[end:following] if following > 0 else self._between(owner)
        return end, end, "".join(between + text for text in texts)

    def _between(self, owner: Any) -> str:
        """What stands between two children in flow style."""
        if len(owner.value) > 1:
            return self.text[last_end(_value_of(owner.value[-2])) : _start(owner.value[-1])]
        before = self.text[owner.start_mark.index + 1 : _start(owner.value[0])]
        return f",{before}" if "\n" in before else ", "

    # ---- lines

    def _line_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def _line_end(self, offset: int) -> int:
        """The offset behind the line; a block may end at the beginning of the next one."""
        if offset and self.text[offset - 1 : offset] == "\n":
            return offset
        return self.text.find("\n", offset) + 1 or len(self.text)

    def _content_end(self, offset: int) -> int:
        """The end of a line before its line break."""
        end = self._line_end(offset)
        return end - len(self.text[:end]) + len(self.text[:end].rstrip("\r\n")) if self.text[:end].endswith("\n") else end

    def _column(self, node: Any) -> int:
        column: int = node.start_mark.column
        return column

    def _column_of_child(self, owner: Any) -> int:
        start = _start(owner.value[0])
        if owner.id == "sequence":
            start = self.text.rindex("-", 0, start)
        return start - self._line_start(start)

    def _spaces_before(self, offset: int) -> int:
        before = self.text[:offset]
        return len(before) - len(before.rstrip(" \r\n"))


def _start(child: Any) -> int:
    node = child[0] if isinstance(child, tuple) else child
    start: int = node.start_mark.index
    return start


def _opening(owner: Any) -> int:
    start: int = owner.start_mark.index
    return start


def _value_of(child: Any) -> Any:
    return child[1] if isinstance(child, tuple) else child


def _number(owner: Any, step: str) -> int:
    if owner.id == "sequence":
        return int(step)
    numbers = [number for number, (name, _) in enumerate(owner.value) if name.value == step]
    if not numbers:
        raise CannotWrite("shared-text", "the value is merged in from an anchor")
    return numbers[-1]


def _quote(node: Any) -> str:
    style: str = node.style or "" if node.id == "scalar" else ""
    return style if style in ("'", '"') else ""


def _usual_quote(owner: Any) -> str:
    """The quote of the values of a container, "" where they have several or none."""
    quotes = {_quote(_value_of(child)) for child in owner.value if _value_of(child).id == "scalar"}
    return quotes.pop() if len(quotes) == 1 else ""


def _unit(text: str) -> int:
    """The indentation of a level."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-"))]
    indents = sorted({len(line) - len(line.lstrip(" ")) for line in lines})
    return indents[1] if len(indents) > 1 and indents[0] == 0 else 2
