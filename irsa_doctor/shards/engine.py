"""Does tasks in processes of this machine: copies of this process, each replaced when its tasks have left too much behind."""

import ctypes
import gc
import os
import pickle
import selectors
import signal
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NoReturn, Protocol

import msgspec

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.limits import rearm, resident

TRIES = 3
"""how often a task is tried whose process dies, the last time alone"""
_TIDIED, _MOST = 16 << 20, 28 << 20
"""bytes that tasks may leave behind before a process looks for what is not in use any more, since it did so last, and before it
is replaced"""


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
    """Processes that do tasks one after the other: what one has worked out once is there for its next task."""

    def __init__(self, work: Callable[[Any], Any], tasks: Iterable[Any], jobs: int) -> None:
        self._work, self._jobs = work, jobs
        self._waiting = iter(tasks)
        self._again: deque[tuple[Any, int]] = deque()
        self._idle: list[_Process] = []
        self._running: dict[int, _Process] = {}
        self._selector = selectors.DefaultSelector()

    def done(self) -> Iterator[tuple[Any, Any]]:
        try:
            while self._begin():
                for key, _ in self._selector.select():
                    process = self._running[key.fd]
                    if process.has_answered():
                        # before it is closed: the system may give its number to another pipe
                        self._selector.unregister(key.fd)
                        del self._running[key.fd]
                        came = list(self._result(process))
                        self._begin()  # it does its next task while somebody looks at what came
                        yield from came
        finally:
            for process in (*self._running.values(), *self._idle):
                process.kill()
            self._selector.close()

    def _begin(self) -> bool:
        """Begin as many tasks as there may be; one whose process died twice is begun alone."""
        while len(self._running) < self._jobs:
            following = self._next()
            if following is None:
                break
            process = self._idle.pop() if self._idle else self._new()
            process.begin(*following)
            self._selector.register(process.answers, selectors.EVENT_READ)
            self._running[process.answers] = process
            if process.tries >= TRIES:
                break
        return bool(self._running)

    def _new(self) -> "_Process":
        others = (*self._running.values(), *self._idle)
        return _Process(self._work, [pipe for other in others for pipe in (other.tasks, other.answers)])

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
        if process.goes_on:
            self._idle.append(process)
        else:
            process.end()
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


_HEAD = struct.Struct("!?Q")
"""before an answer: whether the process takes another task, and the number of its bytes"""


class _Process:
    """A copy of this process that does tasks; `others` are the pipes of other copies, which it must not hold open."""

    def __init__(self, work: Callable[[Any], Any], others: Iterable[int]) -> None:
        self.task: Any = None
        self.tries = 0
        self.goes_on = False
        self._content = bytearray()
        self._status = 0
        tasks, self.tasks = os.pipe()
        self.answers, answers = os.pipe()
        parent = os.getpid()
        self._process = os.fork()
        if self._process == 0:
            for pipe in (self.tasks, self.answers, *others):
                os.close(pipe)
            _serve(work, tasks, answers, parent)
        os.close(tasks)
        os.close(answers)

    def begin(self, task: Any, tries: int) -> None:
        """Have a task done."""
        self.task, self.tries, self.goes_on = task, tries, False
        self._content.clear()
        content = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
        with suppress(BrokenPipeError):  # it has died, as its other pipe tells
            _write(self.tasks, len(content).to_bytes(8, "big") + content)

    def has_answered(self) -> bool:
        """Read what has come; whether the answer is whole, or there is no more to come."""
        content = os.read(self.answers, 1 << 18)
        self._content += content
        return not content or (len(self._content) >= _HEAD.size and len(self._content) >= _HEAD.size + self._head()[1])

    def _head(self) -> tuple[bool, int]:
        goes_on, size = _HEAD.unpack_from(self._content)
        return goes_on, size

    def answer(self) -> Any:
        """What the task returned or raised, None where its process died."""
        if len(self._content) < _HEAD.size or len(self._content) < _HEAD.size + self._head()[1]:
            return None
        self.goes_on = self._head()[0]
        # it comes from a copy of this process, through a pipe that nobody else has
        answer = pickle.loads(memoryview(self._content)[_HEAD.size :])  # noqa: S301
        self._content = bytearray()
        return answer

    def end(self) -> None:
        """Wait for its end, and note how it ended."""
        os.close(self.tasks)
        os.close(self.answers)
        _, self._status = os.waitpid(self._process, 0)

    def end_in_words(self) -> str:
        """How the process ended."""
        code = os.waitstatus_to_exitcode(self._status)
        return f"signal {-code}, for lack of memory perhaps" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End the process."""
        os.close(self.tasks)
        os.close(self.answers)
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _write(pipe: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _ends_with_parent(parent: int) -> None:
    """Have the system end this process with the one that it is a copy of (prctl(2)): whatever ends that one, nothing stays
    that still reads its index."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def _serve(work: Callable[[Any], Any], tasks: int, answers: int, parent: int) -> NoReturn:
    """Do tasks until no more come, and end without anything that the end of a program does besides."""
    code = 1
    try:
        _ends_with_parent(parent)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        rearm()
        # to look for cycles in what it has in common with the others would copy all of it
        gc.freeze()
        gc.disable()
        room = _Room()
        with open(tasks, "rb") as pipe:
            while size := pipe.read(8):
                content = _content(work, pipe.read(int.from_bytes(size, "big")))
                goes_on = room.is_left()
                _write(answers, _HEAD.pack(goes_on, len(content)) + content)
                if not goes_on:
                    break
        code = 0
    finally:
        os._exit(code)


def _content(work: Callable[[Any], Any], task: bytes) -> bytes:
    """What a task returns, as bytes."""
    return pickle.dumps(_outcome(work, pickle.loads(task)), pickle.HIGHEST_PROTOCOL)  # noqa: S301 - from the process it is a copy of


class _Room:
    """How much memory tasks have left behind."""

    def __init__(self) -> None:
        self._first = self._tidied = resident()

    def is_left(self) -> bool:
        """Whether another task may be done: what the last ones have left is not much, or can be given back."""
        if resident() > self._tidied + _TIDIED:
            gc.collect()
            self._tidied = resident()
        return resident() < self._first + _MOST


def _outcome(work: Callable[[Any], Any], task: Any) -> Any:
    try:
        return work(task)
    except IrsaDoctorError as error:
        return error
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - an error of ours costs one unit
        return Failed(f"{type(error).__name__}: {error}")
