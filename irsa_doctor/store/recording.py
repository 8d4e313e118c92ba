"""Writes a run into a store: all of it, or nothing but that it began."""

import sqlite3
from collections.abc import Iterable, Mapping

from irsa_doctor.store.changes import FindingOutcome, Standing, outcomes
from irsa_doctor.store.integrity import content_digest, run_hash
from irsa_doctor.store.rows import RunRows, canonical, sha256
from irsa_doctor.store.tables import transaction


def begin(store: sqlite3.Connection, started: str) -> int:
    """Note that a run begins, and return its id; a run that ends before its end stays `interrupted`."""
    cursor = store.execute(
        "insert into run"
        " (state, started, finished, as_of, tool, rules_digest, settings, inputs, options, digest, previous, hash)"
        " values ('interrupted', ?, '', '', '', '', '', '', '', '', null, '')",
        (started,),
    )
    return int(cursor.lastrowid or 0)


def complete(store: sqlite3.Connection, run: int, rows: RunRows) -> str:
    """Write what a run found, and return its hash."""
    with transaction(store):
        standings = {standing.key: standing for standing in standing_findings(store)}
        _write_rows(store, run, rows)
        _write_outcomes(store, run, rows, dict(outcomes(standings, rows)))
        previous = store.execute("select hash from run where state != 'interrupted' order by id desc limit 1").fetchone()
        store.execute(
            "update run set state = 'complete', started = ?, finished = ?, as_of = ?, tool = ?, rules_digest = ?, settings = ?,"
            " inputs = ?, options = ?, previous = ?, digest = ? where id = ?",
            (
                *(rows.started, rows.finished, rows.as_of, rows.tool, rows.rules_digest, rows.settings, rows.inputs),
                *(canonical(rows.options), previous[0] if previous else None, content_digest(store, run), run),
            ),
        )
        head = run_hash(store, run)
        store.execute("update run set hash = ? where id = ?", (head, run))
    return head


def standing_findings(store: sqlite3.Connection) -> Iterable[Standing]:
    """Every finding of the store as the last run left it."""
    last = store.execute("select max(id) from run where state != 'interrupted'").fetchone()[0]
    for row in store.execute(
        "select f.key, f.rule, f.kind, f.subject, f.account, f.cluster, f.status, f.last_seen, b.text, w.expires"
        " from finding f left join sighting s on s.run = f.last_seen and s.key = f.key left join body b on b.digest = s.body"
        " left join waiver w on w.run = s.run and s.waiver != '' and w.rule || ':' || w.subject = s.waiver"
    ):
        key, rule, kind, subject, account, cluster, status, seen, body, ends = row
        yield Standing(
            key=key,
            rule=rule,
            kind=kind,
            subject=sha256(f"{kind}\0{subject}"),
            holder=_holder(kind, subject),
            account=account,
            cluster=cluster,
            status=status,
            seen=seen == last,
            body=body or "",
            waiver_ends=ends or "",
        )


def _holder(kind: str, subject: str) -> str:
    """The key of what a subject is a part of, "" for none."""
    if kind == "binding":
        return sha256(f"service-account\0{subject.partition(' -> ')[0]}")
    return sha256(f"role\0{subject.rpartition('#')[0]}") if kind == "grant" else ""


def _write_rows(store: sqlite3.Connection, run: int, rows: RunRows) -> None:
    store.executemany(
        "insert into scope values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(run, s.kind, s.id, s.name, canonical(s.ou), s.state, s.why, s.taken, s.sha256) for s in rows.scope],
    )
    store.executemany(
        "insert or ignore into body values (?, ?)", [(sha256(sighting.body), sighting.body) for sighting in rows.sightings]
    )
    store.executemany(
        "insert into sighting values (?, ?, ?, ?, ?, ?, ?)",
        [(run, s.key, s.severity, s.confidence, s.status, s.waiver, sha256(s.body)) for s in rows.sightings],
    )
    sets = _verdict_sets(store, rows)
    store.executemany(
        "insert into subject values (?, ?, ?, ?, ?, ?, ?)",
        [(run, s.key, s.kind, s.id, s.account, s.cluster, sets[s.verdicts]) for s in rows.subjects],
    )
    store.executemany("insert or ignore into key values (?, ?, ?, ?)", [(run, *key) for key in rows.keys])
    store.executemany("insert into waiver values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [(run, *waiver) for waiver in rows.waivers])
    store.executemany("insert into tally values (?, ?, ?, ?, ?, ?, ?)", [(run, *tally) for tally in rows.tallies])
    store.executemany(
        "insert into unknown values (?, ?, ?, ?, ?, ?, ?)",
        [(run, u.missing, u.how, canonical(u.rules), u.subjects, u.then, u.file) for u in rows.unknown],
    )


def _verdict_sets(store: sqlite3.Connection, rows: RunRows) -> Mapping[tuple[tuple[str, str], ...], int]:
    """The number of each distinct set of verdicts."""
    sets = {subject.verdicts: canonical(dict(subject.verdicts)) for subject in rows.subjects}
    store.executemany("insert or ignore into verdict_set (verdicts) values (?)", [(text,) for text in sets.values()])
    numbers = dict(store.execute("select verdicts, id from verdict_set"))
    return {verdicts: numbers[text] for verdicts, text in sets.items()}


def _write_outcomes(store: sqlite3.Connection, run: int, rows: RunRows, results: Mapping[str, FindingOutcome]) -> None:
    sightings = {sighting.key: sighting for sighting in rows.sightings}
    for key, sighting in sightings.items():
        store.execute(
            "insert into finding values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (key) do update set last_seen = excluded.last_seen, status = excluded.status",
            (
                key,
                sighting.rule,
                sighting.kind,
                sighting.subject,
                sighting.account,
                sighting.cluster,
                run,
                run,
                results[key].status,
            ),
        )
    store.executemany(
        "update finding set status = ? where key = ?",
        [(outcome.status, key) for key, outcome in results.items() if key not in sightings],
    )
    store.executemany(
        "insert into change values (?, ?, ?)",
        [(run, key, change) for key, outcome in results.items() for change in outcome.changes],
    )
