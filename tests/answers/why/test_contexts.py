"""What the text around a message says of it, and messages of which it is not sure whose they are."""

import pytest

from irsa_doctor.answers.why import symptoms_in
from tests.answers.why.world import why

DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
NONE = "NoCredentialProviders: no valid providers in chain."


def causes(text):
    return [(cause.id, cause.certainty) for cause in why({}, "", symptoms=symptoms_in(text), failing=True).causes]


@pytest.mark.parametrize(
    "where", ["It is no EKS cluster, but kubeadm.", "a self-hosted Kubernetes", "[non EKS cluster]", "kops 1.30"]
)
def test_a_cluster_that_is_none_of_eks_has_a_webhook_only_where_somebody_installed_it(where):
    assert causes(f"{where} {NONE}")[0][0] == "webhook-missing"


@pytest.mark.parametrize(
    "where", ["There is no EKS Pod Identity here.", "a self-hosted runner", "self-managed node groups", ""]
)
def test_what_is_not_said_of_the_cluster_changes_nothing(where):
    assert causes(f"{where} {NONE}")[0][0] != "webhook-missing"


def test_a_denial_that_names_nobody_beside_an_association_is_of_an_old_client():
    denied = "iter bucket: Access Denied"
    assert causes(f"AWS_CONTAINER_CREDENTIALS_FULL_URI is set. {denied}")[0][0] == "podid-sdk-too-old"
    assert causes(f"AWS_WEB_IDENTITY_TOKEN_FILE is set, Pod Identity is not used. {denied}")[0][0] != "podid-sdk-too-old"


SURE = [
    "when calling the AssumeRoleWithWebIdentity operation: Value 'a' at 'roleSessionName' failed to satisfy constraint",
    "Error: Role session name must be between 2 and 64 characters, got 80: 'a'",
    "Error: Role session name is not valid: 'a/b'. Must satisfy regular expression pattern: [\\w+=,.@-]*",
]
UNSURE = [
    "when calling the AssumeRole operation: Value 'a' at 'roleSessionName' failed to satisfy constraint",
    "tsh: role session name is not valid",
    "InvalidParameter: minimum field size of 2, AssumeRoleInput.RoleSessionName.",
]


@pytest.mark.parametrize(("text", "certainty"), [*((t, "certain") for t in SURE), *((t, "likely") for t in UNSURE)])
def test_a_session_name_is_proved_by_our_own_call_and_programs_alone(text, certainty):
    assert causes(text) == [("session-name-invalid", certainty)]


@pytest.mark.parametrize("answer", ["Request ARN is invalid", "Value '' at 'roleArn' failed to satisfy constraint"])
def test_the_answer_to_an_assertion_of_saml_is_not_one_to_a_token(answer):
    assert causes(f"An error occurred (ValidationError) when calling the AssumeRoleWithSAML operation: {answer}") == []


def test_a_second_role_that_a_job_requests_with_its_token_trusts_callers_of_aws():
    text = f"role chaining\nRun aws-actions/configure-aws-credentials@v4\nError: {DENIED}"
    assert causes(text)[0][0] == "trust-principal-type-aws"
    assert causes(text.replace("role chaining", ""))[0][0] == "issuer-subject-context"
