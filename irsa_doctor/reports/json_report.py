"""The report for other programs: `irsa-doctor.check/1`."""

import msgspec

from irsa_doctor.findings import SEVERITIES, Finding, Report
from irsa_doctor.reports.style import Style


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "title": finding.title,
        "message": finding.message,
        "subject": finding.subject,
        "locations": finding.locations,
        "remedy": finding.remedy,
        "snippets": finding.snippets,
        "controls": finding.controls,
        "url": finding.url,
        "fingerprint": finding.fingerprint,
    }


def render_json(report: Report, style: Style) -> str:
    """The document of cli.md, with `snippets` beside it; `summary.unknown` counts the missing inputs."""
    by_severity = {s: sum(f.severity == s for f in report.findings) for s in SEVERITIES}
    document = {
        "schema": "irsa-doctor.check/1",
        "tool": {"version": report.version, "rules_digest": report.rules_digest},
        "summary": {
            **msgspec.structs.asdict(report.counts),
            "findings": by_severity,
            "unknown": len(report.unknown),
            "waived": len(report.waived),
            "baselined": report.baselined,
        },
        "findings": [_finding(finding) for finding in report.findings],
        "unknown": report.unknown,
        "rules": report.tallies,
        "waived": [{**_finding(w.finding), "owner": w.owner, "reason": w.reason, "expires": w.expires} for w in report.waived],
        "documents": report.documents,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode(errors="replace") + "\n"
