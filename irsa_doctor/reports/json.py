"""The report as JSON, `irsa-doctor.check/1`; fields may be added to it, never removed."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from irsa_doctor.model.findings import (
    SEVERITIES,
    Confidence,
    DocumentRow,
    Finding,
    Fix,
    Location,
    Missing,
    Report,
    Severity,
    Snippet,
    Subject,
    Tally,
    Waived,
)
from irsa_doctor.reports.addresses import page_of
from irsa_doctor.reports.fixes import snippets_of
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook.frameworks import FrameworkReport
from irsa_doctor.rulebook.rules import digest
from irsa_doctor.text.surrogates import texts_without_surrogates
from irsa_doctor.version import __version__

CHECK_SCHEMA = "irsa-doctor.check/1"


class ToolRecord(msgspec.Struct, frozen=True):
    """The program that wrote a document, and its rules."""

    version: str
    rules_digest: str


def tool() -> ToolRecord:
    """Returns the version and the rules of this program."""
    return ToolRecord(__version__, digest())


class Summary(msgspec.Struct, frozen=True):
    """The number of subjects, findings and missing inputs."""

    documents: int
    roles: int
    policies: Annotated[int, Meta(description="bare trust policies")]
    providers: int
    clusters: int
    service_accounts: int
    workloads: int
    associations: Annotated[int, Meta(description="EKS Pod Identity associations")]
    findings: Annotated[Mapping[Severity, int], Meta(description="findings by severity")]
    unknown: Annotated[int, Meta(description="missing inputs")]
    waived: int
    baselined: int
    hidden: Annotated[int, Meta(description="findings below --min-severity or --min-confidence")]


class PlaceRecord(msgspec.Struct, frozen=True):
    """A place; lines and columns are 1-based and count characters, the end is exclusive, 0 is unknown."""

    file: str
    line: int
    column: int
    pointer: Annotated[str, Meta(description="JSON pointer (RFC 6901) into the document")]
    says: str
    primary: bool
    end_line: int
    end_column: int


class FindingRecord(msgspec.Struct, frozen=True):
    """One defect of one subject."""

    rule: str
    severity: Severity
    confidence: Confidence
    title: str
    message: str
    subject: Subject
    locations: tuple[PlaceRecord, ...]
    remedy: str
    snippets: tuple[Snippet, ...]
    fix: Annotated[Fix | None, Meta(description="the fix, where it is proved to be safe")]
    controls: Mapping[str, tuple[str, ...]]
    url: str
    fingerprint: Annotated[str, Meta(description="the same when lines move")]
    service_accounts: Annotated[
        tuple[str, ...],
        Meta(
            description="of a finding about a role: the service accounts that name the role, where too many can assume it; "
            "else those of them that cannot. As cluster/namespace/name, sorted, the first 20"
        ),
    ]
    service_account_count: Annotated[int, Meta(description="the number of these service accounts")]
    page: Annotated[
        str,
        Meta(
            description="the page of the rule on the web: its address, until the project has one the path below it; "
            "empty for a private rule"
        ),
    ]


class WaivedRecord(FindingRecord, frozen=True):
    """A waived finding; `expires` is YYYY-MM-DD, or empty for a comment in the document."""

    owner: str
    reason: str
    expires: str
    accepted_by: Annotated[str, Meta(description="who accepted the risk, where the waiver says so")] = ""


class CheckDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of `irsa-doctor check -f json`."""

    schema: str
    tool: ToolRecord
    summary: Summary
    findings: list[FindingRecord]
    unknown: Annotated[tuple[Missing, ...], Meta(description="missing inputs, and the rules that need them")]
    rules: tuple[Tally, ...]
    waived: list[WaivedRecord]
    documents: Annotated[tuple[DocumentRow, ...], Meta(description="the status of every document of the input")]
    framework: FrameworkReport | None = None
    as_of: Annotated[str, Meta(description="the day, or the time (RFC 3339) of --as-of, by which waivers and ages go")] = ""


def _place_record(place: Location) -> PlaceRecord:
    return PlaceRecord(
        place.file,
        place.line,
        place.column,
        place.pointer,
        place.says,
        place.primary,
        place.end_line,
        place.end_column,
    )


def record_of(finding: Finding) -> FindingRecord:
    """Returns a finding as it is written to JSON."""
    return FindingRecord(
        finding.rule,
        finding.severity,
        finding.confidence,
        finding.title,
        finding.message,
        finding.subject,
        tuple(map(_place_record, finding.locations)),
        finding.remedy,
        snippets_of(finding.fix),
        finding.fix,
        finding.controls,
        finding.url,
        finding.fingerprint,
        finding.service_accounts,
        finding.role_accounts.accounts.count,
        page_of(finding.rule),
    )


def waived_record_of(waived: Waived) -> WaivedRecord:
    """Returns a waived finding as it is written to JSON."""
    fields = msgspec.structs.asdict(record_of(waived.finding))
    return WaivedRecord(
        **fields, owner=waived.owner, reason=waived.reason, expires=waived.expires, accepted_by=waived.accepted_by
    )


def rows_of(findings: Sequence[Finding]) -> str:
    """Returns findings as they stand in the document, with all between the brackets of the array. UnicodeEncodeError for what
    `json_text` alone writes."""
    rows = msgspec.json.format(_ascii([record_of(finding) for finding in findings]), indent=1)
    return rows[1:-2].replace(b"\n", b"\n ").decode()  # a line end in a text is escaped


def render_json(report: Report, style: Style, framework: FrameworkReport | None = None) -> str:
    """Returns the document; it does not depend on the style."""
    return json_text(_document(report, framework, list(map(record_of, report.findings))))


def render_around(report: Report, framework: FrameworkReport | None = None) -> str:
    """Returns the document without findings, which `with_rows` puts in; UnicodeEncodeError as `rows_of`."""
    return _indented(_ascii(_document(report, framework, [])))


def with_rows(document: str, rows: Sequence[str]) -> str:
    """Returns the document with findings as `rows_of` rendered them, each some of them, in order."""
    before, member, after = document.partition('\n "findings": [')
    return "".join((before, member, ",".join(filter(None, rows)), "\n ", after))


def _document(report: Report, framework: FrameworkReport | None, findings: list[FindingRecord]) -> CheckDocument:
    summary = Summary(
        **msgspec.structs.asdict(report.counts),
        findings={severity: sum(f.severity == severity for f in report.findings) for severity in SEVERITIES},
        unknown=len(report.unknown),
        waived=len(report.waived),
        baselined=report.baselined,
        hidden=report.hidden,
    )
    return CheckDocument(
        CHECK_SCHEMA,
        ToolRecord(report.version, report.rules_digest),
        summary,
        findings,
        report.unknown,
        report.tallies,
        list(map(waived_record_of, report.waived)),
        report.documents,
        framework,
        report.as_of,
    )


def json_text(document: object) -> str:
    """Returns a document as indented ASCII text, which is valid JSON in every encoding of a stream."""
    try:
        return _indented(_ascii(document))
    except UnicodeEncodeError:
        # a lone surrogate of a path that is not UTF-8: most readers of JSON refuse its escape
        return json.dumps(texts_without_surrogates(msgspec.to_builtins(document)), indent=1) + "\n"


def _ascii(document: object) -> bytes:
    text = msgspec.json.encode(document)
    return text if text.isascii() else json.dumps(msgspec.to_builtins(document), separators=(",", ":")).encode()


def _indented(text: bytes) -> str:
    return msgspec.json.format(text, indent=1).decode() + "\n"
