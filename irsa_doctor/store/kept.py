"""The results of units that a store keeps, so that an interrupted run goes on and the next one judges only what has changed."""

import sqlite3
from collections.abc import Collection

from irsa_doctor.store.tables import StoreError, transaction


class KeptResults:
    """The table `result` of a store. Each result is there once it is whole."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store

    def keep_only(self, names: Collection[str]) -> None:
        """Remove all others."""
        wanted = set(names)
        old = [name for (name,) in self._store.execute("select name from result") if name not in wanted]
        with transaction(self._store):
            self._store.executemany("delete from result where name = ?", [(name,) for name in old])

    def generation(self, name: str) -> bytes | None:
        """The generation of the index by which a result was worked out, None where there is none."""
        row = self._store.execute("select generation from result where name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def result(self, name: str) -> bytes:
        """A result without its subjects. Raises StoreError where there is none."""
        return self._column("value", name)

    def subjects(self, name: str) -> bytes:
        """The subjects of a result. Raises StoreError where there is none."""
        return self._column("subjects", name)

    def _column(self, column: str, name: str) -> bytes:
        row = self._store.execute(f"select {column} from result where name = ?", (name,)).fetchone()  # noqa: S608 - our own names
        if row is None:
            raise StoreError("a result that was kept is not there any more")
        return bytes(row[0])

    def add(self, name: str, generation: bytes, value: tuple[bytes, bytes]) -> None:
        """Keep a result."""
        self._store.execute("insert or replace into result values (?, ?, ?, ?)", (name, generation, *value))
