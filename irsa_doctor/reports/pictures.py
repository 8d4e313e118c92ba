"""Pictures of paths: an HTML page with one in SVG, DOT for Graphviz, Mermaid for documents."""

from collections.abc import Sequence
from pathlib import Path

from irsa_doctor.answers.reach.subject import SubjectReach
from irsa_doctor.answers.who_can import WhoCan
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_terminal, for_xml
from irsa_doctor.reports.path_graph import PathEdge, PathGraph, PathNode, graph_of
from irsa_doctor.reports.reach import path_words, shortest, subject_words
from irsa_doctor.reports.style import Style

_STYLE = Path(__file__).parent / "report.css"
_WIDTH, _ACROSS, _LINE, _BETWEEN = 230, 360, 16, 18
_CHARACTERS = 34
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
    unknown = [item.missing for item in answer.unknown]
    return _page(title, _graph(answer), listed, unknown)


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
    return _page(title, _graph_of_role(answer), listed, [item.missing for item in answer.unknown])


def _graph(answer: SubjectReach) -> PathGraph:
    return graph_of((answer.subject, role.role, shortest(role.paths)) for role in answer.roles[:_MOST])


def _graph_of_role(answer: WhoCan) -> PathGraph:
    rows = [row for row in answer.reach.rows or () if not row.expected] or list(answer.reach.rows or ())
    return graph_of((row.subject, answer.role, shortest(row.paths)) for row in rows[:_MOST])


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
    return "\n".join([*lines, "}"]) + "\n"


def _mermaid(graph: PathGraph) -> str:
    lines = ["flowchart LR"]
    for number, node in enumerate(graph.nodes):
        lines.append(f'  n{number}["{"<br/>".join(map(_entity, node.lines))}"]')
    for edge in graph.edges:
        arrow = "-.->" if edge.dashed else "-->"
        lines.append(f'  n{edge.start} {arrow}|"{_entity(edge.label)}"| n{edge.end}')
    return "\n".join(lines) + "\n"


def _entity(text: str) -> str:
    """Text with what Mermaid reads as its own replaced by entity codes."""
    plain = for_terminal(text.replace("\n", " "))
    return "".join(char if char.isalnum() or char in " /:.,-_*@{}" else f"#{ord(char)};" for char in plain)


# the page


def _page(title: str, graph: PathGraph, listed: Sequence[tuple[str, str, Sequence]], unknown: Sequence[str]) -> str:  # type: ignore[type-arg]
    items = []
    for name, note, paths in listed:
        words = "".join(f"<li>{for_xml(path_words(path))}</li>" for path in paths)
        items.append(f"<h3><code>{for_xml(name)}</code> <small>{for_xml(note)}</small></h3><ul>{words}</ul>")
    missing = "".join(f"<li>{for_xml(text)}</li>" for text in unknown)
    body = [
        f'<h1 style="overflow-wrap:anywhere">{for_xml(title)}</h1>',
        f'<div style="overflow-x:auto">{_svg(graph)}</div>' if graph.nodes else "",
        "<p><small>A dashed arrow is only possible.</small></p>" if any(edge.dashed for edge in graph.edges) else "",
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


def _svg(graph: PathGraph) -> str:
    """The boxes in columns, one below the other, with arrows between them."""
    wrapped = [[part for line in node.lines for part in _parts(line)] for node in graph.nodes]
    top: dict[int, int] = {}
    below: dict[int, int] = {}
    for number, lines in enumerate(wrapped):
        column = graph.column[number]
        top[number] = below.get(column, _BETWEEN)
        below[column] = top[number] + len(lines) * _LINE + 12 + _BETWEEN
    width = max(graph.column.values()) * _ACROSS + _WIDTH + 20
    height = max(below.values())
    arrows = "".join(_arrow(edge, graph, top, wrapped) for edge in graph.edges)
    boxes = "".join(_box(node, graph.column[n] * _ACROSS + 10, top[n], wrapped[n]) for n, node in enumerate(graph.nodes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'style="max-width:100%;height:auto;min-width:{min(width, _LEAST)}px" '
        'font-family="sans-serif" font-size="12"><defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" style="fill:var(--dim)"/></marker></defs>'
        f"{arrows}{boxes}</svg>"
    )


def _parts(line: str) -> list[str]:
    return [line[at : at + _CHARACTERS] for at in range(0, len(line), _CHARACTERS)] or [""]


def _box(node: PathNode, x: int, y: int, lines: Sequence[str]) -> str:
    height = len(lines) * _LINE + 12
    texts = "".join(
        f'<text x="{x + 8}" y="{y + 18 + number * _LINE}" fill="#222">{for_xml(line)}</text>'
        for number, line in enumerate(lines)
    )
    return f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{height}" rx="5" fill="{_FILL[node.kind]}" stroke="#99a"/>{texts}'


def _arrow(edge: PathEdge, graph: PathGraph, top: dict[int, int], wrapped: Sequence[Sequence[str]]) -> str:
    x1, x2 = graph.column[edge.start] * _ACROSS + 10 + _WIDTH, graph.column[edge.end] * _ACROSS + 10
    y1, y2 = (top[n] + (len(wrapped[n]) * _LINE + 12) // 2 for n in (edge.start, edge.end))
    dash = ' stroke-dasharray="5 4"' if edge.dashed else ""
    bend = max(40, abs(x2 - x1) // 2)
    path = f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    # arrows that end in one box have their words near where they begin, so that these do not lie upon each other
    coming, going = (sum(getattr(other, end) == getattr(edge, end) for other in graph.edges) for end in ("end", "start"))
    part = 0.25 if coming > going else 0.75
    height = y1 + (y2 - y1) * (3 * part**2 - 2 * part**3)
    text = for_xml(_short(edge.label))
    label = (
        f'<text x="{(x1 + x2) // 2}" y="{height - 5:.0f}" text-anchor="middle" font-size="11" paint-order="stroke" '
        f'stroke-width="4" style="fill:var(--dim);stroke:Canvas">{text}</text>'
    )
    return f'<path d="{path}" fill="none" style="stroke:var(--dim)"{dash} marker-end="url(#a)"/>{label}'


def _short(label: str) -> str:
    return label if len(label) <= 40 else f"{label[:38]}.."
