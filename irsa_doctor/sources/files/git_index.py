"""Reads which files a repository of git tracks: what is tracked is never ignored, whatever `.gitignore` says."""

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from irsa_doctor.text.open_flags import READ

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
        paths = [os.path.join(top, path) for path in _entries(top)]
    except (OSError, ValueError, IndexError):
        paths = []
    folders: set[str] = set()
    for path in paths:
        folder = os.path.dirname(path)
        while folder not in folders and len(folder) > len(top):
            folders.add(folder)
            folder = os.path.dirname(folder)
    return Tracked(frozenset(paths), frozenset(folders))


def uncommitted(contents: Mapping[str, bytes]) -> int | None:
    """How many files have other bytes (given by path) than the index of their repository, None where none is in one.

    What is not tracked counts. Line ends do not: git may write them as the system has them.
    """
    entries: dict[str, Mapping[str, bytes]] = {}
    differing = [_differs(path, content, top, entries) for path, content in contents.items() if (top := _top_of(path))]
    return sum(differing) if differing else None


def _top_of(path: str) -> str:
    """The nearest folder above a file that is a repository, "" where there is none."""
    folder = os.path.dirname(os.path.realpath(path))
    while not os.path.exists(os.path.join(folder, ".git")):
        if folder == (folder := os.path.dirname(folder)):
            return ""
    return folder


def _differs(path: str, content: bytes, top: str, entries: dict[str, Mapping[str, bytes]]) -> bool:
    if top not in entries:
        try:
            entries[top] = _entries(top)
        except (OSError, ValueError, IndexError):
            entries[top] = {}
    known = entries[top].get(os.path.relpath(os.path.realpath(path), top).replace(os.sep, "/"), b"")
    algorithm = "sha256" if len(known) > _SHA1 else "sha1"
    return known not in {_id_of(text, algorithm) for text in (content, content.replace(b"\r\n", b"\n"))}


_SHA1 = 20


def _id_of(content: bytes, algorithm: str) -> bytes:
    """The object id of a file (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()


def _entries(top: str) -> Mapping[str, bytes]:
    """The paths of the index of a repository with their object ids. Raises OSError, ValueError and IndexError."""
    content = _regular(os.path.join(_git_folder(top), "index"))
    return _ids(content, _bytes_of_ids(_git_folder(top)))


def _git_folder(top: str) -> str:
    """`.git`, or where a worktree's file of that name leads."""
    path = os.path.join(top, ".git")
    if os.path.isdir(path):
        return path
    first = _regular(path).decode().partition("\n")[0]
    return os.path.join(top, first.removeprefix("gitdir:").strip())


def _regular(path: str) -> bytes:
    descriptor = os.open(path, READ)
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


def _ids(content: bytes, ids: int) -> Mapping[str, bytes]:
    """The object ids of an index of version 2, 3 or 4 by path, of so many bytes. Raises ValueError for any other."""
    version, count = int.from_bytes(content[4:8]), int.from_bytes(content[8:12])
    if content[:4] != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("not an index")
    entries: dict[str, bytes] = {}
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
        entries[os.fsdecode(before)] = content[at + _FIXED - 2 : at + fixed - 2]
        # entries of older versions are padded to a multiple of eight bytes, with one zero at least
        at = end + 1 if version == 4 else at + ((end - at) // 8 + 1) * 8
    return entries


def _number(content: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends (as OFS_DELTA of pack files has them)."""
    value = content[at] & 0x7F
    while content[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (content[at] & 0x7F)
    return value, at + 1
