"""Files as they were at a git revision, read from the repository without touching the work tree."""

import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.nearness import suggestion
from irsa_doctor.text.os_errors import os_error_reason

_LIMIT = 256 << 20


class NoRevision(IrsaDoctorError):
    """The revision or repository does not exist, or git cannot read it: one sentence."""


def files_at(revision: str, paths: Sequence[str], folder: str = ".") -> Mapping[str, bytes]:
    """Path, as it would be given from `folder`, -> content of every regular file below `paths` at a revision.

    Raises NoRevision. Links are left out; files of a submodule are those of the commit that the revision has of it, none where
    the submodule is not checked out.
    """
    commit = _commit(revision, folder)
    listing = _git(folder, "ls-tree", "-r", "-z", "--long", commit, "--", *(paths or ["."]), what=revision)
    lines = [line for line in listing.split(b"\0") if line]
    wanted = [entry for line in lines if (entry := _entry(line))]
    if sum(size for _, _, size in wanted) > _LIMIT:
        raise NoRevision(f"{revision}: more than {_LIMIT >> 20} MiB of files; name the folders that matter")
    files = dict(_contents(folder, wanted, revision))
    for commit_of, path in filter(None, map(_submodule, lines)):
        files |= _files_of_submodule(os.path.join(folder, path), commit_of, path)
    return files


def entries_at(revision: str, way: str, top: str, *, recursive: bool = False) -> list[tuple[str, str, str]]:
    """(mode, object, path) of what a revision has at a way from the top, or of all below it. Raises NoRevision."""
    commit = _commit(revision, top)
    listing = _git(top, "ls-tree", *(["-r"] if recursive else []), "-z", commit, "--", way, what=revision)
    rows = (line.partition(b"\t") for line in listing.split(b"\0") if line)
    return [(*_mode_and_object(meta), os.fsdecode(path)) for meta, _, path in rows]


def _mode_and_object(meta: bytes) -> tuple[str, str]:
    mode, _, ident = meta.decode().split()
    return mode, ident


def blob_of(ident: str, top: str) -> bytes:
    """The content of an object. Raises NoRevision."""
    return _git(top, "cat-file", "blob", ident, what=ident)


def _submodule(line: bytes) -> tuple[str, str] | None:
    """(commit, path) of a submodule."""
    meta, _, path = line.partition(b"\t")
    mode, _, commit, _ = meta.split()
    return (commit.decode(), os.fsdecode(path)) if mode == b"160000" else None


def _files_of_submodule(folder: str, commit: str, path: str) -> dict[str, bytes]:
    if not os.path.lexists(os.path.join(folder, ".git")):
        return {}
    return {os.path.join(path, inner): content for inner, content in files_at(commit, ["."], folder).items()}


def ways_at(revision: str, paths: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The top folder of the repository of some paths, and the way of each path from there.

    A path that leads through a link is followed unless the revision has it as it is written: a link that a change puts in the
    place of a folder hides nothing. Raises NoRevision where a path is in no repository, or in another than the first.
    """
    tops = [os.path.realpath(top_of(nearest_folder(path))) for path in paths]
    if other := next((path for path, top in zip(paths, tops, strict=True) if top != tops[0]), None):
        raise NoRevision(f"{other}: not in the repository {tops[0]}")
    commit = _commit(revision, tops[0])
    return tops[0], tuple(_way(path, tops[0], commit) for path in paths)


def has_at(revision: str, path: str) -> bool:
    """Whether a revision has a file or folder. Raises NoRevision."""
    top, (way,) = ways_at(revision, [path])
    return way == "." or _has(_commit(revision, top), way, top)


def is_at(revision: str, way: str, top: str) -> bool:
    """Whether a revision has a file, folder, link or submodule at a way from the top of the repository."""
    return way == "." or bool(_git(top, "ls-tree", "-z", _commit(revision, top), "--", way, what=revision))


def _way(path: str, top: str, commit: str) -> str:
    written = os.path.relpath(os.path.abspath(path), top)
    if written == "." or (not written.startswith("..") and _has(commit, written, top)):
        return written
    return os.path.relpath(os.path.realpath(path), top)


def _has(commit: str, way: str, top: str) -> bool:
    """Whether a commit has a file or folder that is not a link."""
    entry = _git(top, "ls-tree", "-z", commit, "--", way, what=commit)
    return bool(entry) and not entry.startswith(b"120000")


def nearest_folder(path: str) -> str:
    """The folder of a path, or the nearest parent that exists: the path may have been deleted."""
    place = os.path.realpath(path)
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    return place


def _commit(revision: str, folder: str) -> str:
    # a revision that begins with a dash would be an option
    if not revision or revision.startswith("-"):
        raise NoRevision(f"{revision or 'an empty name'}: not a git revision")
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    return _git(folder, *arguments, what=revision).decode().strip()


def top_of(folder: str) -> str:
    """The top folder of the repository that a folder is in. Raises NoRevision."""
    top = _top(folder)
    if top is None:
        raise NoRevision(f"{folder}: {_NO_REPOSITORY}")
    return top


def _top(folder: str) -> str | None:
    """The nearest folder upwards that has an entry `.git`. Git itself would also take a folder of the work tree that a change
    has made to look like a bare repository, and its configuration may name programs."""
    place = Path(os.path.realpath(folder))
    return next((str(parent) for parent in (place, *place.parents) if os.path.lexists(parent / ".git")), None)


_NO_REPOSITORY = "not in a git repository with a work tree"


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


_SETTINGS = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
    "core.alternateRefsCommand=",
    "diff.external=",
)
"""no program of a repository runs: git-config(1), protected configuration"""
_ENVIRONMENT = {
    # `protocol.ext.allow=always` of a repository goes before `protocol.allow`, this before both
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    # a ref below refs/replace would put another revision in the place of the base: git-replace(1)
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}
_KEPT = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})
_SECONDS = 30


def _git(folder: str, *arguments: str, what: str, stdin: bytes = b"") -> bytes:
    """What git prints, of the repository whose work tree the folder is in and no other. Raises NoRevision."""
    top = top_of(folder)
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    command = ["git", "-C", folder, f"--git-dir={os.path.join(top, '.git')}", f"--work-tree={top}", "--literal-pathspecs"]
    for setting in _SETTINGS:
        command += ["-c", setting]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and nothing of the repository is run
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env={**own, **_ENVIRONMENT},
            timeout=_SECONDS,
        )
    except FileNotFoundError as error:
        raise NoRevision("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise NoRevision(f"{what}: git {arguments[0]} did not answer within {_SECONDS} s") from error
    except (OSError, ValueError) as error:
        raise NoRevision(f"git cannot be run: {os_error_reason(error)}") from error
    if done.returncode:
        raise NoRevision(f"{what}: {_why_not(folder, arguments[0], done.returncode, what)}")
    return done.stdout


def _why_not(folder: str, command: str, status: int, what: str) -> str:
    """Why git did not answer. Its own sentences change with its version and the language of the user."""
    if command == "rev-parse" and status == 1:
        return f"no such revision in this repository{_what_instead(folder, what)}"
    return f"git {command} failed (exit {status}): git -C {shlex.quote(folder)} status shows why"


def _what_instead(folder: str, revision: str) -> str:
    """What to do about a revision that is not there: a range has two, and a shallow clone lacks those before its first."""
    if ".." in revision:
        return ": it is a range, give one revision, such as $(git merge-base main HEAD)"
    names = _git(folder, "for-each-ref", "--format=%(refname:short)", what=revision).decode(errors="replace").split("\n")
    if elsewhere := [name for name in names if name.endswith(f"/{revision}")]:
        return f'. Did you mean "{elsewhere[0]}"?'
    if not set("~^@") & set(revision) and (hint := suggestion(revision, ["HEAD", *filter(None, names)])):
        return f".{hint}"
    if _git(folder, "rev-parse", "--is-shallow-repository", what=revision).strip() == b"true":
        return ", which is a shallow clone: git fetch --unshallow (in GitHub Actions fetch-depth: 0)"
    return ""
