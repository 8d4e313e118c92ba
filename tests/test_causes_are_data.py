"""What a cause is stands in its file: no module of ours names one."""

import ast
from collections.abc import Iterator
from pathlib import Path

from irsa_doctor.rulebook.causes import all_causes
from irsa_doctor.rulebook.rules import shipped_rules

ROOT = Path(__file__).parent.parent / "irsa_doctor"
# the examples of the help are of real ids
EXAMPLES = {"cli/help.py"}


def named(path: Path) -> Iterator[str]:
    """The words of every text of a module but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documented:
            yield from node.value.split()


def test_no_module_names_a_rule_or_a_cause():
    ids = {rule.id for rule in shipped_rules()} | set(all_causes())
    naming = {str(path.relative_to(ROOT)): ids & set(named(path)) for path in ROOT.rglob("*.py")}
    assert {path: found for path, found in naming.items() if found and path not in EXAMPLES} == {}
