"""The evidence of audits in the formats in which it is handed over: one module a format, over one record."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irsa_doctor.answers.audit.evidence import AuditEvidence

_Pieces = Callable[..., Iterator[str]]
EVIDENCE_FORMATS = ("html", "csv", "json", "oscal", "ocsf", "markdown", "site")
"""`site` is a folder of pages, every other a file"""


def evidence_pieces(output_format: str) -> _Pieces:
    """Returns the function that writes evidence in a format, piece by piece: an organisation is larger than memory."""
    module = import_module(f"irsa_doctor.reports.evidence.{output_format}")
    pieces: _Pieces = getattr(module, f"{output_format}_pieces")
    return pieces


def evidence_pages(evidence: "AuditEvidence") -> Iterator[tuple[str, Iterator[str]]]:
    """Returns the pages of the site, each with its path in the folder and its text, piece by piece."""
    from irsa_doctor.reports.evidence.site import site_pages

    return site_pages(evidence)


__all__ = ["EVIDENCE_FORMATS", "evidence_pages", "evidence_pieces"]
