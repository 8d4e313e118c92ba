"""The keys under which others look up what a shard has."""

import pytest

from irsa_doctor.facts.shards.rows import account_and_name, key_of, shard_records, trusted_issuer
from irsa_doctor.model import Inventory, Place, Role, TrustPolicy

ARN = "arn:aws:iam::111122223333:role/App"
PLACE = Place("aws://111122223333/iam/roles", "/Roles/0")


def keys_of(arn: str, account: str = "111122223333", name: str = "App", provider: str = "") -> set[int]:
    policy = TrustPolicy({"Statement": [{"Principal": {"Federated": provider}}]}, PLACE)
    role = Role(arn=arn, name=name, account=account, policy=policy, place=PLACE)
    return {key for record in shard_records(Inventory(roles=(role,)), set()) for key in record.keys}


@pytest.mark.parametrize("path", ["", "team/", "a/b/"])
@pytest.mark.parametrize("account", ["111122223333", "444455556666"])
@pytest.mark.parametrize("name", ["App", "Other"])
def test_a_role_is_looked_up_by_its_arn_and_by_what_its_answer_calls_it(path, account, name):
    arn = f"arn:aws:iam::111122223333:role/{path}App"
    keys = keys_of(arn, account, name)
    assert {key_of("role", *account_and_name(arn)), key_of("role", account, name.lower()), key_of("name", name.lower())} <= keys


@pytest.mark.parametrize("provider", ["arn:aws:iam::111122223333:oidc-provider/issuer.example/a", "no-arn:oidc-provider/a"])
def test_a_role_is_looked_up_by_the_issuer_of_each_provider_in_its_text(provider):
    assert key_of("trusted-issuer", trusted_issuer(provider)) in keys_of(
        "arn:aws:iam::111122223333:role/App", provider=provider
    )


def test_a_text_that_is_no_arn_of_a_role_has_a_name_all_the_same():
    assert (account_and_name(""), account_and_name("App"), account_and_name("a:b")) == (("", ""), ("", "app"), ("", "a:b"))
