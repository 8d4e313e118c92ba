"""Runs calls side by side within a time limit, and collects their answers."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

import msgspec

from irsa_doctor.model import Gap
from irsa_doctor.sources.snapshot.snapshot import Answered, AnswerKind, Origin, Query, Snapshot, snapshot_of, without_secrets

_Item = TypeVar("_Item")
AT_ONCE = 8
"""Calls that are under way at the same time: enough to hide the way there, too few to be throttled for it."""


def shortened(text: str) -> str:
    """Return a message of another program in one line of at most 300 characters, without secrets."""
    line = " ".join(without_secrets(text.encode(errors="replace")).decode(errors="replace").split())
    return line if len(line) <= 300 else line[:300] + " ..."


class Clock:
    """The time that is left for all calls together, and the limit of each."""

    def __init__(self, whole: float, each: float) -> None:
        self.whole = whole
        self.each = each
        self._end = time.monotonic() + whole

    def left(self) -> float:
        """Seconds, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def next(self) -> float:
        """Seconds that the next call may take."""
        return min(self.each, self.left())


class Notes:
    """The answers so far. Calls note them from their threads; answers after the end are dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._documents: dict[str, Answered] = {}
        self._queries: set[Query] = set()
        self._gaps: set[Gap] = set()

    def answered(self, path: str, kind: AnswerKind, document: object, origin: Origin) -> None:
        """A document of the kind that was requested; a second one of its path takes the place of the first."""
        text = document if isinstance(document, msgspec.Raw) else msgspec.Raw(encoded(document))
        with self._lock:
            if not self._ended:
                self._documents[path] = Answered(path=path, origin=origin, kind=kind, document=text)

    def requested(self, collection: str, owner: str, name: str) -> None:
        """Note an object that was requested by name, and is among the documents or does not exist."""
        with self._lock:
            if not self._ended:
                self._queries.add(Query(collection, owner, name))

    def gap(self, gap: Gap) -> None:
        """Note what could not be read."""
        with self._lock:
            if not self._ended:
                self._gaps.add(gap)

    def rename(self, clusters: Mapping[str, str]) -> None:
        """Replace the names of clusters by better ones."""
        with self._lock:
            for path, answered in self._documents.items():
                if better := clusters.get(answered.origin.cluster):
                    origin = msgspec.structs.replace(answered.origin, cluster=better)
                    self._documents[path] = msgspec.structs.replace(answered, origin=origin)
            self._queries = {
                msgspec.structs.replace(query, owner=clusters.get(query.owner, query.owner)) for query in self._queries
            }
            self._gaps = {msgspec.structs.replace(gap, owner=clusters.get(gap.owner, gap.owner)) for gap in self._gaps}

    def snapshot(self, *, version: str, taken: str) -> Snapshot:
        """Return all answers up to now."""
        with self._lock:
            return snapshot_of(self._documents.values(), self._queries, self._gaps, version=version, taken=taken)

    def end(self) -> None:
        """Drop later answers: a late call must not change a result that was returned."""
        with self._lock:
            self._ended = True


def encoded(document: object) -> bytes:
    """A document as JSON; whole numbers of any size, and members in the order in which they were answered."""
    try:
        return msgspec.json.encode(document)
    except (OverflowError, msgspec.MsgspecError, TypeError, ValueError):
        import json

        return json.dumps(document, ensure_ascii=True, default=str).encode()


def first_of_each(items: Iterable[_Item], key: Callable[[_Item], str]) -> list[_Item]:
    """The first item of each key, in order."""
    by_key: dict[str, _Item] = {}
    for item in items:
        by_key.setdefault(key(item), item)
    return list(by_key.values())


class Job(msgspec.Struct, frozen=True):
    """One call or a chain of calls, and what to note if it does not end in time."""

    run: Callable[[], None]
    late: Gap


def side_by_side(jobs: Iterable[Job], clock: Clock, notes: Notes) -> None:
    """Run all jobs, some at a time, until they are done or the time is up.

    Threads that are still waiting then are left behind: they are daemons, and their notes are not taken. An exception in a
    job is one in our own code, and is raised here.
    """
    waiting: SimpleQueue[tuple[int, Job]] = SimpleQueue()
    queued = list(jobs)
    for numbered in enumerate(queued):
        waiting.put(numbered)
    done: SimpleQueue[tuple[int, BaseException | None]] = SimpleQueue()

    def work() -> None:
        while True:
            try:
                number, job = waiting.get_nowait()
            except Empty:
                return
            try:
                job.run()
            except BaseException as error:  # noqa: BLE001 - it is raised again where the result is waited for
                done.put((number, error))
            else:
                done.put((number, None))

    for _ in range(min(AT_ONCE, len(queued))):
        threading.Thread(target=work, daemon=True).start()
    _wait(queued, done, clock, notes)


def _wait(jobs: Sequence[Job], done: "SimpleQueue[tuple[int, BaseException | None]]", clock: Clock, notes: Notes) -> None:
    open_jobs = dict(enumerate(jobs))
    while open_jobs:
        try:
            # the time of a call may be up a moment after that of the whole: let it say so itself
            number, error = done.get(timeout=clock.left() + 0.25)
        except Empty:
            break
        if error is not None:
            raise error
        del open_jobs[number]
    for job in open_jobs.values():
        notes.gap(job.late)
