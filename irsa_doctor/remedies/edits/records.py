"""What an edit of a source text is, and what is asked of the writer that makes it.

Whoever adds a kind of source text writes one function `(SourceText, Wish) -> tuple[Edit, ...]` and gives it a row in
`irsa_doctor.remedies.edits.WRITERS`. It raises CannotWrite where the text does not say the value in a way that it can change.
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
