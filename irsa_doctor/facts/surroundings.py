"""What facts look up beside the subject itself: tables over one inventory, each made once, when first asked for."""

from collections.abc import Mapping
from functools import cached_property

import msgspec

from irsa_doctor.facts.accounts import Accounts
from irsa_doctor.facts.near import Names
from irsa_doctor.facts.principals import Principals
from irsa_doctor.model import Inventory

# https://github.com/aws/amazon-eks-pod-identity-webhook (--token-audience); kOps sets its own
_EKS = frozenset({"sts.amazonaws.com"})
_CLUSTERS = frozenset({"sts.amazonaws.com", "amazonaws.com"})
ROLE_ARN = "eks.amazonaws.com/role-arn"


class Surroundings(msgspec.Struct, frozen=True, dict=True):
    """One inventory, and what is asked of it again and again."""

    inventory: Inventory
    expected: Mapping[str, tuple[str, ...]] = {}
    """issuer without scheme -> the audiences that its tokens are meant to have, where somebody has said so"""

    @cached_property
    def principals(self) -> Principals:
        """Federated principals, told apart."""
        return Principals(self.inventory)

    @cached_property
    def accounts(self) -> Accounts:
        """Service accounts, asked by language."""
        return Accounts(self.inventory)

    @cached_property
    def audiences(self) -> frozenset[str]:
        """Audiences that service accounts ask for by annotation."""
        asked = (sa.annotations.get("eks.amazonaws.com/audience") for sa in self.inventory.service_accounts)
        return frozenset(value for value in asked if isinstance(value, str))

    def audiences_of(self, issuer: str, *, eks: bool) -> frozenset[str]:
        """The audiences that tokens of an issuer may have: as said, else the defaults of EKS, or of any cluster."""
        said = self.expected.get(issuer)
        if said is not None:
            return frozenset(said) | self.audiences
        return self.audiences | (_EKS if eks else _CLUSTERS)

    @cached_property
    def naming(self) -> Mapping[str, tuple[str, ...]]:
        """Role ARN -> subjects of the service accounts that name it, sorted."""
        table: dict[str, set[str]] = {}
        for account in self.inventory.service_accounts:
            value = account.annotations.get(ROLE_ARN)
            if isinstance(value, str):
                table.setdefault(value, set()).add(account.subject)
        return {role: tuple(sorted(subjects)) for role, subjects in table.items()}

    @cached_property
    def provider_names(self) -> Mapping[str, Names]:
        """ARNs of OIDC providers, by account."""
        table: dict[str, list[str]] = {}
        for provider in self.inventory.providers:
            table.setdefault(provider.account, []).append(provider.arn)
        return {account: Names(tuple(arns)) for account, arns in table.items()}

    @cached_property
    def provider_issuers(self) -> frozenset[str]:
        """Issuers, without scheme, for which some account has an OIDC provider."""
        return frozenset(provider.issuer for provider in self.inventory.providers)

    def issuer_of(self, cluster: str) -> str:
        """Issuer of a cluster without scheme, "" where it is not known."""
        found = self.inventory.cluster_by_id.get(cluster)
        return found.issuer if found and isinstance(found.issuer, str) else ""

    def name_of(self, cluster: str) -> str:
        """The name by which findings call a cluster."""
        found = self.inventory.cluster_by_id.get(cluster)
        return found.name if found else cluster or "unknown-cluster"

    def meant_provider(self, principal: str, account: str) -> str:
        """The provider (ARN) that a wrong principal was most likely meant to be, "" where there is no near miss."""
        known = self.provider_names.get(account)
        if known is None:
            return ""
        ident = principal.rstrip("/").rpartition("/")[2].lower()
        same = [arn for arn in known.names if ident and arn.rpartition("/")[2].lower() == ident]
        return same[0] if len(same) == 1 else known.near(principal)
