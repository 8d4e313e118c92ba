"""What a Federated principal of a statement is: a provider of this account, or which way it misses one."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.names import Names, is_one_letter_off
from irsa_doctor.issuers import built_in_issuers
from irsa_doctor.model import (
    UNEXPANDED,
    Arn,
    Inventory,
    Issuer,
    Text,
    Unknown,
    arn_of_provider,
    holes_in,
    is_account_id,
    issuer_of_provider,
    parse_arn,
    text_of,
)
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.audiences import without_invisible
from irsa_doctor.trust.defect_kinds import DefectKind

PrincipalForm = Literal[
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
    "wrong-type",
    "hole",
]

_LIKE_EKS = regex(r"oidc[.-].*eks|eks\..*amazonaws|^[^/]*\.eks\.", re.IGNORECASE)


_DEFECTS: Mapping[PrincipalForm, DefectKind] = {
    "absent": "principal-absent",
    "malformed": "principal-arn",
    "near-miss": "principal-arn",
    "wildcard": "principal-arn",
    "other-account": "principal-account",
    "dualstack": "principal-alias",
    "not-an-arn": "principal-url",
    "wrong-type": "principal-type",
}


def defect_of_principal(form: PrincipalForm) -> DefectKind | None:
    """What is wrong with a principal that was meant to be an OIDC provider, None where nothing is."""
    return _DEFECTS.get(form)


def is_miswritten(form: PrincipalForm) -> bool:
    """Whether a principal is written otherwise than any provider of the account is."""
    return form != "absent" and form in _DEFECTS


class Principals(msgspec.Struct, frozen=True, dict=True):
    """Federated principals, each told apart once."""

    inventory: Inventory
    known: dict[tuple[str, str], PrincipalForm] = {}

    @cached_property
    def _providers(self) -> Mapping[tuple[str, str], list[str]]:
        """(account, kin of the issuer) -> the ARNs of its providers."""
        table: dict[tuple[str, str], list[str]] = {}
        for provider in self.inventory.providers:
            table.setdefault((provider.account, kin(provider.arn)), []).append(provider.arn)
        return table

    @cached_property
    def _ids(self) -> Mapping[str, Names]:
        """Account -> the ids of the EKS issuers of its providers."""
        table: dict[str, list[str]] = {}
        for account, ident in self._providers:
            table.setdefault(account, []).append(ident)
        return {account: ids_of_eks(idents) for account, idents in table.items()}

    @cached_property
    def _issuers(self) -> Mapping[str, set[str]]:
        """Kin -> the issuers of clusters."""
        table: dict[str, set[str]] = {}
        for issuer in self.inventory.clusters_by_issuer:
            table.setdefault(kin(issuer), set()).add(issuer)
        return table

    def meant_issuer(self, issuer: str) -> str:
        """The one cluster's issuer that a text is or was most likely meant to be, "" where nothing shows it."""
        same = self._issuers.get(kin(issuer), ())
        return next(iter(same)) if len(same) == 1 else "" if same else in_capitals(issuer)

    def listed(self, principal: str, account: str) -> str:
        """The one provider (ARN) of an account whose issuer differs from that of a principal at most in how it is written."""
        return self._only(account, kin(principal))

    def _only(self, account: str, own: str) -> str:
        same = self._providers.get((account, own), ())
        return same[0] if len(same) == 1 else ""

    def _near(self, principal: str, account: str) -> str:
        """The provider (ARN) of an account whose EKS id is one letter off, "" where there is none."""
        ids = self._ids.get(account)
        return self._only(account, ids.near(kin(principal).rpartition("/")[2])) if ids else ""

    def intended_provider(self, principal: str, account: str) -> str:
        """The provider (ARN) that a principal is or was most likely meant to be, "" where there is none."""
        arn = parse_arn(principal)
        # a role trusts providers of its own account, so that a policy shows whose it is
        account = account or (arn.account if arn else "")
        if known := self.listed(principal, account) or self._near(principal, account):
            return known
        issuer = self.meant_issuer(principal)
        return arn_of_provider(arn.partition, account, issuer) if arn and issuer and account else ""

    def form(self, value: str | Text, account: str) -> PrincipalForm:
        """How a principal stands to the providers of the role's account ("" where that is unknown)."""
        if isinstance(value, Text):
            return _form_of_text(value)
        form = self.known.get((value, account))
        if form is None:
            form = _form(value, account, self.inventory)
            if form in ("absent", "provider") and self.intended_provider(value, account) not in ("", value):
                arn = parse_arn(value)
                # the principal is right, and the provider is what is wrong
                right = arn and arn.name in self.inventory.clusters_by_issuer
                form = "provider" if right or value in self.inventory.provider_by_arn else "near-miss"
            self.known[(value, account)] = form
        return form

    def exists(self, value: str | Text, account: str) -> bool | Unknown:
        """Whether there is the provider that a principal of a role of an account ("" where that is unknown) names; true of a
        principal that is wrong in another way."""
        form = self.form(value, account)
        is_seen = account in self.inventory.closed.providers or value in self.inventory.provider_by_arn
        if form != "provider" or not account or is_seen or issuer_of_provider(text_of(value)) in self._planned:
            return form != "absent"
        return self.unlisted(account)

    def unlisted(self, account: str) -> Unknown:
        """That not all providers of an account are in the input."""
        missing = f"OIDC providers of account {account}"
        return self.inventory.unknown("providers", account, "", missing, "aws iam list-open-id-connect-providers")

    @cached_property
    def _planned(self) -> frozenset[str | Text]:
        """The issuers of providers that templates make."""
        return frozenset(provider.issuer for provider in self.inventory.planned_providers)


_ID = regex("[0-9a-f]{32}")


def kin(issuer: str) -> str:
    """What the ways to miswrite one issuer, or the ARN of its provider, have in common.

    The id of an EKS issuer is like no other, whatever is wrong before it; of other issuers, all but case, slashes and what
    nobody sees.
    """
    low = without_invisible(issuer.rpartition(":oidc-provider/")[2]).removeprefix("https://").strip("/").lower()
    ident = low.rpartition("/")[2]
    return ident if _ID.fullmatch(ident) else low


def in_capitals(issuer: str) -> str:
    """An EKS issuer with its id as EKS makes it, "" where no small letter is in it or an emulator made it: 32 hexadecimal
    digits in capitals, and the URL of a provider is compared letter by letter
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html)."""
    name = issuer.rpartition(":oidc-provider/")[2]
    host, slash, ident = name.rpartition("/")
    is_odd = Issuer.of(name).partition and _ID.fullmatch(ident.lower()) and ident != ident.upper()
    return f"{host}{slash}{ident.upper()}" if is_odd else ""


def ids_of_eks(kins: Iterable[str]) -> Names:
    """The ids of EKS issuers among the kins of issuers."""
    return Names(tuple(ident for ident in kins if _ID.fullmatch(ident)))


def is_kin(principal: str, issuer: str) -> bool:
    """Whether a principal was meant for an issuer: it differs at most in how it is written, or in a letter of an EKS id."""
    own, other = kin(principal), kin(issuer)
    return own == other or (bool(_ID.fullmatch(other)) and is_one_letter_off(own.rpartition("/")[2], other))


def _form_of_text(value: Text) -> PrincipalForm:
    """What a principal with holes is, whatever they hold: one that begins like a URL is no ARN, one with a URL or an ARN in it,
    or with a placeholder that nothing expands, no provider."""
    first = value.parts[0]
    if isinstance(first, str) and first.startswith(("https://", "oidc.")):
        return "not-an-arn"
    written = "".join(part if isinstance(part, str) else "\0" for part in value.parts)
    name = written.partition(":oidc-provider/")[2]
    is_left = any(hole.name.endswith(UNEXPANDED) for hole in holes_in(value))
    return "malformed" if is_left or "://" in name or name.startswith("arn:") else "hole"


def _form(value: str, account: str, inventory: Inventory) -> PrincipalForm:
    if value == "*":
        return "wildcard"
    arn = parse_arn(value)
    if arn is None:
        return "domain" if value in built_in_issuers() else "not-an-arn"
    if arn.kind == "saml-provider":
        return "saml"
    if arn.service != "iam" or arn.kind != "oidc-provider":
        return "not-an-arn"
    if value in inventory.provider_by_arn:
        return "provider" if not account or arn.account == account else "other-account"
    return _not_listed(arn, account, inventory)


def _not_listed(arn: Arn, account: str, inventory: Inventory) -> PrincipalForm:
    issuer = Issuer.of(arn.name)
    if issuer.form == "eks-dualstack":
        return "dualstack"
    like_eks = issuer.form == "other" and (_LIKE_EKS.search(arn.name) or (arn.name.endswith("/") and "eks" in arn.name))
    odd = (
        arn.region != ""
        or not is_account_id(arn.account)
        or "://" in arn.name
        or arn.name.startswith("arn:")
        or "*" in arn.name
        or "?" in arn.name
    )
    if odd or like_eks or (issuer.partition and issuer.partition != arn.partition):
        return "malformed"
    if account and arn.account != account:
        own_arn = arn_of_provider(arn.partition, account, arn.name)
        return "near-miss" if own_arn in inventory.provider_by_arn else "other-account"
    return "absent" if arn.account in inventory.closed.providers else "provider"
