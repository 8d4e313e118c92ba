"""`check --config-from`: a change is judged by what held before it, and told what it takes away of that."""

import json
import subprocess

import pytest

from irsa_doctor.rulebook.files import rules_folder
from tests.cli.running import OPEN, RIGHT, ROLE, put, role, run

WAIVER = """
[[waivers]]
rule = "open-aud-only"
subject = "*"
owner = "team@example.com"
reason = "needed"
expires = 2999-01-01
severity = "critical"
"""


def git(folder, *arguments):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, timeout=60, check=True)


def repository(folder, **files):
    """A repository with a role, and these files in its only revision."""
    put(folder / "roles" / "app.json", role(RIGHT))
    for name, content in files.items():
        put(folder / name.replace("__", "/").replace("_", ".", 1), content)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "before")


def judged(folder, *flags, path="roles", cwd=""):
    done = run("check", path, "--config-from", "HEAD", "-f", "json", *flags, cwd=folder / cwd)
    assert done.stderr == ""
    return done.returncode, {finding["rule"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_a_change_cannot_waive_what_it_opens(tmp_path):
    repository(tmp_path)
    put(tmp_path / "roles" / "app.json", role(OPEN))
    put(tmp_path / "irsa-doctor.toml", WAIVER)
    assert run("check", "roles", cwd=tmp_path).returncode == 0
    code, found = judged(tmp_path)
    assert (code, set(found)) == (1, {"open-aud-only", "policy-weakened"})
    weakened = found["policy-weakened"]
    assert weakened["message"] == ("irsa-doctor.toml is weaker than at HEAD: open-aud-only is waived for * until 2999-01-01.")
    assert weakened["subject"] == {"kind": "document", "id": "irsa-doctor.toml"}
    (place,) = weakened["locations"]
    assert (place["file"], place["line"]) == ("irsa-doctor.toml", 2)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("", 'ignore = ["open-aud-only"]', "open-aud-only is turned off"),
        ("", 'exclude = ["roles/", "!x"]', "roles/ leaves out more files"),
        ('exclude = ["roles/", "!*.json"]', 'exclude = ["roles/"]', "!*.json leaves out more files"),
        ("", 'select = ["open-no-sub"]', "turned off"),
        ("", '[severity]\nopen-aud-only = "low"', "open-aud-only is low and was critical"),
        ("", 'fail-on = "never"', "fail-on is never and was high"),
        ('fail-on = "low"', "", "fail-on is high and was low"),
        ("", 'min-severity = "critical"', "min-severity is critical and was low"),
        ("", 'min-confidence = "high"', "min-confidence is high and was low"),
        ("inline-ignores = false", "", "comments in documents may ignore findings"),
        ("", '[audiences]\n"https://x.example" = ["any"]', "any is expected of x.example"),
        ('complete = ["pods"]', "", "pods may be missing"),
        (WAIVER.replace("2999", "2998"), WAIVER, "until 2999-01-01, not 2998-01-01,"),
        (WAIVER.replace("*", "arn:*"), WAIVER, "open-aud-only is waived for *"),
    ],
)
def test_whatever_a_change_takes_away_is_told_and_does_not_hold(tmp_path, before, after, says):
    repository(tmp_path, **{"irsa-doctor_toml": before})
    put(tmp_path / "irsa-doctor.toml", after)
    _, found = judged(tmp_path)
    assert says in found["policy-weakened"]["message"]
    put(tmp_path / "irsa-doctor.toml", before)
    assert "policy-weakened" not in judged(tmp_path)[1]


def test_what_is_not_weaker_is_no_finding_but_holds_only_later(tmp_path):
    repository(tmp_path, **{"irsa-doctor_toml": WAIVER.replace('"*"', f'"{ROLE}#*"')})
    put(tmp_path / "roles" / "app.json", role(OPEN))
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "low"\n[severity]\nopen-ns-creatable = "high"\n')
    assert judged(tmp_path) == (0, {})
    assert run("check", "roles", cwd=tmp_path).returncode == 1


def own_rule(name, reach="aud-only"):
    """A rule of ones own, made of a built-in one."""
    text = (rules_folder() / "open" / "open-aud-only.yaml").read_text(encoding="utf-8")
    assert "        - aud-only\n" in text
    return text.replace("id: open-aud-only", f"id: {name}").replace("        - aud-only\n", f"        - {reach}\n")


def test_rules_of_ones_own_are_those_of_the_revision(tmp_path):
    rules = {"own__first-rule_yaml": own_rule("first-rule"), "own__second-rule_yaml": own_rule("second-rule", "nothing")}
    repository(tmp_path, **{"irsa-doctor_toml": 'rules = ["own"]\n'}, **rules)
    put(tmp_path / "roles" / "app.json", role(OPEN))
    (tmp_path / "own" / "first-rule.yaml").unlink()
    _, found = judged(tmp_path)
    assert set(found) == {"first-rule", "open-aud-only", "policy-weakened"}
    assert "first-rule is turned off" in found["policy-weakened"]["message"]
    put(tmp_path / "own" / "first-rule.yaml", own_rule("first-rule").replace("Only the audience", "Just the audience", 1))
    assert set(judged(tmp_path)[1]) == {"first-rule", "open-aud-only"}
    put(tmp_path / "own" / "first-rule.yaml", own_rule("first-rule", "nothing"))
    _, found = judged(tmp_path)
    assert set(found) == {"first-rule", "open-aud-only", "policy-weakened"}
    assert "first-rule has other conditions" in found["policy-weakened"]["message"]


@pytest.mark.parametrize("by_flag", [True, False])
def test_a_baseline_is_that_of_the_revision(tmp_path, by_flag):
    repository(tmp_path, **{"irsa-doctor_toml": "" if by_flag else 'baseline = "known.json"\n'})
    flags = ("--baseline", "known.json") if by_flag else ()
    done = run("check", "roles", "--no-config", "--write-baseline", "known.json", cwd=tmp_path)
    assert done.returncode == 0
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "nothing is known")
    put(tmp_path / "roles" / "app.json", role(OPEN))
    run("check", "roles", "--no-config", "--write-baseline", "known.json", cwd=tmp_path)
    code, found = judged(tmp_path, *flags)
    assert (code, set(found)) == (1, {"open-aud-only", "policy-weakened"})
    assert "the baseline holds 1 more, open-aud-only of arn:" in found["policy-weakened"]["message"]


def test_a_comment_that_comes_with_the_change_ignores_nothing(tmp_path):
    account = (
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {0}\n  annotations:\n"
        "    # irsa-doctor: ignore[role-arn-malformed] known\n    eks.amazonaws.com/role-arn: arn:aws:iam::1:role/{0}\n"
    )
    repository(tmp_path, roles__sa_yaml=account.format("old"))
    rules = set(judged(tmp_path)[1])
    put(tmp_path / "roles" / "sa.yaml", "# moved\n" + account.format("old") + "---\n" + account.format("new"))
    code, found = judged(tmp_path)
    assert rules == set()
    assert code == 1
    assert [finding["subject"]["id"].rpartition("/")[2] for finding in found.values()] == ["new"]


def test_a_folder_below_and_a_shared_file(tmp_path):
    repository(tmp_path, pyproject_toml='[tool.irsa-doctor]\nfail-on = "medium"\n', team__a__x_json={"a": 1})
    put(tmp_path / "pyproject.toml", '[tool.irsa-doctor]\nfail-on = "never"\n')
    code, found = judged(tmp_path, path="../../roles", cwd="team/a")
    assert (code, set(found)) == (1, {"policy-weakened"})
    code, found = judged(tmp_path, "--config", "../../pyproject.toml", path="../../roles", cwd="team/a")
    assert (code, set(found)) == (1, {"policy-weakened"})


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--config-from", "no-such"), "no-such: "),
        (("--config-from", "--all"), "--all: not a git revision"),
        (("--config-from", "HEAD", "--no-config"), "--config-from and --no-config contradict each other"),
        (("--config-from", "HEAD", "--config", "none.toml"), "none.toml"),
    ],
)
def test_wrong_calls_are_one_line(tmp_path, flags, says):
    repository(tmp_path)
    done = run("check", "roles", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


def test_settings_that_are_broken_are_named_with_their_revision(tmp_path):
    repository(tmp_path, **{"irsa-doctor_toml": "\nfail-on = 5\n"})
    put(tmp_path / "irsa-doctor.toml", "")
    done = run("check", "roles", "--config-from", "HEAD", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("irsa-doctor: HEAD:irsa-doctor.toml:2: fail-on must be one of")


def test_where_there_is_no_repository_nothing_is_judged(tmp_path):
    put(tmp_path / "roles" / "app.json", role(RIGHT))
    done = run("check", "roles", "--config-from", "HEAD", cwd=tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert (done.returncode, done.stdout) == (2, "")
    assert "not in a git repository" in done.stderr
