"""Reads accounts side by side, and ends in order when it is interrupted."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Generic, TypeVar

from irsa_doctor.sources.live.interruptions import held_back
from irsa_doctor.sources.live.programs import end_programs
from irsa_doctor.sources.snapshot.manifest import ManifestAccount

_T = TypeVar("_T")


class CollectionStages:
    """What people who wait see: how many accounts are read, and a call of one of them; once it is interrupted, that alone."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell, self._count, self._end = tell, "", ""

    def __call__(self, stage: str) -> None:
        """Show the stage of an account."""
        self._tell(self._end or (f"{self._count}; {stage}" if self._count else stage))

    def count(self, number: int, of_all: int) -> None:
        """Show how many accounts are read."""
        self._count = f"{number} of {of_all} accounts read"
        self._tell(self._end or self._count)

    def end(self, words: str) -> None:
        """Show nothing else from now on."""
        self._end = words
        self._tell(words)


class AccountTasks(Generic[_T]):
    """Reads accounts side by side. The first interruption cancels those that have not begun, the second one leaves those that
    are in progress; what has been read by then is kept in both cases."""

    def __init__(self, jobs: int) -> None:
        self._pool = ThreadPoolExecutor(jobs)
        self._accounts: dict[Future[_T], ManifestAccount] = {}

    def add(self, account: ManifestAccount, read: Callable[..., _T], *of_account: object) -> None:
        """Have an account read."""
        self._accounts[self._pool.submit(read, *of_account)] = account

    @property
    def number(self) -> int:
        """The number of accounts that have not ended."""
        return len(self._accounts)

    def run(self, note: Callable[[ManifestAccount, _T], object], tell: Callable[[str], object]) -> None:
        """Note every account as it ends. Raises what interrupted it, or went wrong first, at the end."""
        first: BaseException | None = None
        while waiting := [task for task in self._accounts if not task.cancelled()]:
            try:
                for task in wait(waiting, return_when=FIRST_COMPLETED).done:
                    self._take(task, note)
            except BaseException as error:  # noqa: BLE001 - an interruption, a full disk: what was read is kept
                if first is not None:
                    break
                first = error
                self._pool.shutdown(wait=False, cancel_futures=True)
                left = sum(not task.done() for task in self._accounts)
                tell(f"ending after {left} account{'s' * (left != 1)} in progress; Ctrl-C again leaves them out")
        self._pool.shutdown(wait=False, cancel_futures=True)
        if first is not None:
            self._take_rest(note)
            end_programs()
            raise first

    def _take(self, task: Future[_T], note: Callable[[ManifestAccount, _T], object]) -> None:
        with held_back():
            account = self._accounts.pop(task)
            note(account, task.result())

    def _take_rest(self, note: Callable[[ManifestAccount, _T], object]) -> None:
        """Note what has ended since."""
        ended = [task for task in self._accounts if task.done() and not task.cancelled() and task.exception() is None]
        with suppress(OSError):
            for task in ended:
                self._take(task, note)
