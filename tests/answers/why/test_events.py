import gzip
import json
from typing import Any

import pytest

from irsa_doctor.answers.why import NoEvents, NoTarget, read_events, symptoms_in
from irsa_doctor.answers.why.evidence.events import symptoms_of
from tests.answers.why import world as w
from tests.answers.why.world import ROLE, SUBJECT, TARGET, why, world

FAILED: dict[str, Any] = {
    "eventVersion": "1.08",
    "eventTime": "2026-04-14T21:05:31Z",
    "userIdentity": {"type": "WebIdentityUser", "userName": SUBJECT},
    "eventName": "AssumeRoleWithWebIdentity",
    "errorCode": "AccessDenied",
    "errorMessage": "An unknown error occurred",
    "requestParameters": {"roleArn": ROLE, "roleSessionName": "botocore-session-1"},
    "resources": [{"ARN": ROLE}, {"ARN": "x"}],
}
RIGHT = {
    **FAILED,
    "errorCode": None,
    "errorMessage": None,
    "userIdentity": {
        "type": "WebIdentityUser",
        "principalId": f"{w.PROVIDER}:sts.amazonaws.com:{SUBJECT}",
        "userName": SUBJECT,
        "identityProvider": w.PROVIDER,
    },
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "198.51.100.7",
    "responseElements": {"credentials": {"accessKeyId": "ASIAEXAMPLE", "sessionToken": "secret"}},
}
OTHER: dict[str, Any] = {"eventName": "GetObject", "userIdentity": {}}


def log(*events):
    return json.dumps({"Records": list(events)}).encode()


def pieces(raw, size):
    return [raw[at : at + size] for at in range(0, len(raw), size)]


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps(FAILED).encode(),
        json.dumps({"Records": [OTHER, FAILED]}).encode(),
        json.dumps({"Records": [OTHER, FAILED], "more": [{"eventName": "no"}]}).encode(),
        json.dumps([FAILED]).encode(),
        json.dumps({"Events": [{"EventName": "x", "CloudTrailEvent": json.dumps(FAILED)}, {"CloudTrailEvent": "{"}]}).encode(),
        b"\n".join(json.dumps(event).encode() for event in (OTHER, FAILED)),
        json.dumps(FAILED, indent=4).encode() + b"\n" + json.dumps(OTHER, indent=4).encode(),
    ],
    ids=["alone", "records", "records and more", "list", "lookup-events", "lines", "one after the other"],
)
@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_an_event_is_found_however_it_was_saved_and_cut(raw, size):
    (event,) = read_events(pieces(raw, size)).calls
    assert (event.service_account, event.error) == (("payments", "checkout"), "AccessDenied")
    assert event.role == ROLE


def test_an_event_that_succeeded_says_provider_and_audience_and_no_secret():
    trail = read_events([json.dumps(RIGHT).encode()])
    (event,) = trail.calls
    assert (event.provider, event.audience, event.error, event.region) == (w.PROVIDER, "sts.amazonaws.com", "", "eu-west-1")
    assert "secret" not in repr(trail)
    assert "ASIA" not in repr(trail)


def test_calls_that_went_alike_are_one_with_their_number_and_the_last_time():
    later = {**FAILED, "eventTime": "2026-04-15T00:00:00Z"}
    (event,) = read_events([log(later, FAILED, FAILED)]).calls
    assert (event.count, event.time) == (3, "2026-04-15T00:00:00Z")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"no json", b'{"Records": 5}', b"[" * 100_000, b'{"a": "' + b"x" * (9 << 20), b"{]", b'{"Records": [{'],
)
def test_what_is_nothing_of_cloudtrail_is_said(raw):
    with pytest.raises(NoEvents):
        read_events([raw])


@pytest.mark.parametrize("odd", [{"userIdentity": 5}, {"requestParameters": []}, {"errorCode": 7}, {"eventTime": None}])
def test_odd_members_are_no_trouble(odd):
    assert len(read_events([json.dumps({**FAILED, **odd}).encode()]).calls) == 1


def test_a_log_far_larger_than_memory_would_like_is_read_in_pieces():
    one = json.dumps(OTHER).encode()
    many = b",".join([one] * 1000)

    def chunks():
        yield b'{"Records": ['
        for _ in range(50):
            yield many + b","
        yield json.dumps(FAILED).encode() + b"]}"

    trail = read_events(chunks())
    assert (trail.events, len(trail.calls)) == (50_001, 1)


# ---- what events are worth


def asked(*events, breaks=(), target=TARGET, **more):
    return why(world(*breaks), target, trail=read_events([log(*events)]), **more)


def other_subject(documents):
    w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:other"


def test_an_event_says_whom_it_is_about_and_for_which_role():
    found = asked(FAILED, target="")
    assert (found.subject.namespace, found.subject.service_account, found.role) == ("payments", "checkout", ROLE)


def test_a_call_that_was_denied_is_explained_by_the_policy():
    found = asked(FAILED, breaks=[other_subject])
    assert w.causes(found)[0] == ("trust-sub-mismatch", "certain")
    assert w.failed(found) == ["trust-policy"]


def test_a_call_that_was_denied_though_the_policy_admits_it_leaves_what_else_there_is():
    found = asked(FAILED)
    assert found.verdict == "broken"
    assert w.verdicts(found)["trust-policy"] == "unknown"
    assert {"vpce-policy", "trust-eventual-consistency"} <= {cause.id for cause in found.causes}
    assert not [cause for cause in found.causes if cause.certainty == "certain"]


def test_a_denied_call_shows_that_the_token_itself_was_accepted():
    found = asked(FAILED, breaks=[lambda documents: documents.pop("provider.json")])
    assert w.verdicts(found)["audience"] == "pass"
    assert w.verdicts(found)["signature"] == "pass"


def test_a_call_that_succeeded_shows_that_all_of_it_held():
    found = asked(
        RIGHT, breaks=[lambda documents: documents.pop("roles.json"), lambda documents: documents.pop("provider.json")]
    )
    assert found.verdict == "works"


def test_what_the_files_prove_to_be_broken_now_is_no_certain_cause_where_a_call_succeeded():
    found = asked(RIGHT, breaks=[other_subject])
    assert found.verdict == "broken"
    assert w.causes(found)[0] == ("trust-sub-mismatch", "likely")


def test_the_last_call_counts():
    earlier = {**RIGHT, "eventTime": "2026-04-13T00:00:00Z"}
    found = asked(earlier, FAILED, breaks=[other_subject])
    assert w.causes(found)[0] == ("trust-sub-mismatch", "certain")
    assert any("earlier" in note for note in found.notes)


def test_an_event_says_what_conditions_ask_for():
    def from_there(documents):
        w.statement(documents)["Condition"]["IpAddress"] = {"aws:SourceIp": "198.51.100.0/24"}

    def from_elsewhere(documents):
        w.statement(documents)["Condition"]["IpAddress"] = {"aws:SourceIp": "203.0.113.0/24"}

    assert why(world(from_there)).verdict == "unknown"
    assert w.verdicts(asked(RIGHT, breaks=[from_there]))["trust-policy"] == "pass"
    denied = {**FAILED, "sourceIPAddress": "198.51.100.7"}
    found = asked(denied, breaks=[from_elsewhere])
    assert w.failed(found) == ["trust-policy"]
    assert w.causes(found)[0] == ("trust-sourceip-vpc", "certain")


@pytest.mark.parametrize(("seconds", "cause"), [(7200, "duration-too-long"), (60, "duration-out-of-range")])
def test_a_session_that_is_too_long_or_too_short_is_told(seconds, cause):
    def hourly(documents):
        w.role(documents)["MaxSessionDuration"] = 3600

    parameters = {**FAILED["requestParameters"], "durationSeconds": seconds}
    refused = {**FAILED, "errorCode": "ValidationError", "requestParameters": parameters}
    found = asked(refused, breaks=[hourly])
    assert "session" in w.failed(found) or cause == "duration-too-long"
    assert found.verdict == "broken"


def test_no_call_of_the_target_is_told_as_what_it_means():
    someone = {**FAILED, "userIdentity": {"userName": "system:serviceaccount:payments:other"}}
    found = asked(someone)
    assert any("no call" in note for note in found.notes)


def test_a_log_of_others_is_told_as_what_it_is():
    someone = {**FAILED, "userIdentity": {"userName": "repo:example/app:ref:refs/heads/main"}}
    found = asked(someone, target="", breaks=[lambda documents: documents.pop("account.json")])
    assert any("none of them" in note for note in found.notes)


def test_several_service_accounts_in_a_log_have_to_be_told_apart():
    someone = {**FAILED, "userIdentity": {"userName": "system:serviceaccount:payments:other"}}
    with pytest.raises(NoTarget, match="payments/checkout, payments/other"):
        asked(FAILED, someone, target="")


def test_an_event_of_another_service_is_read_as_the_message_that_it_holds():
    denied = {
        "eventName": "GetObject",
        "errorCode": "AccessDenied",
        "errorMessage": (
            "User: arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0 is not authorized to perform: s3:GetObject"
        ),
        "userIdentity": {"type": "AssumedRole"},
    }
    trail = read_events([json.dumps(denied).encode()])
    assert [symptom.id for symptom in trail.others] == ["node-role"]


def test_gzip_is_unpacked_where_files_are_read(tmp_path):
    from irsa_doctor.sources.files.evidence import NoEvidence, chunks

    (tmp_path / "log.json.gz").write_bytes(gzip.compress(log(FAILED)))
    assert len(read_events(chunks(str(tmp_path / "log.json.gz"))).calls) == 1
    (tmp_path / "broken.gz").write_bytes(gzip.compress(log(FAILED))[:-12])
    with pytest.raises(NoEvidence):
        read_events(chunks(str(tmp_path / "broken.gz")))


CODES = [
    ("AccessDenied", "trust-sub-mismatch"),
    ("AccessDeniedException", "trust-sub-mismatch"),
    ("ExpiredToken", "token-stale-cached"),
    ("ExpiredTokenException", "token-stale-cached"),
    ("IDPCommunicationError", "idp-comm-error"),
    ("IDPCommunicationErrorException", "idp-comm-error"),
    ("IDPRejectedClaim", "idp-rejected-claim"),
    ("InvalidIdentityToken", "oidc-provider-missing"),
    ("InvalidIdentityTokenException", "oidc-provider-missing"),
    ("MalformedPolicyDocument", "session-policy-bad"),
    ("PackedPolicyTooLarge", "session-policy-bad"),
    ("RegionDisabledException", "sts-region-not-enabled"),
    ("ThrottlingException", "sts-throttled"),
    ("ValidationError", "role-arn-malformed"),
]


@pytest.mark.parametrize(("code", "mode"), CODES)
@pytest.mark.parametrize("message", [None, "", "An unknown error occurred"])
def test_a_code_of_an_event_says_what_the_same_code_says_in_a_message(code, mode, message):
    trail = read_events([log({**FAILED, "errorCode": code, "errorMessage": message})])
    (event,) = trail.calls
    found = symptoms_of(event)
    same = symptoms_in(f"An error occurred ({code}) when calling the AssumeRoleWithWebIdentity operation: Unknown")
    assert [(one.id, one.causes, one.links, one.passed) for one in found] == [
        (one.id, one.causes, one.links, one.passed) for one in same
    ]
    assert found[0].causes[0] == mode


def test_a_text_in_an_event_says_more_than_its_code():
    message = "No OpenIDConnect provider found in your account for https://issuer.example"
    (event,) = read_events([log({**FAILED, "errorCode": "InvalidIdentityToken", "errorMessage": message})]).calls
    assert [one.id for one in symptoms_of(event)] == ["no-provider"]
