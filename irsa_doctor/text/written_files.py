"""Writes the files that a user names: whole or not at all, and never through a link.

A work tree belongs to whoever wrote the change: a link in it, in the place of a report, would lead what is written elsewhere.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from irsa_doctor.model.regex import regex
from irsa_doctor.text.named_files import special_file
from irsa_doctor.text.open_flags import WRITE_NEW

_STREAMS = regex(r"/dev/(?:stdout|stderr|null|tty|fd/\d{1,9})|/proc/self/fd/\d{1,9}")


class NotWritable(OSError):
    """A path that is not written to; the text says why."""


def refuse_target(path: str) -> None:
    """Raise an OSError where a path is not one that is written to: nothing yet, a regular file, or one of the streams below
    /dev that are written through."""
    if _STREAMS.fullmatch(path):
        return
    if link := _link_above(path):
        raise NotWritable(f"{link} is a link, and nothing is written through links")
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        if os.path.dirname(os.path.abspath(path)) == "/dev":
            raise NotWritable("there is no such device") from None
        return
    if stat.S_ISLNK(mode):
        raise NotWritable("a link, and nothing is written through links")
    if stat.S_ISDIR(mode):
        raise NotWritable("it is a folder")
    if what := special_file(mode):
        raise NotWritable(f"{what}, and not a file")


def write_whole(content: bytes, path: str, *, private: bool = False) -> None:
    """Write a file whole or not at all: what was there stays until all of the new is on the disk. Raises OSError.

    `private`: its owner alone may read it, from its first moment on.
    """
    write_pieces((content,), path, private=private)


def write_pieces(pieces: Iterable[bytes], path: str, *, private: bool = False) -> None:
    """Write a file as `write_whole` does, from pieces that need not be in memory together. Raises OSError."""
    refuse_target(path)
    if _STREAMS.fullmatch(path):
        with open(path, "wb") as stream:
            stream.writelines(pieces)
        return
    beside = os.path.join(os.path.dirname(path), f".irsa-doctor-{os.getpid()}-{os.urandom(6).hex()}")
    descriptor = os.open(beside, WRITE_NEW, 0o600 if private else 0o666)
    try:
        with open(descriptor, "wb") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        refuse_target(path)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _link_above(path: str) -> str:
    """The first folder of a path that is a link, from the top of the work tree or the current folder down; "" where none is."""
    top, target = _top(), Path(os.path.abspath(path))
    if not target.is_relative_to(top):
        return ""
    above = [folder for folder in target.parents if folder != top and folder.is_relative_to(top)]
    return next((os.path.relpath(folder) for folder in reversed(above) if folder.is_symlink()), "")


def _top() -> Path:
    """The nearest folder upwards that has an entry `.git`, else the current one."""
    current = Path.cwd()
    return next((folder for folder in (current, *current.parents) if os.path.lexists(folder / ".git")), current)
