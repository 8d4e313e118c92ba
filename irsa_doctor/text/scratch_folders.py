"""Folders for a while below that of temporary files, and those that runs left behind which were killed."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PREFIX = "irsa-doctor-"
_DAY = 86_400


def new_scratch_folder() -> str:
    """A new folder that only its owner may enter; the caller removes it. What killed runs have left is removed first."""
    remove_left_folders()
    return tempfile.mkdtemp(prefix=_PREFIX)


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A new folder that only its owner may enter, until the context ends."""
    folder = new_scratch_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders() -> None:
    """Remove the folders of this user that runs left behind more than a day ago, in which nothing was written since.

    Links and what belongs to somebody else stay, and what cannot be removed does.
    """
    try:
        entries = list(os.scandir(tempfile.gettempdir()))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(_PREFIX) and _is_left(entry.path):
            shutil.rmtree(entry.path, ignore_errors=True)


def _is_left(folder: str) -> bool:
    try:
        status = os.lstat(folder)
        is_own = stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())
        if not is_own:
            return False
        newest = max([status.st_mtime, *(entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(folder))])
        return newest < time.time() - _DAY
    except OSError:
        return False
