"""Lays a change over the current state (`--base`): templates and manifests over a snapshot, say."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.model import OidcProvider, PodIdentityAssociation, Role
from irsa_doctor.sources.documents.reading import DocumentReading


def _of_role(role: Role) -> Hashable:
    """Names of roles are unique in an account, whatever their path and case."""
    return (role.account, role.name.lower()) if role.arn else None


def _of_provider(provider: OidcProvider) -> Hashable:
    return provider.arn if isinstance(provider.client_ids, tuple) else None


def _of_association(association: PodIdentityAssociation) -> Hashable:
    return association.cluster, association.namespace, association.service_account


def _of_object(record: Any) -> Hashable:
    return (
        (type(record), getattr(record, "kind", ""), record.cluster, record.namespace, record.name) if record.cluster else None
    )


_KEYS: Mapping[str, Callable[[Any], Hashable]] = {
    "roles": _of_role,
    "providers": _of_provider,
    "associations": _of_association,
    "service_accounts": _of_object,
    "workloads": _of_object,
    "config_maps": _of_object,
    "access_roles": _of_object,
    "access_bindings": _of_object,
    "namespaces": lambda namespace: (namespace.cluster, namespace.name) if namespace.cluster else None,
}
"""Collection -> the key of a record, None where too little of it is known to replace another."""


class Overlay:
    """Which documents are the current state, and which of their records a change leaves."""

    def __init__(self, readings: Iterable[DocumentReading]) -> None:
        self.base = {reading.path for reading in readings if reading.base}

    def remaining(self, collection: str, records: list[Any]) -> list[Any]:
        """Return the records of the change, and those of the current state that the change does not have."""
        key = _KEYS.get(collection)
        if not self.base or key is None:
            return records
        changed = {key(record) for record in records if record.place.document not in self.base} - {None}
        return [record for record in records if record.place.document not in self.base or key(record) not in changed]


def name_roles(readings: Sequence[DocumentReading], account_of: Callable[[str], str], partitions: Mapping[str, str]) -> None:
    """Give planned roles the ARNs that they will have in the account of the current state."""
    if not any(reading.base for reading in readings):
        return
    for reading in readings:
        for number, role in enumerate(reading.roles):
            if role.planned and not role.arn and (account := account_of(reading.path)):
                arn = f"arn:{partitions.get(account, 'aws')}:iam::{account}:role/{role.planned}"
                name = role.planned.rpartition("/")[2]
                reading.roles[number] = msgspec.structs.replace(role, arn=arn, account=account, name=name)
