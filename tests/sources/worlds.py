"""Small documents that the tests of sources put together."""

import json
from typing import Any

from irsa_doctor.model import Document, Inventory
from irsa_doctor.sources import Loaded, load

ACCOUNT = "111122223333"
OTHER = "444455556666"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
OTHER_ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/22223333444455556666777788889999"


def provider_arn(account: str = ACCOUNT, issuer: str = ISSUER) -> str:
    return f"arn:aws:iam::{account}:oidc-provider/{issuer}"


def role_arn(name: str = "app", account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def policy(sub: str = "system:serviceaccount:prod:app", account: str = ACCOUNT) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn(account)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:sub": sub, f"{ISSUER}:aud": "sts.amazonaws.com"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(name: str = "app", account: str = ACCOUNT, **members: Any) -> dict[str, Any]:
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": "AROAEXAMPLE",
        "Arn": role_arn(name, account),
        "CreateDate": "2025-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": policy(account=account),
        **members,
    }


def cluster(name: str = "prod", account: str = ACCOUNT, issuer: str = ISSUER, region: str = "eu-west-1") -> dict[str, Any]:
    return {
        "cluster": {
            "name": name,
            "arn": f"arn:aws:eks:{region}:{account}:cluster/{name}",
            "createdAt": "2025-01-01T00:00:00+00:00",
            "version": "1.33",
            "identity": {"oidc": {"issuer": f"https://{issuer}"}},
        }
    }


def cluster_arn(name: str = "prod", account: str = ACCOUNT) -> str:
    return f"arn:aws:eks:eu-west-1:{account}:cluster/{name}"


def service_account(name: str = "app", namespace: str | None = "prod", arn: str | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "annotations": {"eks.amazonaws.com/role-arn": arn or role_arn()}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def listed_providers(*arns: str) -> dict[str, Any]:
    return {"OpenIDConnectProviderList": [{"Arn": arn} for arn in arns]}


def got_provider(*client_ids: str, issuer: str = ISSUER) -> dict[str, Any]:
    return {"Url": issuer, "ClientIDList": list(client_ids or ["sts.amazonaws.com"]), "ThumbprintList": [], "Tags": []}


def loaded(documents: dict[str, Any], **options: Any) -> Loaded:
    """Load documents given in memory: bytes and texts as they are, everything else as JSON."""
    memory = {}
    for path, content in documents.items():
        if isinstance(content, str):
            memory[path] = content.encode()
        elif isinstance(content, bytes):
            memory[path] = content
        else:
            memory[path] = json.dumps(content, indent=1).encode()
    return load([], memory=memory, **options)


def inventory(documents: dict[str, Any], **options: Any) -> Inventory:
    return loaded(documents, **options).inventory


def only_row(content: Any, path: str = "x.json") -> Document:
    (row,) = inventory({path: content}).documents
    return row
