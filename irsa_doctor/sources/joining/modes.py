"""Sets how clusters let principals in, and who made them, from what other documents than the answers of EKS say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.model import Cluster
from irsa_doctor.model.aws import DEFAULT_MODE
from irsa_doctor.sources.documents.reading import DocumentReading

ClusterOf = Callable[[str, str], str]
"""(name or ARN of a cluster, "" for that of the document; path of the document) -> the id of the cluster, "" for none"""


def with_access(clusters: Sequence[Cluster], readings: Sequence[DocumentReading], of: ClusterOf) -> list[Cluster]:
    """The clusters with their authentication modes and creators.

    What EKS answered comes first, then what templates set, then what clusters have by default; but not CONFIG_MAP where the
    input has an access entry of the cluster, for in that mode EKS refuses to make or list any
    (https://docs.aws.amazon.com/eks/latest/userguide/setting-up-access-entries.html).
    """
    modes, creators = _stated(readings, "access_modes", of), _stated(readings, "creators", of)
    defaults = _stated(readings, "default_modes", of)
    if defaults:
        entered = {of(entry.cluster, entry.place.document) for reading in readings for entry in reading.access_entries}
        defaults = {ident: mode for ident, mode in defaults.items() if mode != DEFAULT_MODE or ident not in entered}
    modes = {**defaults, **modes}
    if not (modes or creators):
        return list(clusters)
    return [
        msgspec.structs.replace(item, mode=item.mode or modes.get(item.id, ""), creator=creators.get(item.id, item.creator))
        for item in clusters
    ]


def _stated(
    readings: Sequence[DocumentReading], collection: Literal["access_modes", "default_modes", "creators"], of: ClusterOf
) -> Mapping[str, str]:
    """What documents say of clusters, by id; a later document wins."""
    stated = {of(name, reading.path): value for reading in readings for name, value in getattr(reading, collection)}
    return {ident: value for ident, value in stated.items() if ident}
