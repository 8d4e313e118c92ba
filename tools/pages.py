"""The generated parts of the documentation: outputs, files, the tables of rules, causes and functions."""

import ast
import atexit
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from irsa_doctor.reports.rule_page import severity_of
from irsa_doctor.rulebook.cause_files import read_cause_files
from irsa_doctor.rulebook.files import read_rules
from irsa_doctor.rulebook.rules import SUBJECTS, Graded, Rule, Values, vocabulary
from tools import demo

ROOT = Path(__file__).parent.parent

_BLOCK = re.compile(r"<!-- (?P<kind>output|file|demo): (?P<what>[^\n]*?) -->\n```(?P<language>\w+)\n.*?```\n", re.DOTALL)
_TABLE = re.compile(r"<!-- (?P<name>rules|causes|api|facts) -->\n.*?<!-- /(?P=name) -->\n", re.DOTALL)
_READERS = 3
"""rules of a fact that its row names"""
_HEAD = re.compile(r"(?P<command>.*) \| head -n (?P<lines>[0-9]+)")


def pages() -> Iterator[tuple[Path, bytes]]:
    """Every page of the documentation with what it should contain."""
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        yield path, page_of(path.read_text(encoding="utf-8")).encode()


def page_of(text: str) -> str:
    """A page with its outputs, files and tables as they are now."""
    return _TABLE.sub(_table, _BLOCK.sub(_block, text))


def _block(match: re.Match[str]) -> str:
    kind, what, language = match["kind"], match["what"], match["language"]
    if kind == "file":
        body = (ROOT / what).read_text(encoding="utf-8")
    else:
        body = f"$ {what}\n{output_of(what) if kind == 'output' else output_of_demo(what)}"
    return f"<!-- {kind}: {what} -->\n```{language}\n{body}```\n"


@cache
def _demo() -> Path:
    """A folder with the made-up organisation and the store of its three audits."""
    folder = Path(tempfile.mkdtemp(prefix="irsa-doctor-demo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    demo.write(folder)
    for run, as_of in enumerate(demo.RUNS, 1):
        how = f"--as-of {as_of} --max-age 400d --config irsa-doctor.toml --store audit.db --output run-{run}.txt"
        output_of(f"irsa-doctor audit run run-{run} {how}", folder)
    return folder


def output_of_demo(command: str) -> str:
    """What a command prints beside the store of the demo; hashes, which hold the time of the run, are cut."""
    return re.sub("sha256:[0-9a-f]{64}", "sha256:...", output_of(command, _demo()))


def output_of(command: str, folder: Path = ROOT) -> str:
    """What a command prints at the top of the repository or in a folder, 100 columns wide, without colour; `| head -n N` may
    follow it."""
    head = _HEAD.fullmatch(command)
    name, *arguments = shlex.split(head["command"] if head else command)
    if name != "irsa-doctor":
        raise ValueError(f"{command}: only irsa-doctor is run for a page")
    plain = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "TERM")}
    done = subprocess.run(  # noqa: S603 - our own pages
        [sys.executable, "-m", "irsa_doctor", *arguments],
        cwd=folder,
        env={**plain, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise ValueError(f"{command}: exit {done.returncode}: {done.stderr.decode()}")
    lines = done.stdout.decode().splitlines()[: int(head["lines"]) if head else None]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _table(match: re.Match[str]) -> str:
    name = match["name"]
    return f"<!-- {name} -->\n{_TABLES[name]()}<!-- /{name} -->\n"


def _rows(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _rules() -> str:
    rules = sorted(read_rules(ROOT / "rules"), key=lambda rule: (rule.family, rule.id))
    rows = ((f"[`{rule.id}`](../rules/{rule.family}/{rule.id}.yaml)", severity_of(rule), rule.title) for rule in rules)
    return _rows(("rule", "severity", "what it finds"), rows)


def _causes() -> str:
    causes = sorted((file.cause for file in read_cause_files(ROOT / "causes")), key=lambda cause: cause.id)
    return _rows(("cause", "what it is"), ((f"[`{cause.id}`](../causes/{cause.id}.yaml)", cause.title) for cause in causes))


def _functions() -> str:
    """The functions that `irsa_doctor` exports, each with the first sentence of its docstring."""
    import irsa_doctor

    exported = ((name, getattr(irsa_doctor, name)) for name in sorted(irsa_doctor.__all__))
    functions = ((name, value) for name, value in exported if inspect.isfunction(value))
    return _rows(("function", "what it does"), ((f"`{name}`", _sentence(value)) for name, value in functions))


def _sentence(function: Callable[..., object]) -> str:
    source = inspect.getdoc(function) or ""
    return re.split(r"(?<=\.)\s|\n\n", source, maxsplit=1)[0].replace("\n", " ").removesuffix(".").replace("|", "\\|")


def _facts() -> str:
    """The facts of every subject kind, each with its values, what it means, and the rules that read it."""
    rules = read_rules(ROOT / "rules")
    return "\n".join(f"## {kind}\n\n{_record(record)}\n{_facts_of(kind, record, rules)}" for kind, record in SUBJECTS.items())


def _record(record: type) -> str:
    return " ".join((inspect.getdoc(record) or "").split()) + "\n"


def _facts_of(kind: str, record: type, rules: Sequence[Rule]) -> str:
    meanings = _field_docstrings(record)
    rows = (
        (f"`{fact}`", _values(values), meanings.get(fact, ""), _readers(kind, fact, rules))
        for fact, values in vocabulary(kind).items()
    )
    return _rows(("fact", "values", "what it means", "what rules find by it"), rows)


def _values(values: Values) -> str:
    kinds = ["true, false"] * values.truth + ["a number"] * values.number
    return ", ".join([*kinds, *(f"`{word}`" for word in values.words)])


def _readers(kind: str, fact: str, rules: Sequence[Rule]) -> str:
    """The first rules that read a fact, with their titles."""
    reading = [rule for rule in rules if kind in rule.subject and fact in _read_by(rule)]
    shown = [f"{rule.title} ([{rule.id}](../rules/{rule.family}/{rule.id}.yaml))" for rule in reading[:_READERS]]
    return "; ".join([*shown, *([f"{len(reading) - _READERS} more"] if len(reading) > _READERS else [])])


def _read_by(rule: Rule) -> set[str]:
    graded = {rule.severity.fact} if isinstance(rule.severity, Graded) else set()
    return {*rule.when, *(fact for clause in rule.require for fact in clause.facts), *graded}


def _field_docstrings(record: type) -> dict[str, str]:
    """The docstrings behind the fields of a record, by field."""
    body = ast.parse(textwrap.dedent(inspect.getsource(record))).body[0].body  # type: ignore[attr-defined]
    pairs = ((field.target.id, node.value.value) for field, node in pairwise(body) if _is_docstring(field, node))
    return {name: " ".join(text.split()).replace("|", "\\|") for name, text in pairs}


def _is_docstring(field: ast.stmt, node: ast.stmt) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return is_text and isinstance(field, ast.AnnAssign)


_TABLES: dict[str, Callable[[], str]] = {"rules": _rules, "causes": _causes, "api": _functions, "facts": _facts}
