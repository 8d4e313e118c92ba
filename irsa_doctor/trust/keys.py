"""Condition keys: which are in an AssumeRoleWithWebIdentity request always, sometimes, or never, and the wrong forms in which
they are written.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from irsa_doctor.issuers import EKS, Profile, cluster_profile
from irsa_doctor.model import parse_arn
from irsa_doctor.trust.audiences import has_invisible, without_invisible

TIME_KEYS = frozenset({"aws:currenttime", "aws:epochtime"})

Presence = Literal["sub", "aud", "always", "maybe", "never"]

_ALWAYS = frozenset(
    {
        "sts:rolesessionname",
        "aws:currenttime",
        "aws:epochtime",
        "aws:securetransport",
        "aws:requestedregion",
        "aws:federatedprovider",
        "aws:resourceaccount",
        "aws:principalaccount",
        "aws:principaltype",
        "aws:userid",
        "aws:principalisawsservice",
        "sts:roleauthorizedbyidp",
    }
)
# the call is unsigned: there is no ARN of a principal yet, and EKS tokens carry neither tags nor a source identity
_NEVER = frozenset(
    {
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:username",
        "aws:tagkeys",
        "sts:externalid",
        "sts:sourceidentity",
        "sts:transitivetagkeys",
        "sts:durationseconds",
    }
)
_NEVER_PREFIXES = ("aws:principaltag/", "aws:multifactorauth", "aws:requesttag/")

SESSION_KEYS = ("sts:sourceidentity", "sts:transitivetagkeys", "aws:tagkeys", "aws:requesttag/")
"""what a token would have to carry as session tags or source identity"""


@lru_cache(maxsize=1024)
def presence(key: str, issuer: str, profile: Profile = EKS) -> Presence:
    """Whether a key is in the requests of tokens of this issuer; both in lower case, for names are case-insensitive (K2). The
    profile of the issuer lists the claims beside sub and aud that become keys (K4)."""
    if issuer and key.startswith(issuer + ":"):
        claim = key[len(issuer) + 1 :]
        if claim == "sub":
            return "sub"
        if claim == "aud":
            return "aud"
        return "maybe" if profile.has_key(claim) else "never"
    if key in _ALWAYS:
        return "always"
    if profile.session_tags and key.startswith(SESSION_KEYS):
        return "maybe"
    if key in _NEVER or key.startswith(_NEVER_PREFIXES):
        return "never"
    return "maybe" if key.startswith(("aws:", "sts:")) else "never"


_NOTHING_KNOWN: Mapping[str, str] = {}


@lru_cache(maxsize=1024)
def known_values(provider: str, profile: Profile = EKS) -> Mapping[str, str]:
    """The keys whose value is known of every request of a provider's tokens (ARN, "" where it is not known), in lower case.

    Recorded: radkawar/stackd, commit 9dc356f5, internal/services/sts/testdata/oidc/aws-trust.json and aws-roles.json. Whether
    the identity provider has authorised the role is "false" for tokens without a claim that lists roles, as those of clusters.
    A role is in the account of the provider, and the endpoints of STS take HTTPS only
    (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and general/latest/gr/sts.html).
    """
    arn = parse_arn(provider)
    if arn is None:
        return _NOTHING_KNOWN
    known = {
        "aws:principalaccount": arn.account,
        "aws:principaltype": "User",
        "aws:userid": provider,
        "aws:principalisawsservice": "false",
        "aws:resourceaccount": arn.account,
        "aws:securetransport": "true",
    }
    return known | ({"sts:roleauthorizedbyidp": "false"} if profile.is_cluster else {})


def known_context(provider: str, issuer: str) -> dict[str, tuple[str, ...]]:
    """The same, for an issuer (without scheme) that is a cluster, as keys and values of a request."""
    return {key: (value,) for key, value in known_values(provider, cluster_profile(issuer)).items()}


_MULTI_VALUED = frozenset({"aws:calledvia", "aws:principalservicenameslist", "aws:tagkeys", "sts:transitivetagkeys"})


def is_multi_valued(key: str) -> bool:
    """Whether a key (in lower case) is one of several values, for which an operator without qualifier is false (C8).

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    return key in _MULTI_VALUED or key.endswith(":amr")


RequestKind = Literal["source-address", "region", "session-name", "request-other"]
KeyForm = Literal["scheme", "arn", "trailing-slash", "missing-path", "other-issuer", "claim", "session", "unavailable"]


@lru_cache(maxsize=1024)
def key_form(key: str, issuer: str) -> KeyForm:
    """Why a key that is never in the request (in lower case) is not one of an issuer (in lower case, without scheme)."""
    if "://" in key.removeprefix(issuer):
        return "scheme"
    if key.startswith(("arn:", "oidc-provider/")):
        return "arn"
    if key.startswith(SESSION_KEYS):
        return "session"
    if key.startswith(("aws:", "sts:")) or has_invisible(key):
        return "unavailable"
    base, _, _ = key.rpartition(":")
    if key.startswith(issuer + ":"):
        return "claim"
    if base == issuer + "/":
        return "trailing-slash"
    if "/" in issuer and base in (issuer.partition("/")[0], issuer.replace("/id/", "/", 1), issuer.rpartition("/")[0]):
        return "missing-path"
    return "other-issuer" if "." in base else "unavailable"


def is_of_other_issuer(key: str, issuer: str) -> bool:
    """Whether a key of `sub` or `aud` names another issuer (both in lower case), whatever stands in front of it: a scheme, or
    what makes it the ARN of a provider."""
    base, _, claim = key.rpartition(":")
    named = base.rpartition("oidc-provider/")[2].rpartition("://")[2]
    return claim in ("sub", "aud") and key_form(f"{named}:{claim}", issuer) == "other-issuer"


_SPELLING: frozenset[KeyForm] = frozenset({"scheme", "arn", "trailing-slash", "missing-path", "other-issuer"})


@lru_cache(maxsize=1024)
def claim_meant(key: str, issuer: str) -> Literal["sub", "aud", ""]:
    """The claim of an issuer that a key which is never in the request was meant to be, "" where it shows none; both in lower
    case."""
    claim = key.rpartition(":")[2]
    if key_form(key, issuer) in _SPELLING and claim in ("sub", "aud"):
        return "sub" if claim == "sub" else "aud"
    before, claim = (seen := without_invisible(key))[:-3].rstrip("/.:"), seen[-3:]
    if before not in ("", issuer) or claim not in ("sub", "aud"):
        return ""
    return "sub" if claim == "sub" else "aud"


_OF_REQUEST: Mapping[str, RequestKind] = {
    "aws:sourceip": "source-address",
    "aws:sourcevpc": "source-address",
    "aws:sourcevpce": "source-address",
    "aws:vpcsourceip": "source-address",
    "aws:requestedregion": "region",
    "sts:rolesessionname": "session-name",
}


def request_kind(key: str) -> RequestKind:
    """The kind of a key (in lower case) that is not a claim of the token."""
    return _OF_REQUEST.get(key, "request-other")
