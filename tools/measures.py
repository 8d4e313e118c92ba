"""`python -m tools.measures`: the measures of the house (names, lengths, cycles), each with its limit."""

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_ROOT = Path(__file__).parent.parent
PACKAGE = _ROOT / "irsa_doctor"
_BESIDE = tuple(_ROOT / name for name in ("tests", "tools", "conformance", "playground"))
"""Python beside the package, of which the length of files alone is measured"""
RULES, CAUSES = _ROOT / "rules", _ROOT / "causes"

VAGUE = frozenset(["found", "given", "said", "told", "asked", "wanted", "one", "some", "here", "around", "beside"])
"""Participles and pronouns that do not name what they hold."""

LONG_FILE, LONG_FUNCTION = 400, 60
LONG_REASON = "# Long: "
"""How the first line of a file over the limit begins, with the reason after it."""

_ENTRANCES = frozenset(["app", "main"])
"""What typer runs, in each module that is run."""

Name = tuple[str, str]


class Limit(NamedTuple):
    """What a measure may come to: `goal` is the standard of the house, `ceiling` the most that passes today."""

    goal: float
    ceiling: float


LIMITS: Mapping[str, Limit] = {
    "vague identifiers, share in %": Limit(1, 1),
    "function length, median": Limit(7, 7),
    "function length, 90th percentile": Limit(20, 20),
    f"functions over {LONG_FUNCTION} lines": Limit(0, 0),
    f"files over {LONG_FILE} lines without a reason": Limit(0, 0),
    "import cycles": Limit(0, 0),
    "public names with two definitions": Limit(0, 0),
    "ids of causes in Python": Limit(0, 0),
}
"""Ceilings only ever fall. At its goal a measure stays there."""


class Measure(NamedTuple):
    """One measure: its value, and up to as many examples as help to mend it."""

    value: float
    examples: tuple[str, ...] = ()


def sources(folder: Path = PACKAGE) -> dict[str, ast.Module]:
    """The syntax tree of every module below the folder, by its path."""
    return {
        path.relative_to(folder.parent).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    }


def measured(folder: Path = PACKAGE) -> dict[str, Measure]:
    """Every measure of the table above, for the package in the folder."""
    trees = sources(folder)
    lengths = sorted(function_lengths(trees), key=lambda row: -row[0])
    values = [length for length, _ in lengths] or [0]
    results = (
        _vague(trees),
        Measure(statistics.median(values)),
        Measure(statistics.quantiles(values, n=10)[-1] if len(values) > 1 else values[0]),
        _counted(f"{name}: {length}" for length, name in lengths if length > LONG_FUNCTION),
        _counted(row for each in (folder, *(_BESIDE if folder == PACKAGE else ())) for row in long_files(each)),
        _counted(" -> ".join(cycle) for cycle in import_cycles(trees)),
        _counted(f"{name}: {', '.join(modules)}" for name, modules in collisions(trees).items()),
        _counted(cause_ids(trees, known_ids())),
    )
    return dict(zip(LIMITS, results, strict=True))


def _counted(examples: Iterable[str]) -> Measure:
    listed = tuple(examples)
    return Measure(len(listed), listed)


def _vague(trees: Mapping[str, ast.Module]) -> Measure:
    names = [(path, name) for path, tree in trees.items() for name in identifiers(tree)]
    vague = Counter(f"{path}: {name}" for path, name in names if name.strip("_") in VAGUE)
    share = 100 * vague.total() / max(len(names), 1)
    return Measure(share, tuple(f"{place} ({times})" for place, times in vague.most_common()))


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name that the module binds, once for each scope: functions, classes, parameters, variables, attributes."""
    bound: set[str] = set()
    for node in _in_scope(tree):
        bound.update(_bound_by(node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from identifiers(node)
    yield from sorted(bound | _parameters(tree))


def _in_scope(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without those of functions and classes within."""
    for child in ast.iter_child_nodes(tree):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _in_scope(child)


def _bound_by(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return {name}
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return {name}
        case ast.alias(asname=str(name)):
            return {name}
    return set()


def _parameters(tree: ast.AST) -> set[str]:
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return set()
    return {node.arg for node in ast.walk(tree.args) if isinstance(node, ast.arg)}


def function_lengths(trees: Mapping[str, ast.Module]) -> Iterator[tuple[int, str]]:
    """The lines of every function from `def` to its end, with the function's place."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, f"{path}:{node.lineno} {node.name}"


def long_files(folder: Path = PACKAGE) -> Iterator[str]:
    """Files over the limit whose first line gives no reason."""
    for path in sorted(folder.rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONG_FILE and not lines[0].startswith(LONG_REASON):
            yield f"{path.relative_to(folder.parent).as_posix()}: {len(lines)}"


def import_cycles(trees: Mapping[str, ast.Module]) -> list[tuple[str, ...]]:
    """Groups of modules that import one another, each in alphabetical order: at their top, inside functions, or for types."""
    modules = {module_name(path): tree for path, tree in trees.items()}
    graph = {name: {below for below in _imports(tree) if below in modules} - {name} for name, tree in modules.items()}
    # a package is made of its modules: to import one of them is not to import the whole
    graph = {name: {below for below in seen if not name.startswith(f"{below}.")} for name, seen in graph.items()}
    reached = {name: _reached(graph, name) for name in graph}
    groups = {tuple(sorted(other for other in graph if other in reached[name] and name in reached[other])) for name in graph}
    return sorted(group for group in groups if group)


def module_name(path: str) -> str:
    """`irsa_doctor/text/json.py` -> `irsa_doctor.text.json`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        below = graph[waiting.pop()] - reached
        reached |= below
        waiting += below
    return reached


def collisions(trees: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """Public names that several modules define, with these modules; commands and their options apart."""
    shared = _ENTRANCES | _commands(trees)
    places: dict[str, list[str]] = {}
    for path, tree in trees.items():
        if path.startswith("irsa_doctor/api/"):
            continue  # a function of the api is named for what it calls
        for name in sorted(set(_public(tree)) - shared):
            places.setdefault(name, []).append(module_name(path).removeprefix("irsa_doctor."))
    return {name: modules for name, modules in sorted(places.items()) if len(modules) > 1}


def _commands(trees: Mapping[str, ast.Module]) -> set[str]:
    """The commands: a module each in `cli`, with a function of its name. They are called so in every room that they pass."""
    stems = {path: Path(path).stem for path in trees if "/cli/" in path}
    return {stem for path, stem in stems.items() if stem in _public(trees[path])}


def _public(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        targets: list[Any] = [node]
        if isinstance(node, ast.Assign):
            targets = [] if _is_option(node.value) else node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        names = (str(getattr(target, "name", "") or getattr(target, "id", "_")) for target in targets)
        yield from (name for name in names if not name.startswith("_"))


def _is_option(value: ast.expr) -> bool:
    """Whether the value is `Annotated[...]`: a flag of one command, named like the flag."""
    return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name) and value.value.id == "Annotated"


def known_ids() -> frozenset[str]:
    """The ids of every rule and cause: the names of their files."""
    return frozenset(
        path.stem for folder in (RULES, CAUSES) for path in folder.rglob("*.yaml") if path.parent != RULES and "-" in path.stem
    )


def cause_ids(trees: Mapping[str, ast.Module], ids: frozenset[str]) -> Iterator[str]:
    """Every string of the code that is the id of a rule or a cause, with its place."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ids:
                yield f"{path}:{node.lineno}: {node.value}"


def main() -> int:
    """Print every measure; exit 1 where one exceeds its ceiling. With --all, every example too."""
    failed = False
    for name, measure in measured().items():
        limit = LIMITS[name]
        over = measure.value > limit.ceiling
        failed |= over
        print(f"{'FAIL' if over else 'ok  '} {name}: {measure.value:.3g} (goal {limit.goal:g}, ceiling {limit.ceiling:g})")
        for example in measure.examples if "--all" in sys.argv[1:] else measure.examples[:10] if over else ():
            print(f"     {example}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
