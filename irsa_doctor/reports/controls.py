"""The report by control of a framework, as text."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.model.findings import Finding, Report
from irsa_doctor.reports.fitting import wrapped
from irsa_doctor.reports.layout import INDENT, clean, prose
from irsa_doctor.reports.not_checked import missing_in_short, missing_whole
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.totals import by_rule
from irsa_doctor.rulebook.frameworks import Bearing, ControlResult, FrameworkReport

_MARKS = {
    "fail": ("fail", "31"),
    "unknown": ("unknown", "35"),
    "waived": ("waived", "33"),
    "pass": ("pass", "32"),
    "not examined": ("-", "2"),
}


def render_controls_text(report: Report, framework: FrameworkReport, style: Style, presentation: Presentation = PLAIN) -> str:
    """Returns the controls by verdict, failed ones first, then the controls that no rule covers and the input.

    With statistics, the controls without their findings, and the number of findings of each rule. Quiet, those that fail.
    """
    covered = [control for control in framework.controls if control.verdict != "not covered"]
    shown = ("fail",) if presentation.quiet else tuple(_MARKS)
    by_mark = {} if presentation.statistics else {finding.fingerprint: finding for finding in report.findings}
    lines = [
        line
        for verdict in shown
        for control in covered
        if control.verdict == verdict
        for line in _control(control, by_mark, style)
    ]
    if presentation.statistics:
        lines += by_rule(report.findings, style)
    if presentation.quiet:
        return "".join(f"{line}\n" for line in lines[:-1])
    missing = missing_whole if presentation.unknown else missing_in_short
    lines = [*_title(framework, style), *lines, *_not_covered(framework, style), *_of_the_input(report, framework, style)]
    lines += [*missing(report, style), _totals_of(report, framework)]
    return "\n".join(lines) + "\n"


def _title(framework: FrameworkReport, style: Style) -> Iterator[str]:
    yield style.paint(f"{framework.title} ({framework.version})", "1")
    yield from prose("Evidence from technical rules; an auditor decides whether a control is met.", style, "")
    yield ""


def _not_covered(framework: FrameworkReport, style: Style) -> Iterator[str]:
    """The controls that no rule covers."""
    missing = [control for control in framework.controls if control.verdict == "not covered"]
    if missing:
        yield style.paint("Not covered by any rule", "1")
        for control in missing:
            yield from prose(control.title or "", style, INDENT, control.id)
        yield ""


def _totals_of(report: Report, framework: FrameworkReport) -> str:
    verdicts: Counter[str] = Counter(control.verdict for control in framework.controls)
    totals = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in _MARKS)
    return f"{totals}, {verdicts['not covered']} not covered; {_not_shown(report)}"


def _control(control: ControlResult, findings: Mapping[str, Finding], style: Style) -> Iterator[str]:
    word, colour = _MARKS[control.verdict]
    first, *more = wrapped(f"{control.id}  {control.title or ''}".rstrip(), style.width - 8) or [""]
    yield f"{style.paint(f'{word:<8}', colour)}{style.paint(control.id, '1')}{first.removeprefix(control.id)}"
    yield from (f"        {line}" for line in more)
    for relation in ("supports", "related"):
        rules = [bearing for bearing in control.rules if bearing.relation == relation]
        if rules:
            yield f"        {relation}: {len(rules)} rule{'s' if len(rules) > 1 else ''}; {_totals(rules)}"
    for finding in (findings[mark] for mark in control.findings if mark in findings):
        yield from prose(f"{finding.severity} {finding.rule}: {clean(finding.subject.id)}", style, "        ")
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
    """What every control depends on: findings about unreadable documents and waivers."""
    covered = {mark for control in framework.controls for mark in control.findings}
    others = [finding for finding in report.findings if finding.fingerprint not in covered]
    if others:
        yield style.paint("About the input", "1")
        for finding in others:
            yield from prose(f"{finding.severity} {finding.rule}: {clean(finding.message)}", style)
        yield ""


def _not_shown(report: Report) -> str:
    """How many findings are not on the page, and why."""
    others = ((report.baselined, "in the baseline"), (report.hidden, "below the thresholds"))
    return ", ".join([f"{len(report.waived)} findings waived", *(f"{number} {what}" for number, what in others if number)])
