"""Short ways to write a policy and to ask it: one statement with conditions, one token of one cluster."""

from collections.abc import Mapping
from typing import Any

from irsa_doctor.issuers import EKS, Profile
from irsa_doctor.model import Hole, Place, Text, TrustPolicy
from irsa_doctor.sources import read_policy_text as read_text
from irsa_doctor.trust import Admitted, Decision, Policy, Request, admitted, decide, read_policy

ACCOUNT = "210987654321"
ISSUER = "oidc.eks.ca-central-1.amazonaws.com/id/FEEDFACE0123"
ELSEWHERE = "oidc.eks.ca-central-1.amazonaws.com/id/BADC0DE0456"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
API = "system:serviceaccount:shop:api"
STS = "sts.amazonaws.com"
ALLOWED, DENIED, FORBIDDEN = "allow", "implicit_deny", "explicit_deny"


def statement(
    conditions: Mapping[Any, Any] | None = None, *, effect: object = "Allow", principal: object = None, **members: object
) -> dict[str, Any]:
    """An Allow statement for the cluster's provider, unless told otherwise."""
    made: dict[str, Any] = {"Effect": effect, "Principal": {"Federated": PROVIDER} if principal is None else principal}
    made |= members or {"Action": WEB_IDENTITY}
    return made if conditions is None else {**made, "Condition": conditions}


def deny(conditions: Mapping[Any, Any] | None = None, **members: object) -> dict[str, Any]:
    return statement(conditions, effect="Deny", **members)


def policy(*statements: object, version: object = "2012-10-17") -> Policy:
    document = {"Version": version, "Statement": list(statements)}
    return read_policy(TrustPolicy({k: v for k, v in document.items() if v is not None}, Place("policy.json")))


def policy_of_text(text: str) -> Policy:
    return read_policy(read_text(text, Place("policy.json")))


def token(sub: str | None = API, aud: str | None = STS, multi: tuple[str, ...] = (), **more: object) -> Request:
    """A request with a token; other keys with `_` for the colon, lists for several values."""
    context: dict[str, tuple[str, ...]] = {}
    for key, value in {SUB: sub, AUD: aud, **{name.replace("_", ":", 1): v for name, v in more.items()}}.items():
        if value is not None:
            context[key.lower()] = tuple(value) if isinstance(value, list) else (str(value),)
    return Request(ACCOUNT, PROVIDER, context, frozenset(key.lower() for key in multi))


def ask(*statements: object, request: Request | None = None, version: object = "2012-10-17") -> Decision:
    return decide(policy(*statements, version=version), request or token())


def admit(*statements: object, profile: Profile = EKS, version: object = "2012-10-17") -> Admitted:
    return admitted(policy(*statements, version=version), PROVIDER, ISSUER, profile=profile)


def hole(*parts: str) -> Text:
    """Text whose parts in pointed brackets are holes."""
    return Text(tuple(Hole(part) if part.startswith("<") else part for part in parts))
