"""A cluster whose issuer ends in a slash: its provider, principal and keys end in one too (P2)."""

import pytest

from irsa_doctor import api
from tests.cli.running import put

HOST = "oidc-prod.s3.amazonaws.com"
ACCOUNT = "111122223333"


def world(folder, issuer, principal, more=None):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{principal}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{principal}:sub": "system:serviceaccount:a:b", f"{principal}:aud": "sts.amazonaws.com"}
                },
            }
        ],
    }
    role = {"Arn": f"arn:aws:iam::{ACCOUNT}:role/app", "RoleName": "app", "Path": "/", "AssumeRolePolicyDocument": trust}
    discovery = {
        "issuer": f"https://{issuer}",
        "jwks_uri": f"https://{issuer.rstrip('/')}/keys.json",
        "authorization_endpoint": "urn:kubernetes:programmatic_authorization",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    put(folder / "role.json", {"Role": role})
    put(folder / "discovery.json", discovery)
    return [finding for finding in api.check([str(folder)]).findings if finding.severity in ("critical", "high")]


@pytest.mark.parametrize("issuer", [f"{HOST}/", f"{HOST}/prod/"])
def test_what_is_missing_is_named_and_the_right_arn_too(tmp_path, issuer):
    (finding,) = world(tmp_path, issuer, issuer.removesuffix("/"))
    assert finding.rule == "trust-principal-wrong-arn"
    assert (
        f'lacks the slash at the end of the issuer; expected "arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"' in finding.message
    )


@pytest.mark.parametrize("issuer", [f"{HOST}/", HOST])
def test_the_same_in_both_is_right(tmp_path, issuer):
    assert not world(tmp_path, issuer, issuer)
