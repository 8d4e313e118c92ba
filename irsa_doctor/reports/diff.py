"""The answer of `diff`: as text, as Markdown for a pull request, and as JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.answers.diff import ChangedSubjects, Difference, RoleChange
from irsa_doctor.reports.escape import for_markdown, for_terminal
from irsa_doctor.reports.json import ToolRecord, json_text, tool
from irsa_doctor.reports.style import Style
from irsa_doctor.trust.openings import RINGS

_COLOURS = {"widened": "31", "changed": "31", "unknown": "35", "narrowed": "32", "added": "36", "removed": "36", "same": "2"}
_WORDS = {
    "widened": "admits more",
    "changed": "admits others",
    "narrowed": "admits fewer",
    "added": "is new",
    "removed": "is removed",
    "unknown": "cannot be compared",
}
_SHOWN = 20


def _lines(row: RoleChange) -> Iterator[tuple[str, str]]:
    """(sign, sentence) of each difference."""
    yield from _subjects("+", row.gained)
    yield from _subjects("-", row.lost)
    if row.ring:
        is_wider = RINGS.index(row.ring.after) > RINGS.index(row.ring.before)
        yield ("+" if is_wider else "-"), f"ring {row.ring.after}, was {row.ring.before}"
    for what, both in (("audience", row.audiences), ("condition", row.conditions), ("principal", row.others)):
        yield from _both(what, both)
    if row.open_by:
        since = "" if row.change == "added" else ", and did not before"
        yield "+", f"check fails it{since}: {', '.join(row.open_by)}"
    if row.because:
        yield "?", row.because
    if row.maybe_renamed_from:
        yield " ", f"possibly renamed from {row.maybe_renamed_from}: the policies are identical"


def _subjects(sign: str, subjects: ChangedSubjects) -> Iterator[tuple[str, str]]:
    for pattern in subjects.patterns[:_SHOWN]:
        yield sign, pattern
    if len(subjects.patterns) > _SHOWN:
        yield sign, f"and {len(subjects.patterns) - _SHOWN} more"
    if subjects.without:
        yield " ", "except " + ", ".join(subjects.without[:_SHOWN])
    if subjects.witness_audience is not None:
        yield " ", f"for example {subjects.witness} with the audience {subjects.witness_audience or '(empty)'}"
    elif subjects.witness and subjects.witness not in subjects.patterns:
        yield " ", f"for example {subjects.witness}"
    if subjects.service_accounts:
        names = ", ".join(subjects.service_accounts[:_SHOWN])
        more = ", ..." if len(subjects.service_accounts) > _SHOWN else ""
        yield " ", f"service accounts in the input: {names}{more}"


def _both(what: str, both: Difference) -> Iterator[tuple[str, str]]:
    yield from (("+", f"{what} {entry}") for entry in both.gained)
    yield from (("-", f"{what} {entry}") for entry in both.lost)


def render_diff_text(rows: Sequence[RoleChange], style: Style) -> str:
    """Returns each role that differs, then a line of totals."""
    lines: list[str] = []
    for row in rows:
        if row.change == "same":
            continue
        head = style.paint(for_terminal(row.role), "1")
        lines.append(f"{head} {style.paint(_WORDS[row.change], _COLOURS[row.change])}")
        if row.provider:
            lines.append(f"  tokens of {for_terminal(row.provider)}")
        signs = {"+": "31", "-": "32", "?": "35", " ": "2"}
        lines += [f"  {style.paint(sign, signs[sign])} {for_terminal(text)}" for sign, text in _lines(row)]
        lines.append("")
    return "\n".join([*lines, _summary(rows)]) + "\n"


def _summary(rows: Sequence[RoleChange]) -> str:
    totals = {change: sum(row.change == change for row in rows) for change in (*_WORDS, "same")}
    changes = ", ".join(f"{number} {change}" for change, number in totals.items() if number and change != "same")
    return f"{changes or 'no change'}; {totals['same']} unchanged"


def render_diff_markdown(rows: Sequence[RoleChange], style: Style) -> str:
    """Returns a comment for a pull request: a table, and the folded details of each role."""
    changed = [row for row in rows if row.change != "same"]
    if not changed:
        return "**IRSA trust:** no change.\n"
    lines = [f"**IRSA trust:** {_summary(rows)}.", "", "| role | change | gained | lost |", "| --- | --- | --- | --- |"]
    for row in changed:
        cells = (row.role, _WORDS[row.change], ", ".join(row.gained.patterns[:3]), ", ".join(row.lost.patterns[:3]))
        lines.append("| " + " | ".join(map(for_markdown, cells)) + " |")
    for row in changed:
        title = f"{row.role} {_WORDS[row.change]}"
        lines += ["", f"<details><summary>{for_markdown(title)}</summary>", ""]
        lines += [f"- {sign.strip()} {for_markdown(text)}".replace("-  ", "- ") for sign, text in _lines(row)]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


class DiffDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor diff -f json`."""

    schema: str
    tool: ToolRecord
    roles: Sequence[RoleChange]


def render_diff_json(rows: Sequence[RoleChange], style: Style) -> str:
    """Returns the document; it does not depend on the style."""
    return json_text(DiffDocument("irsa-doctor.diff/1", tool(), rows))


DIFF_FORMATS: Mapping[str, Callable[[Sequence[RoleChange], Style], str]] = {
    "text": render_diff_text,
    "json": render_diff_json,
    "markdown": render_diff_markdown,
}
