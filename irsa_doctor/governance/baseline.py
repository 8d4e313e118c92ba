"""Findings that were there before: written to a file once, and not shown again while they are no worse."""

import hashlib
from collections.abc import Collection, Iterable, Mapping

import msgspec

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.extents import Extent
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, Confidence, DocumentRow, Finding, Severity
from irsa_doctor.model.regex import regex
from irsa_doctor.rulebook.yaml_files import Invalid, converted
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.os_errors import os_error_reason

_SCHEMA = "irsa-doctor.baseline/1"
_LARGEST = 256 << 20


class BaselineError(IrsaDoctorError):
    """A baseline that cannot be used; the text names file and cause."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finding that is accepted, and what was accepted with it.

    `sha256` is that of its document where the subject is known by its path alone, so that it may move. `reach` is a digest of
    `admits`, or of what the finding says where nobody is admitted. Older files have neither these nor `severity`.
    """

    rule: str
    subject: str
    fingerprint: str
    sha256: str = ""
    severity: Severity | None = None
    confidence: Confidence | None = None
    reach: str = ""
    admits: Extent | None = None

    def accepts(self, entry: "Entry", least: Severity = "low") -> bool:
        """Whether this one accepts a finding of the same rule and subject; `least` is the lowest severity of its rule, which
        is all that an older entry accepts."""
        return self.fingerprint == entry.fingerprint and not self.beyond(entry, least)

    def beyond(self, entry: "Entry", least: Severity) -> str:
        """In what a finding is more than was accepted, as a sentence, "" where it is not."""
        accepted = self.severity or least
        if entry.severity and SEVERITIES.index(entry.severity) < SEVERITIES.index(accepted):
            return f"This was accepted at {accepted}, is {entry.severity}."
        if self.confidence and entry.confidence and CONFIDENCES.index(entry.confidence) < CONFIDENCES.index(self.confidence):
            return f"This was accepted at {self.confidence} confidence, has {entry.confidence}."
        if not self.reach or not entry.reach or self.reach == entry.reach:
            return ""
        held = self.admits is not None and entry.admits is not None and self.admits.holds(entry.admits)
        return "" if held else "This was accepted as it was, and has changed."


class _File(msgspec.Struct, frozen=True):
    schema: str
    findings: list[Entry]


class NewFindings(msgspec.Struct, frozen=True):
    """The findings that are new or worse than was accepted, and the number of the others."""

    findings: tuple[Finding, ...]
    accepted: int


def entries_of(findings: Iterable[Finding], documents: Iterable[DocumentRow]) -> list[Entry]:
    """What a baseline keeps of findings, sorted."""
    digests = {row.path: row.sha256 or "" for row in documents}
    entries = [entry_of(finding, digests) for finding in findings]
    return sorted(entries, key=lambda entry: (entry.rule, entry.subject, entry.fingerprint))


def entry_of(finding: Finding, digests: Mapping[str, str] = {}) -> Entry:
    """What is accepted with a finding; `digests` are those of the documents by path."""
    by_path = finding.subject.kind in ("policy", "document")
    extent = finding.lazy_extent.extent
    return Entry(
        rule=finding.rule,
        subject=finding.subject.id,
        fingerprint=finding.fingerprint,
        sha256=digests.get(finding.locations[0].file, "") if by_path else "",
        severity=finding.severity,
        confidence=finding.confidence,
        reach=extent.digest if extent else _digest_of_message(finding.message),
        admits=extent,
    )


_COUNT = regex(r"\b\d{1,6}\b")


def _digest_of_message(message: str) -> str:
    """What a finding says, but for the counts in it: these change with every object that is added beside."""
    return hashlib.sha256(_COUNT.sub("#", message).encode(errors="replace")).hexdigest()[:32]


def without(
    findings: Iterable[Finding],
    documents: Iterable[DocumentRow],
    known: Collection[Entry],
    least: Mapping[str, Severity] | None = None,
) -> NewFindings:
    """The findings that no entry accepts; one that is worse than was accepted says so.

    `least` is the lowest severity of each rule. Without it whatever was there is accepted, however it has become.
    """
    digests = {row.path: row.sha256 or "" for row in documents}
    marks: dict[str, list[Entry]] = {}
    for entry in known:
        marks.setdefault(entry.fingerprint, []).append(entry)
    moved = {(entry.rule, entry.sha256) for entry in known if entry.sha256}
    new: list[Finding] = []
    old = 0
    for finding in findings:
        entries = marks.get(finding.fingerprint, ())
        if not entries and not moved:
            new.append(finding)
            continue
        entry = entry_of(finding, digests)
        more = [known_one.beyond(entry, least.get(finding.rule, "low")) for known_one in entries] if least is not None else []
        if (entries and "" in (more or [""])) or (entry.sha256 and (entry.rule, entry.sha256) in moved):
            old += 1
        else:
            new.append(told_as(finding, more[0]) if more else finding)
    return NewFindings(tuple(new), old)


def told_as(finding: Finding, beyond: str) -> Finding:
    """A finding that says in what it is more than was accepted."""
    if not beyond:
        return finding
    return msgspec.structs.replace(finding, message=f"{finding.message} {beyond}")


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
