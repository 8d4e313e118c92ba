"""The report as one self-contained HTML page: no script, no request, printable."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from irsa_doctor.model.findings import SEVERITIES, Finding, Location, Report
from irsa_doctor.reports.addresses import page_address
from irsa_doctor.reports.changes import dedented
from irsa_doctor.reports.counting import by_severity, checked, counted, passed_over
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.fixes import change_title, pasted
from irsa_doctor.reports.html_tables import html_row, html_table
from irsa_doctor.reports.layout import accounts_line, accounts_title
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.quoting import has_neighbours, only_member
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook.frameworks import FrameworkReport
from irsa_doctor.rulebook.rules import shipped_rules

_STYLE = Path(__file__).parent / "report.css"

_LONG = 120
"""characters of a line above which only the member with the mark is shown"""
_CODE = re.compile(r"`([^`]+)`")

# the steps of a credential, and the families of rules that check each step
_STEPS: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("Pod", "workload", ("workload",)),
    ("Service account", "names the role", ("service-account",)),
    ("Cluster", "webhook, token", ("cluster",)),
    ("OIDC provider", "in the account", ("provider",)),
    ("Trust policy", "of the role", ("trust", "role")),
    ("Role", "open to others", ("open",)),
)


def render_html(
    report: Report, style: Style, framework: FrameworkReport | None = None, presentation: Presentation = PLAIN
) -> str:
    """Returns the page: totals, findings by step and by subject, missing inputs, waivers, documents and rules.

    With a framework, its controls.
    """
    body = [
        *_head(report, presentation),
        *_steps(report),
        *_findings(report, framework),
        *_unknown(report),
        *_waived(report),
        *(_controls(report, framework) if framework else ()),
        *_inputs(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>irsa-doctor: {by_severity(report)}</title>\n"
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _head(report: Report, presentation: Presentation) -> Iterator[str]:
    yield f"<h1>{by_severity(report).capitalize()}</h1>"
    yield from _incomplete(report)
    day = f"On {for_xml(presentation.date)}, " if presentation.date else ""
    yield (
        f'<p class="dim">{day}irsa-doctor {for_xml(report.version)} checked {checked(report)}, with the rules '
        f"<code>{for_xml(report.rules_digest[:19])}</code>, for AWS roles that Kubernetes service accounts cannot assume "
        "and for roles that too many of them can assume.</p>"
    )
    if presentation.command:
        yield f"<pre>{for_xml(presentation.command)}</pre>"
    if left_out := passed_over(report):
        yield f'<p class="dim"><a href="#documents">{left_out}</a> (.gitignore, exclude, or filled by programs).</p>'
    totals = [
        *((severity, sum(f.severity == severity for f in report.findings)) for severity in SEVERITIES),
        (f"input{'' if len(report.unknown) == 1 else 's'} missing", len(report.unknown)),
        ("waived", len(report.waived)),
        ("in the baseline", report.baselined),
        ("hidden", report.hidden),
    ]
    items = "".join(f"<li><b>{number}</b>{word}</li>" for word, number in totals if number or word in SEVERITIES)
    yield f'<ul class="counts">{items}</ul>'


def _incomplete(report: Report) -> Iterator[str]:
    """What was not checked, and where the page lists it."""
    unread = len({row.path for row in report.documents if row.status == "unreadable"})
    gaps = [
        f'<a href="#unknown">{counted(len(report.unknown), "input")} missing</a>' if report.unknown else "",
        f'<a href="#documents">{counted(unread, "document")} unreadable</a>' if unread else "",
    ]
    if text := " and ".join(gap for gap in gaps if gap):
        yield f'<p class="open"><b>Incomplete:</b> {text}.</p>'


def _steps(report: Report) -> Iterator[str]:
    families = {rule.id: rule.family for rule in shipped_rules()}
    yield "<h2>From pod to role</h2>"
    yield '<ol class="steps">'
    for name, what, checking in _STEPS:
        state, text = _state(report, {rule for rule, family in families.items() if family in checking})
        yield f'<li class="{state}"><b>{name}</b> {what}<span>{text}</span></li>'
    yield "</ol>"


def _state(report: Report, rules: Collection[str]) -> tuple[str, str]:
    """What the rules of a step found; a step that nothing was examined for is not a good one."""
    count = sum(finding.rule in rules for finding in report.findings)
    tallies = [tally for tally in report.tallies if tally.id in rules]
    unknown = sum(tally.unknown for tally in tallies)
    if count:
        return "bad", counted(count, "finding")
    if not any(tally.passed or tally.failed for tally in tallies):
        return "open", "unknown: inputs missing" if unknown else "not examined"
    return ("open", "no findings, inputs missing") if unknown else ("good", "no findings")


def _findings(report: Report, framework: FrameworkReport | None) -> Iterator[str]:
    """The findings in their order; the first of a rule names its page."""
    yield "<h2>Findings by subject</h2>"
    if not report.findings:
        yield "<p>No findings.</p>"
    explained: set[str] = set()
    for group, findings in groupby(report.findings, key=lambda finding: finding.group):
        yield f"<h3><code>{for_xml(group)}</code></h3>"
        for finding in findings:
            yield from _finding(finding)
            yield from _notes(finding, framework, explained)
            yield "</article>"


def _finding(finding: Finding) -> Iterator[str]:
    yield f'<article class="{finding.severity}" id="f-{for_xml(finding.fingerprint)}"><header>'
    yield f'<span class="word">{finding.severity}</span><b>{for_xml(finding.title)}</b>'
    yield f"<code>{for_xml(finding.rule)}</code></header>"
    yield f"<p>{_prose(finding.message)}</p>"
    for place in finding.locations:
        yield _place(place)
    if (accounts := finding.role_accounts.accounts).count:
        title = accounts_title(accounts).capitalize()
        yield f"<p>{title}: {for_xml(accounts_line(accounts, len(accounts.ids)))}</p>"
    yield f"<p><b>Fix.</b> {_prose(finding.remedy)}</p>"
    if finding.fix and finding.fix.diff:
        title, lines = for_xml(change_title(finding.fix)), dedented(finding.fix.diff.splitlines())
        changed = "\n".join(map(_changed, lines))
        yield f"<p>{title[:1].upper()}{title[1:]}:</p><pre>{changed}</pre>"
    for snippet in pasted(finding.fix):
        text = "\n".join(for_xml(line) for line in snippet.text.splitlines())
        yield f"<details><summary>{for_xml(snippet.title)}</summary><pre>{text}</pre></details>"


def _notes(finding: Finding, framework: FrameworkReport | None, explained: set[str]) -> Iterator[str]:
    """The controls of the framework, and the page of a rule that no finding has named yet."""
    controls = finding.controls.get(framework.id, ()) if framework else ()
    if controls:
        yield f'<p class="dim">Controls: {for_xml(", ".join(controls))}.</p>'
    if finding.rule not in explained:
        explained.add(finding.rule)
        page = for_xml(page_address(finding.rule))
        link = f' or <a href="{page}" rel="noreferrer">its page</a>' if page else ""
        yield f'<p class="dim">More: <code>irsa-doctor explain {for_xml(finding.rule)}</code>{link}</p>'


def _changed(line: str) -> str:
    tag = {"+": "ins", "-": "del"}.get(line[:1], "")
    return f"<{tag}>{for_xml(line)}</{tag}>" if tag else for_xml(line)


def _prose(text: str) -> str:
    """Text of a rule; backticks mark code."""
    return _CODE.sub(r"<code>\1</code>", for_xml(text.strip()))


def _place(place: Location) -> str:
    where = f"{from_here(place.file)}:{place.line}:{place.column}" if place.line else from_here(place.file)
    sentence = f' <span class="dim">{for_xml(place.says)}</span>' if place.says else ""
    line = ""
    if place.source:
        start = min(max(place.offset, 0), len(place.source))
        length = place.end_column - place.column if place.end_line == place.line else len(place.source) - start
        end = min(start + max(length, 1), len(place.source))
        before, after = place.source[:start].lstrip(), place.source[end:].rstrip()
        if len(place.source) > _LONG or start < place.column - 1 or has_neighbours(place.source):
            before, after = only_member(before, after, "\u2026")
        parts = [for_xml(text) for text in (before[-_LONG:], place.source[start:end], after[:_LONG])]
        line = f"<pre>{parts[0]}<mark>{parts[1]}</mark>{parts[2]}</pre>"
    return f"<p><code>{for_xml(where)}</code>{sentence}</p>{line}"


def _unknown(report: Report) -> Iterator[str]:
    if not report.unknown:
        return
    yield '<h2 id="unknown">Not checked: inputs missing</h2>'
    rows = ((m.missing, f"{m.subjects}", ", ".join(m.rules) or "-", m.how, m.addition or "-") for m in report.unknown)
    yield html_table(("missing input", "subjects", "rules", "to get it", "then run check with"), rows)


def _waived(report: Report) -> Iterator[str]:
    if not report.waived:
        return
    yield "<h2>Waived</h2>"
    rows = ((w.finding.rule, w.finding.subject.id, w.owner, w.reason, w.expires or "-") for w in report.waived)
    yield html_table(("rule", "subject", "owner", "reason", "until"), rows)


def _controls(report: Report, evidence: FrameworkReport) -> Iterator[str]:
    yield f"<h2>Controls of {for_xml(evidence.title)} ({for_xml(evidence.version)})</h2>"
    yield f"<p>{_by_verdict(evidence)}</p>"
    yield '<p class="dim">Evidence from technical rules; an auditor decides whether a control is met.</p>'
    shown = {finding.fingerprint for finding in report.findings}
    head = ("control", "verdict", "rules", "findings")
    yield "<table><thead><tr>" + "".join(f"<th>{word}</th>" for word in head) + "</tr></thead><tbody>"
    for control in evidence.controls:
        marks = [
            f'<a href="#f-{for_xml(mark)}">{number}</a>' for number, mark in enumerate(control.findings, 1) if mark in shown
        ]
        supports = sum(bearing.relation == "supports" for bearing in control.rules)
        cells = (
            f"{for_xml(control.id)} {for_xml(control.title or '')}",
            f'<span class="{control.verdict.split()[0]}">{control.verdict}</span>',
            f"{supports} support, {len(control.rules) - supports} related",
            " ".join(marks) or "-",
        )
        yield html_row(head, cells)
    yield "</tbody></table>"


def _by_verdict(evidence: FrameworkReport) -> str:
    verdicts = [control.verdict for control in evidence.controls]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))


def _inputs(report: Report) -> Iterator[str]:
    yield f'<h2 id="documents">What was checked</h2><details><summary>{counted(len(report.documents), "document")}</summary>'
    rows = ((from_here(d.path), d.kind or "-", d.status, d.why or "-", (d.sha256 or "-")[:16]) for d in report.documents)
    yield html_table(("document", "kind", "status", "reason", "SHA-256"), rows)
    yield "</details>"
    tallies = ((t.id, *map(str, (t.evaluated, t.passed, t.failed, t.unknown, t.waived))) for t in report.tallies)
    yield f"<details><summary>{counted(len(report.tallies), 'rule')}</summary>"
    yield html_table(("rule", "evaluated", "passed", "failed", "unknown", "waived"), tallies)
    yield "</details>"
