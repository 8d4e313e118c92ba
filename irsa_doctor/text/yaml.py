"""Reads YAML: text to nodes with positions, and nodes to values as the tools of Kubernetes read them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from irsa_doctor.model.limits import pause
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.regex import regex
from irsa_doctor.text.scanner import DEPTH, Duplicate, escaped, line_and_column, number_of
from irsa_doctor.text.yaml_errors import yaml_error_reason

TREE_LIMIT = 8 << 20
"""Bytes of a text that is read by way of a tree of nodes."""
EXPANDED_LIMIT = 100_000
"""Nodes that aliases may add to a document."""

# Deeper than this no document can be that has fewer brackets and no longer indentation; else the levels are counted.
_INDENT = regex(rb"[ \t\-?:]{200}")
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
_TEMPLATE = regex(rb"\{\{|\{%")
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


class YamlDocument(msgspec.Struct, frozen=True):
    """One document of a YAML stream and the members given twice in it."""

    value: object
    duplicates: tuple[Duplicate, ...]


def read_yaml(text: bytes) -> list[YamlDocument] | TextError:
    """Every document of the text, empty ones as None so that the numbers of the others stay."""
    documents: list[YamlDocument] = []
    for document in yaml_documents(text):
        if isinstance(document, TextError):
            return document
        documents.append(document)
    return documents


def yaml_documents(text: bytes) -> Iterator[YamlDocument | TextError]:
    """Yield the documents of a text one at a time; an error is the last thing, and makes those before it worthless.

    Values are made of the events of the parser: a tree of nodes takes a hundred times the memory of its text. Only texts with
    anchors need one.
    """
    import yaml

    number = 0
    try:
        for document in _streamed(text):
            yield document
            number += 1
    except _Anchored:
        yield from _composed(text, number)
    except _Fault as fault:
        yield _counted_levels(text) or _perhaps_template(fault.text_error, text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        yield _too_deep(text) or _text_error(error, text)


def _streamed(text: bytes) -> Iterator[YamlDocument]:
    import yaml

    loader = _parser(text)
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            pause()
            if isinstance(event, yaml.DocumentStartEvent):
                converter = _EventConverter(loader)
                value = converter.value(loader.get_event(), "", False)
                yield YamlDocument(value, tuple(converter.duplicates))
    finally:
        loader.dispose()


def _composed(text: bytes, start: int) -> Iterator[YamlDocument | TextError]:
    """The documents from a number on, by way of trees of nodes."""
    if len(text) > TREE_LIMIT:
        why = f"{len(text) >> 20} MiB of YAML with anchors exceeds the limit of {TREE_LIMIT >> 20} MiB: convert it to JSON"
        yield TextError(why)
        return
    roots = compose(text)
    if isinstance(roots, TextError):
        yield roots
        return
    for root in roots[start:]:
        converter = _Converter()
        try:
            value = None if root is None else converter.value(root, "", False)
        except _Fault as fault:
            yield _perhaps_template(fault.text_error, text)
            return
        yield YamlDocument(value, tuple(converter.duplicates))


def compose(text: bytes) -> list[Any] | TextError:
    """The node trees of the documents."""
    import yaml

    if text_error := _too_deep(text):
        return text_error
    try:
        loader = _parser(text)
        roots = []
        while loader.check_node():
            roots.append(loader.get_node())
        return roots
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return _text_error(error, text)


def _parser(text: bytes) -> Any:
    """A parser that resolves nothing: every scalar is text, what it means is decided here.

    It is libyaml's, or where PyYAML is without it, as in a browser, the one that PyYAML has in Python.
    """
    import yaml

    return yaml.CBaseLoader(text) if yaml.__with_libyaml__ else yaml.BaseLoader(text)


class _Anchored(Exception):
    """A text has anchors or aliases, so that its values are no stream."""


def _too_deep(text: bytes) -> TextError | None:
    """The C composer crashes the process at 100,000 levels; its parser does not nest, so that counts first."""
    if text.count(b"[") + text.count(b"{") <= DEPTH and not _INDENT.search(text):
        return None
    return _counted_levels(text)


def _counted_levels(text: bytes) -> TextError | None:
    """Counts the levels; what stands before an error of the parser is counted once more, by itself.

    PyYAML 6.0.4 and newer look ahead and stop at a limit of their own, before the events of the levels that we refuse.
    """
    import yaml

    try:
        return _deepest(text)
    except (yaml.YAMLError, ValueError) as error:
        with suppress(yaml.YAMLError, ValueError):
            if text_error := _deepest(_before(text, error)):
                return text_error
        return _text_error(error, text)


def _before(text: bytes, error: Exception) -> bytes:
    """The text before the place of the error."""
    mark = getattr(error, "problem_mark", None)
    end = mark.index if mark else getattr(error, "position", None) or 0
    return text.decode(errors="replace")[:end].encode()


def _deepest(text: bytes) -> TextError | None:
    import yaml

    depth = 0
    loader = _parser(text)
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            pause()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEPTH:
                    return TextError(f"more than {DEPTH} levels deep", *_position(event.start_mark))
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    finally:
        loader.dispose()
    return None


def _text_error(error: Exception, text: bytes) -> TextError:
    mark = getattr(error, "problem_mark", None)
    line, column = _position(mark) if mark else _at(text, getattr(error, "position", None))
    return _perhaps_template(TextError(f"not valid YAML: {yaml_error_reason(error)}", line, column), text)


def _at(text: bytes, offset: int | None) -> tuple[int, int]:
    """Position of a byte that the reader refuses."""
    return line_and_column(text[: offset + 1].decode(errors="replace"), offset) if offset is not None else (0, 0)


def _perhaps_template(text_error: TextError, text: bytes) -> TextError:
    if not _TEMPLATE.search(text):
        return text_error
    problem = text_error.why.removeprefix("not valid YAML: ")
    why = f"a template (Helm, Jinja or the like) that is not valid YAML before it is rendered: {problem}"
    return TextError(why, text_error.line, text_error.column)


def _position(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


class _Fault(Exception):
    def __init__(self, why: str, mark: Any) -> None:
        super().__init__(why)
        self.text_error = TextError(why, *_position(mark))


class _Converter:
    """Nodes to values; a node that several aliases name is converted once and its value shared."""

    def __init__(self) -> None:
        self.duplicates: list[Duplicate] = []
        self.known: dict[tuple[int, bool], tuple[object, int]] = {}
        self.open: set[int] = set()
        self.size = 0

    def value(self, node: Any, pointer: str, text_only: bool) -> object:
        if function := _FUNCTIONS.get(node.tag or ""):
            return {function: self.untagged(node, f"{pointer}/{function}", text_only)}
        return self.untagged(node, pointer, text_only)

    def untagged(self, node: Any, pointer: str, text_only: bool) -> object:
        if node.id == "scalar":
            self.size += 1
            return node.value if text_only and node.value else scalar(node)
        key = (id(node), text_only)
        if key in self.known:
            value, size = self.known[key]
            self.size += size
            if self.size > EXPANDED_LIMIT + len(self.known):
                raise _Fault(f"aliases that expand to more than {EXPANDED_LIMIT} values", node.start_mark)
            return value
        if id(node) in self.open:
            raise _Fault("an alias inside the value that it refers to", node.start_mark)
        self.open.add(id(node))
        before = self.size
        self.size += 1
        value = self.items(node, pointer) if node.id == "sequence" else self.members(node, pointer, text_only)
        self.open.discard(id(node))
        self.known[key] = value, self.size - before
        return value

    def items(self, node: Any, pointer: str) -> list[object]:
        return [self.value(item, f"{pointer}/{number}", False) for number, item in enumerate(node.value)]

    def members(self, node: Any, pointer: str, text_only: bool) -> dict[str, object]:
        members: dict[str, object] = {}
        places: dict[str, Any] = {}
        merged: dict[str, object] = {}
        for name_node, value_node in node.value:
            if name_node.id != "scalar":
                raise _Fault("a member whose name is a list or an object", name_node.start_mark)
            name = name_node.value
            if name == "<<" and not name_node.style:
                self.merge(merged, value_node, pointer)
                continue
            below = f"{pointer}/{escaped(name)}"
            if name in members:
                first, second = _position(places[name]), _position(name_node.start_mark)
                self.duplicates.append(Duplicate(below, name, first, second))
            # what stands below annotations is text; what stands in their place is whatever it is
            below_text = text_only or (name in _TEXT_ONLY and value_node.id == "mapping")
            members[name] = self.value(value_node, below, below_text)
            places[name] = name_node.start_mark
        return {**merged, **members} if merged else members

    def merge(self, merged: dict[str, object], node: Any, pointer: str) -> None:
        """`<<: *anchor`, or a list of them: earlier ones win (https://yaml.org/type/merge.html)."""
        for source in node.value if node.id == "sequence" else [node]:
            value = self.value(source, pointer, False)
            if not isinstance(value, dict):
                raise _Fault("`<<` merges an object, and this is not an object", source.start_mark)
            for name, item in value.items():
                merged.setdefault(name, item)


class _EventConverter:
    """Events of a parser to values, as `_Converter` makes them of nodes."""

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
            raise _Anchored
        if function := _FUNCTIONS.get(event.tag or ""):
            return {function: self.untagged(event, f"{pointer}/{function}", text_only)}
        return self.untagged(event, pointer, text_only)

    def untagged(self, event: Any, pointer: str, text_only: bool) -> object:
        if isinstance(event, self.scalars):
            return event.value if text_only and event.value else scalar(event)
        self.depth += 1
        if self.depth > DEPTH:
            raise _Fault(f"more than {DEPTH} levels deep", event.start_mark)
        value = self.members(pointer, text_only) if isinstance(event, self.mappings) else self.items(pointer)
        self.depth -= 1
        return value

    def items(self, pointer: str) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self.loader.get_event(), self.ends):
            items.append(self.value(event, f"{pointer}/{len(items)}", False))
        return items

    def members(self, pointer: str, text_only: bool) -> dict[str, object]:
        members: dict[str, object] = {}
        places: dict[str, tuple[int, int]] = {}
        merged: dict[str, object] = {}
        while not isinstance(name_event := self.loader.get_event(), self.ends):
            if isinstance(name_event, self.aliases) or name_event.anchor:
                raise _Anchored
            if not isinstance(name_event, self.scalars):
                raise _Fault("a member whose name is a list or an object", name_event.start_mark)
            name, place, event = name_event.value, _position(name_event.start_mark), self.loader.get_event()
            if name == "<<" and not name_event.style:
                self.merge(merged, event, pointer)
                continue
            below = f"{pointer}/{escaped(name)}"
            if name in members:
                self.duplicates.append(Duplicate(below, name, places[name], place))
            below_text = text_only or (name in _TEXT_ONLY and isinstance(event, self.mappings))
            members[name] = self.value(event, below, below_text)
            places[name] = place
        return {**merged, **members} if merged else members

    def merge(self, merged: dict[str, object], event: Any, pointer: str) -> None:
        """See `_Converter.merge`; without anchors only what is written in place can be merged."""
        value = self.value(event, pointer, False)
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                raise _Fault("`<<` merges an object, and this is not an object", event.start_mark)
            for name, item in source.items():
                merged.setdefault(name, item)


def scalar(node: Any) -> object:
    """What a scalar means: plain ones may be null, a truth value or a number; dates and `on` are text.

    A number with a leading zero is text too: read as octal, as YAML 1.1 has it, account ids would change.
    """
    text: str = node.value
    if node.style:
        return text
    if text in _WORDS:
        return text if _tagged(node) else _WORDS[text]
    if _INTEGER.fullmatch(text) or (_FLOAT.fullmatch(text) and not _LEADING_ZERO.match(text)):
        return text if _tagged(node) else number_of(text.removeprefix("+"))
    return text


def _tagged(node: Any) -> bool:
    """Whether more than the scalar itself was written, `!!str 5` say: the base loader does not keep the tag."""
    return bool(node.value) and node.end_mark.index - node.start_mark.index != len(node.value)
