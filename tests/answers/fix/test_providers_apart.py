"""A provider in a list, whose tokens have none of the keys: what is done depends on who of its cluster uses the role."""

import json

import pytest

from irsa_doctor import api
from tests.cli.running import put

ACCOUNT = "111122223333"
HOST = "oidc.eks.eu-west-1.amazonaws.com/id"
OWN, OTHER = f"{HOST}/8C41D5E09A7B4F2368D1A0F5C93E7B64", f"{HOST}/3A72C5E19F0B4D6688D1A0F5C93E7B64"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/cart"
CART = "system:serviceaccount:shop:cart"


def provider(issuer):
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"


def statement(*issuers, keys=OWN):
    return {
        "Effect": "Allow",
        "Principal": {"Federated": [provider(issuer) for issuer in issuers]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{keys}:sub": CART, f"{keys}:aud": "sts.amazonaws.com"}},
    }


def fixed(folder, users, listed=True, declared=True, issuers=(OTHER, OWN), condition=None, name_of_other="cart"):
    """The fixing of a role for two clusters; `users`: the clusters whose service account names it."""
    written = statement(*issuers) | ({"Condition": condition} if condition else {})
    policy = {"Version": "2012-10-17", "Statement": [written]}
    put(folder / "trust.json", policy)
    put(folder / "providers.json", {"OpenIDConnectProviderList": [{"Arn": provider(issuer)} for issuer in (OWN, OTHER)]})
    for name, issuer in (("own", OWN), ("other", OTHER)):
        of_cluster = {"name": name, "arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/{name}"}
        put(folder / name / "cluster.json", {"cluster": {**of_cluster, "identity": {"oidc": {"issuer": f"https://{issuer}"}}}})
        metadata = {"name": name_of_other if name == "other" else "cart", "namespace": "shop"}
        annotated = {**metadata, "annotations": {"eks.amazonaws.com/role-arn": ROLE}} if name in users else metadata
        put(folder / name / "account.json", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": annotated})
    settings = api.Settings(
        roles={ROLE: str(folder / "trust.json")} if declared else {}, complete=("serviceaccounts",) if listed else ()
    )
    return api.fix([str(folder)], settings=settings).fixing


@pytest.mark.parametrize("issuers", [(OTHER, OWN), (OWN, OTHER)])
def test_a_provider_that_nobody_uses_the_role_through_goes(tmp_path, issuers):
    answer = fixed(tmp_path, ("own",), issuers=issuers)
    (fix,) = answer.fixes
    assert (fix.rule, fix.safety, fix.proof.kind) == ("trust-key-wrong-cluster", "safe", "same")
    (text,) = answer.after.values()
    (left,) = json.loads(text)["Statement"]
    assert left["Principal"] == {"Federated": [provider(OWN)]}
    assert left["Condition"] == statement(OWN)["Condition"]


@pytest.mark.parametrize("unknown", ["listed", "declared"])
def test_it_stays_where_it_is_not_known_who_uses_the_role(tmp_path, unknown):
    answer = fixed(tmp_path, ("own",), **{unknown: False})
    assert [(each.rule, each.reason) for each in answer.unfixed] == [("trust-key-wrong-cluster", "ambiguous")]


def test_it_stays_where_its_service_account_uses_the_role(tmp_path):
    answer = fixed(tmp_path, ("own", "other"))
    assert answer.fixes == ()
    assert {each.reason for each in answer.unfixed} == {"would-cause"}


def equals(*prefixes):
    """A condition on the subject and the audience under the keys of each prefix."""
    return {"StringEquals": {f"{prefix}:{claim}": value for prefix in prefixes for claim, value in CLAIMS.items()}}


CLAIMS = {"sub": CART, "aud": "sts.amazonaws.com"}


@pytest.mark.parametrize("condition", [equals(OWN, OTHER), equals(f"https://{OWN}"), equals(f"{OWN}/")])
@pytest.mark.parametrize("issuers", [(OTHER, OWN), (OWN, OTHER)])
def test_another_defect_of_the_keys_is_put_right_for_the_cluster_that_uses_the_role(tmp_path, condition, issuers):
    answer = fixed(tmp_path, ("own",), issuers=issuers, condition=condition, name_of_other="web")
    assert not answer.unfixed
    assert {fix.safety for fix in answer.fixes} == {"safe"}
    (text,) = answer.after.values()
    (left,) = json.loads(text)["Statement"]
    assert left["Principal"]["Federated"] in (provider(OWN), [provider(OWN)])
    assert left["Condition"] == equals(OWN)


def test_of_keys_of_two_clusters_none_goes_where_both_may_use_the_role(tmp_path):
    answer = fixed(tmp_path, ("own",), condition=equals(OWN, OTHER), listed=False, name_of_other="web")
    kept = [json.loads(text)["Statement"] for text in answer.after.values()]
    assert all({provider(OWN), provider(OTHER)} == {each["Principal"]["Federated"] for each in left} for left in kept)
