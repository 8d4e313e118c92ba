"""`why --token` for tokens of issuers that are no clusters: the policy, the audience and the form of the subject are judged."""

import base64
import json
import time

import pytest

from irsa_doctor import api
from tests.cli.running import ACCOUNT, put

HOST = "token.actions.githubusercontent.com"
ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"


def token_of(**claims):
    now = int(time.time())
    body = {"iss": f"https://{HOST}", "iat": now - 60, "exp": now + 600, "aud": "sts.amazonaws.com", **claims}
    parts = ({"alg": "RS256", "kid": "k", "typ": "JWT"}, body)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, base64.urlsafe_b64encode(b"1" * 64).rstrip(b"=")])


def diagnosis(tmp_path, sub, keys, *, role=ROLE, **claims):
    """The diagnosis of a token with a subject, for a role whose policy requires keys of GitHub."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": ARN},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {f"{HOST}:{key}": value for key, value in {"aud": "sts.amazonaws.com", **keys}.items()}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    of_role = {"Path": "/", "RoleName": "deploy", "Arn": ROLE, "AssumeRolePolicyDocument": policy, "MaxSessionDuration": 3600}
    put(tmp_path / "role.json", {"Role": of_role})
    put(tmp_path / "providers.json", {"OpenIDConnectProviderList": [{"Arn": ARN}]})
    put(tmp_path / "provider.json", {"Url": HOST, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []})
    symptoms = api.Symptoms(token=token_of(sub=sub, **claims))
    return api.why("", [str(tmp_path)], role=role, symptoms=symptoms)


@pytest.mark.parametrize(
    ("sub", "required", "cause"),
    [
        ("repo:acme@1/shop@2:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/main", "issuer-subject-format"),
        ("repo:acme/shop:environment:production", "repo:acme/shop:ref:refs/heads/main", "issuer-subject-context"),
        ("repo:Acme/shop:pull_request", "repo:acme/shop:*", "trust-case"),
        ("repo:initech/docs:pull_request", "repo:acme/shop:*", "trust-sub-mismatch"),
        ("repo:acme/shop:pull_request", "repo:acme/shop", "issuer-subject-impossible"),
    ],
)
def test_a_subject_that_is_not_admitted_has_its_cause(tmp_path, sub, required, cause):
    answer = diagnosis(tmp_path, sub, {"sub": required})
    assert answer.verdict == "broken"
    assert answer.causes[0].id == cause


@pytest.mark.parametrize("role", [ROLE, ""])
def test_a_token_that_is_admitted_passes_the_policy(tmp_path, role):
    sub = "repo:acme@1/shop@2:ref:refs/heads/main"
    answer = diagnosis(tmp_path, sub, {"sub": sub, "repository_id": "2"}, role=role, repository_id="2")
    assert {link.id: link.verdict for link in answer.links}["trust-policy"] == "pass"
    assert {link.id: link.verdict for link in answer.links}["service-account"] == "skipped"


def test_a_claim_of_the_token_decides_a_condition_key(tmp_path):
    sub = "repo:acme@1/shop@2:ref:refs/heads/main"
    answer = diagnosis(tmp_path, sub, {"sub": sub, "repository_id": "3"}, repository_id="2")
    assert {link.id: link.verdict for link in answer.links}["trust-policy"] == "fail"


@pytest.mark.parametrize(
    ("subjects", "admitting", "says"),
    [
        (("repo:acme/shop:*", "repo:acme/shop:ref:refs/heads/main", "repo:acme/docs:*"), ("r0", "r1"), "r0, arn:"),
        (("repo:acme/docs:*", "repo:acme/site:*"), (), "does not admit the token"),
        (("repo:acme/docs:*", "repo:acme/shop:*"), ("r1",), "r1 may admit it"),
    ],
)
def test_of_several_roles_it_is_said_which_admit_a_token_and_which_do_not(tmp_path, subjects, admitting, says):
    for number, subject in enumerate(subjects):
        keys = {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": subject}
        statement = {"Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity"}
        policy = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": {"StringLike": keys}}]}
        arn = f"arn:aws:iam::{ACCOUNT}:role/r{number}"
        role = {
            "Path": "/",
            "RoleName": f"r{number}",
            "Arn": arn,
            "AssumeRolePolicyDocument": policy,
            "MaxSessionDuration": 3600,
        }
        put(tmp_path / f"role{number}.json", {"Role": role})
    put(tmp_path / "providers.json", {"OpenIDConnectProviderList": [{"Arn": ARN}]})
    put(tmp_path / "provider.json", {"Url": HOST, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []})
    token = token_of(sub="repo:acme/shop:ref:refs/heads/main")
    answer = api.why("", [str(tmp_path)], symptoms=api.Symptoms(token=token))
    assert answer.roles == tuple(f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in admitting)
    notes = " ".join(note for note in answer.notes if "issuer" in note)
    assert says in notes
    assert all(f"role/r{number}" in notes for number in range(len(subjects)))
