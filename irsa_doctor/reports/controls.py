"""The report by control of a framework, for people."""

from collections.abc import Iterator

from irsa_doctor.findings import Finding, Report
from irsa_doctor.frameworks import Control, FrameworkReport
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.style import Style

_MARKS = {"fail": ("fail", "31"), "unknown": ("unknown", "35"), "pass": ("pass", "32"), "not examined": ("-", "2")}
_ORDER = ("fail", "unknown", "pass", "not examined")


def render_controls_text(report: Report, framework: FrameworkReport, style: Style) -> str:
    """What failed first, then what could not be told, what passed, and what nothing here covers."""
    by_mark = {finding.fingerprint: finding for finding in report.findings}
    lines = [
        style.paint(f"{framework.title} ({framework.version})", "1"),
        "Evidence from technical rules; whether a control is met is for an auditor to say.",
        "",
    ]
    covered = [control for control in framework.controls if control.verdict != "not covered"]
    for verdict in _ORDER:
        for control in covered:
            if control.verdict == verdict:
                lines += _control(control, by_mark, style)
    missing = [control for control in framework.controls if control.verdict == "not covered"]
    if missing:
        lines += [style.paint("Not covered by any rule", "1")]
        lines += [f"  {control.id}  {control.title or ''}".rstrip() for control in missing]
        lines.append("")
    counted = ", ".join(f"{sum(c.verdict == v for c in covered)} {v}" for v in _ORDER)
    lines.append(f"{counted}, {len(missing)} not covered; {len(report.waived)} findings waived")
    return "\n".join(lines) + "\n"


def _control(control: Control, findings: dict[str, Finding], style: Style) -> Iterator[str]:
    word, colour = _MARKS[control.verdict]
    yield f"{style.paint(f'{word:<8}', colour)}{style.paint(control.id, '1')}  {control.title or ''}".rstrip()
    for relation in ("supports", "related"):
        rules = [bearing for bearing in control.rules if bearing.relation == relation]
        if rules:
            passed, failed, unknown, waived = (
                sum(getattr(b, n) for b in rules) for n in ("passed", "failed", "unknown", "waived")
            )
            said = f"{passed} passed, {failed} failed, {unknown} unknown" + (f", {waived} waived" if waived else "")
            yield f"        {relation}: {len(rules)} rule{'s' if len(rules) > 1 else ''}; {said}"
    for mark in control.findings:
        finding = findings[mark]
        yield f"        {finding.severity} {finding.rule}: {for_terminal(finding.subject.id)}"
    yield ""
