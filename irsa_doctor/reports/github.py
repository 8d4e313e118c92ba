"""The report as workflow commands, which GitHub shows beside the lines of a change.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from irsa_doctor.findings import SEVERITIES, Finding, Report
from irsa_doctor.reports.escape import for_workflow_data, for_workflow_property
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style

_COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}


def render_github(report: Report, style: Style) -> str:
    """One command for each finding, one for each input that is missing, and one that counts."""
    lines = [_command(finding) for finding in report.findings]
    for missing in report.unknown:
        how = f" Get it by: {missing.how}" if missing.how else ""
        lines.append(_line("warning", {"title": "not judged"}, f"{missing.missing} was not given.{how}"))
    counted = [(severity, sum(f.severity == severity for f in report.findings)) for severity in SEVERITIES]
    said = ", ".join(f"{number} {severity}" for severity, number in counted if number) or "nothing wrong"
    aside = "".join(
        f", {number} {word}"
        for number, word in ((len(report.waived), "waived"), (report.baselined, "known"), (report.hidden, "hidden"))
        if number
    )
    lines.append(_line("notice", {"title": "irsa-doctor"}, f"{said}{aside}; {len(report.unknown)} inputs missing"))
    return "\n".join(lines) + "\n"


def _command(finding: Finding) -> str:
    place = finding.locations[0]
    properties = {"file": from_here(place.file)}
    if place.line > 0:
        properties["line"] = str(place.line)
        if place.end_line > place.line:
            properties["endLine"] = str(place.end_line)
        if place.column > 0:
            properties["col"] = str(place.column)
            if place.end_line == place.line and place.end_column > place.column:
                properties["endColumn"] = str(place.end_column)
    properties["title"] = f"{finding.rule}: {finding.title}"
    return _line(_COMMANDS[finding.severity], properties, f"{finding.message}\n{finding.remedy}")


def _line(command: str, properties: dict[str, str], message: str) -> str:
    said = ",".join(f"{name}={for_workflow_property(value)}" for name, value in properties.items())
    return f"::{command} {said}::{for_workflow_data(message)}"
