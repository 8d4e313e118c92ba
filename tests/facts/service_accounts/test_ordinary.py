"""Ordinary service accounts have the facts of their cluster's others, and those are what each has alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts import ServiceAccountFacts, service_account_facts
from tests.facts.situations import BORN, KEY, association, aws, manifests, role, role_arn, view
from tests.trust.drawing import examples

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ARNS = [
    role_arn(),
    role_arn("admin"),
    role_arn("gone"),
    role_arn().replace("arn:aws:", "arn:aws-cn:"),
    "arn:aws:iam::111122223333:role/${NAME}",
    "arn:aws:iam::111122223333:policy/app",
    "",
]
MORE = [
    {},
    {},
    {},
    {"eks.amazonaws.com/audience": "other"},
    {"eks.amazonaws.com/token-expiration": "3600"},
    {"eks.amazonaws.com/sts-regional-endpoints": "yes"},
]


def named(name: str, arn: str, more: dict[str, str]) -> dict:
    metadata = {"name": name, "namespace": "prod", "creationTimestamp": BORN, "annotations": {KEY: arn, **more}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def roles() -> dict:
    inline = [{"PolicyName": "all", "PolicyDocument": EVERYTHING}]
    admin = role(Arn=role_arn("admin"), RoleName="admin", RolePolicyList=inline, AttachedManagedPolicies=[])
    return {"RoleDetailList": [role(), admin], "UserDetailList": []}


@examples(60)
@given(
    st.lists(st.tuples(st.sampled_from(ARNS), st.sampled_from(MORE)), min_size=2, max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_each_service_account_has_the_facts_that_it_has_alone(drawn, listed, associated):
    accounts = [named("a" * 300 if number == 5 else f"app-{number}", *each) for number, each in enumerate(drawn)]
    documents = aws(**{"roles.json": roles(), "accounts.yaml": manifests(*accounts)})
    if associated:
        documents["association.json"] = association("app-0")
    if not listed:
        del documents["associations.json"]
    together = view(documents)
    for each in together.inventory.service_accounts:
        shared, alone = service_account_facts(together, each), service_account_facts(view(documents), each)
        assert (shared.facts, shared.id, shared.group) == (alone.facts, alone.id, alone.group)


@pytest.mark.parametrize("named_role", ["app", "admin"])
def test_ordinary_service_accounts_of_a_cluster_have_one_record(named_role):
    accounts = [named(f"app-{number}", role_arn(named_role), {}) for number in range(3)]
    seen = view(aws(**{"roles.json": roles(), "accounts.yaml": manifests(*accounts)}))
    records = {id(service_account_facts(seen, each).facts) for each in seen.inventory.service_accounts}
    assert len(records) == 1


@pytest.mark.parametrize(("annotations", "wanted"), [({}, True), ({KEY: role_arn("gone")}, False), ({KEY: role_arn()}, False)])
def test_a_service_account_that_names_a_role_is_not_one_that_a_role_still_waits_for(annotations, wanted):
    sample = named("app", "", {})
    sample["metadata"]["annotations"] = annotations
    seen = view(aws(**{"roles.json": roles(), "accounts.yaml": manifests(sample)}))
    (own,) = seen.inventory.service_accounts
    facts = service_account_facts(seen, own).facts
    assert isinstance(facts, ServiceAccountFacts)
    assert facts.wanted is wanted
