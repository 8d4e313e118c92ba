"""Audits an organisation, and keeps what was found run after run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from irsa_doctor.api.check import governing_of
from irsa_doctor.api.load import NO_SETTINGS, load_files
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model import Inventory, Unknown
from irsa_doctor.model.findings import Finding, Report, Waived
from irsa_doctor.model.limits import MAX_MEMORY, MAX_SECONDS
from irsa_doctor.model.moments import rfc3339
from irsa_doctor.store.rows import (
    KeyRow,
    RunRows,
    ScopeRow,
    SightingRow,
    SubjectRow,
    TallyRow,
    UnknownRow,
    WaiverRow,
    canonical,
    sha256,
)

if TYPE_CHECKING:
    from irsa_doctor.answers.audit.subjects import SubjectNames
    from irsa_doctor.model.standards import KeyRun
    from irsa_doctor.sources import Loaded
    from irsa_doctor.store.integrity import StoreVerification
    from irsa_doctor.store.reading import ChangeRow, RunHeader

STORE = "audit.db"
MAX_AGE = timedelta(days=7)
"""the age over which a shard is taken as if it could not be read"""


class AuditRun(msgspec.Struct, frozen=True):
    """One run as a store tells it: the answer as JSON (`irsa-doctor.audit/1`), and the report that it was made of, where this
    process has judged."""

    answer: dict[str, Any]
    report: Report | None = None


def audit(
    paths: Sequence[str],
    *,
    settings: Settings = NO_SETTINGS,
    store: str | None = STORE,
    as_of: datetime | None = None,
    max_age: timedelta = MAX_AGE,
    max_seconds: float | None = None,
    max_memory: int | None = None,
) -> AuditRun:
    """Judge documents as `check` does, and keep what was found in a store; without one, nothing is kept.

    `as_of` is the time for waivers and ages. Shards of a manifest that are older than `max_age`, or that have changed since it
    was written, are taken as if they could not be read. Raises what `check` raises, and StoreError.
    """
    started = datetime.now(tz=UTC)
    moment = as_of or started
    if store is None:
        rows, report, _ = _judged(paths, settings, moment, max_age, started, max_seconds, max_memory)
        return AuditRun(_unkept(rows), report)
    from irsa_doctor.store.reading import key_runs
    from irsa_doctor.store.recording import begin, complete
    from irsa_doctor.store.tables import writing

    with writing(store) as connection:
        run = begin(connection, rfc3339(started))
        known = key_runs(connection)
        rows, report, _ = _judged(paths, settings, moment, max_age, started, max_seconds, max_memory, known)
        complete(connection, run, rows)
        return AuditRun(_told(connection, run), report)


def _judged(
    paths: Sequence[str],
    settings: Settings,
    moment: datetime,
    max_age: timedelta,
    started: datetime,
    max_seconds: float | None,
    max_memory: int | None,
    known_keys: "Mapping[str, tuple[KeyRun, ...]] | None" = None,
) -> "tuple[RunRows, Report, Loaded]":
    from irsa_doctor.answers.check.engine import JudgedSubjects
    from irsa_doctor.answers.check.judge import Input, judge
    from irsa_doctor.model.limits import limited
    from irsa_doctor.sources.snapshot.shards import set_aside

    aside = set_aside(paths, moment, max_age)
    governing = governing_of(settings)
    record = JudgedSubjects()
    with limited(MAX_SECONDS if max_seconds is None else max_seconds, MAX_MEMORY if max_memory is None else max_memory):
        memory = {shard.path: shard.replacement for shard in aside}
        loaded = load_files(paths, settings=settings, without=list(memory), memory=memory)
        report = judge(Input(loaded.inventory, loaded.documents), governing, moment, record=record, key_runs=known_keys)
    stale = {shard.account: shard.taken for shard in aside if shard.state == "stale"}
    return _rows(report, loaded, settings, started, stale), report, loaded


def _rows(report: Report, loaded: "Loaded", settings: Settings, started: datetime, stale: dict[str, str]) -> RunRows:
    from irsa_doctor.answers.audit.scope import scope_of
    from irsa_doctor.answers.audit.subjects import SubjectNames
    from irsa_doctor.facts import View
    from irsa_doctor.reports.masking import masked_answer

    report, inventory = masked_answer(report), loaded.inventory
    names = SubjectNames(View(inventory))
    used = {_waiver_of(waived, settings) for waived in report.waived}
    return RunRows(
        started=rfc3339(started),
        finished=rfc3339(datetime.now(tz=UTC)),
        as_of=report.as_of,
        tool=report.version,
        rules_digest=report.rules_digest,
        settings=sha256(canonical(msgspec.to_builtins(settings))),
        inputs=_inputs_digest(report),
        options={
            "summary": msgspec.to_builtins(report.counts),
            "organization": next((account.organization for account in inventory.organization), ""),
            "shards": sum(row.kind == "snapshot" for row in report.documents),
        },
        scope=tuple(
            ScopeRow(entry.kind, entry.id, entry.name, entry.units, entry.state, entry.why or None, entry.taken)
            for entry in masked_answer(scope_of(inventory, stale))
        ),
        sightings=tuple(_sightings(report, names, settings)),
        subjects=tuple(_subjects(report, names)),
        waivers=tuple(
            WaiverRow(w.rule, w.subject, w.owner, w.reason, w.expires.isoformat(), w.accepted_by, w.file, w.line, w.id in used)
            for w in masked_answer(settings).waivers
        ),
        tallies=tuple(TallyRow(t.id, t.evaluated, t.passed, t.failed, t.unknown, t.waived) for t in report.tallies),
        unknown=tuple(UnknownRow(u.missing, u.how, u.rules, u.subjects, u.then, u.file) for u in report.unknown),
        keys=tuple(_keys(inventory)),
    )


def _keys(inventory: Inventory) -> Iterator[KeyRow]:
    """The signing keys of clusters and the thumbprints of providers; neither has a date but that of the runs that saw it."""
    yield from (KeyRow("signing-key", key.cluster, key.kid) for key in inventory.signing_keys if key.cluster)
    for provider in inventory.providers:
        if not isinstance(provider.thumbprints, Unknown):
            yield from (KeyRow("thumbprint", provider.arn, thumbprint.lower()) for thumbprint in provider.thumbprints)


def _inputs_digest(report: Report) -> str:
    """What was read, whatever the folders are called in which it lay."""
    return sha256(canonical(sorted(row.sha256 or "" for row in report.documents)))


def _sightings(report: Report, names: "SubjectNames", settings: Settings) -> Iterator[SightingRow]:
    from irsa_doctor.reports.json import record_of, waived_record_of

    waived = {(entry.finding.rule, entry.finding.subject): entry for entry in report.waived}
    findings = {(finding.rule, finding.subject): finding for finding in report.findings}
    for key, finding in {**findings, **{key: entry.finding for key, entry in waived.items()}}.items():
        entry = waived.get(key)
        record = waived_record_of(entry) if entry else record_of(finding)
        yield _sighting(finding, names, canonical(msgspec.to_builtins(record)), entry, settings)


def _sighting(finding: Finding, names: "SubjectNames", body: str, entry: Waived | None, settings: Settings) -> SightingRow:
    subject = names.lasting(finding.subject.kind, finding.subject.id)
    home = names.home(finding.subject.kind, subject)
    return SightingRow(
        key=sha256("\0".join((finding.rule, finding.subject.kind, subject))),
        rule=finding.rule,
        kind=finding.subject.kind,
        subject=subject,
        account=home.account,
        cluster=home.cluster,
        severity=finding.severity,
        confidence=finding.confidence,
        status="waived" if entry else "open",
        waiver=_waiver_of(entry, settings) if entry else "",
        body=body,
    )


def _waiver_of(waived: Waived, settings: Settings) -> str:
    """The id of the waiver that sets a finding aside, "" where a comment does."""
    finding = waived.finding
    fitting = (w for w in settings.waivers if w.matches(finding.rule, finding.subject.id) and w.owner == waived.owner)
    return next((waiver.id for waiver in fitting if waiver.expires.isoformat() == waived.expires), "")


def _subjects(report: Report, names: "SubjectNames") -> Iterator[SubjectRow]:
    known = set()
    for subject in report.subjects:
        lasting = names.lasting(subject.kind, subject.id)
        key, home = sha256(f"{subject.kind}\0{lasting}"), names.home(subject.kind, lasting)
        if key not in known:
            known.add(key)
            yield SubjectRow(key, subject.kind, lasting, home.account, home.cluster, subject.verdicts)


def _unkept(rows: RunRows) -> dict[str, Any]:
    """The answer of a run that is not kept, told from a store in memory."""
    import sqlite3

    from irsa_doctor.store.recording import begin, complete
    from irsa_doctor.store.tables import make_tables

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        make_tables(connection)
        run = begin(connection, rows.started)
        complete(connection, run, rows)
        return _told(connection, run)


def _told(connection: Any, run: int) -> dict[str, Any]:
    from irsa_doctor.reports.audit import audit_document
    from irsa_doctor.store.reading import change_rows, run_header, sightings, table

    tables = {name: table(connection, name, run) for name in ("scope", "tally", "unknown", "waiver")}
    changes = [row for row in change_rows(connection, run - 1, run) if row.run == run]
    return audit_document(run_header(connection, run), list(sightings(connection, run)), tables, changes)


# ---- what a store holds


def audit_show(run: int, *, store: str = STORE) -> AuditRun:
    """A run as it was told when it ended. Raises StoreError where the store has none of this number."""
    from irsa_doctor.store.tables import opened

    with closing(opened(store)) as connection:
        return AuditRun(_told(connection, run))


def audit_history(*, store: str = STORE, limit: int | None = None) -> "list[tuple[RunHeader, dict[str, int]]]":
    """The runs, oldest first, each with the number of accounts by state; of the last `limit`. Raises StoreError."""
    from irsa_doctor.store.reading import headers, table
    from irsa_doctor.store.tables import opened

    with closing(opened(store)) as connection:
        runs = headers(connection)
        runs = runs[-limit:] if limit else runs
        return [(header, _states(table(connection, "scope", header.id))) for header in runs]


def _states(scope: Sequence[dict[str, Any]]) -> dict[str, int]:
    states = [row["state"] for row in scope if row["kind"] == "account"]
    return {state: states.count(state) for state in dict.fromkeys(states)}


def audit_changes(
    since: int | datetime, until: int | datetime | None = None, *, store: str = STORE, account: str = ""
) -> "tuple[int, int, list[ChangeRow]]":
    """The runs between which, and what changed after the one up to the other. A time means the last run as of then.

    Raises StoreError.
    """
    from irsa_doctor.store.reading import change_rows, last_run, run_at, run_header
    from irsa_doctor.store.tables import opened

    with closing(opened(store)) as connection:
        first = run_at(connection, rfc3339(since)) if isinstance(since, datetime) else run_header(connection, since).id
        if until is None:
            last = last_run(connection).id
        else:
            last = run_at(connection, rfc3339(until)) if isinstance(until, datetime) else run_header(connection, until).id
        rows = [row for row in change_rows(connection, first, last) if not account or row.account == account]
        return first, last, rows


def audit_verify(*, store: str = STORE, head: str = "") -> "StoreVerification":
    """Everything in a store that is not as a run left it; `head`: a hash that it has to contain.

    Raises StoreError, NoStore where there is none.
    """
    import sqlite3

    from irsa_doctor.store.integrity import StoreVerification, Tampering, verification
    from irsa_doctor.store.tables import opened

    with closing(opened(store)) as connection:
        try:
            return verification(connection, head)
        except (sqlite3.Error, TypeError, ValueError) as error:
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
    from irsa_doctor.store.reading import last_run, table
    from irsa_doctor.store.tables import opened

    with closing(opened(store)) as connection:
        header = last_run(connection)
        waivers = table(connection, "waiver", header.id)
    moment = moment_of(header.as_of)
    if expiring is None or moment is None:
        return waivers
    return [waiver for waiver in waivers if waiver["expires"] <= (moment + expiring).date().isoformat()]


def head_line(answer: dict[str, Any]) -> str:
    """The head of a run as a line to keep elsewhere: run, time and hash."""
    run = answer["run"]
    return f"{run['id']} {run['as_of']} {run['hash']}"
