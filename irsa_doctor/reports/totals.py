"""The end of a report in text: findings by rule, the summary table, and the verdict."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from irsa_doctor.model.findings import SEVERITIES, Finding, Report, Severity
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, without_end
from irsa_doctor.reports.layout import COLOURS, FAINT, GOOD, INDENT, OPEN, clean, header, prose
from irsa_doctor.reports.style import Style

_TITLE = 30
"""columns below which a title is left out"""
_ROLES = ("role", "grant", "policy")
_CLEAN = "No findings."
_COUNTS = re.compile(r"\d+ (critical|high|medium|low)|\d+ (?:inputs? missing|documents? unreadable)")


class RuleNumber(NamedTuple):
    """The number of findings that a rule has at one severity."""

    number: int
    severity: Severity
    rule: str
    title: str


def numbers_of_rules(findings: Iterable[Finding]) -> list[RuleNumber]:
    """Returns the number of findings of each rule, the worst first, then the most frequent."""
    numbers = Counter((SEVERITIES.index(finding.severity), finding.rule) for finding in findings)
    titles = {finding.rule: finding.title for finding in findings}
    ordered = sorted(numbers.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    return [RuleNumber(number, SEVERITIES[severity], rule, titles[rule]) for (severity, rule), number in ordered]


def by_rule(findings: Sequence[Finding], style: Style) -> Iterator[str]:
    """Yields the number of findings of each rule, the worst first."""
    rows = numbers_of_rules(findings)
    if not rows:
        return
    wide = max(len(str(row.number)) for row in rows)
    longest = max(columns(for_terminal(row.rule)) for row in rows)
    room = style.width - wide - longest - 16
    yield from header("By rule", style)
    for number, word, rule, title in rows:
        shown = for_terminal(rule)
        if room >= _TITLE:
            shown += " " * (longest - columns(shown) + 2) + without_end(clean(title), room, style.ellipsis)
        shown = without_end(shown, style.width - wide - 14, style.ellipsis)
        yield f"{INDENT}{number:>{wide}}  {style.paint(f'{word:<8}', COLOURS[word])}  {shown}"
    yield ""


def summary(report: Report, style: Style) -> Iterator[str]:
    """Yields a row for each severity that occurs: its findings, the roles that they concern; then a row for missing inputs."""
    rows = {severity: [finding for finding in report.findings if finding.severity == severity] for severity in SEVERITIES}
    counts: list[tuple[str, str, str]] = [
        (word, str(len(findings)), str(len(_roles(findings)))) for word, findings in rows.items() if findings
    ]
    if not counts:
        return
    yield from header("Summary", style)
    yield style.paint(f"{INDENT}{'':<8}  {'findings':>8}  roles", FAINT)
    for word, number, roles in counts:
        yield f"{INDENT}{style.paint(f'{word:<8}', COLOURS[word])}  {number:>8}  {roles:>5}"
    if report.unknown:
        word = style.paint(f"{'unknown':<8}", COLOURS["unknown"])
        yield f"{INDENT}{word}  {len(report.unknown):>8}  input{'' if len(report.unknown) == 1 else 's'} missing"
    yield ""


def _roles(findings: Iterable[Finding]) -> set[str]:
    """The roles that findings are about: of a binding the role that it names."""
    roles = {finding.group for finding in findings if finding.subject.kind in _ROLES}
    named = (finding.subject.id.partition(" -> ")[2] for finding in findings if finding.subject.kind == "binding")
    return roles | set(filter(None, named))


def verdict(report: Report, style: Style) -> Iterator[str]:
    """Yields one sentence for the findings and one for what is missing; a run with something missing is never green."""
    numbers = [(sum(f.severity == severity for f in report.findings), severity) for severity in SEVERITIES]
    findings = ", ".join(f"{number} {severity}" for number, severity in numbers if number)
    gaps = _missing_in_words(report)
    if findings:
        line = f"Found {findings}." + (f" Incomplete: {gaps}." if gaps else "")
    elif not any(row.status == "read" for row in report.documents):
        line = "Nothing was checked: no document could be read."
    elif gaps:
        line = f"No findings, but incomplete: {gaps}."
    else:
        line = _CLEAN
    colour = GOOD if line == _CLEAN else OPEN
    for text in prose(f"{line}{_not_shown(report)}", style, ""):
        yield (
            _COUNTS.sub(lambda match: style.paint(match[0], COLOURS[match[1] or "unknown"]), text)
            if findings
            else style.paint(text, colour)
        )


def _missing_in_words(report: Report) -> str:
    unread = len({row.path for row in report.documents if row.status == "unreadable"})
    parts = [
        f"{counted(len(report.unknown), 'input')} missing" if report.unknown else "",
        f"{counted(unread, 'document')} unreadable" if unread else "",
    ]
    return " and ".join(part for part in parts if part)


def _not_shown(report: Report) -> str:
    """How many findings the report does not show, and why."""
    parts = [
        f"{len(report.waived)} waived" if report.waived else "",
        f"{report.baselined} in the baseline" if report.baselined else "",
        f"{report.hidden} hidden by --min-severity or --min-confidence" if report.hidden else "",
    ]
    numbers = ", ".join(part for part in parts if part)
    return f" {numbers}." if numbers else ""
