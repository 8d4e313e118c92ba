"""Runs of an audit over small accounts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from irsa_doctor import api
from tests.cli.running import OPEN, RIGHT, put, role

DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
ACCOUNT = "111122223333"


def details(*roles: dict, truncated: bool = False) -> dict:
    """The answer of GetAccountAuthorizationDetails."""
    return {"RoleDetailList": list(roles), "UserDetailList": [], "IsTruncated": truncated}


def named(name: str, policy: dict) -> dict:
    """A role of a name and a policy."""
    return {**role(policy)["Role"], "RoleName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}


def audited(folder: Path, *roles: dict, day: int = 0, truncated: bool = False, settings: str = "", **options) -> api.AuditRun:
    """One run over these roles; `day` of the year in which it is."""
    put(folder / "input" / "roles.json", details(*roles, truncated=truncated))
    put(folder / "irsa-doctor.toml", settings)
    return api.audit(
        [str(folder / "input")],
        settings=api.load_settings(folder),
        store=str(folder / "audit.db"),
        as_of=BEGIN + day * DAY,
        **options,
    )


__all__ = ["BEGIN", "DAY", "OPEN", "RIGHT", "audited", "details", "named"]
