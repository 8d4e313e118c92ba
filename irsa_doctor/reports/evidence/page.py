"""A page of evidence: its frame, with a policy that lets it load nothing, and its parts."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from irsa_doctor.answers.audit.evidence import NOT_AN_OPINION, AuditEvidence, ControlEvidence
from irsa_doctor.answers.audit.items import ITEM_RESULTS, EvidenceItem
from irsa_doctor.model.findings import SEVERITIES
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.evidence.picture import legend, population_svg, trend_svg
from irsa_doctor.reports.evidence.wording import (
    RESULT_WORDS,
    acceptance_of,
    counts_line,
    ending_waivers,
    first_run,
    lacking_statement,
    open_now,
    period_words,
    pruned_statement,
    rule_title,
    verdict_sentence,
    worst_severity,
)
from irsa_doctor.reports.html_tables import html_row, html_table

_FOLDER = Path(__file__).parent
ITEM_LIMIT = 2000
"""items of a control on a page"""
_UNSAFE = re.compile(r"[^0-9A-Za-z:., -]")
"""what ends a text in a style, and everything like it"""
_WORSE = 15
"""findings on the first page"""


@cache
def _style() -> str:
    return (_FOLDER.parent / "report.css").read_text(encoding="utf-8") + (_FOLDER / "evidence.css").read_text(encoding="utf-8")


def _printed_margins(run: Mapping[str, Any]) -> str:
    """Returns the style that prints on each sheet of paper which run it is of, its hash, and the number of the sheet."""
    words = {
        "top-left": f"irsa-doctor audit, run {run['id']} as of {run['as_of']}",
        "bottom-left": str(run["hash"]),
    }
    boxes = "".join(f'@{place} {{ content: "{_UNSAFE.sub("", text)}"; }}' for place, text in words.items())
    return f'@media print {{ @page {{ {boxes} @bottom-right {{ content: counter(page) " of " counter(pages); }} }} }}\n'


def digest_of(text: str) -> str:
    """Returns the digest by which a Content-Security-Policy allows a style or a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def framed(title: str, body: Iterable[str], evidence: AuditEvidence, script: str = "") -> Iterator[str]:
    """Returns a whole page, piece by piece; it may use its own style and this script, and load nothing."""
    style = _style() + _printed_margins(evidence.run)
    scripts = f" script-src {digest_of(script)};" if script else ""
    policy = f"default-src 'none'; style-src {digest_of(style)};{scripts} base-uri 'none'; form-action 'none'"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{for_xml(title)}</title>\n<style>{style}</style></head>\n<body>\n"
    )
    for line in body:
        yield f"{line}\n"
    if script:
        yield f"<script>{script}</script>\n"
    yield "</body></html>\n"


def front(evidence: AuditEvidence, links: Mapping[str, str]) -> Iterator[str]:
    """Returns the first page: the verdict in a sentence, four numbers, the trend, what got worse, what is owed."""
    yield '<header class="top">'
    yield '<p class="dim">irsa-doctor audit: AWS roles that workloads assume</p>'
    yield f"<h1>{for_xml(verdict_sentence(evidence))}</h1>"
    about = f" Account {for_xml(evidence.account)} alone." if evidence.account else ""
    organization = f" Organisation {for_xml(evidence.scope.organization)}." if evidence.scope.organization else ""
    yield f"<p>{for_xml(period_words(evidence))}.{organization}{about}</p>"
    yield f'<p class="statement">{NOT_AN_OPINION}</p>'
    yield (
        "<nav><ul>"
        + "".join(f'<li><a href="{for_xml(to)}">{for_xml(word)}</a></li>' for word, to in links.items())
        + "</ul></nav>"
    )
    yield "</header>"
    yield '<ul class="counts">' + "".join(f"<li><b>{n:,}</b>{word}</li>" for word, n in _numbers(evidence)) + "</ul>"
    yield "<h2>Open findings over time</h2>"
    yield trend_svg(evidence)
    yield legend()
    yield from _trend_table(evidence)
    yield from _worse(evidence)
    yield from _owed(evidence)


def _numbers(evidence: AuditEvidence) -> Iterator[tuple[str, int]]:
    controls = [control for framework in evidence.frameworks for control in framework.controls]
    unread = len(evidence.scope.unread_accounts) + len(evidence.scope.unread_clusters)
    waived = sum(
        note.status == "waived" and note.last_seen == evidence.period.last
        for notes in evidence.notes.values()
        for note in notes
    )
    open_findings, failing = len(open_now(evidence)), sum(control.verdict == "fail" for control in controls)
    yield f"open finding{'' if open_findings == 1 else 's'}", open_findings
    yield f"of {len(controls)} controls fail", failing
    yield f"finding{'' if waived == 1 else 's'} waived", waived
    yield "accounts and clusters not read in full", unread


def _trend_table(evidence: AuditEvidence) -> Iterator[str]:
    head = ("run", "as of", *SEVERITIES, "not checked", "new", "fixed", "waived")
    rows = (
        tuple(
            map(
                str, (p.run, p.as_of, *(p.open.get(severity, 0) for severity in SEVERITIES), p.unseen, p.new, p.fixed, p.waived)
            )
        )
        for p in evidence.trend
    )
    yield f"<details><summary>The {counted(len(evidence.trend), 'run')} in numbers</summary>{html_table(head, rows)}</details>"
    for gap in evidence.period.gaps:
        yield f"<p>No run between {for_xml(gap.start)} and {for_xml(gap.end)}.</p>"
    if pruned := pruned_statement(evidence):
        yield f"<p>{pruned}</p>"


def _worse(evidence: AuditEvidence) -> Iterator[str]:
    worse = [event for event in evidence.events if event.change in ("new", "reopened", "expired", "unwaived")]
    yield f"<h2>{_heading_of_worse(evidence)}</h2>"
    if not worse:
        yield "<p>Nothing.</p>"
        return
    worse.sort(key=lambda event: (SEVERITIES.index(event.severity) if event.severity in SEVERITIES else 9, event.run))
    rows = [(e.severity, e.change, rule_title(e.rule), e.subject, _account_words(evidence, e.account)) for e in worse[:_WORSE]]
    yield html_table(("severity", "change", "finding", "subject", "account"), rows)
    if len(worse) > _WORSE:
        yield f"<p>{len(worse) - _WORSE:,} more: irsa-doctor audit changes lists them.</p>"


def _heading_of_worse(evidence: AuditEvidence) -> str:
    if evidence.period.is_asked:
        return "What got worse in this period"
    is_first = len(evidence.trend) == 1 and not evidence.period.pruned
    return "What the first run found" if is_first else "What got worse since the run before"


def _owed(evidence: AuditEvidence) -> Iterator[str]:
    yield "<h2>Waivers that have ended, or end within 30 days</h2>"
    ending = ending_waivers(evidence)
    if not ending:
        yield "<p>None.</p>"
        return
    yield html_table(
        ("until", "owner", "rule", "subject"), [(w["expires"], w["owner"], w["rule"], w["subject"]) for w in ending]
    )


def _account_words(evidence: AuditEvidence, ident: str) -> str:
    name = evidence.account_named(ident).name
    return f"{ident} ({name})" if name else ident


# ---------------------------------------------------------------- controls


def control_anchor(framework: str, control: str) -> str:
    """Returns the name of a control in addresses and file names."""
    return f"{framework}-{''.join(char if char.isalnum() else '-' for char in control.lower())}"


def controls_table(controls: Sequence[ControlEvidence], address: Mapping[str, str]) -> str:
    """Returns the controls with their verdicts and counts; `address` is where each is."""
    head = ("control", "verdict", "items", *(RESULT_WORDS[result] for result in ITEM_RESULTS))
    rows = [
        (
            f'<a href="{address[control.id]}">{for_xml(control.id)}</a> {for_xml(control.title or "")}',
            verdict_badge(control),
            f"{control.population:,}",
            *(f"{control.counts.get(result, 0):,}" for result in ITEM_RESULTS),
        )
        for control in controls
    ]
    lines = "".join(html_row(head, row) for row in rows)
    table = f"<table><thead><tr>{''.join(f'<th>{word}</th>' for word in head)}</tr></thead><tbody>{lines}</tbody></table>"
    return table + verdict_legend()


def verdict_legend() -> str:
    """Returns what the verdicts and the names of items mean."""
    return (
        '<p class="dim">fail: an item failed. unknown: none failed, and an input is missing for some, they could'
        " not be checked, or accounts or clusters that could not be read may have more. waived: what fails is accepted."
        " pass: every item passed. not examined: there is no item. not covered: no"
        " rule bears on the control. An account that no run could read has no items. A grant is a statement of a trust policy:"
        " role/name#0 is the first of this role.</p>"
    )


def verdict_badge(control: ControlEvidence) -> str:
    """Returns the verdict as a coloured word."""
    return f'<span class="verdict {control.verdict.split()[0]}">{control.verdict}</span>'


def control_section(evidence: AuditEvidence, control: ControlEvidence, anchor: str) -> Iterator[str]:
    """Returns a control: bar of its population, rules, sample, and items; failed ones are open."""
    yield f'<section class="control" id="{anchor}">'
    yield f"<h3>{for_xml(control.id)} {for_xml(control.title or '')} {verdict_badge(control)}</h3>"
    if not control.is_covered:
        yield "<p>No rule bears on this control: population 0. It is listed so that nobody takes it for tested.</p></section>"
        return
    yield population_svg(control.counts, f"{control.id}: {counts_line(control)}")
    number = f"{control.population:,} item{'' if control.population == 1 else 's'}"
    yield f"<p>Population: {number}. {counts_line(control).capitalize()}. {lacking_statement(control)}</p>"
    yield from _rules(control)
    if control.sample:
        yield f"<details open><summary>Sample: {counted(len(control.sample), 'item')}</summary>"
        yield _items_table(evidence, control.sample)
        yield "</details>"
    by_result = _listed(control)
    for result in ITEM_RESULTS:
        if items := by_result[result]:
            count = control.counts.get(result, 0)
            shown = "" if count == len(items) else f", {len(items):,} of them here"
            opened = " open" if result == "failed" else ""
            yield f"<details{opened}><summary>{count:,} {RESULT_WORDS[result]}{shown}</summary>"
            yield _items_table(evidence, items)
            yield "</details>"
    if control.population > ITEM_LIMIT:
        yield f"<p>A page lists {ITEM_LIMIT:,} items of a control, the worst first. The CSV report has all.</p>"
    yield "</section>"


def _listed(control: ControlEvidence) -> Mapping[str, list[EvidenceItem]]:
    """The items by result, at most as many as a page has, the worst first."""
    room, limits = ITEM_LIMIT, {}
    for result in ITEM_RESULTS:
        limits[result] = min(room, control.counts.get(result, 0))
        room -= limits[result]
    listed: dict[str, list[EvidenceItem]] = {result: [] for result in ITEM_RESULTS}
    missing = sum(limits.values())
    for item in control.items() if missing else ():
        if len(listed[item.result]) < limits[item.result]:
            listed[item.result].append(item)
            missing -= 1
            if not missing:
                break
    return listed


def _rules(control: ControlEvidence) -> Iterator[str]:
    yield f"<details><summary>{counted(len(control.rules), 'rule')}</summary>"
    rows = ((relation.relation, relation.rule, rule_title(relation.rule)) for relation in control.rules)
    yield html_table(("relation", "rule", "title"), rows)
    yield "</details>"


def _items_table(evidence: AuditEvidence, items: Iterable[EvidenceItem]) -> str:
    several = evidence.period.is_asked
    head = ("subject", "account", "why", "severity", "since run", *(("failed in runs",) if several else ()))
    rows = (
        (
            f"{item.kind} {item.subject}",
            _account_words(evidence, item.account) or "-",
            _why(item),
            worst_severity(item) or "-",
            str(first_run(item) or "-"),
            *((", ".join(map(str, item.failed_in)) or "-",) if several else ()),
        )
        for item in items
    )
    return html_table(head, rows)


def _why(item: EvidenceItem) -> str:
    accepted = acceptance_of(item) if item.result == "waived" else None
    if accepted:
        by = f", accepted by {accepted.accepted_by}" if accepted.accepted_by else ""
        return f"{rule_title(accepted.rule)}. Waived until {accepted.expires} by {accepted.owner}{by}: {accepted.reason}"
    if item.result == "passed":
        return f"{counted(len(item.rules), 'rule')} passed"
    if item.result == "not-tested":
        return "Its account or cluster could not be read"
    return "; ".join(rule_title(rule) for rule in item.rules)
