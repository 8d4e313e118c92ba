"""Lines that programs print where nothing is wrong, and messages that more than one cause has: neither may be overrated."""

import pytest

from irsa_doctor.answers.why import symptoms_in

INNOCENT = [
    # botocore, the SDKs for Go, Java, JavaScript, Kotlin and Rust, the common runtime
    "DEBUG:botocore.credentials:Looking for credentials via: assume-role-with-web-identity",
    'DEBUG:urllib3.connectionpool:http://169.254.170.23:80 "GET /v1/credentials HTTP/1.1" 200 1500',
    "DEBUG: Response sts/AssumeRoleWithWebIdentity Details:\nHTTP/1.1 200 OK\nContent-Type: text/xml",
    "DEBUG com.amazonaws.auth.AWSCredentialsProviderChain - Loading credentials from WebIdentityTokenCredentialsProvider",
    "@aws-sdk/credential-provider-web-identity - fromTokenFile\n@aws-sdk/client-sts - AssumeRoleWithWebIdentityCommand",
    "DEBUG StsWebIdentityCredentialsProvider: obtained assumed credentials via web identity; expiration=2026-01-01T00:00:00Z",
    "DEBUG aws_config::meta::credentials::chain: loaded credentials provider=WebIdentityToken",
    "[INFO] (id=0x1) STS_WEB_IDENTITY credentials provider successfully queried credentials",
    "[INFO] ECS provider: using full uri http://169.254.170.23/v1/credentials",
    # Fluent Bit, Terraform, the action of GitHub
    "[debug] [aws_credentials] STS Provider: Refreshing credential cache.\n[debug] [aws_credentials] Calling STS..",
    "[INFO]  provider: Assuming IAM Role With Web Identity: tf_aws.assume_role_with_web_identity.role_arn=x",
    "Did you mean to set the `id-token` permission?\nAssuming role with user credentials\nAuthenticated as assumedRoleId A:G",
    # settings, lists of codes, and clients of Kubernetes that hold themselves back
    'INFO config no_proxy="169.254.169.254,169.254.170.23,.svc" timeout=30s',
    'level=debug msg="credentials endpoint" uri=http://169.254.170.23/v1/credentials timeout=2s',
    '{"endpoint":"https://sts.eu-west-1.amazonaws.com","connect_timeout":60,"read_timeout":60}',
    "DEBUG connecting to 169.254.169.254 with timeout=1s attempts=1",
    "DEBUG retry.standard: max attempts 3, retryable codes: InvalidIdentityToken, IDPCommunicationError, Throttling, Other",
    "Waited for 1.04s due to client-side throttling, not priority and fairness, request: GET:https://10.100.0.1:443/api",
    "Throttling request took 1.183s, request: GET:https://10.100.0.1:443/apis",
    # the agent of EKS Pod Identity and the webhook
    '{"client-addr":"10.0.0.5:41000","level":"info","msg":"Calling EKS Auth to fetch credentials"}',
    "Pod was mutated. Pod=checkout-0, ServiceAccount=checkout, Namespace=payments",
    "Pod was not mutated. Reason: Required volume mounts and env variables were already present. Pod=checkout-0",
]
AMBIGUOUS = [
    # a profile has a token file without a role as well
    ("WebIdentityErr: role ARN is not set", "partial-env-token-only"),
    ("configured to assume role with web identity but has no role ARN configured.", "partial-env-token-only"),
    # a notice of the action, which may go on with other credentials
    ("Did you mean to set the `id-token` permission?", "issuer-token-not-requested"),
    # a host that the message does not name
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI must use a loopback address when using the http scheme.", "podid-sdk-too-old"),
    # tags are packed with policies
    ("PackedPolicyTooLarge: Session tags consume 112% of allotted space", "session-policy-bad"),
]
OF_ANOTHER_HOST = [
    'invalid endpoint host, "10.0.0.9", only loopback hosts are allowed.',
    "invalid full URI for ECS provider (URI did not refer to the loopback interface): http://10.0.0.9/v1/credentials",
    "Cannot fetch credentials from container - the full URI contains an invalid host: http://10.0.0.9/v1",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_a_line_of_a_program_that_works_says_nothing(text):
    assert symptoms_in(text) == ()


@pytest.mark.parametrize(("text", "likeliest"), AMBIGUOUS)
def test_what_another_cause_prints_as_well_is_not_proved(text, likeliest):
    symptom = symptoms_in(text)[0]
    assert (symptom.causes[0], symptom.proves) == (likeliest, "")


@pytest.mark.parametrize("text", OF_ANOTHER_HOST)
def test_a_host_that_is_not_that_of_the_agent_is_no_sign_of_an_old_sdk(text):
    assert [symptom.causes for symptom in symptoms_in(text)] == [()]
