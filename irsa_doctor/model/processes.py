"""Work divided among processes, each a copy of this one: what was read before is there without being sent."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Generic, NoReturn, TypeVar

from irsa_doctor.model.limits import rearm

_Result = TypeVar("_Result")
_Item = TypeVar("_Item")


def processors() -> int:
    """How many processes may run at a time: 1 where a copy of this one is not safe, because others share it."""
    # a copy has one thread alone: what another one has locked stays locked. macOS forbids its libraries, Windows has no copies
    alone = threading.active_count() == 1 and threading.current_thread() is threading.main_thread()
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" and alone else 1


def shares_of(items: Sequence[_Item], most: int, worth: int) -> list[Sequence[_Item]]:
    """Some items in as many shares, of neighbours, as may be worked on at a time: at most so many, and each of as many items as
    are worth the beginning of a process; one share where that is all."""
    number = min(most, len(items) // worth)
    if number < 2 or (number := min(number, processors())) < 2:
        return [items]
    ends = [len(items) * share // number for share in range(number + 1)]
    return [items[begin:end] for begin, end in pairwise(ends)]


def in_processes(tasks: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """What each task returns, which can be pickled: the first is done here, each other one in a process of its own.

    What a process does not bring to its end is done again here, so that its error is raised here.
    """
    here, *others = tasks
    copies = [_Copy(task) for task in others]
    try:
        return [here(), *(copy.result() for copy in copies)]
    finally:
        for copy in copies:
            copy.end()


class _Copy(Generic[_Result]):
    """A copy of this process that does one task."""

    def __init__(self, task: Callable[[], _Result]) -> None:
        self._task = task
        answers, answer = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            _work(task, answer)
        os.close(answer)
        self._answers = open(answers, "rb")  # noqa: SIM115 - closed by `end`

    def result(self) -> _Result:
        """What the task returns."""
        import pickle

        try:
            # it comes from a copy of this process, through a pipe that nobody else has
            result: _Result = pickle.load(self._answers)  # noqa: S301
        except (EOFError, pickle.UnpicklingError):
            return self._task()
        return result

    def end(self) -> None:
        """End the process, whether it is done or not."""
        self._answers.close()
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _work(task: Callable[[], object], answer: int) -> NoReturn:
    """Do a task, write what it returns, and end without anything that the end of a program does besides."""
    import pickle

    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        rearm()
        result = pickle.dumps(task(), pickle.HIGHEST_PROTOCOL)
        with open(answer, "wb") as pipe:
            pipe.write(result)
        code = 0
    finally:
        os._exit(code)
