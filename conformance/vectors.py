"""Reads the vectors: short in vectors/*.yaml, whole as one JSON object a line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
ACCOUNT = "111122223333"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
STATEMENT = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"}
SUBJECT = "system:serviceaccount:default:app"
AUDIENCE = "sts.amazonaws.com"
GRADES = ("documented", "recorded", "inferred")
DECISIONS = ("allow", "implicit_deny", "explicit_deny", "invalid")


def vectors() -> list[dict[str, Any]]:
    """Every vector: id, title, topic, policy, request, expect, grade, source. Raises ValueError for one that is not whole."""
    sources = yaml.safe_load((HERE / "sources.yaml").read_text(encoding="utf-8"))
    rows = [row for path in sorted((HERE / "vectors").glob("*.yaml")) for row in _of_topic(path, sources)]
    ids = [row["id"] for row in rows]
    if doubled := {name for name in ids if ids.count(name) > 1}:
        raise ValueError(f"ids that stand twice: {', '.join(sorted(doubled))}")
    return rows


def as_lines(rows: list[dict[str, Any]]) -> str:
    """Vectors as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)


def _of_topic(path: Path, sources: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for entry in document["vectors"]:
        if entry["grade"] not in GRADES or entry["expect"] not in DECISIONS or entry["source"] not in sources:
            raise ValueError(f"{path.name}: {entry['id']}: grade, expectation or source")
        yield {
            "id": entry["id"],
            "title": entry["title"],
            "topic": document["topic"],
            "policy": _named(_policy(entry)),
            "request": _request(entry),
            "expect": entry["expect"],
            "grade": entry["grade"],
            "source": sources[entry["source"]],
        }


def _policy(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The policy: what an entry says of its statements, over one that admits every token of the issuer."""
    parts = entry.get("statements") or [entry.get("statement", {})]
    if "condition" in entry:
        parts = [{"Condition": entry["condition"]}]
    statements = [
        {key: value for key, value in STATEMENT.items() if key not in entry.get("without", ())} | part for part in parts
    ]
    version = entry.get("version", "2012-10-17")
    return {"Version": version, "Statement": statements[0] if entry.get("alone") else statements}


def _request(entry: Mapping[str, Any]) -> dict[str, Any]:
    claims = {"sub": SUBJECT, "aud": AUDIENCE} | entry.get("context", {})
    keys = {f"{ISSUER}:{claim}": [value] for claim, value in claims.items()}
    more = {key: value if isinstance(value, list) else [value] for key, value in entry.get("extra", {}).items()}
    return {
        "account": ACCOUNT,
        "partition": "aws",
        "issuer": f"https://{ISSUER}",
        "action": "sts:AssumeRoleWithWebIdentity",
        "context": keys | more,
    }


def _named(value: Any) -> Any:
    """A value with the names of issuer and provider in place of their placeholders."""
    if isinstance(value, str):
        return value.replace("<issuer>", ISSUER).replace("<provider>", PROVIDER)
    if isinstance(value, dict):
        return {_named(key): _named(member) for key, member in value.items()}
    return [_named(member) for member in value] if isinstance(value, list) else value
