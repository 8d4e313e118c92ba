"""The OIDC providers of all shards, with which federated principals are compared."""

from collections.abc import Mapping
from functools import cached_property

from irsa_doctor.facts.grants.principals import Principals, ids_of_eks, kin
from irsa_doctor.facts.lookups.names import Names
from irsa_doctor.facts.shards.inventory import ShardInventory
from irsa_doctor.facts.shards.tables import LATEST_ACCOUNTS, Foreign, LookedUp, in_order
from irsa_doctor.model import OidcProvider


def providers_of_account(inventory: ShardInventory, account: str) -> list[OidcProvider]:
    """The OIDC providers of an account, those of all shards, in order of reading."""
    rows = Foreign(inventory.index).find(OidcProvider, "providers", account)
    own = [provider for provider in inventory.providers if provider.account == account]
    return in_order(own, [row for row in rows if row[1].account == account])


class ShardPrincipals(Principals, frozen=True, dict=True):
    """Federated principals, compared with the providers of all shards."""

    @cached_property
    def _providers(self) -> Mapping[tuple[str, str], list[str]]:
        own, inventory = super()._providers, self.inventory
        foreign = Foreign(inventory.index) if isinstance(inventory, ShardInventory) else None

        def of(key: tuple[str, str]) -> list[str] | None:
            rows = foreign.find(OidcProvider, "kin", *key) if foreign else []
            arns = [(each, p.arn) for each, p in rows if (p.account, kin(p.arn)) == key]
            return in_order(own.get(key, []), arns) or None

        return LookedUp(of)

    @cached_property
    def _ids(self) -> Mapping[str, Names]:
        inventory = self.inventory

        def of(account: str) -> Names | None:
            providers = providers_of_account(inventory, account) if isinstance(inventory, ShardInventory) else []
            return ids_of_eks(dict.fromkeys(kin(provider.arn) for provider in providers)) if providers else None

        return LookedUp(of, LATEST_ACCOUNTS)
