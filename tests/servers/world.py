"""The fixture worlds behind servers: the documents of a folder as an account and a cluster that can be asked."""

import json

from irsa_doctor.text.yaml import read_yaml
from tests.servers.aws import FakeAws
from tests.servers.kubernetes import WEBHOOK, FakeKubernetes


def account_of(folder) -> FakeAws:
    """The account of a world, with what is in it."""
    return account_with([json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.json"))])


def served(documents) -> tuple[FakeAws, FakeKubernetes]:
    """The account and the cluster of documents by path, as AWS and Kubernetes answer them."""
    given = list(documents.values())
    cluster = FakeKubernetes(next(one["cluster"]["identity"]["oidc"]["issuer"] for one in given if "cluster" in one))
    cluster.add(*(one for one in given if "apiVersion" in one))
    return account_with(given), cluster


def account_with(documents) -> FakeAws:
    """An account with what AWS answers of it."""
    arn = next(document["cluster"]["arn"] for document in documents if "cluster" in document).split(":")
    aws = FakeAws(arn[4], arn[3])
    for document in documents:
        for role in (*document.get("RoleDetailList", ()), *([document["Role"]] if "Role" in document else ())):
            policy = role["AssumeRolePolicyDocument"]
            text = policy if isinstance(policy, str) else json.dumps(policy)
            aws.roles[role["RoleName"]] = {**role, "AssumeRolePolicyDocument": text}
        for policy in document.get("Policies", ()):
            aws.managed[policy["Arn"]] = policy["PolicyVersionList"][0]["Document"]
        if "cluster" in document:
            aws.clusters[document["cluster"]["name"]] = document["cluster"]
        if "association" in document:
            association = {"associationId": "a-1", "associationArn": "arn:made-up", **document["association"]}
            aws.associations.setdefault(association["clusterName"], []).append(association)
        if "Policy" in document:
            aws.organization = True
            ident = document["Policy"]["PolicySummary"]["Id"]
            aws.policies[ident] = ("r-root", document["Policy"]["Content"])
            aws.parents.setdefault(aws.account, ["r-root"])
    _add_providers(aws, documents)
    return aws


def _add_providers(aws, documents):
    described = {document["Url"]: document for document in documents if "Url" in document}
    for document in documents:
        for item in document.get("OpenIDConnectProviderList", ()):
            url = item["Arn"].partition("oidc-provider/")[2]
            aws.providers[item["Arn"]] = described.get(url, {"Url": url, "ClientIDList": ["sts.amazonaws.com"]})


def cluster_of(folder) -> FakeKubernetes:
    """The cluster of a world."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.json"))]
    issuer = next(document["cluster"]["identity"]["oidc"]["issuer"] for document in documents if "cluster" in document)
    cluster = FakeKubernetes(issuer)
    cluster.add(WEBHOOK)
    for path in sorted(folder.rglob("*.yaml")):
        for document in read_yaml(path.read_bytes()):
            value = document.value
            cluster.add(*(value["items"] if value["kind"].endswith("List") else [value]))
    return cluster
