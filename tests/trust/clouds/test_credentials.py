"""Which tokens a federated credential admits, and what differs where it does not."""

import pytest

from irsa_doctor.model import FederatedCredential, Hole, Place, Text
from irsa_doctor.trust.clouds.credentials import TOKEN_EXCHANGE, match_of
from irsa_doctor.trust.clouds.flexible import ClaimCondition, read_expression

ISSUER = "https://westeurope.oic.prod-aks.azure.com/t/c/"
SUBJECT = "system:serviceaccount:orders:api"


def credential(**changes):
    fields = {"issuer": ISSUER, "subject": SUBJECT, "audiences": (TOKEN_EXCHANGE,), **changes}
    return FederatedCredential(name="c", place=Place("c.json"), **fields)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({}, "matches"),
        ({"issuer": ISSUER[:-1]}, "slash"),
        ({"issuer": "https://westeurope.oic.prod-aks.azure.com/t/d/"}, "issuer"),
        ({"subject": "system:serviceaccount:Orders:api"}, "case"),
        ({"subject": "system:serviceaccount:api:orders"}, "swapped"),
        ({"subject": "system:serviceaccount:orders/api"}, "impossible"),
        ({"subject": "system:serviceaccount:orders:*"}, "impossible"),
        ({"subject": "system:serviceaccount:orders:web"}, "subject"),
        ({"audiences": (TOKEN_EXCHANGE.lower(),)}, "audience"),
        ({"audiences": ("x", TOKEN_EXCHANGE)}, "matches"),
        ({"subject": "", "expression": "claims['sub'] eq 'x'"}, "flexible"),
        ({"issuer": Text((Hole("${issuer}"),))}, "open"),
        ({"subject": Text(("system:serviceaccount:orders:", Hole("${name}")))}, "open"),
        ({"subject": Text(("system:serviceaccount:web:", Hole("${name}")))}, "subject"),
    ],
)
def test_a_credential_is_compared_part_by_part(changes, match):
    assert match_of(credential(**changes), ISSUER, SUBJECT, TOKEN_EXCHANGE) == match


def test_an_expression_is_read_as_its_conditions():
    text = "claims['sub'] matches 'repo:acme/*' and claims['job_workflow_ref'] eq 'acme/ci'"
    sub, workflow = ClaimCondition("sub", "repo:acme/*", True), ClaimCondition("job_workflow_ref", "acme/ci", False)
    assert read_expression(text) == (sub, workflow)


@pytest.mark.parametrize("text", ["", "claims['sub']", "claims['sub'] like 'x'", "claims['sub'] eq 'x' or claims['a'] eq 'y'"])
def test_any_other_expression_is_not_read(text):
    assert read_expression(text) is None
