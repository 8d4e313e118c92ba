"""One healthy world with everything on the way of a credential, and the answer for it: tests break one thing in it."""

import copy
import json
from typing import Any

from irsa_doctor.answers.why import CaseEvidence, case_for, diagnose, target_of
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.facts import View
from irsa_doctor.sources import load

Json = dict[str, Any]

ACCOUNT, OTHER = "111122223333", "444455556666"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865"
ELSEWHERE = "oidc.eks.eu-west-1.amazonaws.com/id/C7E19F04B2A85D63910F3E4A6B78D25C"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/checkout"
CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
SUBJECT = "system:serviceaccount:payments:checkout"
TARGET = "payments/checkout"
POD = "pod/payments/checkout-0"
ANNOTATION = "eks.amazonaws.com/role-arn"
NOW = 1_800_000_000
MOUNT_PATH = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
WHOLE = ("serviceaccounts", "pods", "mutatingwebhookconfigurations", "daemonsets")
LINK_IDS = [link.id for link in LINKS]


def _trust() -> Json:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:sub": SUBJECT, f"{ISSUER}:aud": "sts.amazonaws.com"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _pod() -> Json:
    metadata = {"name": "checkout-0", "namespace": "payments", "uid": "u-1", "creationTimestamp": "2025-04-01T08:00:00Z"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "labels": {}, "annotations": {}},
        "spec": {
            "serviceAccountName": "checkout",
            "containers": [
                {
                    "name": "app",
                    "image": "example.com/checkout:1",
                    "env": [
                        {"name": "AWS_REGION", "value": "eu-west-1"},
                        {"name": "AWS_ROLE_ARN", "value": ROLE},
                        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": MOUNT_PATH + "/token"},
                    ],
                    "volumeMounts": [{"name": "aws-iam-token", "mountPath": MOUNT_PATH}],
                }
            ],
            "volumes": [
                {
                    "name": "aws-iam-token",
                    "projected": {
                        "sources": [
                            {
                                "serviceAccountToken": {
                                    "audience": "sts.amazonaws.com",
                                    "expirationSeconds": 86400,
                                    "path": "token",
                                }
                            }
                        ]
                    },
                }
            ],
        },
        "status": {"phase": "Running"},
    }


def healthy() -> dict[str, Json]:
    """Documents by path, each as AWS or Kubernetes answers it."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {
        "cluster.json": {
            "cluster": {
                "name": "prod",
                "arn": CLUSTER,
                "version": "1.33",
                "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
            }
        },
        "clusters.json": {"clusters": ["prod"]},
        "providers.json": {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]},
        "provider.json": {"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []},
        "roles.json": {
            "RoleDetailList": [
                {
                    "RoleName": "checkout",
                    "Path": "/",
                    "Arn": ROLE,
                    "RoleId": "AROAEXAMPLE",
                    "AssumeRolePolicyDocument": _trust(),
                }
            ],
            "UserDetailList": [],
        },
        "associations.json": {"associations": []},
        "account.json": {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": "checkout",
                "namespace": "payments",
                "creationTimestamp": "2025-03-02T08:00:00Z",
                "annotations": {ANNOTATION: ROLE},
            },
        },
        "default.json": {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "payments", "creationTimestamp": "2025-03-02T07:00:00Z"},
        },
        "pod.json": _pod(),
        "webhook.json": {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "pod-identity-webhook"},
            "webhooks": [
                {
                    "name": "iam-for-pods.amazonaws.com",
                    "failurePolicy": "Ignore",
                    "clientConfig": {"url": "https://127.0.0.1:23443/mutate"},
                    "objectSelector": {
                        "matchExpressions": [{"key": "eks.amazonaws.com/skip-pod-identity-webhook", "operator": "DoesNotExist"}]
                    },
                    "rules": [rule],
                }
            ],
        },
    }


def world(*breaks: Any) -> dict[str, Json]:
    """The healthy world after some functions have changed its documents."""
    documents = copy.deepcopy(healthy())
    for change in breaks:
        change(documents)
    return documents


def loaded(documents: dict[str, Any], complete: Any = WHOLE) -> Any:
    """The documents as they are loaded: bytes as they are, everything else as JSON."""
    memory = {
        path: content if isinstance(content, bytes) else json.dumps(content, indent=1).encode()
        for path, content in documents.items()
    }
    return load([], memory=memory, complete=complete)


def why(
    documents: dict[str, Any],
    target: str = TARGET,
    *,
    complete: Any = WHOLE,
    cluster: str = "",
    rulebook: Any = None,
    role: str = "",
    **evidence: Any,
) -> Any:
    """The diagnosis of one target; what was seen beside the documents by its name in `CaseEvidence`."""
    found = loaded(documents, complete)

    def locate(place: Any, key: bool) -> Any:
        span = found.documents.locate(place, key)
        return span.line, span.column, span.end_line, span.end_column, span.source, span.offset

    seen = CaseEvidence(**{"now": NOW, **evidence})
    asked = target_of(target, role, seen)
    case = case_for(View(found.inventory), locate, asked, cluster, seen)
    return diagnose(case.judged_by(rulebook) if rulebook else case)


def verdicts(diagnosis: Any) -> dict[str, str]:
    """Link -> verdict."""
    return {link.id: link.verdict for link in diagnosis.links}


def failed(diagnosis: Any) -> list[str]:
    """The links that fail, in order."""
    return [link.id for link in diagnosis.links if link.verdict == "fail"]


def causes(diagnosis: Any) -> list[tuple[str, str]]:
    """(id, certainty) of the causes, in order."""
    return [(cause.id, cause.certainty) for cause in diagnosis.causes]


# ---- the parts that breaks change


def statement(documents: dict[str, Json]) -> Json:
    """The statement of the role."""
    found: Json = role(documents)["AssumeRolePolicyDocument"]["Statement"][0]
    return found


def role(documents: dict[str, Json]) -> Json:
    """The role."""
    found: Json = documents["roles.json"]["RoleDetailList"][0]
    return found


def equals(documents: dict[str, Json]) -> Json:
    """The conditions of the role under StringEquals."""
    found: Json = statement(documents)["Condition"]["StringEquals"]
    return found


def annotations(documents: dict[str, Json]) -> Json:
    """The annotations of the service account."""
    found: Json = documents["account.json"]["metadata"]["annotations"]
    return found


def spec(documents: dict[str, Json]) -> Json:
    """The pod's spec."""
    found: Json = documents["pod.json"]["spec"]
    return found


def container(documents: dict[str, Json]) -> Json:
    """The only container of the pod."""
    found: Json = spec(documents)["containers"][0]
    return found


def set_env(documents: dict[str, Json], **values: str | None) -> None:
    """Set environment variables of the container, or drop them."""
    kept = [item for item in container(documents).get("env", []) if item["name"] not in values]
    container(documents)["env"] = [*kept, *({"name": n, "value": v} for n, v in values.items() if v is not None)]


def unmutated(documents: dict[str, Json]) -> None:
    """The pod as it is where the webhook was not at it."""
    set_env(documents, AWS_ROLE_ARN=None, AWS_WEB_IDENTITY_TOKEN_FILE=None)
    container(documents)["volumeMounts"] = []
    spec(documents)["volumes"] = []


def token_source(documents: dict[str, Json]) -> Json:
    """The projected token of the pod."""
    found: Json = spec(documents)["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]
    return found


def deployment(name: str = "checkout", account: str | None = "checkout", **inside: Any) -> Json:
    """A Deployment of the namespace."""
    named = {"serviceAccountName": account} if account else {}
    containers = [{"name": "app", "image": "example.com/checkout:1"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "payments"},
        "spec": {"template": {"metadata": {}, "spec": {**named, "containers": containers, **inside}}},
    }
