"""The three tasks of a unit: extract what others look up, judge its subjects, find places for the findings of others.

Each is a function of its arguments and of files that do not change, so that it can be done again, in any process.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import msgspec

from irsa_doctor.answers.audit.subjects import SubjectNames
from irsa_doctor.answers.check.engine import JudgedSubjects
from irsa_doctor.answers.check.judge import Input, judge
from irsa_doctor.answers.check.order import finding_order
from irsa_doctor.facts.shards.inventory import shard_inventory
from irsa_doctor.facts.shards.rows import ClusterSubjectList, SharedFacts, links_of, shard_records, shared_facts
from irsa_doctor.facts.shards.tables import LATEST_ROLES, ForeignRecord, Latest
from irsa_doctor.facts.shards.view import ShardView
from irsa_doctor.governance.governing import Governing
from irsa_doctor.model import Inventory, OidcProvider, Place, Unknown, parse_arn
from irsa_doctor.model.findings import Finding, JudgedSubject, Report, Waived
from irsa_doctor.model.limits import ever_reached, limited
from irsa_doctor.model.standards import KeyRun
from irsa_doctor.reports.json import record_of, waived_record_of
from irsa_doctor.reports.masking import masked_answer
from irsa_doctor.shards import packing
from irsa_doctor.shards.results import ForeignPlace, UnitResult, UnitSighting, sighting_blocks
from irsa_doctor.shards.units import Unit
from irsa_doctor.store.index import IndexKeys, IndexReader, index_keys, mark_of
from irsa_doctor.store.rows import KeyRow, SightingRow, SubjectList, SubjectRow, canonical, digest_bytes, sha256
from irsa_doctor.text.mask import looks_plain, masked
from irsa_doctor.text.positions import Documents
from irsa_doctor.text.surrogates import texts_without_surrogates, without_surrogates


class Limits(msgspec.Struct, frozen=True):
    """What one unit may take: seconds, and bytes of memory."""

    seconds: float
    memory: int


class Extract(msgspec.Struct, frozen=True):
    """What a unit has for others: as bytes, what all have of it and the names of what its records name; its records by key.
    `limit`: what ended the reading before its end."""

    digest: bytes
    shared: bytes
    links: bytes
    records: list[tuple[tuple[int, ...], bytes]]
    limit: str = ""


def extract(unit: Unit, limits: Limits) -> Extract:
    """What others look up in a unit."""
    with limited(limits.seconds, limits.memory):
        loaded = unit.loaded()
        limit = ever_reached()
    inventory = loaded.inventory
    paths = (row.path for row in inventory.documents)
    shared = shared_facts(inventory, [path for path in paths if (text := loaded.documents.source(path)) and text.repeats])
    named: set[str] = set()
    records = [(record.keys, packing.packed(record.record)) for record in shard_records(inventory, named)]
    links = packing.packed(tuple(sorted(set(links_of(inventory, named)))))
    parse_arn.cache_clear()  # few other units name the same
    return Extract(unit.digest, packing.packed(shared), links, records, limit)


class UnitQuestion(msgspec.Struct, frozen=True):
    """By what a unit is judged: the file of the index, the settings and rules, and the time."""

    index: str
    generation: bytes
    """which units the index has, in which order"""
    governing: Governing
    moment: datetime
    limits: Limits
    key_runs: Mapping[str, tuple[KeyRun, ...]]


@lru_cache(maxsize=1)
def shared_by_all(index: str, generation: bytes) -> tuple[SharedFacts, ...]:
    """What each unit of an index shares with all, in order of reading; read once in a process and its copies."""
    with closing(IndexReader(index, b"")) as reader:
        return tuple(map(packing.record_from, reader.shared()))


@lru_cache(maxsize=1)
def keys_of_all(index: str, generation: bytes) -> IndexKeys:
    """The keys of an index; read once in a process and its copies."""
    return index_keys(index)


def ready(question: UnitQuestion) -> None:
    """Read and import what every process needs that judges units, before there are copies of this one."""
    keys_of_all(question.index, question.generation)
    import_module("irsa_doctor.remedies.proposals")


class _OftenAsked:
    """Records of an index that many units ask for, read once for all units that a process judges: providers, and the names of
    roles and of service accounts. A role or a service account is asked for by few."""

    def __init__(self) -> None:
        self._known: dict[int, object] = {}
        self._size = 0

    def record(self, number: int, reader: IndexReader) -> object:
        """A record by its number."""
        known = self._known.get(number)
        return self._read(number, reader.value(number)) if known is None else known

    def _read(self, number: int, content: bytes) -> object:
        record: object = packing.record_from(content)
        if isinstance(record, OidcProvider | ClusterSubjectList | tuple):
            self._size += len(content)
            if self._size > _OFTEN_ASKED:
                self._known.clear()
                self._size = len(content)
            self._known[number] = record
        return record


_OFTEN_ASKED = 1 << 20
"""bytes of packed records that a process keeps from unit to unit; with more, it begins anew"""


@lru_cache(maxsize=1)
def _often_asked(index: str, generation: bytes) -> _OftenAsked:
    return _OftenAsked()


class _Recorded:
    """The index, with a note of what was looked up in it."""

    def __init__(self, reader: IndexReader, often: _OftenAsked) -> None:
        self._reader, self._often = reader, often
        self._records: dict[int, object] = Latest(LATEST_ROLES)
        self._rows: dict[int, Sequence[ForeignRecord]] = Latest(LATEST_ROLES)
        self._marks: dict[int, bytes] = {}

    def find(self, key: int) -> Sequence[ForeignRecord]:
        """The records of a key, in order of reading."""
        rows = self._rows.get(key)
        if rows is None:
            if self._marks.get(key) == b"" or not (found := self._reader.rows(key)):
                self._marks[key] = b""
                return ()
            self._marks[key] = mark_of(found)
            rows = self._rows[key] = [ForeignRecord(n, before, self._record(record)) for n, before, _, record in found]
        return rows

    def may_have(self, key: int) -> bool:
        """Whether other units may have records under a key; that they have none is noted too."""
        may_have = self._reader.may_have(key)
        if not may_have:
            self._marks[key] = b""
        return may_have

    def asked(self) -> list[tuple[int, bytes]]:
        """The keys that were looked up, sorted, each with the mark of what is there."""
        return sorted(self._marks.items())

    def _record(self, record: int) -> object:
        known = self._records.get(record)
        if known is None:
            known = self._records[record] = self._often.record(record, self._reader)
        return known


def judged(unit: Unit, question: UnitQuestion) -> UnitResult:
    """What the rules say of the subjects of a unit."""
    keys, limits = keys_of_all(question.index, question.generation), question.limits
    with closing(IndexReader(question.index, unit.digest, keys)) as reader, limited(limits.seconds, limits.memory):
        index = _Recorded(reader, _often_asked(question.index, question.generation))
        shared = shared_by_all(question.index, question.generation)
        loaded = unit.loaded()
        inventory = shard_inventory(loaded.inventory, shared, index)
        record = JudgedSubjects()
        with _views(shared, _corrections(question)) as view_of:
            names = RunNames(SubjectNames(view_of(inventory)), question.governing)
            answer = _answer(
                judge(
                    Input(inventory, loaded.documents),
                    question.governing,
                    question.moment,
                    lean=True,
                    record=record,
                    shard_view=view_of,
                    key_runs=question.key_runs,
                ),
                names,
            )
            blocks = list(sighting_blocks(_sightings(answer.findings, names, loaded.documents)))
        result = _result(answer, blocks, loaded.inventory, names, index)
    parse_arn.cache_clear()  # few other units name the same
    return result


_CORRECTIONS = 256
"""corrections that a process remembers from unit to unit"""


def _corrections(question: UnitQuestion) -> dict[Any, Any]:
    """The corrections of policies that this process has proved in a run."""
    known = _corrections_of(question.index, question.generation, canonical(msgspec.to_builtins(question.governing.settings)))
    if len(known) > _CORRECTIONS:
        known.clear()
    return known


@lru_cache(maxsize=1)
def _corrections_of(index: str, generation: bytes, settings: str) -> dict[Any, Any]:
    return {}


@contextmanager
def _views(shared: tuple[SharedFacts, ...], corrections: dict[Any, Any]) -> Iterator[Callable[..., ShardView]]:
    """What makes the views of a unit. Afterwards they are empty: everything that was worked out hangs on a view and the view
    on it, which would have to be searched for."""
    views: list[ShardView] = []

    def view_of(inventory: Inventory, *settings: Any) -> ShardView:
        view: ShardView = msgspec.structs.replace(ShardView(inventory, *settings), shared=shared)
        vars(view)["corrections"] = corrections
        views.append(view)
        return view

    try:
        yield view_of
    finally:
        for view in views:
            vars(view).clear()


class _Answer(NamedTuple):
    """What the rules say of a unit, its findings apart, each with the waiver that sets it aside."""

    report: Report
    findings: deque[tuple[Finding, Waived | None]]
    used: tuple[str, ...]


def _answer(report: Report, names: "RunNames") -> _Answer:
    # the verdicts of a subject hold no text of the input: its id alone is checked for secrets
    shown = masked_answer(msgspec.structs.replace(report, subjects=()))
    used = tuple(sorted({names.waiver_of(waived) for waived in shown.waived} - {""}))
    rest = msgspec.structs.replace(shown, findings=(), waived=(), subjects=report.subjects)
    return _Answer(rest, deque(_findings_of(shown)), used)


def _findings_of(report: Report) -> Iterator[tuple[Finding, Waived | None]]:
    """Every finding of a report once, those that are waived too."""
    waived = {(entry.finding.rule, entry.finding.subject): entry for entry in report.waived}
    open_ones = {(finding.rule, finding.subject): finding for finding in report.findings}
    for key, finding in {**open_ones, **{key: entry.finding for key, entry in waived.items()}}.items():
        yield finding, waived.get(key)


def _sightings(
    findings: deque[tuple[Finding, Waived | None]], names: "RunNames", documents: Documents
) -> Iterator[UnitSighting]:
    """The findings as a store has them. Each is given up when it is read: what its fix was worked out of is larger than it."""
    while findings:
        finding, waived = findings.popleft()
        yield UnitSighting(names.sighting(finding, waived), finding_order(finding), _foreign(finding, documents, names))


def _result(answer: _Answer, blocks: list[bytes], own: Inventory, names: "RunNames", index: _Recorded) -> UnitResult:
    report = answer.report
    return UnitResult(
        blocks=blocks,
        subjects=names.subjects(report.subjects),
        tallies=report.tallies,
        unknown=report.unknown,
        documents=report.documents,
        counts=msgspec.structs.replace(report.counts, clusters=len(own.clusters) + len(own.planned_clusters)),
        fitting=tuple(sorted(report.fitting_waivers)),
        used=answer.used,
        keys=list(_keys(own)),
        baselined=report.baselined,
        hidden=report.hidden,
        limit=report.limit,
        disputed=list(_disputed(own)),
        asked=index.asked(),
    )


def _keys(inventory: Inventory) -> Iterator[KeyRow]:
    """The signing keys of clusters and the thumbprints of providers; neither has a date but that of the runs that saw it."""
    yield from (KeyRow("signing-key", key.cluster, key.kid) for key in inventory.signing_keys if key.cluster)
    for provider in inventory.providers:
        if not isinstance(provider.thumbprints, Unknown):
            yield from (KeyRow("thumbprint", provider.arn, thumbprint.lower()) for thumbprint in provider.thumbprints)


def _disputed(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """The accounts and clusters of which two answers differ, each with why."""
    for each in inventory.contradictions:
        kind, _, path = each.second.document.partition("://")
        owner = path.partition("/")[0] if kind == "aws" else path.rpartition("/")[0]
        if kind in ("aws", "kube"):
            yield owner, f"two answers differ on the {each.what} of {each.subject}"


def _foreign(finding: Finding, documents: Documents, names: "RunNames") -> tuple[ForeignPlace, ...]:
    """The places of a finding that are in no document of the unit."""
    return tuple(
        ForeignPlace(number, location.file, location.pointer, names.places[finding.rule][number].endswith("_key"))
        for number, location in enumerate(finding.locations)
        if documents.text(location.file) is None
    )


_TOGETHER = 16
"""names that are checked for secrets together: one that may have some costs that all of them are checked one by one"""


class RunNames:
    """Findings and subjects as rows of a store, under the names that stay."""

    def __init__(self, names: SubjectNames, governing: Governing) -> None:
        self._names = names
        self._waivers = governing.settings.waivers
        self.places = {rule.id: tuple(rule.places) for rule in governing.rules}
        """the names of the places of each rule"""

    def sighting(self, finding: Finding, entry: Waived | None = None) -> SightingRow:
        """The row of a finding, one that is set aside with its entry."""
        record = waived_record_of(entry) if entry else record_of(finding)
        return self._row(finding, _body(record), entry)

    def _row(self, finding: Finding, body: str, entry: Waived | None) -> SightingRow:
        subject = without_surrogates(self._names.lasting(finding.subject.kind, finding.subject.id))
        home = self._names.home(finding.subject.kind, subject)
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
            waiver=self.waiver_of(entry) if entry else "",
            body=body,
        )

    def waiver_of(self, waived: Waived) -> str:
        """The id of the waiver that sets a finding aside, "" where a comment does."""
        finding = waived.finding
        fitting = (w for w in self._waivers if w.matches(finding.rule, finding.subject.id) and w.owner == waived.owner)
        return next((waiver.id for waiver in fitting if waiver.expires.isoformat() == waived.expires), "")

    def subjects(self, subjects: Iterable[JudgedSubject]) -> SubjectList:
        """The row of every subject, each once."""
        rows: dict[bytes, SubjectRow] = {}
        # subjects that the rules said the same of mostly share the very record of it
        shared: dict[int, int] = {}
        numbers: dict[tuple[tuple[str, str], ...], int] = {}
        for subject, lasting in self._lasting(tuple(subjects)):
            number = shared.get(id(subject.verdicts))
            if number is None:
                number = shared[id(subject.verdicts)] = numbers.setdefault(subject.verdicts, len(numbers))
            key = digest_bytes(f"{subject.kind}\0{lasting}")
            if key not in rows:
                rows[key] = SubjectRow(key, subject.kind, lasting, *self._names.home(subject.kind, lasting), number)
        return SubjectList(list(numbers), list(rows.values()))

    def _lasting(self, subjects: Sequence[JudgedSubject]) -> Iterator[tuple[JudgedSubject, str]]:
        """Subjects with the names that stay, without what looks like a secret; nearly always none of them does."""
        for first in range(0, len(subjects), _TOGETHER):
            some = subjects[first : first + _TOGETHER]
            names = [without_surrogates(self._names.lasting(subject.kind, subject.id)) for subject in some]
            if not looks_plain("\n".join(names)):
                names = list(map(masked, names))
            yield from zip(some, names, strict=True)


def _body(record: msgspec.Struct) -> str:
    """A record as canonical JSON."""
    try:
        return msgspec.json.encode(record, order="sorted").decode()
    except UnicodeEncodeError:  # a path that is not UTF-8
        return canonical(texts_without_surrogates(msgspec.to_builtins(record)))


def spans(unit: Unit, places: Sequence[ForeignPlace], repeating: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Line, column, end line and end column of some places in the answers of a unit; `repeating` are those in which a member
    is repeated."""
    documents = unit.texts({place.document for place in places}, repeating)
    found = [documents.locate(Place(place.document, place.pointer), place.is_name) for place in places]
    return [(span.line, span.column, span.end_line, span.end_column) for span in found]
