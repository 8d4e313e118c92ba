"""The report by control of a framework, as text."""

from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.model.findings import Finding, Report
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook.frameworks import Bearing, ControlResult, FrameworkReport

_MARKS = {
    "fail": ("fail", "31"),
    "unknown": ("unknown", "35"),
    "waived": ("waived", "33"),
    "pass": ("pass", "32"),
    "not examined": ("-", "2"),
}


def render_controls_text(report: Report, framework: FrameworkReport, style: Style) -> str:
    """Returns the controls by verdict, failed ones first, then the controls that no rule covers and the input."""
    by_mark = {finding.fingerprint: finding for finding in report.findings}
    lines = [
        style.paint(f"{framework.title} ({framework.version})", "1"),
        "Evidence from technical rules; an auditor decides whether a control is met.",
        "",
    ]
    covered = [control for control in framework.controls if control.verdict != "not covered"]
    for verdict in _MARKS:
        for control in covered:
            if control.verdict == verdict:
                lines += _control(control, by_mark, style)
    missing = [control for control in framework.controls if control.verdict == "not covered"]
    if missing:
        lines += [style.paint("Not covered by any rule", "1")]
        lines += [f"  {control.id}  {control.title or ''}".rstrip() for control in missing]
        lines.append("")
    lines += _of_the_input(report, framework, style)
    totals = ", ".join(f"{sum(c.verdict == v for c in covered)} {v}" for v in _MARKS)
    lines.append(f"{totals}, {len(missing)} not covered; {_not_shown(report)}")
    return "\n".join(lines) + "\n"


def _control(control: ControlResult, findings: Mapping[str, Finding], style: Style) -> Iterator[str]:
    word, colour = _MARKS[control.verdict]
    yield f"{style.paint(f'{word:<8}', colour)}{style.paint(control.id, '1')}  {control.title or ''}".rstrip()
    for relation in ("supports", "related"):
        rules = [bearing for bearing in control.rules if bearing.relation == relation]
        if rules:
            yield f"        {relation}: {len(rules)} rule{'s' if len(rules) > 1 else ''}; {_totals(rules)}"
    for mark in control.findings:
        finding = findings[mark]
        yield f"        {finding.severity} {finding.rule}: {for_terminal(finding.subject.id)}"
    yield ""


def _totals(rules: Sequence[Bearing]) -> str:
    passed, failed, unknown, waived, unshown = (
        sum(getattr(bearing, name) for bearing in rules) for name in ("passed", "failed", "unknown", "waived", "unshown")
    )
    off = sum(not bearing.asked for bearing in rules)
    rest = ((waived, "waived"), (unshown, "not shown"), (off, "off"))
    numbers = (
        f"{passed} passed",
        f"{failed} failed",
        f"{unknown} unknown",
        *(f"{number} {what}" for number, what in rest if number),
    )
    return ", ".join(numbers)


def _of_the_input(report: Report, framework: FrameworkReport, style: Style) -> Iterator[str]:
    """What every control depends on: unreadable documents, waivers, missing inputs."""
    covered = {mark for control in framework.controls for mark in control.findings}
    others = [finding for finding in report.findings if finding.fingerprint not in covered]
    if others:
        yield style.paint("About the input", "1")
        yield from (f"  {f.severity} {f.rule}: {for_terminal(f.message)}" for f in others)
        yield ""
    if report.unknown:
        yield style.paint("Not checked: inputs missing", "1")
        for missing in report.unknown:
            subjects = f" ({missing.subjects} subject{'' if missing.subjects == 1 else 's'})" if missing.subjects else ""
            yield f"  {for_terminal(missing.missing)}{subjects}"
            if missing.how:
                yield f"    {for_terminal(missing.way)}"
        yield ""


def _not_shown(report: Report) -> str:
    """How many findings are not on the page, and why."""
    others = ((report.baselined, "in the baseline"), (report.hidden, "below the thresholds"))
    return ", ".join([f"{len(report.waived)} findings waived", *(f"{number} {what}" for number, what in others if number)])
