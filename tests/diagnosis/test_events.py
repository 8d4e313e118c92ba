import gzip
import json

import pytest

from irsa_doctor.diagnosis import NoEvents, read_events

PROVIDER = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"
SUBJECT = "system:serviceaccount:payments:checkout"
FAILED = {
    "eventVersion": "1.08",
    "userIdentity": {"type": "WebIdentityUser", "userName": SUBJECT},
    "eventName": "AssumeRoleWithWebIdentity",
    "errorCode": "AccessDenied",
    "errorMessage": "An unknown error occurred",
    "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/checkout", "roleSessionName": "x"},
}
RIGHT = {
    **FAILED,
    "errorCode": None,
    "userIdentity": {
        "type": "WebIdentityUser",
        "principalId": f"{PROVIDER}:sts.amazonaws.com:{SUBJECT}",
        "userName": SUBJECT,
        "identityProvider": PROVIDER,
    },
    "awsRegion": "eu-west-1",
    "responseElements": {"credentials": {"accessKeyId": "ASIAEXAMPLE", "sessionToken": "secret"}},
}
OTHER = {"eventName": "AssumeRole", "userIdentity": {}}


def lines(*events):
    return b"\n".join(json.dumps(event).encode() for event in events)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps(FAILED).encode(),
        json.dumps({"Records": [OTHER, FAILED]}).encode(),
        json.dumps([FAILED]).encode(),
        json.dumps({"Events": [{"EventName": "x", "CloudTrailEvent": json.dumps(FAILED)}, {"CloudTrailEvent": "{"}]}).encode(),
        lines(OTHER, FAILED),
        gzip.compress(json.dumps({"Records": [FAILED]}).encode()),
    ],
)
def test_an_event_is_found_however_it_was_saved(raw):
    (event,) = read_events(raw)
    assert (event.service_account, event.error) == (("payments", "checkout"), "AccessDenied")
    assert event.role == "arn:aws:iam::111122223333:role/checkout"


def test_an_event_that_succeeded_says_provider_and_audience_and_no_secret():
    (event,) = read_events(json.dumps(RIGHT).encode())
    assert (event.provider, event.audience, event.error, event.region) == (PROVIDER, "sts.amazonaws.com", "", "eu-west-1")
    assert "secret" not in repr(event)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"no json", b"\x1f\x8bbroken", b'{"Records": 5}', b"[" * 100_000])
def test_what_is_nothing_of_cloudtrail_is_said(raw):
    with pytest.raises(NoEvents):
        read_events(raw)
