"""Tables over the identities of Azure and Google Cloud that facts use."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.lookups.workloads import WorkloadLookups
from irsa_doctor.model import (
    AzureIdentity,
    CloudCluster,
    Clouds,
    FederatedCredential,
    GoogleAccount,
    PoolProvider,
    RoleBinding,
    ServiceAccount,
    Text,
    Workload,
    text_of,
)
from irsa_doctor.model.clouds import CloudCollection
from irsa_doctor.trust.clouds.credentials import TOKEN_EXCHANGE, match_of

CLIENT_ID = "azure.workload.identity/client-id"
TENANT_ID = "azure.workload.identity/tenant-id"
TOKEN_EXPIRATION = "azure.workload.identity/service-account-token-expiration"
USE_LABEL = "azure.workload.identity/use"
SKIPPED_CONTAINERS = "azure.workload.identity/skip-containers"
RETIRED_LABEL = "aadpodidbinding"
CLIENT_VARIABLE, TOKEN_FILE_VARIABLE = "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"
GOOGLE_ACCOUNT = "iam.gke.io/gcp-service-account"


class CloudLookups:
    """What identities of Azure and Google Cloud are looked up by."""

    def __init__(self, common: Lookups, workloads: WorkloadLookups) -> None:
        self.common = common
        """what facts of AWS are looked up by as well"""
        self._workloads = workloads
        self.clouds: Clouds = common.inventory.clouds
        self.now = datetime.now(UTC)

    def cluster_of(self, ident: str) -> CloudCluster | None:
        """What AKS or GKE has of a cluster of the inventory."""
        return self.clouds.cluster_by_id.get(ident)

    def users_of(self, account: ServiceAccount) -> tuple[Workload, ...]:
        """The workloads that use a service account, without those that will not run again."""
        key = (account.cluster, account.namespace, account.name)
        return tuple(w for w in self.common.inventory.workloads_by_service_account.get(key, ()) if not w.over)

    def current_workloads(self) -> Iterator[Workload]:
        """The workloads that will run, each once: an object that the input has is not judged again as what it made."""
        for workload in self.common.inventory.workloads:
            owner = self._workloads.owner_of(workload) if workload.owner else None
            if not workload.over and owner is None:
                yield workload

    def account_of(self, workload: Workload) -> ServiceAccount | None:
        """The service account of a workload, None where it is not in the input."""
        key = (workload.cluster, workload.namespace, workload.service_account)
        return self.common.inventory.service_account_by_key.get(key)

    # ---- Azure

    @cached_property
    def identity_by_client(self) -> Mapping[str, AzureIdentity]:
        """Client id, or the reference by which a template fills one in -> identity."""
        table: dict[str, AzureIdentity] = {}
        for identity in self.clouds.identities:
            keys = [text_of(identity.client_id).lower()] if identity.client_id else []
            for key in [*keys, *references_to(identity.address, "client_id")]:
                table.setdefault(key, identity)
        return table

    @cached_property
    def identity_by_principal(self) -> Mapping[str, AzureIdentity]:
        """Principal id (of an app: object id) -> identity."""
        return {identity.principal_id.lower() or identity.id.lower(): identity for identity in self.clouds.identities}

    def identity_of(self, client_id: str | Text) -> AzureIdentity | None:
        """The identity of a client id."""
        return self.identity_by_client.get(text_of(client_id).strip().lower())

    @cached_property
    def _credentials_by_owner(self) -> Mapping[str, list[FederatedCredential]]:
        table: dict[str, list[FederatedCredential]] = {}
        for credential in self.clouds.credentials:
            table.setdefault(credential.identity.lower(), []).append(credential)
        return table

    def credentials_of(self, identity: AzureIdentity) -> list[FederatedCredential]:
        """The credentials of an identity: by its id, the name that a template has for it, or its address."""
        names = [identity.key, identity.name.lower(), text_of(identity.client_id).lower()]
        names += [key.lower() for key in references_to(identity.address, "id")]
        table = self._credentials_by_owner
        return [credential for name in dict.fromkeys(filter(None, names)) for credential in table.get(name, ())]

    def owner_of(self, credential: FederatedCredential) -> AzureIdentity | None:
        """The identity of a credential, None where it is not in the input."""
        return self._owners.get(credential.place)

    @cached_property
    def _owners(self) -> Mapping[object, AzureIdentity]:
        return {c.place: identity for identity in self.clouds.identities for c in self.credentials_of(identity)}

    def has_all(self, collection: CloudCollection, owner: str) -> bool:
        """Whether a complete list of an owner is in the input."""
        return self.clouds.is_complete(collection, owner)

    def empty_list_beside(self, document: str) -> bool:
        """Whether an empty list is in the folder of a document: it shows that something does not exist, not what."""
        folder = "" if document == "-" else os.path.dirname(os.path.abspath(document))
        return self.clouds.is_complete("empty", folder)

    def trusting(self, issuer: str, subject: str) -> list[AzureIdentity]:
        """The identities that trust a subject of an issuer (with its scheme)."""
        own = (c for c in self.clouds.credentials if match_of(c, issuer, subject, TOKEN_EXCHANGE) == "matches")
        return list(filter(None, map(self.owner_of, own)))

    @cached_property
    def _named_clients(self) -> frozenset[str]:
        accounts = self.common.inventory.service_accounts
        return frozenset(text_of(account.annotations.get(CLIENT_ID, "")).strip().lower() for account in accounts)

    def is_named(self, identity: AzureIdentity) -> bool:
        """Whether a service account of the input names an identity."""
        return text_of(identity.client_id).lower() in self._named_clients

    @cached_property
    def _azure_clusters(self) -> frozenset[str]:
        accounts = (account.cluster for account in self.common.inventory.service_accounts if CLIENT_ID in account.annotations)
        labelled = (workload.cluster for workload in self.common.inventory.workloads if USE_LABEL in workload.labels)
        return frozenset([*accounts, *labelled])

    def uses_azure(self, cluster: str) -> bool:
        """Whether something in a cluster is to have an identity of Azure."""
        return cluster in self._azure_clusters

    # ---- Google Cloud

    @cached_property
    def account_by_email(self) -> Mapping[str, GoogleAccount]:
        """Service accounts of Google Cloud by their addresses."""
        table = {account.email: account for account in self.clouds.accounts if account.email}
        for account in self.clouds.accounts:
            for key in references_to(account.address, "email"):
                table.setdefault(key, account)
        return table

    @cached_property
    def bindings_by_resource(self) -> Mapping[str, list[RoleBinding]]:
        """Bindings by the resource that they are on."""
        table: dict[str, list[RoleBinding]] = {}
        for binding in self.clouds.bindings:
            table.setdefault(text_of(binding.resource), []).append(binding)
        return table

    def bindings_of(self, account: GoogleAccount | None, email: str) -> list[RoleBinding]:
        """The bindings on a service account, and on its project, from which it inherits them."""
        names = [email, *references_to(account.address if account else "", "name", "id", "email")]
        names += [f"projects/{account.project}"] if account and account.project else []
        return [binding for name in dict.fromkeys(names) for binding in self.bindings_by_resource.get(name, ())]

    def has_whole_policy(self, account: GoogleAccount | None, email: str) -> bool:
        """Whether the whole policy of a service account is in the input."""
        names = [email, *references_to(account.address if account else "", "name", "id", "email")]
        return any(not binding.role for name in names for binding in self.bindings_by_resource.get(name, ()))

    def uses_google(self, cluster: str) -> bool:
        """Whether a service account in a cluster names one of Google Cloud."""
        accounts = self.common.inventory.service_accounts
        return any(account.cluster == cluster and GOOGLE_ACCOUNT in account.annotations for account in accounts)

    def providers_of(self, pool: str, project: str) -> list[PoolProvider]:
        """The providers of a pool; the project of either may be written as id or as number, so that only two numbers differ."""
        named = (provider for provider in self.clouds.providers if provider.pool == pool and provider.name)
        return [p for p in named if p.project == project or not (p.project.isdecimal() and project.isdecimal())]

    @cached_property
    def is_search(self) -> bool:
        """Whether a search for policies is in the input, which has those of all resources of its scope."""
        return any(listing.collection == "policies" for listing in self.clouds.listings)

    @cached_property
    def clusters_by_pool(self) -> Mapping[str, list[str]]:
        """Names of clusters by their workload identity pool."""
        table: dict[str, list[str]] = {}
        for cluster in self.clouds.clusters:
            if cluster.pool:
                table.setdefault(cluster.pool, []).append(self.common.label_of(cluster.cluster))
        return table

    @cached_property
    def direct_bindings(self) -> Mapping[str, list[tuple[RoleBinding, str]]]:
        """Pool -> the bindings with members of it, and those members."""
        from irsa_doctor.trust.clouds.members import parse_member

        table: dict[str, list[tuple[RoleBinding, str]]] = {}
        for binding in self.clouds.bindings:
            for member in filter(lambda value: isinstance(value, str), binding.members):
                parsed = parse_member(str(member))
                if parsed.is_of_clusters:
                    table.setdefault(parsed.pool, []).append((binding, str(member)))
        return table


def references_to(address: str, *attributes: str) -> Iterator[str]:
    """How templates refer to attributes of a resource."""
    if address:
        yield from (f"${{{address}.{attribute}}}" for attribute in attributes)
        yield from (f"{address}.{attribute}" for attribute in attributes)
