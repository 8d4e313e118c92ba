"""A repository with a base and a change of it, judged as a gate judges it: what the tests of tricks stand on."""

import json
import subprocess
from pathlib import Path
from typing import Any

import click

from tests.cli.running import put

ACCOUNT = "111122223333"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
SUBJECTS = {
    "open": ("StringLike", "*"),
    "cluster": ("StringLike", "system:serviceaccount:*"),
    "namespace": ("StringLike", "system:serviceaccount:x:*"),
    "safe": ("StringEquals", "system:serviceaccount:x:a"),
}


def trust(reach: str = "open") -> dict[str, Any]:
    """A trust policy that admits everybody, a cluster, a namespace, or one service account."""
    operator, subject = SUBJECTS[reach]
    condition = {operator: {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def text(policy: object) -> str:
    return json.dumps(policy)


def export(name: str, reach: str = "open") -> dict[str, Any]:
    """An answer of `aws iam get-role`."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return {"Role": {"RoleName": name, "Arn": arn, "RoleId": "A", "AssumeRolePolicyDocument": trust(reach)}}


def terraform(name: str, reach: str = "open") -> str:
    """A role of Terraform."""
    policy = f"jsonencode({text(trust(reach))})"
    return f'resource "aws_iam_role" "{name}" {{\n  name = "{name}"\n  assume_role_policy = {policy}\n}}\n'


def cloudformation(reach: str = "open", **members: Any) -> dict[str, Any]:
    """A template of CloudFormation with one role."""
    made = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": trust(reach)}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"R": made}, **members}


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, timeout=60, check=True)


def lay(folder: Path, files: dict[str, Any]) -> None:
    """Write files; one whose content is None is removed."""
    for name, content in files.items():
        if content is None:
            (folder / name).unlink()
        elif isinstance(content, Path):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(content)
        else:
            put(folder / name, content)


def gate(
    folder: Path, monkeypatch: Any, capfd: Any, base: dict[str, Any], change: dict[str, Any], *flags: str
) -> tuple[int, str]:
    """The exit code of `check . --config-from HEAD` for a change, and its report (or what it says instead)."""
    from irsa_doctor.cli import app

    lay(folder, {"good.json": export("good", "safe"), **base})
    git(folder, "init", "-q")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-qm", "base")
    lay(folder, change)
    git(folder, "add", "-A", "-f")
    monkeypatch.chdir(folder)
    try:
        code = app(["check", ".", "--config-from", "HEAD", "-f", "json", *flags], standalone_mode=False)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.ClickException as error:
        return error.exit_code, error.format_message()
    out = capfd.readouterr()
    return int(code or 0), out.out


def severe(report: str) -> list[str]:
    """The findings of a report that fail it."""
    return [
        f"{item['rule']} of {item['subject']['id']}: {item['message']}"
        for item in json.loads(report)["findings"]
        if item["severity"] in ("high", "critical")
    ]
