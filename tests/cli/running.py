"""The command line in a process of its own, and a small account for it to look at."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ACCOUNT = "111122223333"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/checkout"


def trust(*subjects: str, audience: str | None = "sts.amazonaws.com") -> dict[str, Any]:
    keys = {f"{ISSUER}:sub": list(subjects)} if subjects else {}
    keys |= {f"{ISSUER}:aud": [audience]} if audience else {}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": keys},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


RIGHT = trust("system:serviceaccount:payments:checkout")
OPEN = trust()


def role(policy: dict[str, Any], arn: str = ROLE) -> dict[str, Any]:
    return {"Role": {"Arn": arn, "RoleName": arn.rpartition("/")[2], "AssumeRolePolicyDocument": policy}}


def put(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def run(*arguments: str | Path, cwd: Path, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    # the width is that of no terminal, wherever the tests run: pytest-xdist sets one for its workers
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "irsa_doctor", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**inherited, "NO_COLOR": "1", **environment},
        timeout=300,  # ends a run that hangs; one on a busy machine goes on
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def check(*arguments: str | Path, cwd: Path, stdin: bytes = b"") -> dict[str, Any]:
    done = run("check", "-f", "json", "--exit-zero", *arguments, cwd=cwd, stdin=stdin)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def is_gone(pid: int) -> bool:
    """Whether a process ends within a few seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
