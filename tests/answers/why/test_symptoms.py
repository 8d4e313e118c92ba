import pytest

from irsa_doctor.answers.why import symptoms_in
from irsa_doctor.text.mask import excerpt, masked
from tests.answers.why import world as w
from tests.answers.why.world import ROLE, TARGET, why, world

DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
NO_PROVIDER = "No OpenIDConnect provider found in your account for"
MAY_NOT = "is not authorized to perform"
SESSION = "User: arn:aws:sts::111122223333:assumed-role"
TOKEN_FILE = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
PLAIN = [
    # what languages say of a file
    (f"PermissionError: [Errno 13] Permission denied: '{TOKEN_FILE}'", "token-file-perm-denied"),
    (f"FileNotFoundError: [Errno 2] No such file or directory: '{TOKEN_FILE}'", "token-file-missing"),
    (f"Caused by: java.nio.file.AccessDeniedException: {TOKEN_FILE}", "token-file-perm-denied"),
    (f"Caused by: java.nio.file.NoSuchFileException: {TOKEN_FILE}", "token-file-missing"),
    (f"Error: EACCES: permission denied, open '{TOKEN_FILE}'", "token-file-perm-denied"),
    (f"Error: ENOENT: no such file or directory, open '{TOKEN_FILE}'", "token-file-missing"),
    (f"Errno::EACCES: Permission denied @ rb_sysopen - {TOKEN_FILE}", "token-file-perm-denied"),
    (f"System.UnauthorizedAccessException: Access to the path '{TOKEN_FILE}' is denied.", "token-file-perm-denied"),
    (f"System.IO.FileNotFoundException: Could not find file '{TOKEN_FILE}'.", "token-file-missing"),
    ("Aws::Errors::MissingWebIdentityTokenFile (Missing :web_identity_token_file parameter)", "token-file-missing"),
    # what they say of a name and a host
    ("Error: getaddrinfo ENOTFOUND sts.eu-west-1.amazonaws.com", "dns-broken"),
    ("Error: getaddrinfo EAI_AGAIN sts.amazonaws.com", "dns-broken"),
    ("java.net.UnknownHostException: sts.eu-west-1.amazonaws.com", "dns-broken"),
    ("Failed to resolve 'sts.eu-west-1.amazonaws.com' ([Errno -3] Temporary failure in name resolution)", "dns-broken"),
    ("dial tcp: lookup sts.amazonaws.com on 10.0.0.10:53: read udp: i/o timeout", "dns-broken"),
    ("dial tcp 209.54.177.185:443: i/o timeout: https://sts.amazonaws.com/: timed out", "sts-global-blocked"),
    ("Connect to sts.amazonaws.com:443 [sts.amazonaws.com/54.239.29.25] failed: connect timed out", "sts-global-blocked"),
    (
        'EndpointConnectionError: Could not connect to the endpoint URL: "https://sts.eu-west-1.amazonaws.com/"',
        "proxy-or-mesh-blocks-sts",
    ),
    ("upstream connect error or disconnect/reset: https://sts.eu-west-1.amazonaws.com", "proxy-or-mesh-blocks-sts"),
    (
        'Post "https://sts.eu-west-1.amazonaws.com/": x509: certificate signed by unknown authority',
        "proxy-or-mesh-blocks-sts",
    ),
    ("x509: certificate is valid for sts.eu-west-1.amazonaws.com, not sts.amazonaws.com", "sts-cname-hack"),
    # what STS, the agent of Pod Identity and SDKs say of themselves
    ("Value 'checkout' at 'roleArn' failed to satisfy constraint: Member must have length", "role-arn-bare-name"),
    ("Value '${ROLE}' at 'roleArn' failed to satisfy constraint: Member must have length", "role-arn-unresolved-template"),
    (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        "chained-role-duration",
    ),
    (
        "(AccessDeniedException: Unauthorized Exception! EKS does not have permissions to assume the associated role.)",
        "podid-tagsession",
    ),
    ('Connect timeout on endpoint URL: "http://169.254.170.23/v1/credentials"', "podid-agent-missing"),
    ("Error: No valid credential sources found", "sa-annotation-missing"),
    ("botocore.exceptions.ProfileNotFound: The config profile (prod) could not be found", "explicit-profile-disables-env"),
]


@pytest.mark.parametrize(("text", "first"), PLAIN, ids=[row[0][:40] for row in PLAIN])
@pytest.mark.parametrize("line", ["{}", 'time="2026-03-01T07:12:33Z" level=fatal msg="start failed" error="{}" attempt=3\n'])
def test_a_message_of_any_language_leads_to_its_cause_first(text, first, line):
    found = why({}, "", symptoms=symptoms_in(line.format(text)), failing=True)
    assert found.causes[0].id == first
    assert {cause.id for cause in found.causes if cause.certainty == "certain"} <= {first}


def test_a_denial_of_nobody_knows_what_is_not_the_role_where_the_policy_admits_it():
    found = why(world(), symptoms=symptoms_in("mount failed: access denied by server"), failing=True)
    assert w.causes(found)[0] == ("perm-denied-after-assume", "likely")


@pytest.mark.parametrize(
    "text",
    [
        'Could not connect to the endpoint URL: "https://s3.eu-west-1.amazonaws.com/"',
        "java.nio.file.AccessDeniedException: /data/cache",
        "getaddrinfo ENOTFOUND db.internal",
        "GET http://169.254.170.23/v1/credentials 200 OK\nPUT /checkout 404 Not Found",
    ],
)
def test_what_is_about_something_else_is_no_symptom_of_sts(text):
    assert symptoms_in(text) == ()


def test_what_an_sdk_makes_of_it_counts_only_where_nobody_said_more():
    found = symptoms_in(
        f"WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: {DENIED}\n\tstatus code: 403"
    )
    assert [symptom.id for symptom in found] == ["denied"]


def test_several_messages_in_a_log_are_all_known():
    text = f"a\n{DENIED}\nb\nIncorrect token audience\nc\n{DENIED}"
    assert [symptom.id for symptom in symptoms_in(text)] == ["audience", "denied"]


@pytest.mark.parametrize(
    "text", ["arn:aws:sts::" + "a" * 300_000, "eyJ" * 100_000, "token " * 60_000, "AccessDenied " * 30_000, "oidc.eks" * 40_000]
)
def test_a_hostile_text_is_read_to_its_end(text):
    assert len(symptoms_in(text)) <= 1


# ---- alone


def alone(text):
    return why({}, "", symptoms=symptoms_in(text), failing=True)


def test_a_symptom_alone_is_never_certain_but_of_what_it_says_itself():
    found = alone(DENIED)
    assert found.verdict == "broken"
    assert w.failed(found) == ["trust-policy"]
    assert found.causes[0].certainty == "likely"
    assert {cause.certainty for cause in found.causes[1:]} == {"possible"}
    assert all(cause.settle for cause in found.causes)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", "duration-too-long"),
        ("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint", "jwks-thumbprint"),
        (
            f"{SESSION}/a/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/a",
            "double-assume-self",
        ),
        ("To use web identity tokens, the 'sts' service module must be on the class path.", "java-sts-module-missing"),
    ],
)
def test_a_message_that_names_its_cause_is_certain(text, cause):
    assert w.causes(alone(text))[0] == (cause, "certain")


def test_the_links_show_how_far_it_came():
    verdicts = w.verdicts(alone("InvalidIdentityToken: Incorrect token audience"))
    assert (verdicts["request"], verdicts["provider"], verdicts["audience"]) == ("pass", "pass", "fail")
    assert verdicts["trust-policy"] == "skipped"
    verdicts = w.verdicts(alone(f"{SESSION}/app/x is not authorized to perform: s3:GetObject"))
    assert (verdicts["trust-policy"], verdicts["permissions"]) == ("pass", "fail")


def test_a_text_that_says_nothing_gives_no_verdict():
    found = alone("boom")
    assert (found.verdict, found.causes) == ("unknown", ())


def notes(text):
    return " ".join(alone(text).notes)


def test_one_text_of_many_causes_names_the_command_that_tells_them_apart():
    found = alone("InvalidIdentityToken: The web identity token provided could not be validated. See the documentation")
    assert [certainty for _, certainty in w.causes(found) if certainty == "certain"] == []
    assert "irsa-doctor why --token - --aws" in " ".join(found.notes)


def test_a_permission_that_is_missing_is_no_matter_of_web_identity_and_the_session_proves_it():
    assert "The session app/x proves that the role was assumed." in notes(f"{SESSION}/app/x {MAY_NOT}: s3:GetObject")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("with an explicit deny", '"with an explicit deny"'),
        ("with an explicit deny in a resource control policy", '"with an explicit deny in a resource control policy"'),
        ("because no session policy allows the action", '"no session policy"'),
        ("with an explicit deny in a VPC endpoint policy", '"with an explicit deny in a VPC endpoint policy"'),
        ("with an explicit deny in a resource-based policy", '"with an explicit deny in a resource-based policy"'),
    ],
)
def test_what_denies_is_named_in_the_words_of_the_message_and_nothing_is_certain(words, says):
    found = alone(f"{SESSION}/app/x {MAY_NOT}: s3:GetObject on resource: arn:aws:s3:::b {words}")
    assert found.verdict == "unknown"
    assert {certainty for _, certainty in w.causes(found)} <= {"likely", "possible"}
    assert says in " ".join(found.notes)


def test_the_session_of_pod_identity_passes_no_link_of_web_identity():
    for message in symptoms_in(
        f"{SESSION}/app/eks-prod-app-0-0f1e {MAY_NOT}: sts:TagSession on resource: arn:aws:iam::1:role/b"
    ):
        assert message.passed == ()


@pytest.mark.parametrize(
    "text",
    [
        'MalformedPolicyDocument: Invalid principal in policy: {"Action": "sts:AssumeRoleWithWebIdentity"}',
        'An error occurred (MalformedPolicyDocument) when calling the CreateRole operation: "sts:AssumeRoleWithWebIdentity"',
    ],
)
def test_a_policy_that_was_refused_on_write_is_no_session_policy(text):
    found = alone(text)
    assert "session-policy-bad" not in {cause.id for cause in found.causes}
    assert w.verdicts(found)["provider"] != "pass"


def test_the_session_of_a_person_proves_nothing_of_a_workload():
    found = alone(f"{SESSION}/AWSReservedSSO_Admin_0123/alice {MAY_NOT}: iam:UpdateAssumeRolePolicy on resource: x")
    assert (found.verdict, found.causes) == ("unknown", ())
    assert "a person who signed in" in " ".join(found.notes)


@pytest.mark.parametrize("hidden", ["***", "############", "XXXXXXXXXXXX", "<ACCOUNT_ID>", "123456789012"])
def test_an_account_may_be_hidden(hidden):
    node = f"User: arn:aws:sts::{hidden}:assumed-role/nodes/i-0123456789abcdef0 {MAY_NOT}: s3:GetObject"
    assert w.causes(alone(node))[0] == ("imds-fallback-generic", "likely")
    chain = f"User: arn:aws:sts::{hidden}:assumed-role/app/1669737599249229417 {MAY_NOT}: sts:AssumeRole on resource: x"
    assert w.causes(alone(chain))[0] == ("xacct-chain-missing", "likely")


# ---- with files


def seen(text, *breaks, **more):
    return why(world(*breaks), TARGET, symptoms=symptoms_in(text), failing=True, **more)


def assumable_by_users(documents):
    w.statement(documents)["Action"] = "sts:AssumeRole"


def no_client_ids(documents):
    documents["provider.json"]["ClientIDList"] = []


def test_what_is_proved_goes_before_what_fits():
    found = seen(f"AccessDenied: {DENIED}", assumable_by_users)
    assert w.causes(found) == [("trust-action-assumerole", "certain")]


def test_what_the_files_rule_out_is_not_named():
    found = seen(f"AccessDenied: {DENIED}")
    assert found.verdict == "broken"
    assert not [cause for cause in found.causes if cause.certainty == "certain"]
    assert "vpce-policy" in {cause.id for cause in found.causes}
    assert "trust-sub-mismatch" not in {cause.id for cause in found.causes}
    assert w.verdicts(found)["trust-policy"] == "unknown"


def test_an_answer_that_denies_shows_that_the_token_was_accepted():
    found = seen(f"AccessDenied: {DENIED}", assumable_by_users, no_client_ids)
    assert w.causes(found) == [("trust-action-assumerole", "certain")]


def test_a_wrong_audience_is_never_the_trust_policy():
    found = seen("InvalidIdentityToken: Incorrect token audience", lambda documents: documents.pop("provider.json"))
    assert w.failed(found) == ["audience"]
    assert not [cause for cause in found.causes if cause.id.startswith("trust-")]
    assert found.causes[0].id == "aud-not-in-clientids"
    assert found.causes[0].certainty == "likely"


def test_what_belongs_to_other_clusters_is_not_named():
    found = seen("InvalidIdentityToken: Incorrect token audience", lambda documents: documents.pop("provider.json"))
    assert not {"aud-china-suffix", "aud-kops-amazonaws", "aud-annotation-custom"} & {cause.id for cause in found.causes}


def test_the_issuer_in_a_message_is_compared_with_that_of_the_cluster():
    found = seen(f"{NO_PROVIDER} https://{w.ELSEWHERE}")
    assert found.causes[0].id == "token-from-other-cluster"


def test_keys_that_sts_cannot_fetch_of_eks_are_a_moment_first():
    text = "Couldn't retrieve verification key from your identity provider,  please reference"
    assert seen(text).causes[0].id == "idp-comm-error"


def test_what_runs_as_the_node_is_explained_by_what_is_proved():
    def unmutated(documents):
        w.unmutated(documents)

    text = f"{SESSION}/node/i-0123456789abcdef0 is not authorized to perform: s3:GetObject"
    found = seen(text, unmutated)
    assert found.causes[0].id == "pod-older-than-annotation"
    assert found.verdict == "broken"


def test_a_role_that_was_assumed_leaves_only_what_comes_after():
    text = f"{SESSION}/checkout/botocore-session-1 is not authorized to perform: s3:GetObject"
    found = seen(text, lambda documents: documents.pop("provider.json"))
    assert w.failed(found) == ["permissions"]
    assert w.causes(found) == [("perm-denied-after-assume", "certain")]


def test_a_message_without_a_target_finds_the_account_of_its_role():
    text = f"{SESSION}/checkout/botocore-session-1 is not authorized to perform: s3:GetObject"
    found = why(world(), "", symptoms=symptoms_in(text), failing=True)
    assert found.subject.service_account == "checkout"
    assert found.role == ROLE


def test_a_message_that_is_not_recognised_never_yields_works():
    found = seen("something else")
    assert found.verdict == "unknown"
    assert not w.failed(found)
    assert any("not recognised" in note for note in found.notes)


@pytest.mark.parametrize("text", ["Throttling: Rate exceeded", "something else", "Pod was not mutated. Reason: x", DENIED])
@pytest.mark.parametrize("target", [TARGET, w.POD])
def test_nothing_works_against_a_message_of_a_failure(text, target):
    found = why(world(), target, symptoms=symptoms_in(text), failing=True)
    assert found.verdict != "works"
    assert found.verdict == "unknown" or found.causes
    assert found.causes or found.notes


def test_a_token_that_came_to_sts_was_in_a_pod_with_a_role():
    def unannotated(documents):
        w.annotations(documents).clear()
        w.unmutated(documents)

    found = seen("InvalidIdentityToken: Incorrect token audience", unannotated)
    assert not [cause for cause, certainty in w.causes(found) if certainty == "certain"]
    assert w.verdicts(found)["service-account"] == "unknown"
    assert found.causes[0].id == "aud-not-in-clientids"


def test_a_message_names_the_issuer_of_the_token_where_no_cluster_does():
    def of_another_issuer(documents):
        del documents["cluster.json"], documents["clusters.json"]
        w.annotations(documents).clear()

    found = seen(f"{NO_PROVIDER} https://api.internal.example.com", of_another_issuer, complete=())
    assert w.causes(found)[0] == ("oidc-url-mismatch", "likely")
    assert "https://api.internal.example.com" in found.causes[0].because
    assert "STS cannot reach" in found.causes[0].remedy
    assert not [command for cause in found.causes for command in cause.commands]


def test_the_session_of_another_role_proves_nothing_of_the_role_of_the_case():
    found = seen(f"{SESSION}/legacy/botocore-session-1 is not authorized to perform: s3:GetObject", assumable_by_users)
    assert w.causes(found)[0] == ("trust-action-assumerole", "certain")
    assert w.verdicts(found)["trust-policy"] == "fail"


# ---- secrets


SECRETS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
    "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbQ",
    "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12",
    "aws_secret_access_key = hunter2",
    "SessionToken: abcdefghij",
    "Authorization: Bearer abcdefghijkl",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_struck_out(secret):
    value = secret.rpartition(" ")[2]
    assert value not in masked(f"before {secret} behind")
    assert value not in excerpt(f"before {secret}")


def test_what_is_no_secret_stays():
    text = f"{ROLE} /var/run/secrets/eks.amazonaws.com/serviceaccount/token {'a' * 40} {'0123456789abcdef' * 4}"
    assert masked(text) == text


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_of_a_message_is_shown(secret):
    value = secret.rpartition(" ")[2]
    text = f"{secret} {SESSION}/app/x is not authorized to perform: s3:GetObject {secret} {NO_PROVIDER} {secret} {DENIED}"
    assert value not in repr(seen(text))


# ---- ranked by the pod


def test_a_proxy_of_the_pod_is_named_first_where_sts_cannot_be_reached():
    text = "dial tcp: lookup sts.eu-west-1.amazonaws.com on 10.0.0.10:53: no such host"
    behind = lambda documents: w.set_env(documents, HTTPS_PROXY="http://proxy.example.com:3128")  # noqa: E731
    assert why(world(), w.POD, symptoms=symptoms_in(text), failing=True).causes[0].id != "proxy-or-mesh-blocks-sts"
    assert why(world(behind), w.POD, symptoms=symptoms_in(text), failing=True).causes[0].id == "proxy-or-mesh-blocks-sts"


def test_the_global_endpoint_in_a_message_was_called_whatever_the_pod_shows():
    text = 'Could not connect to the endpoint URL: "https://sts.amazonaws.com/"'
    assert why(world(), w.POD, symptoms=symptoms_in(text), failing=True).causes[0].id == "sts-global-blocked"


def test_a_profile_of_the_pod_is_named_first_where_the_node_answers():
    text = f"{SESSION}/node/i-0123456789abcdef0 is not authorized to perform: s3:GetObject"
    found = why(
        world(lambda documents: w.set_env(documents, AWS_PROFILE="prod")), w.POD, symptoms=symptoms_in(text), failing=True
    )
    assert {cause.id for cause in found.causes[:2]} == {"shared-config-shadow", "explicit-profile-disables-env"}


def test_the_session_of_another_role_is_named():
    found = seen(f"{SESSION}/legacy/botocore-session-1 is not authorized to perform: s3:GetObject")
    assert any("of the role legacy" in note for note in found.notes)
