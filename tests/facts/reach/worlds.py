"""A cluster with one role of a service account, and the objects of RBAC that a test adds."""

import json
from typing import Any

from irsa_doctor.facts import View
from irsa_doctor.model import Inventory
from irsa_doctor.model.findings import Report
from irsa_doctor.sources import load

RBAC = "rbac.authorization.k8s.io"
ACCOUNT = "111122223333"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"
COMPLETE = (
    "namespaces",
    "serviceaccounts",
    "pods",
    "secrets",
    "configmaps",
    "deployments",
    "daemonsets",
    "statefulsets",
    "replicasets",
    "replicationcontrollers",
    "jobs",
    "cronjobs",
    "roles",
    "clusterroles",
    "rolebindings",
    "clusterrolebindings",
    "mutatingwebhookconfigurations",
)
Json = dict[str, Any]
TOKENS = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get", "list"]}


def group(name: str) -> Json:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}


def user(name: str) -> Json:
    return {"apiGroup": RBAC, "kind": "User", "name": name}


def account(name: str, namespace: str = "shop") -> Json:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def named(kind: str, name: str, namespace: str = "", api: str = f"{RBAC}/v1", **members: Any) -> Json:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **members}


def role(name: str, *rules: Json, namespace: str = "shop") -> Json:
    return named("Role", name, namespace, rules=list(rules))


def cluster_role(name: str, *rules: Json) -> Json:
    return named("ClusterRole", name, rules=list(rules))


def binding(name: str, reference: str, *subjects: Json, namespace: str = "shop") -> Json:
    kind, _, target = reference.partition("/")
    role_ref = {"apiGroup": RBAC, "kind": kind, "name": target}
    return named("RoleBinding", name, namespace, roleRef=role_ref, subjects=list(subjects))


def wide_binding(name: str, target: str, *subjects: Json) -> Json:
    role_ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": target}
    return named("ClusterRoleBinding", name, roleRef=role_ref, subjects=list(subjects))


def trust(*subjects: str, operator: str = "StringEquals") -> Json:
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    condition = {f"{ISSUER}:aud": "sts.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": condition,
                    operator: {**(condition if operator == "StringEquals" else {}), f"{ISSUER}:sub": list(subjects)},
                },
            }
        ],
    }


def iam_role(policy: Json, name: str = "web") -> Json:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    created = "2026-01-01T00:00:00Z"
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": "AROAEXAMPLE",
        "Arn": arn,
        "CreateDate": created,
        "AssumeRolePolicyDocument": policy,
    }


def documents(
    *objects: Json, mode: str = "API", version: str = "1.34", roles: tuple[Json, ...] = (), **files: Any
) -> dict[str, Any]:
    """The files of a world; `mode` "" leaves accessConfig away."""
    cluster: Json = {
        "name": "apollo",
        "arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/apollo",
        "version": version,
        "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
    }
    if mode:
        cluster["accessConfig"] = {"authenticationMode": mode}
    core = [
        named("Namespace", "shop", api="v1"),
        named("ServiceAccount", "web", "shop", api="v1"),
        named("ServiceAccount", "ci", "shop", api="v1"),
    ]
    return {
        "cluster.json": {"cluster": cluster},
        "roles.json": {"Roles": [*(roles or [iam_role(trust("system:serviceaccount:shop:web"))])]},
        "providers.json": {"OpenIDConnectProviderList": [{"Arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}]},
        "provider.json": {"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"]},
        "core.json": {"apiVersion": "v1", "kind": "List", "items": core},
        **({"rbac.json": {"apiVersion": "v1", "kind": "List", "items": list(objects)}} if objects else {}),
        **files,
    }


def written(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def inventory(*objects: Json, complete: tuple[str, ...] = COMPLETE, **options: Any) -> Inventory:
    memory = {name: written(value) for name, value in documents(*objects, **options).items()}
    return load((), memory=memory, complete=complete).inventory


def view(*objects: Json, **options: Any) -> View:
    return View(inventory(*objects, **options))


def rules_of(report: Report) -> set[tuple[str, str]]:
    return {(finding.rule, finding.subject.id) for finding in report.findings}
