"""A provider that nobody knows may be one of SAML."""

import json

import pytest

from irsa_doctor.facts import View
from irsa_doctor.sources import load
from tests.sources.worlds import policy, provider_arn


@pytest.mark.parametrize(
    ("actions", "kinds"),
    [
        (["sts:AssumeRoleWithSAML", "sts:TagSession"], []),
        (["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"], ["policy"]),
        (["sts:AssumeRole"], ["policy"]),
    ],
)
def test_a_statement_for_saml_alone_is_no_grant_of_web_identity(actions, kinds):
    document = json.loads(json.dumps(policy()).replace(provider_arn(), "${provider}"))
    document["Statement"][0]["Action"] = actions
    view = View(load([], memory={"trust.json": json.dumps(document).encode()}).inventory, {})
    (analysed,) = view.roles
    assert [grant.kind for grant in analysed.grants] == kinds
