"""Reads CloudTrail events of eks:CreateCluster: who made a cluster is its administrator where no access entry says so.

https://docs.aws.amazon.com/eks/latest/userguide/logging-using-cloudtrail.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from collections.abc import Iterator, Mapping

import msgspec

from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes

_OPERATION = ("eks.amazonaws.com", "CreateCluster")
_Members = Mapping[str, object]


def read_creation_events(page: Page, reading: DocumentReading) -> None:
    """An event, a log file, or what `aws cloudtrail lookup-events` prints; other events are evidence for `why`."""
    members = shapes.mapping(page.value, page.place)
    events = [event for event in _events(members) if (event.get("eventSource"), event.get("eventName")) == _OPERATION]
    made = [event for event in events if not event.get("errorCode")]
    for event in sorted(made, key=lambda event: str(event.get("eventTime"))):
        if creator := _creator(_inner(event, "userIdentity")):
            reading.creators.append((_cluster(event), creator))
    if not reading.creators:
        what = "log" if "Records" in members or "Events" in members else "event"
        reading.passed.append(f"a CloudTrail {what} is not read by this version")


def _events(members: _Members) -> Iterator[_Members]:
    if "eventName" in members:
        yield members
    for name in ("Records", "Events"):
        listed = members.get(name)
        for item in listed if isinstance(listed, list) else ():
            event = _answered(item["CloudTrailEvent"]) if isinstance(item, dict) and "CloudTrailEvent" in item else item
            if isinstance(event, dict):
                yield event


def _answered(text: object) -> object:
    """The event that an answer has as text, None where it cannot be read."""
    try:
        return msgspec.json.decode(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _cluster(event: _Members) -> str:
    """The ARN of the cluster, else its name."""
    arn = _inner(_inner(event, "responseElements"), "cluster").get("arn")
    name = _inner(event, "requestParameters").get("name")
    return next((value for value in (arn, name) if isinstance(value, str)), "")


def _creator(identity: _Members) -> str:
    """The principal: of a session its role, which is what the API server of EKS compares."""
    role = _inner(_inner(identity, "sessionContext"), "sessionIssuer").get("arn")
    arn = role if role and identity.get("type") == "AssumedRole" else identity.get("arn")
    return arn if isinstance(arn, str) else ""


def _inner(members: _Members, name: str) -> _Members:
    value = members.get(name)
    return value if isinstance(value, dict) else {}
