"""The paths of a call, and standard input."""

import os
import sys
from collections.abc import Sequence

from irsa_doctor.cli.wrong import wrong


def input_paths(paths: Sequence[str] | None, live: object) -> list[str]:
    """The paths of the call; none are needed where something is read live."""
    if not paths and live is None:
        raise wrong("nothing to look at: give files or folders, or --live")
    return list(paths or ())


def nearest_path(path: str) -> str:
    """The nearest name in the folder of a path that is not there, as a question with a space before it, or ""."""
    from irsa_doctor import api

    folder, name = os.path.split(os.path.normpath(path))
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return ""
    return api.suggestion(os.path.join(folder, name), [os.path.join(folder, other) for other in names])


def read_stdin(paths: Sequence[str]) -> bytes | None:
    """Standard input where `-` is among the paths."""
    return sys.stdin.buffer.read() if "-" in paths else None
