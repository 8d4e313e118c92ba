"""What the pod identity webhook does to a pod, as its code says.

https://github.com/aws/amazon-eks-pod-identity-webhook (pkg/handler/handler.go, pkg/cache/cache.go, pkg/annotations.go)
"""

from collections.abc import Mapping
from datetime import datetime

from irsa_doctor.model import ServiceAccount, Text
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.regex import regex

ROLE_VARIABLE = "AWS_ROLE_ARN"
FILE_VARIABLE = "AWS_WEB_IDENTITY_TOKEN_FILE"
# what it sets for EKS Pod Identity in their place
CONTAINER_CREDENTIALS = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
VOLUME = "aws-iam-token"
MOUNT_PATH = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
TOKEN_PATH = MOUNT_PATH + "/token"
OPT_OUT_LABEL = "eks.amazonaws.com/skip-pod-identity-webhook"
SKIP_CONTAINERS = "eks.amazonaws.com/skip-containers"
EXPIRATION = "eks.amazonaws.com/token-expiration"
SHORTEST, LONGEST = 600, 86400
"""seconds: what Kubernetes accepts at least, and EKS issues at most"""


def names_a_role(account: ServiceAccount) -> bool:
    """Whether the webhook acts for a service account: whatever the annotation says, it must not be empty."""
    return bool(account.annotations.get(ROLE_ARN, "") != "")


def skipped_containers(annotations: Mapping[str, str | Text]) -> frozenset[str] | None:
    """The containers that a pod's annotation leaves out, None where the annotation cannot be read (then none is left out)."""
    value = annotations.get(SKIP_CONTAINERS)
    if value is None:
        return frozenset()
    names = csv_record(value) if isinstance(value, str) else None
    return None if names is None else frozenset(names)


# one field and what ends it: quoted, where a quote is doubled, or plain, where no quote may stand
_FIELD = regex(r'(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\r?\n|\Z)')


def csv_record(text: str) -> tuple[str, ...] | None:
    """The first record of comma-separated values as Go's encoding/csv reads it, which trims nothing; None for an error."""
    text = text.lstrip("\r\n")
    if not text:
        return None
    fields: list[str] = []
    at = 0
    while match := _FIELD.match(text, at):
        quoted, plain, end = match.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        if end != ",":
            return (*fields[:-1], fields[-1].removesuffix("\r"))
        at = match.end()
    return None


def is_ignored_expiration(value: str | Text | None) -> bool:
    """Whether a token-expiration is not the lifetime that tokens will have."""
    if not isinstance(value, str):
        return False
    return not (value.isascii() and value.isdigit() and SHORTEST <= int(value[:12]) <= LONGEST)


def lasts_a_day(value: str | Text | None) -> bool:
    """Whether tokens last as long as EKS makes them: the default of token-expiration, and what is not valid or over it."""
    if not isinstance(value, str):
        return value is None
    return not (value.isascii() and value.isdigit()) or int(value[:12]) >= LONGEST


def seconds_between(earlier: str, later: str) -> float | None:
    """Seconds from one time (RFC 3339) to another, None where either is not known."""
    try:
        start, end = datetime.fromisoformat(earlier), datetime.fromisoformat(later)
        return (end - start).total_seconds()
    except (ValueError, TypeError):
        return None


def kubernetes_version(text: str) -> tuple[int, int] | None:
    """Major and minor of a Kubernetes version, None where it is not valid."""
    parts = text.removeprefix("v").split(".")
    if len(parts) < 2 or not parts[0].isdecimal() or not parts[1].rstrip("+").isdecimal():
        return None
    return int(parts[0]), int(parts[1].rstrip("+"))
