"""Findings that were there before: written to a file once, and not shown again."""

from collections.abc import Iterable, Mapping

import msgspec

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.findings import DocumentRow, Finding
from irsa_doctor.rulebook.yaml_files import Invalid, converted
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.os_errors import os_error_reason

_SCHEMA = "irsa-doctor.baseline/1"
_LARGEST = 256 << 20


class BaselineError(IrsaDoctorError):
    """A baseline that cannot be used; the text names file and cause."""


class Entry(msgspec.Struct, frozen=True, order=True):
    """One finding; `sha256` is that of its document where the subject is known by its path alone, so that it may move."""

    rule: str
    subject: str
    fingerprint: str
    sha256: str = ""

    def accepts(self, entry: "Entry") -> bool:
        """Whether whatever another entry accepts is accepted by this one."""
        return self.fingerprint == entry.fingerprint


class _File(msgspec.Struct, frozen=True):
    schema: str
    findings: list[Entry]


def entries_of(findings: Iterable[Finding], documents: Iterable[DocumentRow]) -> list[Entry]:
    """What a baseline keeps of findings, sorted."""
    digests = {row.path: row.sha256 or "" for row in documents}
    return sorted(_entry(finding, digests) for finding in findings)


def _entry(finding: Finding, digests: Mapping[str, str]) -> Entry:
    by_path = finding.subject.kind in ("policy", "document")
    return Entry(
        finding.rule, finding.subject.id, finding.fingerprint, digests.get(finding.locations[0].file, "") if by_path else ""
    )


def without(
    findings: Iterable[Finding], documents: Iterable[DocumentRow], known: Iterable[Entry]
) -> tuple[tuple[Finding, ...], int]:
    """The findings that are new, and how many are not."""
    digests = {row.path: row.sha256 or "" for row in documents}
    marks = {entry.fingerprint for entry in known}
    moved = {(entry.rule, entry.sha256) for entry in known if entry.sha256}
    new: list[Finding] = []
    old = 0
    for finding in findings:
        entry = _entry(finding, digests)
        if entry.fingerprint in marks or (entry.sha256 and (entry.rule, entry.sha256) in moved):
            old += 1
        else:
            new.append(finding)
    return tuple(new), old


def read_baseline(file: str) -> list[Entry]:
    """The entries of a baseline; raises BaselineError."""
    try:
        with open_named(file) as stream:
            raw = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise BaselineError(f"{file}: {os_error_reason(error)}") from error
    if len(raw) > _LARGEST:
        raise BaselineError(f"{file}: too large for a baseline")
    try:
        baseline = msgspec.json.decode(raw, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BaselineError(f"{file}{_why_no_baseline(raw)}") from error
    if baseline.schema != _SCHEMA:
        raise BaselineError(f'{file}: not a baseline: schema is "{baseline.schema}", expected "{_SCHEMA}"')
    return baseline.findings


def _why_no_baseline(raw: bytes) -> str:
    """What is wrong with the text, with its line, or with its shape."""
    scan = read_json(raw)
    if isinstance(scan, TextError):
        return f":{scan.line or 1}: not a baseline: {scan.why}"
    try:
        converted(scan.value, _File)
    except Invalid as invalid:
        return f": not a baseline: {invalid}"
    return ": not a baseline"


def baseline_text(entries: Iterable[Entry]) -> str:
    """A baseline as it is written: the same findings, the same bytes."""
    import json

    return json.dumps(msgspec.to_builtins(_File(_SCHEMA, list(entries))), indent=1) + "\n"
