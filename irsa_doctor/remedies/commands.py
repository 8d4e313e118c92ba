"""Commands that put right what is wrong; every value in them is quoted for a POSIX shell."""

import shlex

from irsa_doctor.model.findings import Snippet


def annotate(namespace: str, account: str, role: str) -> Snippet:
    """Name a role (ARN) on a service account."""
    words = [
        "kubectl",
        "annotate",
        "serviceaccount",
        "-n",
        namespace,
        account,
        "--overwrite",
        f"eks.amazonaws.com/role-arn={role}",
    ]
    return Snippet("sh", "name the role on it, then restart its pods", shlex.join(words))


def add_audience(provider: str, audience: str) -> Snippet:
    """Let a provider (ARN) accept an audience."""
    words = ["aws", "iam", "add-client-id-to-open-id-connect-provider"]
    return Snippet(
        "sh", "add the audience", shlex.join([*words, "--open-id-connect-provider-arn", provider, "--client-id", audience])
    )


def create_provider(cluster: str, region: str = "") -> Snippet:
    """Create the OIDC provider of an EKS cluster in its account."""
    words = ["eksctl", "utils", "associate-iam-oidc-provider", "--cluster", cluster, *(["--region", region] if region else [])]
    return Snippet("sh", "create the provider", shlex.join([*words, "--approve"]))


def put_trust_policy(role: str) -> Snippet:
    """Save a trust policy from a file."""
    words = ["aws", "iam", "update-assume-role-policy", "--role-name", role, "--policy-document", "file://trust-policy.json"]
    return Snippet("sh", "save it, with the statement in place, as the whole policy", shlex.join(words))
