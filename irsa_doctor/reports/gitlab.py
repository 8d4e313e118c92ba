"""The report as a GitLab code quality artifact (https://docs.gitlab.com/ci/testing/code_quality/)."""

from irsa_doctor.model.edits import Suggestion
from irsa_doctor.model.findings import Finding, Report
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fences import fenced
from irsa_doctor.reports.json import json_text
from irsa_doctor.reports.layout import accounts_in_short
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style

_SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}


def render_gitlab(report: Report, style: Style) -> str:
    """Returns a list of issues; GitLab requires a path and a line for each."""
    return json_text([_issue(finding, report.suggestions.get(finding.fingerprint)) for finding in report.findings])


def _issue(finding: Finding, suggestion: Suggestion | None) -> dict[str, object]:
    place = finding.locations[0]
    body = {"content": {"body": _suggested(suggestion)}} if suggestion else {}
    return {
        "description": for_terminal(f"{finding.title}: {finding.message}{accounts_in_short(finding.role_accounts.accounts)}"),
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": for_terminal(from_here(place.file)), "lines": {"begin": max(place.line, 1)}},
        **body,
    }


def _suggested(suggestion: Suggestion) -> str:
    """A suggestion for the first line and those below (https://docs.gitlab.com/user/project/merge_requests/reviews/suggestions/)."""
    block = fenced(f"suggestion:-0+{suggestion.last - suggestion.first}", suggestion.lines)
    return "\n".join([f"{for_terminal(from_here(suggestion.file))}:{suggestion.first}", "", *block])
