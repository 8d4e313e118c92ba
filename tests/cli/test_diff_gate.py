"""`diff --git` as a gate: what a change may not do to the comparison that judges it, each trick with its honest twin."""

import json

import pytest

from tests.cli.gate import git
from tests.cli.running import ISSUER, OPEN, PROVIDER, RIGHT, ROLE, put, role, run, trust

TEMPLATE = """\
Parameters: {Sub: {Type: String, Default: "%s"}}
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Federated: "%s"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition: {StringLike: {"%s:sub": !Ref Sub, "%s:aud": sts.amazonaws.com}}
"""
WAIVER = """\
[[waivers]]
rule = "open-aud-only"
subject = "*"
owner = "me"
reason = "mine"
expires = 2099-12-31
severity = "critical"
"""


def template(default):
    return TEMPLATE % (default, PROVIDER, ISSUER, ISSUER)


@pytest.fixture
def governed(tmp_path):
    """A repository with a role of one service account, a template, and settings."""
    put(tmp_path / "role.json", role(RIGHT))
    put(tmp_path / "stack.yaml", template("system:serviceaccount:a:b"))
    put(tmp_path / "p.json", [{"ParameterKey": "Sub", "ParameterValue": "system:serviceaccount:a:b"}])
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def commit_settings(folder, text):
    put(folder / "irsa-doctor.toml", text)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "settings")


SETTINGS = {
    "severity": '[severity]\n"open-aud-only" = "low"\n',
    "ignore": 'ignore = ["open-*"]\n',
    "select": 'select = ["trust-*"]\n',
    "min-severity": 'min-severity = "critical"\n[severity]\n"open-aud-only" = "low"\n',
    "waiver": WAIVER,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_a_change_do_not_close_an_open_role(governed, name):
    put(governed / "new.json", role(OPEN, ROLE + "-2"))
    put(governed / "irsa-doctor.toml", SETTINGS[name])
    done = run("diff", "--git", "HEAD", ".", cwd=governed)
    assert (done.returncode, "check fails it: open-aud-only" in done.stdout) == (1, True)
    assert "settings of HEAD apply: those of the work tree differ" in done.stderr


def test_settings_of_the_revision_govern_a_comparison(governed):
    commit_settings(governed, SETTINGS["waiver"].replace('"*"', f'"{ROLE}-2#*"'))
    put(governed / "new.json", role(OPEN, ROLE + "-2"))
    done = run("diff", "--git", "HEAD", ".", cwd=governed)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_of_parameters_that_only_a_change_names_takes_the_place_of_no_default(governed):
    put(governed / "stack.yaml", template("system:serviceaccount:*"))
    put(governed / "irsa-doctor.toml", '[parameters]\n"stack.yaml" = "p.json"\n')
    assert run("diff", "--git", "HEAD", ".", cwd=governed).returncode == 1
    (governed / "irsa-doctor.toml").unlink()
    git(governed, "checkout", "-q", ".")
    commit_settings(governed, '[parameters]\n"stack.yaml" = "p.json"\n')
    put(governed / "stack.yaml", template("system:serviceaccount:*"))
    assert run("diff", "--git", "HEAD", ".", cwd=governed).returncode == 0


def test_limits_of_the_settings_of_the_revision_hold(governed):
    commit_settings(governed, "max-seconds = 0.001\n")
    done = run("diff", "--git", "HEAD", ".", cwd=governed)
    assert (done.returncode, "limit of 0.001 seconds" in done.stderr) == (2, True)
    put(governed / "irsa-doctor.toml", "max-seconds = 100\n")
    assert run("diff", "--git", "HEAD", ".", cwd=governed).returncode == 2


def test_a_comment_of_a_change_excuses_no_new_role(governed):
    policy = json.dumps(OPEN)
    text = 'resource "aws_iam_role" "n" {\n  name = "n"\n  assume_role_policy = jsonencode(%s) %s\n}\n'
    put(governed / "n.tf", text % (policy, "# irsa-doctor: ignore[open-aud-only] mine"))
    assert run("diff", "--git", "HEAD", ".", cwd=governed).returncode == 1


@pytest.mark.parametrize("name", ["n", "m"])
def test_an_open_role_of_a_template_is_moved_under_its_name_and_new_under_another(governed, name):
    text = 'resource "aws_iam_role" "%s" {\n  name = "%s"\n  assume_role_policy = jsonencode(%s)\n}\n'
    put(governed / "n.tf", text % ("first", "n", json.dumps(OPEN)))
    git(governed, "add", ".")
    git(governed, "commit", "-qm", "second")
    put(governed / "n.tf", text % ("second", name, json.dumps(OPEN)))
    assert run("diff", "--git", "HEAD", ".", cwd=governed).returncode == (0 if name == "n" else 1)


@pytest.mark.parametrize("text", ['{"Role": {"RoleName": "checkout"', "\0\0", '{"Role": {"AssumeRolePolicyDocument": '])
def test_a_document_that_cannot_be_read_any_more_is_a_change_and_its_role_is_not_removed(governed, text):
    put(governed / "role.json", text)
    done = run("diff", "--git", "HEAD", ".", "-f", "json", cwd=governed)
    rows = {row["role"]: row for row in json.loads(done.stdout)["roles"]}
    assert done.returncode == 1
    assert (rows[ROLE]["change"], "role.json: not read" in rows[ROLE]["because"]) == ("unknown", True)
    assert (rows["role.json"]["change"], rows["role.json"]["open_by"]) == ("unknown", ["input-unreadable"])


def test_a_document_that_never_could_be_read_changes_nothing(governed):
    put(governed / "broken.json", '{"Role": ')
    git(governed, "add", ".")
    git(governed, "commit", "-qm", "broken")
    put(governed / "role.json", role(trust("system:serviceaccount:payments:checkout")))
    assert run("diff", "--git", "HEAD", ".", cwd=governed).returncode == 0
    (governed / "stack.yaml").unlink()
    done = run("diff", "--git", "HEAD", ".", cwd=governed)
    assert (done.returncode, "1 removed" in done.stdout) == (0, True)


@pytest.mark.parametrize("name", [".gitmodules", "LICENSE", "notes.txt", "app.ini"])
def test_a_new_file_that_is_no_document_is_no_change(governed, name):
    put(governed / name, '[submodule "part"]\n\tpath = part\n')
    git(governed, "add", ".")
    done = run("diff", "--git", "HEAD", ".", cwd=governed)
    assert (done.returncode, done.stdout) == (0, "no change; 2 unchanged\n")


def test_a_second_document_of_a_role_that_admits_somebody_else_fails_a_comparison(governed):
    put(governed / "again.json", role(trust("system:serviceaccount:x:other")))
    done = run("diff", "--git", "HEAD", ".", cwd=governed)
    assert (done.returncode, "input-contradiction" in done.stdout) == (1, True)


HOLE = """\
variable "who" {}
resource "aws_iam_role" "n" {
  name = "n"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Principal = { Federated = "%s" }
      Action = "sts:AssumeRoleWithWebIdentity"
      Condition = { %s = { "%s:sub" = var.who }, StringEquals = { "%s:aud" = "sts.amazonaws.com" } }
    }]
  })
}
"""


@pytest.mark.parametrize(("operator", "code"), [("StringLike", 1), ("StringEquals", 0)])
def test_a_new_role_whose_reach_a_hole_decides_fails_a_comparison(governed, operator, code):
    condition = HOLE if operator == "StringLike" else HOLE.replace(", StringEquals = ", ", StringLike = ")
    put(governed / "n.tf", condition % (PROVIDER, operator, ISSUER, ISSUER))
    done = run("diff", "--git", "HEAD", ".", cwd=governed)
    assert (done.returncode, "gate-unknown" in done.stdout) == (code, bool(code))
