"""Does tasks on the workers of a Dask scheduler (extra `irsa-doctor[dask]`), which see the same folders as this process."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from irsa_doctor.shards.engine import TRIES, Failed
from irsa_doctor.shards.units import AuditError
from irsa_doctor.version import __version__

_WAIT = 30
"""seconds in which a scheduler has to answer"""


class DaskEngine:
    """The workers of a scheduler, through a client of `dask.distributed`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def done(self, work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """See Engine. A worker that dies costs a retry; a task that costs several workers has failed."""
        import distributed

        as_completed: Any = distributed.as_completed

        if not (waiting := list(tasks)):
            return
        shipped = self._client.scatter(work, broadcast=True)
        here = os.getcwd()
        futures = {self._client.submit(_done, shipped, task, here, retries=TRIES, pure=False): task for task in waiting}
        try:
            for future in as_completed(list(futures), loop=self._client.loop):
                yield futures.pop(future), _outcome(future)
        finally:
            self._client.cancel(list(futures))


def _done(work: Callable[[Any], Any], task: Any, folder: str) -> Any:
    os.chdir(folder)  # the paths of an audit may be relative to the folder that it was called in
    return work(task)


def _outcome(future: Any) -> Any:
    """What a task returned. Raises our own errors; others are the reason why it has failed."""
    if future.status != "error":
        return future.result()
    error = future.exception()
    if isinstance(error, AuditError):
        raise error
    name = type(error).__name__
    words = "each worker that judged it died" if name == "KilledWorker" else f"{name}: {error}"
    return Failed(words)


@contextmanager
def dask_engine(address: str) -> Iterator[DaskEngine]:
    """The engine of a scheduler, while the context lasts. Raises AuditError where it cannot be used."""
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
        yield DaskEngine(client)
    finally:
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
            known = version if isinstance(version, tuple) else ("no irsa-doctor", "unknown")
            own = " on Python ".join(_versions())
            raise AuditError(f"the Dask worker {worker} has version {known[0]} on Python {known[1]}, not {own}")
