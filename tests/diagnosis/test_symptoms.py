import pytest

from irsa_doctor.diagnosis import diagnose, diagnose_symptoms, symptoms_in
from irsa_doctor.diagnosis.chain import TITLES
from irsa_doctor.diagnosis.modes import modes
from tests.diagnosis.worlds import case_of, role

DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
SHAPES = [
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>",
    "An error occurred ({code}) when calling the AssumeRoleWithWebIdentity operation: {text}",
    "WebIdentityErr: failed to retrieve credentials\ncaused by: {code}: {text}\n\tstatus code: 403, request id: 1",
    "operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403, api error {code}: {text}",
    (
        "com.amazonaws.services.securitytoken.model.AWSSecurityTokenServiceException: {text} "
        "(Service: AWSSecurityTokenService; "
        "Status Code: 403; Error Code: {code}; Request ID: 1; Proxy: null)"
    ),
    "software.amazon.awssdk.services.sts.model.StsException: {text} (Service: Sts, Status Code: 403, Request ID: 1)",
    "Amazon.Runtime.AmazonClientException: Error calling AssumeRole ---> AmazonSecurityTokenServiceException: {text}",
    "{text} (Aws::STS::Errors::{code})",
    'level=error ts=2026-01-01T00:00:00Z msg="sync failed" err="{code}: {text}"\nlevel=info msg=retrying',
]
MESSAGES = [
    ("ValidationError", "Request ARN is invalid", "request-arn", "role-arn-malformed"),
    (
        "InvalidIdentityToken",
        "No OpenIDConnect provider found in your account for https://x",
        "no-provider",
        "oidc-provider-missing",
    ),
    ("InvalidIdentityToken", "Incorrect token audience", "audience", "aud-not-in-clientids"),
    (
        "InvalidIdentityToken",
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity",
        "keys",
        "jwks-unreachable",
    ),
    (
        "ExpiredTokenException",
        "Token expired: current date/time 1731098245 must be before the expiration date/time1731095240",
        "expired",
        "token-stale-cached",
    ),
    ("AccessDenied", DENIED, "denied", "trust-sub-mismatch"),
]


@pytest.mark.parametrize(("code", "text", "ident", "first"), MESSAGES, ids=[m[2] for m in MESSAGES])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_message_is_known_whoever_prints_it(shape, code, text, ident, first):
    found = symptoms_in(shape.format(code=code, text=text))
    assert found[0].id == ident
    assert found[0].modes[0] == first


@pytest.mark.parametrize(
    ("text", "ident", "first"),
    [
        (
            "arn:aws:sts::111122223333:assumed-role/node/i-0abc is not authorized to perform: s3:GetObject",
            "node-role",
            "imds-fallback-generic",
        ),
        (
            "arn:aws:sts::111122223333:assumed-role/app/x is not authorized to perform: s3:GetObject",
            "permission",
            "perm-denied-after-assume",
        ),
        (
            (
                "arn:aws:sts::111122223333:assumed-role/app/x is not authorized to perform: s3:GetObject "
                "with an explicit deny in a service control policy"
            ),
            "permission",
            "boundary-or-scp-after-assume",
        ),
        (
            (
                "arn:aws:sts::111122223333:assumed-role/app/x is not authorized to perform: sts:AssumeRole on resource: "
                "arn:aws:iam::111122223333:role/app"
            ),
            "assume-self",
            "double-assume-self",
        ),
        (
            (
                "arn:aws:sts::111122223333:assumed-role/app/x is not authorized to perform: sts:AssumeRole on resource: "
                "arn:aws:iam::444455556666:role/app"
            ),
            "assume-role",
            "xacct-chain-missing",
        ),
        (
            "open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: permission denied",
            "token-denied",
            "token-file-perm-denied",
        ),
        ("open /var/run/secrets/x/token: no such file or directory", "token-missing", "token-file-missing"),
        ("Unable to locate credentials. You can configure credentials by running", "no-credentials", "sa-annotation-missing"),
        ('Could not connect to the endpoint URL: "https://sts.amazonaws.com/"', "endpoint", "sts-global-blocked"),
        ("To use web identity tokens, the 'sts' service module must be on the class path.", "java", "java-sts-module-missing"),
        (
            "InvalidAction: Could not find operation AssumeRoleWithWebIdentity for version 2011-06-15",
            "action",
            "sts-wrong-custom-endpoint",
        ),
        ("nothing of the kind", "", ""),
        ("", "", ""),
    ],
)
def test_what_is_not_of_sts_is_known_as_well(text, ident, first):
    found = symptoms_in(text)
    assert (found[0].id if found else "", found[0].modes[0] if found else "") == (ident, first)


def test_every_symptom_names_modes_and_links_that_are_there():
    from irsa_doctor.diagnosis.symptoms import _TABLE

    for ident, _, named, links, _ in _TABLE:
        assert set(named) <= set(modes()), ident
        assert set(links) <= set(TITLES), ident


def test_a_symptom_alone_is_never_certain_but_of_what_it_says_itself():
    found = diagnose_symptoms(symptoms_in(DENIED))
    assert found.verdict == "broken"
    assert found.causes[0].certainty == "likely"
    assert {cause.certainty for cause in found.causes[1:]} == {"possible"}


def test_what_is_proved_goes_before_what_fits():
    found = diagnose(case_of(role(Action="sts:AssumeRole")), symptoms_in(f"AccessDenied: {DENIED}"))
    assert [(cause.id, cause.certainty) for cause in found.causes] == [("trust-action-assumerole", "certain")]


def test_what_the_files_rule_out_is_not_named():
    found = diagnose(case_of({}), symptoms_in(f"AccessDenied: {DENIED}"))
    assert found.verdict == "broken"
    assert not any(cause.id.startswith("trust-sub") for cause in found.causes)
    assert {cause.certainty for cause in found.causes} <= {"likely", "possible"}
    assert "vpce-policy" in {cause.id for cause in found.causes}
