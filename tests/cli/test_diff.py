import json
import subprocess

import pytest

from tests.cli.running import OPEN, RIGHT, ROLE, put, role, run, trust


@pytest.fixture
def sides(tmp_path):
    return put(tmp_path / "old" / "role.json", role(RIGHT)).parent, put(tmp_path / "new" / "role.json", role(OPEN)).parent


def test_a_role_that_opens_exits_1_and_names_somebody_who_gets_in(sides, tmp_path):
    done = run("diff", *sides, "-f", "json", cwd=tmp_path)
    row = json.loads(done.stdout)["roles"][0]
    assert done.returncode == 1
    assert (row["role"], row["change"], row["gained"]["patterns"]) == (ROLE, "widened", ["*"])
    assert row["gained"]["witness"].startswith("system:serviceaccount:")


def test_a_role_that_closes_exits_0(sides, tmp_path):
    old, new = sides
    done = run("diff", new, old, cwd=tmp_path)
    assert (done.returncode, "admits fewer" in done.stdout) == (0, True)


def test_two_bare_policies_are_one_role_whatever_their_names(tmp_path):
    old = put(tmp_path / "a.json", trust("system:serviceaccount:a:x"))
    new = put(tmp_path / "b.json", trust("system:serviceaccount:a:x"))
    done = run("diff", old, new, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "no change; 1 unchanged\n")


def test_markdown_is_a_comment_that_folds(sides, tmp_path):
    text = run("diff", *sides, "-f", "markdown", cwd=tmp_path).stdout
    assert "<details>" in text
    assert "&#42;" in text


@pytest.mark.parametrize(
    "arguments", [(), ("one",), ("not-there", "neither"), ("--git", "no-such-revision"), ("--git", "--help"), ("a", "b", "c")]
)
def test_a_wrong_call_is_one_line_and_exit_2(tmp_path, arguments):
    done = run("diff", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_revision_of_git_is_the_old_side(tmp_path):
    def git(*arguments):
        name = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    file = put(tmp_path / "trust" / "policy.json", trust("system:serviceaccount:a:x"))
    git("add", ".")
    git("commit", "-qm", "first")
    put(file, OPEN)
    done = run("diff", "--git", "HEAD", "trust", "-f", "json", cwd=tmp_path)
    assert done.returncode == 1
    assert [(row["role"], row["change"]) for row in json.loads(done.stdout)["roles"]] == [("trust/policy.json", "widened")]
