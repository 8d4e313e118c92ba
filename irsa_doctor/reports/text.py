"""The report as text for a terminal: findings by subject, the worst first; then missing inputs; then the verdict."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from irsa_doctor.model import parse_arn
from irsa_doctor.model.findings import SEVERITIES, Finding, Missing, Report, Waived
from irsa_doctor.reports.counting import checked, counted, passed_over
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, without_end, wrapped
from irsa_doctor.reports.fixes import pasted
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.quoting import pointed, quoted, sentence_of
from irsa_doctor.reports.style import Style

COLOURS: Mapping[str, str] = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "unknown": "35"}
_STRONG, _FAINT, _GOOD, _OPEN = "1", "2", "32", "1;35"
_INDENT = "  "
_PASTED = "    "
_MANY = 20
"""findings above which they are also counted by rule"""
_TITLE = 30
"""columns below which a title is left out"""
_SCREEN = 50
"""lines above which the verdict is also the first line"""
_NAMED, _LISTED = 6, 20
"""names that a sentence and a list show; the others are counted"""
_COMMANDS = ("aws ", "kubectl ", "irsa-doctor ")


def render_text(report: Report, style: Style) -> str:
    """Returns the whole report; its last lines count what was checked and what was reported."""
    verdict = list(_verdict(report, style))
    body = [
        *_findings(report, style),
        *_unreadable(report, style),
        *_unknown(report, style),
        *_waived(report, style),
        *_by_rule(report, style),
    ]
    head = [*verdict, ""] if len(body) > _SCREEN else []
    return "\n".join([*head, *body, *_checked(report, style), *verdict]) + "\n"


def _clean(text: str) -> str:
    return on_one_line(text, for_terminal)


def _prose(text: str, style: Style, indent: str = _INDENT, label: str = "", colour: str = "") -> Iterator[str]:
    """Escaped text in the width of the terminal, indented behind a short label."""
    if columns(label) > style.width // 3:
        text, label = f"{label} {text}", ""
    hang = columns(label) + 1 if label else 0
    first, *more = wrapped(text, style.width - len(indent) - hang) or [""]
    if label or first:
        yield f"{indent}{style.paint(label, colour)}{' ' if label else ''}{first}".rstrip()
    yield from (f"{indent}{' ' * hang}{line}" for line in more)


def _header(title: str, style: Style, colour: str = _STRONG) -> Iterator[str]:
    """A title, followed by a line to the edge of the terminal."""
    first, *more = wrapped(title, style.width - 3) or [""]
    rest = 0 if more else style.width - columns(first) - 4
    line = " " + style.paint(style.dash * rest, _FAINT) if rest > 0 else ""
    yield f"{style.paint(style.dash * 2, _FAINT)} {style.paint(first, colour)}{line}"
    yield from (f"   {style.paint(line, colour)}" for line in more)


def _pasted(text: str) -> Iterator[str]:
    """Text to copy: indented by spaces, no line broken."""
    yield from (_PASTED + for_terminal(line) for line in text.splitlines())


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


# findings


def _findings(report: Report, style: Style) -> Iterator[str]:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.group or finding.subject.id, []).append(finding)
    for group, findings in groups.items():
        yield from _header(_title(group, findings[0].subject.kind), style)
        shown: set[str] = set()
        for finding in findings:
            yield ""
            yield from _finding(finding, group, shown, style)
        yield ""


_KINDS = {"oidc-provider": "OIDC provider", "role": "role", "cluster": "cluster"}
_WORDS = {"waiver": "waivers in", "binding": "service account", "service-account": "service account"}


def _title(group: str, kind: str) -> str:
    """The subject in words: the name of a role before its account, a service account before its cluster."""
    arn = parse_arn(group)
    if arn and arn.kind in _KINDS and arn.name:
        return for_terminal(f"{_KINDS[arn.kind]} {arn.name} in account {arn.account or 'unknown'}")
    cluster, *name = group.rsplit("/", 2)
    if kind in ("binding", "service-account", "workload") and len(name) == 2:
        home = "an unknown cluster" if cluster == "unknown-cluster" else f"cluster {cluster}"
        return for_terminal(f"service account {'/'.join(name)} in {home}")
    document, colon, address = group.rpartition(": ")
    if kind in ("grant", "role") and colon:
        return for_terminal(f"role {address} in {from_here(document)}")
    return for_terminal(f"{_WORDS.get(kind, kind)} {group}")


def _finding(finding: Finding, group: str, shown: set[str], style: Style) -> Iterator[str]:
    """One finding; `shown` are the remedies and snippets above it in its group."""
    yield _headline(finding, style)
    yield from _prose(_message(finding, group), style)
    yield from _places(finding, style)
    if remedy := _clean(finding.remedy):
        yield from _prose("as above" if remedy in shown else remedy, style, _INDENT, "fix:", _GOOD)
        shown.add(remedy)
    for snippet in pasted(finding.fix):
        title = f"{_clean(snippet.title)}:"
        if snippet.text in shown:
            yield from _prose("as above", style, _INDENT, title, _GOOD)
            continue
        yield ""
        yield from (style.paint(line, _GOOD) for line in _prose(title, style))
        yield from _pasted(snippet.text)
        shown.add(snippet.text)


def _headline(finding: Finding, style: Style) -> str:
    rule = without_end(for_terminal(finding.rule), style.width - 10, style.ellipsis)
    line = f"{style.paint(finding.severity, COLOURS[finding.severity])}  {style.link(style.paint(rule, _STRONG), finding.url)}"
    note = f"  ({finding.confidence} confidence)"
    if finding.confidence == "high" or len(finding.severity) + 2 + columns(rule) + len(note) > style.width:
        return line
    return line + style.paint(note, _FAINT)


def _message(finding: Finding, group: str) -> str:
    """The message, without the path of the file that the header names."""
    message = finding.message
    if finding.subject.kind in ("policy", "document") and len(group) > len("this policy"):
        message = message.removeprefix(f"{group}: ")
        for name in (f"The trust policy of {group}", f"the trust policy of {group}", group):
            message = message.replace(name, f"this {finding.subject.kind}")
        message = message[:1].upper() + message[1:]
    return _clean(message)


def _places(finding: Finding, style: Style) -> Iterator[str]:
    """The first place with its line, the others as one line each."""
    seen: set[tuple[str, int, int]] = set()
    for location in finding.locations:
        spot = (location.file, location.line, location.column)
        if spot in seen:
            continue
        # the message of an unreadable document already has the sentence
        says = "" if location.says in finding.message else sentence_of(location)
        yield from (pointed if seen else quoted)(location, style, _INDENT, says)
        seen.add(spot)


def _by_rule(report: Report, style: Style) -> Iterator[str]:
    """The number of findings of each rule, where there are many."""
    if len(report.findings) <= _MANY:
        return
    numbers = Counter((SEVERITIES.index(finding.severity), finding.rule) for finding in report.findings)
    titles = {finding.rule: finding.title for finding in report.findings}
    wide = max(len(str(number)) for number in numbers.values())
    longest = max(columns(for_terminal(rule)) for rule in titles)
    room = style.width - wide - longest - 16
    yield from _header("By rule", style)
    yield ""
    for (severity, rule), number in sorted(numbers.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        word, shown = SEVERITIES[severity], for_terminal(rule)
        if room >= _TITLE:
            shown += " " * (longest - columns(shown) + 2) + without_end(_clean(titles[rule]), room, style.ellipsis)
        shown = without_end(shown, style.width - wide - 14, style.ellipsis)
        yield f"{_INDENT}{number:>{wide}}  {style.paint(f'{word:<8}', COLOURS[word])}  {shown}"
    yield ""


# what was not checked, and what was set aside


def _unreadable(report: Report, style: Style) -> Iterator[str]:
    """Unreadable documents without a finding of their own."""
    named = {location.file for finding in report.findings for location in finding.locations}
    bad = [row for row in report.documents if row.status == "unreadable" and row.path not in named]
    if bad:
        yield from _header(f"Not readable: {counted(len(bad), 'document')}", style, _OPEN)
        for row in bad:
            yield from _prose(f"{for_terminal(row.path)}: {_clean(row.why or 'unknown reason')}", style)
        yield ""


def _unknown(report: Report, style: Style) -> Iterator[str]:
    """Missing inputs and the commands that fetch them; inputs of one kind for the same rules are grouped."""
    if not report.unknown:
        return
    yield from _header(f"Not checked: {counted(len(report.unknown), 'input')} missing", style, _OPEN)
    gathered: dict[tuple[str, tuple[str, ...]], list[Missing]] = {}
    for missing in report.unknown:
        gathered.setdefault((missing.missing.rpartition(" ")[0], missing.rules), []).append(missing)
    for (what, rules), several in gathered.items():
        yield ""
        names = [missing.missing.rpartition(" ")[2] for missing in several]
        yield from _prose(_clean(f"{what} {_listed(names, _LISTED)}"), style, "", "missing ", COLOURS["unknown"])
        subjects = sum(missing.subjects for missing in several)
        if rules:
            yield from _prose(_clean(f"needed by {_listed(rules, _NAMED)} for {counted(subjects, 'subject')}"), style)
        yield from _to_get([missing for missing in several if missing.how], style)
    yield ""


def _to_get(ways: Iterable[Missing], style: Style) -> Iterator[str]:
    """The commands that fetch an input and the flags that `check` then needs, or what else to do."""
    commands, flags, others = dict[str, None](), dict[str, None](), dict[str, None]()
    for way in ways:
        (commands if way.how.startswith(_COMMANDS) else others)[way.how] = None
        if way.then:
            flags[way.then] = None
    if commands:
        yield f"{_INDENT}{style.paint('to get it:', _GOOD)}"
        for command in list(commands)[:_LISTED]:
            yield from _pasted(command)
        if len(commands) > _LISTED:
            yield from _prose(f"and {len(commands) - _LISTED} more of this form, all of them in -f json", style)
    if flags:
        yield from _prose(for_terminal(f"then run check with {' '.join(flags)}"), style)
    for other in others:
        yield from _prose(_clean(other), style, _INDENT, "to get it:", _GOOD)


def _waived(report: Report, style: Style) -> Iterator[str]:
    """Waived findings: the owner, the end and the reason of each waiver."""
    if not report.waived:
        return
    gathered: dict[tuple[str, str, str, str], list[Waived]] = {}
    for entry in report.waived:
        gathered.setdefault((entry.finding.rule, entry.owner, entry.expires, entry.reason), []).append(entry)
    yield from _header(f"Waived: {counted(len(report.waived), 'finding')}", style)
    yield ""
    for (rule, owner, expires, reason), entries in gathered.items():
        subjects = _listed([entry.finding.subject.id for entry in entries], _NAMED)
        yield from _prose(_clean(f"{rule}: {subjects}"), style, "")
        until = f" until {expires}" if expires else ""
        yield from _prose(_clean(f"{owner or 'a comment in the document'}{until}: {reason}"), style)
    yield ""


# the verdict


def _checked(report: Report, style: Style) -> Iterator[str]:
    yield from _prose(f"Checked {checked(report)}.", style, "")
    if left_out := passed_over(report):
        yield from _prose(f"{left_out} (.gitignore, exclude, or filled by programs): -f json lists them.", style, "")


def _verdict(report: Report, style: Style) -> Iterator[str]:
    """One sentence for the findings and one for what is missing; a run with something missing is never green."""
    numbers = [(sum(f.severity == severity for f in report.findings), severity) for severity in SEVERITIES]
    findings = ", ".join(f"{number} {severity}" for number, severity in numbers if number)
    gaps = _missing_in_words(report)
    if findings:
        line = f"Found {findings}." + (f" Incomplete: {gaps}." if gaps else "")
    elif not any(row.status == "read" for row in report.documents):
        line = "Nothing was checked: no document could be read."
    elif gaps:
        line = f"No findings, but incomplete: {gaps}."
    else:
        line = _CLEAN
    colour = _GOOD if line == _CLEAN else _OPEN
    for text in _prose(f"{line}{_not_shown(report)}", style, ""):
        yield (
            _COUNTS.sub(lambda match: style.paint(match[0], COLOURS[match[1] or "unknown"]), text)
            if findings
            else style.paint(text, colour)
        )


_CLEAN = "No findings."
_COUNTS = re.compile(r"\d+ (critical|high|medium|low)|\d+ (?:inputs? missing|documents? unreadable)")


def _missing_in_words(report: Report) -> str:
    unread = len({row.path for row in report.documents if row.status == "unreadable"})
    parts = [
        f"{counted(len(report.unknown), 'input')} missing" if report.unknown else "",
        f"{counted(unread, 'document')} unreadable" if unread else "",
    ]
    return " and ".join(part for part in parts if part)


def _not_shown(report: Report) -> str:
    """How many findings the report does not show, and why."""
    parts = [
        f"{len(report.waived)} waived" if report.waived else "",
        f"{report.baselined} in the baseline" if report.baselined else "",
        f"{report.hidden} hidden by --min-severity or --min-confidence" if report.hidden else "",
    ]
    numbers = ", ".join(part for part in parts if part)
    return f" {numbers}." if numbers else ""
