"""Values as they stand in a document, for wishes that say how a value changes and not what it is."""

from typing import Any

import msgspec

from irsa_doctor.remedies.edits.records import CannotWrite, SourceText, Wish, where_written
from irsa_doctor.text.scanner import unescaped_steps


def with_values(text: SourceText, wish: Wish) -> Wish:
    """The wish with the value that stands at its place, and what its transform makes of it. Raises CannotWrite."""
    written = where_written(text, wish)
    value = _at(_document(text, wish.place.part), written.pointer)
    if written.within is not None:
        inner = SourceText(text.document, str(value).encode(), "yaml")
        value = _at(_document(inner, 0), written.within)
    try:
        after = wish.transform(value) if wish.transform else value
    except (KeyError, TypeError, AttributeError, ValueError):
        raise CannotWrite("not-in-source", "the document does not have this value as it is read") from None
    return msgspec.structs.replace(wish, before=value, after=after, transform=None)


def _document(text: SourceText, part: int) -> Any:
    if text.form == "json":
        start, end = text.ranges[part] if part < len(text.ranges) else (0, len(text.content))
        return msgspec.json.decode(text.content[start:end])
    if text.form != "yaml":
        raise CannotWrite("not-in-source", "the value is in a form that is not edited")
    from irsa_doctor.text.yaml import read_yaml

    documents = read_yaml(text.content)
    if not isinstance(documents, list) or part >= len(documents):
        raise CannotWrite("unreadable", "the text is no valid YAML")
    return documents[part].value


def _at(value: Any, pointer: str) -> Any:
    for step in unescaped_steps(pointer):
        value = _below(value, step)
    return value


def _below(value: Any, step: str) -> Any:
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    if isinstance(value, dict) and step in value:
        return value[step]
    raise CannotWrite("not-in-source", "the document does not have this value as it is read")
