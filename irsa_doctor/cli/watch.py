"""`check --watch`: runs a command again whenever the files that it reads change."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from irsa_doctor.cli.output import print_note, print_text

_PAUSE = 0.4
"""seconds between two looks at the files"""
_SHARE = 4
"""a look that takes long is followed by a pause this many times as long"""
_PASSED_OVER = frozenset({"node_modules", "__pycache__"})
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"

FileStates = dict[str, tuple[int, int]]
"""path -> time of the last change, size"""


def watch(arguments: Sequence[str], paths: Sequence[str], written: Iterable[str]) -> NoReturn:
    """Run the program with arguments, and again after each change of the paths, until it is interrupted.

    Each run is a process of its own, so that nothing is remembered. What the runs write themselves is no change. A run starts
    when the files have been at rest for a moment; one that is half-written all the same is reported, and read again.
    """
    own = {os.path.abspath(file) for file in written}
    while True:
        before = _states(paths, own)
        if sys.stdout.isatty():
            print_text(_CLEAR)
        subprocess.run([sys.executable, "-m", "irsa_doctor", *arguments], stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - this program
        count = f"{len(before)} file{'s' * (len(before) != 1)}"
        print_note(f"watching {count}; Ctrl-C ends")
        _await_change(paths, own, before)


def _await_change(paths: Sequence[str], own: set[str], before: FileStates) -> None:
    """Return when the files differ from before and have been at rest since the last look."""
    last = before
    while True:
        begin = time.monotonic()
        now = _states(paths, own)
        if now != before and now == last:
            return
        last = now
        time.sleep(max(_PAUSE, _SHARE * (time.monotonic() - begin)))


def _states(paths: Sequence[str], own: set[str]) -> FileStates:
    """The state of every file at the paths and below, but for our own."""
    states: FileStates = {}
    for path in _files(paths):
        try:
            state = os.stat(path)
        except OSError:
            continue  # gone since, or a link to nothing
        if os.path.abspath(path) not in own:
            states[path] = (state.st_mtime_ns, state.st_size)
    return states


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if not os.path.isdir(path):
            yield path
        for folder, inner, names in os.walk(path):
            inner[:] = [name for name in inner if not name.startswith(".") and name not in _PASSED_OVER]
            yield from (os.path.join(folder, name) for name in names)
