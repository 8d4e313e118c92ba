"""Reads one document: a file, or an answer of an API, recognised by its content or read as what was asked for."""

import hashlib
from functools import partial
from typing import Literal

import msgspec

from irsa_doctor.model import PASSED_OVER, Document, Place
from irsa_doctor.model.faults import fault_words
from irsa_doctor.sources.documents import kinds
from irsa_doctor.sources.documents.bulk import FROM, read_bulk
from irsa_doctor.sources.documents.contents import read_dialect, read_page_now, read_text
from irsa_doctor.sources.documents.dialects import dialect_of
from irsa_doctor.sources.documents.printouts import printout_of
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.files.walk import InputFile
from irsa_doctor.sources.files.weight import speaks_of_roles
from irsa_doctor.sources.rows import is_data, printout_row, refused_row, unknown_row
from irsa_doctor.sources.snapshot.snapshot import ANSWER_KINDS, Answered, Origin
from irsa_doctor.text.digests import Digest
from irsa_doctor.text.encoding import settle
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json
from irsa_doctor.text.positions import Source


class ReadDocument(msgspec.Struct, frozen=True):
    """One document that was read: its text, its row, what it gave, and where places in it are found."""

    content: bytes
    row: Document
    reading: DocumentReading | None
    source: Source | None


def read_document(document: InputFile, role_arn: str, origin: Origin) -> ReadDocument:
    """A document whose kind is recognised by its content."""
    if document.why is not None:
        return _refused(document)
    digest = Digest(document.content)
    part = _recognised(document, role_arn, origin)
    return msgspec.structs.replace(part, row=msgspec.structs.replace(part.row, sha256=digest.hex))


def _refused(document: InputFile) -> ReadDocument:
    """A document that was not read."""
    kind = PASSED_OVER if document.passed_over else _kind_of_unread(document)
    status: Literal["ignored", "unreadable"] = "ignored" if document.passed else "unreadable"
    matters = status == "unreadable" and speaks_of_roles(document.path, b"")
    row = Document(document.path, kind, status, document.why, named=document.named, matters=matters)
    return ReadDocument(document.content, row, None, None)


def _recognised(document: InputFile, role_arn: str, origin: Origin) -> ReadDocument:
    """What is in a document; its row has no digest yet."""
    content = document.content
    row = Document(document.path, "", "ignored", "empty", named=document.named)
    text = settle(content) if content and not content.isspace() else b""
    if isinstance(text, TextError):
        return ReadDocument(content, refused_row(row, text, content), None, None)
    if not text or text.isspace():
        return ReadDocument(content, row, None, None)
    dialect = dialect_of(text, document.path, named=document.named)
    if dialect and dialect.read is None:
        return ReadDocument(content, msgspec.structs.replace(row, kind=dialect.name, why=dialect.why), None, None)
    if dialect is None and (printout := printout_of(text, document.path)):
        return ReadDocument(content, printout_row(row, printout), None, None)
    reading = DocumentReading(document.path, role_arn=role_arn, origin=origin, base=document.base, named=document.named)
    if dialect:
        source: Source | TextError | None = read_dialect(text, dialect, reading)
    else:
        source = read_text(text, reading, is_data(document.path, document.named, text))
    if source is None:
        return ReadDocument(content, unknown_row(row, text), None, None)
    if isinstance(source, TextError):
        return ReadDocument(content, refused_row(row, source, text), None, None)
    source.anchors = reading.anchors
    return ReadDocument(content, row, reading, source)


def _kind_of_unread(document: InputFile) -> str:
    """What a row calls a file of which only the beginning was looked at, "" for any other."""
    if not document.unread:
        return ""
    return "text" if document.why and document.why.startswith("neither") else "binary"


def unread_document(path: str, why: str, named: bool) -> ReadDocument:
    """A document that a limit of the run left unread; what it gave before is not known to be whole, and does not count."""
    return ReadDocument(b"", Document(path, "", "unreadable", why, named=named, limited=True), None, None)


def fault_row(file: InputFile, error: Exception) -> Document:
    """The row of a file that could not be read because of an error of ours."""
    digest = hashlib.sha256(file.content).hexdigest()
    return Document(file.path, "", "unreadable", fault_words(error), digest, named=file.named, matters=True)


def read_live_answer(document: InputFile, role_arn: str, answered: Answered) -> ReadDocument:
    """A live answer, read as the kind that was requested; those of earlier versions are recognised like files."""
    if not answered.kind:
        return read_document(document, role_arn, answered.origin)
    row = Document(document.path, answered.kind, "ignored", None, hashlib.sha256(document.content).hexdigest(), named=True)
    if answered.kind not in ANSWER_KINDS:
        why = f"a live answer of kind {answered.kind}, which this version does not read"
        return ReadDocument(document.content, msgspec.structs.replace(row, status="unreadable", why=why), None, None)
    reading = DocumentReading(document.path, origin=answered.origin, base=document.base, named=True)
    text = document.content
    if len(text) >= FROM and read_bulk(text, document.path, reading, answered.kind):
        return ReadDocument(text, row, reading, Source(text, "json", [(0, len(text))]))
    scan = read_json(text)
    if isinstance(scan, TextError):
        return ReadDocument(text, refused_row(row, scan, text), None, None)
    page = Page(scan.value, Place(document.path), scan.duplicates)
    read_page_now(page, reading, partial(kinds.read_answer, answered.kind))
    return ReadDocument(text, row, reading, Source(text, "json", [(0, len(text))], bool(scan.duplicates)))
