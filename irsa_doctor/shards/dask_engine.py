"""Does tasks on the workers of a Dask scheduler (extra `irsa-doctor[dask]`), which see the same folders as this process, or
get what is in them."""

import atexit
import hashlib
import os
import sys
from asyncio import CancelledError
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from shutil import rmtree
from typing import Any

import msgspec

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.shards.engine import TRIES, Failed
from irsa_doctor.shards.tasks import UnitQuestion
from irsa_doctor.shards.units import AuditError, Unit
from irsa_doctor.text.scratch_folders import new_scratch_folder
from irsa_doctor.version import __version__

_WAIT = 30
"""seconds in which a scheduler has to answer"""


class DaskEngine:
    """The workers of a scheduler, through a client of `dask.distributed`."""

    def __init__(self, client: Any, *, ships: bool = False) -> None:
        self._client = client
        self._ships = ships

    def done(self, work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """See Engine. A worker that dies costs a retry; a task that costs several workers has failed."""
        waiting = list(tasks)
        call = _Call(work, "" if self._ships else os.getcwd(), *(_index_of(work) if self._ships else ("", b"")))
        for _ in range(TRIES):
            lost = []
            for task, came in self._sent(call, waiting) if waiting else ():
                if isinstance(came, _Lost):
                    lost.append(task)
                else:
                    yield task, came
            waiting = lost
        yield from ((task, Failed("the workers or the scheduler died with it")) for task in waiting)

    def _sent(self, call: "_Call", tasks: list[Any]) -> Iterator[tuple[Any, Any]]:
        """Tasks with what came of them, _Lost where what they need, or their results, died with a worker."""
        import distributed

        as_completed: Any = distributed.as_completed
        futures: dict[Any, Any] = {}
        try:
            sent = self._client.scatter(call, broadcast=True)
            for task in tasks:
                content = _shipped(task) if self._ships else task
                futures[self._client.submit(_done, sent, content, retries=TRIES, pure=False)] = task
        except IrsaDoctorError:
            raise
        except Exception:  # noqa: BLE001 - a scheduler hands on whatever went wrong with a worker that just died
            yield from ((task, _Lost()) for task in tasks)
            return
        try:
            for future in as_completed(list(futures), loop=self._client.loop):
                yield futures.pop(future), _outcome(future)
        finally:
            with suppress(Exception):  # the scheduler may be gone
                self._client.cancel(list(futures))


class _Lost(msgspec.Struct, frozen=True):
    """That a task is neither done nor at fault: what it needs, or its result, died with a worker."""


class _Call(msgspec.Struct, frozen=True):
    """What is done with every task: the work, the folder of the call, and the index where workers cannot read it. It is no
    tuple, of which Dask would send every member by itself."""

    work: Callable[[Any], Any]
    folder: str
    digest: str
    content: bytes


def _done(call: _Call, task: Any) -> Any:
    if call.folder:
        os.chdir(call.folder)  # the paths of an audit may be relative to the folder that it was called in
    return (_with_index(call) if call.digest else call.work)(task)


def _shipped(task: Any) -> Any:
    """A task with the contents of the files of its units."""
    if isinstance(task, Unit):
        return task.shipped()
    return tuple(map(_shipped, task)) if isinstance(task, tuple) else task


def _index_of(work: Callable[[Any], Any]) -> tuple[str, bytes]:
    """The digest and the content of the index by which units are judged; empty for work that needs none."""
    if (question := _question_of(work)) is None:
        return "", b""
    with open(question.index, "rb") as file:
        content = file.read()
    return hashlib.sha256(content).hexdigest(), content


def _question_of(work: Callable[[Any], Any]) -> UnitQuestion | None:
    arguments = work.args if isinstance(work, partial) else ()
    return next((each for each in arguments if isinstance(each, UnitQuestion)), None)


_KEPT: dict[str, str] = {}
"""digest of an index -> the file of this process that has it"""


def _with_index(call: _Call) -> Callable[[Any], Any]:
    """The work, by the index that came with it."""
    if call.digest not in _KEPT:
        folder = new_scratch_folder()
        atexit.register(rmtree, folder, ignore_errors=True)
        path = os.path.join(folder, "index.db")
        with open(path, "wb") as file:
            file.write(call.content)
        _KEPT[call.digest] = path  # a worker may have several threads: it is known once it is whole
    question, work = _question_of(call.work), call.work
    if not isinstance(work, partial) or question is None:
        return work
    return partial(work.func, msgspec.structs.replace(question, index=_KEPT[call.digest]))


def _outcome(future: Any) -> Any:
    """What a task returned. Raises our own errors; others are the reason why it has failed."""
    if future.status not in ("error", "finished"):
        return _Lost()
    try:
        if future.status == "finished":
            return future.result()
        error = future.exception()
    except (Exception, CancelledError):  # noqa: BLE001 - the worker that had the result died
        return _Lost()
    if isinstance(error, AuditError):
        raise error
    name = type(error).__name__
    words = "each worker that judged it died" if name == "KilledWorker" else f"{name}: {error}"
    return Failed(words)


@contextmanager
def dask_engine(address: str, *, ships: bool = False) -> Iterator[DaskEngine]:
    """The engine of a scheduler, while the context lasts; `ships`: the contents of files go with the tasks, for workers that do
    not see them. Raises AuditError where it cannot be used."""
    try:
        import distributed
    except ImportError as error:
        raise AuditError("--dask needs the extra: pip install 'irsa-doctor[dask]'") from error
    try:
        connect: Any = distributed.Client
        client = connect(address, timeout=_WAIT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise AuditError(f"--dask {address}: no scheduler answers there") from error
    try:
        _refuse_others(client)
        yield DaskEngine(client, ships=ships)
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close()


def _versions() -> tuple[str, str]:
    """The versions of this tool and of Python in the process that calls it."""
    return __version__, f"{sys.version_info.major}.{sys.version_info.minor}"


def _refuse_others(client: Any) -> None:
    """Raise AuditError where there is no worker, or one of another version: it would have other answers."""
    try:
        client.wait_for_workers(1, timeout=_WAIT)
    except TimeoutError as error:
        raise AuditError("the Dask scheduler has no workers") from error
    versions = client.run(_versions, on_error="return")
    for worker, version in versions.items():
        if version != _versions():
            if isinstance(version, OSError):
                continue  # it died, and judges nothing
            known = version if isinstance(version, tuple) else ("no irsa-doctor", "unknown")
            own = " on Python ".join(_versions())
            raise AuditError(f"the Dask worker {worker} has version {known[0]} on Python {known[1]}, not {own}")
