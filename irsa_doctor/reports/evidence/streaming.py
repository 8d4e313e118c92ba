"""JSON in pieces: members and items that are iterators are read while they are written."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def streamed_json(value: Any) -> Iterator[str]:
    """Returns a value as JSON, piece by piece; each item of an iterator on a line of its own."""
    if isinstance(value, Mapping):
        yield "{"
        for number, (name, member) in enumerate(value.items()):
            yield f"{', ' if number else ''}{json.dumps(name)}: "
            yield from streamed_json(member)
        yield "}"
    elif isinstance(value, Iterator):
        yield "["
        for number, item in enumerate(value):
            yield ",\n" if number else "\n"
            yield from _item(item)
        yield "\n]"
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple | Iterator) for item in value):
        yield from streamed_json(iter(value))
    else:
        yield json.dumps(value)


def _item(value: Any) -> Iterator[str]:
    """An item of an iterator: whole, unless parts of it are read while they are written."""
    try:
        text = json.dumps(value)
    except TypeError:
        yield from streamed_json(value)
    else:
        yield text
