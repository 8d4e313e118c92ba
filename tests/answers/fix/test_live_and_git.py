"""Commands for live roles, and what `fix` knows of git: comments of a revision, and files with uncommitted changes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
ROLE = "arn:aws:iam::111122223333:role/cart"


def statement(name: str, operator: str = "StringEquals", scheme: str = "") -> dict[str, Any]:
    keys = {
        f"{scheme}{ISSUER}:sub": f"system:serviceaccount:shop:{name}",
        f"{scheme}{ISSUER}:aud": "sts.amazonaws.com",
    }
    return {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {operator: keys},
    }


RIGHT = {"Version": "2012-10-17", "Statement": [statement("cart"), statement("web")]}
WRONG = {
    "Version": "2012-10-17",
    "Statement": [statement("cart", scheme="https://"), statement("web", "ForAllValues:StringEquals")],
}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "irsa_doctor", "fix", "-f", "json", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def git(folder: Path, *words: str) -> None:
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    names |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env={**os.environ, **names})


def test_the_commands_of_one_role_do_not_undo_each_other(tmp_path: Path) -> None:
    role = {"Role": {"RoleName": "cart", "Arn": ROLE, "AssumeRolePolicyDocument": WRONG}}
    (tmp_path / "role.json").write_text(json.dumps(role), encoding="utf-8")
    commands = json.loads(run(tmp_path, "--no-config", ".").stdout)["commands"]
    assert [command["rule"] for command in commands] == ["trust-key-has-scheme", "open-forallvalues"]
    assert commands[0]["document"]["Statement"] == [RIGHT["Statement"][0], WRONG["Statement"][1]]
    assert commands[1]["document"] == RIGHT
    assert (tmp_path / "role.json").read_text(encoding="utf-8") == json.dumps(role)


@pytest.mark.parametrize(("more", "count"), [("", 0), ("\n", 1)])
def test_files_with_uncommitted_changes_are_counted(tmp_path: Path, more: str, count: int) -> None:
    path = tmp_path / "policies" / "trust.json"
    path.parent.mkdir()
    path.write_text(json.dumps(WRONG, indent=2), encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "trust")
    path.write_text(json.dumps(WRONG, indent=2) + more, encoding="utf-8")
    summary = json.loads(run(tmp_path, "--no-config", "policies").stdout)["summary"]
    assert (summary["files"], summary["uncommitted"]) == (1, count)


def test_without_git_it_is_not_known_what_is_committed(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text(json.dumps(WRONG), encoding="utf-8")
    assert json.loads(run(tmp_path, "--no-config", ".").stdout)["summary"]["uncommitted"] is None


TEMPLATE = f"""Resources:
  Cart:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Federated: {PROVIDER}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                {ISSUER}:sub: system:serviceaccount:shop:cart{{comment}}
"""
IGNORED = "  # irsa-doctor: ignore[open-aud-missing] the provider has one client id"


def test_a_comment_that_the_revision_does_not_have_keeps_no_finding_from_being_fixed(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.format(comment=""), encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "template")
    path.write_text(TEMPLATE.format(comment=IGNORED), encoding="utf-8")
    assert json.loads(run(tmp_path, ".").stdout)["fixes"] == []
    fixes = json.loads(run(tmp_path, "--config-from", "HEAD", ".").stdout)["fixes"]
    assert [fix["rule"] for fix in fixes] == ["open-aud-missing"]


def test_what_was_wrong_in_the_base_is_no_finding_of_a_change(tmp_path: Path) -> None:
    cluster = {"name": "shop", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop"}
    (tmp_path / "live").mkdir()
    for name, content in {
        "cluster.json": {"cluster": {**cluster, "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}},
        "providers.json": {"OpenIDConnectProviderList": []},
    }.items():
        (tmp_path / "live" / name).write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "template.yaml").write_text(TEMPLATE.format(comment=""), encoding="utf-8")
    answer = json.loads(run(tmp_path, "--no-config", "template.yaml", "--base", "live").stdout)
    rules = {each["rule"] for each in (*answer["fixes"], *answer["unfixed"])}
    assert rules == {"trust-principal-provider-deleted"}
