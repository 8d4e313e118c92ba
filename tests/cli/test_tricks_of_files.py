"""Tricks by which the author of a change hides an open role in the form of a file or in git, each with its honest twin."""

import json
import os
import subprocess

import pytest

from tests.cli.gate import ACCOUNT, PROVIDER, export, git, lay, severe, terraform, text, trust
from tests.cli.running import run

RECODED = "*.x working-tree-encoding=UTF-16\n"
ONE = "system:serviceaccount:x:a"
LINKED = {"irsa-doctor.toml": None, "s.toml": 'ignore = ["open-*"]\n', "link": "irsa-doctor.toml"}
OTHER_BASELINE = {"irsa-doctor.toml": 'baseline = "b.json"\n', "b.json": {"schema": "irsa-doctor.baseline/99"}}
SETTINGS = {"irsa-doctor.toml": 'fail-on = "high"\n'}
WAIVED = """
[[waivers]]
rule = "open-sub-star"
subject = "arn:aws:iam::{account}:role/{name}"
owner = "team@example.com"
reason = "known"
expires = 2999-01-01
severity = "critical"
"""


def waiver(name):
    return {"irsa-doctor.toml": WAIVED.format(account=ACCOUNT, name=name), "w.json": export("app")}


def template(policy):
    """A template of CloudFormation in YAML, with a policy as it is written there."""
    return (
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n"
        f"      RoleName: r\n      AssumeRolePolicyDocument: {policy}\n"
    )


def merged(reach):
    """A template whose second statement is the first one with another condition, by a merge key."""
    right, other = (json.dumps(trust(r)["Statement"][0]["Condition"]) for r in ("safe", reach))
    return template(
        "\n        Version: '2012-10-17'\n        Statement:\n        - &s\n          Effect: Allow\n"
        f"          Principal: {{Federated: '{PROVIDER}'}}\n          Action: sts:AssumeRoleWithWebIdentity\n"
        f"          Condition: {right}\n        - <<: *s\n          Condition: {other}\n"
    )


def from_file(path):
    return f'resource "aws_iam_role" "r" {{\n  name = "r"\n  assume_role_policy = file("{path}")\n}}\n'


def with_default(subject):
    policy = text(trust("namespace")).replace('"system:serviceaccount:x:*"', "var.s")
    role = f'resource "aws_iam_role" "r" {{\n  name = "r"\n  assume_role_policy = jsonencode({policy})\n}}\n'
    return f'variable "s" {{\n  default = "{subject}"\n}}\n' + role


def twice(first, second):
    return f'{text(export("r", first))[:-1]}, "R\\u006fle": {text(export("r", second)["Role"])}}}'


# name -> the base, and what a change of some reach writes
FILES = {
    "attributes that filter": ({}, lambda r: {".gitattributes": "*.json filter=x diff=x -text\n", "a.json": export("r", r)}),
    "attributes of another encoding": (
        SETTINGS,
        lambda r: {".gitattributes": RECODED, "a.json": export("r", r)},
    ),
    "settings in capitals": ({}, lambda r: {"IRSA-DOCTOR.TOML": 'ignore = ["open-*"]\n', "a.json": export("r", r)}),
    "an ending in capitals": ({}, lambda r: {"A.JSON": export("r", r)}),
    "configuration in capitals": ({}, lambda r: {"MAIN.TF": terraform("r", r)}),
    "configuration of OpenTofu beside": ({}, lambda r: {"main.tf": terraform("r", "safe"), "main.tofu": terraform("r", r)}),
    "a merge key": ({}, lambda r: {"t.yaml": merged(r)}),
    "a name with a line end": ({}, lambda r: {"a\n.json": export("r", r)}),
    "a name like a flag": ({}, lambda r: {"-a.json": export("r", r)}),
    "a hidden folder": ({}, lambda r: {".hidden/a.json": export("r", r)}),
    "a markdown file": ({}, lambda r: {"a.md": text(export("r", r))}),
    "a second value in a file": ({}, lambda r: {"a.json": f"{text(export('q', 'safe'))}\n{text(export('r', r))}"}),
    "a document behind an end": ({}, lambda r: {"t.yaml": "a: 1\n...\n---\n" + template(json.dumps(trust(r)))}),
    "four-byte letters": ({}, lambda r: {"t.yaml": template(json.dumps(trust(r))).encode("utf-32")}),
    "configuration in two-byte letters": ({}, lambda r: {"main.tf": terraform("r", r).encode("utf-16")}),
    "a policy as a text": ({}, lambda r: {"t.yaml": template(f"'{text(trust(r))}'")}),
    "a file of another folder": ({}, lambda r: {"infra/main.tf": from_file("../pol/p.txt"), "pol/p.txt": text(trust(r))}),
    "variables that load themselves": (
        {},
        lambda r: {
            "main.tf": with_default(ONE),
            "x.auto.tfvars.json": {"s": "*" if r == "open" else ONE},
        },
    ),
    "a name that looks like a waived one": (waiver("app#0"), lambda r: {"a.json": export("\u0430pp", r)}),
    "a wide name": (waiver("app#0"), lambda r: {"a.json": export("\uff41pp", r)}),
    "the name in capitals": (waiver("app#0"), lambda r: {"a.json": export("APP", r)}),
    "a name that fits a pattern": (waiver("app*"), lambda r: {"a.json": export("app-new", r)}),
}
# what has no right form: the base, the change
BROKEN = {
    "settings that are a link": (
        SETTINGS,
        LINKED,
    ),
    "settings with a byte order mark": (SETTINGS, {"irsa-doctor.toml": b'\xef\xbb\xbfignore = ["open-*"]\r\n'}),
    "settings in two-byte letters": (SETTINGS, {"irsa-doctor.toml": 'ignore = ["open-*"]\n'.encode("utf-16")}),
    "settings with a key twice": (SETTINGS, {"irsa-doctor.toml": 'fail-on = "high"\nfail-on = "never"\n'}),
    "an exclusion of everything": (SETTINGS, {"irsa-doctor.toml": f'exclude = ["{"*/" * 400}**"]\n', "a.json": export("r")}),
    "comments in JSON": ({}, {"a.json": "// ours\n" + text(export("r"))}),
    "a member twice, the second in escapes": ({}, {"a.json": twice("safe", "open")}),
    "a member twice, the first open": ({}, {"a.json": twice("open", "safe")}),
    "a byte of nothing": ({}, {"a.json": text(export("r")).encode() + b"\0"}),
    "a policy in another alphabet": ({}, {"t.yaml": template("!!binary eyJWZXJzaW9uIjoiMjAxMi0xMC0xNyJ9")}),
    "a part from a bucket": (
        {},
        {"t.yaml": template("{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: s3://b/p}}}")},
    ),
    "a file out of the repository": ({}, {"infra/main.tf": from_file("../../outside.txt")}),
    "a baseline of another form": (
        OTHER_BASELINE,
        {"a.json": export("r")},
    ),
}


def replaced(folder):
    """The base is another revision, for whoever looks at replacements."""
    base = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, check=True, text=True).stdout.strip()
    lay(folder, {"irsa-doctor.toml": 'ignore = ["open-*"]\nfail-on = "never"\n'})
    git(folder, "add", "irsa-doctor.toml")
    git(folder, "commit", "-qm", "weaker")
    git(folder, "update-ref", "refs/hidden", "HEAD")
    git(folder, "reset", "-q", "--hard", base)
    git(folder, "replace", base, "refs/hidden")


def sub_repository(folder):
    """A file in a repository of its own below this one."""
    os.makedirs(folder / "sub")
    git(folder / "sub", "init", "-q")
    (folder / "a.json").rename(folder / "sub" / "a.json")


GIT = {
    "another base": replaced,
    "a grafted history": lambda folder: lay(folder, {".git/info/grafts": "0" * 40 + "\n"}),
    "a repository below": sub_repository,
    "a folder that looks like a submodule": lambda folder: lay(folder, {"sub/.git": "gitdir: ../.git/modules/sub\n"}),
    "a sparse checkout": lambda folder: git(folder, "config", "core.sparseCheckout", "true"),
    "another work tree": lambda folder: git(folder, "config", "core.worktree", str(folder.parent)),
}


def laid(folder, base, change, after=None):
    """The exit code and the report of the gate about a change."""
    lay(folder, {"good.json": export("good", "safe"), **base})
    git(folder, "init", "-q")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-qm", "base")
    if after:
        after_files = {name: content for name, content in change.items() if name != "link"}
        lay(folder, after_files)
        after(folder)
        lay(folder, {name: content for name, content in after_files.items() if after is replaced})
    else:
        lay(folder, {name: content for name, content in change.items() if name != "link"})
        if "link" in change:
            (folder / change["link"]).symlink_to("s.toml")
    done = run("check", ".", "--config-from", "HEAD", "-f", "json", cwd=folder)
    return done.returncode, done.stdout or done.stderr


@pytest.mark.parametrize("name", FILES)
def test_an_open_role_does_not_pass_in_another_form(name, tmp_path):
    base, change = FILES[name]
    code, report = laid(tmp_path, base, change("open"))
    assert code in (1, 2), report


@pytest.mark.parametrize("name", FILES)
def test_a_right_role_passes_in_it(name, tmp_path):
    base, change = FILES[name]
    code, report = laid(tmp_path, base, change("safe"))
    assert (code, severe(report)) == (0, [])


@pytest.mark.parametrize("name", BROKEN)
def test_what_has_no_right_form_does_not_pass(name, tmp_path):
    base, change = BROKEN[name]
    code, report = laid(tmp_path, base, change)
    assert code in (1, 2), report


@pytest.mark.parametrize("name", GIT)
@pytest.mark.parametrize(("reach", "passes"), [("open", False), ("safe", True)])
def test_no_setting_of_git_lets_an_open_role_pass(name, reach, passes, tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    code, report = laid(folder, SETTINGS, {"a.json": export("r", reach)}, GIT[name])
    assert (code == 0) is passes, report
