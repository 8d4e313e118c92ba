"""The report as workflow commands, which GitHub shows at the lines of a change.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from irsa_doctor.model.findings import Finding, Missing, Report
from irsa_doctor.reports.counting import by_severity, counted
from irsa_doctor.reports.escape import for_workflow_data, for_workflow_property
from irsa_doctor.reports.layout import accounts_in_short
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.style import Style

_COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}


def render_github(report: Report, style: Style, presentation: Presentation = PLAIN) -> str:
    """Returns a command for each finding and each missing input, and one with the totals; quiet, for the findings alone."""
    rest = [] if presentation.quiet else [*map(_missing, report.unknown), _summary(report)]
    return "".join(f"{line}\n" for line in (*map(_command, report.findings), *rest))


def _command(finding: Finding) -> str:
    place = finding.locations[0]
    # GitHub cannot show standard input
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
    return _line(
        _COMMANDS[finding.severity],
        properties,
        f"{finding.message}{accounts_in_short(finding.role_accounts.accounts)}\n{finding.remedy}",
    )


def _missing(missing: Missing) -> str:
    rules = f" Needed by {', '.join(missing.rules)} for {counted(missing.subjects, 'subject')}." if missing.rules else ""
    how = f"\nTo get it: {missing.how}" if missing.how else ""
    how += f"\nThen run check with {missing.addition}" if missing.how and missing.addition else ""
    return _line("warning", {"title": "input missing"}, f"Not in the input: {missing.missing}.{rules}{how}")


def _summary(report: Report) -> str:
    others = ((len(report.waived), "waived"), (report.baselined, "in the baseline"), (report.hidden, "hidden"))
    rest = "".join(f", {number} {word}" for number, word in others if number)
    missing = counted(len(report.unknown), "input")
    return _line("notice", {"title": "irsa-doctor"}, f"{by_severity(report)}{rest}; {missing} missing")


def _line(command: str, properties: dict[str, str], message: str) -> str:
    fields = ",".join(f"{name}={for_workflow_property(value)}" for name, value in properties.items())
    return f"::{command} {fields}::{for_workflow_data(message)}"
