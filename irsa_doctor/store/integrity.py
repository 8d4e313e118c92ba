"""Whether a store is as its runs left it: digests of their rows, and a chain of hashes over the runs."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from irsa_doctor.store.changes import status_after
from irsa_doctor.store.rows import canonical, canonical_lines, sha256

_CONTENT = {
    "scope": "select kind, id, name, ou, state, why, taken, sha256 from scope where run = ?",
    "sighting": "select s.key, f.rule, f.kind, f.subject, f.account, f.cluster, s.severity, s.confidence, s.status, s.waiver,"
    " s.body, b.text, s.number from sighting s left join finding f on f.key = s.key left join body b on b.digest = s.body"
    " where s.run = ? order by s.key",
    "waiver": "select rule, subject, owner, reason, expires, accepted_by, file, line, used from waiver where run = ?",
    "key": "select kind, subject, key from key where run = ?",
    "tally": "select rule, evaluated, passed, failed, unknown, waived from tally where run = ?",
    "subject": "select s.key, s.kind, s.id, s.account, s.cluster, v.verdicts from subject s"
    " left join verdict_set v on v.id = s.verdicts where s.run = ? order by s.key",
    "unknown": "select missing, how, rules, subjects, then_, file from unknown where run = ?",
    "change": "select s.key, s.change from change s where s.run = ? order by s.key, s.change",
}
_BY_NAME = (
    "select s.key, s.kind, s.id, s.account, s.cluster, v.verdicts from subject_name s"
    " cross join subject_verdict j on j.run = ? and j.subject = s.number left join verdict_set v on v.id = j.verdicts"
    " order by s.key"
)
"""the subjects of a run by the index of their names, in its order"""
BEFORE_NUMBERS: Mapping[str, str] = {
    **{table: query.replace(", s.number", "") for table, query in _CONTENT.items() if table != "change"}
}
"""what the digest of a run was over in stores of version 3"""
BEFORE_KEYS: Mapping[str, str] = {table: query for table, query in BEFORE_NUMBERS.items() if table != "key"}
"""what it was over in stores of version 1"""
_OF_RUN = ("id", "started", "finished", "as_of", "tool", "rules_digest", "settings", "inputs", "options", "digest", "previous")


class Tampering(NamedTuple):
    """Something that is not as a run left it: the run (0: of none), the table, and the first row, in words."""

    run: int
    table: str
    row: str


class StoreVerification(NamedTuple):
    """What is wrong with a store, and what is left of its runs."""

    runs: int
    headers_only: tuple[int, ...]
    """runs whose rows were pruned: their hashes alone are left"""
    head: str
    tampering: tuple[Tampering, ...]


def content_digest(store: sqlite3.Connection, run: int, content: Mapping[str, str] = _CONTENT) -> str:
    """The digest of all rows of a run, table by table, sorted; `content`: the queries, by table."""
    digest = hashlib.sha256()
    has_names = store.execute("select 1 from sqlite_master where name = 'subject_name'").fetchone() is not None
    for table, query in content.items():
        digest.update(f"{table}\n".encode())
        for lines in _sorted_lines(store, _BY_NAME if table == "subject" and has_names else query, run):
            digest.update(lines)
    return f"sha256:{digest.hexdigest()}"


def _sorted_lines(store: sqlite3.Connection, query: str, run: int) -> Iterable[bytes]:
    """The rows of a query as lines of text, sorted by code points. Those of which there may be more than fit into memory are
    sorted by SQLite: they begin with a key that no other has."""
    rows = store.execute(query, (run,))
    if " order by s.key" in query:
        while some := rows.fetchmany(_AT_ONCE):
            yield canonical_lines(some)
    else:
        yield from sorted(canonical_lines([row]) for row in rows)


_AT_ONCE = 100
"""rows that are read and written out at once"""


def run_hash(store: sqlite3.Connection, run: int) -> str:
    """The hash of the row of a run, which holds the digest of its content and the hash of the run before it."""
    row = store.execute(f"select {', '.join(_OF_RUN)} from run where id = ?", (run,)).fetchone()  # noqa: S608 - our own names
    return sha256(canonical(dict(zip(_OF_RUN, row, strict=True))))


def verification(store: sqlite3.Connection, head: str = "") -> StoreVerification:
    """Everything in a store that is not as a run left it; `head`: a hash that it has to contain, or a line that ends in it."""
    head = head.rsplit(maxsplit=1)[-1] if head.strip() else ""
    runs = store.execute(
        "select id, state, digest, previous, hash from run where state != 'interrupted' order by id"
    ).fetchall()
    found = [*_broken_chain(store, runs), *_changed_content(store, runs), *_changed_findings(store)]
    hashes = [row[4] for row in runs]
    if head and head not in hashes:
        found.append(Tampering(0, "run", f"no run has the hash {head}: runs at the end are missing, or it is another store"))
    pruned = tuple(row[0] for row in runs if row[1] == "pruned")
    return StoreVerification(len(runs), pruned, hashes[-1] if hashes else "", tuple(found))


UNREADABLE = (sqlite3.Error, TypeError, ValueError, AttributeError)
"""what reading a store ends with that holds what no run writes"""


def is_untouched(store: sqlite3.Connection) -> bool:
    """Whether a store is as its runs left it."""
    try:
        return not verification(store).tampering
    except UNREADABLE:
        return False


def _broken_chain(store: sqlite3.Connection, runs: list[tuple[int, str, str, str | None, str]]) -> Iterator[Tampering]:
    before: str | None = None
    for run, _, _, previous, mark in runs:
        if previous != before:
            yield Tampering(run, "run", "the hash of the run before it is another: a run is missing or was changed")
        if run_hash(store, run) != mark:
            yield Tampering(run, "run", "its row has another hash than it says")
        before = mark


def _changed_content(store: sqlite3.Connection, runs: list[tuple[int, str, str, str | None, str]]) -> Iterator[Tampering]:
    for run, state, digest, _, _ in runs:
        if state == "complete" and not any(content_digest(store, run, each) == digest for each in _contents(store, run)):
            yield _first_change(store, run)


def _contents(store: sqlite3.Connection, run: int) -> Iterator[Mapping[str, str]]:
    """What the digest of a run may be over, by the version that wrote it."""
    yield _CONTENT
    yield BEFORE_NUMBERS
    if not store.execute("select 1 from key where run = ?", (run,)).fetchone():
        yield BEFORE_KEYS


def _first_change(store: sqlite3.Connection, run: int) -> Tampering:
    """The first row of a run that cannot be as it was written, as far as that is seen; else only that some row is not."""
    for key, body, text in store.execute(
        "select s.key, s.body, b.text from sighting s left join body b on b.digest = s.body where s.run = ? order by s.key",
        (run,),
    ):
        if text is None or sha256(text) != body:
            return Tampering(run, "body", f"the text of {key}")
    return Tampering(run, ", ".join(_CONTENT), "a row was added, changed or removed")


def _changed_findings(store: sqlite3.Connection) -> Iterator[Tampering]:
    """Derived columns that the runs contradict."""
    query = (
        "select f.key, f.first_seen, f.last_seen, min(s.run), max(s.run)"
        " from finding f left join sighting s on s.key = f.key group by f.key order by f.key"
    )
    runs = frozenset(row[0] for row in store.execute("select id from run where state = 'complete'"))
    for key, first, last, earliest, latest in store.execute(query):
        if earliest is not None and (first > earliest or last != latest):
            yield Tampering(last, "finding", f"first_seen or last_seen of {key}")
        elif earliest is None and last in runs:
            yield Tampering(last, "finding", f"{key} was never seen")
    yield from _changed_outcomes(store)


def _changed_outcomes(store: sqlite3.Connection) -> Iterator[Tampering]:
    """Findings that are not what the changes of the runs made of them."""
    query = (
        "select f.key, f.first_seen, f.last_seen, f.status, c.run, c.change from finding f"
        " left join change c on c.key = f.key order by f.key, c.run"
    )
    for (key, first, last, status), rows in groupby(store.execute(query), key=lambda row: row[:4]):
        changes = [(run, change) for *_, run, change in rows]
        if changes[0][0] != first:
            yield Tampering(last, "finding", f"first_seen of {key}, or its first row in change")
        elif status_after(change for _, change in changes) != status:
            yield Tampering(last, "finding", f"the status of {key}, or its rows in change")
