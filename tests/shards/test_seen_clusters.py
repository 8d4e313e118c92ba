"""Clusters that only lists name, and documents that differ: what an audit and a check say of them, in any order of reading."""

import itertools

import pytest

from tests.shards.organisations import AUD, answer, put, snapshot
from tests.shards.test_same_answers import assert_same, checked

HOME, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"


def issuer(letter):
    return f"oidc.eks.{REGION}.amazonaws.com/id/" + letter * 32


def arn(account, name="prod", region=REGION):
    return f"arn:aws:eks:{region}:{account}:cluster/{name}"


def account_shard(account, *, listed, provider):
    """The lists of an account: of clusters (None: there is none), and of one provider."""
    me, region = {"account": account}, {"account": account, "region": REGION}
    named = f"arn:aws:iam::{account}:oidc-provider/{issuer(provider)}"
    details = {"Url": issuer(provider), "ClientIDList": [AUD], "ThumbprintList": []}
    documents = [
        answer(f"aws://{account}/iam/roles", me, {"Roles": []}),
        answer(f"aws://{account}/iam/oidc-providers", me, {"OpenIDConnectProviderList": [{"Arn": named}]}),
        answer(f"aws://{account}/iam/oidc-providers/1", me, details),
    ]
    if listed is not None:
        documents.append(answer(f"aws://{account}/eks/{REGION}/clusters", region, {"clusters": listed}))
    return snapshot(documents)


def cluster_shard(cluster):
    listed = {"apiVersion": "v1", "kind": "ServiceAccountList", "items": []}
    return snapshot([answer(f"kube://{cluster}/serviceaccounts", {"cluster": cluster, "closes": ["serviceaccounts"]}, listed)])


def rules_of(report):
    return [(finding["rule"], finding["subject"]["id"]) for finding in report["findings"]]


def test_a_provider_may_be_that_of_a_cluster_that_is_listed_and_could_not_be_described(tmp_path):
    put(tmp_path / "a.json", account_shard(HOME, listed=["prod"], provider="A"))
    report = checked(tmp_path)
    assert rules_of(report) == []
    unknown = next(each for each in report["unknown"] if "open-provider-of-deleted-cluster" in each["rules"])
    assert unknown["missing"] == "issuer of cluster prod"
    assert_same(tmp_path)


def test_a_provider_is_that_of_a_deleted_cluster_where_all_of_its_region_are_known(tmp_path):
    put(tmp_path / "a.json", account_shard(HOME, listed=[], provider="A"))
    put(tmp_path / "elsewhere.json", cluster_shard(arn(OTHER, region="us-east-1")))
    assert [rule for rule, _ in rules_of(checked(tmp_path))] == ["open-provider-of-deleted-cluster"]
    assert_same(tmp_path)


SHARDS = {
    "home": account_shard(HOME, listed=["prod"], provider="A"),
    "other": account_shard(OTHER, listed=["prod"], provider="B"),
    "cluster of home": cluster_shard(arn(HOME)),
}


@pytest.mark.parametrize("order", list(itertools.permutations(SHARDS)))
def test_a_listed_cluster_is_not_one_of_its_name_in_another_account(tmp_path, order):
    for number, name in enumerate(order):
        put(tmp_path / f"{number}.json", SHARDS[name])
    report = checked(tmp_path)
    assert report["summary"]["clusters"] == 2
    assert rules_of(report) == []
    assert_same(tmp_path)


def test_a_list_of_another_account_leaves_its_cluster_where_one_of_the_name_is_read(tmp_path):
    """Lists that files have, without their regions."""
    for name, account in (("a", HOME), ("b", OTHER)):
        provider = f"arn:aws:iam::{account}:oidc-provider/{issuer('A')}"
        put(tmp_path / name / "providers.json", {"OpenIDConnectProviderList": [{"Arn": provider}]})
        put(tmp_path / name / "clusters.json", {"clusters": ["prod"]})
    put(tmp_path / "a" / "cluster.json", cluster_shard(arn(HOME)))
    assert checked(tmp_path)["summary"]["clusters"] == 2


@pytest.mark.parametrize("order", list(itertools.permutations([arn(HOME), arn(OTHER), "prod"])))
def test_a_name_that_two_clusters_have_means_neither_whatever_is_read_first(tmp_path, order):
    for number, cluster in enumerate(order):
        annotations = {"eks.amazonaws.com/role-arn": "no ARN"}
        item = {"metadata": {"name": "web", "namespace": "app", "annotations": annotations}}
        listed = {"apiVersion": "v1", "kind": "ServiceAccountList", "items": [item]}
        document = answer(f"kube://{cluster}/serviceaccounts", {"cluster": cluster}, listed)
        put(tmp_path / f"{number}.json", snapshot([document]))
    report = checked(tmp_path)
    subjects = sorted(ident for rule, ident in rules_of(report) if rule == "role-arn-malformed")
    assert subjects == [f"{arn(HOME)}/app/web", f"{arn(OTHER)}/app/web", "unknown-cluster/app/web"]
    assert_same(tmp_path)


def test_documents_of_a_shard_that_differ_are_judged_one_by_one(tmp_path):
    role = f"arn:aws:iam::{OTHER}:role/missing"
    put(tmp_path / "roles.json", snapshot([answer(f"aws://{OTHER}/iam/roles", {"account": OTHER}, {"Roles": []})]))
    folder = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
    env = [{"name": "AWS_ROLE_ARN", "value": role}, {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": f"{folder}/token"}]
    token = {"serviceAccountToken": {"audience": AUD, "path": "token", "expirationSeconds": 3600}}
    parts = {"volumes": [{"name": "token", "projected": {"sources": [token]}}], "serviceAccountName": "web"}
    for name, variables in (("first", []), ("second", env)):
        container = {"name": "app", "image": "app", "env": variables}
        container["volumeMounts"] = [{"name": "token", "mountPath": folder}]
        pod = {"metadata": {"name": "web", "namespace": "app"}, "spec": {**parts, "containers": [container]}}
        origin = {"cluster": arn(HOME), "closes": ["pods"]}
        listed = {"apiVersion": "v1", "kind": "PodList", "items": [pod]}
        put(tmp_path / f"{name}.json", snapshot([answer(f"kube://{name}/pods", origin, listed)]))
    accounts = {"apiVersion": "v1", "kind": "ServiceAccountList", "items": [{"metadata": {"name": "web", "namespace": "app"}}]}
    origin = {"cluster": arn(HOME), "closes": ["serviceaccounts"]}
    put(tmp_path / "accounts.json", snapshot([answer("kube://first/serviceaccounts", origin, accounts)]))
    assert "role-missing" in {rule for rule, _ in rules_of(checked(tmp_path))}
    assert_same(tmp_path)
