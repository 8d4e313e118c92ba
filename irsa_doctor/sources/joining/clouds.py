"""Joins what documents hold of Azure and Google Cloud: whose a credential or a policy is that does not say it."""

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from irsa_doctor.model import (
    AzureIdentity,
    CloudCluster,
    CloudListing,
    CloudRecord,
    Clouds,
    FederatedCredential,
    GoogleAccount,
    NodePoolOfCluster,
    PoolProvider,
    RoleBinding,
    text_of,
)
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.files.folders import Folders

_Kind = TypeVar("_Kind", bound=CloudRecord)


def join_clouds(readings: Sequence[DocumentReading], apps: Mapping[str, str], policies: Mapping[str, str]) -> Clouds:
    """Return everything of Azure and Google Cloud; `apps` are the client ids of app registrations by path, as stated, and
    `policies` the resources of policies that name none."""
    records = [record for reading in readings for record in reading.cloud_records]
    if not records:
        return Clouds()
    identities = _each(records, AzureIdentity, lambda identity: identity.key or None)
    accounts = _each(records, GoogleAccount, lambda account: account.email or None)
    return Clouds(
        clusters=_with_pools(
            _each(records, CloudCluster, lambda cluster: cluster.cluster),
            _each(records, NodePoolOfCluster, lambda pool: pool.place),
        ),
        identities=identities,
        credentials=_owned(_each(records, FederatedCredential, _credential_key), identities, apps),
        accounts=accounts,
        bindings=_bound(_each(records, RoleBinding, lambda binding: (binding.place, binding.role)), accounts, policies),
        providers=_each(records, PoolProvider, lambda provider: provider.id),
        listings=_each(records, CloudListing, lambda listing: listing),
    )


def _each(records: Iterable[CloudRecord], kind: type[_Kind], key_of: Callable[[_Kind], Hashable | None]) -> tuple[_Kind, ...]:
    """The records of a kind, each object once; those without a key are alone."""
    own: dict[Hashable, _Kind] = {}
    for number, record in enumerate(records):
        if isinstance(record, kind):
            key = key_of(record)
            own.setdefault(number if key is None else key, record)
    return tuple(own.values())


def _with_pools(clusters: Sequence[CloudCluster], pools: Sequence[NodePoolOfCluster]) -> tuple[CloudCluster, ...]:
    """The clusters with the node pools that templates make apart from them; none are known where the mode of one is not, or
    whether the cluster has more."""
    joined: list[CloudCluster] = []
    for cluster in clusters:
        own = [pool for pool in pools if _is_pool_of(pool, cluster)] if cluster.address and cluster.pools is not None else []
        modes = [pool.pool for pool in own if pool.pool is not None]
        known = (*(cluster.pools or ()), *modes) if len(modes) == len(own) else None
        joined.append(msgspec.structs.replace(cluster, pools=known) if own else cluster)
    return tuple(joined)


def _is_pool_of(pool: NodePoolOfCluster, cluster: CloudCluster) -> bool:
    named = text_of(pool.cluster)
    if cluster.address and named.removeprefix("${").startswith(f"{cluster.address}."):
        return True
    is_name = named in (cluster.cluster, cluster.cluster.rpartition("/")[2])
    return is_name and pool.project in ("", cluster.project)


def _credential_key(credential: FederatedCredential) -> Hashable | None:
    same = (credential.id.lower(), credential.issuer, credential.subject, credential.audiences, credential.expression)
    return same if "/" in credential.id else None


def _owned(
    credentials: Sequence[FederatedCredential], identities: Sequence[AzureIdentity], apps: Mapping[str, str]
) -> tuple[FederatedCredential, ...]:
    """The credentials with their apps: as stated, else the only app that the nearest folder has."""
    if all(credential.identity for credential in credentials):
        return tuple(credentials)
    stated = {os.path.abspath(path): client.lower() for path, client in apps.items()}
    by_client = {str(identity.client_id).lower(): identity.key for identity in identities}
    folders = Folders()
    for identity in identities:
        if identity.kind == "application":
            folders.add(identity.place.document, identity.key)

    def app_of(credential: FederatedCredential) -> str:
        path = credential.place.document
        if client := stated.get(os.path.abspath(path)):
            return by_client.get(client, client)
        near = folders.nearest(path)
        return next(iter(near)) if len(near) == 1 else ""

    return tuple(
        credential if credential.identity else msgspec.structs.replace(credential, identity=app_of(credential))
        for credential in credentials
    )


def _bound(
    bindings: Sequence[RoleBinding], accounts: Sequence[GoogleAccount], policies: Mapping[str, str]
) -> tuple[RoleBinding, ...]:
    """The bindings with their resources: a policy that names none is of the one that is stated, else of the only account of
    its folder."""
    from irsa_doctor.sources.documents.clouds.google import resource_named

    stated = {os.path.abspath(path): resource_named(resource) for path, resource in policies.items()}
    folders = Folders()
    for account in accounts:
        folders.add(account.place.document, account.email)
    known: list[RoleBinding] = []
    for binding in bindings:
        if not binding.resource and (resource := stated.get(os.path.abspath(binding.place.document))):
            known.append(msgspec.structs.replace(binding, resource=resource))
            continue
        near = folders.nearest(binding.place.document) if not binding.resource else frozenset()
        email = next(iter(near)) if len(near) == 1 else ""
        known.append(msgspec.structs.replace(binding, resource=email, presumed=True) if email else binding)
    return tuple(known)
