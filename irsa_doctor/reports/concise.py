"""The report in one line for each finding: `FILE:LINE:COLUMN SEVERITY RULE MESSAGE`, for editors and `grep`."""

from irsa_doctor.model.findings import Finding, Report
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import on_one_line
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style


def render_concise(report: Report, style: Style) -> str:
    """Returns a line for each finding and nothing else; a place without a line is shown at 1:1, which editors can open."""
    return "".join(f"{_line(finding)}\n" for finding in report.findings)


def _line(finding: Finding) -> str:
    place = next((place for place in finding.locations if place.primary), finding.locations[0])
    path = for_terminal(from_here(place.file))
    spot = f"{path}:{max(place.line, 1)}:{max(place.column, 1)}"
    message = finding.message.removeprefix(f"{place.file}: ")
    return f"{spot} {finding.severity} {for_terminal(finding.rule)} {on_one_line(message, for_terminal)}"
