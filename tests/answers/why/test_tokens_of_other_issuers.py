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
        ("repo:acme/shop:pull_request", "repo:<org>/<repo>:*", "issuer-subject-placeholder"),
        ("repo:acme/shop:pull_request", "repo:ORG/REPO:*", "issuer-subject-placeholder"),
        ("repo:acme/shop:pull_request", "repo:acme/<repo>:*", "issuer-subject-placeholder"),
        ("repo:acme/shop:pull_request", "repo:acme/tools:environment:%{env}", "issuer-subject-placeholder"),
        ("repo:acme/shop:pull_request", "repo:ORG-EU/shop:*", "trust-sub-mismatch"),
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


def of_roles(tmp_path, subjects, *, claims=None, keys=None, **options):
    """The diagnosis of a token of acme/shop for roles `r0`, `r1`, ... that each require one of several subjects."""
    for number, subject in enumerate(subjects):
        required = {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": subject}
        required |= {f"{HOST}:{key}": values[number] for key, values in (keys or {}).items()}
        statement = {"Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity"}
        policy = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": {"StringLike": required}}]}
        role = {
            "Path": "/",
            "RoleName": f"r{number}",
            "Arn": role_arn(number),
            "AssumeRolePolicyDocument": policy,
            "MaxSessionDuration": 3600,
        }
        put(tmp_path / f"role{number}.json", {"Role": role})
    put(tmp_path / "providers.json", {"OpenIDConnectProviderList": [{"Arn": ARN}]})
    put(tmp_path / "provider.json", {"Url": HOST, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []})
    token = token_of(sub="repo:acme/shop:ref:refs/heads/main", **(claims or {}))
    return api.why("", [str(tmp_path)], symptoms=api.Symptoms(token=token, **options))


def role_arn(number):
    return f"arn:aws:iam::{ACCOUNT}:role/r{number}"


@pytest.mark.parametrize(
    ("subjects", "admitting", "says"),
    [
        (("repo:acme/shop:*", "repo:acme/shop:ref:refs/heads/main", "repo:acme/docs:*"), (0, 1), "r0, arn:"),
        (("repo:acme/docs:*", "repo:acme/site:*"), (), "does not admit the token"),
        (("repo:acme/docs:*", "repo:acme/shop:*"), (1,), "r1 may admit it"),
    ],
)
def test_of_several_roles_it_is_said_which_admit_a_token_and_which_do_not(tmp_path, subjects, admitting, says):
    answer = of_roles(tmp_path, subjects)
    assert answer.roles == tuple(map(role_arn, admitting))
    notes = " ".join(note for note in answer.notes if "issuer" in note)
    assert says in notes
    assert all(f"role/r{number}" in notes for number in range(len(subjects)))


def test_each_role_that_trusts_the_issuer_has_a_chain_with_its_own_cause(tmp_path):
    subjects = ("repo:acme/docs:*", "repo:acme/shop:*", "repo:acme/shop:environment:production", "repo:Acme/shop:*")
    answer = of_roles(tmp_path, subjects)
    trust = {chain.role: {link.id: link.verdict for link in chain.links}["trust-policy"] for chain in answer.chains}
    assert trust == {role_arn(0): "fail", role_arn(1): "pass", role_arn(2): "fail", role_arn(3): "fail"}
    first = {chain.role: chain.causes[0].id for chain in answer.chains if chain.causes}
    assert first == {
        role_arn(0): "trust-sub-mismatch",
        role_arn(2): "issuer-subject-context",
        role_arn(3): "trust-case",
    }
    assert all(chain.predicted_error.code == "AccessDenied" for chain in answer.chains if chain.causes)
    assert [chain.verdict for chain in answer.chains][-3:] == ["broken"] * 3


def test_a_claim_that_is_a_condition_key_decides_the_chain_of_a_role(tmp_path):
    keys = {"repository_id": ("3", "2")}
    answer = of_roles(tmp_path, ["repo:acme/shop:*"] * 2, keys=keys, claims={"repository_id": "2"})
    assert answer.roles == (role_arn(1),)


def test_a_token_that_no_role_takes_is_broken_with_the_causes_of_all(tmp_path):
    answer = of_roles(tmp_path, ("repo:acme/docs:*", "repo:Acme/shop:*"))
    assert answer.verdict == "broken"
    assert {cause.id for cause in answer.causes} >= {"trust-sub-mismatch", "trust-case"}


def test_one_role_that_takes_the_token_is_enough_unless_a_failure_was_reported(tmp_path):
    subjects = ("repo:acme/docs:*", "repo:acme/shop:*")
    assert of_roles(tmp_path, subjects).verdict != "broken"
    message = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
    assert of_roles(tmp_path, subjects, error=message).verdict != "works"


def test_a_token_with_an_azp_is_compared_by_it_for_each_role(tmp_path):
    answer = of_roles(tmp_path, ("repo:acme/shop:*", "repo:acme/docs:*"), claims={"aud": ["a", "b"], "azp": "other"})
    assert answer.roles == ()


def test_the_text_names_each_role_with_what_is_wrong(tmp_path):
    answer = of_roles(tmp_path, ("repo:acme/docs:*", "repo:acme/shop:*"))
    text = api.render_why(answer, "text")
    assert f"{role_arn(0)} broken" in text
    assert "trust-sub-mismatch" in text


def test_a_named_role_has_the_only_chain(tmp_path):
    assert diagnosis(tmp_path, "repo:acme/shop:pull_request", {"sub": "repo:acme/shop:*"}).chains == ()
