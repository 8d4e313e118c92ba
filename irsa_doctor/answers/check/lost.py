"""The part of an inventory that is left when an error of ours has cost some of its documents."""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from irsa_doctor.model import Closed, Document, Inventory


def only_of(inventory: Inventory, paths: Collection[str], lost: Mapping[str, str]) -> Inventory:
    """Return the inventory of some of its documents; the rows of `lost` ones say why they were not judged. What they hold is
    there all the same: nothing proves any more that something is not."""
    kept = set(paths)
    parts = {
        name: tuple(record for record in records if record.place.document in kept)
        for name in Inventory.__struct_fields__
        if (records := getattr(inventory, name)) and isinstance(records, tuple) and hasattr(records[0], "place")
    }
    pairs = (item for item in inventory.contradictions if {item.first.document, item.second.document} <= kept)
    rows = tuple(_rows(inventory, lost))
    left = tuple(alternative.of(frozenset(kept)) for alternative in inventory.alternatives)
    others = {"contradictions": tuple(pairs), "alternatives": left, "documents": rows, "closed": Closed()}
    return msgspec.structs.replace(inventory, **parts, **others)


def _rows(inventory: Inventory, lost: Mapping[str, str]) -> Iterator[Document]:
    for row in inventory.documents:
        why = lost.get(row.path)
        yield row if why is None else msgspec.structs.replace(row, status="unreadable", why=why, matters=True)
