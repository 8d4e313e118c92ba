"""A place in a document as people see it: the line, the part that is meant marked, and what there is to say of it."""

import re
from collections.abc import Iterator

from irsa_doctor.model.findings import Location
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, without_end, without_middle, without_start, wrapped
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style

_ARROW = "--> "
_FAINT, _MARK = "2", "31"
_DOCUMENT = re.compile(r"""["']?(?:\{|\[|%7B|%5B)""", re.IGNORECASE)
"""a whole document inside a string: its first characters tell nobody anything"""


def where(location: Location) -> str:
    """Path, line and column as editors and terminals understand them."""
    path = for_terminal(from_here(location.file))
    return f"{path}:{location.line}:{location.column}" if location.line else path


def pointed(location: Location, style: Style, indent: str, says: str) -> Iterator[str]:
    """A place in one line, with its sentence."""
    room = style.width - len(indent) - len(_ARROW)
    text = f"{where(location)}: {says}" if says else where(location)
    if columns(text) <= room:
        yield f"{indent}{style.paint(_ARROW, _FAINT)}{text}"
        return
    first, *more = [*wrapped(where(location), room), *wrapped(says, room)]
    yield f"{indent}{style.paint(_ARROW, _FAINT)}{first}"
    yield from (f"{indent}{' ' * len(_ARROW)}{line}" for line in more)


def quoted(location: Location, style: Style, indent: str, says: str) -> Iterator[str]:
    """A place with its line; without it where that would show nothing, a lone bracket say."""
    gutter = len(str(location.line))
    room = style.width - len(indent) - gutter - 3
    window = _window(location, room, style)
    if window is None:
        yield from pointed(location, style, indent, says)
        return
    before, marked, after = window
    yield from pointed(location, style, indent, "")
    bar = style.paint(style.bar, _FAINT)
    yield f"{indent}{style.paint(str(location.line), _FAINT)} {bar} {before}{marked}{after}"
    margin = f"{indent}{' ' * gutter} {bar} "
    at, length = columns(before), columns(marked)
    if not says or at + length + 1 + columns(says) <= room:
        yield f"{margin}{' ' * at}{style.paint(('^' * length + ' ' + says).rstrip(), _MARK)}"
        return
    yield f"{margin}{' ' * at}{style.paint('^' * length, _MARK)}"
    below = at if at + columns(says) <= room else max(room - columns(says), 0)
    yield from (f"{margin}{' ' * below}{style.paint(line, _MARK)}" for line in wrapped(says, room))


def said_of(location: Location) -> str:
    """The sentence of a place, escaped."""
    return on_one_line(location.says, for_terminal)


def _window(location: Location, room: int, style: Style) -> tuple[str, str, str] | None:
    """The line before, in and after the marked part, as much as there is room for; None where there is nothing to see."""
    source = location.source.replace("\t", " ")
    start = min(location.offset, len(source))
    if not location.line or not any(map(str.isalnum, source)):
        return None
    if location.end_line == location.line and len(source) - start > room and _DOCUMENT.match(source, start):
        return None
    lead = len(source) - len(source.lstrip())
    end = start + location.end_column - location.column
    if location.end_line > location.line:
        # of something longer the line in which it begins is marked, not the bracket that begins it
        start, end = lead, len(source.rstrip())
    end = max(min(end, len(source)), start + 1)
    before, marked, after = source[min(lead, start) : start], source[start:end] or " ", source[end:].rstrip()
    parts = [for_terminal(part) for part in (before, marked, after)]
    if location.offset < location.column - 1 and start == location.offset:
        parts[0] = style.ellipsis + parts[0]
    return _fitted(parts, room, style.ellipsis)


def _fitted(parts: list[str], room: int, ellipsis: str) -> tuple[str, str, str]:
    """The marked part whole if possible, then what is before it, which says what it is, then what is after."""
    before, marked, after = parts
    aside = min(columns(before), room // 4) + min(columns(after), len(ellipsis))
    marked = without_middle(marked, room - aside, ellipsis)
    left = room - columns(marked)
    kept = min(columns(after), left // 3)
    before = without_start(before, left - kept, ellipsis)
    return before, marked, without_end(after, left - columns(before), ellipsis)
