"""The tree is the architecture: imports run one way, and start-up stays lean."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "irsa_doctor"

# what each part may import of ours, beside itself
BELOW = {
    "version": set(),
    "model": set(),
    "text": {"model"},
    "issuers": {"model"},
    "trust": {"model", "text", "issuers"},
    "authorisation": {"model"},
    "sources": {"model", "text", "issuers", "version"},
    "facts": {"model", "issuers", "trust", "authorisation"},
    "remedies": {"model", "text", "issuers", "trust", "facts"},
    "rulebook": {"model", "text", "facts", "remedies"},
    "governance": {"model", "text", "issuers", "facts", "rulebook"},
    "store": {"model", "text"},
    "answers": {
        "model",
        "text",
        "issuers",
        "trust",
        "authorisation",
        "remedies",
        "facts",
        "rulebook",
        "governance",
        "sources",
        "version",
    },
    "reports": {
        "model",
        "text",
        "issuers",
        "trust",
        "authorisation",
        "sources",
        "facts",
        "rulebook",
        "governance",
        "answers",
        "store",
        "version",
    },
    "shards": {"model", "text", "sources", "facts", "rulebook", "governance", "answers", "store", "reports", "version"},
    "api": {
        *("model", "text", "issuers", "trust", "sources", "facts", "rulebook", "governance", "answers", "store", "reports"),
        "shards",
    },
    "agents": {"api", "version"},
    "cli": {"api", "agents", "version"},  # the api is what they call, and nothing else of ours
}
# the rooms inside rooms
INNER = {
    "answers/audit",
    "answers/check",
    "answers/fix",
    "answers/intents",
    "answers/intents/dialects",
    "answers/reach",
    "answers/why",
    "answers/why/clouds",
    "answers/why/evidence",
    "answers/why/links",
    "facts/clouds",
    "facts/grants",
    "facts/inputs",
    "facts/lifetimes",
    "facts/lookups",
    "facts/providers",
    "facts/reach",
    "facts/roles",
    "facts/service_accounts",
    "facts/shards",
    "facts/workloads",
    "reports/evidence",
    "remedies/edits",
    "remedies/proposals",
    "rulebook/frameworks",
    "sources/documents",
    "sources/documents/clouds",
    "sources/files",
    "sources/intents",
    "sources/joining",
    "sources/live",
    "sources/snapshot",
    "sources/templates",
    "sources/templates/cloudformation",
    "sources/templates/controllers",
    "sources/templates/terraform",
    "trust/clouds",
}
# folders with data and no modules
DATA = {"schemas", "_rules", "_causes"}
LOOSE = {"__init__", "__main__", "version"}
# what does not hold yet; an entry that is no longer needed fails
TO_MEND: dict[str, set[str]] = {}
HEAVY = {
    "boto3",
    "botocore",
    "rich",
    "jsonschema",
    "yaml",
    "lightkube",
    "cryptography",
    "jwt",
    "tree_sitter",
    "tree_sitter_hcl",
    "lark",
}


# modules of ours that derive a class from a slow one, and so are slow themselves
HEAVY_MODULES = {"irsa_doctor.text.yaml_in_python": {"yaml"}, "irsa_doctor.text.yaml_anchors": {"yaml"}}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path, *, inside: bool = True) -> Iterator[str]:
    """Modules imported, inside functions as well; not those for the type checker alone."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not inside:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


MODULES = dict(modules())


def test_every_package_is_a_room_that_is_known_here() -> None:
    packages = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py")} - {"."}
    assert packages <= BELOW.keys() | INNER
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= BELOW.keys() | DATA


def test_every_room_is_a_package() -> None:
    missing = {room for room in BELOW.keys() | INNER if not (ROOT / room).is_dir()}
    assert missing <= LOOSE


def test_no_module_lies_loose_at_the_top() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} <= LOOSE


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) in BELOW])
def test_a_layer_sees_only_what_stands_before_it(module: str) -> None:
    own = part_of(module)
    seen = {part_of(name) for name in imports(MODULES[module]) if name.startswith("irsa_doctor.")}
    assert seen - {own} - BELOW[own] == TO_MEND.get(module, set())


def test_answers_are_worked_out_without_reading_files_or_live_sources() -> None:
    parsing = "irsa_doctor.sources.documents.policies"
    loading = {
        module
        for module, path in MODULES.items()
        if part_of(module) == "answers"
        for name in imports(path)
        if name.startswith("irsa_doctor.sources") and not name.startswith(parsing)
    }
    # the examples of rules are documents in memory, which are loaded like anybody's
    assert loading <= {"irsa_doctor.answers.check.examples"}


def test_nothing_but_the_command_line_and_the_server_for_agents_calls_the_api() -> None:
    callers = {
        part_of(module) for module, path in MODULES.items() if any(name.startswith("irsa_doctor.api") for name in imports(path))
    }
    assert callers == {"", "api", "agents", "cli"}


def test_nothing_but_the_command_line_knows_the_command_line() -> None:
    knowing = {
        module
        for module, path in MODULES.items()
        if part_of(module) != "cli" and any(name.startswith(("irsa_doctor.cli", "typer")) for name in imports(path))
    }
    assert knowing <= {"irsa_doctor.__main__"}


@pytest.mark.parametrize("module", MODULES)
def test_what_is_slow_to_import_is_imported_where_it_is_used(module: str) -> None:
    at_once = set(imports(MODULES[module], inside=False))
    assert not at_once & set(HEAVY_MODULES)
    assert not {name.partition(".")[0] for name in at_once} & (HEAVY - HEAVY_MODULES.get(module, set()))


@pytest.mark.parametrize("call", [["--version"], ["check", "--help"]])
def test_start_up_loads_nothing_that_it_does_not_need(call: list[str]) -> None:
    code = (
        "import sys; sys.argv[1:] = sys.argv[2:]\n"
        "from irsa_doctor.cli import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)), sep=',')"
    )
    run = subprocess.run([sys.executable, "-c", code, "-", *call], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == ""
