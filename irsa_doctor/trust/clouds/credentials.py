"""Whether a federated identity credential admits a token of a service account, and what differs where it does not.

Issuer, subject and audience are compared case-sensitively
(https://learn.microsoft.com/en-us/graph/api/resources/federatedidentitycredential).
"""

import re
from typing import Literal

from irsa_doctor.model import FederatedCredential, Text
from irsa_doctor.trust.clouds.matching import equals

TOKEN_EXCHANGE = "api://AzureADTokenExchange"
SOVEREIGN_AUDIENCES = ("api://AzureADTokenExchangeChina", "api://AzureADTokenExchangeUSGov")
"""https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation-create-trust"""
MOST_CREDENTIALS = 20
"""https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation-considerations"""
TokenMatch = Literal["matches", "open", "audience", "subject", "swapped", "case", "impossible", "flexible", "slash", "issuer"]
MATCHES: tuple[TokenMatch, ...] = (
    *("matches", "open", "audience", "flexible", "case", "swapped", "impossible", "subject", "slash", "issuer"),
)
"""how near a credential is to a token, the nearest first"""
_SUBJECT = re.compile(r"system:serviceaccount:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_AKS_ISSUER = re.compile(r"https://(?:[a-z0-9-]+\.oic|oidc)\.prod-aks\.azure\.(?:com|cn|us)/[^?#]*")


def is_subject_of_account(subject: str) -> bool:
    """Whether some service account can have a subject."""
    return _SUBJECT.fullmatch(subject) is not None


def lacks_slash(issuer: str) -> bool:
    """Whether a URL is that of an issuer of AKS without the slash at its end, which belongs to it
    (https://azure.github.io/azure-workload-identity/docs/troubleshooting.html)."""
    return _AKS_ISSUER.fullmatch(issuer) is not None and not issuer.endswith("/")


def is_aks_issuer(issuer: str) -> bool:
    """Whether a URL is that of an issuer of AKS, with the slash at its end or without."""
    return _AKS_ISSUER.fullmatch(issuer) is not None


def match_of(credential: FederatedCredential, issuer: str, subject: str, audience: str) -> TokenMatch:
    """How near a credential is to a token (issuer with its scheme); `open` where a template decides."""
    same = equals(credential.issuer, issuer)
    if same is False:
        return "slash" if text_without_slash(credential.issuer) == issuer.rstrip("/") else "issuer"
    if credential.expression:
        return "flexible"
    accepted = [equals(value, audience) for value in credential.audiences]
    answers = (same, equals(credential.subject, subject), True if True in accepted else None if None in accepted else False)
    if answers[1] is False:
        return subject_difference(credential.subject, subject)
    if answers[2] is False:
        return "audience"
    return "open" if None in answers else "matches"


def text_without_slash(issuer: str | Text) -> str:
    """A URL without slashes at its end, "" for one that a template fills in."""
    return issuer.rstrip("/") if isinstance(issuer, str) else ""


def subject_difference(written: str | Text, subject: str) -> TokenMatch:
    """How a written subject differs from that of a token."""
    if not isinstance(written, str):
        return "subject"
    if written.lower() == subject.lower():
        return "case"
    namespace, _, name = subject.removeprefix("system:serviceaccount:").partition(":")
    if written == f"system:serviceaccount:{name}:{namespace}":
        return "swapped"
    return "subject" if is_subject_of_account(written) else "impossible"
