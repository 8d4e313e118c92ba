"""Nodes or events of a YAML parser to values, as the tools of Kubernetes read them."""

from typing import Any

from irsa_doctor.model.regex import regex
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.scanner import DEPTH, Duplicate, escaped, number_of

EXPANDED_LIMIT = 100_000
"""Nodes that aliases may add to a document."""

_INTEGER = regex(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = regex(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LEADING_ZERO = regex(r"[-+]?0[0-9]")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
# Kubernetes knows only text here; the API server refuses anything else, so what was meant is the text
_TEXT_ONLY = frozenset(["annotations", "labels"])
# the parsers do not agree on other tags
_TAG = regex(r"(?:tag:[\w.@-]+,[0-9-]+:|!)?[A-Za-z0-9:._/~+@-]*")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
_FUNCTIONS = {
    **{f"!{name}": name for name in ("Ref", "Condition")},
    **{
        f"!{name}": f"Fn::{name}"
        for name in (
            *("Sub", "GetAtt", "Join", "If", "Equals", "Not", "And", "Or", "Select", "Split", "FindInMap", "ImportValue"),
            *("Base64", "GetAZs", "Cidr", "Transform", "ToJsonString", "Length", "GetStackOutput"),
        )
    },
}
"""the short forms of CloudFormation's functions, and the long ones as which they are read"""


class Anchored(Exception):
    """A text has anchors or aliases, so that its values are no stream."""


def position(mark: Any) -> tuple[int, int]:
    """Line and column of a mark, from 1."""
    return mark.line + 1, mark.column + 1


class Fault(Exception):
    """What a document has that is not read, with its place."""

    def __init__(self, why: str, mark: Any) -> None:
        super().__init__(why)
        self.text_error = TextError(why, *position(mark))


def _function_of(node: Any) -> str | None:
    """The function of CloudFormation that a tag is short for."""
    _check_tag(node)
    return _FUNCTIONS.get(node.tag or "")


def _check_tag(node: Any) -> None:
    """Refuse tags that libyaml reads, and the parser in Python does not, or the reverse."""
    if node.tag and not _TAG.fullmatch(node.tag):
        raise Fault("not valid YAML: a tag that is not declared", node.start_mark)


def _check_name(node: Any) -> None:
    """Refuse a function as the name of a member: CloudFormation, which alone has such tags, refuses the whole template
    (https://github.com/aws-cloudformation/cfn-language-discussion/issues/83)."""
    if function := _function_of(node):
        why = f"CloudFormation refuses {function} in the name of a member, which has to be text"
        raise Fault(why, node.start_mark)


class NodeValues:
    """Nodes of a text to values; a node that several aliases name is converted once and its value shared."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.duplicates: list[Duplicate] = []
        self.known: dict[tuple[int, bool], tuple[object, int]] = {}
        self.open: set[int] = set()
        self.size = 0

    def value(self, node: Any, pointer: str, text_only: bool) -> object:
        """The value of a node; `text_only` below labels and annotations."""
        if function := _function_of(node):
            return {function: self._untagged(node, f"{pointer}/{function}", text_only)}
        return self._untagged(node, pointer, text_only)

    def _untagged(self, node: Any, pointer: str, text_only: bool) -> object:
        if node.id == "scalar":
            self.size += 1
            return _text(node, self.text) if text_only else scalar(node, self.text)
        key = (id(node), text_only)
        if key in self.known:
            value, size = self.known[key]
            self.size += size
            if self.size > EXPANDED_LIMIT + len(self.known):
                raise Fault(f"aliases that expand to more than {EXPANDED_LIMIT} values", node.start_mark)
            return value
        if id(node) in self.open:
            raise Fault("an alias inside the value that it refers to", node.start_mark)
        self.open.add(id(node))
        before = self.size
        self.size += 1
        value = self._items(node, pointer) if node.id == "sequence" else self._members(node, pointer, text_only)
        self.open.discard(id(node))
        self.known[key] = value, self.size - before
        return value

    def _items(self, node: Any, pointer: str) -> list[object]:
        return [self.value(item, f"{pointer}/{number}", False) for number, item in enumerate(node.value)]

    def _members(self, node: Any, pointer: str, text_only: bool) -> dict[str, object]:
        members: dict[str, object] = {}
        places: dict[str, Any] = {}
        merged: dict[str, object] = {}
        for name_node, value_node in node.value:
            if name_node.id != "scalar":
                raise Fault("a member whose name is a list or an object", name_node.start_mark)
            _check_name(name_node)
            name = name_node.value
            if name == "<<" and not name_node.style:
                self._merge(merged, value_node, pointer)
                continue
            below = f"{pointer}/{escaped(name)}"
            if name in members:
                first, second = position(places[name]), position(name_node.start_mark)
                self.duplicates.append(Duplicate(below, name, first, second))
            # what stands below annotations is text; what stands in their place is whatever it is
            below_text = text_only or (name in _TEXT_ONLY and value_node.id == "mapping")
            members[name] = self.value(value_node, below, below_text)
            places[name] = name_node.start_mark
        return {**merged, **members} if merged else members

    def _merge(self, merged: dict[str, object], node: Any, pointer: str) -> None:
        """`<<: *anchor`, or a list of them: earlier ones win (https://yaml.org/type/merge.html)."""
        for source in node.value if node.id == "sequence" else [node]:
            value = self.value(source, pointer, False)
            if not isinstance(value, dict):
                raise Fault("`<<` merges an object, and this is not an object", source.start_mark)
            for name, item in value.items():
                merged.setdefault(name, item)


class EventValues:
    """Events of a parser to values, as `NodeValues` makes them of nodes."""

    def __init__(self, loader: Any) -> None:
        import yaml

        self.loader = loader
        self.scalars, self.mappings = yaml.ScalarEvent, yaml.MappingStartEvent
        self.ends, self.aliases = yaml.CollectionEndEvent, yaml.AliasEvent
        self.duplicates: list[Duplicate] = []
        self.depth = 0

    def value(self, event: Any, pointer: str, text_only: bool) -> object:
        """The value that begins with an event."""
        if isinstance(event, self.aliases) or event.anchor:
            raise Anchored
        if event.tag and (function := _function_of(event)):
            return {function: self._untagged(event, f"{pointer}/{function}", text_only)}
        return self._untagged(event, pointer, text_only)

    def _untagged(self, event: Any, pointer: str, text_only: bool) -> object:
        if isinstance(event, self.scalars):
            return _text(event) if text_only else scalar(event)
        self.depth += 1
        if self.depth > DEPTH:
            raise Fault(f"more than {DEPTH} levels deep", event.start_mark)
        value = self._members(pointer, text_only) if isinstance(event, self.mappings) else self._items(pointer)
        self.depth -= 1
        return value

    def _items(self, pointer: str) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self.loader.get_event(), self.ends):
            items.append(self.value(event, f"{pointer}/{len(items)}", False))
        return items

    def _members(self, pointer: str, text_only: bool) -> dict[str, object]:
        members: dict[str, object] = {}
        places: dict[str, tuple[int, int]] = {}
        merged: dict[str, object] = {}
        while not isinstance(name_event := self.loader.get_event(), self.ends):
            if isinstance(name_event, self.aliases) or name_event.anchor:
                raise Anchored
            if not isinstance(name_event, self.scalars):
                raise Fault("a member whose name is a list or an object", name_event.start_mark)
            _check_name(name_event)
            name, place, event = name_event.value, position(name_event.start_mark), self.loader.get_event()
            if name == "<<" and not name_event.style:
                self._merge(merged, event, pointer)
                continue
            below = f"{pointer}/{escaped(name)}"
            if name in members:
                self.duplicates.append(Duplicate(below, name, places[name], place))
            below_text = text_only or (name in _TEXT_ONLY and isinstance(event, self.mappings))
            members[name] = self.value(event, below, below_text)
            places[name] = place
        return {**merged, **members} if merged else members

    def _merge(self, merged: dict[str, object], event: Any, pointer: str) -> None:
        """See `NodeValues`; without anchors only what is written in place can be merged."""
        value = self.value(event, pointer, False)
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                raise Fault("`<<` merges an object, and this is not an object", event.start_mark)
            for name, item in source.items():
                merged.setdefault(name, item)


def scalar(node: Any, text: str = "") -> object:
    """What a scalar means: plain ones may be null, a truth value or a number; dates and `on` are text.

    A number with a leading zero is text too: read as octal, as YAML 1.1 has it, account ids would change. `text` is the whole
    text, where the scalar may have an anchor.
    """
    value: str = node.value
    if node.style:
        return value
    if value in _WORDS:
        return value if _tagged(node, text) else _WORDS[value]
    if _INTEGER.fullmatch(value) or (_FLOAT.fullmatch(value) and not _LEADING_ZERO.match(value)):
        return value if _tagged(node, text) else number_of(value.removeprefix("+"))
    return value


def _text(node: Any, text: str = "") -> str | None:
    """What a scalar means where Kubernetes knows only text: itself, and null, of which the API server makes empty text."""
    return None if scalar(node, text) is None else node.value


def _tagged(node: Any, text: str) -> bool:
    """Whether more than the scalar and its anchor was written, `!!str 5` say: the base loader does not keep the tag."""
    value: str = node.value
    start, end = node.start_mark.index, node.end_mark.index
    if not value or end - start == len(value):
        return False
    return _ANCHOR.sub("", text[start:end], count=1) != value


_ANCHOR = regex(r"\A&[^\s,\[\]{}]+\s+")
