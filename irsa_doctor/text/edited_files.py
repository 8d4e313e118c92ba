"""Writes edited files in the place of what was read: each is old or new at any moment, and keeps its mode and owner."""

import os
import stat
from contextlib import suppress
from typing import Literal

from irsa_doctor.text.open_flags import READ_NO_LINK, WRITE_NEW


class ChangedSince(OSError):
    """The file no longer has the bytes that were read."""


def barrier_to_edits(path: str, roots: list[str]) -> tuple[Literal["outside", "read-only"], str] | None:
    """Return (`outside` or `read-only`, why) where a file cannot be edited, None where it can.

    `roots` are the paths that may be edited. A link is followed: its target is edited where it lies below one of them.
    """
    target = os.path.realpath(path)
    if not any(target == root or target.startswith(root.rstrip(os.sep) + os.sep) for root in map(os.path.realpath, roots)):
        return "outside", f"{path} leads to {target}, which is not below the paths that were given"
    try:
        status = os.stat(target)
    except (OSError, ValueError) as error:
        return "read-only", f"{path}: {error.__class__.__name__}"
    if not stat.S_ISREG(status.st_mode):
        return "read-only", f"{path} is no regular file"
    if status.st_nlink > 1:
        return "read-only", f"{path} has {status.st_nlink} names (hard links), and only one of them would be edited"
    if not os.access(os.path.dirname(target), os.W_OK) or not os.access(target, os.W_OK):
        return "read-only", f"{path} or its folder is read-only"
    return None


def replace_bytes(path: str, old: bytes, new: bytes) -> None:
    """Write bytes in the place of those that were read, beside the file and then over it. Raises ChangedSince and OSError."""
    target = os.path.realpath(path)
    descriptor = os.open(target, READ_NO_LINK)
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or stream.read() != old:
            raise ChangedSince(f"{path} has changed since it was read")
    beside = os.path.join(os.path.dirname(target), f".irsa-doctor-{os.getpid()}-{os.urandom(6).hex()}")
    descriptor = os.open(beside, WRITE_NEW, 0o600)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(new)
            stream.flush()
            _give(descriptor, status)
            os.fsync(descriptor)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _give(descriptor: int, status: os.stat_result) -> None:
    """Give a file the owner and the permissions of the one that it replaces, where the system has any."""
    if hasattr(os, "fchown"):
        with suppress(OSError):
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
