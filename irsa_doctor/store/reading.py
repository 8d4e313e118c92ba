"""Reads what a store holds: runs, what they found, and what changed."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import msgspec

from irsa_doctor.model.standards import KeyRun
from irsa_doctor.store.integrity import is_untouched
from irsa_doctor.store.tables import StoreError, opened, store_errors, transaction


class RunHeader(NamedTuple):
    """The row of a run; `options` hold what it was called with and its counts."""

    id: int
    state: str
    started: str
    finished: str
    as_of: str
    tool: str
    rules_digest: str
    settings: str
    inputs: str
    options: dict[str, Any]
    digest: str
    previous: str | None
    hash: str


class ChangeRow(NamedTuple):
    """What has become of a finding in a run."""

    change: str
    run: int
    rule: str
    kind: str
    subject: str
    key: str
    severity: str
    account: str
    waiver: str
    body: dict[str, Any]


@contextmanager
def read_store(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that reads a store. Raises StoreError and NoStore, also where it turns out to hold what no run writes."""
    with store_errors(path), closing(opened(path)) as connection:
        try:
            yield connection
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            if is_untouched(connection):
                raise
            raise StoreError(f"{path}: the store was changed; irsa-doctor audit verify says where") from error


_HEADER = ", ".join(RunHeader._fields)


def headers(store: sqlite3.Connection) -> list[RunHeader]:
    """Every run, oldest first."""
    rows = store.execute(f"select {_HEADER} from run order by id")  # noqa: S608 - our own names
    return [_header(row) for row in rows]


def _header(row: tuple[Any, ...]) -> RunHeader:
    header = RunHeader(*row)
    written: Any = header.options
    try:
        options = json.loads(written) if written else {}
    except (TypeError, ValueError):
        options = None
    are_texts = all(isinstance(value, str) for name, value in header._asdict().items() if name not in ("id", "previous"))
    if not (are_texts and isinstance(options, dict)):
        raise StoreError(f"run {header.id} of the store was changed; irsa-doctor audit verify says where")
    return header._replace(options=options)


def run_header(store: sqlite3.Connection, run: int) -> RunHeader:
    """The row of a run that has ended. Raises StoreError where there is none, or its rows were pruned."""
    header = _known_run(store, run)
    if header.state == "pruned":
        raise StoreError(f"the details of run {run} were pruned: its findings are not in the store")
    if header.state != "complete":
        raise StoreError(f"run {run} is {header.state}: its findings are not in the store")
    return header


def ended_run(store: sqlite3.Connection, run: int) -> int:
    """The id of a run that has ended, whether its rows were pruned or not. Raises StoreError where there is none."""
    header = _known_run(store, run)
    if header.state == "interrupted":
        raise StoreError(f"run {run} is {header.state}: nothing has changed in it")
    return header.id


def _known_run(store: sqlite3.Connection, run: int) -> RunHeader:
    row = store.execute(f"select {_HEADER} from run where id = ?", (run,)).fetchone()  # noqa: S608 - our own names
    if row is None:
        known = ", ".join(str(header.id) for header in headers(store)[-5:])
        raise StoreError(f"there is no run {run}; the last ones are {known or 'none'}")
    return _header(row)


def require_account(store: sqlite3.Connection, account: str) -> None:
    """Raise StoreError where a store knows nothing of an account, "" for all."""
    known = "select 1 from scope where kind = 'account' and id = ? union select 1 from finding where account = ?"
    if account and not store.execute(known, (account, account)).fetchone():
        raise StoreError(f"account {account} is in no run of the store")


def last_run(store: sqlite3.Connection) -> RunHeader:
    """The last run that has ended. Raises StoreError where there is none."""
    row = store.execute("select max(id) from run where state = 'complete'").fetchone()
    if row[0] is None:
        raise StoreError("no run has ended in this store")
    return run_header(store, row[0])


def run_at(store: sqlite3.Connection, moment: str) -> int:
    """The last run as of a time (RFC 3339) or before, 0 where there is none."""
    row = store.execute("select max(id) from run where state != 'interrupted' and as_of <= ?", (moment,)).fetchone()
    return int(row[0] or 0)


def sightings(store: sqlite3.Connection, run: int, status: str = "") -> Iterator[dict[str, Any]]:
    """The findings of a run (of a status) as JSON, with key, account, cluster, status, waiver, first and last run in which they
    were seen."""
    query = (
        "select b.text, s.key, f.account, f.cluster, s.status, s.waiver, f.first_seen, s.run"
        " from sighting s join finding f on f.key = s.key join body b on b.digest = s.body where s.run = ?"
        " and ? in ('', s.status) order by s.number"
    )
    names = ("key", "account", "cluster", "status", "waiver", "first_seen", "last_seen")
    for text, *values in store.execute(query, (run, status)):
        yield {**msgspec.json.decode(text), **dict(zip(names, values, strict=True))}


def counts(store: sqlite3.Connection, run: int) -> dict[tuple[str, str], int]:
    """The number of findings of a run by (status, severity)."""
    query = "select status, severity, count(*) from sighting where run = ? group by status, severity"
    return {(status, severity): count for status, severity, count in store.execute(query, (run,))}


def change_counts(store: sqlite3.Connection, run: int) -> dict[str, int]:
    """How often each change has come about in a run, by name."""
    query = "select change, count(*) from change where run = ? group by change order by change"
    return dict(store.execute(query, (run,)))


_ORDERS = {
    "scope": "kind, id",
    "tally": "rule",
    # first those that no rule has named
    "unknown": "case rules when '[]' then 0 else 1 end, missing, how, then_, file",
    "waiver": "file, line, rule, subject, expires, owner, reason",
}


def table(store: sqlite3.Connection, name: str, run: int) -> list[dict[str, Any]]:
    """The rows of a run in one of its tables, in the order in which they are shown."""
    cursor = store.execute(f"select * from {name} where run = ? order by {_ORDERS[name]}", (run,))  # noqa: S608 - our own names
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    if any(isinstance(value, bytes) for row in rows for value in row):
        raise StoreError(f"the table {name} of the store was changed; irsa-doctor audit verify says where")
    return [dict(zip(names, row, strict=True)) for row in rows]


def change_rows(store: sqlite3.Connection, since: int, until: int) -> Iterator[ChangeRow]:
    """What changed in the runs after `since`, up to `until`."""
    query = (
        "select c.change, c.run, f.rule, f.kind, f.subject, c.key, s.severity, f.account, s.waiver, b.text"
        " from change c join finding f on f.key = c.key"
        " left join sighting s on s.key = c.key"
        # run by run from the last: a search over all sightings for each change would take the square of their number
        " and s.run = coalesce((select r.id from run r where r.id <= c.run and exists"
        " (select 1 from sighting x where x.run = r.id and x.key = c.key) order by r.id desc limit 1),"
        # where the details of these runs were pruned, the first that is left
        " (select r.id from run r where r.id > c.run and exists"
        " (select 1 from sighting x where x.run = r.id and x.key = c.key) order by r.id limit 1))"
        " left join body b on b.digest = s.body where c.run > ? and c.run <= ? order by c.run, c.key, c.change"
    )
    for change, run, rule, kind, subject, key, severity, account, waiver, text in store.execute(query, (since, until)):
        yield ChangeRow(
            change=change,
            run=run,
            rule=rule,
            kind=kind,
            subject=subject,
            key=key,
            severity=severity or "",
            account=account,
            waiver=waiver or "",
            body=json.loads(text) if text else {},
        )


_DETAILS = ("scope", "sighting", "waiver", "tally", "subject_verdict", "unknown", "key")


def prune_runs(store: sqlite3.Connection, before: str, keep_last: int) -> list[int]:
    """Remove the rows of the runs as of before a time (RFC 3339), but not of the last `keep_last`, nor of the last that has
    ended; return which. The rows of `run` stay, and with them the chain."""
    complete = [header for header in headers(store) if header.state == "complete"]
    kept = {header.id for header in complete[-max(1, keep_last) :]}
    old = [header.id for header in complete if header.as_of < before and header.id not in kept]
    with transaction(store):
        for run in old:
            for name in _DETAILS:
                store.execute(f"delete from {name} where run = ?", (run,))  # noqa: S608 - our own names
            store.execute("update run set state = 'pruned' where id = ?", (run,))
        store.execute("delete from body where digest not in (select body from sighting)")
        store.execute("delete from subject_name where number not in (select subject from subject_verdict)")
        store.execute("delete from verdict_set where id not in (select verdicts from subject_verdict)")
    return old


def key_runs(store: sqlite3.Connection) -> dict[str, tuple[KeyRun, ...]]:
    """The keys that the complete runs saw of each subject (id of a cluster, ARN of a provider), oldest run first."""
    table: dict[str, dict[str, set[str]]] = {}
    rows = store.execute(
        "select k.subject, r.as_of, k.key from key k join run r on r.id = k.run where r.state = 'complete' order by r.id"
    )
    for subject, as_of, key in rows:
        table.setdefault(subject, {}).setdefault(as_of, set()).add(key)
    return {subject: tuple(KeyRun(as_of, frozenset(keys)) for as_of, keys in runs.items()) for subject, runs in table.items()}


def departed_accounts(
    store: sqlite3.Connection, before: int, organizations: Collection[str], present: Collection[str]
) -> frozenset[str]:
    """The accounts that runs before a run had listed in some organisations, and that are not `present` any more."""
    runs = store.execute("select id, options from run where state = 'complete' and id < ?", (before,)).fetchall()
    accounts: set[str] = set()
    for run, options in runs:
        of_run = organizations_of(json.loads(options))
        if of_run and of_run <= set(organizations):
            rows = store.execute("select id from scope where run = ? and kind = 'account' and ou != '[]'", (run,))
            accounts.update(ident for (ident,) in rows)
    return frozenset(accounts.difference(present))


def organizations_of(options: Mapping[str, Any]) -> frozenset[str]:
    """The organisations whose accounts a run was to read; without a manifest, or by a version that kept one alone, fewer."""
    return frozenset(options.get("organizations") or [options.get("organization", "")]) - {""}
