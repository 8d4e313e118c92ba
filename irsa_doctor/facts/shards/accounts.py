"""The service accounts of all shards: of the clusters of others their names, and more of them where somebody asks."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from irsa_doctor.facts.lookups.accounts import Accounts, ClusterSubjects
from irsa_doctor.facts.shards.inventory import ShardInventory
from irsa_doctor.facts.shards.rows import ClusterAccounts, ClusterSubjectList
from irsa_doctor.facts.shards.tables import Foreign, LookedUp
from irsa_doctor.model import ServiceAccount


class ShardAccounts(Accounts, frozen=True, dict=True):
    """The service accounts of all shards; those of the clusters of others are read when a trust policy needs them."""

    @cached_property
    def _by_cluster(self) -> Mapping[str, ClusterSubjects]:
        own, inventory = super()._by_cluster, self.inventory
        foreign = Foreign(inventory.index) if isinstance(inventory, ShardInventory) else None

        def of(cluster: str) -> ClusterSubjects | None:
            if cluster in own or foreign is None:
                return own.get(cluster)
            rows = foreign.find(ClusterSubjectList, "cluster-subjects", cluster)
            listed = [row for _, row in rows if row.cluster == cluster]
            accounts = _ForeignAccounts(foreign, cluster, (subject for row in listed for subject in row.subjects))
            return ClusterSubjects(accounts) if accounts else None

        return LookedUp(of)


class _ForeignAccounts(Mapping[str, ServiceAccount]):
    """The service accounts of a cluster of another shard by subject. They are read when more is asked than these."""

    def __init__(self, foreign: Foreign, cluster: str, subjects: Iterable[str]) -> None:
        self._foreign, self._cluster = foreign, cluster
        self._subjects = dict.fromkeys(subjects)

    @cached_property
    def _accounts(self) -> Mapping[str, ServiceAccount]:
        rows = [block.accounts for _, block in self._foreign.find(ClusterAccounts, "cluster-accounts", self._cluster)]
        return {each.subject: each for block in rows for each in block if each.cluster == self._cluster}

    def __getitem__(self, subject: str) -> ServiceAccount:
        return self._accounts[subject]

    def __contains__(self, subject: object) -> bool:
        return subject in self._subjects

    def __iter__(self) -> Iterator[str]:
        return iter(self._subjects)

    def __len__(self) -> int:
        return len(self._subjects)
