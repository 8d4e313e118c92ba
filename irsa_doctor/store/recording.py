"""Writes a run into a store: all of it, or nothing but that it began."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from irsa_doctor.store.changes import FindingOutcome, RunSight, Sight, Standing, outcome_of_absent, outcome_of_seen
from irsa_doctor.store.integrity import content_digest, run_hash
from irsa_doctor.store.reading import departed_accounts, organizations_of
from irsa_doctor.store.rows import RunRows, ScopeRow, SightingRow, canonical, sha256
from irsa_doctor.store.tables import transaction
from irsa_doctor.text.surrogates import texts_without_surrogates


def begin(store: sqlite3.Connection, started: str, settings: str = "", inputs: str = "") -> int:
    """Note that a run begins, and return its id; a run that ends before its end stays `interrupted`, and goes on where the
    next one has the same settings and inputs (digests)."""
    row = store.execute("select id, state, settings, inputs from run order by id desc limit 1").fetchone()
    if row and inputs and row[1:] == ("interrupted", settings, inputs):
        return int(row[0])
    cursor = store.execute(
        "insert into run"
        " (state, started, finished, as_of, tool, rules_digest, settings, inputs, options, digest, previous, hash)"
        " values ('interrupted', ?, '', '', '', '', ?, ?, '', '', null, '')",
        (started, settings, inputs),
    )
    return int(cursor.lastrowid or 0)


def complete(store: sqlite3.Connection, run: int, rows: RunRows) -> str:
    """Write what a run found, and return its hash."""
    with transaction(store):
        last = store.execute("select max(id) from run where state != 'interrupted'").fetchone()[0]
        _write_rows(store, run, rows)
        rows.subjects.write(run)
        _write_sightings(store, run, rows, last)
        # what was asked of the findings decides which of the others are gone
        _write_absent(store, run, rows, last)
        previous = store.execute("select hash from run where state != 'interrupted' order by id desc limit 1").fetchone()
        options = canonical(texts_without_surrogates(rows.options))
        store.execute(
            "update run set state = 'complete', started = ?, finished = ?, as_of = ?, tool = ?, rules_digest = ?, settings = ?,"
            " inputs = ?, options = ?, previous = ?, digest = ? where id = ?",
            (
                *(rows.started, rows.finished, rows.as_of, rows.tool, rows.rules_digest, rows.settings, rows.inputs),
                *(options, previous[0] if previous else None, content_digest(store, run), run),
            ),
        )
        head = run_hash(store, run)
        store.execute("update run set hash = ? where id = ?", (head, run))
    return head


_STANDING = (
    "select f.key, f.rule, f.kind, f.subject, f.account, f.cluster, f.status, f.last_seen, b.text, w.expires"
    " from finding f left join sighting s on s.run = f.last_seen and s.key = f.key left join body b on b.digest = s.body"
    " left join waiver w on w.run = s.run and s.waiver != '' and w.rule || ':' || w.subject = s.waiver"
)


_ABSENT = f"{_STANDING} where not exists (select 1 from sighting x where x.run = ? and x.key = f.key)"  # noqa: S608 - our own text


def _standing(row: tuple[Any, ...], last: int | None) -> Standing:
    key, rule, kind, subject, account, cluster, status, seen, body, ends = row
    return Standing(
        key=key,
        rule=rule,
        kind=kind,
        subject=sha256(f"{kind}\0{subject}"),
        holder=_holder(kind, subject),
        account=account,
        cluster=cluster,
        status=status,
        seen=seen == last,
        last_seen=seen,
        body=body or "",
        waiver_ends=ends or "",
    )


def _holder(kind: str, subject: str) -> str:
    """The key of what a subject is a part of, "" for none."""
    if kind == "binding":
        return sha256(f"service-account\0{subject.partition(' -> ')[0]}")
    return sha256(f"role\0{subject.rpartition('#')[0]}") if kind == "grant" else ""


def _write_rows(store: sqlite3.Connection, run: int, rows: RunRows) -> None:
    tables: Mapping[str, Iterable[Sequence[Any]]] = {
        "scope": [(s.kind, s.id, s.name, canonical(s.ou), s.state, s.why, s.taken, s.sha256) for s in rows.scope],
        "key": list(dict.fromkeys(rows.keys)),
        "waiver": rows.waivers,
        "tally": rows.tallies,
        "unknown": [(u.missing, u.how, canonical(u.rules), u.subjects, u.then, u.file) for u in rows.unknown],
    }
    for table, values in tables.items():
        # some have the paths of files, which need not be UTF-8
        written = [(run, *texts_without_surrogates(row)) for row in values]
        if written:
            places = ", ".join("?" * len(written[0]))
            store.executemany(f"insert into {table} values ({places})", written)  # noqa: S608 - our own names


def _write_sightings(store: sqlite3.Connection, run: int, rows: RunRows, last: int | None) -> None:
    """Write the findings of a run, some at a time, and what becomes of each."""
    numbered = enumerate(rows.sightings)
    while some := list(islice(numbered, _AT_ONCE)):
        outcomes = [_outcome(store, sighting, last, rows.as_of[:10]) for _, sighting in some]
        digests = [sha256(sighting.body) for _, sighting in some]
        store.executemany(
            "insert or ignore into body values (?, ?)",
            [(digest, sighting.body) for (_, sighting), digest in zip(some, digests, strict=True)],
        )
        store.executemany(
            "insert into sighting values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (run, s.key, s.severity, s.confidence, s.status, s.waiver, digest, number)
                for (number, s), digest in zip(some, digests, strict=True)
            ],
        )
        store.executemany(
            "insert into finding values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (key) do update set last_seen = excluded.last_seen, status = excluded.status",
            [
                (s.key, s.rule, s.kind, s.subject, s.account, s.cluster, run, run, outcome.status)
                for (_, s), outcome in zip(some, outcomes, strict=True)
            ],
        )
        _write_changes(store, run, [(s.key, outcome) for (_, s), outcome in zip(some, outcomes, strict=True)])


_AT_ONCE = 500
"""findings that are written at once"""


def _outcome(store: sqlite3.Connection, sighting: SightingRow, last: int | None, day: str) -> FindingOutcome:
    """What becomes of a finding on a day; `last` is the last run before."""
    row = store.execute(f"{_STANDING} where f.key = ?", (sighting.key,)).fetchone() if last is not None else None
    return outcome_of_seen(_standing(row, last) if row else None, sighting, day)


def _write_absent(store: sqlite3.Connection, run: int, rows: RunRows, last: int | None) -> None:
    """Write what becomes of the findings of earlier runs that this one does not see."""

    def verdicts_of(subject: str) -> Mapping[str, str] | None:
        query = "select v.verdicts from subject s join verdict_set v on v.id = s.verdicts where s.run = ? and s.key = ?"
        row = store.execute(query, (run, subject)).fetchone()
        return json.loads(row[0]) if row else None

    def sight_of(earlier: int) -> RunSight:
        columns = ", ".join(ScopeRow._fields)
        return RunSight(map(ScopeRow._make, store.execute(f"select {columns} from scope where run = ?", (earlier,))))  # noqa: S608

    def departed() -> Collection[str]:
        present = {row.id for row in rows.scope if row.kind == "account"}
        return departed_accounts(store, run, organizations_of(rows.options), present)

    sight = Sight(rows, verdicts_of, sight_of, departed)
    absent = store.execute(_ABSENT, (run,))
    results = [(standing.key, outcome_of_absent(standing, sight)) for standing in (_standing(row, last) for row in absent)]
    for key, outcome in results:
        store.execute("update finding set status = ? where key = ?", (outcome.status, key))
    _write_changes(store, run, results)


def _write_changes(store: sqlite3.Connection, run: int, outcomes: Iterable[tuple[str, FindingOutcome]]) -> None:
    rows = [(run, key, change) for key, outcome in outcomes for change in outcome.changes]
    store.executemany("insert into change values (?, ?, ?)", rows)
