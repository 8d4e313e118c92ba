"""A store that cannot be used is one line and exit 2, and what it holds stays."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.store.integrity import BEFORE_KEYS, BEFORE_NUMBERS, content_digest, run_hash
from irsa_doctor.store.tables import STORE_VERSION, make_tables
from tests.cli.running import put, run
from tests.store.runs import ACCOUNT, DAY, OPEN, RIGHT, audited, details, named

AS_OF = "2026-03-01T00:00:00Z"


@pytest.fixture
def store(tmp_path):
    """A store of two runs."""
    for day, policy in enumerate((OPEN, RIGHT)):
        audited(tmp_path, named("app", policy), named("other", OPEN), day=day)
    return tmp_path / "audit.db"


def audit(store: Path, **options) -> subprocess.CompletedProcess[str]:
    """One run from the command line over the same input."""
    command = [sys.executable, "-m", "irsa_doctor", "audit", "run", "input", "--store", str(store), "--as-of", AS_OF]
    return subprocess.run(
        command, cwd=store.parent, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL, **options
    )


def assert_refused(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert words in done.stderr


def assert_whole(store: Path, runs: int = 2) -> None:
    found = api.audit_verify(store=str(store))
    assert (found.runs, found.tampering) == (runs, ())


def test_an_empty_file_which_a_killed_run_may_leave_becomes_a_store(store):
    empty = store.parent / "empty.db"
    empty.touch()
    assert audit(empty).returncode in (0, 1)
    assert_whole(empty, runs=1)


def test_a_store_is_made_at_once_or_not_at_all(tmp_path):
    """Whoever is killed halfway leaves nothing that is half a store."""
    path, steps = tmp_path / "store.db", 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return steps == allowed

    for number in range(1, 40):
        allowed = number
        path.unlink(missing_ok=True)
        steps = 0
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.set_progress_handler(step, 10)
            with suppress(sqlite3.OperationalError):
                make_tables(connection)
        with closing(sqlite3.connect(path)) as connection:
            tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
            assert not tables or dict(connection.execute("select name, value from meta"))["version"] == STORE_VERSION


def test_a_store_of_a_later_version(store):
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("update meta set value = '5'")
    content = store.read_bytes()
    assert_refused(audit(store), "version 5")
    assert store.read_bytes() == content


def test_a_store_that_another_run_writes_to(store):
    fcntl = pytest.importorskip("fcntl", reason="on Windows SQLite alone keeps others out")
    with open(f"{store}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 4242")
        lock.flush()
        assert_refused(audit(store), "process 4242 writes to it")
    assert_whole(store)


def test_a_store_that_another_program_has_locked(store):
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("begin exclusive")
    assert_refused(audit(store), "another run writes to it")
    connection.execute("rollback")
    connection.close()
    assert_whole(store)


READING = """
import os, sys
from irsa_doctor import api
known, folder = sys.argv[1:]
api.audit_verify(store=known)  # what it imports is read by somebody who may
api.audit([f"{os.path.dirname(known)}/input"], store=None)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
os.chdir(folder)
found = api.audit_verify(store="audit.db")
print(found.runs, found.tampering)
try:
    api.audit(["input"], store="audit.db")
except api.StoreError as error:
    print(error)
"""


def test_a_store_where_nobody_may_write_is_read_and_not_written(store):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(store.parent / "input", folder / "input")
        shutil.copy(store, folder / "audit.db")
        (folder / "audit.db").chmod(0o444)
        folder.chmod(0o555)
        content = (folder / "audit.db").read_bytes()
        command = [sys.executable, "-c", READING, str(store), name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.stdout, done.stderr) == ("2 ()\naudit.db: the store cannot be written to (Permission denied)\n", "")
        assert (folder / "audit.db").read_bytes() == content
        folder.chmod(0o755)


@pytest.mark.parametrize("room", [0, 20_000, 100_000, 200_000])
def test_a_full_disk_loses_nothing(store, room):
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    put(store.parent / "input" / "roles.json", details(*(named(f"app-{n}", OPEN) for n in range(60))))
    done = audit(store, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
    assert_refused(done, "")
    assert_whole(store)
    runs = [header.state for header, _ in api.audit_history(store=str(store))]
    assert runs[:2] == ["complete", "complete"]
    assert audit(store).returncode == 1
    assert_whole(store, 3)


def test_a_full_disk_leaves_no_half_of_a_new_store(tmp_path):
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    put(tmp_path / "input" / "roles.json", details(named("app", OPEN)))
    store = tmp_path / "audit.db"
    assert_refused(audit(store, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))), "")
    assert audit(store).returncode == 1
    assert_whole(store, 1)


def test_a_store_is_read_where_no_file_can_be_made_beside_it(store):
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    command = [sys.executable, "-m", "irsa_doctor", "audit", "verify", "--store", str(store)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "The store is whole: 2 runs."), done.stderr


def test_an_input_that_is_not_there_leaves_the_store_as_it_was(store):
    put(store.parent / "other" / "notes.txt", "nothing")
    done = run("audit", "run", "other", "--store", "audit.db", cwd=store.parent)
    assert_refused(done, "nothing could be read")
    assert_whole(store)
    assert {finding["last_seen"] for finding in api.audit_show(2, store=str(store)).answer["findings"]} == {2}
    assert audit(store).returncode == 1
    changes = api.audit_show(api.audit_history(store=str(store))[-1][0].id, store=str(store)).answer["changes"]
    assert changes["unseen"] == changes["gone"] == 0


WRONG = {
    "run none": "none: no such file or folder.",
    "histori": "Did you mean irsa-doctor audit history?",
    "changes --since 1 --fail-on bad": "--fail-on bad",
    "changes --since 1 --account 999999999999": "account 999999999999 is in no run",
    "changes --since 7": "no run 7",
    "report --account 999999999999": "account 999999999999 is in no run",
    "report --from 2026-02-01 --to 2026-01-01": "ends (--to) before it begins",
    "report --from 2031-01-01": "no complete run in this period",
    "report -f csv --lines": "--lines is for -f ocsf",
    "report -f csv --ap plan.json": "--ap is for -f oscal",
    "report -f site": "-o takes the folder",
    "run input -o none/x": "none/x",
    "run input --head-file input": "input",
    "run input --work irsa-doctor.toml": "irsa-doctor.toml",
    "run input --no-store --head-file heads.txt": "nothing to append",
}


@pytest.mark.parametrize("call", WRONG)
def test_a_call_that_cannot_be_right_is_one_line_and_keeps_nothing(store, call):
    kept = () if "--no-store" in call else ("--store", "audit.db")
    assert_refused(run("audit", *call.split(), *kept, cwd=store.parent), WRONG[call])
    assert_whole(store)


def test_a_folder_that_is_not_there_is_named_and_no_file_that_nobody_knows(tmp_path):
    put(tmp_path / "input" / "roles.json", details(named("app", OPEN)))
    done = run("audit", "run", "input", "--store", "none/audit.db", cwd=tmp_path)
    assert_refused(done, "none/audit.db: the store cannot be written to (No such file or directory)")


WITHOUT_NUMBERS = """
drop index sighting_number;
alter table sighting drop column number;
update meta set value = '3';
"""
WITHOUT_NAMES = """
create table before (
  run integer not null, key text not null, kind text not null, id text not null, account text not null, cluster text not null,
  verdicts integer not null, primary key (run, key)
);
insert into before select * from subject;
drop view subject;
drop table subject_name;
drop table subject_verdict;
alter table before rename to subject;
update meta set value = '2';
"""
WITHOUT_KEYS = """
drop table key;
update meta set value = '1';
"""


def changed_back(store: Path, content: Mapping[str, str], *scripts: str) -> str:
    """Make a store what an earlier version kept, whose digests were over this content; return its head."""
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        previous = None
        for (run,) in connection.execute("select id from run order by id").fetchall():
            digest = content_digest(connection, run, content)
            connection.execute("update run set digest = ?, previous = ? where id = ?", (digest, previous, run))
            previous = run_hash(connection, run)
            connection.execute("update run set hash = ? where id = ?", (previous, run))
        for script in scripts:
            connection.executescript(script)
    return str(previous)


def before_numbers(store: Path) -> str:
    return changed_back(store, BEFORE_NUMBERS, WITHOUT_NUMBERS)


def before_names(store: Path) -> str:
    """The version before kept the names of subjects run by run."""
    return changed_back(store, BEFORE_NUMBERS, WITHOUT_NUMBERS, WITHOUT_NAMES)


def before_keys(store: Path) -> str:
    """The first version had no keys either."""
    return changed_back(store, BEFORE_KEYS, WITHOUT_NUMBERS, WITHOUT_NAMES, WITHOUT_KEYS)


@pytest.mark.parametrize("before", [before_keys, before_names, before_numbers])
def test_a_store_of_a_version_before_is_read_as_it_is(store, before):
    answer = api.audit_show(1, store=str(store)).answer
    head, content = before(store), store.read_bytes()
    answer["run"] |= {name: api.audit_show(1, store=str(store)).answer["run"][name] for name in ("hash", "previous")}
    found = api.audit_verify(store=str(store), head=head)
    assert (found.runs, found.head, found.tampering) == (2, head, ())
    assert api.audit_show(1, store=str(store)).answer == answer
    assert store.read_bytes() == content


@pytest.mark.parametrize("before", [before_keys, before_names, before_numbers])
def test_a_store_of_a_version_before_is_upgraded_with_its_chain(store, before):
    head = before(store)
    assert audit(store).returncode == 1
    found = api.audit_verify(store=str(store), head=head)
    assert (found.runs, found.tampering) == (3, ())
    order = [finding["subject"]["id"] for finding in api.audit_show(1, store=str(store)).answer["findings"]]
    assert order == [f"arn:aws:iam::{ACCOUNT}:role/{name}#0" for name in ("app", "other")]
    with sqlite3.connect(store) as connection:
        assert connection.execute("select value from meta where name = 'version'").fetchone() == ("4",)
        connection.execute("insert into key values (1, 'thumbprint', 'a', 'b')")
    assert [each.run for each in api.audit_verify(store=str(store)).tampering] == [1]


def calls(store: str):
    """Everything that reads a store."""
    yield lambda: api.audit_history(store=store)
    yield lambda: api.audit_show(2, store=store).answer
    yield lambda: api.audit_changes(1, store=store)
    yield lambda: api.audit_verify(store=store)
    yield lambda: api.audit_waivers(store=store)
    yield lambda: api.audit_prune(DAY, store=store)
    for name in ("html", "csv", "json", "oscal", "ocsf", "markdown"):
        yield lambda name=name: list(api.render_evidence(api.audit_report(store=store), name))


def refusals(store: Path) -> list[str]:
    """What is said where a store cannot be used; any other error ends the test."""
    said = []
    for call in calls(str(store)):
        try:
            call()
        except api.StoreError as error:
            said.append(str(error))
    return said


def test_a_store_that_nobody_may_read(store, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert set(refusals(store)) == {f"{store}: the store cannot be read (Permission denied)"}
    assert len(refusals(store)) == len(list(calls("")))


def _cut(store: Path, size: int) -> None:
    with open(store, "r+b") as file:
        file.truncate(size)


def _of_another(store: Path, *statements: str) -> None:
    store.unlink()
    with closing(sqlite3.connect(store)) as connection:
        connection.executescript(";".join(statements))


DAMAGES = {
    "it is cut off": lambda store: _cut(store, 40_000),
    "its head alone is left": lambda store: _cut(store, 100),
    "it is a text": lambda store: store.write_text("hello"),
    "another program wrote it": lambda store: _of_another(store, "create table a (b)"),
    "it has another table of this name": lambda store: _of_another(store, "create table meta (b)"),
    "it says that it is one": lambda store: _of_another(
        store, "create table meta (name, value)", "insert into meta values ('version', '2')"
    ),
    "SQLite cannot open what is beside it": lambda store: Path(f"{store}-wal").mkdir(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_store_that_is_damaged_is_one_sentence(store, damage):
    DAMAGES[damage](store)
    assert refusals(store)
    assert_refused(audit(store), str(store.name))


@pytest.mark.parametrize("value", [b"\xff\x00", "x", "[1]"])
@pytest.mark.parametrize(
    ("table", "column"), [("run", "options"), ("run", "as_of"), ("scope", "ou"), ("scope", "name"), ("body", "text")]
)
def test_a_store_that_holds_what_no_run_writes_is_no_crash(store, table, column, value):
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute(f"update {table} set {column} = ?", (value,))  # noqa: S608 - names of the test
    refusals(store)
    assert api.audit_verify(store=str(store)).tampering


def test_verdicts_that_are_gone_are_no_smaller_population(store):
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("delete from verdict_set")
    with pytest.raises(api.StoreError, match="was changed"):
        "".join(api.render_evidence(api.audit_report(store=str(store), frameworks=["soc2"]), "csv"))
