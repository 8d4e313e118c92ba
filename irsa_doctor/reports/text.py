"""What a person reads: findings by role, each with its place, its sentence and its remedy; then what could not be judged."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.findings import SEVERITIES, Finding, Location, Report, Waived
from irsa_doctor.model import parse_arn
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.style import Style

COLOURS: Mapping[str, str] = {"critical": "1;31", "high": "31", "medium": "33", "low": "36"}
_INDENT = "    "
_GROUPS = {"service-account": "service account", "waiver": "waivers in", "document": ""}


def render_text(report: Report, style: Style) -> str:
    """The whole report; the last line says what was looked at, and what came of it."""
    lines = [
        *_findings(report, style),
        *_unreadable(report, style),
        *_unknown(report, style),
        *_waived(report.waived, style),
        *_summary(report, style),
    ]
    return "\n".join(lines) + "\n"


def _wrapped(text: str, style: Style, indent: str = _INDENT, first: str = "") -> list[str]:
    """Text in the width of the terminal; `first` stands before it, in place of the indent's own characters."""
    lines = textwrap.wrap(
        for_terminal(text),
        max(style.width, len(indent) + 20),
        initial_indent=first or indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return lines or ([first.rstrip()] if first else [])


def _findings(report: Report, style: Style) -> Iterator[str]:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.group, []).append(finding)
    explained: set[str] = set()
    for group, findings in groups.items():
        yield style.paint(_title(group, findings[0]), "1")
        for finding in findings:
            yield from _finding(finding, explained, style)
            explained.add(finding.rule)


def _title(group: str, finding: Finding) -> str:
    """By what people call it: the name of a role before its account."""
    arn = parse_arn(group)
    if arn and arn.kind in ("role", "oidc-provider", "cluster"):
        kind = {"oidc-provider": "OIDC provider"}.get(arn.kind, arn.kind)
        return for_terminal(f"{kind} {arn.name or arn.resource} in account {arn.account or 'unknown'}")
    kind = _GROUPS.get(finding.subject.kind, finding.subject.kind)
    kind = "service account" if finding.subject.kind == "binding" else "policy" if finding.subject.kind == "policy" else kind
    return for_terminal(f"{kind} {group}".strip())


def _finding(finding: Finding, explained: set[str], style: Style) -> Iterator[str]:
    yield f"  {style.paint(finding.severity, COLOURS[finding.severity])} {style.paint(for_terminal(finding.rule), '1')}"
    yield from _wrapped(finding.message, style)
    seen: set[tuple[str, int, int]] = set()
    for location in finding.locations:
        if (location.file, location.line, location.column) not in seen:
            seen.add((location.file, location.line, location.column))
            yield from _quote(location, style)
    if finding.rule in explained:
        yield f"{_INDENT}{style.paint('fix', '32')} as above; irsa-doctor explain {for_terminal(finding.rule)}"
    else:
        fix = _wrapped(finding.remedy.strip(), style, _INDENT, _INDENT + "fix ")
        yield from (line.replace("fix ", style.paint("fix", "32") + " ", 1) if n == 0 else line for n, line in enumerate(fix))
    for snippet in finding.snippets:
        yield from (style.paint(line, "2") for line in _wrapped(snippet.title + ":", style))
        yield from (_INDENT * 2 + for_terminal(line) for line in snippet.text.splitlines())
    yield ""


def _quote(location: Location, style: Style) -> Iterator[str]:
    """The line with the part that is meant underlined, and what there is to say of it; a long line through a window."""
    where = f"{location.file}:{location.line}:{location.column}" if location.line else location.file
    gutter = len(str(location.line)) if location.source else 0
    says = for_terminal(location.says)
    arrow = style.paint("-->", "34")
    if not location.source:
        yield f"{_INDENT}{arrow} {for_terminal(where)}{' ' + says if says else ''}"
        return
    yield f"{_INDENT}{arrow} {for_terminal(where)}"
    bar = style.paint("|", "34")
    shown, at, length = _window(location, max(style.width - len(_INDENT) - gutter - 3, 20))
    yield f"{_INDENT}{style.paint(str(location.line), '34')} {bar} {shown}"
    marks = style.paint("^" * length, "31")
    under = f"{_INDENT}{' ' * gutter} {bar} "
    beside = len(_INDENT) + gutter + 3 + at + length + 1 + len(says)
    if beside <= style.width:
        yield f"{under}{' ' * at}{marks} {says}".rstrip()
    else:
        yield f"{under}{' ' * at}{marks}"
        yield from (f"{under}{line}" for line in textwrap.wrap(says, max(style.width - len(_INDENT) - gutter - 3, 20)))


def _window(location: Location, room: int) -> tuple[str, int, int]:
    """(what is shown of the line, where the marks begin in it, how many there are)."""
    source = location.source
    start = min(max(location.column - 1, 0), len(source))
    end = location.end_column - 1 if location.end_line == location.line else len(source)
    end = max(min(end, len(source)), start + 1)
    lead = len(source) - len(source.lstrip())
    before = for_terminal(source[min(lead, start) : start])
    marked = for_terminal(source[start:end]) or " "
    after = for_terminal(source[end:].rstrip())
    if len(before) + len(marked) + len(after) <= room:
        return before + marked + after, len(before), len(marked)
    # keep the marked part in sight, with as much before it as there is room for
    if len(marked) > room - 4:
        marked, after = marked[: max(room - 8, 4)] + "...", ""
    space = room - len(marked)
    if len(before) > space // 2:
        before = "..." + before[len(before) - max(space // 2 - 3, 0) :] if space // 2 > 3 else ""
    left = room - len(before) - len(marked)
    if len(after) > left:
        after = after[: max(left - 3, 0)] + "..." if left > 3 else ""
    return before + marked + after, len(before), len(marked)


def _unreadable(report: Report, style: Style) -> Iterator[str]:
    known = {location.file for finding in report.findings for location in finding.locations}
    bad = [row for row in report.documents if row.status == "unreadable" and row.path not in known]
    if bad:
        yield style.paint("Could not be read", "1;35")
        for row in bad:
            yield from _wrapped(f"{row.path}: {row.why}", style, _INDENT, "  ")
        yield ""


def _unknown(report: Report, style: Style) -> Iterator[str]:
    if not report.unknown:
        return
    yield style.paint("Could not be judged, for want of", "1;35")
    for missing in report.unknown:
        yield from _wrapped(missing.missing, style, _INDENT, "  ")
        rules = ", ".join(missing.rules[:6]) + (f" and {len(missing.rules) - 6} more rules" if len(missing.rules) > 6 else "")
        yield from _wrapped(f"{_counted(missing.subjects, 'subject')} of {rules}", style)
        if missing.how:
            yield f"{_INDENT}{style.paint('get it', '32')} {for_terminal(missing.how)}"
    yield ""


def _waived(waived: Sequence[Waived], style: Style) -> Iterator[str]:
    if not waived:
        return
    yield style.paint("Waived", "1")
    for entry in waived:
        until = f" until {entry.expires}" if entry.expires else ""
        said = f"{entry.finding.rule} of {entry.finding.subject.id}: {entry.owner}{until}: {entry.reason}"
        yield from _wrapped(said, style, _INDENT, "  ")
    yield ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def _summary(report: Report, style: Style) -> Iterator[str]:
    counts = report.counts
    looked = [
        (counts.roles, "role"),
        (counts.policies, "bare policy"),
        (counts.providers, "provider"),
        (counts.clusters, "cluster"),
        (counts.service_accounts, "service account"),
        (counts.workloads, "workload"),
    ]
    things = ", ".join(_counted(number, what) for number, what in looked if number) or "nothing"
    yield from _wrapped(f"Looked at {things} in {_counted(counts.documents, 'document')}.", style, "")
    found = [(severity, sum(f.severity == severity for f in report.findings)) for severity in SEVERITIES]
    said = ", ".join(f"{number} {severity}" for severity, number in found if number)
    more = [
        (len(report.unknown), "not given"),
        (len(report.waived), "waived"),
        (report.baselined, "known before"),
        (report.hidden, "hidden"),
    ]
    beside = "".join(f"; {number} {what}" for number, what in more if number)
    for line in _wrapped(f"Found {said or 'nothing wrong'}{beside}.", style, ""):
        yield _NUMBERS.sub(lambda m: style.paint(m[0], _word_colour(m[0], report)), line)


_NUMBERS = re.compile(r"\d+ (?:critical|high|medium|low|not given)|nothing wrong")


def _word_colour(said: str, report: Report) -> str:
    if said == "nothing wrong":
        return "33" if report.unknown else "32"
    return COLOURS.get(said.partition(" ")[2], "35")
