"""Finds the places of a YAML text: JSON pointer to the nodes of the composed stream."""

from typing import Any

from irsa_doctor.model import Place
from irsa_doctor.text.lines import NOT_QUOTED, Span, holds_secret, visible_line
from irsa_doctor.text.scanner import unescaped_steps
from irsa_doctor.text.yaml import TREE_LIMIT, compose


class YamlPlaces:
    """The places of one YAML stream, composed again when its first place is looked up; none in a text too big for that."""

    def __init__(self, text: bytes) -> None:
        roots = compose(text) if len(text) <= TREE_LIMIT else []
        self.roots = roots if isinstance(roots, list) else []
        self.lines = text.decode(errors="replace").split("\n")
        self.secret = holds_secret(text)
        self._members: dict[int, tuple[dict[str, tuple[Any, Any]], list[Any]]] = {}

    def locate(self, place: Place, key: bool, *, quote: bool = True) -> Span:
        """Return the lines of the value at a place, with `key` those of the name of the member; zeros where there is none."""
        name, node = self.find(place)
        if node is None:
            return Span()
        at = name if key and name is not None else node
        return self._span(at.start_mark, self._end(at), quote=quote)

    def is_text(self, place: Place) -> bool:
        """Whether the value at the place is a string."""
        node = self.find(place)[1]
        return node is not None and node.id == "scalar"

    def find(self, place: Place) -> tuple[Any, Any]:
        """The nodes of the name and the value of a member, None where there is none."""
        name, node = None, self.roots[place.part] if 0 <= place.part < len(self.roots) else None
        for step in unescaped_steps(place.pointer) if node is not None else ():
            below = self._child(node, step)
            if below is None:
                break
            name, node = below
        return name, node

    def _child(self, node: Any, step: str) -> tuple[Any, Any] | None:
        if node.tag.startswith("!") and step.removeprefix("Fn::") == node.tag[1:]:
            # the short form of a function of CloudFormation, for which the pointer has the long one
            return None, node
        if node.id == "sequence":
            return (None, node.value[int(step)]) if step.isdecimal() and int(step) < len(node.value) else None
        members, merged = self._members_of(node)
        return members.get(step) or next((below for source in merged if (below := self._child(source, step))), None)

    def _members_of(self, node: Any) -> tuple[dict[str, tuple[Any, Any]], list[Any]]:
        """The members of a mapping by name, and the mappings that are merged into it, in order.

        They are kept: a mapping of thousands is asked for each of them. The nodes live as long as this, so that the id of one
        stays its own.
        """
        if (known := self._members.get(id(node))) is None:
            members: dict[str, tuple[Any, Any]] = {}
            merged: list[Any] = []
            for name, value in node.value if node.id == "mapping" else ():
                if name.id == "scalar":
                    members[name.value] = name, value
                    merged += (value.value if value.id == "sequence" else [value]) if name.value == "<<" else ()
            known = self._members[id(node)] = members, merged
        return known

    def inside(self, place: Place, start: int, end: int) -> Span:
        """Return the lines of characters `start` to `end` of a literal block, whose lines are those of the document; of any
        other scalar those of the scalar."""
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
        return Span(line + 1, column + 1, end_line + 1, end_column + 1, *visible_line(before, after))

    def _end(self, node: Any) -> Any:
        """The end of a node: for the parser a block ends where the next node begins, for people with its last value."""
        while node.id != "scalar" and not node.flow_style and node.value:
            last = node.value[-1]
            node = last[1] if isinstance(last, tuple) else last
        return node.end_mark

    def _span(self, start: Any, end: Any, *, quote: bool) -> Span:
        source = self._source(start, end) if quote else NOT_QUOTED
        return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1, *source)

    def _source(self, start: Any, end: Any) -> tuple[str, int]:
        line = self.lines[start.line].rstrip("\r") if start.line < len(self.lines) else ""
        before, after = line[: start.column], line[start.column :]
        if self.secret:
            before, after = "", after[: max(end.column - start.column, 0) if end.line == start.line else None]
        return visible_line(before, after)
