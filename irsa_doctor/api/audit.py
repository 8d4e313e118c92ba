"""Audits an organisation, and keeps what was found run after run."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from shutil import rmtree
from typing import TYPE_CHECKING, Any
from weakref import finalize

import msgspec

from irsa_doctor.api.governed import governing_of
from irsa_doctor.api.load import NO_SETTINGS, declared_of
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.findings import SEVERITIES, Severity
from irsa_doctor.model.limits import MAX_MEMORY, MAX_SECONDS
from irsa_doctor.model.moments import rfc3339

if TYPE_CHECKING:
    from irsa_doctor.reports.audit import Counted
    from irsa_doctor.reports.style import Style
    from irsa_doctor.shards.engine import Engine
    from irsa_doctor.store.integrity import StoreVerification
    from irsa_doctor.store.reading import ChangeRow, RunHeader

STORE = "audit.db"
MAX_AGE = timedelta(days=7)
"""the age over which a shard is taken as if it could not be read"""


class AuditOutcome(msgspec.Struct, frozen=True):
    """What an exit code depends on: the open findings by severity, how many inputs are missing, the limit that was reached,
    whether anything was read."""

    findings: Mapping[Severity, int]
    unknown: int
    limit: str = ""
    has_read: bool = True


class AuditRun:
    """One run as a store keeps it. `outcome` is there where this process has judged."""

    def __init__(self, store: str, run: int, outcome: AuditOutcome | None = None, folder: str = "") -> None:
        self.outcome = outcome
        self._store, self._run, self._is_kept = store, run, not folder
        if folder:  # the store of a run that is not kept is there as long as this is
            finalize(self, rmtree, folder, ignore_errors=True)

    @property
    def head(self) -> str:
        """The head of the run as a line to keep elsewhere: run, time and hash."""
        from irsa_doctor.store.reading import read_store, run_header

        with read_store(self._store) as connection:
            header = run_header(connection, self._run)
        return f"{header.id} {header.as_of} {header.hash}"

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The run as JSON, `irsa-doctor.audit/1`."""
        with self._members() as members:
            return {name: value if isinstance(value, dict | str) else list(value) for name, value in members.items()}

    @contextmanager
    def _members(self) -> Iterator[dict[str, Any]]:
        from irsa_doctor.store.reading import read_store

        with read_store(self._store) as connection:
            yield _members(connection, self._run)

    def pieces(self, output_format: str, style: "Style") -> Iterator[str]:
        """The run in a format, piece by piece: it need not be in memory as a whole."""
        from irsa_doctor.reports.audit import audit_pieces

        with self._members() as members:
            yield from audit_pieces(members, output_format, style, is_kept=self._is_kept)


def audit(  # noqa: PLR0913 - the input, what governs the judgement, and where the work is done
    paths: Sequence[str],
    *,
    settings: Settings = NO_SETTINGS,
    store: str | None = STORE,
    as_of: datetime | None = None,
    max_age: timedelta = MAX_AGE,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    jobs: int | None = None,
    dask: str = "",
    dask_ship: bool = False,
    work: str = "",
    on_stage: Callable[[str], object] = str,
) -> AuditRun:
    """Judge documents as `check` does, account by account, and keep what was found in a store; without one, nothing is kept.

    `as_of` is the time for waivers and ages. Shards of a manifest that are older than `max_age`, or that have changed since it
    was written, are taken as if they could not be read. `jobs` are processes at a time, as many as there are processors by
    default; `dask` is the address of a scheduler of `dask.distributed` in their place, and with
    `dask_ship` its workers get the contents of the shards and need not see the folders. `work` is a folder for the index, by
    default beside the store; the limits are those of one account. Raises what `check` raises, AuditError and StoreError.
    """
    from irsa_doctor.shards.tasks import Limits

    started = datetime.now(tz=UTC)
    limits = Limits(MAX_SECONDS if max_seconds is None else max_seconds, MAX_MEMORY if max_memory is None else max_memory)
    if store is None:
        from irsa_doctor.text.scratch_folders import new_scratch_folder

        folder = new_scratch_folder()
        kept, work = os.path.join(folder, STORE), work or folder
    else:
        folder, kept = "", store
    from irsa_doctor.store.tables import files_of, writing

    with writing(kept) as connection, _engine(jobs, dask, ships=dask_ship) as engine:
        from irsa_doctor.shards.auditing import Auditing
        from irsa_doctor.sources import Declared

        auditing = Auditing(
            paths=paths,
            settings=settings,
            declared=Declared(**declared_of(settings)),
            governing=governing_of(settings),
            moment=as_of or started,
            started=started,
            max_age=max_age,
            limits=limits,
            engine=engine,
            own_files=files_of(kept),
            on_stage=on_stage,
        )
        run, sums = auditing.run(connection, _work_folder(work or f"{kept}.work"))
    outcome = AuditOutcome(dict(sums.findings), len(sums.unknown), sums.limit, sums.has_read)
    return AuditRun(kept, run, outcome, folder)


def _engine(jobs: int | None, dask: str, *, ships: bool) -> "AbstractContextManager[Engine]":
    from irsa_doctor.shards.engine import LocalEngine

    if dask:
        from irsa_doctor.shards.dask_engine import dask_engine

        return dask_engine(dask, ships=ships)
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return nullcontext(LocalEngine(jobs or processors))


def _work_folder(path: str) -> str:
    """A folder for the index, which is made; its owner alone may read it."""
    from irsa_doctor.store.tables import StoreError

    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: the folder of --work cannot be made ({error.strerror})") from error
    if os.path.islink(path):
        raise StoreError(f"{path}: it is a link, and nothing is written through links")
    return path


def _members(connection: Any, run: int) -> dict[str, Any]:
    from irsa_doctor.reports.audit import audit_members
    from irsa_doctor.store.reading import run_header, sightings, table

    tables = {name: table(connection, name, run) for name in ("scope", "tally", "unknown", "waiver")}
    header, counted = run_header(connection, run), _counted(connection, run)
    return audit_members(header, counted, lambda status: sightings(connection, run, status), tables)


def _counted(connection: Any, run: int) -> "Counted":
    from irsa_doctor.reports.audit import Counted
    from irsa_doctor.store.reading import change_counts, counts

    by_status = counts(connection, run)
    open_ones = {severity: count for (status, severity), count in by_status.items() if status == "open"}
    waived = sum(count for (status, _), count in by_status.items() if status == "waived")
    return Counted(open_ones, waived, change_counts(connection, run))


# ---- what a store holds


def audit_show(run: int, *, store: str = STORE) -> AuditRun:
    """A run as it was told when it ended. Raises StoreError where the store has none of this number."""
    from irsa_doctor.store.reading import read_store, run_header

    with read_store(store) as connection:
        return AuditRun(store, run_header(connection, run).id)


def audit_history(*, store: str = STORE, limit: int | None = None) -> "list[tuple[RunHeader, dict[str, int]]]":
    """The runs, oldest first, each with the number of accounts by state; of the last `limit`. The summary of one whose details
    are in the store has its findings by severity. Raises StoreError."""
    from irsa_doctor.store.reading import headers, read_store, table

    with read_store(store) as connection:
        runs = headers(connection)
        runs = runs[-limit:] if limit else runs
        return [(_summarized(connection, run), _states(table(connection, "scope", run.id))) for run in runs]


def _summarized(connection: Any, run: "RunHeader") -> "RunHeader":
    if run.state != "complete":
        return run
    counted = _counted(connection, run.id)
    findings = {severity: counted.findings.get(severity, 0) for severity in SEVERITIES}
    summary = {**run.options.get("summary", {}), "findings": findings, "waived": counted.waived}
    return run._replace(options={**run.options, "summary": summary})


def _states(scope: Sequence[dict[str, Any]]) -> dict[str, int]:
    states = [row["state"] for row in scope if row["kind"] == "account"]
    return {state: states.count(state) for state in dict.fromkeys(states)}


def audit_changes(
    since: int | datetime, until: int | datetime | None = None, *, store: str = STORE, account: str = ""
) -> "tuple[int, int, list[ChangeRow]]":
    """The runs between which, and what changed after the one up to the other. A time means the last run as of then. The details
    of the runs may have been pruned.

    Raises StoreError.
    """
    from irsa_doctor.store.reading import change_rows, ended_run, last_run, read_store, require_account, run_at

    with read_store(store) as connection:
        first = run_at(connection, rfc3339(since)) if isinstance(since, datetime) else ended_run(connection, since)
        if until is None:
            last = last_run(connection).id
        else:
            last = run_at(connection, rfc3339(until)) if isinstance(until, datetime) else ended_run(connection, until)
        require_account(connection, account)
        rows = [row for row in change_rows(connection, first, last) if not account or row.account == account]
        return first, last, rows


def audit_verify(*, store: str = STORE, head: str = "") -> "StoreVerification":
    """Everything in a store that is not as a run left it; `head`: a hash that it has to contain.

    Raises StoreError, NoStore where there is none.
    """
    from irsa_doctor.store.integrity import UNREADABLE, StoreVerification, Tampering, verification
    from irsa_doctor.store.reading import read_store

    with read_store(store) as connection:
        try:
            return verification(connection, head)
        except UNREADABLE as error:
            return StoreVerification(0, (), "", (Tampering(0, "the file", f"it cannot be read as a whole: {error}"),))


def audit_prune(keep: timedelta, *, store: str = STORE, keep_last: int = 1, as_of: datetime | None = None) -> list[int]:
    """Remove the details of the runs that are older; the runs themselves and their hashes stay. Raises StoreError."""
    from irsa_doctor.store.reading import prune_runs
    from irsa_doctor.store.tables import writing

    with writing(store) as connection:
        return prune_runs(connection, rfc3339((as_of or datetime.now(tz=UTC)) - keep), keep_last)


def audit_waivers(*, store: str = STORE, expiring: timedelta | None = None) -> list[dict[str, Any]]:
    """The waivers of the last run; with `expiring`, those that end within that time of it. Raises StoreError."""
    from irsa_doctor.model.moments import moment_of
    from irsa_doctor.store.reading import last_run, read_store, table

    with read_store(store) as connection:
        header = last_run(connection)
        waivers = table(connection, "waiver", header.id)
    moment = moment_of(header.as_of)
    if expiring is None or moment is None:
        return waivers
    return [waiver for waiver in waivers if waiver["expires"] <= (moment + expiring).date().isoformat()]
