"""An audit: what was judged unit by unit, put together to the rows of one run."""

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from irsa_doctor.answers.audit.scope import ScopeEntry, scope_of
from irsa_doctor.answers.audit.subjects import SubjectNames
from irsa_doctor.answers.check.judge import judge_governance, unread
from irsa_doctor.answers.check.order import finding_order
from irsa_doctor.facts import View
from irsa_doctor.facts.shards.inventory import NoOthers, shard_inventory
from irsa_doctor.governance.governing import Governing
from irsa_doctor.model import Inventory, ScopeState, is_account_id
from irsa_doctor.model.findings import Counts, Finding, Missing, Severity, Tally
from irsa_doctor.model.moments import rfc3339
from irsa_doctor.reports.masking import masked_answer
from irsa_doctor.rulebook.rules import digest
from irsa_doctor.shards.engine import Engine
from irsa_doctor.shards.results import ForeignPlace, UnitResult, UnitSighting
from irsa_doctor.shards.run import PlaceSpan, ShardRun
from irsa_doctor.shards.tasks import Limits, RunNames, keys_of_all, shared_by_all
from irsa_doctor.shards.units import AuditError, Unit, input_units
from irsa_doctor.sources.loading import Declared
from irsa_doctor.sources.snapshot.shards import ListedShard, SetAside, listed_shards, set_aside, with_shards
from irsa_doctor.store.draft import SightingDraft, SubjectsDraft
from irsa_doctor.store.index import IndexWriter
from irsa_doctor.store.kept import KeptResults
from irsa_doctor.store.reading import key_runs
from irsa_doctor.store.recording import begin, complete
from irsa_doctor.store.rows import (
    KeyRow,
    RunRows,
    ScopeRow,
    SightingRow,
    SubjectList,
    TallyRow,
    UnknownRow,
    WaiverRow,
    canonical,
    sha256,
)
from irsa_doctor.text.surrogates import without_surrogates
from irsa_doctor.version import __version__

if TYPE_CHECKING:
    from sqlite3 import Connection

INDEX = "index.db"


_TALLIED = TallyRow._fields[1:]


class RunSums(msgspec.Struct):
    """What is added up over the units of a run."""

    counts: Counter[str] = msgspec.field(default_factory=Counter)
    tallies: dict[str, dict[str, int]] = {}
    unknown: dict[tuple[str, str, str, str], tuple[set[str], int]] = {}
    fitting: set[str] = set()
    used: set[str] = set()
    keys: list[KeyRow] = []
    findings: Counter[Severity] = msgspec.field(default_factory=Counter)
    limits: dict[int, str] = {}
    """unit -> the limit that it reached"""
    disputed: dict[str, str] = {}
    """accounts and clusters of which two answers differ -> which answers"""
    has_read: bool = False

    def add(self, unit: int, result: UnitResult) -> None:
        """Add what came of a unit (number)."""
        self.counts.update(msgspec.structs.asdict(result.counts))
        for tally in result.tallies:
            self.add_tally(tally)
        for missing in result.unknown:
            self.add_unknown(missing)
        self.fitting |= set(result.fitting)
        self.used |= set(result.used)
        self.keys += result.keys
        for owner, why in result.disputed:
            self.disputed.setdefault(owner, why)
        self.limits.update({unit: result.limit} if result.limit else {})
        self.has_read = self.has_read or any(row.status == "read" for row in result.documents)

    @property
    def limit(self) -> str:
        """The limit that the first of the units reached that reached one."""
        return self.limits[min(self.limits)] if self.limits else ""

    def add_tally(self, tally: Tally) -> None:
        """Add how often a rule was evaluated."""
        each = self.tallies.setdefault(tally.id, dict.fromkeys(_TALLIED, 0))
        for name in _TALLIED:
            each[name] += getattr(tally, name)

    def add_unknown(self, missing: Missing) -> None:
        """Add a missing input."""
        key = (missing.missing, missing.how, missing.then, missing.file)
        rules, subjects = self.unknown.get(key, (set[str](), 0))
        self.unknown[key] = rules | set(missing.rules), subjects + missing.subjects

    def missing(self) -> list[Missing]:
        """The missing inputs, sorted."""
        return [
            Missing(missing, how, tuple(sorted(rules)), subjects, then, file)
            for (missing, how, then, file), (rules, subjects) in sorted(self.unknown.items(), key=lambda item: item[0])
        ]


class _Gathered(NamedTuple):
    """What came of the units of a run. It is put together while others are judged."""

    sums: RunSums
    findings: SightingDraft
    subjects: SubjectsDraft
    places: set[ForeignPlace]
    """those of findings in documents of other units"""
    listed: Mapping[str, ListedShard]
    """the shards of manifests, by path"""
    unread: dict[str, str]
    """path of a listed shard that could not be read -> why"""

    def add(self, unit: Unit, result: UnitResult, subjects: SubjectList) -> None:
        """Add what came of a unit."""
        self.sums.add(unit.number, result)
        self.subjects.add(unit.number, subjects)
        self.findings.add(unit.number, map(self._counted, result.sightings()))
        for row in result.documents:
            if row.status != "read" and (path := os.path.normpath(row.path)) in self.listed:
                self.unread[path] = row.why or "it is not a snapshot"

    def _counted(self, sighting: UnitSighting) -> tuple[SightingRow, Sequence[int | str], str]:
        """A finding as a row of the draft; its severity and places are noted."""
        row, order, places = sighting
        if row.status == "open":
            self.sums.findings[row.severity] += 1  # type: ignore[index] # what a store has is a text
        self.places.update(place._replace(location=0) for place in places)
        return row, order, canonical(places) if places else ""


class Auditing(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit is about, and by what it is judged."""

    paths: Sequence[str]
    settings: msgspec.Struct
    declared: Declared
    governing: Governing
    moment: datetime
    started: datetime
    max_age: timedelta
    limits: Limits
    engine: Engine
    own_files: Sequence[str]
    """those of the store, which may lie in a folder of the input; they change while it is read"""
    on_stage: Callable[[str], object]

    def run(self, store: "Connection", work: str) -> tuple[int, RunSums]:
        """Judge, and write a run into a store; `work` is a folder for the index. Returns the id of the run, and its sums."""
        aside = set_aside(self.paths, self.moment, self.max_age)
        units = input_units(with_shards(self.paths), aside, self.declared, (*self.own_files, work))
        settings = sha256(canonical(msgspec.to_builtins(self.settings)))
        inputs = sha256(canonical(sorted(file.sha256 for unit in units for file in unit.files)))
        run = begin(store, rfc3339(self.started), settings, inputs)
        kept = KeptResults(store)
        shard_run = ShardRun(units, self.governing, self.moment, self.limits, self.engine, self.on_stage, key_runs(store))
        with closing(IndexWriter(os.path.join(work, INDEX))) as index:
            shard_run.extract(index)
            gathered = _Gathered(RunSums(), SightingDraft(store), SubjectsDraft(store), set(), _listed(self.paths), {})
            shard_run.judge(kept, gathered.add)
        sums, draft = gathered.sums, gathered.findings
        if not sums.has_read and not sums.limit:
            raise AuditError("nothing could be read, and the store is as it was")
        self.on_stage("writing the run")
        self._add_own(shard_run, sums, draft)
        spans = shard_run.spans(gathered.places)
        rows = self._rows(shard_run, gathered, aside)._replace(
            settings=settings,
            inputs=inputs,
            sightings=(_placed(row, places, spans) for row, places in draft.ordered()),
        )
        complete(store, run, rows)
        _forget(os.path.join(work, INDEX), shard_run.cut)
        return run, sums

    def _add_own(self, run: ShardRun, sums: RunSums, draft: SightingDraft) -> None:
        """Add the units that could not be judged, and the findings about the run itself."""
        for unit in run.units:
            if unit.digest in run.cut:
                sums.limits.setdefault(unit.number, run.cut[unit.digest])
            if unit.digest in run.failed:
                sums.add_unknown(Missing(f"what {unit.name} holds: {run.failed[unit.digest]}", "", (), 0))
        gaps = shard_inventory(Inventory(), run.shared(), NoOthers()).gaps
        findings, tallies = judge_governance(self.governing, sums.fitting, self.moment, gaps)
        for tally in tallies:
            sums.add_tally(tally)
        sums.findings.update(finding.severity for finding in findings)
        draft.add(len(run.units), _own_sightings(findings, self.governing))

    def _rows(self, run: ShardRun, gathered: _Gathered, aside: Sequence[SetAside]) -> RunRows:
        sums = gathered.sums
        inventory = shard_inventory(Inventory(), run.shared(), NoOthers())
        missing = sums.missing()
        missing = [*masked_answer(unread(inventory, missing)), *missing]
        return RunRows(
            started=rfc3339(self.started),
            finished=rfc3339(datetime.now(tz=UTC)),
            as_of=rfc3339(self.moment),
            tool=__version__,
            rules_digest=digest(),
            settings="",
            inputs="",
            options={
                "summary": msgspec.to_builtins(Counts(**sums.counts)) if sums.counts else {},
                "organization": next((account.organization for account in inventory.organization), ""),
                "organizations": sorted({account.organization for account in inventory.organization}),
                "shards": sum(unit.shards for unit in run.units),
                "reused": run.progress.reused,
            },
            scope=tuple(_scope(run, inventory, aside, _lost_shards(gathered, aside), sums.disputed)),
            sightings=(),
            subjects=gathered.subjects,
            waivers=tuple(
                WaiverRow(
                    w.rule,
                    w.subject,
                    w.owner,
                    w.reason,
                    w.expires.isoformat(),
                    w.accepted_by,
                    w.file,
                    w.line,
                    w.id in sums.used,
                )
                for w in masked_answer(self.governing.settings).waivers
            ),
            tallies=tuple(TallyRow(rule, *each.values()) for rule, each in sorted(sums.tallies.items())),
            unknown=tuple(UnknownRow(u.missing, u.how, u.rules, u.subjects, u.then, u.file) for u in missing),
            keys=tuple(sums.keys),
        )


def _listed(paths: Sequence[str]) -> Mapping[str, ListedShard]:
    """The shards of manifests, by path as results have it."""
    return {without_surrogates(path): shard for path, shard in listed_shards(paths).items()}


def _forget(path: str, cut: Collection[bytes]) -> None:
    """Remove from an index the units that were not read to their end: the next run reads them again."""
    if cut:
        with closing(IndexWriter(path)) as index:
            index.remove([ident for digest, ident in index.units().items() if digest in cut])
        shared_by_all.cache_clear()
        keys_of_all.cache_clear()


def _placed(row: SightingRow, places: str, spans: Mapping[ForeignPlace, PlaceSpan]) -> SightingRow:
    """A finding with the places that are in documents of other units."""
    if not places:
        return row
    body = json.loads(row.body)
    for place in (ForeignPlace(*each) for each in json.loads(places)):
        span = spans.get(place._replace(location=0))
        if span is None:
            continue  # it is in no document at all: a waiver, or what cannot be read
        line, column, end_line, end_column = span
        body["locations"][place.location] |= {"line": line, "column": column, "end_line": end_line, "end_column": end_column}
    return row._replace(body=canonical(body))


def _own_sightings(
    findings: Sequence[Finding], governing: Governing
) -> Iterator[tuple[SightingRow, tuple[int | str, ...], str]]:
    """The findings about the run itself, its waivers."""
    names = RunNames(SubjectNames(View(Inventory())), governing)
    for finding in masked_answer(tuple(findings)):
        yield names.sighting(finding), finding_order(finding), ""


class _LostShard(NamedTuple):
    """A shard that was to be read and could not be; `cluster`: its ARN, "" for a shard of the account itself."""

    account: str
    cluster: str
    why: str


def _lost_shards(gathered: _Gathered, aside: Sequence[SetAside]) -> list[_LostShard]:
    """The shards that are missing, have changed, or are not snapshots that this version reads."""
    lost = [_LostShard(shard.account, shard.cluster, shard.why) for shard in aside if shard.state == "unknown"]
    for path, why in sorted(gathered.unread.items()):
        shard = gathered.listed[path]
        lost.append(_LostShard(shard.account, shard.cluster, f"{shard.file}: {why}"))
    return lost


def _scope(
    run: ShardRun, inventory: Inventory, aside: Sequence[SetAside], lost: Sequence[_LostShard], disputed: Mapping[str, str]
) -> Iterator[ScopeRow]:
    stale = {shard.account: shard.taken for shard in aside if shard.state == "stale"}
    owners = {owner.removeprefix("account ") for each in run.shared() for owner in each.owners if owner.startswith("account ")}
    failed = dict(_failed_accounts(run))
    for entry in masked_answer(scope_of(inventory, stale, owners | failed.keys())):
        state, why = _lost_state(entry, lost, entry.id in inventory.closed.roles)
        if state == "read" and entry.id in disputed:
            state, why = "partial", disputed[entry.id]
        if entry.kind == "account" and entry.id in failed:
            state, why = "unknown", failed[entry.id]
        yield ScopeRow(entry.kind, entry.id, entry.name, entry.units, state, why or None, entry.taken)


def _lost_state(entry: ScopeEntry, lost: Sequence[_LostShard], has_roles: bool) -> tuple[ScopeState, str]:
    """The state of an account or cluster, and why: of an account nothing is known where its own shard is lost, a part is where
    its roles were listed whole all the same."""
    if entry.kind == "cluster":
        return next((("unknown", shard.why) for shard in lost if shard.cluster == entry.id), (entry.state, entry.why))
    if entry.kind in ("region", "list"):
        return entry.state, entry.why
    of_account = sorted((shard for shard in lost if shard.account == entry.id), key=lambda shard: shard.cluster)
    if not of_account or entry.state not in ("read", "partial"):
        return entry.state, entry.why
    return "partial" if of_account[0].cluster or has_roles else "unknown", of_account[0].why


def _failed_accounts(run: ShardRun) -> Iterator[tuple[str, str]]:
    """The accounts that could not be judged, and why."""
    for unit in run.units:
        if why := run.failed.get(unit.digest):
            for owner in sorted({owner for file in unit.files for owner in file.owners}):
                account = owner.removeprefix("account ")
                if is_account_id(account):
                    yield account, why
