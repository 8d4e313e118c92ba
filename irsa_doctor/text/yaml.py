"""Reads YAML: text to nodes with positions, and to the values of its documents."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec

from irsa_doctor.model.limits import pause
from irsa_doctor.model.regex import regex
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.scanner import DEPTH, Duplicate, line_and_column
from irsa_doctor.text.yaml_errors import yaml_error_reason
from irsa_doctor.text.yaml_values import Anchored, EventValues, Fault, NodeValues, position

TREE_LIMIT = 8 << 20
"""Bytes of a text that is read by way of a tree of nodes."""
# Deeper than this no document can be that has fewer brackets and no longer indentation; else the levels are counted.
_INDENT = regex(rb"[ \t\-?:]{200}")
# `{{resolve:...}}` is CloudFormation's own
# (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html)
_TEMPLATE = regex(rb"\{\{(?!resolve:)|\{%|<%")
# a placeholder at the start of a plain text, `{TENANT}-app`, is no mapping before it is filled in
_PLACEHOLDER = regex(rb"([:-] +)\{([A-Z][A-Z0-9_]+)\}(?=[^\s,}\]])")


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
    except Anchored:
        yield from _composed(text, number)
    except Fault as fault:
        yield _counted_levels(text) or _perhaps_template(fault.text_error, text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        documents = islice(yaml_documents(marked), number, None) if (marked := _marked(text)) != text else iter(())
        if (first := next(documents, None)) and not isinstance(first, TextError):
            yield first
            yield from documents
        else:
            yield _too_deep(text) or _text_error(error, text)


def _marked(text: bytes) -> bytes:
    """The text with its placeholders as what is a text in YAML, of the same length."""
    return _PLACEHOLDER.sub(rb"\1<\2>", text)


def _streamed(text: bytes) -> Iterator[YamlDocument]:
    import yaml

    loader = _parser(text)
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            pause()
            if isinstance(event, yaml.DocumentStartEvent):
                converter = EventValues(loader)
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
    characters = text.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    for root in roots[start:]:
        converter = NodeValues(characters)
        try:
            value = None if root is None else converter.value(root, "", False)
        except Fault as fault:
            yield _perhaps_template(fault.text_error, text)
            return
        yield YamlDocument(value, tuple(converter.duplicates))


def compose(text: bytes) -> list[Any] | TextError:
    """The node trees of the documents."""
    import yaml

    if text_error := _too_deep(text):
        return text_error
    try:
        return _nodes(_parser(text))
    except yaml.composer.ComposerError as error:
        return _nodes_of_repeated_anchors(text) if "duplicate anchor" in str(error) else _text_error(error, text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        roots = compose(marked) if (marked := _marked(text)) != text else None
        return roots if isinstance(roots, list) else _text_error(error, text)


def _nodes_of_repeated_anchors(text: bytes) -> list[Any] | TextError:
    import yaml

    from irsa_doctor.text.yaml_anchors import RepeatedAnchors

    try:
        return _nodes(RepeatedAnchors(_parser(text)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return _text_error(error, text)


def _nodes(composer: Any) -> list[Any]:
    roots = []
    while composer.check_node():
        roots.append(composer.get_node())
    return roots


def _parser(text: bytes) -> Any:
    """A parser that resolves nothing: every scalar is text, what it means is decided here.

    It is libyaml's, or where PyYAML is without it, as in a browser, the one that PyYAML has in Python.
    """
    import yaml

    if yaml.__with_libyaml__:
        return yaml.CBaseLoader(text)
    from irsa_doctor.text.yaml_in_python import PythonParser

    return PythonParser(text)


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
                    return TextError(f"more than {DEPTH} levels deep", *position(event.start_mark))
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    finally:
        loader.dispose()
    return None


def _text_error(error: Exception, text: bytes) -> TextError:
    mark = getattr(error, "problem_mark", None)
    line, column = position(mark) if mark else _at(text, getattr(error, "position", None))
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
