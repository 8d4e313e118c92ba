"""The index of an audit: what the units of an organisation have that others look up. It can be thrown away at any time."""

import hashlib
import os
import sqlite3
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from typing import NamedTuple

from irsa_doctor.store.tables import StoreError, file_uri

INDEX_VERSION = 7
_TABLES = """
create table unit (id integer primary key, digest blob not null unique, number integer not null, shared blob not null,
  links blob not null, keys blob not null);
create table record (id integer primary key, value blob not null);
create table known (key integer not null, record integer not null, mark blob not null, primary key (key, record)) without rowid;
"""
_SHIFT = 32
"""bits of the id of a record that number the records of a unit"""
_BITS = 8
"""at least so many bits a key"""


_AT_ONCE = 250_000
"""keys that are written together"""


class IndexedUnit(NamedTuple):
    """A unit as the index has it: what it shares with all, the names of what its records name, and its records, each with its
    keys."""

    digest: bytes
    shared: bytes
    links: bytes
    records: Sequence[tuple[tuple[int, ...], bytes]]


class IndexWriter:
    """The index as the process that coordinates an audit writes it. Raises StoreError."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._connection = _opened(path)
        except (sqlite3.Error, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise StoreError(f"{path}: the work of an audit cannot be kept there ({why})") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def units(self) -> dict[bytes, int]:
        """The digest of every unit that is there -> its id."""
        return dict(self._connection.execute("select digest, id from unit"))

    def remove(self, units: Iterable[int]) -> None:
        """Remove some units with their records."""
        with self._connection:
            self._connection.execute("begin")
            self._connection.execute("create temp table gone (id integer primary key)")
            self._connection.executemany("insert into temp.gone values (?)", [(unit,) for unit in units])
            # the keys are not in the order of units: all are looked at, once for all units
            self._connection.execute("delete from known where record >> 32 in temp.gone")
            self._connection.execute("delete from record where id >> 32 in temp.gone")
            self._connection.execute("delete from unit where id in temp.gone")
            self._connection.execute("drop table temp.gone")

    def add(self, units: Iterable[IndexedUnit]) -> None:
        """Add units, as many in one transaction as have some hundred thousand keys: every key has another page of the table,
        and with each unit by itself all pages would be written for each."""
        waiting = iter(units)
        while self._add_some(waiting):
            pass

    def _add_some(self, units: Iterator[IndexedUnit]) -> bool:
        """Add some of the units that are left; whether there may be more."""
        with self._connection:
            self._connection.execute("begin")
            self._connection.execute("create temp table pair (key integer, record integer, mark blob)")
            pairs = 0
            for unit in units:
                pairs += self._add_one(unit)
                if pairs > _AT_ONCE:
                    break
            self._connection.execute("insert or ignore into known select key, record, mark from temp.pair order by key, record")
            self._connection.execute("drop table temp.pair")
        return pairs > _AT_ONCE

    def _add_one(self, unit: IndexedUnit) -> int:
        """Add a unit; the number of its keys."""
        digest, shared, links, records = unit
        number = self._connection.execute("select coalesce(max(id), 0) + 1 from unit").fetchone()[0]
        first = number << _SHIFT
        self._connection.execute(
            "insert into unit values (?, ?, 0, ?, ?, ?)", (number, digest, shared, links, _keys_of(records))
        )
        self._connection.executemany(
            "insert into record values (?, ?)", [(first + n, value) for n, (_, value) in enumerate(records)]
        )
        marks = [hashlib.blake2b(value, digest_size=8).digest() for _, value in records]
        pairs = [(key, first + n, marks[n]) for n, (keys, _) in enumerate(records) for key in keys]
        self._connection.executemany("insert into temp.pair values (?, ?, ?)", pairs)
        return len(pairs)

    def number(self, digests: Sequence[bytes]) -> None:
        """Note the order of the units."""
        with self._connection:
            self._connection.execute("begin")
            self._connection.executemany(
                "update unit set number = ? where digest = ?", [(number, digest) for number, digest in enumerate(digests)]
            )


def _keys_of(records: Sequence[tuple[tuple[int, ...], bytes]]) -> bytes:
    return array("q", {key for keys, _ in records for key in keys}).tobytes()


class KeySet:
    """Some keys in few bits: one that is in it is never denied, and few of the others are taken for one."""

    def __init__(self, keys: Iterable[int], size: int) -> None:
        self._mask = (1 << max(10, (size * _BITS).bit_length())) - 1
        self._bits = bytearray((self._mask + 1) // 8)
        for key in keys:
            for bit in (key & self._mask, key >> _SHIFT & self._mask):
                self._bits[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, key: int) -> bool:
        bits, bit = self._bits, key & self._mask
        if not bits[bit >> 3] & 1 << (bit & 7):
            return False
        other = key >> _SHIFT & self._mask
        return bool(bits[other >> 3] & 1 << (other & 7))


class IndexKeys(NamedTuple):
    """The keys of an index: all of them, and those of several units. Most keys that are looked up are in neither."""

    all: KeySet
    several: KeySet


def index_keys(path: str) -> IndexKeys:
    """The keys of an index."""
    several = "select key from known group by key having min(record) >> 32 != max(record) >> 32"
    with closing(_to_read(path)) as connection:
        sets = []
        for query in ("select distinct key from known", several):
            size = connection.execute(f"select count(*) from ({query})").fetchone()[0]  # noqa: S608 - our own text
            sets.append(KeySet((key for (key,) in connection.execute(query)), size))
    return IndexKeys(*sets)


class IndexReader:
    """The index as whoever judges a unit reads it."""

    def __init__(self, path: str, own: bytes, keys: IndexKeys | None = None) -> None:
        self._connection = _to_read(path)
        # else every look-up locks the file and unlocks it again, which takes as long as the look-up
        self._connection.execute("begin")
        self._keys = keys
        rows = self._connection.execute("select id, number, digest from unit").fetchall()
        self._numbers = {unit: number for unit, number, _ in rows}
        self._own = next((unit for unit, _, digest in rows if digest == own), 0)
        self._own_keys: Collection[int] = ()
        if keys is not None and self._own:
            self._own_keys = _keys_in(
                self._connection.execute("select keys from unit where id = ?", (self._own,)).fetchone()[0]
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def shared(self) -> Iterator[bytes]:
        """What each unit shares with all, in order of reading."""
        for (shared,) in self._connection.execute("select shared from unit order by number"):
            yield shared

    def links(self) -> Iterator[bytes]:
        """What the records of each unit name, in order of reading."""
        for (links,) in self._connection.execute("select links from unit order by number"):
            yield links

    def rows(self, key: int) -> list[tuple[int, bool, bytes, int]]:
        """The records of other units under a key, in order of reading: a number in that order, whether the unit comes before
        the own one, its mark, its id."""
        if not self.may_have(key):
            return []
        own = self._numbers.get(self._own, 0)
        rows = []
        for record, mark in self._connection.execute("select record, mark from known where key = ?", (key,)):
            unit = record >> _SHIFT
            if unit != self._own:
                number = self._numbers[unit]
                rows.append(((number << _SHIFT) + (record & ((1 << _SHIFT) - 1)), number < own, mark, record))
        return sorted(rows)

    def may_have(self, key: int) -> bool:
        """Whether another unit may have a record under a key: where it surely has none, nothing need be read."""
        if self._keys is None:
            return True
        return key in self._keys.several if key in self._own_keys else key in self._keys.all

    def value(self, record: int) -> bytes:
        """The bytes of a record."""
        value: bytes = self._connection.execute("select value from record where id = ?", (record,)).fetchone()[0]
        return value

    def mark(self, key: int) -> bytes:
        """What is under a key, in a few bytes: the same where the same is there in the same order."""
        return mark_of(self.rows(key))


def mark_of(rows: Sequence[tuple[int, bool, bytes, int]]) -> bytes:
    """What some rows are, in a few bytes."""
    if not rows:
        return b""
    return hashlib.blake2b(b"".join(mark + (b"<" if before else b">") for _, before, mark, _ in rows), digest_size=8).digest()


def _opened(path: str) -> sqlite3.Connection:
    """A connection to an index; one of another version, or that cannot be read, is made again."""
    with suppress(OSError, sqlite3.Error):
        if os.path.isfile(path) and not os.path.islink(path):
            connection = sqlite3.connect(path, isolation_level=None)
            if connection.execute("pragma user_version").fetchone()[0] == INDEX_VERSION:
                connection.executescript("pragma journal_mode = delete; pragma synchronous = off;")
                return connection
            connection.close()
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(FileNotFoundError):
            os.unlink(name)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{_TABLES} pragma user_version = {INDEX_VERSION};")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("pragma journal_mode = delete; pragma synchronous = off;")
    return connection


def _keys_in(content: bytes) -> frozenset[int]:
    keys = array("q")
    keys.frombytes(content)
    return frozenset(keys)


def _to_read(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file_uri(path)}?mode=ro", uri=True, isolation_level=None)
