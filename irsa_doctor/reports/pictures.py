"""Pictures of paths: an HTML page with one in SVG, DOT for Graphviz, Mermaid for documents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.reach.records import ReachPath
from irsa_doctor.answers.reach.subject import SubjectReach
from irsa_doctor.answers.who_can import WhoCan
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_terminal, for_xml
from irsa_doctor.reports.path_graph import PathEdge, PathGraph, PathNode, graph_of
from irsa_doctor.reports.reach import needs_words, path_words, shortest, subject_words, through_words
from irsa_doctor.reports.style import Style

_STYLE = Path(__file__).parent / "report.css"
_WIDTH, _ACROSS, _LINE, _BETWEEN = 230, 360, 16, 24
_SMALL_LINE = 12
_MARGIN = 8
_SEPARATORS = "/:-@. "
_LEAST = 900
"""pixels below which a picture is not made smaller but scrolled"""
_MOST = 60
"""rows of a picture; a page lists the others"""
_FILL = {"subject": "#fde8e8", "identity": "#eef2f7", "account": "#e7f3ec", "role": "#fff3d6"}


def render_reach_dot(answer: SubjectReach, style: Style) -> str:
    """Returns a directed graph for Graphviz (https://graphviz.org/doc/info/lang.html)."""
    return _dot(_graph(answer))


def render_reach_mermaid(answer: SubjectReach, style: Style) -> str:
    """Returns a flowchart of Mermaid (https://mermaid.js.org/syntax/flowchart.html)."""
    return _mermaid(_graph(answer))


def render_reach_html(answer: SubjectReach, style: Style) -> str:
    """Returns a self-contained page with the picture and the same in words."""
    becomes = counted(len(answer.roles), "role") if answer.roles else "no role"
    title = f"{subject_words(answer.subject)} becomes {becomes}"
    listed = [(role.role, f"{counted(role.steps, 'step')}, {role.certainty}", role.paths) for role in answer.roles]
    return _page(title, _graph(answer), listed, answer.unknown)


def render_who_can_dot(answer: WhoCan, style: Style) -> str:
    """Returns a directed graph for Graphviz of those who become the role through Kubernetes."""
    return _dot(_graph_of_role(answer))


def render_who_can_mermaid(answer: WhoCan, style: Style) -> str:
    """Returns a flowchart of Mermaid of those who become the role through Kubernetes."""
    return _mermaid(_graph_of_role(answer))


def render_who_can_html(answer: WhoCan, style: Style) -> str:
    """Returns a self-contained page with a picture of those who become the role through Kubernetes."""
    rows = answer.reach.rows or ()
    title = f"{counted(len(rows), 'subject')} can become {answer.role} through Kubernetes"
    listed = [(subject_words(row.subject), "expected" if row.expected else "", row.paths) for row in rows]
    return _page(title, _graph_of_role(answer), listed, answer.unknown)


def _graph(answer: SubjectReach) -> PathGraph:
    return graph_of(((answer.subject, role.role, shortest(role.paths)) for role in answer.roles), _MOST)


def _graph_of_role(answer: WhoCan) -> PathGraph:
    rows = [row for row in answer.reach.rows or () if not row.expected] or list(answer.reach.rows or ())
    return graph_of(((row.subject, answer.role, shortest(row.paths)) for row in rows), _MOST)


def _quoted(text: str) -> str:
    return for_terminal(text.replace("\n", " ")).replace("\\", "\\\\").replace('"', '\\"')


def _dot(graph: PathGraph) -> str:
    lines = ["digraph paths {", "  rankdir=LR;", '  node [shape=box, style="rounded,filled", fontname="sans-serif"];']
    for number, node in enumerate(graph.nodes):
        label = "\\n".join(map(_quoted, node.lines))
        lines.append(f'  n{number} [label="{label}", fillcolor="{_FILL[node.kind]}"];')
    for edge in graph.edges:
        dashed = ", style=dashed" if edge.dashed else ""
        lines.append(f'  n{edge.start} -> n{edge.end} [label="{_quoted(edge.label)}"{dashed}];')
    return "\n".join([*lines, *(f"  // {note}" for note in _notes(graph)), "}"]) + "\n"


def _notes(graph: PathGraph) -> Iterator[str]:
    """What the picture does not show, and what its arrows mean."""
    if graph.left_out:
        yield f"The picture leaves out {graph.left_out} more; -f json has all."


def _mermaid(graph: PathGraph) -> str:
    lines = ["flowchart LR"]
    for number, node in enumerate(graph.nodes):
        lines.append(f'  n{number}["{"<br/>".join(map(_entity, node.lines))}"]')
    for edge in graph.edges:
        arrow = "-.->" if edge.dashed else "-->"
        lines.append(f'  n{edge.start} {arrow}|"{_entity(edge.label)}"| n{edge.end}')
    return "\n".join([*lines, *(f"  %% {note}" for note in _notes(graph))]) + "\n"


def _entity(text: str) -> str:
    """Text with what Mermaid reads as its own replaced by entity codes."""
    plain = for_terminal(text.replace("\n", " "))
    return "".join(char if char.isalnum() or char in " /:.,-_*@{}" else f"#{ord(char)};" for char in plain)


# the page


def _page(
    title: str, graph: PathGraph, listed: Sequence[tuple[str, str, Sequence[ReachPath]]], unknown: Iterable[MissingInput]
) -> str:
    items = []
    for name, note, paths in listed:
        words = "".join(map(_item, paths))
        items.append(f"<h3><code>{for_xml(name)}</code> <small>{for_xml(note)}</small></h3><ul>{words}</ul>")
    missing = "".join(f"<li>{for_xml(item.missing)}{_small(item.how)}{_small(_then(item))}</li>" for item in unknown)
    notes = [*_notes(graph), *(["A dashed arrow is only possible."] if any(edge.dashed for edge in graph.edges) else [])]
    body = [
        f'<h1 style="overflow-wrap:anywhere">{for_xml(title)}</h1>',
        f'<div style="overflow-x:auto">{_svg(graph)}</div>' if graph.nodes else "",
        *(f"<p><small>{note}</small></p>" for note in notes),
        "<h2>Paths</h2>" if items else "",
        *items,
        f"<h2>Inputs missing</h2><ul>{missing}</ul>" if missing else "",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>irsa-doctor: {for_xml(title)}</title>\n"
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _tops(graph: PathGraph, heights: Sequence[int]) -> dict[int, int]:
    """Where each box begins: in columns from the right to the left, below what arrows lead to over the column."""
    top: dict[int, int] = {}
    columns: dict[int, list[int]] = {}
    for number in range(len(graph.nodes)):
        columns.setdefault(graph.column[number], []).append(number)
    for column in sorted(columns, reverse=True):
        over = [edge.end for edge in graph.edges if graph.column[edge.start] < column < graph.column[edge.end]]
        at = max((top[number] + heights[number] for number in over), default=0) + _BETWEEN
        for number in columns[column]:
            top[number] = at
            at += heights[number] + _BETWEEN
    return top


def _item(path: ReachPath) -> str:
    """A path in words, with what makes its first step possible and what cannot be seen."""
    by = f"by {through_words(path)}" if path.through else ""
    needs = f"if {needs_words(path)}" if path.needs else ""
    return f"<li>{for_xml(path_words(path))}{_small(', '.join(filter(None, (by, needs))))}</li>"


def _then(item: MissingInput) -> str:
    return f"then run it again with {item.addition}" if item.how and item.addition else ""


def _small(text: str) -> str:
    return f'<br><small style="overflow-wrap:anywhere">{for_xml(text)}</small>' if text else ""


def _svg(graph: PathGraph) -> str:
    """The boxes in columns, one below the other, with arrows between them."""
    wrapped = [[part for line in node.lines for part in _parts(line)] for node in graph.nodes]
    heights = [len(lines) * _LINE + 12 for lines in wrapped]
    top = _tops(graph, heights)
    width = max(graph.column.values()) * _ACROSS + _WIDTH + 20
    height = max(top[number] + size for number, size in enumerate(heights)) + _BETWEEN
    taken: dict[int, list[tuple[float, float]]] = {}
    arrows = [_arrow(edge, graph, top, heights, taken) for edge in graph.edges]
    boxes = "".join(_box(node, graph.column[n] * _ACROSS + 10, top[n], wrapped[n]) for n, node in enumerate(graph.nodes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'style="max-width:100%;height:auto;min-width:{min(width, _LEAST)}px" '
        'font-family="sans-serif" font-size="12"><defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" style="fill:var(--dim)"/></marker></defs>'
        f"{''.join(arrow for arrow, _ in arrows)}{boxes}{''.join(label for _, label in arrows)}</svg>"
    )


def _parts(line: str) -> list[str]:
    """A line in as many as its box is wide: letters have widths of their own; behind a separator where there is one."""
    parts, room = [""], _WIDTH - 2 * _MARGIN
    for char in line:
        room -= _width(char)
        if room < 0 and parts[-1]:
            cut = max(map(parts[-1].rfind, _SEPARATORS)) + 1
            cut = cut if cut > len(parts[-1]) // 2 else len(parts[-1])
            parts[-1], rest = parts[-1][:cut], parts[-1][cut:]
            parts.append(rest)
            room = _WIDTH - 2 * _MARGIN - sum(map(_width, rest + char))
        parts[-1] += char
    return parts


def _width(char: str) -> int:
    """Pixels, rather too many than too few."""
    if not char.isascii():
        return 13
    return 12 if char in "@MW%m" else 9 if char.isupper() or char in "w&<>=+~_#" else 4 if char in "ijlI.,:;'|!/ " else 7


def _box(node: PathNode, x: int, y: int, lines: Sequence[str]) -> str:
    height = len(lines) * _LINE + 12
    texts = "".join(
        f'<text x="{x + _MARGIN}" y="{y + 18 + number * _LINE}" fill="#222">{for_xml(line)}</text>'
        for number, line in enumerate(lines)
    )
    return f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{height}" rx="5" fill="{_FILL[node.kind]}" stroke="#99a"/>{texts}'


def _arrow(
    edge: PathEdge,
    graph: PathGraph,
    top: Mapping[int, int],
    heights: Sequence[int],
    taken: dict[int, list[tuple[float, float]]],
) -> tuple[str, str]:
    """The arrow, and its words, which lie upon everything but other words: `taken` has the heights of those."""
    x1, x2 = graph.column[edge.start] * _ACROSS + 10 + _WIDTH, graph.column[edge.end] * _ACROSS + 10
    y1, y2 = (top[n] + heights[n] // 2 for n in (edge.start, edge.end))
    dash = ' stroke-dasharray="5 4"' if edge.dashed else ""
    # an arrow over a column is level from there on
    x3 = x1 + _ACROSS - _WIDTH if graph.column[edge.end] > graph.column[edge.start] + 1 else x2
    bend = max(40, abs(x3 - x1) // 2)
    path = f"M{x1} {y1} C{x1 + bend} {y1} {x3 - bend} {y2} {x3} {y2} L{x2} {y2}"
    # arrows that end in one box have their words near where they begin, so that these do not lie upon each other
    coming, going = (sum(getattr(other, end) == getattr(edge, end) for other in graph.edges) for end in ("end", "start"))
    part = 0.25 if coming > going else 0.75
    height = y1 + (y2 - y1) * (3 * part**2 - 2 * part**3)
    lines, middle = edge.label.split(", "), (x1 + x3) // 2
    first = _free(height - 5 - (len(lines) - 1) * _SMALL_LINE, len(lines) * _SMALL_LINE + 4, taken.setdefault(middle, []))
    places = (first + number * _SMALL_LINE for number in range(len(lines)))
    words = "".join(f'<tspan x="{middle}" y="{y:.0f}">{for_xml(line)}</tspan>' for y, line in zip(places, lines, strict=True))
    label = (
        '<text text-anchor="middle" font-size="11" paint-order="stroke" stroke-width="4" '
        f'style="fill:var(--dim);stroke:Canvas">{words}</text>'
    )
    return f'<path d="{path}" fill="none" style="stroke:var(--dim)"{dash} marker-end="url(#a)"/>', label


def _free(first: float, size: int, taken: list[tuple[float, float]]) -> float:
    """The nearest place below for so many pixels of words, which then is taken."""
    for start, end in sorted(taken):
        if first < end and start < first + size:
            first = end
    taken.append((first, first + size))
    return first
