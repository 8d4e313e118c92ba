"""Commands that correct something: whole, without placeholders, every value quoted for a POSIX shell.

Each function returns "" where a value is not one that the cluster or AWS takes: names come out of documents that anybody may
have written, and one that begins with a dash would be an option.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

from irsa_doctor.model import may_be_role_arn
from irsa_doctor.model.regex import regex

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_OBJECT = regex(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html, eks:CreateCluster
_ROLE = regex(r"[A-Za-z0-9_+=,.@][A-Za-z0-9_+=,.@-]*")
_CLUSTER = regex(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_REGION = regex(r"[a-z]{2,}(-[a-z0-9]+)+")
_PROVIDER = regex(r"arn:[a-z0-9-]+:iam::[0-9]{12}:oidc-provider/[!-~]+")
_ISSUER = regex(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[A-Za-z0-9._~%/-]*)?")
_AUDIENCE = regex(r"[A-Za-z0-9._/:][!-~]*")
_ASSOCIATION = regex(r"a-[0-9a-z]+")
_BINDING = regex(r"[!-$&-.0-~]+")
_RESTARTED = ("Deployment", "StatefulSet", "DaemonSet")


def put_trust_policy(role: str, policy: Mapping[str, Any]) -> str:
    """Save a trust policy as that of a role (by name without path)."""
    return put_policy_text(role, policy_text(policy))


def put_policy_text(role: str, text: str) -> str:
    """The same of a policy as people read it, which stands in the command itself.

    It is indented JSON in ASCII, which IAM takes as it stands: white space does not count.
    """
    words = ["aws", "iam", "update-assume-role-policy", "--role-name", role, "--policy-document", text]
    return shlex.join(words) if _ROLE.fullmatch(role) else ""


def policy_text(policy: Mapping[str, Any]) -> str:
    """A policy as people read it: indented JSON in ASCII."""
    try:
        text = msgspec.json.encode(policy)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON may write as an escape
        return json.dumps(policy, indent=2)
    return msgspec.json.format(text, indent=2).decode() if text.isascii() else json.dumps(policy, indent=2)


def annotate(namespace: str, account: str, role: str) -> str:
    """Name a role (ARN) on a service account."""
    words = ["kubectl", "annotate", "serviceaccount", "-n", namespace, account, "--overwrite"]
    known = _are_names(namespace, account) and may_be_role_arn(role)
    return shlex.join([*words, f"eks.amazonaws.com/role-arn={role}"]) if known else ""


def create_service_account(namespace: str, account: str) -> str:
    """Create a service account."""
    words = ["kubectl", "create", "serviceaccount", "-n", namespace, account]
    return shlex.join(words) if _are_names(namespace, account) else ""


def add_audience(provider: str, audience: str) -> str:
    """Let a provider (ARN) accept an audience."""
    words = ["aws", "iam", "add-client-id-to-open-id-connect-provider", "--open-id-connect-provider-arn", provider]
    known = _PROVIDER.fullmatch(provider) and _AUDIENCE.fullmatch(audience)
    return shlex.join([*words, "--client-id", audience]) if known else ""


def create_eks_provider(cluster: str, region: str) -> str:
    """Create the OIDC provider of an EKS cluster in the cluster's own account."""
    words = ["eksctl", "utils", "associate-iam-oidc-provider", "--cluster", cluster, "--region", region, "--approve"]
    return shlex.join(words) if _CLUSTER.fullmatch(cluster) and _REGION.fullmatch(region) else ""


def create_provider(issuer: str, audience: str) -> str:
    """Create the OIDC provider of an issuer (without scheme) in the account that the caller is in."""
    words = ["aws", "iam", "create-open-id-connect-provider", "--url", f"https://{issuer}", "--client-id-list", audience]
    return shlex.join(words) if _ISSUER.fullmatch(issuer) and _AUDIENCE.fullmatch(audience) else ""


def restart(namespace: str, kind: str, name: str) -> str:
    """Create the pods of a workload anew, "" where its kind is not restarted by a command."""
    if not _are_names(namespace, name):
        return ""
    if kind == "Pod":
        return shlex.join(["kubectl", "delete", "pod", "-n", namespace, name])
    if kind in _RESTARTED:
        return shlex.join(["kubectl", "rollout", "restart", "-n", namespace, f"{kind.lower()}/{name}"])
    return ""


def delete_association(cluster: str, region: str, association: str) -> str:
    """Delete a Pod Identity association by its id."""
    words = ["aws", "eks", "delete-pod-identity-association", "--region", region, "--cluster-name", cluster]
    known = _CLUSTER.fullmatch(cluster) and _REGION.fullmatch(region) and _ASSOCIATION.fullmatch(association)
    return shlex.join([*words, "--association-id", association]) if known else ""


def patch_binding(kind: str, namespace: str, name: str, patch: str) -> str:
    """Change a binding of RBAC by a JSON patch; its names may have any character that a path segment can have
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names)."""
    words = ["kubectl", "patch", kind.lower(), "--type=json", f"--patch={patch}"]
    words += [f"--namespace={namespace}"] if namespace else []
    known = _BINDING.fullmatch(name) and (not namespace or _are_names(namespace))
    return shlex.join([*words, "--", name]) if known else ""


def _are_names(*names: str) -> bool:
    """Whether all of them are names that Kubernetes accepts."""
    return all(map(_OBJECT.fullmatch, names))
