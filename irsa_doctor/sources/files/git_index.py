"""Reads which files a repository of git tracks: what is tracked is never ignored, whatever `.gitignore` says."""

import os
import re
import stat
from contextlib import suppress

import msgspec

_LARGEST = 256 << 20
_FIXED = 42
"""Bytes of an entry before its path, beside the object id (https://git-scm.com/docs/index-format)"""
_EXTENDED = 0x4000


class Tracked(msgspec.Struct, frozen=True):
    """The tracked files of a repository and the folders that hold any, by absolute path."""

    files: frozenset[str]
    folders: frozenset[str]


def tracked(top: str) -> Tracked:
    """The files that the index of a repository at a folder lists, none where it has no index that can be read."""
    try:
        content = _regular(os.path.join(_git_folder(top), "index"))
        paths = [os.path.join(top, path) for path in _paths(content, _bytes_of_ids(_git_folder(top)))]
    except (OSError, ValueError, IndexError):
        paths = []
    folders: set[str] = set()
    for path in paths:
        folder = os.path.dirname(path)
        while folder not in folders and len(folder) > len(top):
            folders.add(folder)
            folder = os.path.dirname(folder)
    return Tracked(frozenset(paths), frozenset(folders))


def _git_folder(top: str) -> str:
    """`.git`, or where a worktree's file of that name leads."""
    path = os.path.join(top, ".git")
    if os.path.isdir(path):
        return path
    first = _regular(path).decode().partition("\n")[0]
    return os.path.join(top, first.removeprefix("gitdir:").strip())


def _regular(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            raise ValueError(path)
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            return stream.read()
    finally:
        os.close(descriptor)


def _bytes_of_ids(git: str) -> int:
    """How long object ids are, by `extensions.objectFormat` (git-config(1)); a worktree has that of its repository."""
    with suppress(OSError, ValueError):
        common = os.path.join(git, _regular(os.path.join(git, "commondir")).decode().strip())
        return _bytes_of_ids(common) if common != git else 20
    with suppress(OSError, ValueError):
        return 32 if re.search(rb"(?im)^\s*objectformat\s*=\s*sha256\b", _regular(os.path.join(git, "config"))) else 20
    return 20


def _paths(content: bytes, ids: int) -> list[str]:
    """The paths of an index of version 2, 3 or 4, with object ids of so many bytes. Raises ValueError for any other."""
    version, count = int.from_bytes(content[4:8]), int.from_bytes(content[8:12])
    if content[:4] != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("not an index")
    paths: list[str] = []
    at, before = 12, b""
    for _ in range(min(count, len(content) // _FIXED)):
        fixed = _FIXED + ids
        flags = int.from_bytes(content[at + fixed - 2 : at + fixed])
        start = at + fixed + (2 if version > 2 and flags & _EXTENDED else 0)
        kept = b""
        if version == 4:
            cut, start = _number(content, start)
            kept = before[: max(0, len(before) - cut)]
        end = content.index(b"\0", start)
        before = kept + content[start:end]
        paths.append(os.fsdecode(before))
        # entries of older versions are padded to a multiple of eight bytes, with one zero at least
        at = end + 1 if version == 4 else at + ((end - at) // 8 + 1) * 8
    return paths


def _number(content: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends (as OFS_DELTA of pack files has them)."""
    value = content[at] & 0x7F
    while content[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (content[at] & 0x7F)
    return value, at + 1
