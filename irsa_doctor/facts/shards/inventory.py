"""The inventory of one shard, with the small collections of all: the objects of the others are read when they are looked up."""

from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.facts.shards.rows import ClusterWorkloads, SharedFacts, account_and_name
from irsa_doctor.facts.shards.tables import LATEST_ROLES, Foreign, ForeignRecord, LookedUp, ShardIndex
from irsa_doctor.model import Closed, Inventory, OidcProvider, PodIdentityAssociation, Role, Text, Workload, in_one_order

_AccountKey = tuple[str, str, str]
_AssociationKey = tuple[str | Text, str | Text, str | Text]


class NoOthers:
    """The index of a shard that is alone."""

    def find(self, key: int) -> Sequence[ForeignRecord]:
        """Nothing."""
        return ()

    def may_have(self, key: int) -> bool:
        """False."""
        return False


class ShardInventory(Inventory, frozen=True, eq=False, dict=True):
    """The inventory of one shard with the small collections of all; `own` is what the shard itself has."""

    own: Inventory = Inventory()
    index: ShardIndex = NoOthers()
    associated: bool = True
    """some shard has Pod Identity associations"""

    def by_document(self) -> Iterator[Inventory]:
        """The inventories in which documents of the shard that differ about an object do not, what it has itself too."""
        for inventory, own in zip(super().by_document(), self.own.by_document(), strict=True):
            yield msgspec.structs.replace(inventory, own=own)

    @cached_property
    def role_by_arn(self) -> Mapping[str, Role]:
        """Roles of all shards with an ARN, by it."""
        own, foreign = self.own.role_by_arn, Foreign(self.index)

        def of(arn: str) -> Role | None:
            rows = () if arn in own else foreign.find(Role, "role", *account_and_name(arn))
            return own.get(arn) or next((role for _, role in rows if role.arn == arn), None)

        return LookedUp(of, LATEST_ROLES)

    @cached_property
    def provider_by_arn(self) -> Mapping[str, OidcProvider]:
        """OIDC providers of all shards by ARN."""
        own, foreign = self.own.provider_by_arn, Foreign(self.index)

        def of(arn: str) -> OidcProvider | None:
            return own.get(arn) or next((p for _, p in foreign.find(OidcProvider, "provider", arn) if p.arn == arn), None)

        return LookedUp(of)

    @cached_property
    def workloads_by_service_account(self) -> Mapping[_AccountKey, tuple[Workload, ...]]:
        """Workloads of all shards by (cluster id, namespace, service account)."""
        own, foreign = self.own.workloads_by_service_account, Foreign(self.index)
        clusters = {workload.cluster for workload in self.own.workloads}
        tables: dict[str, Mapping[_AccountKey, tuple[Workload, ...]]] = {}

        def of(key: _AccountKey) -> tuple[Workload, ...] | None:
            cluster = key[0]
            if cluster in clusters:
                return own.get(key)
            if cluster not in tables:
                rows = [block.workloads for _, block in foreign.find(ClusterWorkloads, "cluster-workloads", cluster)]
                there = tuple([each for block in rows for each in block if each.cluster == cluster])
                tables[cluster] = Inventory(workloads=there).workloads_by_service_account
            return tables[cluster].get(key)

        return LookedUp(of)

    @cached_property
    def association_by_key(self) -> Mapping[_AssociationKey, PodIdentityAssociation]:
        """Pod Identity associations of all shards by (cluster id, namespace, service account)."""
        own, foreign = self.own.association_by_key, Foreign(self.index)
        if not self.associated:
            return own

        def of(key: _AssociationKey) -> PodIdentityAssociation | None:
            names = [name for name in key if isinstance(name, str)]
            if key in own or len(names) < len(key):
                return own.get(key)
            rows = foreign.find(PodIdentityAssociation, "association", *names)
            return next((a for _, a in rows if (a.cluster, a.namespace, a.service_account) == key), None)

        return _Associations(of, own)


class _Associations(LookedUp[_AssociationKey, PodIdentityAssociation]):
    """The associations of all shards; those of this one are listed: what is listed is about its own clusters."""

    def __init__(
        self,
        work: Callable[[_AssociationKey], PodIdentityAssociation | None],
        own: Mapping[_AssociationKey, PodIdentityAssociation],
    ) -> None:
        super().__init__(work)
        self._own = own

    def __iter__(self) -> Iterator[_AssociationKey]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)

    def items(self) -> ItemsView[_AssociationKey, PodIdentityAssociation]:
        """The associations of this shard."""
        return self._own.items()


_JOINED = (
    *("clusters", "planned_clusters", "gaps", "organization", "discoveries", "signing_keys", "addons", "node_roles"),
    "mapped_accounts",
)


def shard_inventory(own: Inventory, shared: Sequence[SharedFacts], index: ShardIndex) -> ShardInventory:
    """The inventory of a shard among others; `shared` is what all of them share, its own too, in order of reading."""
    fields = {name: getattr(own, name) for name in own.__struct_fields__}
    everywhere = [each.inventory for each in shared]
    joined = {name: tuple([item for each in everywhere for item in getattr(each, name)]) for name in _JOINED}
    joined["gaps"] = in_one_order(joined["gaps"])
    associated = any(each.associated for each in shared)
    return ShardInventory(**{**fields, **joined, "closed": closed_of(everywhere)}, own=own, index=index, associated=associated)


def closed_of(inventories: Sequence[Inventory]) -> Closed:
    """The complete lists of several inventories together."""
    closed = [inventory.closed for inventory in inventories]
    kinds: dict[str, frozenset[str]] = {}
    for each in closed:
        for cluster, names in each.kinds.items():
            kinds[cluster] = kinds.get(cluster, frozenset()) | names
    sets = {
        name: frozenset().union(*(getattr(each, name) for each in closed))
        for name in Closed.__struct_fields__
        if name != "kinds"
    }
    return msgspec.structs.replace(Closed(), kinds=kinds, **sets)
