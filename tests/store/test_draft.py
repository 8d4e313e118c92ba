"""The subjects of a run in the making: each once, whoever has it, with the number that it keeps."""

import sqlite3
from contextlib import closing

from irsa_doctor.store.draft import SubjectsDraft
from irsa_doctor.store.rows import SubjectList, SubjectRow
from irsa_doctor.store.tables import make_tables

PASSED, FAILED = (("open-no-sub", "pass"),), (("open-no-sub", "fail"),)


def listed(*rows):
    """Subjects (key, account, verdicts) as a unit has them."""
    return SubjectList(
        [PASSED, FAILED], [SubjectRow(key.encode(), "role", f"id of {key}", account, "", said) for key, account, said in rows]
    )


def written(store, run, *units):
    draft = SubjectsDraft(store)
    for number, subjects in units:
        draft.add(number, subjects)
    draft.write(run)
    query = (
        "select s.key, s.id, s.account, v.verdicts from subject s join verdict_set v on v.id = s.verdicts where s.run = ?"
        " order by s.key"
    )
    rows = store.execute(query, (run,)).fetchall()
    return [(bytes.fromhex(key.removeprefix("sha256:")).decode(), *values) for key, *values in rows]


def test_a_subject_of_several_units_is_that_of_the_first_of_them():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as store:
        make_tables(store)
        rows = written(store, 1, (5, listed(("a", "5", 1), ("b", "5", 0))), (2, listed(("a", "2", 0))))
        assert rows == [
            ("a", "id of a", "2", '{"open-no-sub":"pass"}'),
            ("b", "id of b", "5", '{"open-no-sub":"pass"}'),
        ]


def test_a_later_run_uses_the_names_that_are_there():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as store:
        make_tables(store)
        written(store, 1, (0, listed(("a", "1", 0), ("b", "1", 0))))
        after = written(store, 2, (0, listed(("a", "1", 1), ("b", "moved", 0), ("c", "1", 0))))
        assert [(key, account) for key, _, account, _ in after] == [("a", "1"), ("b", "moved"), ("c", "1")]
        assert after[0][3] == '{"open-no-sub":"fail"}'
        assert store.execute("select count(*) from subject_name").fetchone() == (4,)
        assert store.execute("select account from subject where run = 1 and key = 'sha256:62'").fetchall() == [("1",)]
