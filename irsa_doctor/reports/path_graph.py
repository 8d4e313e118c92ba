"""The picture of paths as nodes in columns and edges between them, before any format draws it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.answers.reach.records import ReachPath, ReachSubject
from irsa_doctor.reports.reach import subject_words

_NAMES = 6
"""subjects or service accounts that a node names"""
_ROUNDS = 6


class PathNode(msgspec.Struct, frozen=True):
    """A box: its kind (`subject`, `identity`, `account`, `role`) and its lines."""

    kind: str
    lines: tuple[str, ...]


class PathEdge(msgspec.Struct, frozen=True):
    """An arrow between two nodes, by their numbers; `dashed`: it is only possible."""

    start: int
    end: int
    label: str
    dashed: bool = False


class PathGraph(msgspec.Struct, frozen=True):
    """Nodes with their columns, and edges; `left_out` is the number of rows that it does not show."""

    nodes: tuple[PathNode, ...]
    column: Mapping[int, int]
    edges: tuple[PathEdge, ...]
    left_out: int = 0


class _Drawing:
    def __init__(self) -> None:
        self.nodes: dict[PathNode, int] = {}
        self.column: dict[int, int] = {}
        self.edges: dict[tuple[int, int], dict[str, bool]] = {}

    def node(self, node: PathNode, column: int) -> int:
        number = self.nodes.setdefault(node, len(self.nodes))
        self.column[number] = max(column, self.column.get(number, 0))
        return number

    def edge(self, start: int, end: int, label: str, *, dashed: bool) -> None:
        kinds = self.edges.setdefault((start, end), {})
        kinds[label] = dashed and kinds.get(label, True)


def graph_of(paths: Iterable[tuple[ReachSubject, str, Sequence[ReachPath]]], most: int) -> PathGraph:
    """The picture of the paths of subjects to roles: (subject, id of the role, paths), subjects with the same paths in one box,
    at most so many boxes of subjects."""
    drawing = _Drawing()
    groups: dict[tuple[object, ...], list[tuple[ReachSubject, str, Sequence[ReachPath]]]] = {}
    for row in paths:
        groups.setdefault((row[1], *map(_drawn, row[2])), []).append(row)
    for rows in list(groups.values())[:most]:
        _, role, listed = rows[0]
        start = drawing.node(PathNode("subject", _some(subject_words(row[0], short=True) for row in rows)), 0)
        for path in listed:
            _draw(drawing, start, role, path)
        if not listed:
            end = drawing.node(PathNode("role", (role,)), 1)
            drawing.edge(start, end, "is admitted", dashed=False)
    edges = tuple(
        PathEdge(start, end, ", ".join(kinds), all(kinds.values())) for (start, end), kinds in sorted(drawing.edges.items())
    )
    _order(drawing.column, edges)
    last = max(drawing.column.values(), default=0)
    column = {number: last if node.kind == "role" else drawing.column[number] for node, number in drawing.nodes.items()}
    return PathGraph(tuple(drawing.nodes), column, edges, sum(map(len, list(groups.values())[most:])))


def _order(column: dict[int, int], edges: Sequence[PathEdge]) -> None:
    """Move what an arrow leads to behind where it begins; of a circle one arrow leads back."""
    for _ in range(_ROUNDS):
        behind = [edge for edge in edges if column[edge.end] <= column[edge.start]]
        for edge in behind:
            column[edge.end] = column[edge.start] + 1
        if not behind:
            return


def _drawn(path: ReachPath) -> tuple[object, ...]:
    """What the picture shows of a path."""
    return path.kind, path.certainty == "possible", path.namespace, path.service_accounts, path.via


def _draw(drawing: _Drawing, start: int, role: str, path: ReachPath) -> None:
    dashed = path.certainty == "possible"
    at = start
    for depth, step in enumerate(path.via, start=1):
        node = drawing.node(PathNode("identity", (subject_words(step.subject, short=True),)), depth)
        if node != at:
            drawing.edge(at, node, step.kind, dashed=dashed)
        at = node
    account = drawing.node(PathNode("account", _account_lines(path)), len(path.via) + 1)
    if account != at:
        drawing.edge(at, account, path.kind, dashed=dashed)
    drawing.edge(account, drawing.node(PathNode("role", (role,)), len(path.via) + 2), "admitted", dashed=False)


def _account_lines(path: ReachPath) -> tuple[str, ...]:
    if not path.service_accounts:
        return (f"a new account in {path.namespace}" if path.namespace else "a new namespace",)
    return _some(account.split("/", 1)[-1] for account in path.service_accounts)


def _some(names: Iterable[str]) -> tuple[str, ...]:
    """The lines of a box with several names."""
    listed = list(names)
    more = (f"and {len(listed) - _NAMES} more",) if len(listed) > _NAMES else ()
    return (*listed[:_NAMES], *more)
