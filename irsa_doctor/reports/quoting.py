"""Quotes a place of a document: its line, the relevant part marked, and its sentence."""

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
"""a whole document inside a string: its first characters show nothing useful"""
_OPENING = "{[,"
_NAME = re.compile(r'"(?:[^"\\]|\\.)*"\s*[:=]|(?<![\w"])[\w.-]+\s*(?:=|:\s)')
"""the name of a member of JSON, YAML or HCL"""
_LIST = re.compile(r'(?:"[^"]*"|[\w.-]+)\s*[:=]\s*\[')
_SEPARATOR = re.compile(r"[,{}\[\]](?=.)", re.DOTALL)
"""where another member begins, but for what ends the line"""


def where(location: Location) -> str:
    """Returns path, line and column in the form that editors and terminals recognise."""
    path = for_terminal(from_here(location.file))
    return f"{path}:{location.line}:{location.column}" if location.line else path


def pointed(location: Location, style: Style, indent: str, says: str) -> Iterator[str]:
    """Yields a place in one line, with its sentence."""
    room = style.width - len(indent) - len(_ARROW)
    text = f"{where(location)}: {says}" if says else where(location)
    if columns(text) <= room:
        yield f"{indent}{style.paint(_ARROW, _FAINT)}{text}"
        return
    first, *more = [*wrapped(where(location), room), *wrapped(says, room)]
    yield f"{indent}{style.paint(_ARROW, _FAINT)}{first}"
    yield from (f"{indent}{' ' * len(_ARROW)}{line}" for line in more)


def quoted(location: Location, style: Style, indent: str, says: str) -> Iterator[str]:
    """Yields a place with its source line, or without it where the line shows nothing, for example only a bracket."""
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


def sentence_of(location: Location) -> str:
    """Returns the sentence of a place, escaped."""
    return on_one_line(location.says, for_terminal)


def _window(location: Location, room: int, style: Style) -> tuple[str, str, str] | None:
    """The source line before, in and after the marked part, shortened to the room; None where the line shows nothing."""
    source = location.source.replace("\t", " ")
    start = min(location.offset, len(source))
    if not location.line or not any(map(str.isalnum, source)):
        return None
    if location.end_line == location.line and len(source) - start > room and _DOCUMENT.match(source, start):
        return None
    lead = len(source) - len(source.lstrip())
    end = start + location.end_column - location.column
    if location.end_line > location.line:
        # of a longer value the first line is marked, not only the bracket that begins it
        start, end = lead, len(source.rstrip())
    end = max(min(end, len(source)), start + 1)
    before, marked, after = source[min(lead, start) : start], source[start:end] or " ", source[end:].rstrip()
    is_cut = location.offset < location.column - 1 and start == location.offset
    if is_cut or columns(before + marked + after) > room or has_neighbours(source):
        before, after = only_member(before, after, style.ellipsis)
        is_cut = is_cut and not before.startswith(style.ellipsis)
    parts = [for_terminal(part) for part in (before, marked, after)]
    if is_cut:
        parts[0] = style.ellipsis + parts[0]
    return _fitted(parts, room, style.ellipsis)


def has_neighbours(line: str) -> bool:
    """Returns whether a line holds more than one member of a document."""
    return len(_NAME.findall(line)) > 1


def only_member(before: str, after: str, ellipsis: str) -> tuple[str, str]:
    """Returns the text before and after a mark without other members of the line: they may be secrets of other objects."""
    end = _SEPARATOR.search(after)
    return _own_start(before, ellipsis), after[: end.start()] + ellipsis if end else after


def _own_start(before: str, ellipsis: str) -> str:
    """The text before a mark from the name of its member on; of an item of a list, from the name of the list on."""
    start = max(map(before.rfind, _OPENING)) + 1
    own = before[start:].lstrip()
    # in a text in a text no sign is sure
    starts = list(_starts(before)) if start and not own and "\\" not in before else []
    opener = next((at for at in starts if before[at] != ","), -1)
    if opener < 0 or before[opener] == "{" or starts[0] != start - 1:
        return ellipsis + own if start else before
    outer = starts.index(opener) + 1
    name = before[starts[outer] + 1 if outer < len(starts) else 0 : opener + 1].lstrip()
    if not _LIST.fullmatch(name):
        return ellipsis
    return (ellipsis if outer < len(starts) else "") + name + (ellipsis if opener != starts[0] else "")


def _starts(before: str) -> Iterator[int]:
    """Yields where the members around the end of a text begin, and those before them of the same object, the nearest first."""
    depth = 0
    for at in range(len(before) - 1, -1, -1):
        sign = before[at]
        if sign not in "{[,]}" or before.count('"', 0, at) % 2:
            continue
        if sign in "]}":
            depth += 1
        elif not depth:
            yield at
        elif sign != ",":
            depth -= 1


def _fitted(parts: list[str], room: int, ellipsis: str) -> tuple[str, str, str]:
    """Shortens the text after the marked part first, then the text before it, then the marked part."""
    before, marked, after = parts
    context = min(columns(before), room // 4) + min(columns(after), len(ellipsis))
    marked = without_middle(marked, room - context, ellipsis)
    left = room - columns(marked)
    kept = min(columns(after), left // 3)
    before = without_start(before, left - kept, ellipsis)
    return before, marked, without_end(after, left - columns(before), ellipsis)
