"""What a person reads: findings by role, each with its place, its sentence and its remedy; then what could not be judged."""

import textwrap
from collections.abc import Iterator

from irsa_doctor.findings import SEVERITIES, Finding, Location, Report
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.style import Style

_COLOURS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36"}
_INDENT = "    "


def render_text(report: Report, style: Style) -> str:
    """The whole report."""
    lines = [*_groups(report, style), *_unknown(report, style), *_documents(report, style), _summary(report, style)]
    return "\n".join(lines) + "\n"


def _wrapped(text: str, style: Style, indent: str = _INDENT) -> list[str]:
    return textwrap.wrap(
        for_terminal(text), style.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ) or [""]


def _groups(report: Report, style: Style) -> Iterator[str]:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.group, []).append(finding)
    for group, findings in groups.items():
        yield style.paint(for_terminal(group), "1")
        for finding in findings:
            yield from _finding(finding, style)
        yield ""


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    word = style.paint(finding.severity, _COLOURS[finding.severity])
    yield f"  {word} {finding.rule}: {finding.title}"
    yield from _wrapped(finding.message, style)
    for location in finding.locations:
        yield from _quote(location, style)
    yield from _wrapped("Fix: " + finding.remedy.strip(), style)
    for snippet in finding.snippets:
        yield f"{_INDENT}{for_terminal(snippet.title)}:"
        yield from (_INDENT * 2 + for_terminal(line) for line in snippet.text.splitlines())
    yield ""


def _quote(location: Location, style: Style) -> Iterator[str]:
    where = f"{location.file}:{location.line}:{location.column}" if location.line else location.file
    yield f"{_INDENT}{style.paint('-->', '34')} {for_terminal(where)}"
    if not location.source:
        return
    number = str(location.line)
    start = max(location.column - 1, 0)
    end = location.end_column - 1 if location.end_line == location.line else len(location.source)
    lead = len(location.source) - len(location.source.lstrip())
    source, start, end = location.source[lead:], max(start - lead, 0), max(end - lead, 1)
    before, marked = for_terminal(source[:start]), for_terminal(source[start:end])
    room = max(style.width - len(_INDENT) - len(number) - 3, 20)
    yield f"{_INDENT}{number} | {(before + marked + for_terminal(source[end:]))[:room]}"
    if len(before) < room:
        marks = "^" * max(min(len(marked), room - len(before)), 1)
        yield f"{_INDENT}{' ' * len(number)} | {' ' * len(before)}{style.paint(marks, '31')} {for_terminal(location.says)}"


def _unknown(report: Report, style: Style) -> Iterator[str]:
    if not report.unknown:
        return
    yield style.paint("Could not be judged", "1;35")
    for missing in report.unknown:
        yield f"  not given: {for_terminal(missing.missing)}"
        yield from _wrapped(f"{missing.subjects} subjects, rules {', '.join(missing.rules)}", style)
        if missing.how:
            yield f"{_INDENT}fetch it: {for_terminal(missing.how)}"
    yield ""


def _documents(report: Report, style: Style) -> Iterator[str]:
    bad = [row for row in report.documents if row.status == "unreadable"]
    if bad:
        yield style.paint("Could not be read", "1;35")
        yield from (f"  {for_terminal(row.path)}: {for_terminal(row.why or '')}" for row in bad)
        yield ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def _summary(report: Report, style: Style) -> str:
    counts = report.counts
    found = [(s, sum(f.severity == s for f in report.findings)) for s in SEVERITIES]
    said = ", ".join(style.paint(f"{n} {s}", _COLOURS[s]) for s, n in found if n) or style.paint("nothing wrong", "32")
    looked = [
        _counted(counts.roles, "role"),
        *([_counted(counts.policies, "bare policy")] if counts.policies else []),
        _counted(counts.providers, "provider"),
        _counted(counts.clusters, "cluster"),
        _counted(counts.service_accounts, "service account"),
        _counted(counts.workloads, "workload"),
    ]
    unknown = f"; {_counted(len(report.unknown), 'input')} missing" if report.unknown else ""
    waived = f"; {len(report.waived)} waived" if report.waived else ""
    hidden = f"; {report.hidden} hidden" if report.hidden else ""
    return f"{said} in {', '.join(looked)} from {_counted(counts.documents, 'document')}{unknown}{waived}{hidden}"
