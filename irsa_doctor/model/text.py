"""Text with holes: a value from a template, of which some parts are known and some have only a name.

Two holes of the same name in one document are equal, so structure can be judged though the values are unknown.
"""

from collections.abc import Iterator

import msgspec


class Hole(msgspec.Struct, frozen=True):
    """A named part whose value is not known; `name` is how the document writes it, `${OidcProvider}` say."""

    name: str


class Text(msgspec.Struct, frozen=True):
    """Literal parts and holes, in order. Plain text is a `str` everywhere; a `Text` always has a hole."""

    parts: tuple[str | Hole, ...]

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else part.name for part in self.parts)


def has_hole(value: object) -> bool:
    """Whether a value is text of which a part is unknown."""
    return isinstance(value, Text)


def holes_in(value: object) -> Iterator[Hole]:
    """Every hole of a value that may be text, a list or a mapping, in document order."""
    if isinstance(value, Text):
        yield from (part for part in value.parts if isinstance(part, Hole))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from holes_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from holes_in(key)
            yield from holes_in(item)


def text_of(value: str | Text) -> str:
    """The value as the document writes it, holes by their names."""
    return value if isinstance(value, str) else str(value)
