"""The limits of a run: how long it may take and how much memory it may need; what is reached is known everywhere."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import msgspec

from irsa_doctor.model.regex import regex

_T = TypeVar("_T")
MAX_SECONDS, MAX_MEMORY = 300.0, 2 << 30
"""what a run may take by default: seconds, and bytes of memory"""
_SIZE = regex(r"([0-9]{1,9})([KMGT]?)(?:i?B)?", re.IGNORECASE)
_TICK = 0.1
"""seconds between two looks at the memory"""
_GRACE = 4
"""part of a limit that is added once it is reached, so that what was read is judged, and what is judged is reported"""


def bytes_of(size: str) -> int | None:
    """The bytes of a size such as 512M, None where it is no size."""
    match = _SIZE.fullmatch(size.strip())
    return int(match[1]) << 10 * " KMGT".index(match[2].upper() or " ") if match else None


class RunLimit(msgspec.Struct, frozen=True):
    """That a limit of the run is reached, in words."""

    why: str


class _Reached(BaseException):
    """Ends work that may be given up; no handler of errors catches it."""


class _Watch:
    """The limits of one run. `is_over`: nothing more is begun; `may_end`: what is under way may be given up."""

    def __init__(self, seconds: float, memory: int) -> None:
        self.seconds, self.memory = seconds, memory
        self.until = time.monotonic() + seconds
        self.most = resident() + memory
        self.why = ""
        self.next_look = 0.0
        self.is_over = self.may_end = False

    def look(self) -> None:
        """Note whether a limit is reached."""
        if self.is_over:
            return
        now = time.monotonic()
        if now > self.until:
            self.end(f"the run reached its limit of {self.seconds:g} seconds (--max-seconds)")
        elif now > self.next_look:
            self.next_look = now + _TICK
            if resident() > self.most:
                self.end(f"the run reached its limit of {self.memory >> 20} MiB of memory (--max-memory)")

    def end(self, why: str) -> None:
        self.is_over, self.why = True, self.why or why

    def renew(self) -> None:
        if self.is_over:
            self.until = time.monotonic() + max(self.seconds / _GRACE, 1.0)
            self.most = resident() + self.memory // _GRACE
            self.is_over = False

    def interrupt(self) -> None:
        """End the work under way, where a limit is reached and `attempt` waits for it."""
        self.look()
        if self.is_over and self.may_end:
            self.may_end = False
            raise _Reached


_WATCH: ContextVar[_Watch | None] = ContextVar("watch", default=None)


def resident() -> int:
    """The bytes of memory that this process has, or at most had where the system says no more; 0 where it says nothing."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return _most_resident()


def _most_resident() -> int:
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@contextmanager
def limited(seconds: float, memory: int) -> Iterator[None]:
    """While the context lasts, a run may take so many seconds, and so many bytes of memory more than it has now.

    The limits are looked at between documents, between subjects and at the safe points of long work (`pause`); under `alarms`
    everywhere.
    """
    token = _WATCH.set(_Watch(seconds, memory))
    try:
        yield
    finally:
        _WATCH.reset(token)


@contextmanager
def alarms() -> Iterator[None]:
    """While the context lasts, an alarm of the system ends work at the limits, wherever it is.

    For programs, not for libraries: the alarm is one of the process. Outside of the main thread, and where the system has no
    timers, nothing happens.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda number, frame: pause())
    signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before if before is not None else signal.SIG_DFL)


def rearm() -> None:
    """Arm the alarm of `alarms` in a copy of the process, which has none of its own."""
    if hasattr(signal, "setitimer") and callable(signal.getsignal(signal.SIGALRM)):
        signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)


def pause() -> None:
    """End the work under way where the run reached a limit: a safe point of work that may take long."""
    if watch := _WATCH.get():
        watch.interrupt()


def reached() -> str:
    """Which limit of the run is reached, "" where none is: then nothing more is to be begun."""
    watch = _WATCH.get()
    if watch is None:
        return ""
    watch.look()
    return watch.why if watch.is_over else ""


def ever_reached() -> str:
    """Which limit the run has reached since it began, "" where none: `renew` does not undo it."""
    watch = _WATCH.get()
    return watch.why if watch else ""


def renew() -> None:
    """Grant a run that reached a limit some more of it, for the stages that make a report of what it has."""
    if watch := _WATCH.get():
        watch.renew()


def attempt(work: Callable[[], _T]) -> _T | RunLimit:
    """What a function returns, or the limit that the run reached before or meanwhile; then its work is given up halfway.

    Memory that is not to be had is a limit too.
    """
    watch = _WATCH.get()
    if watch is None:
        return work()
    if why := reached():
        return RunLimit(why)
    before = watch.may_end
    try:
        watch.may_end = True
        result = work()
        watch.may_end = before
    except _Reached:
        return RunLimit(watch.why)
    except MemoryError:
        watch.may_end = False
        return RunLimit("there was not enough memory")
    finally:
        watch.may_end = before
    return result
