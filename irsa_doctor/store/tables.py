"""The file of a store: its tables, how it is opened, and that one run writes at a time."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import quote

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.text.locking import FileHeld, locked

STORE_VERSION = "4"
_BEFORE = ("1", "2", "3")
"""versions whose findings have no numbers; the first two may lack the table `key`, and have their subjects written out run by
run. Such a store is read as it is, and upgraded where it is written to"""
_KEY = (
    "key (run integer not null, kind text not null, subject text not null, key text not null,"
    " primary key (run, kind, subject, key))"
)
_SIGHTING_ORDER = "sighting_number on sighting (run, number)"
"""the findings of a run have numbers, in the order in which they are shown"""
_SUBJECT = """
create table subject_name (
  number integer primary key, key text not null, kind text not null, id text not null, account text not null,
  cluster text not null
);
create index subject_key on subject_name (key);
create table subject_verdict (
  run integer not null, subject integer not null, verdicts integer not null, primary key (run, subject)
) without rowid;
create view subject (run, key, kind, id, account, cluster, verdicts) as
  select v.run, n.key, n.kind, n.id, n.account, n.cluster, v.verdicts
  from subject_verdict v join subject_name n on n.number = v.subject;
create trigger subject_delete instead of delete on subject begin
  delete from subject_verdict where run = old.run
  and subject in (select number from subject_name where key = old.key and account = old.account and cluster = old.cluster);
end;
create trigger subject_update instead of update of verdicts on subject begin
  update subject_verdict set verdicts = new.verdicts where run = old.run
  and subject in (select number from subject_name where key = old.key and account = old.account and cluster = old.cluster);
end;
"""
"""what is judged keeps its name for years: a run adds a short row to each"""
_TABLES = f"""
create table meta (name text primary key, value text not null);
create table run (
  id integer primary key, state text not null, started text not null, finished text not null, as_of text not null,
  tool text not null, rules_digest text not null, settings text not null, inputs text not null, options text not null,
  digest text not null, previous text, hash text not null
);
create table scope (
  run integer not null, kind text not null, id text not null, name text not null, ou text not null, state text not null,
  why text, taken text not null, sha256 text not null, primary key (run, kind, id)
);
create table finding (
  key text primary key, rule text not null, kind text not null, subject text not null, account text not null,
  cluster text not null, first_seen integer not null, last_seen integer not null, status text not null
);
create table sighting (
  run integer not null, key text not null, severity text not null, confidence text not null, status text not null,
  waiver text not null, body text not null, number integer not null default 0, primary key (run, key)
);
create index {_SIGHTING_ORDER};
create table body (digest text primary key, text text not null);
create table waiver (
  run integer not null, rule text not null, subject text not null, owner text not null, reason text not null,
  expires text not null, accepted_by text not null, file text not null, line integer not null, used integer not null
);
create table tally (
  run integer not null, rule text not null, evaluated integer not null, passed integer not null, failed integer not null,
  unknown integer not null, waived integer not null, primary key (run, rule)
);
create table verdict_set (id integer primary key, verdicts text not null unique);
create table unknown (
  run integer not null, missing text not null, how text not null, rules text not null, subjects integer not null,
  then_ text not null, file text not null
);
create table {_KEY};
create table change (run integer not null, key text not null, change text not null, primary key (run, key, change));
{_SUBJECT}
"""
_RESULT = (
    "create table if not exists result (name text primary key, generation blob not null, value blob not null,"
    " subjects blob not null);"
)
"""work in progress, which is no evidence: it is in no digest"""


def files_of(path: str) -> tuple[str, ...]:
    """The files of a store: itself, what SQLite keeps beside it, and the lock of whoever writes."""
    return (path, *(f"{path}{end}" for end in ("-wal", "-shm", "-journal", ".lock")))


class StoreError(IrsaDoctorError):
    """A store cannot be opened, read or written: one sentence that says why."""


class NoStore(StoreError):
    """There is no store where one is read."""


def opened(path: str, *, to_write: bool = False) -> sqlite3.Connection:
    """Returns a connection to a store; one that is written to is made where there is none. Raises StoreError and NoStore."""
    if not os.path.lexists(path):
        if not to_write:
            raise NoStore(f"{path}: there is no store; irsa-doctor audit makes one")
        _make(path)
    elif to_write and _is_empty(path):
        _fill(path)
    if not os.path.isfile(path) or os.path.islink(path):
        raise StoreError(f"{path}: a store is a regular file, and no link")
    if not os.access(path, os.R_OK):
        raise StoreError(f"{path}: the store cannot be read (Permission denied)")
    with store_errors(path), ExitStack() as failing:
        connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        failing.callback(connection.close)
        if not to_write:
            connection = _readable(connection, path)
            failing.callback(connection.close)
        # before anything is set: a store of a later version stays as it is
        _check(connection, path, to_write=to_write)
        if to_write:
            connection.executescript("pragma journal_mode = wal; pragma synchronous = full;")
            connection.execute(_RESULT)
        failing.pop_all()
    return connection


@contextmanager
def store_errors(path: str) -> Iterator[None]:
    """While the context lasts, what goes wrong with the file of a store is a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {_words(error)}") from error


_NO_ROOM_BESIDE = ("unable to open", "readonly", "disk I/O error", "disk is full")
"""what SQLite says where it cannot make the files that it keeps beside a store"""


def _readable(connection: sqlite3.Connection, path: str) -> sqlite3.Connection:
    """A connection that can read a store. Where nothing can be written beside it, SQLite opens it as a file that does not
    change (https://www.sqlite.org/wal.html#read_only_databases)."""
    try:
        connection.execute("select 1 from meta")
    except sqlite3.OperationalError as error:
        if not any(words in str(error) for words in _NO_ROOM_BESIDE):
            raise
        if os.path.exists(f"{path}-wal") and os.path.getsize(f"{path}-wal"):
            raise
        connection.close()
        return sqlite3.connect(f"{file_uri(path)}?immutable=1", uri=True, isolation_level=None)
    return connection


def file_uri(path: str) -> str:
    """The address by which SQLite opens a file with options; its name need not be UTF-8."""
    return f"file:{quote(os.fsencode(os.path.abspath(path)))}"


def _make(path: str) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    _fill(path)


def _is_empty(path: str) -> bool:
    """Whether a file is one in which a store was only begun."""
    return os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) == 0


def _fill(path: str) -> None:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # the text of a finding takes half of such a page
            connection.execute("pragma page_size = 8192")
            make_tables(connection)
    except sqlite3.Error as error:
        # half a store would be none at all to the next run
        os.unlink(path)
        raise StoreError(f"{path}: {_words(error)}") from error


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty store."""
    # whoever is killed halfway leaves an empty file, which the next run fills, and no part of a store
    version = f"insert into meta values ('version', '{STORE_VERSION}');"  # noqa: S608 - our own text
    connection.executescript(f"begin; {_TABLES}{_RESULT}{version} commit;")


def _check(connection: sqlite3.Connection, path: str, *, to_write: bool) -> None:
    row = connection.execute("select value from meta where name = 'version'").fetchone()
    if row is not None and row[0] in _BEFORE:
        _upgrade(connection, to_write=to_write)
    elif row is None or row[0] != STORE_VERSION:
        raise StoreError(
            f"{path}: version {row[0] if row else 'unknown'} of a store, and this irsa-doctor reads version {STORE_VERSION}"
        )


def _upgrade(connection: sqlite3.Connection, *, to_write: bool) -> None:
    """Bring a store of a version before to this one. No row of a run says anything else, so that the chain of hashes stays as
    it is."""
    kinds = dict(connection.execute("select name, type from sqlite_master"))
    if not to_write:
        if "key" not in kinds:
            connection.execute(f"create temp table {_KEY}")
        connection.execute("create temp view sighting as select s.*, s.rowid as number from main.sighting s")
        return
    with transaction(connection):
        if "key" not in kinds:
            connection.execute(f"create table {_KEY}")
        if kinds.get("subject") == "table":
            _name_subjects(connection)
        connection.execute("alter table sighting add column number integer not null default 0")
        # until now they were shown as SQLite had them
        connection.execute("update sighting set number = rowid")
        connection.execute(f"create index {_SIGHTING_ORDER}")
        connection.execute("update meta set value = ? where name = 'version'", (STORE_VERSION,))


def _name_subjects(connection: sqlite3.Connection) -> None:
    """Take the names out of the rows of subjects."""
    connection.execute("alter table subject rename to subject_before")
    for statement in _statements(_SUBJECT):
        connection.execute(statement)
    connection.execute(
        "insert into subject_name (key, kind, id, account, cluster)"
        " select distinct key, kind, id, account, cluster from subject_before"
    )
    connection.execute(
        "insert into subject_verdict select s.run, n.number, s.verdicts from subject_before s"
        " join subject_name n on n.key = s.key and n.account = s.account and n.cluster = s.cluster"
    )
    connection.execute("drop table subject_before")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: the whole would end the transaction in which it is run."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _words(error: sqlite3.Error) -> str:
    """What an error of SQLite means."""
    text = str(error)
    if "no such table" in text or "no such column" in text or "not a database" in text:
        return "it is no store of irsa-doctor"
    if "locked" in text:
        return "another run writes to it"
    if "readonly" in text:
        return "it cannot be written to"
    if "disk is full" in text or "disk I/O" in text:
        return f"nothing more can be written, and the store is as it was ({text})"
    return f"the store cannot be used ({text})"


@contextmanager
def writing(path: str) -> Iterator[sqlite3.Connection]:
    """While the context lasts, nobody else writes to the store. Raises StoreError, which names who does."""
    with ExitStack() as context:
        try:
            context.enter_context(locked(f"{path}.lock"))
        except FileHeld as error:
            raise StoreError(f"{path}: {error} writes to it") from error
        except OSError as error:
            raise StoreError(f"{path}: the store cannot be written to ({error.strerror})") from error
        context.enter_context(store_errors(path))
        yield context.enter_context(closing(opened(path, to_write=True)))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written while the context lasts is there afterwards, or none of it."""
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # where a disk is full, SQLite has rolled it back
            connection.execute("rollback")
        raise
    connection.execute("commit")
