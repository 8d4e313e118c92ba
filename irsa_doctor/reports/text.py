"""The report as text for a terminal: findings, the worst first; then missing inputs; then a summary and the verdict."""

from collections.abc import Iterator
from itertools import groupby

from irsa_doctor.model import parse_arn
from irsa_doctor.model.findings import Finding, Report, Waived
from irsa_doctor.reports.addresses import page_address
from irsa_doctor.reports.changes import change_lines
from irsa_doctor.reports.counting import checked, counted, passed_over, renderings
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, without_end
from irsa_doctor.reports.fixes import change_title, pasted, short
from irsa_doctor.reports.layout import (
    COLOURS,
    FAINT,
    GOOD,
    INDENT,
    STRONG,
    accounts_line,
    accounts_title,
    clean,
    header,
    pasted_lines,
    prose,
    shortlist,
)
from irsa_doctor.reports.not_checked import missing_in_short, missing_whole, unreadable_documents
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.quoting import pointed, quoted, sentence_of
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.totals import by_rule, summary, verdict

_MANY = 20
"""findings above which they are also counted by rule"""
_SCREEN = 50
"""lines above which the verdict is also the first line"""
_NAMED = 6
"""names that a sentence shows; the others are counted"""


def render_text(report: Report, style: Style, presentation: Presentation = PLAIN) -> str:
    """Returns the whole report; its last lines count what was checked and what was reported."""
    counted_by_rule = presentation.statistics or len(report.findings) > _MANY
    statistics = [*by_rule(report.findings, style)] if counted_by_rule and not presentation.quiet else []
    body = [] if presentation.statistics else [*_findings(report, style, presentation)]
    if presentation.quiet:
        return "".join(f"{line}\n" for line in (body[:-1] if body else [*by_rule(report.findings, style)][:-1]))
    missing = missing_whole if presentation.unknown else missing_in_short
    body += [*unreadable_documents(report, style), *missing(report, style), *_waived(report, style), *statistics]
    end = [*verdict(report, style)]
    head = [*end, ""] if len(body) > _SCREEN else []
    return (
        "\n".join([*head, *body, *summary(report, style), *_hints(report, style, presentation), *_checked(report, style), *end])
        + "\n"
    )


# findings


class _Shown:
    """What the report has shown: remedies and snippets of this subject, and rules that it has explained."""

    def __init__(self) -> None:
        self.rules: set[str] = set()
        self.texts: set[str] = set()


def _findings(report: Report, style: Style, presentation: Presentation) -> Iterator[str]:
    """The findings in their order; those of one subject that follow each other are under one header."""
    shown = _Shown()
    for group, findings in groupby(report.findings, key=lambda finding: finding.group or finding.subject.id):
        shown.texts = set()
        for number, finding in enumerate(findings):
            yield from header(_title(group, finding.subject.kind), style) if not number else ()
            yield ""
            yield from _finding(finding, group, shown, style, presentation)
        yield ""


_KINDS = {"oidc-provider": "OIDC provider", "role": "role", "cluster": "cluster"}
_WORDS = {"waiver": "waivers in", "binding": "service account", "service-account": "service account"}


def _title(group: str, kind: str) -> str:
    """The subject in words: the name of a role before its account, a service account before its cluster."""
    arn = parse_arn(group)
    is_of_cluster = kind in ("binding", "service-account", "workload")
    if arn and arn.kind in _KINDS and arn.name and not (is_of_cluster and arn.kind == "cluster"):
        return for_terminal(f"{_KINDS[arn.kind]} {arn.name} in account {arn.account or 'unknown'}")
    document, colon, address = group.rpartition(": ")
    if kind in ("grant", "role", "binding") and colon:
        return for_terminal(f"role {address} in {from_here(document)}")
    if kind in ("service-account", "provider") and colon:
        word = "provider " if kind == "provider" else ""
        return for_terminal(f"{word}{address} in {from_here(document)}")
    cluster, *name = group.rsplit("/", 2)
    if is_of_cluster and len(name) == 2:
        return for_terminal(f"service account {'/'.join(name)} in {_home(cluster)}")
    return for_terminal(f"{_WORDS.get(kind, kind)} {from_here(group)}")


def _home(cluster: str) -> str:
    """A cluster in words, by its name or its ARN."""
    if cluster == "unknown-cluster":
        return "an unknown cluster"
    arn = parse_arn(cluster)
    return f"cluster {arn.name} of account {arn.account} in {arn.region}" if arn else f"cluster {cluster}"


def _finding(finding: Finding, group: str, shown: _Shown, style: Style, presentation: Presentation) -> Iterator[str]:
    yield _headline(finding, style)
    yield from prose(_message(finding, group), style)
    yield from _places(finding, style)
    if (accounts := finding.role_accounts.accounts).count:
        yield from prose(clean(f"{accounts_title(accounts)}: {accounts_line(accounts, _NAMED)}"), style)
    if remedy := clean(finding.remedy):
        yield from prose("as above" if remedy in shown.texts else remedy, style, INDENT, "fix:", GOOD)
        shown.texts.add(remedy)
    yield from _fix(finding, shown.texts, style, presentation)
    if finding.rule not in shown.rules:
        shown.rules.add(finding.rule)
        # a terminal that has links has one to the page, in the first line of the finding
        page = "" if style.links else page_address(finding.rule)
        more = f"more: irsa-doctor explain {for_terminal(finding.rule)}{page and f' or {page}'}"
        yield from (style.paint(line, FAINT) for line in prose(more, style))


def _fix(finding: Finding, shown: set[str], style: Style, presentation: Presentation) -> Iterator[str]:
    """The change of a policy and the commands of one line; all of it to paste where that was requested."""
    fix = finding.fix
    if fix and fix.diff and not presentation.fixes:
        title = f"{clean(change_title(fix))}:"
        if fix.diff in shown:
            yield from prose("as above", style, INDENT, title, GOOD)
        else:
            yield from (style.paint(line, GOOD) for line in prose(title, style))
            yield from change_lines(fix.diff, style)
        shown.add(fix.diff)
    for snippet in short(fix) if fix and fix.diff and not presentation.fixes else pasted(fix):
        title = f"{clean(snippet.title)}:"
        if snippet.text in shown:
            yield from prose("as above", style, INDENT, title, GOOD)
            continue
        yield from (style.paint(line, GOOD) for line in prose(title, style))
        yield from pasted_lines(snippet.text)
        shown.add(snippet.text)


def _headline(finding: Finding, style: Style) -> str:
    rule = without_end(for_terminal(finding.rule), style.width - 10, style.ellipsis)
    linked = style.link(style.paint(rule, STRONG), page_address(finding.rule) or finding.url)
    line = f"{style.paint(finding.severity, COLOURS[finding.severity])}  {linked}"
    note = f"  ({finding.confidence} confidence)"
    if finding.confidence == "high" or len(finding.severity) + 2 + columns(rule) + len(note) > style.width:
        return line
    return line + style.paint(note, FAINT)


def _message(finding: Finding, group: str) -> str:
    """The message, without the path of the file that the header names."""
    message = finding.message
    if finding.subject.kind in ("policy", "document") and len(group) > len("this policy"):
        message = message.removeprefix(f"{group}: ")
        for name in (f"The trust policy of {group}", f"the trust policy of {group}", group):
            message = message.replace(name, f"this {finding.subject.kind}")
        message = message[:1].upper() + message[1:]
    return clean(message)


def _places(finding: Finding, style: Style) -> Iterator[str]:
    """The first place with its line, the others as one line each."""
    seen: set[tuple[str, int, int]] = set()
    for location in finding.locations:
        spot = (location.file, location.line, location.column)
        if spot in seen:
            continue
        # the message of an unreadable document already has the sentence
        says = "" if location.says in finding.message else sentence_of(location)
        yield from (pointed if seen else quoted)(location, style, INDENT, says)
        seen.add(spot)


# what was set aside, and what was checked


def _waived(report: Report, style: Style) -> Iterator[str]:
    """Waived findings: the owner, the end and the reason of each waiver."""
    if not report.waived:
        return
    gathered: dict[tuple[str, str, str, str], list[Waived]] = {}
    for entry in report.waived:
        gathered.setdefault((entry.finding.rule, entry.owner, entry.expires, entry.reason), []).append(entry)
    yield from header(f"Waived: {counted(len(report.waived), 'finding')}", style)
    yield ""
    for (rule, owner, expires, reason), entries in gathered.items():
        subjects = shortlist([entry.finding.subject.id for entry in entries], _NAMED)
        yield from prose(clean(f"{rule}: {subjects}"), style, "")
        until = f" until {expires}" if expires else ""
        yield from prose(clean(f"{owner or 'a comment in the document'}{until}: {reason}"), style)
    yield ""


def _checked(report: Report, style: Style) -> Iterator[str]:
    moment = f" as of {clean(report.as_of)}" if "T" in report.as_of else ""
    yield from prose(f"Checked {checked(report)}{moment}.", style, "")
    if command := renderings(report):
        yield from prose(clean(command), style, "")
    if left_out := passed_over(report):
        yield from prose(f"{left_out} (.gitignore, exclude, or filled by programs): -f json lists them.", style, "")


def _hints(report: Report, style: Style, presentation: Presentation) -> Iterator[str]:
    """The options that show what was left out."""
    whole = any(finding.fix and finding.fix.diff for finding in report.findings)
    if whole and not presentation.fixes and not presentation.statistics:
        yield from (style.paint(line, FAINT) for line in prose(_FIXES, style, ""))
        yield ""


_FIXES = "Corrected trust policies whole, as commands to paste: --show-fixes"
