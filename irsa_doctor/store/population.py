"""Reads the subjects of runs with what every rule said of them, one at a time, for reports by control."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from irsa_doctor.model.audited import FindingNote, RunTrend, RunVerdicts, StoredSubject
from irsa_doctor.store.reading import departed_accounts, organizations_of
from irsa_doctor.store.rows import sha256

_NOBODY: frozenset[str] = frozenset()
_COLUMNS = "s.key, s.kind, s.id, s.account, s.cluster, s.run, s.verdicts"


class Population:
    """The subjects of some runs of a store, oldest run first, and their findings in the last of them."""

    def __init__(self, store: sqlite3.Connection, runs: Sequence[int]) -> None:
        self._store, self._runs = store, tuple(runs)
        self._sets: dict[int, Mapping[str, str]] = {}
        self._told: dict[tuple[tuple[int, int], ...], tuple[RunVerdicts, ...]] = {}
        self._waived = self._waived_rules()
        self._with_waivers = {(kind, ident) for _, kind, ident in self._waived}
        self._known_by_findings = tuple(self._of_findings())
        self.notes = self._notes()

    def subjects(self, store: sqlite3.Connection) -> Iterator[StoredSubject]:
        """Every subject, by kind and id; then those that are known by a finding alone, then those out of sight. `store`: a
        connection to the same store."""
        yield from self._judged(store)
        yield from self._known_by_findings
        yield from self._unseen(store)

    def _judged(self, store: sqlite3.Connection) -> Iterator[StoredSubject]:
        query = (
            f"select {_COLUMNS} from subject s where s.run in ({self._marks})"  # noqa: S608 - our own names
            " order by s.kind, s.id, s.key, s.run"
        )
        for (key, kind, ident, account, cluster), rows in groupby(store.execute(query, self._runs), key=lambda row: row[:5]):
            verdicts = self._verdicts(store, kind, ident, tuple([row[5:] for row in rows]))
            yield StoredSubject(key, kind, ident, account, cluster, verdicts)

    @property
    def _marks(self) -> str:
        return ", ".join("?" * len(self._runs))

    def _verdicts(
        self, store: sqlite3.Connection, kind: str, ident: str, runs: tuple[tuple[int, int], ...]
    ) -> tuple[RunVerdicts, ...]:
        """The verdicts of a subject in some runs, given by sets; one object for all subjects that have the same."""
        if (kind, ident) in self._with_waivers:
            waived = self._waived.get
            return tuple([self._of_run(store, run, each, waived((run, kind, ident), _NOBODY)) for run, each in runs])
        if (verdicts := self._told.get(runs)) is None:
            verdicts = self._told[runs] = tuple([self._of_run(store, run, each, _NOBODY) for run, each in runs])
        return verdicts

    def _of_run(self, store: sqlite3.Connection, run: int, number: int, waived: frozenset[str]) -> RunVerdicts:
        if (verdicts := self._sets.get(number)) is None:
            (text,) = store.execute("select verdicts from verdict_set where id = ?", (number,)).fetchone()
            verdicts = self._sets[number] = json.loads(text)
        return RunVerdicts(run, verdicts, waived)

    def _of_findings(self) -> Iterator[StoredSubject]:
        """Subjects of rules about the run itself, waivers say, which are in no table of subjects."""
        query = (
            "select f.kind, f.subject, f.account, f.cluster, s.run, f.rule from sighting s join finding f"  # noqa: S608
            f" on f.key = s.key where s.run in ({self._marks}) order by f.kind, f.subject, s.run"
        )
        judged = self._names()
        name = next(judged, None)
        for (kind, ident, account, cluster), rows in groupby(self._store.execute(query, self._runs), key=lambda row: row[:4]):
            while name is not None and name < (kind, ident):
                name = next(judged, None)
            if name == (kind, ident):
                continue
            by_run: dict[int, dict[str, str]] = {}
            for *_, run, rule in rows:
                by_run.setdefault(run, {})[rule] = "fail"
            verdicts = (RunVerdicts(run, rules, self._waived.get((run, kind, ident), _NOBODY)) for run, rules in by_run.items())
            yield StoredSubject(sha256(f"{kind}\0{ident}"), kind, ident, account, cluster, tuple(verdicts))

    def _names(self) -> Iterator[tuple[str, str]]:
        """Kind and id of every subject that was judged, in order."""
        query = f"select distinct kind, id from subject where run in ({self._marks}) order by kind, id"  # noqa: S608 - our own names
        return iter(self._store.execute(query, self._runs))

    def _unseen(self, store: sqlite3.Connection) -> Iterator[StoredSubject]:
        """Subjects of earlier runs that are in none of these, and whose account or cluster was out of sight ever since."""
        last = self._runs[-1]
        sights = _sights(store, last)
        query = (
            "select s.key, s.kind, s.id, s.account, s.cluster, max(s.run), s.verdicts from subject s"  # noqa: S608 - our own names
            " where s.run < ? and s.key not in"
            f" (select key from subject where run in ({self._marks})) group by s.key order by s.kind, s.id, s.key"
        )
        for key, kind, ident, account, cluster, run, verdicts in store.execute(query, (last, *self._runs)):
            if all(sight.is_dim(account, cluster) for number, sight in sights.items() if number > run):
                told = self._verdicts(store, kind, ident, ((run, verdicts),))
                yield StoredSubject(key, kind, ident, account, cluster, told, True)

    def _waived_rules(self) -> dict[tuple[int, str, str], frozenset[str]]:
        query = (
            "select s.run, f.kind, f.subject, f.rule from sighting s join finding f on f.key = s.key"  # noqa: S608 - our own names
            f" where s.status = 'waived' and s.run in ({self._marks})"
        )
        table: dict[tuple[int, str, str], set[str]] = {}
        for run, kind, subject, rule in self._store.execute(query, self._runs):
            table.setdefault((run, kind, subject), set()).add(rule)
        return {subject: frozenset(rules) for subject, rules in table.items()}

    def _notes(self) -> dict[tuple[str, str], tuple[FindingNote, ...]]:
        """(kind, id) of a subject -> its findings, as the last of the runs that saw each left them."""
        query = (
            "select f.kind, f.subject, f.rule, s.key, s.severity, s.status, f.first_seen, max(s.run),"  # noqa: S608
            " case s.status when 'waived' then b.text else '' end"
            " from sighting s join finding f on f.key = s.key left join body b on b.digest = s.body"
            f" where s.run in ({self._marks}) group by s.key order by f.rule"
        )
        table: dict[tuple[str, str], list[FindingNote]] = {}
        for kind, subject, *fields, text in self._store.execute(query, self._runs):
            body = json.loads(text) if text else {}
            acceptance = (str(body.get(name) or "") for name in ("owner", "accepted_by", "expires", "reason"))
            table.setdefault((kind, subject), []).append(FindingNote(*fields, *acceptance))
        return {subject: tuple(notes) for subject, notes in table.items()}


class _RunSight(NamedTuple):
    """What a run could see: the accounts and clusters of its scope, those among them that could not be read whole, and the
    accounts that have left the organisation."""

    present: frozenset[str]
    dim: frozenset[str]
    departed: frozenset[str]

    def is_dim(self, account: str, cluster: str) -> bool:
        """Whether what is of an account and a cluster was out of sight."""
        if account in self.dim or cluster in self.dim:
            return True
        return account != "" and account not in self.present and account not in self.departed


def _sights(store: sqlite3.Connection, last: int) -> dict[int, _RunSight]:
    """What each complete run could see, up to a run."""
    sights: dict[int, _RunSight] = {}
    query = "select id, options from run where state = 'complete' and id <= ? order by id"
    for run, options in store.execute(query, (last,)).fetchall():
        rows = store.execute("select id, state, kind from scope where run = ?", (run,)).fetchall()
        present = frozenset(ident for ident, _, kind in rows if kind == "account")
        dim = frozenset(ident for ident, state, _ in rows if state != "read")
        sights[run] = _RunSight(present, dim, departed_accounts(store, run, organizations_of(json.loads(options)), present))
    return sights


def trend(store: sqlite3.Connection, runs: Sequence[int], account: str = "") -> list[RunTrend]:
    """Some complete runs in numbers, oldest first, of all findings or those of an account. `fixed` counts those that are gone
    too, `new` those that are open again."""
    own, values = ("key in (select key from finding where account = ?)", (account,)) if account else ("1", ())
    counted = partial(_by_run, store, values)
    opened = counted(f"select run, severity, count(*) from sighting where status = 'open' and {own} group by 1, 2")  # noqa: S608
    waived = counted(f"select run, status, count(*) from sighting where status = 'waived' and {own} group by 1, 2")  # noqa: S608
    changes = counted(f"select run, change, count(*) from change where {own} group by 1, 2")  # noqa: S608
    unseen = _unseen_by_run(store, values, own)
    moments = dict(store.execute("select id, as_of from run"))
    return [
        RunTrend(
            run=run,
            as_of=moments[run],
            open=opened.get(run, {}),
            unseen=unseen.get(run, 0),
            new=sum(changes.get(run, {}).get(change, 0) for change in ("new", "reopened")),
            fixed=sum(changes.get(run, {}).get(change, 0) for change in ("fixed", "gone")),
            waived=waived.get(run, {}).get("waived", 0),
        )
        for run in runs
    ]


def _by_run(store: sqlite3.Connection, values: tuple[str, ...], query: str) -> dict[int, dict[str, int]]:
    table: dict[int, dict[str, int]] = {}
    for run, word, number in store.execute(query, values):
        table.setdefault(run, {})[word] = number
    return table


def _unseen_by_run(store: sqlite3.Connection, values: tuple[str, ...], own: str) -> dict[int, int]:
    """Run -> the number of findings that stand and could not be seen."""
    standing: set[str] = set()
    numbers: dict[int, int] = {}
    rows = store.execute(
        f"select r.id, key, c.change from run r left join change c on c.run = r.id and {own}"  # noqa: S608 - our own text
        " where r.state != 'interrupted' order by r.id, c.change = 'unseen'",
        values,
    )
    for run, key, change in rows:
        if change == "unseen":
            standing.add(key)
        else:
            standing.discard(key)
        numbers[run] = len(standing)
    return numbers


def complete_runs(store: sqlite3.Connection) -> list[tuple[int, str]]:
    """The id and time (RFC 3339) of every run whose rows are in the store, oldest first."""
    return list(store.execute("select id, as_of from run where state = 'complete' order by id"))


def pruned_runs(store: sqlite3.Connection) -> list[tuple[int, str]]:
    """The id and time (RFC 3339) of every run of which the header alone is left, oldest first."""
    return list(store.execute("select id, as_of from run where state = 'pruned' order by id"))
