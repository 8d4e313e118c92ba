"""The report for code scanning: SARIF 2.1.0.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/, and what GitHub reads of it
(https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning).
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from irsa_doctor.findings import Finding, Location, Report, Waived
from irsa_doctor.reports.escape import for_markdown, for_terminal
from irsa_doctor.reports.json import written
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook import Rule, shipped_rules

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# GitHub's bands: critical over 9.0, high from 7.0, medium from 4.0, low below
_SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
_PRECISION = {"high": "high", "medium": "medium", "low": "low"}


def render_sarif(report: Report, style: Style) -> str:
    """One run: what was found, what was waived, and what could not be read or judged."""
    known = {rule.id: rule for rule in shipped_rules()}
    spoken = [*report.findings, *(waived.finding for waived in report.waived)]
    ids = sorted({finding.rule for finding in spoken})
    first = {finding.rule: finding for finding in reversed(spoken)}
    index = {rule: number for number, rule in enumerate(ids)}
    results = [_result(finding, index) for finding in report.findings]
    results += [_waived(waived, index) for waived in report.waived]
    run = {
        "tool": {
            "driver": {
                "name": "irsa-doctor",
                "semanticVersion": report.version,
                "properties": {"rulesDigest": report.rules_digest},
                "rules": [_rule(rule, known.get(rule), first[rule]) for rule in ids],
            }
        },
        "automationDetails": {"id": "irsa-doctor/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": list(_notifications(report))}],
        "results": results,
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return written(document)


def _rule(ident: str, rule: Rule | None, finding: Finding) -> dict[str, Any]:
    why, remedy = (rule.why, rule.remedy) if rule else (finding.title, finding.remedy)
    links = [f"- [{for_markdown(r.title)}]({quote(r.url, safe=':/?#=&.,-_~%')})" for r in rule.references] if rule else []
    markdown = "\n\n".join(filter(None, [why, f"**What to do.** {remedy}", "\n".join(links)]))
    described: dict[str, Any] = {
        "id": ident,
        "name": "".join(part.title() for part in ident.split("-")),
        "shortDescription": {"text": _sentence(finding.title)},
        "fullDescription": {"text": _sentence(why)},
        "help": {"text": f"{why}\n\nWhat to do: {remedy}", "markdown": markdown},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "precision": _PRECISION[finding.confidence],
            "security-severity": _SECURITY[finding.severity],
            "tags": ["security", *(f"{f}/{c}" for f, ids in sorted(finding.controls.items()) for c in ids)],
        },
    }
    if finding.url:
        described["helpUri"] = finding.url
    return described


def _sentence(text: str) -> str:
    clean = for_terminal(text).strip() or "No description."
    return clean if clean.endswith((".", "!", "?")) else clean + "."


def _result(finding: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    primary = next((place for place in finding.locations if place.primary), finding.locations[0])
    others = [place for place in finding.locations if place is not primary]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{for_terminal(finding.message)} {_sentence(finding.remedy)}"},
        "locations": [{**_location(primary), "logicalLocations": [_logical(finding)]}],
        "partialFingerprints": {"irsaDoctor/v1": finding.fingerprint},
        "properties": {"severity": finding.severity, "confidence": finding.confidence},
    }
    if others:
        result["relatedLocations"] = [
            {**_location(place), "id": number, "message": {"text": for_terminal(place.says) or "see here"}}
            for number, place in enumerate(others, 1)
        ]
    return result


def _logical(finding: Finding) -> dict[str, str]:
    name = for_terminal(finding.subject.id)
    return {"fullyQualifiedName": name, "kind": "resource"}


def _waived(waived: Waived, index: Mapping[str, int]) -> dict[str, Any]:
    until = f", until {waived.expires}" if waived.expires else ""
    why = for_terminal(f"{waived.owner}{until}: {waived.reason}")
    kind = "external" if waived.expires else "inSource"
    return {
        **_result(waived.finding, index),
        "suppressions": [{"kind": kind, "status": "accepted", "justification": why}],
    }


def _location(place: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(place.file)}
    if place.line > 0:
        physical["region"] = _region(place)
    return {"physicalLocation": physical}


def _artifact(file: str) -> dict[str, str]:
    """A path as a URI reference: relative to where the run began; standard input has a name of its own."""
    if file == "-":
        return {"uri": "stdin"}
    path = from_here(file)
    if path.startswith("/"):
        return {"uri": "file://" + _quoted(path)}
    # a colon in the first segment would read as a scheme
    return {"uri": _quoted(path)}


def _quoted(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape" if _undecoded(path) else "replace"), safe="/-_.~")


def _undecoded(path: str) -> bool:
    """Whether a name that is no UTF-8 came through as surrogates that can be turned back."""
    return all(0xDC80 <= ord(char) <= 0xDCFF for char in path if 0xD800 <= ord(char) <= 0xDFFF)


def _region(place: Location) -> dict[str, int]:
    """GitHub wants a start line; an end that is not behind the start is left out."""
    region = {"startLine": place.line}
    if place.column > 0:
        region["startColumn"] = place.column
        if (place.end_line, place.end_column) > (place.line, place.column):
            region |= {"endLine": place.end_line, "endColumn": place.end_column}
    return region


def _notifications(report: Report) -> Iterable[dict[str, Any]]:
    """What could not be read, and what was not given: said as loudly as what is wrong."""
    for row in report.documents:
        if row.status == "unreadable":
            yield {
                "level": "error",
                "descriptor": {"id": "document-unreadable"},
                "message": {"text": _sentence(f"{row.path} could not be read: {row.why}")},
                "locations": [{"physicalLocation": {"artifactLocation": _artifact(row.path)}}],
            }
    for missing in report.unknown:
        how = f" Get it by: {missing.how}" if missing.how else ""
        says = f"Not judged for want of {missing.missing}: {missing.subjects} subjects, {', '.join(missing.rules)}.{how}"
        yield {"level": "warning", "descriptor": {"id": "input-missing"}, "message": {"text": _sentence(says)}}
