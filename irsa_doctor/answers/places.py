"""Finds the lines of places: in documents, and where a document is broken or a waiver is written."""

from collections.abc import Sequence

from irsa_doctor.governance.comments import IgnoreComment
from irsa_doctor.governance.settings import Waiver
from irsa_doctor.governance.waivers import waiver_place
from irsa_doctor.model import Document, Place
from irsa_doctor.text.lines import NOT_QUOTED
from irsa_doctor.text.positions import Documents


class Locator:
    """Finds places in documents, in broken documents and in waivers."""

    def __init__(
        self,
        documents: Documents,
        rows: Sequence[Document],
        waivers: Sequence[Waiver] = (),
        comments: Sequence[IgnoreComment] = (),
        *,
        quotes: bool = True,
    ) -> None:
        """Without `quotes` nothing is said of the text of a line."""
        self.documents = documents
        self._quotes = quotes
        self._single: dict[str, bool] = {}
        self.broken = {Place(row.path): (row.line, row.column) for row in rows if row.status == "unreadable"}
        self.waivers = {waiver_place(waiver): (waiver.line, 1) for waiver in waivers}
        self.waivers |= {comment.place: (comment.line, 1) for comment in comments}

    def __call__(self, place: Place, key: bool) -> tuple[int, int, int, int, str, int]:
        """Line, column, end line, end column, the text of the line, and the offset in it; `key`: of the name of a member.

        See `answers.check.engine.Locate`.
        """
        if position := self.broken.get(place) or self.waivers.get(place):
            return (*position, 0, 0, "", 0)
        span = self.documents.locate(place, key, quote=self._quotes)
        quoted = (span.source, span.offset) if self._quotes else NOT_QUOTED
        return span.line, span.column, span.end_line, span.end_column, *quoted

    def line(self, place: Place) -> int:
        """The line alone, 0 where it is not known: of a document without a line break nothing has to be searched for, and
        answers of the AWS CLI and of kubectl may have no other line, with thousands of places."""
        if place.document not in self._single:
            text = self.documents.text(place.document)
            self._single[place.document] = text is not None and b"\n" not in text.rstrip()
        return 1 if self._single[place.document] else self(place, False)[0]
