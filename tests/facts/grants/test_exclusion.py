"""Why a policy does not admit a token: the mistake that was made with this token in mind."""

import pytest

from irsa_doctor.facts.grants.exclusion import exclusions, other_subject
from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.trust import read_policy
from irsa_doctor.trust.presented import PresentedToken
from tests.facts.situations import ACCOUNT, ISSUER, aws, provider_arn, view

SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
OWN, COLLEAGUE, AUDIENCE = "system:serviceaccount:prod:app", "system:serviceaccount:prod:web", "sts.amazonaws.com"


def kinds(*statements, subject=OWN):
    """The kinds of the defects that keep a token out of a policy of these statements."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    token = PresentedToken(ACCOUNT, provider_arn(), ISSUER, subject, AUDIENCE)
    return [check.kind for check in exclusions(read_policy(TrustPolicy(document, Place("-"))), token, view(aws()))]


def allow(conditions, **changes):
    """An Allow statement for the provider of the token."""
    statement = {"Effect": "Allow", "Principal": {"Federated": provider_arn()}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return statement | {"Condition": conditions} | changes


def equals(sub=OWN, aud=AUDIENCE):
    """StringEquals on both claims."""
    return {"StringEquals": {AUD: aud, SUB: sub}}


@pytest.mark.parametrize(
    ("sub", "expected"),
    [
        ("prod/app", ["subject-shape"]),
        (["prod/app", COLLEAGUE], ["subject-shape"]),
        (["prod/web", "Prod:app"], ["subject-shape"]),
        ("app", ["subject-shape"]),
        (["app", COLLEAGUE], ["subject-other", "subject-shape"]),
        ("prod/web", ["subject-other", "subject-shape"]),
        ("system:serviceaccount:test:app", ["subject-namespace"]),
        ("system:serviceaccount:prod:release-app", ["subject-release"]),
        (COLLEAGUE, ["subject-other"]),
        ("system:serviceaccount:${aws:PrincipalTag/x}:app", ["subject-variable"]),
    ],
)
def test_a_mistake_counts_that_was_made_with_this_token_in_mind(sub, expected):
    assert kinds(allow(equals(sub))) == expected


def test_the_statement_counts_that_needs_the_smallest_change():
    far = allow(equals(COLLEAGUE, "other"))
    assert kinds(far, allow(equals("prod/app"))) == ["subject-shape"]


def test_keys_of_the_issuer_that_a_wrong_principal_names_are_the_same_mistake():
    other = ISSUER[:-4] + "FFFF"
    conditions = {"StringEquals": {f"{other}:aud": AUDIENCE, f"{other}:sub": OWN}}
    statement = allow(conditions, Principal={"Federated": provider_arn(issuer=other)})
    assert kinds(statement) == ["principal-stale"]


def test_names_that_differ_by_a_release_go_before_a_namespace():
    assert other_subject(["system:serviceaccount:prod:a-app", "system:serviceaccount:test:app"], OWN) == "subject-release"


@pytest.mark.parametrize(
    ("issuer", "sub"),
    [("token.actions.githubusercontent.com", "repo:acme/web:ref:refs/heads/main"), ("app.terraform.io", "organization:acme:*")],
)
def test_a_role_of_pipelines_lacks_nothing_but_the_provider(issuer, sub):
    conditions = {"StringEquals": {f"{issuer}:aud": "aws.workload.identity", f"{issuer}:sub": sub}}
    assert kinds(allow(conditions, Principal={"Federated": provider_arn(issuer=issuer)})) == ["principal-other"]
