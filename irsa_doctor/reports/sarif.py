"""The report for code scanning: SARIF 2.1.0.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/, and the subset that GitHub reads
(https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from irsa_doctor.model.commands import is_command
from irsa_doctor.model.edits import Suggestion
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, Finding, Location, Report, Waived
from irsa_doctor.reports.addresses import page_address, project_address
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_markdown, for_sarif
from irsa_doctor.reports.json import json_text
from irsa_doctor.reports.layout import accounts_in_short
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook.rules import Rule, shipped_rules

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# GitHub's bands: critical over 9.0, high from 7.0, medium from 4.0, low below
_SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
# GitHub shortens descriptions and names to these lengths, and refuses a file with more tags for a rule
_LONGEST, _LONGEST_NAME, _MOST_TAGS = 1024, 255, 20


def render_sarif(report: Report, style: Style) -> str:
    """Returns one run: findings, waived findings, and notifications of unreadable documents and missing inputs."""
    known = {rule.id: rule for rule in shipped_rules()}
    by_rule: dict[str, list[Finding]] = {}
    for finding in (*report.findings, *(waived.finding for waived in report.waived)):
        by_rule.setdefault(finding.rule, []).append(finding)
    index = {rule: number for number, rule in enumerate(sorted(by_rule))}
    results = [_with_fixes(_result(finding, index), report.suggestions.get(finding.fingerprint)) for finding in report.findings]
    results += [_waived(waived, index) for waived in report.waived]
    run = {
        "tool": {
            "driver": {
                "name": "irsa-doctor",
                "semanticVersion": report.version,
                **({"informationUri": project_address()} if project_address() else {}),
                "properties": {"rulesDigest": report.rules_digest},
                "rules": [_rule(rule, known.get(rule), by_rule[rule]) for rule in index],
            }
        },
        "automationDetails": {"id": "irsa-doctor/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": any(row.status == "read" for row in report.documents),
                "toolExecutionNotifications": list(_notifications(report)),
            }
        ],
        "results": results,
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json_text(document)


# rules


def _rule(ident: str, rule: Rule | None, findings: Sequence[Finding]) -> dict[str, Any]:
    """A rule with the highest severity and the lowest confidence of its findings."""
    severity = min((finding.severity for finding in findings), key=SEVERITIES.index)
    confidence = max((finding.confidence for finding in findings), key=CONFIDENCES.index)
    finding = findings[0]
    described: dict[str, Any] = {
        "id": ident,
        "name": "".join(part.title() for part in ident.split("-"))[:_LONGEST_NAME],
        "shortDescription": {"text": _description(finding.title)},
        "fullDescription": {"text": _description(rule.why if rule else finding.title)},
        "help": _help(rule, finding),
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "precision": confidence,
            "security-severity": _SECURITY[severity],
            "tags": ["security", *_tags(rule, finding)][:_MOST_TAGS],
        },
    }
    if page := (page_address(ident) if rule else "") or finding.url:
        described |= {"helpUri": _url(page)} if page.startswith("https://") else {}
    return described


def _help(rule: Rule | None, finding: Finding) -> dict[str, str]:
    """Help from the text of a built-in rule, which is trusted Markdown; for another rule from the finding only."""
    if rule is None:
        remedy = for_markdown(finding.remedy.strip())
        return {
            "text": f"{_sentence(finding.title)}\n\nWhat to do: {_sentence(finding.remedy)}",
            "markdown": f"{for_markdown(finding.title)}\n\n**What to do.** {remedy}",
        }
    links = [f"- [{for_markdown(reference.title)}]({_url(reference.url)})" for reference in rule.references]
    markdown = "\n\n".join(filter(None, [rule.why, f"**What to do.** {rule.remedy}", "\n".join(links)]))
    return {"text": f"{rule.why}\n\nWhat to do: {rule.remedy}", "markdown": markdown}


def _tags(rule: Rule | None, finding: Finding) -> list[str]:
    """The controls, supported ones first: GitHub shows ten tags."""
    if rule is None:
        return [for_sarif(f"{name}/{control}") for name, ids in sorted(finding.controls.items()) for control in ids]
    controls = [
        (control.relation != "supports", name, control.id) for name, listed in rule.controls.items() for control in listed
    ]
    return [f"{name}/{ident}" for _, name, ident in sorted(controls)]


def _url(url: str) -> str:
    return quote(url, safe=":/?#=&.,-_~%", errors="replace")


def _sentence(text: str) -> str:
    clean = for_sarif(text.strip().replace("\n", " ")) or "No description."
    return clean if clean.endswith((".", "!", "?")) else clean + "."


def _description(text: str) -> str:
    sentence = _sentence(text)
    return sentence if len(sentence) <= _LONGEST else sentence[: _LONGEST - 1] + "\u2026"


# results


def _result(finding: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    primary = next((place for place in finding.locations if place.primary), finding.locations[0])
    others = list(enumerate((place for place in finding.locations if place is not primary), 1))
    # GitHub shows a related place only if the message links to it
    links = ", ".join(f"[{_link_text(place)}]({number})" for number, place in others)
    concerned = for_sarif(accounts_in_short(finding.role_accounts.accounts))
    see = f" See also: {links}." if links else ""
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{_sentence(finding.message)}{concerned} {_sentence(finding.remedy)}{see}"},
        "locations": [{**_location(primary), "logicalLocations": _logical(finding)}],
        # GitHub reads only the second. Without it, GitHub hashes the text of the line, and all findings of a rule in an export
        # of one long line become one alert
        "partialFingerprints": {"irsaDoctor/v1": finding.fingerprint, "primaryLocationLineHash": f"{finding.fingerprint}:1"},
        "properties": {"severity": finding.severity, "confidence": finding.confidence},
    }
    if others:
        result["relatedLocations"] = [
            {**_location(place), "id": number, "message": {"text": for_sarif(place.says) or "see here"}}
            for number, place in others
        ]
    return result


def _with_fixes(result: dict[str, Any], suggestion: Suggestion | None) -> dict[str, Any]:
    return {**result, "fixes": _fixes(suggestion)} if suggestion else result


def _fixes(suggestion: Suggestion) -> list[dict[str, Any]]:
    """The edits as a fix object (SARIF 2.1.0, 3.55)."""
    replacements = [
        {
            "deletedRegion": {
                "startLine": edit.start.line,
                "startColumn": edit.start.column,
                "endLine": edit.end.line,
                "endColumn": edit.end.column,
            },
            "insertedContent": {"text": edit.new},
        }
        for edit in suggestion.edits
    ]
    change = {"artifactLocation": _artifact(suggestion.file), "replacements": replacements}
    return [{"description": {"text": _sentence(suggestion.because)}, "artifactChanges": [change]}]


def _link_text(place: Location) -> str:
    text = for_sarif(place.says) or "see here"
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _logical(finding: Finding) -> list[dict[str, str]]:
    """The subject, then the service accounts that a finding about a role concerns."""
    names = (finding.subject.id, *finding.role_accounts.accounts.ids)
    return [{"fullyQualifiedName": for_sarif(name), "kind": "resource"} for name in names]


def _waived(waived: Waived, index: Mapping[str, int]) -> dict[str, Any]:
    """A waived finding: a waiver of the settings has an end, a comment in the document has none."""
    until = f", until {waived.expires}" if waived.expires else ""
    why = for_sarif(f"{waived.owner}{until}: {waived.reason}")
    kind = "external" if waived.expires else "inSource"
    return {
        **_result(waived.finding, index),
        "suppressions": [{"kind": kind, "status": "accepted", "justification": why}],
    }


# places


def _location(place: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(place.file)}
    if place.line > 0:
        physical["region"] = _region(place)
    return {"physicalLocation": physical}


def _artifact(file: str) -> dict[str, str]:
    """A path as a URI reference, relative to the current folder; standard input is `stdin`."""
    if file == "-":
        return {"uri": "stdin"}
    path = from_here(file)
    # a colon is quoted too: in the first segment it would be read as a scheme
    return {"uri": "file://" + _quoted(path) if path.startswith("/") else _quoted(path)}


@lru_cache(maxsize=1024)
def _quoted(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape" if _undecoded(path) else "replace"), safe="/-_.~")


def _undecoded(path: str) -> bool:
    """Whether a name that is not UTF-8 was decoded to surrogates that can be encoded again."""
    return all(0xDC80 <= ord(char) <= 0xDCFF for char in path if 0xD800 <= ord(char) <= 0xDFFF)


def _region(place: Location) -> dict[str, int]:
    """The region of a place; GitHub requires a start line, and an unknown end is left out."""
    region = {"startLine": place.line}
    if place.column > 0:
        region["startColumn"] = place.column
        if place.end_column > 0 and (place.end_line, place.end_column) > (place.line, place.column):
            region |= {"endLine": place.end_line, "endColumn": place.end_column}
    return region


# what was not checked


def _notifications(report: Report) -> Iterable[dict[str, Any]]:
    """Unreadable documents as errors and missing inputs as warnings, so that no viewer hides them."""
    for row in report.documents:
        if row.status == "unreadable":
            yield {
                "level": "error",
                "descriptor": {"id": "document-unreadable"},
                "message": {"text": _sentence(f"{row.path} is not readable: {row.why}")},
                "locations": [{"physicalLocation": {"artifactLocation": _artifact(row.path)}}],
            }
    for missing in report.unknown:
        rules = f" Needed by {', '.join(missing.rules)} for {counted(missing.subjects, 'subject')}." if missing.rules else ""
        mark = "`" if is_command(missing.how) else ""
        how = f" To get it: {mark}{missing.how}{mark}" if missing.how else ""
        how += f", then run check with `{missing.addition}`" if missing.addition else ""
        yield {
            "level": "warning",
            "descriptor": {"id": "input-missing"},
            "message": {"text": f"{_sentence(f'Not in the input: {missing.missing}')}{for_sarif(rules)}{for_sarif(how)}"},
        }
