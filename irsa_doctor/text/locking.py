"""One process at a time: a file that whoever writes to a store keeps locked."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from irsa_doctor.text.open_flags import NO_LINK, NO_WAIT

_PATIENCE = 2.0
"""seconds in which a lock may become free: the system needs a while to end a process that was killed"""


class FileHeld(Exception):
    """Another process has the lock; its text names it."""


@contextmanager
def locked(path: str) -> Iterator[None]:
    """While the context lasts, no other process has the lock. Raises FileHeld, and OSError where the file cannot be made."""
    lock = _taken(path)
    _LOCKS.add(lock)
    try:
        with suppress(OSError):  # on a full disk there is no name of the holder, and there is the lock
            os.ftruncate(lock, 0)
            os.write(lock, f"process {os.getpid()}".encode())
        yield
    finally:
        with suppress(OSError):
            os.unlink(path)
        _LOCKS.discard(lock)
        os.close(lock)


def _taken(path: str) -> int:
    until = time.monotonic() + _PATIENCE
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | NO_WAIT | NO_LINK, 0o600)
        if _is_free(lock) and _is_at(path, lock):
            return lock
        holder = b""
        with suppress(OSError):
            holder = os.read(lock, 200)
        os.close(lock)
        if time.monotonic() > until:
            raise FileHeld(holder.decode(errors="replace").strip() or "another process")
        time.sleep(0.02)


def _is_free(lock: int) -> bool:
    """Whether nobody else has a lock; then this process has it."""
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows: the transaction of SQLite alone keeps others out
        return True
    except OSError:
        return False
    return True


def _is_at(path: str, lock: int) -> bool:
    """Whether an open file is still the one at a path: whoever had the lock before removes it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(lock))
    except FileNotFoundError:
        return False


_LOCKS: set[int] = set()


def _leave() -> None:
    """Close what a copy of the process has of locks: through it, a lock would outlive the process that took it."""
    for lock in _LOCKS:
        os.close(lock)
    _LOCKS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave)
