"""CloudTrail as evidence: who asked STS for which role, and what came of it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html; credentials in answers are never read.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from irsa_doctor.answers.why.evidence.logs import NoLog, objects_in
from irsa_doctor.answers.why.evidence.tokens import service_account_of
from irsa_doctor.answers.why.symptoms import Symptom, symptoms_in
from irsa_doctor.model import Issuer, parse_arn
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.text.secrets import excerpt

_ASKED = "AssumeRoleWithWebIdentity"
_OTHERS = 3
"""further events that are kept: more of them are the log of an account, and not what somebody picked"""
_KINDS = 100_000
# CloudTrail does not show the text that SDKs show, and says this in its place
_NO_TEXT = "An unknown error occurred"


class NoEvents(IrsaDoctorError):
    """What was given is nothing of CloudTrail."""


class Event(msgspec.Struct, frozen=True):
    """Calls of AssumeRoleWithWebIdentity that went alike, the last of them; "" where it does not say.

    `error` is "" where it succeeded, `time` RFC 3339, `duration` in seconds, 0 where none was asked for.
    """

    subject: str
    role: str
    provider: str
    audience: str
    error: str
    message: str
    region: str
    time: str
    session_name: str = ""
    duration: int = 0
    source: str = ""
    endpoint: str = ""
    count: int = 1

    @property
    def service_account(self) -> tuple[str, str] | None:
        """(namespace, name), None where the subject is no service account's."""
        return service_account_of(self.subject)

    @property
    def issuer(self) -> str:
        """The issuer of the token without scheme, "" where the event does not name the provider."""
        arn = parse_arn(self.provider)
        return Issuer.of(arn.name).name if arn else ""


class Trail(msgspec.Struct, frozen=True):
    """What a log says: the calls of AssumeRoleWithWebIdentity, how many events there were, and what the first others that
    failed say."""

    calls: tuple[Event, ...]
    events: int
    others: tuple[Symptom, ...] = ()

    @property
    def failures(self) -> tuple[Event, ...]:
        """The calls that failed."""
        return tuple(event for event in self.calls if event.error)

    def of(self, subject: str) -> tuple[Event, ...]:
        """The calls with the token of a subject, the last one first."""
        return tuple(sorted((e for e in self.calls if e.subject == subject), key=lambda event: event.time, reverse=True))


class _Record(msgspec.Struct):
    """The members that are read; whatever else an event has is skipped unread, what STS gave out above all."""

    eventName: Any = None
    EventName: Any = None
    eventTime: Any = None
    awsRegion: Any = None
    errorCode: Any = None
    errorMessage: Any = None
    sourceIPAddress: Any = None
    vpcEndpointId: Any = None
    userIdentity: Any = None
    requestParameters: Any = None
    CloudTrailEvent: Any = None


_decode = msgspec.json.Decoder(_Record).decode


def read_events(chunks: Iterable[bytes]) -> Trail:
    """What a single event says, an answer of lookup-events, a log file or JSON lines; raises NoEvents."""
    found: dict[tuple[str, str, str], Event] = {}
    others: list[Symptom] = []
    count = 0
    try:
        for record in _records(chunks):
            count += 1
            event = _event(record)
            if event is None:
                others += _other(record) if len(others) < _OTHERS else ()
                continue
            key = (event.subject, event.role, event.error)
            known = found.get(key)
            if known is None and len(found) >= _KINDS:
                continue
            last = event if known is None or event.time >= known.time else known
            found[key] = msgspec.structs.replace(last, count=(known.count if known else 0) + 1)
    except NoLog as error:
        raise NoEvents(f"no events of CloudTrail: {error}") from error
    if not count:
        raise NoEvents("no event of CloudTrail in it")
    return Trail(tuple(found.values()), count, tuple(others) if count <= _OTHERS else ())


def _records(chunks: Iterable[bytes]) -> Iterator[_Record]:
    for raw in objects_in(chunks):
        record = _decoded(raw)
        if record and isinstance(record.CloudTrailEvent, str):
            record = _decoded(record.CloudTrailEvent.encode(errors="replace"))
        if record and isinstance(record.eventName, str):
            yield record


def _decoded(raw: bytes) -> _Record | None:
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _event(record: _Record) -> Event | None:
    if record.eventName != _ASKED:
        return None
    identity = record.userIdentity if isinstance(record.userIdentity, dict) else {}
    asked = record.requestParameters if isinstance(record.requestParameters, dict) else {}
    provider, subject = _text(identity.get("identityProvider")), _text(identity.get("userName"))
    principal = _text(identity.get("principalId"))
    duration = asked.get("durationSeconds")
    return Event(
        subject,
        _text(asked.get("roleArn")),
        provider,
        _audience(principal, provider, subject),
        _text(record.errorCode),
        excerpt(_text(record.errorMessage)),
        _text(record.awsRegion),
        _text(record.eventTime),
        _text(asked.get("roleSessionName")),
        duration if isinstance(duration, int) and not isinstance(duration, bool) else 0,
        _text(record.sourceIPAddress),
        _text(record.vpcEndpointId),
    )


def _audience(principal: str, provider: str, subject: str) -> str:
    """The audience in `provider:audience:subject`."""
    start, end = f"{provider}:", f":{subject}"
    inside = principal.startswith(start) and principal.endswith(end) and len(principal) > len(start) + len(end)
    return principal[len(start) : -len(end)] if provider and subject and inside else ""


def _other(record: _Record) -> Iterator[Symptom]:
    """What another event that failed says, in the words of its error."""
    if record.errorCode:
        yield from symptoms_in(f"{_text(record.errorCode)}: {_text(record.errorMessage)}")[:1]


def symptoms_of(event: Event) -> tuple[Symptom, ...]:
    """What a failed call says: CloudTrail has a code, and mostly no text."""
    text = "" if event.message == _NO_TEXT else event.message
    found = symptoms_in(f"An error occurred ({event.error}) when calling the {_ASKED} operation: {text}")
    said = f"CloudTrail: {event.error} for {event.subject or 'a web identity'} on {event.role or 'a role'}"
    when = f", {event.count} times, last at {event.time}" if event.time else ""
    return tuple(msgspec.structs.replace(symptom, says=said + when) for symptom in found)
