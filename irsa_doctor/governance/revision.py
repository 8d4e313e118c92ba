"""Files as they were at a git revision, read from the repository without touching the work tree."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence

from irsa_doctor.model.errors import IrsaDoctorError

_LIMIT = 256 << 20


class NoRevision(IrsaDoctorError):
    """The revision or repository is not there; the text is git's own first line."""


def files_at(revision: str, paths: Sequence[str], folder: str = ".") -> Mapping[str, bytes]:
    """Path, as it would be given from `folder`, -> content of every regular file below `paths` at a revision.

    Raises NoRevision. Links and submodules are left out.
    """
    # a revision that begins with a dash would be an option
    if revision.startswith("-"):
        raise NoRevision(f"{revision}: no revision of git")
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}", what=revision)
    listing = _git(folder, "ls-tree", "-r", "-z", "--long", commit.decode().strip(), "--", *(paths or ["."]), what=revision)
    wanted = [entry for line in listing.split(b"\0") if line and (entry := _entry(line))]
    if sum(size for _, _, size in wanted) > _LIMIT:
        raise NoRevision(f"{revision}: more than {_LIMIT >> 20} MiB of files; name the folders that matter")
    return dict(_contents(folder, wanted, revision))


def top_of(folder: str) -> str:
    """The top folder of the repository that a folder is in. Raises NoRevision."""
    return os.fsdecode(_git(folder, "rev-parse", "--show-toplevel", what=folder).rstrip(b"\n"))


def _entry(line: bytes) -> tuple[str, str, int] | None:
    """(object, path, size in bytes) of a regular file."""
    meta, _, path = line.partition(b"\t")
    mode, kind, ident, size = meta.split()
    return (ident.decode(), os.fsdecode(path), int(size)) if kind == b"blob" and mode != b"120000" else None


def _contents(folder: str, wanted: Iterable[tuple[str, str, int]], revision: str) -> Iterable[tuple[str, bytes]]:
    wanted = list(wanted)
    asked = "".join(f"{ident}\n" for ident, _, _ in wanted).encode()
    answer = _git(folder, "cat-file", "--batch", what=revision, stdin=asked)
    at = 0
    for _, path, _ in wanted:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield path, answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _git(folder: str, *arguments: str, what: str, stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and nothing of the repository is run
            ["git", "-C", folder, "-c", "core.fsmonitor=false", *arguments],  # noqa: S607 - the user's own git
            input=stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise NoRevision("git is not installed") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoRevision(f"{what}: {said[0] if said else 'no revision of this repository'}")
    return done.stdout
