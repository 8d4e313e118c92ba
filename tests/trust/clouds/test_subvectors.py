"""The vectors for Azure and Google Cloud of the corpus subvectors (CC0-1.0), where it is installed: each is decided as it says.

https://pypi.org/project/subvectors/
"""

import json
from pathlib import Path

import pytest

from irsa_doctor.issuers import OTHER, profile_of
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.clouds.cel import read_condition
from irsa_doctor.trust.clouds.flexible import read_expression
from irsa_doctor.trust.clouds.tokens import PoolReading, TokenBoxes, admitted_by_expression, with_all_claims
from irsa_doctor.trust.languages import EVERYTHING, contains, literal

ISSUERS = {
    "github": "token.actions.githubusercontent.com",
    "gitlab": "gitlab.com",
    "terraform-cloud": "app.terraform.io",
    "bitbucket": "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
    "circleci": "oidc.circleci.com/org/aaaa",
}
START = TokenBoxes((Box(EVERYTHING, EVERYTHING),))


def admitted(vector) -> TokenBoxes:
    issuer, consumer = ISSUERS[vector["issuer"]], vector["condition"]["consumer"]
    pattern = vector["condition"]["pattern"]
    profile = with_all_claims(profile_of(issuer) or OTHER)
    if consumer == "gcp-cel":
        reading = PoolReading(profile=profile, issuer=f"https://{issuer}", claims={"google.subject": "sub"})
        return reading.admitted(START, read_condition(pattern))
    if consumer == "azure-fic-flexible":
        return admitted_by_expression(read_expression(pattern), EVERYTHING, profile)
    return TokenBoxes((Box(literal(pattern), EVERYTHING),))


def has_token(box: Box, vector) -> bool:
    claims = {name.lower(): value for name, value in vector.get("claims", {}).items()}
    of_subject = contains(box.subjects, vector["subject"])
    return of_subject and all(name in claims and contains(values.language, claims[name]) for name, values in box.claims)


def test_every_vector_is_decided_as_the_corpus_says():
    corpus = pytest.importorskip("subvectors")
    suites = [json.loads(path.read_text("utf-8")) for path in (Path(corpus.__file__).parent / "vectors").glob("*.json")]
    vectors = [vector for suite in suites for vector in suite["vectors"] if "aws" not in vector["condition"]["consumer"]]
    assert vectors
    for vector in vectors:
        tokens, matches = admitted(vector), vector["expect"] == "match"
        found = any(has_token(box, vector) for box in tokens.boxes)
        assert found is matches or (found and not tokens.exact), vector["id"]
