"""The cluster of objects whose cluster has no name before it is made."""

import os

from irsa_doctor.model import Cluster, Inventory, Unknown


def planned_cluster(inventory: Inventory, document: str = "") -> Cluster | None:
    """The cluster that templates make, under the address of its resource: the only one of the folder of a document, else the
    only one of all; None where that is no answer."""
    planned = inventory.planned_clusters
    near = [item for item in planned if os.path.dirname(item.place.document) == os.path.dirname(document)]
    chosen = near if len(near) == 1 else planned
    if len(chosen) != 1:
        return None
    item = chosen[0]
    issuer = Unknown(f"issuer of {item.address}", "")
    return Cluster(item.address, "", issuer, item.place, mode=item.mode)
