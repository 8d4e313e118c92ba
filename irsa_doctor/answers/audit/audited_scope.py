"""What a run was to read as evidence shows it, and what may be in what it could not read."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec


class AuditedAccount(NamedTuple):
    """An account of the scope; `units` from the root down, `why` where it was not read whole."""

    id: str
    name: str
    units: tuple[str, ...]
    state: str
    why: str
    taken: str


class AuditedCluster(NamedTuple):
    """A cluster of the scope (ARN); `why` where it was not read whole."""

    arn: str
    name: str
    state: str
    why: str


class AuditedRegion(NamedTuple):
    """A region in which the clusters of an account were to be listed; `why` where they were not."""

    account: str
    name: str
    state: str
    why: str


class LostList(NamedTuple):
    """A list (`OWNER/LIST/PART`) that was not read whole, and why."""

    id: str
    why: str


_IN_CLUSTERS = ("service-account", "workload", "binding", "identity")
_KINDS_OF_LISTS: Mapping[str, tuple[str, ...]] = {
    "roles": ("role", "grant", "policy"),
    "providers": ("provider",),
    "clusters": ("cluster", *_IN_CLUSTERS),
}
_KINDS = frozenset(kind for kinds in _KINDS_OF_LISTS.values() for kind in kinds)


class EvidenceScope(msgspec.Struct, frozen=True):
    """What the last run was to read, and what it could not read; `missing` are inputs, each with the rules that need it."""

    organization: str
    accounts: tuple[AuditedAccount, ...]
    clusters: tuple[AuditedCluster, ...]
    missing: tuple[Mapping[str, Any], ...]
    regions: tuple[AuditedRegion, ...] = ()
    lost_lists: tuple[LostList, ...] = ()

    def hidden_kinds(self, chosen: str = "") -> frozenset[str]:
        """The kinds of subjects of which some may be in what could not be read; of an account alone where one is chosen."""
        kinds: set[str] = set()
        for account in self.unread_accounts:
            if account.state != "excluded" and chosen in ("", account.id):
                kinds.update(self._hidden_in(account))
        if any(not chosen or f":{chosen}:" in cluster.arn for cluster in self.unread_clusters):
            kinds.update(_IN_CLUSTERS)
        return frozenset(kinds)

    def _hidden_in(self, account: AuditedAccount) -> Iterable[str]:
        """All kinds, or those of the lists for which the account was read in part."""
        lost = [each for each in self.lost_lists if each.id.startswith(f"{account.id}/")]
        if account.state != "partial" or account.why not in {each.why for each in lost}:
            return _KINDS
        return (kind for each in lost for kind in _KINDS_OF_LISTS.get(each.id.split("/")[1], ()))

    @property
    def unread_regions(self) -> tuple[AuditedRegion, ...]:
        """The regions whose clusters were not listed."""
        return tuple(region for region in self.regions if region.state != "read")

    @property
    def unread_accounts(self) -> tuple[AuditedAccount, ...]:
        """The accounts that were not read whole."""
        return tuple(account for account in self.accounts if account.state != "read")

    @property
    def unread_clusters(self) -> tuple[AuditedCluster, ...]:
        """The clusters that were not read whole."""
        return tuple(cluster for cluster in self.clusters if cluster.state != "read")
