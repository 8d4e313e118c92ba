"""What did not change costs a store little: a short row for each subject and finding."""

import os

from tests.store.runs import OPEN, RIGHT, audited, named

ROLES = 400
PAGES = 12 * 4096
"""what tables grow by though they have few rows"""


def test_a_run_where_nothing_has_changed_adds_little(tmp_path):
    roles = [named(f"app-{n}", OPEN if n % 4 else RIGHT) for n in range(ROLES)]
    first = audited(tmp_path, *roles)
    before = os.path.getsize(tmp_path / "audit.db")
    again = audited(tmp_path, *roles, day=1)
    after = os.path.getsize(tmp_path / "audit.db")
    findings = len(again.answer["findings"])
    assert len(first.answer["findings"]) == findings > ROLES // 2
    assert after - before < 250 * findings + 100 * 2 * ROLES + PAGES
    assert after < 1.5 * before
