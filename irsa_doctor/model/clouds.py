"""What Azure and Google Cloud hold of workload identities: identities, who is trusted by them, clusters as they see them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.model.place import Place
from irsa_doctor.model.text import Text

Cloud = Literal["azure", "google"]
GOOGLE_PROJECTS = "gcp-projects"
"""what settings call the projects of Google Cloud that are one's own"""
CloudCollection = Literal["credentials", "identities", "google-accounts", "policies", "empty"]


class NodePool(msgspec.Struct, frozen=True):
    """A node pool of GKE; `mode` is its workload metadata mode, "" where it has none."""

    name: str
    mode: str


class NodePoolOfCluster(msgspec.Struct, frozen=True, kw_only=True):
    """A node pool that a template makes apart from its cluster, which it names: by its name, or by a reference. `pool` is None
    where its mode is not known."""

    cluster: str | Text
    place: Place
    pool: NodePool | None = None
    project: str = ""


class CloudCluster(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster of AKS or GKE, beside its name and issuer.

    `cluster` is its id. Of AKS: `issues_tokens` (oidcIssuerProfile) and `injects` (the webhook, securityProfile) are None where
    the answer does not have them; `tenant` is a GUID. Of GKE: `pool` is the workload identity pool, `PROJECT.svc.id.goog`, ""
    where it has none, and `pools` are the node pools, None where they are not known. `address` is what a template calls it.
    """

    cluster: str
    cloud: Cloud
    place: Place
    tenant: str = ""
    issues_tokens: bool | None = None
    injects: bool | None = None
    project: str = ""
    pool: str = ""
    pools: tuple[NodePool, ...] | None = None
    autopilot: bool = False
    address: str = ""


class AzureIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A user-assigned identity (`id` is its resource id) or an app registration (`id` is its object id).

    `client_id` and `principal_id` may have holes where a template makes it; `address` is what the template calls it.
    """

    kind: Literal["managed", "application"]
    place: Place
    name: str
    id: str = ""
    client_id: str | Text = ""
    principal_id: str = ""
    tenant: str = ""
    address: str = ""

    @property
    def key(self) -> str:
        """Its id in lower case: Azure compares resource ids without regard to case."""
        return self.id.lower() or self.address

    @property
    def label(self) -> str:
        """The name by which people know it, else its id."""
        return self.name or self.id or self.address


class FederatedCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A federated identity credential.

    `identity` is the resource id of its identity in lower case, the name of an identity, the object id of an app, or the
    address that a template gives to either; "" where it is not known. `issuer` is a URL with its scheme, byte by byte.
    `expression` is a claims matching expression, "" where it has none.
    """

    name: str
    place: Place
    identity: str = ""
    id: str = ""
    issuer: str | Text = ""
    subject: str | Text = ""
    audiences: tuple[str | Text, ...] = ()
    expression: str | Text = ""
    address: str = ""

    @property
    def label(self) -> str:
        """The id under which findings name it: its own, else its document and name."""
        return self.id if "/" in self.id else f"{self.place.document}: {self.address or self.name or self.id}"


class GoogleAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A service account of Google Cloud; `address` is what a template calls it."""

    email: str
    place: Place
    unique_id: str = ""
    project: str = ""
    disabled: bool = False
    address: str = ""


class RoleBinding(msgspec.Struct, frozen=True, kw_only=True):
    """The members that have a role on a resource.

    `resource` is the email of a service account, else the full name of a resource (`//storage.googleapis.com/...`,
    `projects/ID`), "" where it is not known; `condition` is a CEL expression, "" where there is none. `project` is the number
    of the resource's project, "" where it is not known.
    """

    resource: str | Text
    role: str | Text
    members: tuple[str | Text, ...]
    place: Place
    condition: str = ""
    project: str = ""
    presumed: bool = False
    """whether the resource is that of the only account in its folder"""


class PoolProvider(msgspec.Struct, frozen=True, kw_only=True):
    """An OIDC provider of a workload identity pool; `pool` and `name` are their ids, `project` is a number or an id.

    `mapping` is attribute -> CEL expression, `condition` a CEL expression, "" where there is none.
    """

    name: str
    pool: str
    project: str
    place: Place
    issuer: str | Text = ""
    mapping: Mapping[str, str] = {}
    condition: str | Text = ""
    audiences: tuple[str, ...] = ()
    state: str = ""

    @property
    def id(self) -> str:
        """Its full name."""
        return f"projects/{self.project}/locations/global/workloadIdentityPools/{self.pool}/providers/{self.name}"


class CloudListing(msgspec.Struct, frozen=True):
    """A list that is complete: `owner` is an identity, a resource group, an account, a project or a folder."""

    collection: CloudCollection
    owner: str
    place: Place


CloudRecord = (
    CloudCluster
    | NodePoolOfCluster
    | AzureIdentity
    | FederatedCredential
    | GoogleAccount
    | RoleBinding
    | PoolProvider
    | CloudListing
)


class Clouds(msgspec.Struct, frozen=True, eq=False, dict=True):
    """Everything of Azure and Google Cloud that was read."""

    clusters: tuple[CloudCluster, ...] = ()
    identities: tuple[AzureIdentity, ...] = ()
    credentials: tuple[FederatedCredential, ...] = ()
    accounts: tuple[GoogleAccount, ...] = ()
    bindings: tuple[RoleBinding, ...] = ()
    providers: tuple[PoolProvider, ...] = ()
    listings: tuple[CloudListing, ...] = ()

    @cached_property
    def cluster_by_id(self) -> Mapping[str, CloudCluster]:
        """Clusters by the id that they have in the inventory."""
        return {cluster.cluster: cluster for cluster in self.clusters}

    def is_complete(self, collection: CloudCollection, owner: str) -> bool:
        """Whether an owner has no other records of a collection than those that were read."""
        return any(listing.collection == collection and listing.owner == owner for listing in self.listings)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a cloud other than AWS was read."""
        return not (self.clusters or self.identities or self.credentials or self.accounts or self.bindings or self.providers)
