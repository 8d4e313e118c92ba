"""The forms of ARNs in IAM, written once."""

import pytest

from irsa_doctor.model import arn_of_provider, is_account_id, is_provider_of, is_role_arn, issuer_of_provider, parse_arn

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/5D2A"


def test_the_arn_of_a_provider_and_its_issuer_lead_to_each_other():
    arn = arn_of_provider("aws-cn", "111122223333", ISSUER)
    assert issuer_of_provider(arn) == ISSUER
    assert parse_arn(arn).name == ISSUER
    assert is_provider_of(arn, ISSUER)
    assert not is_provider_of(arn, ISSUER[:-1])


def test_what_is_no_provider_has_no_issuer():
    assert issuer_of_provider("arn:aws:iam::111122223333:role/app") == ""


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("arn:aws:iam::111122223333:role/app", True),
        ("arn:aws-us-gov:iam::111122223333:role/team/app_1+=,.@-", True),
        ("arn:aws:iam::111122223333:role/", False),
        ("arn:aws:iam::11112222333:role/app", False),
        ("arn:aws:iam::111122223333:role/app ", False),
        ("arn:aws:iam::111122223333:role/äpp", False),
        ("arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:role/app", False),
        ("app", False),
    ],
)
def test_a_role_has_one_form(text, right):
    assert is_role_arn(text) is right


@pytest.mark.parametrize(
    ("text", "right"), [("111122223333", True), ("11112222333", False), ("١١١١٢٢٢٢٣٣٣٣", False), ("", False)]
)
def test_the_id_of_an_account_has_twelve_ascii_digits(text, right):
    assert is_account_id(text) is right
