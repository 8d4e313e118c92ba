"""The paths of a call, and standard input."""

import os
import re
import shlex
from collections.abc import Sequence

from irsa_doctor.cli.wrong import wrong

_EMPTY = "an empty path; is a variable of the shell not set?"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://")


def input_paths(paths: Sequence[str] | None, live: object) -> list[str]:
    """The paths of the call; none are needed where something is read live."""
    if not paths and live is None:
        raise wrong("nothing to look at: give files or folders, or --live")
    return expanded(paths or ())


def checked_paths(paths: Sequence[str] | None, live: object) -> list[str]:
    """The paths of the call; without any, and nothing read live, the current folder. A rule in place of a path is a wrong
    call."""
    absent = [path for path in paths or () if re.fullmatch(r"[a-z]+(?:-[a-z0-9]+)+", path) and not os.path.lexists(path)]
    if absent:
        from irsa_doctor.api import list_rules

        rules = {rule.id for rule in list_rules()}
        if rule := next((path for path in absent if path in rules), None):
            raise wrong(f"{rule} is a rule, not a path; --select and --ignore take a list: A,{rule}")
    return expanded(paths or (() if live is not None else (".",)))


def expanded(paths: Sequence[str]) -> list[str]:
    """The paths, with `~` and patterns that no shell has expanded, such as those in quotes, replaced by what they mean.

    A path that exists is itself; a pattern that matches nothing stays as it is, so that it is reported. A URL is a wrong call.
    """
    if "" in paths:
        raise wrong(_EMPTY)
    if url := next((path for path in paths if _URL.match(path) and not os.path.lexists(path)), None):
        raise wrong(f"{url}: a URL is not read; download it, or pipe it to -")
    return [
        path for written in paths for path in ([written] if written == "-" or os.path.lexists(written) else _meant(written))
    ]


def _meant(path: str) -> list[str]:
    if path == "-" or os.path.lexists(path):
        return [path]
    home = os.path.expanduser(path)
    if not any(character in home for character in "*?["):
        return [home]
    from glob import glob

    return sorted(glob(home, recursive=True)) or [path]


def check_existing(paths: Sequence[str]) -> None:
    """A wrong call where a path does not exist."""
    if "" in paths:
        raise wrong(_EMPTY)
    if absent := next((path for path in paths if path != "-" and not os.path.lexists(path)), None):
        raise wrong(f"{absent}: no such file or folder.{nearest_path(absent)}")


def nearest_path(path: str) -> str:
    """The nearest name in the folder of a path that is not there, as a question with a space before it, or ""."""
    from irsa_doctor import api

    folder, name = os.path.split(os.path.normpath(path))
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return ""
    hint = api.suggestion(os.path.join(folder, name), [os.path.join(folder, other) for other in names])
    slashed = path.replace("\\", "/")
    parts = path.split(",")
    if len(parts) > 1 and all(map(os.path.lexists, parts)):
        return f" Did you mean: {shlex.join(parts)}?"
    return hint or (f' Did you mean "{slashed}"?' if slashed != path and os.path.exists(slashed) else "")


def check_name_first(command: str, name: str, paths: Sequence[str]) -> None:
    """A wrong call where the name that a command takes first stands behind its paths."""
    if paths and os.path.isdir(name) and not os.path.lexists(paths[-1]) and paths[-1] != "-":
        call = shlex.join(["irsa-doctor", command, paths[-1], name, *paths[:-1]])
        raise wrong(f"{paths[-1]}: no such file or folder. Did you mean: {call}")
