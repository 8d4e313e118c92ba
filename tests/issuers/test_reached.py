"""Whom policies of issuers reach: what is open to strangers, what no token fits, and what is right."""

import json

import pytest

from irsa_doctor.api import check, who_can

VSTOKEN = "vstoken.actions.githubusercontent.com"
GITHUB = "token.actions.githubusercontent.com"
TERRAFORM = "app.terraform.io"
BITBUCKET = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
CIRCLECI = "oidc.circleci.com/org/5f0c1e2d-aaaa-4bbb-8ccc-0123456789ab"
ENTRA_OF_US = "login.microsoftonline.us/11112222-3333-4444-8555-666677778888/v2.0"
OTHER_ORG = "org/11111111-aaaa-4bbb-8ccc-0123456789ab"
REPOSITORY = "{3f1c0d6e-2a41-4f8e-9d2b-7b6a5c4d3e2f}"
PIPELINE = "organization:acme:pipeline:shop"
STACK = "organization:acme:project:infra:stack:net"


def answers(tmp_path, issuer, claims):
    """(the ring, the rules that find something) of a policy with values for claims, with wildcards."""
    provider = f"arn:aws:iam::111122223333:oidc-provider/{issuer}"
    condition = {"StringLike": {f"{issuer}:{claim}": value for claim, value in claims.items()}} if claims else {}
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}))
    found = {finding.rule: finding.severity for finding in check([str(path)]).findings if finding.severity != "low"}
    return who_can(str(path), [str(path)]).ring, found


@pytest.mark.parametrize(
    ("issuer", "claims", "ring"),
    [
        (GITHUB, {"sub": "environment:production"}, "platform"),
        (GITHUB, {"sub": "ref:refs/heads/main"}, "platform"),
        ("app.eu.terraform.io", {"aud": "aws.workload.identity"}, "platform"),
        ("oidc-configuration.audit-log.githubusercontent.com", {"aud": "sts.amazonaws.com"}, "platform"),
        ("proidc.upbound.io", {"aud": "sts.amazonaws.com"}, "platform"),
        ("proidc.upbound.io", {"sub": "mcp:*:provider:provider-aws"}, "platform"),
        ("tokens.cloud.shisho.dev", {}, "platform"),
        ("studio.datachain.ai/api", {}, "platform"),
        ("token.builds.bitrise.io", {"aud": "sts.amazonaws.com"}, "platform"),
        ("login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", {"aud": "1111"}, "platform"),
        ("appleid.apple.com", {"aud": "com.acme.app"}, "platform"),
    ],
)
def test_strangers_are_let_in(tmp_path, issuer, claims, ring):
    reached, found = answers(tmp_path, issuer, claims)
    assert reached == ring
    assert "critical" in found.values()


@pytest.mark.parametrize(
    ("issuer", "claims", "ring", "rule"),
    [
        (GITHUB, {"sub": "repo:acme/shop:pull_request:actor:bob"}, "repository", "reach-unreviewed"),
        (BITBUCKET, {"sub": f"{REPOSITORY}*:*"}, "repository", "reach-repository"),
        ("acme.app.us.spacelift.io", {"aud": "acme.app.us.spacelift.io"}, "organisation", "reach-organisation"),
        ("oidc.fly.io/acme", {"aud": "sts.amazonaws.com"}, "organisation", "reach-organisation"),
        ("oidc.fly.io/acme", {"sub": "acme:*"}, "organisation", "reach-organisation"),
        ("app.harness.io/ng/api/oidc/account/vpCkHKsDSxK9", {"aud": "sts.amazonaws.com"}, "organisation", "reach-organisation"),
        ("cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI", {"aud": "4abc"}, "organisation", "reach-organisation"),
        ("securetoken.google.com/acme-shop", {"aud": "acme-shop"}, "organisation", "reach-organisation"),
        (
            "login.microsoftonline.us/11112222-3333-4444-8555-666677778888/v2.0",
            {"aud": "x"},
            "organisation",
            "reach-organisation",
        ),
        (GITHUB, {"sub": "repo:acme/shop:ref:refs/pull/*"}, "repository", "reach-repository"),
        (GITHUB, {"sub": "repo:acme@4410001/shop@88120001:ref:refs/pull/*/merge"}, "repository", "reach-repository"),
        ("token.builds.bitrise.io", {"sub": "app:0a1b2c3d4e5f6071:workflow:*"}, "repository", "reach-repository"),
        (VSTOKEN, {"sub": "repo:acme/shop:*"}, "repository", "reach-repository"),
        ("issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC", {"aud": "4abc"}, "organisation", "reach-organisation"),
        ("acme.okta-emea.com", {"aud": "x"}, "organisation", "reach-organisation"),
        (
            "app3.harness.io/ng/api/oidc/account/vpCkHKsDSxK9",
            {"aud": "sts.amazonaws.com"},
            "organisation",
            "reach-organisation",
        ),
        (TERRAFORM, {"sub": f"{STACK}:deployment:prod:operation:*"}, "repository", "reach-repository"),
        (TERRAFORM, {"sub": f"{STACK}:deployment:prod:operation:plan"}, "repository", "reach-unreviewed"),
    ],
)
def test_more_than_one_workload_is_let_in(tmp_path, issuer, claims, ring, rule):
    reached, found = answers(tmp_path, issuer, claims)
    assert reached == ring
    assert rule in found


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        (CIRCLECI, f"{OTHER_ORG}/project/*"),
        ("oidc.vercel.com/acme", "owner:globex:project:shop:environment:production"),
        ("agent.buildkite.com", "organization:acme:pipeline:shop:ref:main:commit:*"),
        (BITBUCKET, "3f1c0d6e-2a41-4f8e-9d2b-7b6a5c4d3e2f:*"),
        ("agent.buildkite.com", f"{PIPELINE}:ref:refs/pull/7/head:commit:*"),
        (BITBUCKET, "{3f1c0d6e}:*"),
        ("gitlab.com", "ref:main"),
    ],
)
def test_no_token_fits(tmp_path, issuer, subject):
    reached, found = answers(tmp_path, issuer, {"sub": subject})
    assert reached == "nobody"
    assert found.keys() == {"issuer-subject-impossible"}


def test_no_line_ends_in_a_branch(tmp_path):
    reached, found = answers(tmp_path, GITHUB, {"sub": "repo:acme/shop:ref:refs/heads/main\n"})
    assert (reached, found.keys()) == ("nobody", {"issuer-subject-impossible"})


@pytest.mark.parametrize(
    ("issuer", "subject", "ring"),
    [
        (GITHUB, "repo:alice_acme/tools:ref:refs/heads/main", "ref"),
        (TERRAFORM, f"{STACK}:deployment:prod:operation:apply", "workload"),
        ("agent.buildkite.com", "organization:acme:pipeline:shop:ref:refs/tags/v1:commit:*", "ref"),
        ("oidc-configuration.audit-log.githubusercontent.com", "https://github.com/acme-enterprise", "organisation"),
        ("proidc.upbound.io", "mcp:acme/prod:provider:provider-aws", "workload"),
        ("oidc.fly.io/acme", "acme:shop:*", "workload"),
        ("agent.buildkite.com", f"{PIPELINE}:ref:refs/heads/main:*", "ref"),
        ("agent.buildkite.com", f"{PIPELINE}:ref:refs/heads/bob:main:commit:*", "ref"),
        ("agent.buildkite.com", f"{PIPELINE}:ref:refs/heads/main:commit:*:step:", "ref"),
        ("token.builds.bitrise.io", "app:0a1b2c3d4e5f6071:workflow:deploy", "ref"),
        (VSTOKEN, "repo:acme/shop:ref:refs/tags/v1", "ref"),
        (VSTOKEN, "repo:acme/shop:pull_request", "ref"),
        ("gitlab.com", "project_path:acme/shop:ref_type:branch:ref:main:deployment_tier:production", "ref"),
        (TERRAFORM, f"{STACK}:deployment:prod:operation:destroy", "ref"),
        ("appleid.apple.com", "001234.0123456789ABCDEF", "workload"),
        ("oidc.vercel.com/acme", "owner:acme:project:shop:environment:production", "ref"),
    ],
)
def test_what_is_right_is_silent(tmp_path, issuer, subject, ring):
    claims = {"sub": subject, "aud": "sts.amazonaws.com"}
    assert answers(tmp_path, issuer, claims) == (ring, {})
