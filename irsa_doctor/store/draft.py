"""Findings and subjects of a run in the making, sorted by SQLite: there may be more of them than fit into memory."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.store.rows import SightingRow, SubjectList, canonical

_ORDER = "waived, severity, rank, first, rule, name, holder, ident, unit"


class SightingDraft:
    """The findings of a run before they are written, each with what it is sorted by."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        store.executescript(
            "pragma temp_store = file; drop table if exists temp.draft; create temp table draft ("
            "waived integer, severity integer, rank integer, first text, rule text, name text, holder text, ident text,"
            " unit integer, note text,"
            f" {', '.join(f'row_{name}' for name in SightingRow._fields)});"
        )

    def add(self, unit: int, sightings: Iterable[tuple[SightingRow, Sequence[int | str], str]]) -> None:
        """Add findings of a unit: the row, what it is sorted by, and a note that stays with it."""
        places = ", ".join("?" * (10 + len(SightingRow._fields)))
        self._store.executemany(
            f"insert into temp.draft values ({places})",  # noqa: S608 - our own names
            ((row.status == "waived", *order, unit, note, *row) for row, order, note in sightings),
        )

    def ordered(self) -> Iterator[tuple[SightingRow, str]]:
        """All of them with their notes, the open ones before the waived ones, each once."""
        names = ", ".join(f"row_{name}" for name in SightingRow._fields)
        before = None
        for note, *row in self._store.execute(f"select note, {names} from temp.draft order by {_ORDER}"):  # noqa: S608 - our own names
            sighting = SightingRow(*row)
            if sighting.key != before:
                yield sighting, note
            before = sighting.key

    def end(self) -> None:
        """Remove the draft."""
        self._store.execute("drop table if exists temp.draft")


_SUBJECT = "key, kind, id, account, cluster"
_SAME = "n.key = j.key and n.account = j.account and n.cluster = j.cluster"


class SubjectsDraft:
    """The subjects of a run before they are written."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        self._sets: dict[str, int] = {}
        store.executescript(
            f"pragma temp_store = file; drop table if exists temp.judged;create temp table judged ({_SUBJECT}, verdicts, unit);"
        )

    def add(self, unit: int, subjects: SubjectList) -> None:
        """Add the subjects of a unit."""
        sets = [self._sets.setdefault(canonical(dict(each)), len(self._sets)) for each in subjects.verdicts]
        self._store.executemany(
            "insert into temp.judged values (?, ?, ?, ?, ?, ?, ?)",
            ((*row[:5], sets[row.verdicts], unit) for row in subjects.rows),
        )

    def write(self, run: int) -> None:
        """Write them to a run; those that no run has seen before get a number."""
        store = self._store
        # a subject that several units have is that of the first of them
        store.execute(
            f"create temp table distinct_subject as select {_SUBJECT}, verdicts, min(unit) as unit"  # noqa: S608 - our own names
            " from temp.judged group by key"
        )
        store.executemany("insert or ignore into verdict_set (verdicts) values (?)", ((text,) for text in self._sets))
        ids = dict(store.execute("select verdicts, id from verdict_set"))
        store.execute("create temp table said (number integer primary key, verdicts integer)")
        store.executemany("insert into said values (?, ?)", ((number, ids[text]) for text, number in self._sets.items()))
        store.execute(
            f"insert into subject_name ({_SUBJECT}) select {_SUBJECT} from temp.distinct_subject j"  # noqa: S608 - our own names
            f" where not exists (select 1 from subject_name n where {_SAME}) order by j.key"
        )
        store.execute(
            "insert into subject_verdict select ?, n.number, s.verdicts from temp.distinct_subject j"  # noqa: S608 - our own names
            f" join temp.said s on s.number = j.verdicts join subject_name n on {_SAME}",
            (run,),
        )
        store.execute("drop table temp.distinct_subject")
        store.execute("drop table temp.said")
        store.execute("drop table temp.judged")
