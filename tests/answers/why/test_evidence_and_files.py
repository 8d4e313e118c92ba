"""Files never make an answer worse than the message alone."""

import random

import pytest

from irsa_doctor.answers.why import symptoms_in
from irsa_doctor.rulebook.cause_files import causes_folder
from irsa_doctor.rulebook.message_files import read_messages
from tests.answers.why import world as w
from tests.answers.why.world import POD, TARGET, healthy, why, world

DRAWS = 3


def texts():
    """(id, text, the cause that it proves, "" where none) of every example, its session being one of the role of the world."""
    for message in (file := read_messages(causes_folder())).messages:
        for example in file.examples[message.id]:
            yield message.id, example.text.replace("assumed-role/app/", "assumed-role/checkout/"), message.proves


EXAMPLES = [row for row in texts() if symptoms_in(row[1])]


def subsets(seed):
    draw = random.Random(seed)  # noqa: S311 - the same ones every time
    documents = healthy()
    yield documents
    for _ in range(DRAWS):
        yield {path: content for path, content in documents.items() if draw.random() < 0.6}


def test_there_are_many_messages():
    assert len(EXAMPLES) > 80


@pytest.mark.parametrize(("ident", "text", "proves"), EXAMPLES, ids=[f"{row[0]}: {row[1][:30]}" for row in EXAMPLES])
def test_a_message_of_a_failure_never_ends_in_works_and_keeps_what_it_proves(ident, text, proves):
    symptoms = symptoms_in(text)
    alone = dict(w.causes(why({}, "", symptoms=symptoms, failing=True)))
    for documents in subsets(text):
        found = why(documents, TARGET, symptoms=symptoms, failing=True)
        assert found.verdict != "works"
        assert found.verdict != "broken" or found.causes
        assert all(cause.remedy and (cause.settle or cause.certainty == "certain") for cause in found.causes)
        if alone.get(proves) == "certain":
            assert (proves, "certain") in w.causes(found)


ABOVE = "is not authorized to perform: s3:GetObject because no service control policy allows the s3:GetObject action"
NOT_PERMITTED = "is not authorized to perform: s3:ListBucket because no identity-based policy allows the s3:ListBucket action"


@pytest.mark.parametrize("session", ["i-0abcdef0123456789", "i-<id>", "i-TRUNCATED", "i-****", "TRUNCATED", "1710490480352583"])
def test_the_session_of_another_role_is_no_lack_of_permission_of_this_one(session):
    text = f"api error AccessDenied: User: arn:aws:sts::111122223333:assumed-role/prod-worker/{session} {NOT_PERMITTED}"
    found = why(world(), POD, symptoms=symptoms_in(text), failing=True)
    assert w.causes(found)[0] == ("imds-fallback-generic", "likely")
    assert ("perm-denied-after-assume", "certain") not in w.causes(found)


def test_the_session_of_the_role_itself_proves_that_a_permission_is_missing():
    text = f"User: arn:aws:sts::111122223333:assumed-role/checkout/TRUNCATED {NOT_PERMITTED}"
    found = why(world(), POD, symptoms=symptoms_in(text), failing=True)
    assert w.causes(found) == [("perm-denied-after-assume", "certain")]


@pytest.mark.parametrize("session", ["TRUNCATED", "<redacted>", "***", "xxxxxxx", "[session]", "{{ session }}"])
def test_a_hidden_session_alone_does_not_show_whose_it_was(session):
    text = f"User: arn:aws:sts::111122223333:assumed-role/checkout/{session} {NOT_PERMITTED}"
    found = w.causes(why({}, "", symptoms=symptoms_in(text), failing=True))
    assert found[:2] == [("perm-denied-after-assume", "likely"), ("imds-fallback-generic", "possible")]


HIDDEN = [
    "xxxx-xxxx",
    "XXXXXXXX",
    "...",
    "…",
    "${SESSION}",
    "$SESSION",
    "REDACTED_SESSION",
    "SESSION_NAME",
    "<redacted>.",
    "------",
    "?????",
    "(hidden)",
    "REDACTED",
    "TRUNCATED",
    "***",
    "&lt;session&gt;",
    "%SESSION%",
    "your-session-name",
    "Redacted...",
    "MY-SESSION-1",
    "session_name",
]


def certain(text, documents=None, target=""):
    found = why(documents or {}, target, symptoms=symptoms_in(text), failing=True)
    return [ident for ident, certainty in w.causes(found) if certainty == "certain"]


@pytest.mark.parametrize("says", [NOT_PERMITTED, ABOVE, f"{NOT_PERMITTED} with an explicit deny"])
@pytest.mark.parametrize("session", HIDDEN)
def test_whatever_stands_in_the_place_of_a_session_proves_nothing(session, says):
    text = f"User: arn:aws:sts::111122223333:assumed-role/checkout/{session} {says}"
    assert symptoms_in(text)
    assert certain(text) == []
    assert certain(text.replace("checkout", "eks-nodes"), world(), POD) == []


@pytest.mark.parametrize(("says", "cause"), [(NOT_PERMITTED, "perm-denied"), (ABOVE, "boundary-or-scp")])
@pytest.mark.parametrize("account", ["111122223333", "***", "1111********", "********3333", "<account>"])
def test_a_hidden_session_of_the_role_of_the_workload_is_its_own(account, says, cause):
    text = f"User: arn:aws:sts::{account}:assumed-role/checkout/SESSION_NAME {says}"
    assert certain(text, world(), POD) == [f"{cause}-after-assume"]


@pytest.mark.parametrize("says", [NOT_PERMITTED, ABOVE])
@pytest.mark.parametrize("account", ["999922223333", "9999********", "********9999"])
def test_a_role_of_that_name_in_another_account_is_another_role(account, says):
    text = f"User: arn:aws:sts::{account}:assumed-role/checkout/REDACTED {says}"
    assert certain(text, world(), POD) == []


@pytest.mark.parametrize("says", [NOT_PERMITTED, ABOVE])
@pytest.mark.parametrize("where", ["aws:sts::999922223333", "aws:sts::9999********", "aws-cn:sts::111122223333"])
def test_a_shown_session_of_a_role_of_that_name_elsewhere_is_of_another_role(where, says):
    text = f"User: arn:{where}:assumed-role/checkout/botocore-session-1710490480 {says}"
    assert certain(text, world(), POD) == []
    assert certain(text.replace(where, "aws:sts::111122223333"), world(), POD) != []


TOKEN_REFUSED = ["open {}: permission denied", "PermissionError: [Errno 13] Permission denied: '{}'"]


@pytest.mark.parametrize("says", TOKEN_REFUSED)
@pytest.mark.parametrize(
    ("path", "proved"),
    [
        ("/var/run/secrets/eks.amazonaws.com/serviceaccount/token", True),
        ("/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token", True),
        ("/var/run/secrets/openshift/serviceaccount/token", True),
        ("/var/run/secrets/amazonaws.com/token", True),
        ("/var/run/secrets/tokens/mine", False),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", False),
        ("/var/run/secrets/vault/token", False),
        ("/home/app/.cache/huggingface/token", False),
        ("/run/secrets/github_token", False),
    ],
)
def test_a_file_that_cannot_be_read_is_the_token_only_where_it_is_that_of_aws(path, proved, says):
    assert certain(says.format(path)) == (["token-file-perm-denied"] if proved else [])


OF_OTHERS = [
    "open /etc/vault/token: permission denied",
    "open /vault/token: no such file or directory",
    "HTTP 401 Unauthorized: Credential is missing",
    "Unable to find credentials for https://registry.example.com",
    "ErrorCode=InvalidAccessKeyId, ErrorMessage=The OSS Access Key Id you provided does not exist in our records.",
    "http://minio.default.svc:9000: InvalidAccessKeyId",
    "Keycloak: Request to External OIDC endpoint failed",
    "Error authenticating: vault: service account token cannot be empty",
]


@pytest.mark.parametrize("text", OF_OTHERS)
def test_what_other_systems_say_is_no_failure_of_aws(text):
    found = why({}, "", symptoms=symptoms_in(text), failing=True)
    assert (found.verdict, w.causes(found)) == ("unknown", [])


CALLERS = [
    ("arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0", "imds-fallback-generic"),
    ("arn:aws:sts::***:assumed-role/***/i-xxxx", "imds-fallback-generic"),
    ("arn:aws:iam::111122223333:user/ci/deploy", "static-keys-shadow"),
    ("arn:aws:iam::***:user/***", "static-keys-shadow"),
    ("arn:aws:iam::111122223333:root", "static-keys-shadow"),
]


@pytest.mark.parametrize(
    "before", ["", "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: "]
)
@pytest.mark.parametrize(("caller", "cause"), CALLERS)
def test_a_call_that_names_its_caller_was_signed_and_no_trust_policy_decided_on_a_web_identity(caller, cause, before):
    text = f"{before}User: {caller} is not authorized to perform: sts:AssumeRoleWithWebIdentity on resource: x"
    found = why({}, "", symptoms=symptoms_in(text), failing=True)
    assert w.causes(found)[0] == (cause, "likely")
    assert not any(ident.startswith("trust-") for ident, _ in w.causes(found))


@pytest.mark.parametrize("says", [NOT_PERMITTED, ABOVE])
@pytest.mark.parametrize("role", ["***", "REDACTED", "<role>", "xxxx", "…", "$ROLE", "role-name"])
@pytest.mark.parametrize("session", ["botocore-session-1710490480", "REDACTED", "***"])
def test_a_hidden_role_proves_nothing(session, role, says):
    text = f"User: arn:aws:sts::111122223333:assumed-role/{role}/{session} {says}"
    assert symptoms_in(text)
    assert certain(text) == certain(text, world(), POD) == []


@pytest.mark.parametrize(
    "session", ["x", "botocore-session-1", "aws-sdk-java-1710490480352", "1710490480352583", "checkout@prod"]
)
def test_a_session_that_is_shown_proves_what_its_role_lacks(session):
    text = f"User: arn:aws:sts::111122223333:assumed-role/app/{session}"
    assert certain(f"{text} {NOT_PERMITTED}") == ["perm-denied-after-assume"]
    assert certain(f"{text} {ABOVE}") == ["boundary-or-scp-after-assume"]


@pytest.mark.parametrize(
    ("path", "proved"),
    [
        ("/var/run/secrets/eks.amazonaws.com/serviceaccount/token", True),
        ("/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token", True),
        ("/var/run/secrets/aws-iam-token", True),
        ("/token", True),
        ("plugins/tokenizer/dict.txt", False),
        ("/etc/app/token_store.db", False),
        ("/etc/app/csrf-token", False),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", False),
        ("/vault/secrets/token", False),
    ],
)
def test_java_denies_the_token_only_where_the_path_may_be_that_of_the_token(path, proved):
    text = f'access denied ("java.io.FilePermission" "{path}" "read")'
    assert certain(text) == ["token-java-security-policy"] * proved
    assert certain(text.replace('"', '\\"')) == ["token-java-security-policy"] * proved


FAILS = "MountVolume.SetUp failed for volume"


@pytest.mark.parametrize(
    ("text", "proved"),
    [
        (f'{FAILS} "aws-iam-token" : chown c:\\pods\\token: not supported by windows', True),
        (f'{FAILS} \\"eks-pod-identity-token\\" : chown c:\\pods\\token: not supported by windows', True),
        ("chown c:\\pods\\0\\volumes\\kubernetes.io~projected\\aws-iam-token\\token: not supported by windows", True),
        ("tar: chown c:\\temp\\foo: not supported by windows", False),
        (f'{FAILS} "cfg" : chown c:\\pods\\cfg\\a: not supported by windows', False),
        (f'{FAILS} "kube-api-access-x2x4z" : chown c:\\pods\\token: not supported by windows', False),
    ],
)
def test_windows_refuses_an_owner_only_for_a_volume_of_the_token(text, proved):
    assert certain(text) == ["windows-run-as-user"] * proved
