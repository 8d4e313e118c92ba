"""Lifetimes by the standards of a project: met, missed, and unknown where the input does not say."""

import pytest

from irsa_doctor.facts.lifetimes.durations import duration_words, moment_named
from irsa_doctor.facts.lifetimes.keys import _age
from irsa_doctor.facts.lifetimes.tokens import annotated_seconds
from irsa_doctor.facts.lifetimes.use import role_use
from irsa_doctor.model import Place, Role, Unknown
from irsa_doctor.model.standards import KeyRun
from tests.cli.running import RIGHT, put, run
from tests.store.runs import named

DAY = 86400
NOW = moment_named("2026-06-01T00:00:00Z")
ACCOUNT = "111122223333"


def used(last, created="2020-01-01T00:00:00Z"):
    return Role("", "app", ACCOUNT, Unknown("x"), Place("roles.json"), created=created, last_used=last)


@pytest.mark.parametrize(
    ("role", "days", "state"),
    [
        (used("2026-05-01T00:00:00Z"), 90, "met"),
        (used("2025-05-01T00:00:00Z"), 90, "missed"),
        (used(""), 90, "missed"),
        (used("", "2026-05-01T00:00:00Z"), 90, "met"),
        (used("2026-05-01T00:00:00Z"), 0, "not-asked"),
    ],
)
def test_the_last_use_of_a_role(role, days, state):
    assert role_use(role, days * DAY, NOW) == state


@pytest.mark.parametrize(("role", "days"), [(used(None), 90), (used(""), 500), (used("", ""), 90)])
def test_what_iam_does_not_remember_is_unknown(role, days):
    assert isinstance(role_use(role, days * DAY, NOW), Unknown)


@pytest.mark.parametrize(
    ("value", "seconds"), [("3600", 3600), ("60", 600), ("-5", 600), ("0", 600), ("1h", 86400), ("", 86400), ("9999999", 86400)]
)
def test_what_the_webhook_makes_of_an_annotation(value, seconds):
    assert annotated_seconds(value) == seconds


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ([("2026-01-01T00:00:00Z", "a"), ("2026-05-01T00:00:00Z", "a")], "missed"),
        ([("2026-05-20T00:00:00Z", "b")], "met"),
        ([("2026-01-01T00:00:00Z", "b"), ("2026-05-20T00:00:00Z", "a")], None),
        ([("2026-05-20T00:00:00Z", "a")], None),
        ([("2025-01-01T00:00:00Z", "a"), ("2026-05-15T00:00:00Z", "b"), ("2026-05-20T00:00:00Z", "a")], "met"),
        ([], None),
    ],
)
def test_a_key_is_as_old_as_the_runs_that_have_seen_it(runs, state):
    seen = [KeyRun(as_of, frozenset(keys)) for as_of, keys in runs]
    assert _age("a", seen, 90 * DAY, NOW) == state


@pytest.mark.parametrize(
    ("seconds", "words"), [(43200, "12 hours"), (3600, "1 hour"), (7776000, "90 days"), (90, "90 seconds")]
)
def test_durations_in_words(seconds, words):
    assert duration_words(seconds) == words


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('max-role-unused = "soon"', "must be a duration"),
        ("max-role-unused = 90", "must be a duration"),
        ('max-role-unused = "0d"', "must be a duration"),
        ('static-keys = "never"', "must be one of deny, allow"),
        ('max-role-used = "90d"', "did you mean 'max-role-unused'?"),
    ],
)
def test_a_wrong_standard_is_named_with_its_line(tmp_path, line, says):
    put(tmp_path / "role.json", {"RoleDetailList": [named("app", RIGHT)], "IsTruncated": False})
    put(tmp_path / "irsa-doctor.toml", f"[standards]\n{line}\n")
    done = run("check", "role.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "irsa-doctor.toml:2" in done.stderr
    assert says in done.stderr


def test_a_list_of_roles_does_not_say_when_they_were_used(tmp_path):
    role = {**named("app", RIGHT), "MaxSessionDuration": 7200}
    put(tmp_path / "roles.json", {"Roles": [role]})
    put(tmp_path / "irsa-doctor.toml", '[standards]\nmax-role-unused = "90d"\nmax-session-duration = "1h"\n')
    done = run("check", "roles.json", "-f", "json", cwd=tmp_path)
    assert '"standard-session-duration"' in done.stdout
    assert "last use of role app" in done.stdout
