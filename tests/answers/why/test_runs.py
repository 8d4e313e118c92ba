"""A credential of a pipeline of which the token is not given: whose it is shows in the role or in the message."""

import pytest

from irsa_doctor.answers.why import symptoms_in
from tests.answers.why.world import why, world

DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
OF_ACTION = f"Error: Could not assume role with OIDC: {DENIED}"
OF_GITLAB = f"$ aws sts assume-role-with-web-identity --web-identity-token $GITLAB_OIDC_TOKEN\nAccessDenied: {DENIED}"
GITHUB = "token.actions.githubusercontent.com"
OF_STEP = f"uses: aws-actions/configure-aws-credentials@v4\nError: {DENIED}"
IN_POD = f"""uses: aws-actions/configure-aws-credentials@v4
  web-identity-token-file: /var/run/secrets/eks.amazonaws.com/serviceaccount/token
Error: {DENIED}"""
OF_ACCOUNTS = {"pod-wrong-sa", "sa-namespace-mismatch", "sa-helm-generated-name"}


def role_of(*subjects):
    principal = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{GITHUB}"}
    conditions = {"StringLike": {f"{GITHUB}:sub": list(subjects)}, "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    role = {"RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy", "AssumeRolePolicyDocument": policy}
    return {"role.json": {"Role": role}}


def diagnosed(message, documents):
    return why(documents, "", symptoms=symptoms_in(message), failing=True)


def ids(diagnosis):
    return [cause.id for cause in diagnosis.causes]


@pytest.mark.parametrize("message", [OF_ACTION, OF_GITLAB])
def test_a_message_of_a_pipeline_leads_to_what_runs_have(message):
    found = diagnosed(message, {})
    assert ids(found)[0] == "issuer-subject-context"
    assert OF_ACCOUNTS.isdisjoint(ids(found))
    links = {link.id: link.verdict for link in found.links}
    assert links["webhook"] == links["token-volume"] == "skipped"
    assert {cause.certainty for cause in found.causes} <= {"likely", "possible"}


@pytest.mark.parametrize(
    "answer", ["Incorrect token audience", f"No OpenIDConnect provider found in your account for https://{GITHUB}"]
)
def test_what_sts_says_of_the_token_of_a_run_is_about_no_service_account(answer):
    found = diagnosed(f"Error: Could not assume role with OIDC: {answer}", {})
    assert ids(found)[0] in ("aud-not-in-clientids", "oidc-provider-missing")
    assert not any(ident.startswith(("token-", "xacct-", "aud-annotation", "podid-")) for ident in ids(found))


def test_a_role_that_trusts_pipelines_alone_says_whose_credential_a_message_is_about():
    found = diagnosed(DENIED, role_of("repo:acme/shop:ref:refs/heads/main"))
    assert ids(found)[0] == "issuer-subject-context"
    assert OF_ACCOUNTS.isdisjoint(ids(found))


def test_a_role_that_requires_no_context_is_not_refused_for_it():
    found = diagnosed(OF_ACTION, role_of("repo:acme/shop:*"))
    assert "issuer-subject-context" not in ids(found)
    assert "issuer-subject-format" in ids(found)


def test_a_role_of_a_cluster_is_no_role_of_runs_whatever_is_written_of_actions():
    documents = {name: content for name, content in world().items() if name in ("role.json", "roles.json")}
    found = diagnosed(OF_ACTION, documents)
    assert "issuer-subject-context" not in ids(found)


def test_of_a_role_for_both_a_message_says_whose_credential_it_is_about():
    documents = {"roles.json": world()["roles.json"]}
    of_run = role_of("repo:acme/shop:ref:refs/heads/main")["role.json"]["Role"]["AssumeRolePolicyDocument"]["Statement"]
    documents["roles.json"]["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"] += of_run
    found = diagnosed(OF_ACTION, documents)
    assert ids(found)[0] == "issuer-subject-context"
    assert OF_ACCOUNTS.isdisjoint(ids(found))
    assert "issuer-subject-context" not in ids(diagnosed(DENIED, documents))


def test_a_service_account_that_names_the_role_is_who_asks():
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "app",
            "namespace": "shop",
            "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/deploy"},
        },
    }
    found = diagnosed(DENIED, {**role_of("repo:acme/shop:ref:refs/heads/main"), "account.json": account})
    assert "issuer-subject-context" not in ids(found)


@pytest.mark.parametrize(
    "message",
    [
        IN_POD,
        "\n".join(reversed(IN_POD.split("\n"))),
        f"We deploy with aws-actions/configure-aws-credentials@v4. The pod logs\nWebIdentityErr: {DENIED}",
        f"{OF_STEP}\nThe runners are pods of actions-runner-controller.",
        f"{OF_STEP}\nThe runner has the annotation eks.amazonaws.com/role-arn.",
    ],
)
def test_a_pipeline_in_a_pod_asks_with_the_token_of_its_service_account(message):
    found = diagnosed(message, {})
    assert ids(found)[0] == "trust-sub-mismatch"
    assert OF_ACCOUNTS & set(ids(found))


OF_CLUSTERS = ("pod", "service account", "serviceaccount", "kubectl", "annotat")
WORDS_OF_RUNS = {
    DENIED: "trust-policy",
    "Request ARN is invalid": "request",
    "getaddrinfo ENOTFOUND sts.eu-west-1.amazonaws.com": "sts-endpoint",
    f"No OpenIDConnect provider found in your account for https://{GITHUB}": "provider",
}


@pytest.mark.parametrize(("message", "link"), WORDS_OF_RUNS.items())
def test_what_is_shown_of_a_run_speaks_of_no_pod_and_no_service_account(message, link):
    found = diagnosed(f"Run aws-actions/configure-aws-credentials@v4\nError: {message}", {})
    titles = {one.id: one.title for one in found.links}
    likeliest = found.causes[0]
    shown = " ".join((titles[link], likeliest.title, likeliest.because, likeliest.remedy, likeliest.settle)).lower()
    assert not [word for word in OF_CLUSTERS if word in shown]
    assert not [cause.title for cause in found.causes if "nnotated" in cause.title or "service account" in cause.title]


@pytest.mark.parametrize("answer", ["no such file or directory", "permission denied"])
def test_what_keeps_a_run_from_the_file_of_its_token_is_found_without_pods(answer):
    found = diagnosed(f"CI_JOB_JWT\nError: open {'/var/run/secrets/eks.amazonaws.com/'}token: {answer}", {})
    assert found.causes
    assert not [cause.id for cause in found.causes if "kubectl" in cause.settle or "pod" in cause.remedy]


def test_the_action_of_github_that_finds_no_credentials_is_one_of_a_run():
    found = diagnosed("Error: Credentials could not be loaded, please check your action inputs: Could not load credentials", {})
    assert ids(found)[0] == "issuer-token-not-requested"
    assert not [cause.id for cause in found.causes if "kubectl" in cause.settle]


def test_a_role_that_a_run_requests_and_that_is_gone_is_no_annotated_one():
    found = diagnosed(f"We deleted the role. {OF_ACTION}", {})
    assert (found.causes[0].id, found.causes[0].title) == ("role-missing", "Role does not exist")
    assert "annotation" not in found.causes[0].remedy
    assert OF_ACCOUNTS.isdisjoint(ids(found))


@pytest.mark.parametrize("message", ["NoCredentialProviders: no valid providers in chain.", "NoCredentialsError"])
def test_a_run_without_credentials_has_not_asked_for_its_token(message):
    for documents, text in (
        (role_of("repo:acme/shop:*"), message),
        ({}, f"aws-actions/configure-aws-credentials@v4\n{message}"),
    ):
        found = diagnosed(text, documents)
        assert ids(found)[0] == "issuer-token-not-requested"
        assert not [ident for ident in ids(found) if ident.startswith(("sa-", "pod-", "webhook-"))]
    of_pod = ids(diagnosed(message, {}))
    assert of_pod[0] == "sa-annotation-missing"
    assert "issuer-token-not-requested" not in of_pod


def test_a_pipeline_far_from_a_message_says_nothing_of_it():
    far = f"uses: aws-actions/configure-aws-credentials@v4\n{'line of a log' * 100}\nWebIdentityErr: AccessDenied: {DENIED}"
    assert ids(diagnosed(far, {}))[0] == "trust-sub-mismatch"
