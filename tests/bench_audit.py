"""Measures audits of an organisation in shards: memory by job, growth, jobs, one check beside it, a second audit, Dask."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.shards.organisations import AUD, answer, put, snapshot

SHARD = 500
"""roles an account"""
AS_OF = "2026-01-06T00:00:00Z"


class Measured(NamedTuple):
    """Seconds of wall, and the peak of the whole tree of processes in MiB; what they share counts once."""

    wall: float
    peak: float


def write_accounts(folder: Path, roles: int) -> Path:
    """An organisation of so many roles: accounts of 500, each with a cluster; a tenth of the roles are for that of another."""
    ids = [f"{100_000_000_000 + 7 * number}" for number in range(roles // SHARD)]
    for number, account in enumerate(ids):
        put(folder / account / "aws.json", snapshot(list(_aws(ids, number))))
        arn, key = f"arn:aws:eks:eu-west-1:{account}:cluster/main", "eks.amazonaws.com/role-arn"
        items = [
            {
                "metadata": {
                    "name": f"app-{n}",
                    "namespace": f"team-{n % 40}",
                    "annotations": {key: f"arn:aws:iam::{account}:role/app-{n}"},
                }
            }
            for n in range(SHARD)
        ]
        listed = {"apiVersion": "v1", "kind": "ServiceAccountList", "items": items}
        whole = {"cluster": arn, "closes": ["serviceaccounts"]}
        put(folder / account / "eu-west-1.main.json", snapshot([answer(f"kube://{arn}/serviceaccounts", whole, listed)]))
    return folder


def _issuer(account: str) -> str:
    return f"oidc.eks.eu-west-1.amazonaws.com/id/{int(account):032X}"


def _aws(ids: Sequence[str], number: int) -> Iterator[dict]:
    account, other = ids[number], ids[(number + 1) % len(ids)]
    me, region = {"account": account}, {"account": account, "region": "eu-west-1"}
    roles = []
    for n in range(SHARD):
        issuer = _issuer(other if n % 10 == 9 else account)
        sub = "system:serviceaccount:*" if n % 25 == 3 else f"system:serviceaccount:team-{n % 40}:app-{n}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{issuer}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {f"{issuer}:sub": sub}, "StringEquals": {f"{issuer}:aud": AUD}},
        }
        role = {"Path": "/", "RoleName": f"app-{n}", "Arn": f"arn:aws:iam::{account}:role/app-{n}"}
        roles.append({**role, "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
    yield answer(f"aws://{account}/iam/roles", me, {"Roles": roles})
    issuers = [_issuer(account), _issuer(other)]
    arns = [{"Arn": f"arn:aws:iam::{account}:oidc-provider/{issuer}"} for issuer in issuers]
    yield answer(f"aws://{account}/iam/oidc-providers", me, {"OpenIDConnectProviderList": arns})
    for issuer in issuers:
        provider = {"Url": issuer, "ClientIDList": [AUD], "ThumbprintList": []}
        yield answer(f"aws://{account}/iam/oidc-providers/{issuer}", me, provider)
    clusters = f"aws://{account}/eks/eu-west-1/clusters"
    yield answer(clusters, region, {"clusters": ["main"]})
    cluster = {
        "name": "main",
        "arn": f"arn:aws:eks:eu-west-1:{account}:cluster/main",
        "identity": {"oidc": {"issuer": f"https://{_issuer(account)}"}},
        "status": "ACTIVE",
    }
    yield answer(f"{clusters}/main", region, {"cluster": cluster})


def measured(command: Sequence[str], folder: Path, *, alone: bool = False) -> Measured:
    """Run a command that finds something or nothing, on one processor `alone`."""
    begun, peak = time.perf_counter(), 0
    on_one = partial(os.sched_setaffinity, 0, {0}) if alone else None
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        preexec_fn=on_one,  # noqa: PLW1509 - this process has one thread
    ) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_proportional, _tree(process.pid))))
            time.sleep(0.05)
    if process.returncode not in (0, 1):
        sys.exit(f"{command}: exit {process.returncode}")
    return Measured(time.perf_counter() - begun, peak / 1024)


def _tree(process: int) -> Iterator[int]:
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _proportional(process: int) -> int:
    """The proportional set size of a process in KiB."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


@contextmanager
def dask_workers(folder: Path, workers: int) -> Iterator[str]:
    """The address of a scheduler with so many workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    python, address = [sys.executable, "-W", "ignore", "-m"], f"tcp://127.0.0.1:{port}"
    head = [*python, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    worker = [*python, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    started = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in (head, *[worker] * workers)
    ]
    time.sleep(8)  # until the workers have come
    try:
        yield address
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def audit_rows(
    folder: Path, tool: Sequence[str], sizes: tuple[int, int]
) -> Iterator[tuple[str, float, str, float | None, bool]]:
    """What is measured of organisations of two sizes, each row with its limit and whether that is the least allowed."""
    small, large = (write_accounts(folder / f"organisation-{roles}", roles) for roles in sizes)

    def audited(input_: Path, store: str, *more: str) -> Measured:
        return measured(
            [
                *tool,
                "audit",
                "run",
                str(input_),
                "--as-of",
                AS_OF,
                "--store",
                store,
                "-f",
                "json",
                "-o",
                f"{store}.json",
                *more,
            ],
            folder,
        )

    check = [*tool, "check", str(small), "-f", "json", "--exit-zero", "--no-config"]
    checked, alone = measured(check, folder), measured(check, folder, alone=True)
    one, two = audited(small, "one.db", "--jobs", "1"), audited(small, "two.db", "--jobs", "2")
    size = os.path.getsize(folder / "one.db")
    again = audited(small, "one.db", "--jobs", "1")
    yield f"{sizes[0]} roles: check, wall", checked.wall, "s", None, False
    yield "audit with one job, beside check", one.wall / checked.wall, "x", 1.6, False
    yield "audit with one job, beside check on one processor", one.wall / alone.wall, "x", None, False
    yield "two jobs, beside one", one.wall / two.wall, "x", 1.5, True
    yield "a second audit of the same, beside the first", again.wall / one.wall, "x", 0.5, False
    yield "its store, beside the first", os.path.getsize(folder / "one.db") / size, "x", 1.5, False
    walls = []
    for workers in (1, 2):
        with dask_workers(folder, workers) as address:
            walls.append(audited(small, f"dask-{workers}.db", "--dask", address).wall)
    yield "Dask with two workers, beside one", walls[0] / walls[1], "x", 1.4, True
    for jobs, before in ((1, one), (2, two)):
        peak = audited(large, f"large-{jobs}.db", "--jobs", str(jobs)).peak
        yield f"{sizes[1]} roles, jobs: {jobs}, peak a job", peak / jobs, "MiB", 150, False
        yield f"jobs: {jobs}, peak beside {sizes[0]} roles", peak / before.peak, "x", 1.3, False
    (folder / "audit.json").write_text(json.dumps({"check": checked, "one": one, "two": two, "again": again}))
