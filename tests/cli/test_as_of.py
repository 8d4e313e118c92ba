"""`check --as-of`: waivers and ages go by a time that the user names, and the report says which."""

import pytest

from tests.cli.running import OPEN, check, put, role, run

SETTINGS = """
[[waivers]]
rule = "open-aud-only"
subject = "*"
owner = "platform"
reason = "until the move"
expires = 2026-03-31
severity = "critical"
"""


@pytest.fixture
def waived(tmp_path):
    """An open role and a waiver until the end of March."""
    put(tmp_path / "irsa-doctor.toml", SETTINGS)
    put(tmp_path / "role.json", role(OPEN))
    return tmp_path


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-03-31T23:59:59Z", True),
        ("2026-04-01T00:00:00Z", False),
        ("2026-04-01T01:30:00+02:00", True),
        ("2026-03-31T23:30:00-02:00", False),
    ],
)
def test_a_waiver_ends_with_its_day_in_utc(waived, moment, holds):
    report = check("role.json", "--as-of", moment, cwd=waived)
    assert bool(report["waived"]) == holds
    assert ("waiver-expired" in {finding["rule"] for finding in report["findings"]}) != holds


def test_the_report_says_the_moment_in_utc_or_the_day_of_now(waived):
    assert check("role.json", "--as-of", "2026-03-31T23:30:00-02:00", cwd=waived)["as_of"] == "2026-04-01T01:30:00Z"
    text = run("check", "role.json", "--as-of", "2026-04-01T01:30:00Z", cwd=waived).stdout
    assert "as of 2026-04-01T01:30:00Z" in " ".join(text.split())
    assert len(check("role.json", cwd=waived)["as_of"]) == len("2026-03-31")


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-03-31T10:00:00", "2026-02-30T10:00:00Z", "9999-12-31T23:59:59-14:00", ""]
)
def test_what_is_no_time_is_a_wrong_call(waived, moment):
    result = run("check", "role.json", "--as-of", moment, cwd=waived)
    assert result.returncode == 2
    assert "2026-11-28T12:00:00Z" in result.stderr


def test_a_day_is_shown_as_the_time_that_it_begins(waived):
    result = run("check", "role.json", "--as-of", "2026-01-01", cwd=waived)
    assert result.returncode == 2
    assert result.stderr.rstrip().endswith("write it as 2026-01-01T00:00:00Z")
