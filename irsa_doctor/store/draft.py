"""Findings of a run in the making, sorted by SQLite: there may be more of them than fit into memory."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.store.rows import SightingRow

_ORDER = "waived, severity, rank, first, rule, name, holder, ident"


class SightingDraft:
    """The findings of a run before they are written, each with what it is sorted by."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        store.executescript(
            "pragma temp_store = file; drop table if exists temp.draft; create temp table draft ("
            "waived integer, severity integer, rank integer, first text, rule text, name text, holder text, ident text,"
            " note text,"
            f" {', '.join(f'row_{name}' for name in SightingRow._fields)});"
        )

    def add(self, sightings: Iterable[tuple[SightingRow, Sequence[int | str], str]]) -> None:
        """Add findings: the row, what it is sorted by, and a note that stays with it."""
        places = ", ".join("?" * (9 + len(SightingRow._fields)))
        self._store.executemany(
            f"insert into temp.draft values ({places})",  # noqa: S608 - our own names
            ((row.status == "waived", *order, note, *row) for row, order, note in sightings),
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
