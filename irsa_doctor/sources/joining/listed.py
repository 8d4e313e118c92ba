"""Clusters of which lists have the names."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from irsa_doctor.model import Cluster, Place, partition_of
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.joining.accounts import AnswerAccounts


class ListedCluster(NamedTuple):
    """A name in a list of clusters. `account` is that of the list, "" where it is not known; `arn` that of the cluster, ""
    where account or region are not known (https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html)."""

    name: str
    account: str
    arn: str
    place: Place

    def may_be(self, cluster: Cluster) -> bool:
        """Whether a cluster of the name may be the one that is listed."""
        if not cluster.account or not self.account:
            return True
        return not self.arn and cluster.account == self.account


def listed_clusters(readings: Sequence[DocumentReading], accounts: AnswerAccounts) -> list[ListedCluster]:
    """Every name in a list of clusters, those with an ARN first: a name alone may be one of them."""
    return sorted(_listed(readings, accounts), key=lambda listed: not listed.arn)


def _listed(readings: Sequence[DocumentReading], accounts: AnswerAccounts) -> Iterator[ListedCluster]:
    for reading in readings:
        account, region = accounts.of(reading.path) if reading.cluster_names else "", reading.origin.region
        partition = accounts.partitions.get(account) or partition_of(region)
        prefix = f"arn:{partition}:eks:{region}:{account}:cluster/" if account and region else ""
        for name, place in reading.cluster_names:
            yield ListedCluster(name, account, f"{prefix}{name}" if prefix else "", place)
