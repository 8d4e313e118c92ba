"""Nothing is loaded that one of the systems lacks on which the tests run: Windows has neither signals nor users of Unix."""

import ast
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systems import uses_unix

ROOT = Path(__file__).parent.parent
FOLDERS = ("irsa_doctor", "playground", "tools", "tests", "conformance")
FILES = sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))
# https://docs.python.org/3/library/unix.html, and what has "Availability: Unix"
MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NAMES = {
    "os": {"fork", "geteuid", "getuid", "getgid", "killpg", "setsid", "mkfifo", "fchown", "sched_getaffinity", "O_NOFOLLOW"},
    "signal": {"SIGHUP", "SIGKILL", "SIGALRM", "SIGPROF", "SIGPIPE", "SIGCHLD", "setitimer", "alarm", "ITIMER_REAL"},
    "socket": {"AF_UNIX"},
}


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is loaded: all but the bodies of functions, whose decorators and defaults do run."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
                yield part
                yield from at_import(part)
        elif not isinstance(node, ast.Lambda):
            yield node
            yield from at_import(node)


def lacking(tree: ast.AST) -> list[str]:
    """What a module needs, as it is loaded, that Windows has not."""
    needs: list[str] = []
    for node in at_import(tree):
        if isinstance(node, ast.Import):
            needs += [alias.name for alias in node.names if alias.name in MODULES]
        elif isinstance(node, ast.ImportFrom):
            needs += [str(node.module)] if node.module in MODULES else []
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in NAMES.get(node.value.id, ()):
            needs.append(f"{node.value.id}.{node.attr}")
    return needs


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_needs_unix_to_be_loaded(path):
    assert lacking(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("import fcntl", ["fcntl"]),
        ("from resource import getrusage", ["resource"]),
        ("import os\nROOT = os.geteuid() == 0", ["os.geteuid"]),
        ("import os\n@mark(os.geteuid())\ndef f(): ...", ["os.geteuid"]),
        ("import signal\ndef f(n=signal.SIGHUP): ...", ["signal.SIGHUP"]),
        ("def f():\n    import fcntl\n    return os.fork()", []),
    ],
)
def test_what_is_lacking_is_seen(text, needs):
    assert lacking(ast.parse(text)) == needs


def with_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")


def with_a_file(tmp_path):
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")


def test_tests_that_windows_cannot_run_are_known_by_their_text():
    assert uses_unix(with_a_pipe)
    assert not uses_unix(with_a_file)


def test_the_names_are_names():
    assert all(hasattr(signal, name) for name in NAMES["signal"]) or not hasattr(signal, "SIGHUP")
