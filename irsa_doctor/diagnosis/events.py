"""CloudTrail as evidence: who asked STS for which role, and what came of it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html; credentials in answers are never read.
"""

import gzip
import io
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

_ASKED = "AssumeRoleWithWebIdentity"
_LARGEST = 1 << 30


class NoEvents(Exception):
    """What was given is nothing of CloudTrail."""


class Event(msgspec.Struct, frozen=True):
    """One call of AssumeRoleWithWebIdentity; "" where the event does not say. `error` is "" where it succeeded."""

    subject: str
    role: str
    provider: str
    audience: str
    error: str
    region: str
    time: str

    @property
    def service_account(self) -> tuple[str, str] | None:
        """(namespace, name), None where the subject is no service account's."""
        parts = self.subject.split(":")
        return (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] else None


def read_events(raw: bytes) -> list[Event]:
    """The calls in a single event, an answer of lookup-events, a log file (gzip too) or JSON lines; raises NoEvents."""
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(_LARGEST)
        except (OSError, EOFError) as error:
            raise NoEvents(f"broken gzip: {error}") from error
    found = list(_records(raw))
    if not found:
        raise NoEvents("no event of CloudTrail in it")
    return [event for record in found if (event := _event(record))]


def _decoded(raw: bytes | str) -> Iterator[Any]:
    try:
        yield msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return


def _records(raw: bytes) -> Iterator[Mapping[str, Any]]:
    values = list(_decoded(raw)) or [value for line in raw.splitlines() for value in _decoded(line)]
    waiting = list(reversed(values))
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, dict):
            inner = value.get("Records") or value.get("Events")
            if isinstance(inner, list):
                waiting += reversed(inner)
            elif isinstance(value.get("CloudTrailEvent"), str):
                waiting += _decoded(value["CloudTrailEvent"])
            elif "eventName" in value:
                yield value


def _event(record: Mapping[str, Any]) -> Event | None:
    if record.get("eventName") != _ASKED:
        return None
    identity = record.get("userIdentity")
    asked = record.get("requestParameters")
    identity = identity if isinstance(identity, dict) else {}
    asked = asked if isinstance(asked, dict) else {}
    provider = str(identity.get("identityProvider") or "")
    subject = str(identity.get("userName") or "")
    # principalId is provider:audience:subject
    principal = str(identity.get("principalId") or "")
    audience = principal.removeprefix(provider + ":").removesuffix(":" + subject) if provider and subject else ""
    return Event(
        subject,
        str(asked.get("roleArn") or ""),
        provider,
        audience if audience != principal else "",
        str(record.get("errorCode") or ""),
        str(record.get("awsRegion") or ""),
        str(record.get("eventTime") or ""),
    )
