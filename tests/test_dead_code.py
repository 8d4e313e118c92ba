"""What nobody uses is deleted."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = [path.read_text(encoding="utf-8") for room in ("irsa_doctor", "tools") for path in (ROOT / room).rglob("*.py")]
CALLED_BY_LIBRARIES = {
    "handle_starttag": "html.parser",
    "scan_block_scalar_indicators": "PyYAML",
    "scan_plain_spaces": "PyYAML",
    "sync_auth_flow": "httpx",
}
_BY_FORMAT = re.compile(r"render_[a-z]+|[a-z]+_pieces")
"""the functions of reports, which the name of a format leads to"""


def definitions(tree: ast.AST) -> Iterator[str]:
    """Names of functions, methods and classes, but for those that a decorator registers somewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            registered = any(isinstance(decorator, ast.Call) for decorator in node.decorator_list)
            if not registered and not re.fullmatch(r"__\w+__", node.name):
                yield node.name


def test_what_is_defined_is_used():
    mentions = Counter(word for text in SOURCES for word in re.findall(r"\w+", text))
    unused = {name for text in SOURCES for name in definitions(ast.parse(text)) if mentions[name] == 1}
    assert {name for name in unused if not _BY_FORMAT.fullmatch(name)} == CALLED_BY_LIBRARIES.keys()
