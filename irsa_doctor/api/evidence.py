"""Reports the evidence that a store of audits holds, by control."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from irsa_doctor.api.audit import STORE
from irsa_doctor.model.moments import moment_of

if TYPE_CHECKING:
    import sqlite3

    from irsa_doctor.answers.audit.audited_scope import EvidenceScope
    from irsa_doctor.answers.audit.evidence import (
        AuditEvidence,
        EvidencePeriod,
        FindingEvent,
        PopulationSource,
        Sampling,
    )
    from irsa_doctor.model.audited import StoredSubject
    from irsa_doctor.rulebook.frameworks import Framework

_EVENTS = ("new", "reopened", "fixed", "gone", "expired", "unwaived", "waived", "unseen", "seen-again", "rule-gone")


def audit_report(
    *,
    store: str = STORE,
    frameworks: Sequence[str] = (),
    run: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    sampling: "Sampling | None" = None,
    account: str = "",
) -> "AuditEvidence":
    """The evidence of the last complete run of a store, of `run`, or of every complete run as of a time from `start` to `end`.

    Without `frameworks`, of all that are known. Items are read from the store when they are rendered.

    Raises StoreError where there is no such run, and KeyError where a framework is unknown.
    """
    from irsa_doctor.answers.audit.evidence import AuditEvidence, frameworks_evidence
    from irsa_doctor.rulebook.rules import shipped_rules
    from irsa_doctor.store.population import trend
    from irsa_doctor.store.reading import read_store, require_account, run_header, table

    known = _known_frameworks(frameworks)
    with read_store(store) as connection:
        require_account(connection, account)
        period = _period(connection, run, start, end)
        header = run_header(connection, period.last)
        source = _source(store, connection, period, account)
        rows = {name: table(connection, name, period.last) for name in ("scope", "unknown", "waiver")}
        scope, rules = _scope(header.options, rows), shipped_rules()
        hidden = scope.hidden_kinds(account)
        return AuditEvidence(
            store=PurePath(store).name,
            run={name: value for name, value in header._asdict().items() if name != "options"},
            period=period,
            scope=scope,
            trend=tuple(trend(connection, _trend_runs(connection, period), account)),
            frameworks=frameworks_evidence(known, rules, source, header.hash, period.last, sampling, hidden),
            waivers=tuple(_waivers(connection, period.last, rows["waiver"], account)),
            events=tuple(_events(connection, period, account)),
            notes=source.notes,
            subjects=source.chosen,
            account=account,
            sampling=sampling,
        )


def _known_frameworks(chosen: Sequence[str]) -> "Sequence[Framework]":
    from irsa_doctor.rulebook.frameworks import frameworks

    known = frameworks()
    return [known[ident] for ident in dict.fromkeys(chosen)] or list(known.values())


def _source(store: str, connection: "sqlite3.Connection", period: "EvidencePeriod", account: str) -> "PopulationSource":
    from irsa_doctor.answers.audit.evidence import PopulationSource
    from irsa_doctor.store.population import Population
    from irsa_doctor.store.reading import read_store

    population = Population(connection, period.runs)
    notes = population.notes

    def subjects() -> "Iterator[StoredSubject]":
        with read_store(store) as stored:
            yield from population.subjects(stored)

    if account:
        homes = dict(connection.execute("select kind || char(0) || subject, account from finding"))
        notes = {(kind, ident): of for (kind, ident), of in notes.items() if homes.get(f"{kind}\0{ident}") == account}
    return PopulationSource(subjects, notes, account)


def _period(
    connection: "sqlite3.Connection", run: int | None, start: datetime | None, end: datetime | None
) -> "EvidencePeriod":
    from irsa_doctor.answers.audit.evidence import EvidencePeriod, gaps_between, period_of
    from irsa_doctor.store.population import complete_runs, pruned_runs
    from irsa_doctor.store.reading import last_run, run_header
    from irsa_doctor.store.tables import StoreError

    complete, pruned = complete_runs(connection), pruned_runs(connection)
    if start is None and end is None:
        header = last_run(connection) if run is None else run_header(connection, run)
        before = sorted(as_of for ident, as_of in (*complete, *pruned) if ident <= header.id)
        earlier = tuple(ident for ident, _ in pruned if ident < header.id)
        return EvidencePeriod(header.as_of, header.as_of, (header.id,), gaps_between(before), pruned=earlier)

    def within(runs: list[tuple[int, str]]) -> list[tuple[int, str]]:
        moments = [(ident, as_of, moment_of(as_of)) for ident, as_of in runs]
        return [(i, as_of) for i, as_of, at in moments if at and (not start or at >= start) and (not end or at <= end)]

    runs, lost = within(complete), within(pruned)
    if not runs:
        raise StoreError(f"no complete run in this period{': their details were pruned' if lost else ''}")
    return period_of(runs, start, end, lost)


def _trend_runs(connection: "sqlite3.Connection", period: "EvidencePeriod") -> list[int]:
    from irsa_doctor.store.population import complete_runs

    runs = [ident for ident, _ in complete_runs(connection)]
    return [ident for ident in runs if ident in period.runs] if period.is_asked else [i for i in runs if i <= period.last]


def _scope(options: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> "EvidenceScope":
    import json

    from irsa_doctor.answers.audit.audited_scope import AuditedAccount, AuditedCluster, AuditedRegion, EvidenceScope, LostList

    entries = rows["scope"]
    return EvidenceScope(
        organization=options.get("organization", ""),
        accounts=tuple(
            AuditedAccount(r["id"], r["name"], tuple(map(str, json.loads(r["ou"]))), r["state"], r["why"] or "", r["taken"])
            for r in entries
            if r["kind"] == "account"
        ),
        clusters=tuple(
            AuditedCluster(r["id"], r["name"], r["state"], r["why"] or "") for r in entries if r["kind"] == "cluster"
        ),
        regions=tuple(
            AuditedRegion(r["id"].partition("/")[0], r["name"], r["state"], r["why"] or "")
            for r in entries
            if r["kind"] == "region"
        ),
        lost_lists=tuple(LostList(r["id"], r["why"] or "") for r in entries if r["kind"] == "list"),
        missing=tuple({**row, "rules": json.loads(row["rules"])} for row in rows["unknown"]),
    )


def _waivers(
    connection: "sqlite3.Connection", run: int, waivers: Sequence[dict[str, Any]], account: str
) -> "Iterator[dict[str, Any]]":
    """The waivers of a run: of an account those that name it, or set a finding of it aside."""
    query = (
        "select s.waiver from sighting s join finding f on f.key = s.key where s.run = ? and s.waiver != '' and f.account = ?"
    )
    used = {ident for (ident,) in connection.execute(query, (run, account))}
    for waiver in waivers:
        if not account or account in waiver["subject"] or f"{waiver['rule']}:{waiver['subject']}" in used:
            yield waiver


def _events(connection: "sqlite3.Connection", period: "EvidencePeriod", account: str) -> "Iterator[FindingEvent]":
    from irsa_doctor.answers.audit.evidence import FindingEvent
    from irsa_doctor.store.reading import change_rows

    for row in change_rows(connection, period.runs[0] - 1, period.last):
        if row.run in period.runs and row.change in _EVENTS and (not account or row.account == account):
            yield FindingEvent(row.change, row.run, row.severity, row.rule, row.subject, row.account)
