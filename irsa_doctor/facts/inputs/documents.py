"""Facts of the documents that were given, and of what they say of each other."""

from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.guardrails import Stopped
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import Document, Place, Unknown


class DocumentFacts(msgspec.Struct, frozen=True):
    """What became of one document. It `matters` if the command line names it, or if it names roles or providers."""

    status: Literal["read", "ignored", "unreadable"]
    matters: bool
    limited: bool
    """Whether a limit of the run ended its reading or its evaluation"""
    contradicts: bool
    """Whether it has another value for an object than an earlier document"""
    grave: bool
    """Whether they differ in a trust policy, the role of a service account, an issuer or client ids"""
    rcp: Stopped | Unknown
    """Whether a resource control policy in it denies all web identities"""


_WHOLE, _REST = "Its content was not checked.", "The rest of it was checked."


def document_facts(view: View, document: Document) -> Judged:
    """The facts of one document."""
    if limit := view.unjudged.get(document.path):
        document = without_judgement(document, limit)
    contradictions = view.contradictions_of.get(document.path, ())
    facts = DocumentFacts(
        status=document.status,
        matters=document.named or document.matters,
        limited=document.limited,
        contradicts=bool(contradictions),
        grave=any(contradiction.grave for contradiction in contradictions),
        rcp=view.guards.stopped(document.path),
    )
    return Judged("document", document.path, document.path, facts, lambda: _evidence(view, document))


def without_judgement(document: Document, limit: str) -> Document:
    """The row of a document that was not judged whole before the run reached a limit."""
    return msgspec.structs.replace(document, status="unreadable", why=document.why if document.limited else limit, limited=True)


def _evidence(view: View, document: Document) -> Evidence:
    names = {"path": document.path, "why": document.why or "it could not be read", "extent": "", "rest": _WHOLE}
    if document.partial:
        names |= {"extent": " as a whole", "rest": _REST}
    places = {"document": document_place(document)}
    if contradictions := sorted(view.contradictions_of.get(document.path, ()), key=lambda item: not item.grave):
        names |= {
            "what": contradictions[0].what,
            "object": contradictions[0].subject,
            "other": contradictions[0].first.document,
        }
        names["more"] = f" (and {len(contradictions) - 1} more differences)" if len(contradictions) > 1 else ""
        places |= {"first": contradictions[0].first, "second": contradictions[0].second}
    if denial := view.guards.denial_of(document.path):
        names["unless"] = f" unless the role has another value of {', '.join(denial.exempt)}" if denial.exempt else ""
        places["rcp"] = denial.place
    return Evidence(names, places)


def document_place(document: Document) -> Place:
    """Where a document is broken: no pointer leads into it."""
    return Place(document.path)
