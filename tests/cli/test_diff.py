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


def git(folder, *arguments):
    name = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository whose working tree opens a policy below `policies`, and does not touch another."""
    top = tmp_path / "repo"
    put(top / "policies" / "policy.json", trust("system:serviceaccount:a:x"))
    put(top / "policies" / "deep" / "other.json", trust("system:serviceaccount:a:y"))
    put(top / "docs" / "note.txt", "nothing")
    git(top, "init", "-q")
    git(top, "add", ".")
    git(top, "commit", "-qm", "first")
    put(top / "policies" / "policy.json", OPEN)
    return top


def compared(*arguments, cwd):
    done = run("diff", "--git", "HEAD", *arguments, "-f", "json", cwd=cwd)
    assert done.stderr == ""
    return done.returncode, [(row["role"], row["change"]) for row in json.loads(done.stdout)["roles"]]


OPENED = (1, [("policies/deep/other.json", "same"), ("policies/policy.json", "widened")])


@pytest.mark.parametrize(
    "path",
    [
        *("policies", "policies/", "./policies", "policies/.", "docs/../policies", ".", "./", None),
        "{top}/policies",
        "{top}",
        "{top}/../repo/policies/",
        "{top}/../link",
        "link",
        "policies/policy.json policies/deep",
        "policies policies/policy.json",
    ],
)
def test_the_answer_does_not_depend_on_how_the_path_is_written(repository, path):
    (repository / "link").symlink_to("policies")
    (repository.parent / "link").symlink_to(repository / "policies")
    paths = path.format(top=repository).split(" ") if path else []
    assert compared(*paths, cwd=repository) == OPENED


@pytest.mark.parametrize(
    ("folder", "path"), [("policies", None), ("docs", "../policies"), ("docs", ".."), ("policies/deep", "..")]
)
def test_from_a_folder_inside_the_repository_the_answer_is_the_same(repository, folder, path):
    assert compared(*([path] if path else []), cwd=repository / folder) == OPENED


def test_a_repository_that_is_entered_through_a_link_gives_the_same_answer(repository, tmp_path):
    (tmp_path / "entry").symlink_to(repository)
    assert compared("policies", cwd=tmp_path / "entry") == OPENED
    assert compared(tmp_path / "entry" / "policies", cwd=tmp_path) == OPENED


def test_a_deleted_path_is_removed_and_a_new_one_is_added(repository):
    (repository / "policies" / "deep" / "other.json").unlink()
    (repository / "policies" / "deep").rmdir()
    assert compared("policies/deep", cwd=repository) == (0, [("policies/deep/other.json", "removed")])
    put(repository / "more" / "new.json", trust("system:serviceaccount:a:z"))
    assert compared("more", cwd=repository) == (0, [("more/new.json", "added")])
    assert compared("more/new.json", "policies/deep/other.json", cwd=repository)[1] == [
        ("more/new.json", "added"),
        ("policies/deep/other.json", "removed"),
    ]


@pytest.mark.parametrize("name", ["two words", "Bücher", "日本", ":(top)colon", "star*", "[a]", "-dash"])
def test_names_of_every_kind_are_compared(repository, name):
    put(repository / name / "policy.json", trust("system:serviceaccount:a:x"))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "second")
    put(repository / name / "policy.json", OPEN)
    assert compared(f"./{name}", cwd=repository) == (1, [(f"{name}/policy.json", "widened")])


def test_a_link_in_the_place_of_a_folder_hides_no_change(repository):
    put(repository / "elsewhere" / "policy.json", OPEN)
    git(repository, "checkout", "-q", "policies")
    (repository / "policies").rename(repository / "moved")
    (repository / "policies").symlink_to("elsewhere")
    assert ("policies/policy.json", "widened") in compared("policies", cwd=repository)[1]
    assert ("policies/policy.json", "widened") in compared(cwd=repository)[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--git", "no-such-revision"), "no-such-revision: no such revision in this repository"),
        (("--git", ""), "an empty name: not a git revision"),
        (("--git", "HEAD", "nowhere"), "nowhere: no such file or folder, neither in the work tree nor at HEAD"),
        (("--git", "HEAD", "policies", "nowhere"), "nowhere: no such file or folder, neither in the work tree nor at HEAD"),
        (("--git", "HEAD", "polices"), 'Did you mean "policies"?'),
        (("--git", "HEAD", "policies", "policies/dep"), 'Did you mean "policies/deep"?'),
        (("--git", "HEAD", "/"), "not in a git repository"),
        (("--git", "HEAD", "-"), "not standard input"),
        (("--git", "HEAD", "docs"), "nothing could be read of docs"),
    ],
)
def test_a_revision_or_path_that_is_not_there_is_one_line_and_exit_2(repository, arguments, says):
    done = run("diff", *arguments, cwd=repository)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert says in done.stderr


def test_what_only_one_side_has_is_no_path_that_is_not_there(repository):
    git(repository, "rm", "-q", "-r", "--cached", "policies/deep")
    (repository / "policies" / "deep" / "other.json").unlink()
    put(repository / "fresh" / "new.json", trust("system:serviceaccount:a:z"))
    changes = compared("policies/deep/other.json", "fresh", cwd=repository)[1]
    assert {change for _, change in changes} == {"removed", "added"}


def test_a_link_that_a_change_deletes_was_there(repository):
    (repository / "alias").symlink_to("policies")
    git(repository, "add", "alias")
    git(repository, "commit", "-qm", "a link")
    (repository / "alias").unlink()
    assert compared("alias", "policies", cwd=repository) == OPENED


def test_a_new_role_that_is_open_exits_1_unless_new_roles_are_allowed(tmp_path):
    old = put(tmp_path / "old" / "a.json", role(RIGHT)).parent
    new = put(tmp_path / "new" / "a.json", role(RIGHT)).parent
    put(new / "b.json", role(OPEN, ROLE + "-2"))
    done = run("diff", old, new, "-f", "json", cwd=tmp_path)
    row = next(row for row in json.loads(done.stdout)["roles"] if row["role"] == ROLE + "-2")
    assert (done.returncode, row["change"], row["open_by"]) == (1, "added", ["open-aud-only"])
    assert run("diff", old, new, "--allow-new", cwd=tmp_path).returncode == 0
    assert "check fails it: open-aud-only" in run("diff", old, new, cwd=tmp_path).stdout


def test_a_new_role_of_one_service_account_exits_0(tmp_path):
    old = put(tmp_path / "old" / "a.json", role(RIGHT)).parent
    new = put(tmp_path / "new" / "a.json", role(RIGHT)).parent
    put(new / "b.json", role(trust("system:serviceaccount:a:x"), ROLE + "-2"))
    assert run("diff", old, new, cwd=tmp_path).returncode == 0


def test_an_open_policy_that_only_moved_is_not_new(repository):
    git(repository, "commit", "-qam", "opened")
    (repository / "policies" / "policy.json").rename(repository / "policies" / "moved.json")
    code, rows = compared(cwd=repository)
    assert (code, ("policies/moved.json", "added") in rows) == (0, True)
    put(repository / "policies" / "more.json", json.dumps(OPEN))
    assert compared(cwd=repository)[0] == 1


def test_a_new_audience_is_shown_beside_the_subject_that_had_another(tmp_path):
    subject = "system:serviceaccount:a:x"
    old = put(tmp_path / "old.json", trust(subject, audience="vault"))
    new = put(tmp_path / "new.json", trust(subject, audience="sts.amazonaws.com"))
    gained = json.loads(run("diff", old, new, "-f", "json", cwd=tmp_path).stdout)["roles"][0]["gained"]
    assert (gained["witness"], gained["witness_audience"]) == (subject, "sts.amazonaws.com")
    assert f"for example {subject} with the audience sts.amazonaws.com" in run("diff", old, new, cwd=tmp_path).stdout
    other = put(tmp_path / "other.json", trust("system:serviceaccount:a:y", audience="vault"))
    gained = json.loads(run("diff", old, other, "-f", "json", cwd=tmp_path).stdout)["roles"][0]["gained"]
    assert (gained["witness"], gained["witness_audience"]) == ("system:serviceaccount:a:y", None)


def test_a_revision_of_git_is_the_old_side(tmp_path):
    git(tmp_path, "init", "-q")
    file = put(tmp_path / "trust" / "policy.json", trust("system:serviceaccount:a:x"))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    put(file, OPEN)
    done = run("diff", "--git", "HEAD", "trust", "-f", "json", cwd=tmp_path)
    assert done.returncode == 1
    assert [(row["role"], row["change"]) for row in json.loads(done.stdout)["roles"]] == [("trust/policy.json", "widened")]


def test_a_file_of_a_submodule_is_compared_with_the_commit_that_the_revision_has(repository, tmp_path):
    above = tmp_path / "above"
    above.mkdir()
    git(repository, "commit", "-qam", "second")
    git(above, "init", "-q")
    git(above, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "part")
    git(above, "commit", "-qm", "with a submodule")
    assert [change for _, change in compared(cwd=above)[1]] == ["same", "same"]
    put(above / "part" / "policies" / "deep" / "other.json", OPEN)
    for path in (".", "part", "part/policies/deep/other.json"):
        code, changes = compared(path, cwd=above)
        assert (code, [change for _, change in changes if change != "same"]) == (1, ["widened"])


def test_a_submodule_that_is_not_checked_out_is_left_out(repository, tmp_path):
    above = tmp_path / "above"
    above.mkdir()
    put(above / "own.json", trust("system:serviceaccount:a:b"))
    git(above, "init", "-q")
    git(above, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "part")
    git(above, "add", ".")
    git(above, "commit", "-qm", "with a submodule")
    git(above, "submodule", "--quiet", "deinit", "--force", "part")
    assert compared(cwd=above) == (0, [("own.json", "same")])


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("HEAD~1", "which is a shallow clone: git fetch --unshallow (in GitHub Actions fetch-depth: 0)"),
        ("topc", 'Did you mean "topic"?'),
        ("other", 'Did you mean "origin/other"?'),
        ("HEAD~1..HEAD", "it is a range, give one revision"),
    ],
)
def test_a_revision_that_a_shallow_clone_lacks_says_how_to_get_it(repository, tmp_path, revision, says):
    git(repository, "commit", "-qam", "second")
    git(repository, "branch", "other")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", f"file://{repository}", str(clone))
    git(clone, "branch", "-q", "topic")
    done = run("diff", "--git", revision, cwd=clone)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


TEMPLATE = """
variable "provider" {{}}
variable "issuer" {{}}
variable "ns" {{}}
resource "aws_iam_role" "app" {{
  assume_role_policy = jsonencode({{
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = var.provider }}
      Condition = {{ StringLike = {{ "${{var.issuer}}:aud" = "sts.amazonaws.com"{subject} }} }}
    }}]
  }})
}}
"""
ONE, NAMESPACE, HOLE, ANY = (
    ', "${var.issuer}:sub" = "system:serviceaccount:' + subject + '"' for subject in ("a:x", "a:*", "${var.ns}:x", "*")
)


def holes_compared(folder, old, new):
    for side, subject in (("old", old), ("new", new)):
        put(folder / side / "main.tf", TEMPLATE.format(subject=subject))
    done = run("diff", "old", "new", "-f", "json", cwd=folder)
    (row,) = json.loads(done.stdout)["roles"]
    return done.returncode, row["change"], bool(row["open_by"])


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        (ONE, ONE, (0, "same", False)),
        (ONE, NAMESPACE, (1, "widened", False)),
        (ONE, "", (1, "widened", False)),
        (NAMESPACE, ONE, (0, "narrowed", False)),
        ("", ONE, (0, "narrowed", False)),
        (ONE, HOLE, (0, "unknown", False)),
        (HOLE, ONE, (0, "unknown", False)),
        (HOLE, HOLE, (0, "same", False)),
        (HOLE, "", (1, "unknown", True)),
        (HOLE, ANY, (1, "unknown", True)),
        ("", HOLE, (0, "unknown", False)),
    ],
)
def test_a_provider_and_an_issuer_that_are_two_holes_are_compared_as_one(tmp_path, old, new, answer):
    assert holes_compared(tmp_path, old, new) == answer


def test_what_is_open_whatever_a_hole_holds_is_shown_as_newly_open(tmp_path):
    holes_compared(tmp_path, HOLE, "")
    assert "check fails it, and did not before: open-" in run("diff", "old", "new", cwd=tmp_path).stdout
    assert run("diff", "old", "new", "--allow-new", cwd=tmp_path).returncode == 1
