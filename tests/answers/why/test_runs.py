"""A credential of a pipeline of which the token is not given: whose it is shows in the role or in the message."""

import pytest

from irsa_doctor.answers.why import symptoms_in
from tests.answers.why.world import why, world

DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
OF_ACTION = f"Error: Could not assume role with OIDC: {DENIED}"
OF_GITLAB = f"$ aws sts assume-role-with-web-identity --web-identity-token $GITLAB_OIDC_TOKEN\nAccessDenied: {DENIED}"
GITHUB = "token.actions.githubusercontent.com"
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


@pytest.mark.parametrize("message", [IN_POD, "\n".join(reversed(IN_POD.split("\n")))])
def test_a_pipeline_in_a_pod_asks_with_the_token_of_its_service_account(message):
    found = diagnosed(message, {})
    assert ids(found)[0] == "trust-sub-mismatch"
    assert OF_ACCOUNTS & set(ids(found))
