"""What an edit of a source text is, and what is asked of the writer that makes it.

Whoever adds a kind of source text writes one function `(SourceText, Wish) -> tuple[Edit, ...]` and gives it a row in
`writing.WRITERS`. It raises CannotWrite where the text does not say the value in a way that it can change.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.model.edits import UnfixedReason


class Edit(msgspec.Struct, frozen=True, order=True):
    """Bytes of a document to replace: `start` and `end` are offsets in its text as UTF-8 without byte order mark.

    `old` is what stands there, `new` what takes its place; an insertion has an empty `old`.
    """

    document: str
    start: int
    end: int
    old: str
    new: str


class OpenTexts(msgspec.Struct, frozen=True):
    """What stands for the holes of a value: the value as its reader has it, `named` which puts the names of holes in the place
    of what stands for them, and `is_open` which says whether something in a text stands for a hole."""

    value: Any
    named: Callable[[Any], Any]
    is_open: Callable[[str], bool]


class Wish(msgspec.Struct, frozen=True):
    """The value that should stand at a place, and the one that stands there now, as its reader reads both.

    Values are JSON values; in those of templates, text may be `model.Text` with holes, and a hole of `after` is one of
    `before`. Only what differs is to be written. With `merge`, `after` does not count: the members of `before` at these
    pointers (relative to the place) are written twice, and become one.
    """

    place: Place
    before: Any
    after: Any
    merge: tuple[str, ...] = ()
    transform: Callable[[Any], Any] | None = None
    """what makes the value that stands there the one that should, in the place of `before` and `after`"""
    appended: str = ""
    """what is added at the end of the document, in the place of all that"""
    opened: "OpenTexts | None" = None
    """what stands in `before` and `after` for what the template leaves open, None where it leaves nothing open"""


class SourceText(msgspec.Struct, frozen=True):
    """The text of one document: UTF-8 without byte order mark.

    `ranges` are the byte ranges of the values of a JSON text by part. `other_texts` are those of the other documents of the
    input by path, for what is written in another file than the place says.
    """

    document: str
    content: bytes
    form: str
    ranges: tuple[tuple[int, int], ...] = ()
    anchors: Mapping[tuple[int, str], Any] = {}
    other_texts: Mapping[str, "SourceText"] = {}

    def edit(self, start: int, end: int, new: str) -> Edit:
        """An edit of a range of this text."""
        return Edit(self.document, start, end, self.content[start:end].decode(), new)


class CannotWrite(Exception):
    """A wish that the text does not allow, for a reason of the closed list; the text says why and names the next step."""

    def __init__(self, reason: UnfixedReason, because: str, how: str = "") -> None:
        super().__init__(because)
        self.reason: UnfixedReason = reason
        self.because = because
        self.how = how


class Written(msgspec.Struct, frozen=True):
    """Where a value is written: the pointer into the document itself, and where a text of YAML stands there, that into it."""

    pointer: str
    within: str | None = None


def written_pointer(text: SourceText, wish: Wish) -> str:
    """The pointer into the document itself, of what a template has made of what is written there."""
    found = where_written(text, wish)
    if found.within is not None:
        raise CannotWrite("not-in-source", "the value is made of a part of what is written")
    return found.pointer


def where_written(text: SourceText, wish: Wish) -> Written:
    """The same, also where the value stands in a text of YAML. Raises CannotWrite where it is another part of a text."""
    steps = wish.place.pointer.split("/")
    for size in range(len(steps), 0, -1):
        anchor = text.anchors.get((wish.place.part, "/".join(steps[:size])))
        if anchor is not None and anchor.pointer is not None and anchor.within is not None:
            return Written(anchor.pointer, "/".join((anchor.within, *steps[size:])))
        if anchor is not None and anchor.pointer is not None and anchor.start < 0:
            return Written("/".join((anchor.pointer, *steps[size:])))
        if anchor is not None:
            raise CannotWrite("not-in-source", "the value is made of a part of what is written")
    return Written(wish.place.pointer)


def values_by_name(wish: Wish) -> tuple[Any, Any]:
    """The two values of a wish, with the names of holes in the place of what stands for them."""
    named = wish.opened.named if wish.opened else None
    return (named(wish.before), named(wish.after)) if named else (wish.before, wish.after)
