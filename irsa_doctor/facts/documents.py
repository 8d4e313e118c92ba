"""Facts of the documents that were given, and of what they say of each other."""

from typing import Literal

import msgspec

from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import Document, Place


class DocumentFacts(msgspec.Struct, frozen=True):
    """What became of one document. It `matters` where it was named on the command line, or looks like a policy."""

    status: Literal["read", "ignored", "unreadable"]
    matters: bool


def document_facts(document: Document) -> Judged:
    """The facts of one document."""
    facts = DocumentFacts(document.status, document.named or document.like_policy)
    return Judged("document", document.path, document.path, facts, lambda: _evidence(document))


def _evidence(document: Document) -> Evidence:
    names = {"path": document.path, "why": document.why or "it could not be read"}
    return Evidence(names, {"document": place_of(document)})


def place_of(document: Document) -> Place:
    """Where a document is broken: no pointer leads into it."""
    return Place(document.path)
