"""The report as Markdown, for a comment on a pull request or the summary of a job."""

from collections.abc import Iterator

from irsa_doctor.model.commands import is_command
from irsa_doctor.model.edits import Suggestion
from irsa_doctor.model.findings import Finding, Report
from irsa_doctor.reports.addresses import page_address
from irsa_doctor.reports.changes import dedented
from irsa_doctor.reports.counting import by_severity, counted
from irsa_doctor.reports.escape import for_markdown, for_terminal
from irsa_doctor.reports.fences import fenced, longest_run
from irsa_doctor.reports.fixes import change_title, pasted
from irsa_doctor.reports.layout import accounts_in_short
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.totals import numbers_of_rules


def render_markdown(report: Report, style: Style, presentation: Presentation = PLAIN) -> str:
    """Returns the totals, a table of the findings, a folded page of each finding, then what was not checked.

    With statistics, a table of the rules in place of the findings; quiet, no more than the totals and the findings.
    """
    lines = [f"**irsa-doctor**: {by_severity(report)}{_rest(report)}.", ""]
    if presentation.statistics:
        return "\n".join([*lines, *_statistics(report), *(() if presentation.quiet else _not_checked(report))])
    if report.findings:
        lines += ["| severity | finding | where | subject |", "| --- | --- | --- | --- |", *map(_row, report.findings), ""]
    for finding in report.findings:
        lines += _details(finding, report.suggestions.get(finding.fingerprint))
    return "\n".join([*lines, *(() if presentation.quiet else _not_checked(report))])


def _statistics(report: Report) -> Iterator[str]:
    """A table of the number of findings of each rule."""
    rows = numbers_of_rules(report.findings)
    if rows:
        yield from ("| findings | severity | rule |", "| --- | --- | --- |")
    for row in rows:
        yield f"| {row.number} | {row.severity} | {for_markdown(f'{row.title} ({row.rule})')} |"
    yield from ("",) if rows else ()


def _not_checked(report: Report) -> Iterator[str]:
    yield from _unreadable(report)
    yield from _missing(report)


def _rest(report: Report) -> str:
    """What the findings do not include: missing inputs, unreadable documents, and findings that are not shown."""
    unread = len(_unread(report))
    parts = [
        f"{counted(len(report.unknown), 'input')} missing" if report.unknown else "",
        f"{counted(unread, 'document')} unreadable" if unread else "",
        f"{len(report.waived)} waived" if report.waived else "",
        f"{report.baselined} in the baseline" if report.baselined else "",
        f"{report.hidden} hidden" if report.hidden else "",
    ]
    return "".join(f"; {part}" for part in parts if part)


def _unread(report: Report) -> dict[str, str]:
    """The reason of each unreadable document, by path."""
    return {row.path: row.why or "unknown reason" for row in report.documents if row.status == "unreadable"}


def _unreadable(report: Report) -> Iterator[str]:
    """Unreadable documents without a finding of their own."""
    named = {place.file for finding in report.findings for place in finding.locations}
    if bad := {path: why for path, why in _unread(report).items() if path not in named}:
        yield from ("**Documents not readable**", "")
        yield from (f"- {for_markdown(path)}: {for_markdown(why)}" for path, why in bad.items())
        yield ""


def _missing(report: Report) -> Iterator[str]:
    if not report.unknown:
        return
    yield from ("**Not checked: inputs missing**", "")
    for missing in report.unknown:
        how = f": {_code(missing.how) if is_command(missing.how) else for_markdown(missing.how)}" if missing.how else ""
        how += f", then run check with {_code(missing.addition)}" if missing.addition else ""
        yield f"- {for_markdown(missing.missing)} ({counted(missing.subjects, 'subject')}){how}"
    yield ""


def _row(finding: Finding) -> str:
    cells = (finding.severity, f"{finding.title} ({finding.rule})", _where(finding), finding.subject.id)
    return "| " + " | ".join(map(for_markdown, cells)) + " |"


def _where(finding: Finding) -> str:
    place = finding.locations[0]
    return f"{from_here(place.file)}:{place.line}" if place.line else from_here(place.file)


def _details(finding: Finding, suggestion: Suggestion | None) -> Iterator[str]:
    title = f"{finding.rule}: {finding.subject.id}"
    yield f"<details><summary>{for_markdown(title)}</summary>"
    yield ""
    yield for_markdown(finding.message)
    yield ""
    if concerned := accounts_in_short(finding.role_accounts.accounts).strip():
        yield from (for_markdown(concerned), "")
    page = page_address(finding.rule)
    more = f" ([more]({page}))" if page else ""
    yield f"Fix: {for_markdown(finding.remedy.strip())}{more}"
    yield ""
    if suggestion:
        lines = f"{suggestion.first}-{suggestion.last}" if suggestion.last > suggestion.first else str(suggestion.first)
        yield from (
            f"Edit of {for_markdown(from_here(suggestion.file))}:{lines}, safe: {for_markdown(suggestion.because)}:",
            "",
        )
        yield from fenced("suggestion", suggestion.lines)
    elif finding.fix and finding.fix.diff:
        yield from (f"{for_markdown(change_title(finding.fix))}:", "")
        yield from fenced("diff", "\n".join(dedented(finding.fix.diff.splitlines())))
    for snippet in pasted(finding.fix):
        yield from fenced(snippet.language, snippet.text)
    yield "</details>"
    yield ""


def _code(text: str) -> str:
    fence = "`" * (longest_run(text) + 1)
    return f"{fence} {for_terminal(text)} {fence}"
