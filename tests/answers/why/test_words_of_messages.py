"""What people say in words, and messages of others: none of it is taken for a message of AWS."""

import pytest

from irsa_doctor.answers.why import symptoms_in
from irsa_doctor.answers.why.ranking import ranked_alone
from tests.answers.why.world import why


@pytest.mark.parametrize(
    "text",
    [
        # a node is named, and nobody has what it has
        "The pod no longer uses the node role, it uses its own. S3 is slow.",
        "Pods must not get the node role.",
        "It works when using the node's instance role, and fails otherwise.",
        "The nodes use the instance profile workers.",
        "Karpenter uses the instance profile eks-node.",
        "The kubelet uses the node role to pull images, and aws-node uses the node role too.",
        "The EC2NodeClass uses the node role KarpenterNodeRole.",
        "Does the pod use the node role?",
        "Is it using the node role instead of its own?",
        "It should use the IRSA role, not the node role.",
        "I want my pods to use the node role.",
        "We are using the node role for the load balancer controller and it works.",
        "The app used to use the node role.",
        "The app was using the node role until we moved it.",
        "The token was assumed, and the role of the node has no permission.",
        "Terraform shows the node role is created.",
        "The node role is used by the kubelet.",
        "getting ID of the node failed: i/o timeout",
        "could not get instance profile from metadata",
        "Our Java service uses the IAM role shop.",
        "It does not fall back to the instance metadata.",
        "Pods that don't call the metadata service start faster.",
        "If the webhook were down, the pod would be using the node role.",
        "We would rather not have pods using the instance role.",
        "Nobody uses the node role here.",
        "Let's verify whether it uses the node role.",
        "It never calls the metadata service.",
        # no service account is said to lack something, and no SDK
        "Perhaps the service account has no annotation.",
        "Previously the service account was not annotated; it is now.",
        "The annotation of our service account was removed deliberately.",
        "You must not put the annotation on the pod instead of the service account.",
        "If the tool does not support IRSA, we will use keys.",
        "I have not heard that it does not work with Pod Identity.",
        "An old SDK would fail with IRSA.",
        "Check that no policy denies eks-auth:AssumeRoleForPodIdentity.",
        "Does the SCP deny eks-auth:AssumeRoleForPodIdentity?",
        "If the service account is not annotated, nothing is injected.",
        "Service accounts that are not annotated get nothing.",
        "The service account was not annotated before, now it is.",
        "Is the annotation of the service account missing?",
        "The annotation of our service account was added by hand.",
        "Pods must not use the default service account.",
        "We use the default service account, which is annotated.",
        "The pods use the default service account. S3 is slow.",
        "The new version does not support IPv6.",
        "Fargate does not support EKS Pod Identity.",
        "Does it support IRSA?",
        "Is the SDK too old?",
        "We do not use IRSA.",
        "Our cluster is not using IRSA, it has keys.",
        "IRSA is not used here.",
        "The annotation is on the service account, not on the pod.",
        "After updating to AWS SDK v3 everything with IRSA is fine.",
        "It works with EKS Pod Identity.",
        "EKS Pod Identity comes next year, all works fine with IRSA.",
        "The policy allows eks-auth:AssumeRoleForPodIdentity.",
        "This prevents pods from using the node role.",
        "The service account is not annotated on purpose.",
        # SDKs of others, and old ones that nothing has to do with
        "The Android SDK is too old.",
        "The dotnet SDK must be at least 8.0.",
        "chore: drop the old SDK",
        # metadata of others, and what a program says that it does next
        "Connecting to metadata store",
        "INFO kafka: connecting to metadata broker 1",
        "DEBUG querying metadata of the table",
        "INFO contacting instance metadata for region us-east-1",
        "It calls the metadata service for its region.",
        # nodes of other systems, and what Kubernetes calls a role of nodes
        "kubectl shows node role master.",
        "The user system:node:a gets node role bindings.",
        "MongoDB took the role of node secondary.",
        "Do not deny eks-auth:AssumeRoleForPodIdentity.",
        "There is no need for eks-auth:AssumeRoleForPodIdentity with IRSA.",
        # variables, keys, pods and providers of which nobody says that they are the fault
        "AWS_WEB_IDENTITY_TOKEN_FILE is not empty.",
        "There is no need for AWS_ROLE_ARN.",
        "AWS_ROLE_ARN is set, AWS_PROFILE is not set.",
        "Generic MicrosoftAzure error: Error performing GET http://169.254.169.254/metadata/identity/oauth2/token in 3s",
        "You do not have to set AWS_ROLE_ARN.",
        "AWS_ROLE_ARN is not set by Terraform, the webhook sets it.",
        "If AWS_ROLE_ARN is missing, restart the pod.",
        "AWS_ROLE_ARN was not set before.",
        "I restarted the pods after I added the annotation.",
        "Never annotate the service account of the nodes.",
        "Add the annotation, and do not restart the pods yet.",
        "We have no OIDC provider for the login to our shop.",
        "Does the cluster have an OIDC provider?",
        "If the pods cannot reach STS, add an endpoint.",
        "The pods can reach STS.",
        # other registries, stores and files
        "Your authorization token is invalid (https://api.example.com)",
        "Get https://registry.example.com/bucket/x: 401 Unauthorized",
        "open config: read .: is a directory",
    ],
)
def test_what_names_a_node_a_registry_or_a_store_is_no_message_of_aws(text):
    assert symptoms_in(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "My pod is still using the node's role.",
        "The pods use the node role.",
        "Since the update our pods suddenly use the node role.",
        "They still use the instance profile.",
        "get-caller-identity returns the node role, how do I fix it?",
        "It seems to use the node instance role.",
        "boto3 falls back to the node role.",
        "Inside of the pod the role of the worker node is shown.",
        "The node role is used by the pod.",
        "The pod is falling back to the node role.",
        "The role cannot be assumed so the pod uses the node role.",
        "Our celery workers are using the node role.",
    ],
)
def test_who_says_that_a_program_has_the_role_of_its_node_is_understood(text):
    assert [symptom.id for symptom in symptoms_in(text)] == ["node-role-in-words"]


@pytest.mark.parametrize(
    "text",
    [
        "GitLab runs in pods: the job cannot get the token at /var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "The CronJob job cannot get a token from the projected volume of its service account.",
        "The step cannot fetch the token for ECR.",
        "GitHub: the job could not get the token of the registry.",
    ],
)
def test_a_job_in_a_pod_needs_no_permission_of_a_workflow(text):
    assert "job-without-token-in-words" not in [symptom.id for symptom in symptoms_in(text)]


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("pod-wrong-sa", "Spawned workers are using the `default` service account instead of the one with the role."),
        ("sa-annotation-missing", "AWS_WEB_IDENTITY_TOKEN_FILE isn't set in the pod."),
        ("sa-annotation-missing", "I don't see AWS_ROLE_ARN in the container."),
        ("sa-annotation-missing", "We haven't annotated our service account."),
        ("pod-older-than-annotation", "I changed the annotation and forgot to restart the pods."),
        ("sdk-too-old", "The plugin has an outdated AWS SDK that knows nothing of IRSA."),
        ("podid-sdk-too-old", "The backup agent doesn't work with EKS Pod Identity."),
        ("static-keys-shadow", "The role is not used, AWS_ACCESS_KEY_ID is present as well."),
        ("oidc-provider-missing", "The OIDC provider of the cluster was deleted by somebody."),
        ("proxy-or-mesh-blocks-sts", "The pods can't reach sts.eu-west-1.amazonaws.com."),
    ],
)
def test_what_somebody_says_without_a_message_leads_to_its_cause_and_proves_none(cause, text):
    diagnosis = why({}, "", symptoms=symptoms_in(text), failing=True)
    assert (diagnosis.causes[0].id, diagnosis.causes[0].certainty != "certain") == (cause, True)


@pytest.mark.parametrize(
    "said",
    [
        "Neither AWS_ROLE_ARN nor AWS_WEB_IDENTITY_TOKEN_FILE is set.",
        "There is no AWS_ROLE_ARN present in it.",
        "AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE: none of them exist.",
        "Please check whether AWS_ROLE_ARN is set.",
        "AWS_ROLE_ARN isn't set.",
    ],
)
def test_who_says_that_the_variables_are_not_there_does_not_say_that_they_are(said):
    def first(text: str) -> str:
        return why({}, "", symptoms=symptoms_in(text), failing=True).causes[0].id

    assert first(f"{said} Unable to locate credentials") == "sa-annotation-missing"
    assert first("AWS_ROLE_ARN is set. Unable to locate credentials") == "sdk-too-old"


DENIED = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
REFUSED = "AWS was not able to validate the provided access credentials"
FLUENT_BIT = "[aws_credentials] STS assume role request failed"
NO_ANSWER = "dial tcp 169.254.170.23:80: i/o timeout"


@pytest.mark.parametrize(
    ("message", "cause", "asserted", "unsaid"),
    [
        (
            DENIED,
            "role-missing",
            ["Somebody deleted the role.", "It turned out that the role was renamed."],
            ["Nobody deleted the role.", "Did somebody delete it, or was it that the role was renamed?"],
        ),
        (
            REFUSED,
            "session-not-renewed",
            ["We recreated the IAM role."],
            ["We have not recreated the IAM role.", "We are thinking about replacing the role."],
        ),
        (
            FLUENT_BIT,
            "xacct-chain-missing",
            ["The bucket is in another account."],
            ["The bucket is not in another account.", "If it were in another account I would see why."],
        ),
        (
            NO_ANSWER,
            "podid-agent-blocked",
            ["We have a firewall.", "The namespace has a network policy."],
            ["We have no firewall.", "Could it be the firewall?"],
        ),
    ],
)
def test_what_is_said_beside_a_message_counts_where_it_is_asserted(message, cause, asserted, unsaid):
    def first(text: str) -> str:
        return ranked_alone(symptoms_in(text)[0])[0]

    for said in asserted:
        assert [first(f"{said} {message}"), first(f"{said}\n{message}")] == [cause, cause], said
    for said in unsaid:
        assert cause not in (first(f"{said} {message}"), first(f"{message}. {said}"), first(f"{message}\n{said}")), said


def test_what_is_asserted_counts_beside_what_is_not():
    first = symptoms_in(f"Was the role changed? I see that the role was deleted. {DENIED}")[0]
    assert ranked_alone(first)[0] == "role-missing"


def test_a_message_in_a_question_is_a_message():
    assert [s.id for s in symptoms_in(f'Should it not say something else than "{DENIED}" if it works?')] == ["denied"]
