"""The report in one line for each finding: `FILE:LINE:COLUMN SEVERITY RULE MESSAGE`, for editors and `grep`."""

from irsa_doctor.model.findings import Finding, Report
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.layout import accounts_in_short, clean
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.totals import numbers_of_rules


def render_concise(report: Report, style: Style, presentation: Presentation = PLAIN) -> str:
    """Returns a line for each finding and nothing else; a place without a line is shown at 1:1, which editors can open.

    The service accounts that a finding about a role keeps out follow its message. With statistics, there is a line for each
    rule: `NUMBER SEVERITY RULE TITLE`.
    """
    if presentation.statistics:
        rows = numbers_of_rules(report.findings)
        return "".join(f"{row.number} {row.severity} {for_terminal(row.rule)} {clean(row.title)}\n" for row in rows)
    return "".join(f"{_line(finding)}\n" for finding in report.findings)


def _line(finding: Finding) -> str:
    place = next((place for place in finding.locations if place.primary), finding.locations[0])
    path = for_terminal(from_here(place.file))
    spot = f"{path}:{max(place.line, 1)}:{max(place.column, 1)}"
    message = finding.message.removeprefix(f"{place.file}: ")
    accounts = finding.role_accounts.accounts
    broken = accounts_in_short(accounts) if accounts.kept_out else ""
    return f"{spot} {finding.severity} {for_terminal(finding.rule)} {clean(message + broken)}"
