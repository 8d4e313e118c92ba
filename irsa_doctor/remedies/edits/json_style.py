"""How a JSON text is laid out, and new values in the same layout."""

from collections.abc import Iterator
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.strings import encoded_text
from irsa_doctor.text.json_tree import SyntaxChild, SyntaxNode


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a text is laid out: `colon` and `comma` with their white space, `pad` inside braces on one line, `brackets` inside
    brackets, `newline` and `unit` of indentation; `listed` whether lists of strings stand on several lines, `like` a string
    as an example of its escapes."""

    colon: str
    comma: str
    pad: str
    brackets: str
    newline: str
    unit: str
    listed: bool
    like: str

    def rendered(self, value: Any, indent: str, inline: bool) -> str:
        """A value; `indent` is that of the line on which it begins."""
        if isinstance(value, dict):
            items = [
                f"{self.quoted(name)}{self.colon}{self.rendered(v, indent + self.unit, inline)}" for name, v in value.items()
            ]
            return self._between("{", items, "}", self.pad, indent, inline)
        if isinstance(value, list):
            is_short = all(not isinstance(item, dict | list) for item in value) and not self.listed
            items = [self.rendered(item, indent + self.unit, inline) for item in value]
            return self._between("[", items, "]", self.brackets, indent, inline or is_short)
        if value is None or isinstance(value, bool | int | float):
            return msgspec.json.encode(value).decode()
        return self.quoted(value)

    def quoted(self, value: Any) -> str:
        """A string, in quotes."""
        return f'"{encoded_text(str(value), self.like)}"'

    def _between(self, opening: str, items: list[str], closing: str, pad: str, indent: str, inline: bool) -> str:
        if inline or not self.newline or not items:
            pad = pad if items else ""
            return f"{opening}{pad}{self.comma.join(items)}{pad}{closing}"
        line = f"{self.newline}{indent}{self.unit}"
        return f"{opening}{line}{f',{line}'.join(items)}{self.newline}{indent}{closing}"


def layout_of(text: bytes, root: SyntaxNode) -> Layout:
    """The layout of the text of a value."""
    nodes = list(_nodes(root))
    members = [child for node in nodes for child in node.children if child.name_end >= 0]
    rows = [node for node in nodes if node.kind == "list" and node.children and node.children[0].node.kind == "string"]
    short = [node for node in nodes if node.kind == "object" and node.children and b"\n" not in _opening(text, node)]
    colon = _text(text, members[0].name_end, members[0].node.start) if members else ": "
    newline, unit = _lines(text, nodes)
    short_rows = [node for node in rows if b"\n" not in _opening(text, node)]
    return Layout(
        colon=colon if "\n" not in colon else ": ",
        comma=_comma(text, nodes, ", " if colon.endswith(" ") else ","),
        pad=_opening(text, short[0]).decode() if short else "",
        brackets=_opening(text, short_rows[0]).decode() if short_rows else "",
        newline=newline,
        unit=unit,
        listed=bool(rows) and not short_rows,
        like=text[root.start : root.end].decode(errors="replace") if b"\\" in text else "",
    )


def _comma(text: bytes, nodes: list[SyntaxNode], usual: str) -> str:
    """The comma between two children on one line."""
    for node in nodes:
        for one, other in zip(node.children, node.children[1:], strict=False):
            between = _text(text, one.end, other.start)
            if "\n" not in between:
                return between
    return usual


def _lines(text: bytes, nodes: list[SyntaxNode]) -> tuple[str, str]:
    """The end of a line and the unit of indentation, both empty where everything stands on one line."""
    for node in nodes:
        opening = _opening(text, node)
        if b"\n" in opening:
            own, below = indent_at(text, node.start), opening.rpartition(b"\n")[2].decode()
            return ("\r\n" if b"\r\n" in opening else "\n"), below.removeprefix(own) if below.startswith(own) else "  "
    return "", ""


def _nodes(node: SyntaxNode) -> Iterator[SyntaxNode]:
    yield node
    for child in node.children:
        yield from _nodes(child.node)


def _text(text: bytes, start: int, end: int) -> str:
    return text[start:end].decode()


def _opening(text: bytes, node: SyntaxNode) -> bytes:
    """The white space behind the bracket that opens a value."""
    return text[node.start + 1 : node.children[0].start] if node.children else b""


def indent_at(text: bytes, offset: int) -> str:
    """The white space at the beginning of the line of an offset."""
    line = text[text.rfind(b"\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip(b" \t"))].decode()


def separator(text: bytes, node: SyntaxNode, index: int, layout: Layout) -> str:
    """What stands between two children of a value, where a new one comes before the child `index`."""
    children = node.children
    if len(children) > 1:
        right = min(max(index, 1), len(children) - 1)
        return _text(text, children[right - 1].end, children[right].start)
    before = _opening(text, node).decode()
    return f",{before}" if "\n" in before else layout.comma


def is_inline(text: bytes, node: SyntaxNode) -> bool:
    """Whether new values of a container stand on one line: as those that it has, or as the container itself."""
    like = [child.node for child in node.children if child.node.kind == "object" and child.node.children]
    return b"\n" not in (_opening(text, like[-1]) if like else _opening(text, node))


def child_indent(text: bytes, node: SyntaxNode, layout: Layout) -> str:
    """The indentation of the lines of a container's children."""
    opening = _opening(text, node)
    if b"\n" in opening:
        return opening.rpartition(b"\n")[2].decode()
    return indent_at(text, node.start) + ("" if node.children else layout.unit)


def spanned(text: bytes, child: SyntaxChild) -> str:
    """A child as it is written, with its name."""
    return _text(text, child.start, child.end)
