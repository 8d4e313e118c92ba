"""Evidence as a folder of static pages: an index, one page a control, an account and a run; links are relative."""

import json
from collections.abc import Iterator
from pathlib import Path

from irsa_doctor.answers.audit.evidence import AuditEvidence, ControlEvidence, FrameworkEvidence
from irsa_doctor.model import parse_arn
from irsa_doctor.model.findings import SEVERITIES
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.evidence.csv import csv_pieces
from irsa_doctor.reports.evidence.overview import after_controls, framework_head, page_title
from irsa_doctor.reports.evidence.page import control_anchor, control_section, framed, front
from irsa_doctor.reports.evidence.wording import rule_title
from irsa_doctor.reports.html_tables import html_table

_MOST_FOUND = 5000
"""open findings in the index that the search looks through"""
_HOME = '<nav><ul><li><a href="../index.html">Overview</a></li></ul></nav>'
_SEARCH = Path(__file__).parent / "search.js"


def site_pages(evidence: AuditEvidence) -> Iterator[tuple[str, Iterator[str]]]:
    """Returns the pages with their paths; all items are in items.csv."""
    yield "index.html", framed(page_title(evidence), _index(evidence), evidence, _SEARCH.read_text(encoding="utf-8"))
    for framework in evidence.frameworks:
        for control in framework.controls:
            name = control_anchor(framework.id, control.id)
            title = f"{control.id}, {framework.title}"
            yield f"controls/{name}.html", framed(title, _control(evidence, framework, control), evidence)
    for account in _accounts(evidence):
        yield f"accounts/{account}.html", framed(f"Account {account}", _account(evidence, account), evidence)
    for point in evidence.trend:
        yield f"runs/{point.run}.html", framed(f"Run {point.run}", _run(evidence, point.run), evidence)
    yield "items.csv", csv_pieces(evidence)


def _accounts(evidence: AuditEvidence) -> list[str]:
    """The accounts by id; only ids name files, for names are anything that Unicode has."""
    return [a.id for a in evidence.scope.accounts if a.id.isascii() and a.id.isdigit() and evidence.account in ("", a.id)]


def _index(evidence: AuditEvidence) -> Iterator[str]:
    links = {"Controls": "#controls", "Accounts": "#accounts", "Runs": "#runs", "Waivers": "#waivers"}
    links |= {"What was not checked": "#scope", "Method and hashes": "#method", "All items (CSV)": "items.csv"}
    yield from front(evidence, links)
    yield '<div id="search-part" hidden><h2>Search</h2><label>Account, role, service account or rule: '
    yield '<input id="search" type="search"></label><ul id="results"></ul></div>'
    yield f'<script type="application/json" id="search-index">{_search_index(evidence)}</script>'
    yield '<h2 id="controls">Controls</h2>'
    for framework in evidence.frameworks:
        addresses = {c.id: f"controls/{control_anchor(framework.id, c.id)}.html" for c in framework.controls}
        yield from framework_head(framework, addresses)
    accounts = {account: f"accounts/{account}.html" for account in _accounts(evidence)}
    yield from after_controls(evidence, accounts, _run_links(evidence))


def _run_links(evidence: AuditEvidence) -> Iterator[str]:
    yield '<h2 id="runs">Runs</h2><ul>'
    yield from (f'<li><a href="runs/{p.run}.html">Run {p.run}</a> as of {for_xml(p.as_of)}</li>' for p in evidence.trend)
    yield "</ul>"


def _search_index(evidence: AuditEvidence) -> str:
    """The rows of the search, as JSON that no text in it can end: `<` is written as a number."""
    rows = [
        [f"{c.id} {c.title or ''} ({f.title})", f"controls/{control_anchor(f.id, c.id)}.html"]
        for f in evidence.frameworks
        for c in f.controls
    ]
    known = set(_accounts(evidence))
    rows += [[f"account {a.id} {a.name}", f"accounts/{a.id}.html"] for a in evidence.scope.accounts if a.id in known]
    for subject, severity, rule in _open_findings(evidence)[:_MOST_FOUND]:
        arn = parse_arn(subject.partition("#")[0])
        page = f"accounts/{arn.account}.html" if arn and arn.account in known else "index.html#controls"
        rows.append([f"{severity} {rule_title(rule)}: {subject}", page])
    return json.dumps(rows).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _open_findings(evidence: AuditEvidence, account: str = "") -> list[tuple[str, str, str]]:
    """The open findings of the last run: subject, severity, rule; the worst first."""
    last, listed = evidence.period.last, []
    for (_, subject), notes in evidence.notes.items():
        arn = parse_arn(subject.partition("#")[0]) if account else None
        if not account or (arn and arn.account == account):
            listed += [(subject, n.severity, n.rule) for n in notes if n.status == "open" and n.last_seen == last]
    return sorted(listed, key=lambda row: (SEVERITIES.index(row[1]) if row[1] in SEVERITIES else 9, row[0], row[2]))


def _control(evidence: AuditEvidence, framework: FrameworkEvidence, control: ControlEvidence) -> Iterator[str]:
    yield _HOME
    yield f"<h1>{for_xml(control.id)} of {for_xml(framework.title)}</h1>"
    yield from control_section(evidence, control, control_anchor(framework.id, control.id))


def _account(evidence: AuditEvidence, ident: str) -> Iterator[str]:
    account = evidence.account_named(ident)
    yield _HOME
    yield f"<h1>Account {for_xml(ident)} {for_xml(account.name)}</h1>"
    unit, why = for_xml("/".join(account.units) or "unknown"), for_xml(account.why)
    state = "in full" if account.state == "read" else for_xml(account.state)
    yield f"<p>Unit: {unit}. Read: {state}. {why}</p>"
    rows = [(severity, rule_title(rule), subject) for subject, severity, rule in _open_findings(evidence, ident)]
    yield "<h2>Open findings</h2>"
    yield html_table(("severity", "finding", "subject"), rows) if rows else "<p>None.</p>"


def _run(evidence: AuditEvidence, run: int) -> Iterator[str]:
    point = next(point for point in evidence.trend if point.run == run)
    yield _HOME
    yield f"<h1>Run {run}</h1>"
    counts = ", ".join(f"{point.open[severity]} {severity}" for severity in SEVERITIES if point.open.get(severity)) or "none"
    yield f"<p>As of {for_xml(point.as_of)}. Open: {counts}. Out of sight: {point.unseen}. Waived: {point.waived}.</p>"
    yield "<h2>What changed in it</h2>"
    rows = [(e.severity, e.change, rule_title(e.rule), e.subject) for e in evidence.events if e.run == run]
    if rows:
        yield html_table(("severity", "change", "finding", "subject"), rows)
    else:
        yield "<p>Nothing, or it is before the period of this report: irsa-doctor audit changes lists all changes.</p>"
