"""`python -m tools.demo DIR`: a made-up organisation of 12 accounts, as three audits find it, and its settings."""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
RUNS = ("2026-09-01T06:00:00Z", "2026-10-01T06:00:00Z", "2026-11-01T06:00:00Z")
KEPT = timedelta(days=400)
"""the age up to which its shards are believed"""
TEAMS = (
    *("billing", "checkout", "catalogue", "search", "identity", "warehouse"),
    *("reporting", "mobile", "partners", "platform", "security", "sandbox"),
)
APPS = ("api", "worker", "export", "backup", "metrics")
DARK = "partners"
"""the account that the last run cannot read"""
SETTINGS = """\
complete = ["serviceaccounts", "pods", "secrets"]

[standards]
max-session-duration = "4h"
max-role-unused = "90d"

[[waivers]]
rule = "open-sub-star"
subject = "*:role/reporting-export#0"
owner = "reporting team"
reason = "every account of the namespace is ours; it is split in December"
accepted-by = "head of platform"
expires = 2026-11-20
"""


def account_id(team: str) -> str:
    """The id of the account of a team."""
    return f"{100200300400 + 7 * TEAMS.index(team):012}"


def issuer(team: str) -> str:
    """The issuer of its cluster."""
    return f"oidc.eks.eu-west-1.amazonaws.com/id/{TEAMS.index(team) + 1:032X}"


def trust(team: str, app: str, run: int) -> Json:
    """The trust policy of a role: one service account, but for the mistakes of the demo."""
    name = issuer(team)
    condition = {"StringEquals": {f"{name}:aud": "sts.amazonaws.com", f"{name}:sub": f"system:serviceaccount:{team}:{app}"}}
    if (team, app) in (("checkout", "worker"), ("mobile", "api")) and run < 1:
        condition = {"StringEquals": {f"{name}:aud": "sts.amazonaws.com"}}  # mended before the second run
    if (team, app) in (("sandbox", "api"), ("sandbox", "worker"), ("partners", "api")):
        condition = {"StringEquals": {f"{name}:aud": "sts.amazonaws.com"}}
    if (team, app) == ("reporting", "export"):
        condition = {
            "StringEquals": {f"{name}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{name}:sub": f"system:serviceaccount:{team}:*"},
        }
    if (team, app) == ("search", "backup") and run > 1:
        condition = {
            "StringEquals": {f"{name}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{name}:sub": "system:serviceaccount:*"},
        }
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{account_id(team)}:oidc-provider/{name}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def roles(team: str, run: int) -> Iterator[Json]:
    """The roles of an account."""
    for app in APPS:
        old = (team, app) in (("warehouse", "metrics"), ("catalogue", "backup"))
        used = "2026-03-01T00:00:00+00:00" if old else RUNS[run]
        yield {
            "Path": "/",
            "RoleName": f"{team}-{app}",
            "Arn": f"arn:aws:iam::{account_id(team)}:role/{team}-{app}",
            "CreateDate": "2024-02-01T00:00:00+00:00",
            "MaxSessionDuration": 43200 if (team, app) == ("identity", "api") else 3600,
            "RoleLastUsed": {"LastUsedDate": used, "Region": "eu-west-1"},
            "AssumeRolePolicyDocument": trust(team, app, run),
        }


def objects(team: str) -> Iterator[Json]:
    """The service accounts of its cluster; one names a role that does not exist."""
    for app in APPS:
        role = f"{team}-{app}" if (team, app) != ("platform", "metrics") else "platform-metric"
        annotation = {"eks.amazonaws.com/role-arn": f"arn:aws:iam::{account_id(team)}:role/{role}"}
        metadata = {"name": app, "namespace": team, "annotations": annotation}
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def files(team: str, run: int) -> Iterator[tuple[str, Json]]:
    """The files of an account, by their paths."""
    name, ident = issuer(team), account_id(team)
    provider = f"arn:aws:iam::{ident}:oidc-provider/{name}"
    yield f"{ident}/roles.json", {"RoleDetailList": list(roles(team, run)), "UserDetailList": [], "IsTruncated": False}
    yield f"{ident}/providers.json", {"OpenIDConnectProviderList": [{"Arn": provider}]}
    yield f"{ident}/provider.json", {"Url": name, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []}
    yield f"{ident}/clusters.json", {"clusters": [team]}
    cluster = {
        "name": team,
        "arn": f"arn:aws:eks:eu-west-1:{ident}:cluster/{team}",
        "version": "1.35",
        "identity": {"oidc": {"issuer": f"https://{name}"}},
    }
    yield f"{ident}/{team}/cluster.json", {"cluster": cluster}
    yield f"{ident}/{team}/objects.json", {"apiVersion": "v1", "kind": "List", "items": list(objects(team))}


def manifest(run: int) -> Json:
    """The accounts that were to be read."""
    accounts: list[Json] = []
    for team in TEAMS:
        dark = run == 2 and team == DARK
        why = "sts:AssumeRole of irsa-doctor-read was refused" if dark else None
        unit = ["r-demo", "ou-shops" if TEAMS.index(team) < 6 else "ou-inner"]
        state = "unknown" if dark else "read"
        accounts.append(
            {
                "id": account_id(team),
                "name": team,
                "ou": unit,
                "status": "ACTIVE",
                "tags": {},
                "state": state,
                "why": why,
                "taken": RUNS[run],
            }
        )
    head = {"schema": "irsa-doctor.manifest/1", "tool": {"version": "0.1.0"}, "organization": "o-demo"}
    return {**head, "accounts": accounts, "shards": []}


def write(folder: Path) -> None:
    """Write the shards of every run, and the settings."""
    for run in range(len(RUNS)):
        own = folder / f"run-{run + 1}"
        put(own / "manifest.json", manifest(run))
        for team in TEAMS:
            for path, content in files(team, run) if not (run == 2 and team == DARK) else ():
                put(own / path, content)
    (folder / "irsa-doctor.toml").write_text(SETTINGS, encoding="utf-8")


def put(file: Path, content: Json) -> None:
    """Write a file of JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
