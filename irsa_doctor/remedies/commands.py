"""Commands that put right what is wrong: whole, without placeholders, every value quoted for a POSIX shell."""

import json
import shlex
from collections.abc import Mapping
from typing import Any


def put_trust_policy(role: str, policy: Mapping[str, Any]) -> str:
    """Save a trust policy as that of a role (by name without path); the document stands in the command itself."""
    words = ["aws", "iam", "update-assume-role-policy", "--role-name", role, "--policy-document", policy_text(policy)]
    return shlex.join(words)


def policy_text(policy: Mapping[str, Any]) -> str:
    """A policy as people read it: indented JSON in ASCII, which IAM takes as it stands."""
    return json.dumps(policy, indent=2)


def annotate(namespace: str, account: str, role: str) -> str:
    """Name a role (ARN) on a service account."""
    words = ["kubectl", "annotate", "serviceaccount", "-n", namespace, account, "--overwrite"]
    return shlex.join([*words, f"eks.amazonaws.com/role-arn={role}"])


def create_service_account(namespace: str, account: str) -> str:
    """Create a service account."""
    return shlex.join(["kubectl", "create", "serviceaccount", "-n", namespace, account])


def add_audience(provider: str, audience: str) -> str:
    """Let a provider (ARN) accept an audience."""
    words = ["aws", "iam", "add-client-id-to-open-id-connect-provider", "--open-id-connect-provider-arn", provider]
    return shlex.join([*words, "--client-id", audience])


def create_eks_provider(cluster: str, region: str) -> str:
    """Create the OIDC provider of an EKS cluster in the cluster's own account; without a region, in that of the settings."""
    words = ["eksctl", "utils", "associate-iam-oidc-provider", "--cluster", cluster, *(["--region", region] if region else [])]
    return shlex.join([*words, "--approve"])


def create_provider(issuer: str, audience: str) -> str:
    """Create the OIDC provider of an issuer (without scheme) in the account that the caller is in."""
    words = ["aws", "iam", "create-open-id-connect-provider", "--url", f"https://{issuer}", "--client-id-list", audience]
    return shlex.join(words)


def restart(namespace: str, kind: str, name: str) -> str:
    """Make the pods of a workload anew, "" where its kind is not restarted by a command."""
    if kind == "Pod":
        return shlex.join(["kubectl", "delete", "pod", "-n", namespace, name])
    if kind in ("Deployment", "StatefulSet", "DaemonSet"):
        return shlex.join(["kubectl", "rollout", "restart", "-n", namespace, f"{kind.lower()}/{name}"])
    return ""
