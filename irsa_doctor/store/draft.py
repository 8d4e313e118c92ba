"""Findings and subjects of a run in the making, sorted by SQLite: there may be more of them than fit into memory."""

import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.store.rows import SightingRow, SubjectList, canonical
from irsa_doctor.store.tables import transaction

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
        # else every row would be a transaction
        with transaction(self._store):
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


_SUBJECT = "key, kind, id, account, cluster"
_SAME = "n.key = 'sha256:' || lower(hex(j.key)) and n.account = j.account and n.cluster = j.cluster"


_NONE = "".join(f"drop table if exists temp.{name};" for name in ("judged", "distinct_subject", "said"))
"""they go with the connection, or before another run: to remove them in a transaction is to write them twice more"""
_SETS = 1 << 32
"""more than a unit has sets of what the rules said"""


class SubjectsDraft:
    """The subjects of a run before they are written."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        self._sets: dict[int, list[str]] = {}
        store.executescript(f"pragma temp_store = file; {_NONE} create temp table judged ({_SUBJECT}, verdicts, unit);")

    def add(self, unit: int, subjects: SubjectList) -> None:
        """Add the subjects of a unit."""
        self._sets[unit] = [sys.intern(canonical(dict(each))) for each in subjects.verdicts]
        # the rows go in as they came: there are ten times as many as of anything else
        with transaction(self._store):
            self._store.executemany(f"insert into temp.judged values (?, ?, ?, ?, ?, ?, {unit:d})", subjects.rows)  # noqa: S608 - a number

    def write(self, run: int) -> None:
        """Write them to a run; those that no run has seen before get a number."""
        store = self._store
        self._write_sets()
        # a subject that several units have is that of the first of them
        store.execute(
            f"create temp table distinct_subject as select {_SUBJECT}, verdicts, min(unit) as unit,"  # noqa: S608 - our own names
            f" (select number from subject_name n where {_SAME}) as number from temp.judged j group by key"
        )
        last = store.execute("select coalesce(max(number), 0) from subject_name").fetchone()[0]
        # they are in the order of their keys, and so their numbers are
        store.execute(
            f"insert into subject_name (number, {_SUBJECT})"  # noqa: S608 - our own names
            " select ? + rowid, 'sha256:' || lower(hex(key)), kind, id, account, cluster from temp.distinct_subject"
            " where number is null order by rowid",
            (last,),
        )
        store.execute(
            "insert into subject_verdict select ?, coalesce(j.number, ? + j.rowid), s.verdicts from temp.distinct_subject j"
            " join temp.said s on s.number = ? * j.unit + j.verdicts",
            (run, last, _SETS),
        )

    def _write_sets(self) -> None:
        """Write what the rules said, each set once, and which of them each unit means by its numbers."""
        store = self._store
        texts = dict.fromkeys(text for sets in self._sets.values() for text in sets)
        store.executemany("insert or ignore into verdict_set (verdicts) values (?)", ((text,) for text in texts))
        ids = dict(store.execute("select verdicts, id from verdict_set"))
        store.execute("create temp table said (number integer primary key, verdicts integer)")
        store.executemany(
            "insert into said values (?, ?)",
            ((_SETS * unit + number, ids[text]) for unit, sets in self._sets.items() for number, text in enumerate(sets)),
        )
