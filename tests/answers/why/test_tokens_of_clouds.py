"""`why --token` for pools of Google Cloud and identities of Azure: each has a chain with what it makes of the token."""

import pytest

from irsa_doctor import api
from tests.answers.why.test_tokens_of_other_issuers import token_of
from tests.cli.running import put

GITHUB = "https://token.actions.githubusercontent.com"
POOL = "projects/420000000002/locations/global/workloadIdentityPools/ci/providers/github"
NAME = f"//iam.googleapis.com/{POOL}"
SUBJECT = "repo:acme@4410001/shop@2:ref:refs/heads/main"
EXCHANGE = "api://AzureADTokenExchange"
IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deploy"
CREDENTIAL = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
CLIENT = "3e9a6b17-2c84-4f0d-b5a8-6d1c7e4f9023"


def provider(**values):
    """A provider of a pool as gcloud prints it."""
    own = {
        "name": POOL,
        "state": "ACTIVE",
        "oidc": {"issuerUri": GITHUB},
        "attributeMapping": {"google.subject": "assertion.sub", "attribute.owner": "assertion.repository_owner"},
        "attributeCondition": "assertion.repository_owner == 'acme'",
    }
    return {**own, **values}


def chain(tmp_path, **claims):
    """The only chain of a token with these claims."""
    symptoms = api.Symptoms(token=token_of(**{"sub": SUBJECT, "repository_owner": "acme", **claims}))
    (only,) = api.why("", [str(tmp_path)], symptoms=symptoms).chains
    return only


def causes(found):
    return [(cause.id, cause.certainty) for cause in found.causes]


@pytest.mark.parametrize(
    ("values", "claims", "cause"),
    [
        ({}, {"aud": NAME}, None),
        ({"oidc": {"issuerUri": GITHUB, "allowedAudiences": ["acme"]}}, {"aud": "acme"}, None),
        ({"oidc": {"issuerUri": "https://gitlab.com"}}, {"aud": NAME}, "gcp-issuer-mismatch"),
        ({"oidc": {"issuerUri": f"{GITHUB}/"}}, {"aud": NAME}, "gcp-issuer-mismatch"),
        ({}, {"aud": "sts.amazonaws.com"}, "gcp-audience-mismatch"),
        ({}, {"aud": NAME.replace("/ci/", "/other/")}, "gcp-audience-mismatch"),
        ({}, {"aud": NAME, "repository_owner": "initech"}, "gcp-condition-rejects"),
        ({"attributeCondition": "attribute.owner == 'initech'"}, {"aud": NAME}, "gcp-condition-rejects"),
        ({"attributeCondition": "assertion.ref_protected == true"}, {"aud": NAME}, "gcp-condition-rejects"),
        ({"state": "DISABLED"}, {"aud": NAME}, "gcp-provider-disabled"),
    ],
)
def test_a_provider_of_a_pool_says_what_it_makes_of_a_token(tmp_path, values, claims, cause):
    put(tmp_path / "pool.json", provider(**values))
    found = chain(tmp_path, **claims)
    assert found.role == POOL
    assert (found.verdict, causes(found)) == (("works", []) if cause is None else ("broken", [(cause, "certain")]))


def test_a_condition_that_is_not_worked_out_is_unknown(tmp_path):
    put(tmp_path / "pool.json", provider(attributeCondition="assertion.sub.matches('^repo:acme/')"))
    found = chain(tmp_path, aud=NAME)
    assert (found.verdict, {link.id: link.verdict for link in found.links}["trust-policy"]) == ("unknown", "unknown")


def credentials(tmp_path, *listed):
    """The folder with an identity and its credentials."""
    identity = {"id": IDENTITY, "name": "deploy", "clientId": CLIENT, "principalId": "p", "tenantId": "t"}
    put(tmp_path / "identity.json", {**identity, "type": "Microsoft.ManagedIdentity/userAssignedIdentities"})
    own = {
        "audiences": [EXCHANGE],
        "issuer": GITHUB,
        "type": CREDENTIAL,
    }
    rows = [{**own, "id": f"{IDENTITY}/federatedIdentityCredentials/c{n}", "name": f"c{n}", **c} for n, c in enumerate(listed)]
    put(tmp_path / "credentials.json", rows)


@pytest.mark.parametrize(
    ("credential", "aud", "cause"),
    [
        ({"subject": SUBJECT}, EXCHANGE, None),
        ({"subject": SUBJECT, "issuer": "https://gitlab.com"}, EXCHANGE, "azure-issuer-mismatch"),
        ({"subject": SUBJECT}, "sts.amazonaws.com", "azure-audience-mismatch"),
        ({"subject": SUBJECT.replace("shop", "Shop")}, EXCHANGE, "azure-subject-case"),
        ({"claimsMatchingExpression": {"value": "claims['sub'] matches 'repo:acme@4410001/*'"}}, EXCHANGE, None),
        (
            {"claimsMatchingExpression": {"value": "claims['sub'] matches 'repo:initech/*'"}},
            EXCHANGE,
            "azure-subject-mismatch",
        ),
    ],
)
def test_an_identity_of_azure_says_what_its_credentials_make_of_a_token(tmp_path, credential, aud, cause):
    credentials(tmp_path, credential)
    found = chain(tmp_path, aud=aud)
    assert found.role == CLIENT
    assert (found.verdict, causes(found)) == (("works", []) if cause is None else ("broken", [(cause, "certain")]))


def test_one_credential_that_fits_is_enough(tmp_path):
    credentials(tmp_path, {"subject": "repo:acme/docs:pull_request"}, {"subject": SUBJECT})
    assert chain(tmp_path, aud=EXCHANGE).verdict == "works"
