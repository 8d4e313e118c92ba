"""The texts of an input while it is being fixed: bytes as they were read, and with the edits up to now."""

from collections.abc import Iterable, Iterator, Mapping

from irsa_doctor.model.edits import FileEdit, TextPosition
from irsa_doctor.remedies.edits.records import Edit, SourceText
from irsa_doctor.remedies.edits.splicing import spliced
from irsa_doctor.text.encoding import encoded_like
from irsa_doctor.text.positions import Documents


class Texts:
    """The texts of documents by path. `original` are the bytes that were read; `changed` those with edits."""

    def __init__(self, original: Mapping[str, bytes]) -> None:
        self.original = original
        self.changed: dict[str, bytes] = {}
        self.documents = Documents()
        self._texts: dict[str, SourceText | None] = {}

    def now(self, documents: Documents) -> None:
        """Take over the texts as they were read with the edits up to now."""
        self.documents = documents
        self._texts = {}

    def text(self, document: str) -> SourceText | None:
        """The text of a document, None where it was not read."""
        if document not in self._texts:
            source = self.documents.source(document)
            if source is None:
                self._texts[document] = None
            else:
                known = tuple(source.ranges), source.anchors, _OtherTexts(self)
                self._texts[document] = SourceText(document, source.text, source.form, *known)
        return self._texts[document]

    def _content(self, document: str) -> bytes:
        text = self.text(document)
        return text.content if text else b""

    def with_edits(self, edits: Iterable[Edit]) -> dict[str, bytes]:
        """The bytes of all files with edits, with these besides, which do not overlap."""
        by_document: dict[str, list[Edit]] = {}
        for edit in edits:
            by_document.setdefault(edit.document, []).append(edit)
        changed = dict(self.changed)
        for document, listed in by_document.items():
            changed[document] = encoded_like(self.original[document], spliced(self._content(document), listed))
        return changed

    def placed(self, edit: Edit) -> FileEdit:
        """An edit with lines and columns."""
        start, end = (_position(self._content(edit.document), offset) for offset in (edit.start, edit.end))
        return FileEdit(edit.document, start, end, edit.old, edit.new)


class _OtherTexts(Mapping[str, SourceText]):
    """The texts of all documents that can be edited, by path, each made when it is asked for."""

    def __init__(self, texts: Texts) -> None:
        self._of = texts

    def __getitem__(self, document: str) -> SourceText:
        text = self._of.text(document)
        if text is None:
            raise KeyError(document)
        return text

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._of.original if self._of.text(path) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _position(content: bytes, offset: int) -> TextPosition:
    start = content.rfind(b"\n", 0, offset) + 1
    return TextPosition(content.count(b"\n", 0, offset) + 1, len(content[start:offset].decode(errors="replace")) + 1)
