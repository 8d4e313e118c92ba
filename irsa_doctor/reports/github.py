"""The report as workflow commands, which GitHub shows beside the lines of a change.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from irsa_doctor.model.findings import SEVERITIES, Finding, Missing, Report
from irsa_doctor.reports.escape import for_workflow_data, for_workflow_property
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style

_COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}


def render_github(report: Report, style: Style) -> str:
    """One command for each finding, one for each input that is missing, and one that counts."""
    lines = [*map(_command, report.findings), *map(_missing, report.unknown), _summary(report)]
    return "\n".join(lines) + "\n"


def _command(finding: Finding) -> str:
    place = finding.locations[0]
    # standard input is no file that GitHub could show
    properties = {} if place.file == "-" else {"file": from_here(place.file)}
    if place.line > 0 and properties:
        properties["line"] = str(place.line)
        if place.end_line > place.line:
            properties["endLine"] = str(place.end_line)
        if place.column > 0:
            properties["col"] = str(place.column)
            if place.end_line == place.line and place.end_column > place.column:
                properties["endColumn"] = str(place.end_column)
    properties["title"] = f"{finding.rule}: {finding.title}"
    return _line(_COMMANDS[finding.severity], properties, f"{finding.message}\n{finding.remedy}")


def _missing(missing: Missing) -> str:
    rules = f" It is wanted by {', '.join(missing.rules)}, for {missing.subjects} of the subjects." if missing.rules else ""
    how = f"\nGet it by: {missing.way}" if missing.how else ""
    return _line("warning", {"title": "not judged"}, f"Not given: {missing.missing}.{rules}{how}")


def _summary(report: Report) -> str:
    counted = [(severity, sum(finding.severity == severity for finding in report.findings)) for severity in SEVERITIES]
    said = ", ".join(f"{number} {severity}" for severity, number in counted if number) or "nothing wrong"
    beside = ((len(report.waived), "waived"), (report.baselined, "known"), (report.hidden, "hidden"))
    aside = "".join(f", {number} {word}" for number, word in beside if number)
    missing = len(report.unknown)
    return _line("notice", {"title": "irsa-doctor"}, f"{said}{aside}; {missing} input{'' if missing == 1 else 's'} missing")


def _line(command: str, properties: dict[str, str], message: str) -> str:
    said = ",".join(f"{name}={for_workflow_property(value)}" for name, value in properties.items())
    return f"::{command} {said}::{for_workflow_data(message)}"
