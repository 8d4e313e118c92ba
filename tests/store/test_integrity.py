"""A store shows whether anybody has changed it, and refuses what it cannot keep."""

import os
import sqlite3
import subprocess
import sys
from datetime import timedelta

import pytest

from irsa_doctor import api
from tests.store.runs import BEGIN, DAY, OPEN, RIGHT, audited, named


@pytest.fixture
def store(tmp_path):
    """A store of three runs."""
    for day, policy in enumerate((OPEN, RIGHT, OPEN)):
        audited(tmp_path, named("app", policy), named("other", OPEN), day=day)
    return str(tmp_path / "audit.db")


def change(store: str, *statements: str) -> None:
    with sqlite3.connect(store) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_store_that_nobody_touched_is_whole(store):
    found = api.audit_verify(store=store)
    assert (found.runs, found.tampering) == (3, ())
    heads = [header.hash for header, _ in api.audit_history(store=store)]
    assert found.head == heads[-1]
    for head in heads:
        assert api.audit_verify(store=store, head=head).tampering == ()


CHANGES = [
    "delete from sighting where run = 1 and key = (select min(key) from sighting where run = 1)",
    "update sighting set number = 7 where run = 1",
    "update sighting set severity = 'low'",
    "update sighting set status = 'waived' where run = 1",
    "update body set text = replace(text, 'critical', 'low')",
    "update finding set subject = 'x'",
    "update finding set first_seen = 2 where first_seen = 1",
    "update finding set status = 'fixed' where status = 'open'",
    "delete from finding where key = (select min(key) from finding)",
    "update finding set first_seen = 0",
    "update finding set status = 'gone' where status = 'fixed'",
    "delete from change where run = 2",
    "update change set change = 'seen-again' where change = 'fixed'",
    "insert into change select 2, key, 'waived' from finding",
    "update scope set state = 'partial'",
    "delete from scope",
    "insert into waiver values (1, 'r', 's', 'o', 'w', '2030-01-01', '', '', 0, 1)",
    "update tally set failed = 0",
    "delete from subject_verdict where subject = 1",
    "update subject_name set id = 'x' where number = 1",
    "update verdict_set set verdicts = replace(verdicts, 'fail', 'pass')",
    "delete from unknown",
    "delete from run where id = 1",
    "delete from run where id = 2",
    "update run set as_of = '2020-01-01T00:00:00Z' where id = 3",
    "update run set hash = 'sha256:0' where id = 3",
    "update run set options = '{}' where id = 1",
    "update run set digest = 'sha256:0' where id = 2",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_every_change_of_a_row_is_noticed(store, statement):
    before = api.audit_verify(store=store).tampering
    with sqlite3.connect(store) as connection:
        changed = connection.execute(statement).rowcount
    assert before == ()
    assert (api.audit_verify(store=store).tampering != ()) == (changed > 0)


def test_runs_that_were_cut_off_are_noticed_by_a_head_that_was_kept_elsewhere(store):
    head = api.audit_verify(store=store).head
    change(store, "delete from sighting where run = 3", "delete from change where run = 3", "delete from run where id = 3")
    assert api.audit_verify(store=store, head=head).tampering != ()


def test_bytes_of_the_file_that_change_are_noticed(store):
    with open(store, "rb") as file:
        content = file.read()
    assert b"role/app#0" in content
    with open(store, "wb") as file:
        file.write(content.replace(b"role/app#0", b"role/apq#0"))
    assert api.audit_verify(store=store).tampering != ()


def test_pruned_runs_leave_the_chain_whole(store):
    head = api.audit_verify(store=store).head
    assert api.audit_prune(timedelta(hours=30), store=store, as_of=BEGIN + 2 * DAY) == [1]
    found = api.audit_verify(store=store, head=head)
    assert (found.runs, found.headers_only, found.tampering) == (3, (1,), ())
    with pytest.raises(api.StoreError, match="run 1 were pruned"):
        api.audit_show(1, store=store)


def test_the_last_run_is_never_pruned(store):
    assert api.audit_prune(timedelta(0), store=store, as_of=BEGIN + 900 * DAY) == [1, 2]
    assert api.audit_show(3, store=store).answer["run"]["id"] == 3


def test_what_comes_after_a_pruned_run_still_knows_when_a_finding_was_first_seen(store, tmp_path):
    api.audit_prune(timedelta(0), store=store, as_of=BEGIN + 900 * DAY)
    after = audited(tmp_path, named("app", OPEN), named("other", OPEN), day=9)
    assert {finding["first_seen"] for finding in after.answer["findings"]} == {1}
    assert api.audit_verify(store=store).tampering == ()


def test_a_run_that_was_interrupted_changes_nothing(store, tmp_path):
    change(store, "insert into run select 4, 'interrupted', '', '', '', '', '', '', '', '', '', null, ''")
    after = audited(tmp_path, named("app", OPEN), named("other", OPEN), day=9)
    assert after.answer["run"]["id"] == 5
    assert {count for name, count in after.answer["changes"].items() if name != "new"} == {0}
    assert api.audit_verify(store=store).tampering == ()


def test_only_its_owner_reads_a_store(store):
    assert os.stat(store).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "why"), [(b"no database at all, but long enough for a header of SQLite" * 9, "no store"), (b"", "no store")]
)
def test_another_file_is_no_store(tmp_path, content, why):
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with pytest.raises(api.StoreError, match=why):
        api.audit_history(store=str(path))


def test_a_store_of_a_later_version_is_refused(store, tmp_path):
    change(store, "update meta set value = '99'")
    with pytest.raises(api.StoreError, match="version 99"):
        audited(tmp_path, named("app", OPEN), day=9)


def test_a_store_is_not_written_through_a_link(tmp_path):
    (tmp_path / "audit.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(api.StoreError, match="no link"):
        audited(tmp_path, named("app", OPEN))


def test_without_a_store_there_is_nothing_to_read(tmp_path):
    with pytest.raises(api.NoStore):
        api.audit_verify(store=str(tmp_path / "none.db"))


def test_a_second_run_says_who_writes_to_the_store(store, tmp_path):
    code = (
        "import sys, time\nfrom irsa_doctor.store.tables import writing\n"
        "with writing(sys.argv[1]):\n print('in', flush=True)\n time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, store], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        try:
            with pytest.raises(api.StoreError, match=f"process {other.pid} writes to it"):
                audited(tmp_path, named("app", OPEN), day=9)
        finally:
            other.kill()
    audited(tmp_path, named("app", OPEN), day=9)


def test_no_secret_is_kept(tmp_path):
    key = "AKIA" + "IOSFODNN7EXAMPL3"
    audited(tmp_path, named("app", {**OPEN, "Statement": [{**OPEN["Statement"][0], "Sid": key}]}))
    content = (tmp_path / "audit.db").read_bytes()
    assert key.encode() not in content
