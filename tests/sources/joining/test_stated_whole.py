"""What a user says to be all objects, where it is not known of which cluster some of them are."""

import json

import pytest

from irsa_doctor.sources.loading import load

ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "cart", "namespace": "shop"}}
CONTAINERS = [{"name": "c"}]
POD = {**ACCOUNT, "kind": "Pod", "apiVersion": "v1", "spec": {"containers": CONTAINERS}}


def cluster(name):
    issuer = f"https://oidc.eks.eu-west-1.amazonaws.com/id/{name.upper() * 32}"
    arn = f"arn:aws:eks:eu-west-1:111122223333:cluster/{name}"
    return {"cluster": {"name": name, "arn": arn, "identity": {"oidc": {"issuer": issuer}}}}


def closed(documents, kind):
    memory = {path: json.dumps(content).encode() for path, content in documents.items()}
    return load([], memory=memory, complete=("serviceaccounts", "pods")).inventory.closed.has_kind("", kind)


ONE = {"a/cluster.json": cluster("a")}
TWO = {**ONE, "b/cluster.json": cluster("b")}


@pytest.mark.parametrize(("extra", "accounts", "pods"), [(ACCOUNT, False, True), (POD, True, False)])
def test_an_object_of_nobody_knows_which_cluster_may_be_what_one_lacks(extra, accounts, pods):
    documents = {**TWO, "object.json": extra}
    assert (closed(documents, "serviceaccounts"), closed(documents, "pods")) == (accounts, pods)


@pytest.mark.parametrize(
    "documents",
    [{**TWO, "a/object.json": ACCOUNT}, {**ONE, "object.json": ACCOUNT}, {"object.json": ACCOUNT}, TWO],
    ids=["in its folder", "one cluster", "no cluster", "no object"],
)
def test_where_the_cluster_of_each_is_known_the_user_is_believed(documents):
    assert closed(documents, "serviceaccounts")
