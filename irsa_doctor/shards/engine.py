"""Does tasks in processes of this machine: each in a copy of this process, which ends with it and gives all memory back."""

import gc
import os
import pickle
import selectors
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NoReturn, Protocol

import msgspec

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.limits import rearm

TRIES = 3
"""how often a task is tried whose process dies, the last time alone"""


class Failed(msgspec.Struct, frozen=True):
    """That a task could not be done, and why."""

    why: str


class Engine(Protocol):
    """What does tasks."""

    def done(self, work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Every task with what came of it, or Failed, in any order. Raises what the work raises of our own errors."""


class LocalEngine:
    """Processes of this machine, at most so many at a time."""

    def __init__(self, jobs: int) -> None:
        self._jobs = max(1, jobs)

    def done(self, work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """See Engine."""
        if not _may_copy():
            yield from ((task, work(task)) for task in tasks)
            return
        yield from _Pool(work, tasks, self._jobs).done()


def _may_copy() -> bool:
    """Whether a copy of this process is safe: a copy has one thread alone, and what another one has locked stays locked."""
    return sys.platform == "linux" and threading.active_count() == 1


class _Pool:
    def __init__(self, work: Callable[[Any], Any], tasks: Iterable[Any], jobs: int) -> None:
        self._work, self._jobs = work, jobs
        self._waiting = iter(tasks)
        self._again: deque[tuple[Any, int]] = deque()
        self._running: dict[int, _Process] = {}
        self._selector = selectors.DefaultSelector()

    def done(self) -> Iterator[tuple[Any, Any]]:
        try:
            while self._begin():
                for key, _ in self._selector.select():
                    process = self._running[key.fd]
                    if process.has_ended():
                        # before it is closed: a copy that began later has it open too
                        self._selector.unregister(key.fd)
                        del self._running[key.fd]
                        process.end()
                        yield from self._result(process)
        finally:
            for process in self._running.values():
                process.kill()
            self._selector.close()

    def _begin(self) -> bool:
        """Begin as many tasks as there may be; one whose process died twice is begun alone."""
        while len(self._running) < self._jobs:
            following = self._next()
            if following is None:
                break
            process = _Process(self._work, *following)
            self._selector.register(process.pipe, selectors.EVENT_READ)
            self._running[process.pipe] = process
            if process.tries >= TRIES:
                break
        return bool(self._running)

    def _next(self) -> tuple[Any, int] | None:
        if any(process.tries >= TRIES for process in self._running.values()):
            return None
        if self._again and (self._again[0][1] < TRIES or not self._running):
            return self._again.popleft()
        for task in self._waiting:
            return task, 1
        return None

    def _result(self, process: "_Process") -> Iterator[tuple[Any, Any]]:
        answer = process.answer()
        if answer is not None:
            yield process.task, _raised(answer)
        elif process.tries < TRIES:
            self._again.append((process.task, process.tries + 1))
        else:
            yield process.task, Failed(f"its process ended {TRIES} times: {process.end_in_words()}")


def _raised(answer: Any) -> Any:
    """What a task returned; what it raised is raised here."""
    if isinstance(answer, BaseException):
        raise answer
    return answer


class _Process:
    """A copy of this process that does one task."""

    def __init__(self, work: Callable[[Any], Any], task: Any, tries: int) -> None:
        self.task, self.tries = task, tries
        self._content = bytearray()
        self._status = 0
        self.pipe, answer = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            _do(work, task, answer)
        os.close(answer)

    def has_ended(self) -> bool:
        """Read what has come; whether there is no more to come."""
        content = os.read(self.pipe, 1 << 18)
        self._content += content
        return not content

    def end(self) -> None:
        """Note how it ended."""
        os.close(self.pipe)
        _, self._status = os.waitpid(self._process, 0)

    def answer(self) -> Any:
        """What the task returned or raised, None where its process died."""
        if self._status != 0:
            return None
        # it comes from a copy of this process, through a pipe that nobody else has
        return pickle.loads(self._content)  # noqa: S301

    def end_in_words(self) -> str:
        """How the process ended."""
        code = os.waitstatus_to_exitcode(self._status)
        return f"signal {-code}, for lack of memory perhaps" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End the process."""
        os.close(self.pipe)
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _do(work: Callable[[Any], Any], task: Any, answer: int) -> NoReturn:
    """Do a task, write what it returns, and end without anything that the end of a program does besides."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        rearm()
        # what it makes ends with it; to look for cycles would copy all that it has in common with the others
        gc.disable()
        content = pickle.dumps(_outcome(work, task), pickle.HIGHEST_PROTOCOL)
        with open(answer, "wb") as pipe:
            pipe.write(content)
        code = 0
    finally:
        os._exit(code)


def _outcome(work: Callable[[Any], Any], task: Any) -> Any:
    try:
        return work(task)
    except IrsaDoctorError as error:
        return error
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - an error of ours costs one unit
        return Failed(f"{type(error).__name__}: {error}")
