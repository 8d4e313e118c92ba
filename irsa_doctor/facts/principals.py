"""What a Federated principal of a statement is: a provider of this account, or which way it misses one."""

import re
from typing import Literal

from irsa_doctor.model import Inventory, Issuer, Text, parse_arn

Form = Literal[
    "provider",
    "absent",
    "malformed",
    "near-miss",
    "other-account",
    "dualstack",
    "not-an-arn",
    "saml",
    "domain",
    "wildcard",
    "hole",
]

_DOMAINS = frozenset({"accounts.google.com", "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com"})
_LIKE_EKS = re.compile(r"oidc[.-].*eks|eks\..*amazonaws|^[^/]*\.eks\.", re.IGNORECASE)


def principal_form(value: str | Text, account: str, inventory: Inventory) -> Form:
    """How a principal stands to the providers of the role's account ("" where that is unknown)."""
    if isinstance(value, Text):
        return "hole"
    if value == "*":
        return "wildcard"
    arn = parse_arn(value)
    if arn is None:
        return "domain" if value in _DOMAINS else "not-an-arn"
    if arn.kind == "saml-provider":
        return "saml"
    if arn.service != "iam" or arn.kind != "oidc-provider":
        return "not-an-arn"
    if value in inventory.provider_by_arn:
        return "provider" if not account or arn.account == account else "other-account"
    issuer = Issuer.of(arn.name)
    if issuer.form == "eks-dualstack":
        return "dualstack"
    if (
        "://" in arn.name
        or (issuer.form == "other" and _LIKE_EKS.search(arn.name))
        or (arn.name.endswith("/")
        and "eks" in arn.name)
    ):
        return "malformed"
    if issuer.partition and issuer.partition != arn.partition:
        return "malformed"
    if account and arn.account != account:
        here = f"arn:{arn.partition}:iam::{account}:oidc-provider/{arn.name}"
        return "near-miss" if here in inventory.provider_by_arn else "other-account"
    return "absent" if arn.account in inventory.closed.providers else "provider"
