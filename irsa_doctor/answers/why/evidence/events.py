"""Reads CloudTrail events as evidence: which subject called STS for which role, and the answer.

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
from irsa_doctor.text.mask import excerpt

_OPERATION = "AssumeRoleWithWebIdentity"
_MOST_OTHERS = 3
"""events of other operations that are kept: a log with more of them was not picked by hand"""
_MOST_CALLS = 100_000
"""kinds of calls that are kept"""
# CloudTrail does not show the text that SDKs show, and says this in its place
_NO_TEXT = "An unknown error occurred"


class NoEvents(IrsaDoctorError):
    """An input that is not a CloudTrail event or log; the text says why."""


class StsCall(msgspec.Struct, frozen=True, kw_only=True):
    """The last of the calls of AssumeRoleWithWebIdentity with the same subject, role and error; "" where it does not say.

    `error` is "" where the call succeeded, `time` RFC 3339, `duration` in seconds, 0 where none was requested; `count` the
    number of such calls.
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
        """(namespace, name), None where the subject is not a service account."""
        return service_account_of(self.subject)

    @property
    def issuer(self) -> str:
        """The issuer of the token without scheme, "" where the event does not name the provider."""
        arn = parse_arn(self.provider)
        return Issuer.of(arn.name).name if arn else ""


class Trail(msgspec.Struct, frozen=True):
    """A log: the calls of AssumeRoleWithWebIdentity, the number of all events, and the messages of the first other events that
    failed."""

    calls: tuple[StsCall, ...]
    events: int
    others: tuple[Symptom, ...] = ()

    def of(self, subject: str) -> tuple[StsCall, ...]:
        """The calls with the token of a subject, the last one first."""
        own = (call for call in self.calls if call.subject == subject)
        return tuple(sorted(own, key=lambda call: call.time, reverse=True))


class _Record(msgspec.Struct):
    """The members that are read; all others are skipped unread, above all the credentials in the answer."""

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
    """The trail of one event, an answer of lookup-events, a log file or JSON lines; raises NoEvents."""
    log = _Log()
    try:
        for record in _records(chunks):
            log.add(record)
    except NoLog as error:
        raise NoEvents(f"not CloudTrail events: {error}") from error
    if not log.events:
        raise NoEvents("no CloudTrail event in it")
    return Trail(tuple(log.calls.values()), log.events, tuple(log.others) if log.events <= _MOST_OTHERS else ())


class _Log:
    """What is kept of a log while it is read: the last call of each subject, role and error, and a few other messages."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str, str], StsCall] = {}
        self.others: list[Symptom] = []
        self.events = 0

    def add(self, record: _Record) -> None:
        self.events += 1
        if call := _call(record):
            self._add_call(call)
        elif len(self.others) < _MOST_OTHERS:
            self.others += _other(record)

    def _add_call(self, call: StsCall) -> None:
        key = (call.subject, call.role, call.error)
        known = self.calls.get(key)
        if known is None:
            if len(self.calls) < _MOST_CALLS:
                self.calls[key] = call
            return
        last = call if call.time >= known.time else known
        self.calls[key] = msgspec.structs.replace(last, count=known.count + 1)


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


def _call(record: _Record) -> StsCall | None:
    """The call of a record, None where it is of another operation."""
    if record.eventName != _OPERATION:
        return None
    identity = record.userIdentity if isinstance(record.userIdentity, dict) else {}
    request = record.requestParameters if isinstance(record.requestParameters, dict) else {}
    provider, subject = _text(identity.get("identityProvider")), _text(identity.get("userName"))
    duration = request.get("durationSeconds")
    return StsCall(
        subject=subject,
        role=_text(request.get("roleArn")),
        provider=provider,
        audience=_audience(_text(identity.get("principalId")), provider, subject),
        error=_text(record.errorCode),
        message=excerpt(_text(record.errorMessage)),
        region=_text(record.awsRegion),
        time=_text(record.eventTime),
        session_name=_text(request.get("roleSessionName")),
        duration=duration if isinstance(duration, int) and not isinstance(duration, bool) else 0,
        source=_text(record.sourceIPAddress),
        endpoint=_text(record.vpcEndpointId),
    )


def _audience(principal: str, provider: str, subject: str) -> str:
    """The audience in `provider:audience:subject`, "" where the parts are others."""
    start, end = f"{provider}:", f":{subject}"
    inside = principal.startswith(start) and principal.endswith(end) and len(principal) > len(start) + len(end)
    return principal[len(start) : -len(end)] if provider and subject and inside else ""


def _other(record: _Record) -> Iterator[Symptom]:
    """The message of an event of another operation that failed."""
    if record.errorCode:
        yield from symptoms_in(f"{_text(record.errorCode)}: {_text(record.errorMessage)}")[:1]


def symptoms_of(call: StsCall) -> tuple[Symptom, ...]:
    """The messages of a failed call: CloudTrail has a code, and mostly no text."""
    text = "" if call.message == _NO_TEXT else call.message
    symptoms = symptoms_in(f"An error occurred ({call.error}) when calling the {_OPERATION} operation: {text}")
    says = f"CloudTrail: {call.error} for {call.subject or 'a web identity'} on {call.role or 'a role'}"
    times = f", {call.count} times, last at {call.time}" if call.time else ""
    return tuple(msgspec.structs.replace(symptom, says=says + times) for symptom in symptoms)
