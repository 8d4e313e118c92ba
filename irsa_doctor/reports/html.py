"""The report as one self-contained HTML page: no script, no request, printable."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from irsa_doctor.model.findings import SEVERITIES, Finding, Location, Report
from irsa_doctor.reports.counting import by_severity, checked, counted
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.fixes import pasted
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.presentation import PLAIN, Presentation
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook.frameworks import FrameworkReport, by_control, frameworks
from irsa_doctor.rulebook.rules import Rule, shipped_rules

_STYLE = Path(__file__).parent / "report.css"

_AROUND = 120
"""characters of a line that are shown on each side of the marked part"""
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
        *_head(report),
        *_steps(report),
        *_findings(report),
        *_unknown(report),
        *_waived(report),
        *_controls(report),
        *_inputs(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>irsa-doctor: {by_severity(report)}</title>\n"
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _head(report: Report) -> Iterator[str]:
    yield f"<h1>{by_severity(report).capitalize()}</h1>"
    yield from _incomplete(report)
    yield (
        f'<p class="dim">irsa-doctor {for_xml(report.version)} checked {checked(report)}, with the rules '
        f"<code>{for_xml(report.rules_digest[:19])}</code>, for AWS roles that Kubernetes service accounts cannot assume "
        "and for roles that too many of them can assume.</p>"
    )
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
    numbers = [sum(families.get(f.rule) in checking for f in report.findings) for _, _, checking in _STEPS]
    yield "<h2>From pod to role</h2>"
    yield '<div class="wide"><svg viewBox="0 0 960 110" role="img" aria-label="Findings at each step from pod to role">'
    for number, ((name, what, _), count) in enumerate(zip(_STEPS, numbers, strict=True)):
        x = number * 160 + 5
        total = counted(count, "finding") if count else "no findings"
        yield f'<g class="{"bad" if count else "good"}"><rect x="{x}" y="15" width="134" height="80" rx="8"/>'
        yield f'<text x="{x + 10}" y="40" font-weight="700">{name}</text><text x="{x + 10}" y="60">{what}</text>'
        yield f'<text x="{x + 10}" y="82">{total}</text></g>'
        if number:
            yield f'<path d="M{x - 24} 55 h20 m-6 -5 l6 5 l-6 5"/>'
    yield "</svg></div>"


def _findings(report: Report) -> Iterator[str]:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.group, []).append(finding)
    yield "<h2>Findings by subject</h2>"
    if not groups:
        yield "<p>No findings.</p>"
    for group, findings in groups.items():
        yield f"<h3><code>{for_xml(group)}</code></h3>"
        for finding in findings:
            yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[str]:
    yield f'<article class="{finding.severity}" id="f-{for_xml(finding.fingerprint)}"><header>'
    yield f'<span class="word">{finding.severity}</span><b>{for_xml(finding.title)}</b>'
    yield f"<code>{for_xml(finding.rule)}</code></header>"
    yield f"<p>{_prose(finding.message)}</p>"
    for place in finding.locations:
        yield _place(place)
    yield f"<p><b>Fix.</b> {_prose(finding.remedy)}</p>"
    for snippet in pasted(finding.fix):
        text = "\n".join(for_xml(line) for line in snippet.text.splitlines())
        yield f"<details><summary>{for_xml(snippet.title)}</summary><pre>{text}</pre></details>"
    if finding.controls:
        ids = "; ".join(f"{name} {', '.join(listed)}" for name, listed in finding.controls.items())
        yield f'<p class="dim">Controls: {for_xml(ids)}.</p>'
    yield "</article>"


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
        before = place.source[:start].lstrip()[-_AROUND:]
        marked = f"{for_xml(before)}<mark>{for_xml(place.source[start:end])}</mark>{for_xml(place.source[end:][:_AROUND])}"
        line = f"<pre>{marked}</pre>"
    return f"<p><code>{for_xml(where)}</code>{sentence}</p>{line}"


def _unknown(report: Report) -> Iterator[str]:
    if not report.unknown:
        return
    yield '<h2 id="unknown">Not checked: inputs missing</h2>'
    rows = ((m.missing, f"{m.subjects}", ", ".join(m.rules), m.way) for m in report.unknown)
    yield _table(("missing input", "subjects", "rules", "to get it"), rows)


def _waived(report: Report) -> Iterator[str]:
    if not report.waived:
        return
    yield "<h2>Waived</h2>"
    rows = ((w.finding.rule, w.finding.subject.id, w.owner, w.reason, w.expires or "-") for w in report.waived)
    yield _table(("rule", "subject", "owner", "reason", "until"), rows)


def _controls(report: Report) -> Iterator[str]:
    rules: Sequence[Rule] = shipped_rules()
    yield "<h2>By control</h2>"
    yield '<p class="dim">Evidence from technical rules; an auditor decides whether a control is met.</p>'
    for name in frameworks():
        evidence = by_control(name, report, rules)
        yield f"<details><summary>{for_xml(evidence.title)} ({for_xml(evidence.version)}): {_by_verdict(evidence)}</summary>"
        yield "<table><tr><th>control</th><th>verdict</th><th>rules</th><th>findings</th></tr>"
        for control in evidence.controls:
            marks = " ".join(f'<a href="#f-{for_xml(mark)}">{number}</a>' for number, mark in enumerate(control.findings, 1))
            supports = sum(bearing.relation == "supports" for bearing in control.rules)
            yield (
                f"<tr><td>{for_xml(control.id)} {for_xml(control.title or '')}</td>"
                f'<td class="{control.verdict.split()[0]}">{control.verdict}</td>'
                f"<td>{supports} support, {len(control.rules) - supports} related</td><td>{marks or '-'}</td></tr>"
            )
        yield "</table></details>"


def _by_verdict(evidence: FrameworkReport) -> str:
    verdicts = [control.verdict for control in evidence.controls]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))


def _inputs(report: Report) -> Iterator[str]:
    yield f'<h2 id="documents">What was checked</h2><details><summary>{counted(len(report.documents), "document")}</summary>'
    rows = ((from_here(d.path), d.kind or "-", d.status, d.why or "-", (d.sha256 or "-")[:16]) for d in report.documents)
    yield _table(("document", "kind", "status", "reason", "SHA-256"), rows)
    yield "</details>"
    tallies = ((t.id, *map(str, (t.evaluated, t.passed, t.failed, t.unknown, t.waived))) for t in report.tallies)
    yield f"<details><summary>{counted(len(report.tallies), 'rule')}</summary>"
    yield _table(("rule", "evaluated", "passed", "failed", "unknown", "waived"), tallies)
    yield "</details>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["<table><tr>", *(f"<th>{word}</th>" for word in head), "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{for_xml(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "".join([*lines, "</table>"])
