"""The report as Markdown: a comment on a pull request, or the summary of a job, that folds."""

from collections.abc import Iterator

from irsa_doctor.model.findings import SEVERITIES, Finding, Report
from irsa_doctor.reports.escape import for_markdown, for_terminal
from irsa_doctor.reports.fixes import pasted
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style


def render_markdown(report: Report, style: Style) -> str:
    """A line that counts, a table of what was found, each finding folded away below, and what could not be judged."""
    counted = [(severity, sum(f.severity == severity for f in report.findings)) for severity in SEVERITIES]
    said = ", ".join(f"{number} {severity}" for severity, number in counted if number) or "nothing wrong"
    aside = [(len(report.unknown), "not given"), (len(report.waived), "waived"), (report.baselined, "known before")]
    beside = "".join(f"; {number} {what}" for number, what in (*aside, (report.hidden, "hidden")) if number)
    lines = [f"**irsa-doctor** found {said}{beside}.", ""]
    if report.findings:
        lines += ["| severity | rule | where | subject |", "| --- | --- | --- | --- |", *map(_row, report.findings), ""]
    for finding in report.findings:
        lines += _details(finding)
    if report.unknown:
        lines += ["**Could not be judged, for want of**", ""]
        for missing in report.unknown:
            how = f" {_code(missing.how)}" if missing.how else ""
            how += f", then check with {_code(missing.then)}" if missing.then else ""
            lines.append(f"- {for_markdown(missing.missing)} ({missing.subjects} subjects){how}")
        lines.append("")
    return "\n".join(lines)


def _row(finding: Finding) -> str:
    cells = (finding.severity, finding.rule, _where(finding), finding.subject.id)
    return "| " + " | ".join(map(for_markdown, cells)) + " |"


def _where(finding: Finding) -> str:
    place = finding.locations[0]
    return f"{from_here(place.file)}:{place.line}" if place.line else from_here(place.file)


def _details(finding: Finding) -> Iterator[str]:
    title = f"{finding.rule}: {finding.subject.id}"
    yield f"<details><summary>{for_markdown(title)}</summary>"
    yield ""
    yield for_markdown(finding.message)
    yield ""
    yield f"Fix: {for_markdown(finding.remedy.strip())}"
    yield ""
    for snippet in pasted(finding.fix):
        fence = "`" * max(3, _longest_run(snippet.text) + 1)
        yield f"{fence}{snippet.language}"
        yield from (for_terminal(line) for line in snippet.text.splitlines())
        yield fence
        yield ""
    yield "</details>"
    yield ""


def _longest_run(text: str) -> int:
    """The longest run of backticks: the fence around it must be longer."""
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest


def _code(text: str) -> str:
    fence = "`" * (_longest_run(text) + 1)
    return f"{fence} {for_terminal(text)} {fence}"
