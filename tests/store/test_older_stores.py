"""Stores that older versions wrote are read as they are, and go on after them: their runs stay what they were.

Each file of `older/` is the dump of a store that the last tool of its version wrote: two runs over one account.
"""

import gzip
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from irsa_doctor import api
from tests.cli.running import RIGHT, put
from tests.store.runs import details, named

OLDER = sorted((Path(__file__).parent / "older").glob("*.sql.gz"))
NEXT = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.fixture(params=OLDER, ids=lambda path: path.name.partition(".")[0])
def store(request, tmp_path):
    path = tmp_path / "audit.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(gzip.decompress(request.param.read_bytes()).decode())
    return path


def shown(store):
    """All that is said of the first two runs."""
    answers = [api.audit_show(number, store=str(store)).answer for number in (1, 2)]
    return answers, api.audit_history(store=str(store))[:2], api.audit_changes(1, 2, store=str(store))


def test_it_is_read_and_left_as_it_is(store):
    before = store.read_bytes()
    answers, history, (*_, changes) = shown(store)
    rules = [[finding["rule"] for finding in answer["findings"]] for answer in answers]
    assert rules == [["trust-principal-wrong-arn"], ["open-sub-star"]]
    assert [header.id for header, _ in history] == [1, 2]
    assert {change.change for change in changes} == {"new", "unseen"}
    assert not api.audit_verify(store=str(store)).tampering
    assert store.read_bytes() == before


def test_a_further_run_changes_nothing_of_the_earlier_ones(store, tmp_path):
    before, head = shown(store), api.audit_verify(store=str(store)).head
    put(tmp_path / "shards" / "roles.json", details(named("app", RIGHT)))
    run = api.audit([str(tmp_path / "shards")], store=str(store), as_of=NEXT)
    assert run.answer["run"]["id"] == 3
    assert shown(store) == before
    verified = api.audit_verify(store=str(store), head=head)
    assert (verified.runs, verified.tampering) == (3, ())
