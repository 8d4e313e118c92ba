"""What a report in text shows of inputs that are missing and of documents that cannot be read."""

from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.model.commands import is_command
from irsa_doctor.model.findings import Missing, Report
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, without_end, without_middle
from irsa_doctor.reports.layout import COLOURS, FAINT, GOOD, INDENT, OPEN, clean, header, pasted_lines, prose, shortlist
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.ways import addition_lines

_NAMED, _LISTED = 6, 20
"""names that a sentence and a list show; the others are counted"""
_NAME = 20
"""columns that the name of an input keeps in a line of several"""
_HINT = "--show-unknown lists them, with the commands that fetch them"


def unreadable_documents(report: Report, style: Style) -> Iterator[str]:
    """Yields the unreadable documents without a finding of their own."""
    named = {location.file for finding in report.findings for location in finding.locations}
    bad = [row for row in report.documents if row.status == "unreadable" and row.path not in named]
    if bad:
        yield from header(f"Not readable: {counted(len(bad), 'document')}", style, OPEN)
        for row in bad:
            yield from prose(f"{for_terminal(row.path)}: {clean(row.why or 'unknown reason')}", style)
        yield ""


def missing_in_short(report: Report, style: Style) -> Iterator[str]:
    """Yields three lines: how many inputs are missing, those that most rules need, and the option that lists all.

    Of a single missing input its command is shown.
    """
    if not report.unknown:
        return
    ordered = by_importance(report.unknown)
    yield from header(f"Not checked: {counted(len(ordered), 'input')} missing", style, OPEN)
    yield f"{INDENT}{style.paint(_most_important(ordered, style.width - len(INDENT), style.ellipsis), COLOURS['unknown'])}"
    if len(ordered) == 1:
        yield from _to_get(ordered, style)
    else:
        yield from (style.paint(line, FAINT) for line in prose(_HINT, style))
    yield ""


def by_importance(missing: Iterable[Missing]) -> list[Missing]:
    """Returns the inputs that most rules need first, then those of most subjects."""
    return sorted(missing, key=lambda row: (-len(row.rules), -row.subjects, row.missing))


def _most_important(ordered: Sequence[Missing], room: int, ellipsis: str) -> str:
    """As many of the first inputs as one line has room for, the first in any case."""
    whole = room if len(ordered) == 1 else room * 3 // 5
    items = []
    for row in ordered:
        name, needed = clean(row.missing), _needed(row)
        # a name that takes little more than half a line is shown whole, a longer one leaves room for the next
        if columns(name) > whole:
            name = name.partition(": ")[0]  # what is missing, and not why
        share = columns(name) if columns(name) <= whole else max(room * 2 // 5 - len(needed), _NAME)
        items.append(without_middle(name, share, ellipsis) + needed)
    line = ""
    for number, item in enumerate(items):
        rest = len(items) - number - 1
        more = f", and {rest} more" if rest else ""
        longer = f"{line}, {item}" if line else item
        if line and columns(longer + more) > room:
            return line + f", and {rest + 1} more"
        line = longer if line else without_end(item, room - len(more), ellipsis)
    return line


def _needed(row: Missing) -> str:
    return f" ({counted(len(row.rules), 'rule')}, {counted(row.subjects, 'subject')})" if row.rules else ""


def missing_whole(report: Report, style: Style) -> Iterator[str]:
    """Yields every missing input and the commands that fetch it; inputs of one kind for the same rules are grouped."""
    if not report.unknown:
        return
    yield from header(f"Not checked: {counted(len(report.unknown), 'input')} missing", style, OPEN)
    gathered: dict[tuple[str, tuple[str, ...]], list[Missing]] = {}
    for missing in by_importance(report.unknown):
        gathered.setdefault((missing.missing.rpartition(" ")[0], missing.rules), []).append(missing)
    for (what, rules), several in gathered.items():
        yield ""
        names = [missing.missing.rpartition(" ")[2] for missing in several]
        yield from prose(clean(f"{what} {shortlist(names, _LISTED)}"), style, "", "missing ", COLOURS["unknown"])
        subjects = sum(missing.subjects for missing in several)
        if rules:
            yield from prose(clean(f"needed by {shortlist(rules, _NAMED)} for {counted(subjects, 'subject')}"), style)
        yield from _to_get([missing for missing in several if missing.how], style)
    yield ""


def _to_get(ways: Iterable[Missing], style: Style) -> Iterator[str]:
    """The commands that fetch an input and what `check` then needs, or what else to do."""
    commands, additions, others = dict[str, None](), dict[str, None](), dict[str, None]()
    for way in ways:
        if way.how:
            (commands if is_command(way.how) else others)[way.how] = None
        if way.addition:
            additions[way.addition] = None
    if commands:
        yield f"{INDENT}{style.paint('to get it:', GOOD)}"
        for command in list(commands)[:_LISTED]:
            yield from pasted_lines(command)
        if len(commands) > _LISTED:
            yield from prose(f"and {len(commands) - _LISTED} more of this form, all of them in -f json", style)
    if additions:
        yield from addition_lines(" ".join(additions), "check", style)
    for other in others:
        yield from prose(clean(other), style, INDENT, "to get it:", GOOD)
