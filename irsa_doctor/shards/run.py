"""One run over many units: extracted, joined where they cannot be told apart, judged, and their findings placed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial

import msgspec

from irsa_doctor.facts.shards.rows import SharedFacts
from irsa_doctor.governance.governing import Governing
from irsa_doctor.model import Cluster
from irsa_doctor.model.standards import KeyRun
from irsa_doctor.rulebook.rules import digest
from irsa_doctor.shards import packing
from irsa_doctor.shards.engine import Engine, Failed
from irsa_doctor.shards.results import RESULT_VERSION, ForeignPlace, UnitResult, result_from, subjects_from
from irsa_doctor.shards.tasks import Extract, Limits, UnitQuestion, extract, judged, keys_of_all, ready, shared_by_all, spans
from irsa_doctor.shards.units import Unit, units_united
from irsa_doctor.store.index import IndexedUnit, IndexReader, IndexWriter
from irsa_doctor.store.kept import KeptResults
from irsa_doctor.store.rows import SubjectList, canonical, sha256
from irsa_doctor.version import __version__

PlaceSpan = tuple[int, int, int, int]


class Progress(msgspec.Struct):
    """How many units were judged, and how many had been judged before."""

    judged: int = 0
    reused: int = 0


class ShardRun:
    """The judgement of some units. `on_stage` hears what is done, for people who wait."""

    def __init__(
        self,
        units: Sequence[Unit],
        governing: Governing,
        moment: datetime,
        limits: Limits,
        engine: Engine,
        on_stage: Callable[[str], object] = str,
        key_runs: Mapping[str, tuple[KeyRun, ...]] = {},
    ) -> None:
        self.units = list(units)
        self.failed: dict[bytes, str] = {}
        self.cut: dict[bytes, str] = {}
        """digest of a unit that was not read to its end -> the limit that it reached"""
        self.progress = Progress()
        self._governing, self._moment, self._limits = governing, moment, limits
        self._key_runs = key_runs
        self._engine, self._on_stage = engine, on_stage
        self._index = ""
        self._generation = b""
        self._told = ""

    # ---- extract

    def extract(self, index: IndexWriter) -> None:
        """Bring the index to where it has these units and no others; what is about one thing becomes one unit."""
        self._index = index.path
        while True:
            self._extract_missing(index)
            known = {unit.digest for unit in self.units}
            index.remove([ident for digest, ident in index.units().items() if digest not in known])
            index.number([unit.digest for unit in self.units])
            self._generation = hashlib.sha256(b"".join(unit.digest for unit in self.units)).digest()
            if not self._unite():
                return

    def shared(self) -> tuple[SharedFacts, ...]:
        """What each unit shares with all, in order of reading."""
        return shared_by_all(self._index, self._generation)

    def _extract_missing(self, index: IndexWriter) -> None:
        known = index.units()
        if missing := [unit for unit in self.units if unit.digest not in known]:
            index.add(self._extracted(missing))

    def _extracted(self, units: Sequence[Unit]) -> Iterator[IndexedUnit]:
        for number, (unit, came) in enumerate(self._engine.done(partial(_extract, self._limits), units)):
            self._on_stage(f"read {number + 1} of {len(units)} accounts")
            each = self._unread(unit, came.why) if isinstance(came, Failed) else came
            if each.limit:
                self.cut[each.digest] = each.limit
            yield IndexedUnit(each.digest, each.shared, each.links, each.records)

    def _unread(self, unit: Unit, why: str) -> Extract:
        """What others look up of a unit that could not be read: that nothing is known of its accounts."""
        substitute = unit.unread(f"it could not be read: {why}")
        self.units = [substitute if each.digest == unit.digest else each for each in self.units]
        self.failed[substitute.digest] = why
        return extract(substitute, self._limits)

    def _unite(self) -> bool:
        """Unite the units that are about one thing; whether there were any."""
        shared = shared_by_all(self._index, self._generation)
        owners: list[set[str]] = [set(each.owners) for each in shared]
        _add_names(owners, self.units, shared)
        if any(each.deep for each in shared):
            everything = set().union(*owners)
            with closing(IndexReader(self._index, b"")) as reader:
                for names, links in zip(owners, map(packing.record_from, reader.links()), strict=True):
                    names.update(everything.intersection(links))
        if not self.units:
            return False
        together = units_united([unit.files for unit in self.units], owners, self.units[0].declared)
        if len(together) == len(self.units):
            return False
        self.units = together
        return True

    # ---- judge

    def judge(self, kept: KeptResults, take: Callable[[Unit, UnitResult, SubjectList], object]) -> None:
        """Judge every unit of which no result is kept that still holds; `take` gets every unit that was judged, now or before,
        with its result and subjects, in any order."""
        self._told = self._told_apart()
        question = UnitQuestion(self._index, self._generation, self._governing, self._moment, self._limits, self._key_runs)
        names = {unit.digest: self.name_of(unit) for unit in self.units}
        kept.keep_only(names.values())
        todo = [unit for unit in self.units if not self._holds(unit, kept)]
        missing = {unit.digest for unit in todo}
        done = len(self.units) - len(todo)
        if todo:
            ready(question)
        self.progress.reused = sum(unit.shards for unit in self.units) - sum(unit.shards for unit in todo)
        for unit in self.units:
            if unit.digest not in missing:
                name = names[unit.digest]
                take(unit, result_from(kept.result(name)), subjects_from(kept.subjects(name)))
        for unit, came in self._engine.done(partial(_judge, question), todo):
            done += 1
            self._on_stage(f"judged {done} of {len(self.units)} accounts")
            self.progress.judged += unit.shards
            if isinstance(came, Failed):
                self.failed[unit.digest] = came.why
            else:
                result = result_from(came[0])
                if not result.limit and not self.cut:  # what a limit has cut is no result of a run without it
                    kept.add(names[unit.digest], self._generation, came)
                take(unit, result, subjects_from(came[1]))

    def name_of(self, unit: Unit) -> str:
        """What a result depends on, but for what was looked up in other units."""
        return sha256(f"{unit.digest.hex()}\0{self._told}")

    def _told_apart(self) -> str:
        """What the results of all units depend on."""
        settings, today = self._governing.settings, self._moment.date()
        expired = [waiver.is_expired(today) for waiver in settings.waivers]
        runs = {subject: [run.as_of for run in runs] for subject, runs in self._key_runs.items()}
        moment = [self._moment.isoformat(), runs] if settings.standards.are_set else []
        rules = [(rule.id, str(rule.severity)) for rule in self._governing.rules]
        shared = hashlib.sha256()
        for each in shared_by_all(self._index, self._generation):
            shared.update(hashlib.sha256(_in_order(each)).digest())
        said = canonical([msgspec.to_builtins(settings), expired, moment, rules, digest(), __version__, RESULT_VERSION])
        return f"{shared.hexdigest()}\0{said}"

    def _holds(self, unit: Unit, kept: KeptResults) -> bool:
        """Whether a result is kept, and what it has looked up in other units is still the same."""
        name = self.name_of(unit)
        generation = kept.generation(name)
        if generation is None or generation == self._generation:
            return generation is not None
        keys = keys_of_all(self._index, self._generation)
        with closing(IndexReader(self._index, unit.digest, keys)) as reader:
            return all(reader.mark(key) == mark for key, mark in result_from(kept.result(name)).asked)

    # ---- place

    def spans(self, places: Iterable[ForeignPlace]) -> Mapping[ForeignPlace, PlaceSpan]:
        """Where the places of findings in documents of other units stand."""
        wanted: dict[str, set[ForeignPlace]] = {}
        for place in places:
            wanted.setdefault(place.document, set()).add(place)
        tasks = list(self._placing(wanted)) if wanted else []
        found: dict[ForeignPlace, PlaceSpan] = {}
        for task, came in self._engine.done(_place, tasks):
            if not isinstance(came, Failed):
                found.update(zip(task[1], came, strict=True))
        return found

    def _placing(self, wanted: Mapping[str, set[ForeignPlace]]) -> Iterator[tuple[Unit, list[ForeignPlace], tuple[str, ...]]]:
        shared = shared_by_all(self._index, self._generation)
        for unit, each in zip(self.units, shared, strict=True):
            own = (owner.removeprefix("answer ") for file in unit.files for owner in file.owners if owner.startswith("answer "))
            places = [place for path in sorted(set(own)) for place in sorted(wanted.get(path, ()))]
            if places:
                yield unit, places, each.repeating


def _add_names(owners: Sequence[set[str]], units: Sequence[Unit], shared: Sequence[SharedFacts]) -> None:
    """Add the names of clusters that are not known by ARN: which one a name means depends on all clusters that it fits."""
    loose = [set(_loose_names(unit, each.inventory.clusters)) for unit, each in zip(units, shared, strict=True)]
    everywhere = set().union(*loose)
    for names, own, each in zip(owners, loose, shared, strict=True) if everywhere else ():
        clusters = each.inventory.clusters
        fitting = {name for cluster in clusters for name in (cluster.name, cluster.issuer) if name in everywhere}
        names.update(f"named {name}" for name in own | fitting)


def _loose_names(unit: Unit, clusters: Iterable[Cluster]) -> Iterator[str]:
    """The names and issuers (without scheme) by which a unit means clusters."""
    for file in unit.files:
        yield from (name.removeprefix("owner ").removeprefix("https://") for name in file.owners if name.startswith("owner "))
    yield from (cluster.name.removeprefix("https://") for cluster in clusters if not cluster.arn)


def _in_order(record: msgspec.Struct) -> bytes:
    """A record as JSON that is the same in every process: its packed bytes have the sets in the order of a process."""
    try:
        return msgspec.json.encode(record, order="deterministic")
    except UnicodeEncodeError:  # a path that is not UTF-8
        return canonical(msgspec.to_builtins(record, order="deterministic")).encode(errors="surrogatepass")


def _extract(limits: Limits, unit: Unit) -> Extract:
    return extract(unit, limits)


def _judge(question: UnitQuestion, unit: Unit) -> tuple[bytes, bytes]:
    return judged(unit, question).packed()


def _place(task: tuple[Unit, list[ForeignPlace], tuple[str, ...]]) -> list[PlaceSpan]:
    return spans(*task)
