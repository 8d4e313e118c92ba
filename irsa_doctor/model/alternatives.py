"""What documents hold of objects about which other documents say something else, so that each can be judged by itself."""

from collections.abc import Hashable, Mapping
from typing import Any

import msgspec

ObjectKey = tuple[Hashable, ...]
"""the collection of an inventory, and what names an object in it"""


def object_key(collection: str, record: Any) -> ObjectKey:
    """Return what names the object of a record; records of one key are about one object."""
    if collection == "roles":
        return collection, record.arn, record.case
    if collection == "providers":
        return collection, record.arn
    if collection == "clusters":
        return collection, record.id
    name = record.service_account if collection == "associations" else record.name
    return collection, record.cluster, record.namespace, name, getattr(record, "kind", "")


class Alternative(msgspec.Struct, frozen=True, eq=False):
    """The records of documents that agree with each other, by object, where other documents differ from them.

    `believes_lists`: a complete list of OIDC providers proves that others do not exist.
    """

    records: Mapping[ObjectKey, Any]
    believes_lists: bool = True

    def of(self, paths: frozenset[str]) -> "Alternative":
        """Return it without the records of other documents than these."""
        kept = {key: record for key, record in self.records.items() if record.place.document in paths}
        return msgspec.structs.replace(self, records=kept)
