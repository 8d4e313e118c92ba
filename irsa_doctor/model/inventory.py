"""Everything that was read, joined into one record that nobody changes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.model.access import (
    AccessBinding,
    AccessEntry,
    AccessRole,
    AssociatedAccess,
    AuthMap,
    WebhookConfiguration,
)
from irsa_doctor.model.alternatives import Alternative, ObjectKey, object_key
from irsa_doctor.model.aws import (
    Cluster,
    ClusterAddon,
    ClusterCapability,
    NodeRole,
    OidcProvider,
    PlannedCluster,
    PlannedProvider,
    PodIdentityAssociation,
    ResourceControlPolicy,
    Role,
)
from irsa_doctor.model.clouds import Clouds
from irsa_doctor.model.kubernetes import (
    ChainedRole,
    ClusterNode,
    ConfigMap,
    Discovery,
    EgressPolicy,
    HybridNodeConfig,
    MappedAccount,
    Namespace,
    NodeMetadata,
    ServiceAccount,
    SigningKey,
    Webhook,
    Workload,
)
from irsa_doctor.model.organization import OrganizationAccount
from irsa_doctor.model.place import Place
from irsa_doctor.model.text import Text
from irsa_doctor.model.verdict import Unknown

PASSED_OVER = "passed-over"
"""The kind of a file, or a whole folder (its path ends in a slash), that a walk through a folder leaves out"""
NO_KIND = frozenset(("text", "other", "binary", "configuration"))
"""The kinds of files of which nothing says that they were to be read"""
RENDERED_KINDS = frozenset(("helm-chart", "helm-template", "kustomization", "cdk", "pulumi"))
"""The kinds of files of which programs make the documents; where one is not read, the reason names the command"""


class Document(msgspec.Struct, frozen=True):
    """One given path (or standard input) and what became of it."""

    path: str
    kind: str
    status: Literal["read", "ignored", "unreadable"]
    why: str | None = None
    sha256: str | None = None
    line: int = 0
    column: int = 0
    named: bool = False
    """Whether it was named on the command line, not found in a folder."""
    matters: bool = False
    """Whether it could not be read, and its name or content speaks of roles, or an error of ours has cost it."""
    limited: bool = False
    """Whether a limit of the run ended its reading or its judging."""
    partial: bool = False
    """Whether only a part of it could not be read, or was read one way of two."""


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """Two documents that say different things about one object.

    `grave`: who may use which identity depends on it (a trust policy, the role of a service account, an issuer, client ids).
    `mark` is the same where the same values differ.
    """

    subject: str
    what: str
    first: Place
    second: Place
    grave: bool = False
    mark: str = ""


class Closed(msgspec.Struct, frozen=True):
    """The collections in which absence is proved: complete lists. Everything else is open."""

    roles: frozenset[str] = frozenset()
    """accounts whose roles were listed whole"""
    providers: frozenset[str] = frozenset()
    """accounts whose OIDC providers were listed whole"""
    clusters: frozenset[tuple[str, str]] = frozenset()
    """(account, region) whose clusters were listed whole"""
    associations: frozenset[str] = frozenset()
    """cluster ids whose Pod Identity associations were listed whole"""
    addons: frozenset[str] = frozenset()
    """cluster ids whose add-ons were listed whole"""
    entries: frozenset[str] = frozenset()
    """cluster ids whose access entries were listed whole"""
    kinds: Mapping[str, frozenset[str]] = {}
    """cluster id ("" = every cluster) -> Kubernetes kinds that were listed whole, in lower-case plural"""
    asked: frozenset[tuple[str, str, str]] = frozenset()
    """(collection, owner, name) of what was asked for by name; where it is not here, it does not exist:
    (`roles`, account, name in lower case), (`associations`, cluster id, `namespace/name`), (kind, cluster id, namespace)"""

    def has_kind(self, cluster: str, kind: str, namespace: str = "") -> bool:
        """Whether the cluster's objects of this kind (`serviceaccounts`, `pods`, ...) are all there, at least those of
        the namespace where one is given."""
        if kind in self.kinds.get("", ()) or kind in self.kinds.get(cluster, ()):
            return True
        return bool(namespace) and (kind, cluster, namespace) in self.asked

    def has_role(self, account: str, name: str) -> bool:
        """Whether a role of this name (without path) that is not here does not exist."""
        return account in self.roles or ("roles", account, name.lower()) in self.asked

    def has_association(self, cluster: str, namespace: str, service_account: str) -> bool:
        """Whether a Pod Identity association that is not here does not exist."""
        return cluster in self.associations or ("associations", cluster, f"{namespace}/{service_account}") in self.asked


UNNAMED_CLUSTER = "cluster-name"
UNREAD_TRUST = "unread-trust"
"""The collection of a gap that is a part of a template which may make a role, and cannot be read."""


class Gap(msgspec.Struct, frozen=True):
    """Something that a source was asked for and did not give: refused, out of time, out of reach.

    `collection`, `owner` (account or cluster id) and `name` ("" = all of it) say what, in the words of `Closed`;
    `missing` says it in a sentence, with the permission by name, `how` says what would supply it.
    """

    collection: str
    owner: str
    name: str
    missing: str
    how: str


def in_one_order(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Gaps, each once, in an order that depends on no order of reading: of several that would do, the first is named."""
    return tuple(sorted(set(gaps), key=msgspec.structs.astuple))


class Inventory(msgspec.Struct, frozen=True, eq=False, dict=True):
    """What exists. Tuples are in order of reading; the look-up tables are made once, when first asked for."""

    roles: tuple[Role, ...] = ()
    providers: tuple[OidcProvider, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    service_accounts: tuple[ServiceAccount, ...] = ()
    account_templates: tuple[ServiceAccount, ...] = ()
    """Service accounts that get a name or a namespace only when something is rendered: only their annotations are certain"""
    workloads: tuple[Workload, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    nodes: tuple[ClusterNode, ...] = ()
    node_configs: tuple[HybridNodeConfig, ...] = ()
    node_metadata: tuple[NodeMetadata, ...] = ()
    egress_policies: tuple[EgressPolicy, ...] = ()
    addons: tuple[ClusterAddon, ...] = ()
    node_roles: tuple[NodeRole, ...] = ()
    capabilities: tuple[ClusterCapability, ...] = ()
    associations: tuple[PodIdentityAssociation, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    mapped_accounts: tuple[MappedAccount, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    access_roles: tuple[AccessRole, ...] = ()
    access_bindings: tuple[AccessBinding, ...] = ()
    webhook_configurations: tuple[WebhookConfiguration, ...] = ()
    access_entries: tuple[AccessEntry, ...] = ()
    associated_access: tuple[AssociatedAccess, ...] = ()
    auth_maps: tuple[AuthMap, ...] = ()
    chained_roles: tuple[ChainedRole, ...] = ()
    discoveries: tuple[Discovery, ...] = ()
    signing_keys: tuple[SigningKey, ...] = ()
    rcps: tuple[ResourceControlPolicy, ...] = ()
    closed: Closed = Closed()
    documents: tuple[Document, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    """What single documents hold of objects about which documents differ"""
    disputed: frozenset[ObjectKey] = frozenset()
    """the objects about which other documents say something else, where only those that agree count"""
    gaps: tuple[Gap, ...] = ()
    planned_providers: tuple[PlannedProvider, ...] = ()
    planned_clusters: tuple[PlannedCluster, ...] = ()
    organization: tuple[OrganizationAccount, ...] = ()
    """the accounts that were to be read, where a manifest lists them"""
    clouds: Clouds = Clouds()

    def by_document(self) -> Iterator["Inventory"]:
        """The inventories in which documents that differ about an object do not: one for each set of those that agree."""
        for alternative in self.alternatives:
            names = {str(key[0]) for key in alternative.records}
            parts = {
                name: tuple(alternative.records.get(object_key(name, record), record) for record in getattr(self, name))
                for name in names
            }
            closed = self.closed if alternative.believes_lists else msgspec.structs.replace(self.closed, providers=frozenset())
            yield msgspec.structs.replace(
                self, **parts, closed=closed, contradictions=(), alternatives=(), disputed=frozenset(alternative.records)
            )

    def is_disputed(self, collection: str, record: object) -> bool:
        """Whether other documents say something else of the object of a record."""
        key = object_key(collection, record)
        return key in self.disputed or any(key in alternative.records for alternative in self.alternatives)

    @property
    def has_access(self) -> bool:
        """Whether there are roles, bindings, access entries or maps by which somebody may reach a role through Kubernetes."""
        return bool(self.auth_maps or self.access_roles or self.access_bindings or self.associated_access)

    def doubting_lists(self) -> "Inventory":
        """It as a gate judges it: a change may make up a list of OIDC providers, and the roles whose providers are missing
        there are judged as if they were not missing too."""
        if not self.closed.providers:
            return self
        return msgspec.structs.replace(self, alternatives=(*self.alternatives, Alternative({}, believes_lists=False)))

    def unknown(self, collection: str, owner: str, name: str, missing: str, how: str = "", then: str = "") -> Unknown:
        """Why something is not known: what a source answered when it was asked for it, else that it was not given."""
        refused = self.refused(collection, owner, name)
        return Unknown(missing, how, then, self.distinct(owner)) if refused is None else refused

    def unseen_clusters(self, region: str) -> Unknown | None:
        """Why a cluster of a region may be out of sight, in whatever account was to be read; None where none may."""
        if gap := next((gap for gap in self.gaps if gap.collection == "clusters" and gap.name in ("", region)), None):
            return Unknown(gap.missing, gap.how)
        for there, why in self._unknown_issuers:
            if there in ("", region):
                return why
        unread = min((each.id for each in self.organization if (each.id, region) not in self.closed.clusters), default="")
        return Unknown(f"clusters of account {unread} in {region}") if unread else None

    @cached_property
    def _unknown_issuers(self) -> Sequence[tuple[str, Unknown]]:
        """The regions of the clusters whose issuer is not known, "" where that is not known either, and why."""
        clusters = sorted(self.clusters, key=lambda cluster: cluster.id)
        return [(cluster.region, cluster.issuer) for cluster in clusters if isinstance(cluster.issuer, Unknown)]

    def distinct(self, cluster: str) -> str:
        """The name of a cluster among several, "" where it is the only one, or not in the input."""
        known = self.cluster_by_id.get(cluster) if len(self.clusters) > 1 else None
        return self.unless_shared(known, known.name) if known else ""

    def unless_shared(self, cluster: Cluster, name: str) -> str:
        """A name of a cluster; where several clusters have it, the ARN, or the issuer of one without."""
        if name not in self._shared_names:
            return name
        return cluster.arn or (cluster.issuer if isinstance(cluster.issuer, str) else name)

    def lacks_account(self, cluster: str, namespace: str, name: str) -> bool:
        """Whether a service account certainly does not exist: in its cluster, or where that is not known, in any."""
        if not self.closed.has_kind(cluster, "serviceaccounts", namespace):
            return False
        if cluster:
            return (cluster, namespace, name) not in self.service_account_by_key
        return (namespace, name) not in self._account_names

    def refused(self, collection: str, owner: str, name: str = "") -> Unknown | None:
        """What a source answered that was asked for something and did not give it, None where none was; of any owner where
        it is not known whose it is (`owner` ""): a cluster that lets nothing be read has no name."""
        if not self.gaps:
            return None
        keys = ((collection, owner, name), (collection, owner, ""), (collection, "", ""))
        gap = next((known for key in keys if (known := self._gap_by_key.get(key))), None)
        if gap is None and not owner:
            gap = next((g for g in self.gaps if g.collection == collection and g.name in (name, "")), None)
        return None if gap is None else Unknown(gap.missing, gap.how)

    @cached_property
    def _gap_by_key(self) -> Mapping[tuple[str, str, str], Gap]:
        return {(gap.collection, gap.owner, gap.name): gap for gap in reversed(self.gaps)}

    @cached_property
    def role_by_arn(self) -> Mapping[str, Role]:
        """Roles with an ARN, by it."""
        return {role.arn: role for role in self.roles if role.arn}

    @cached_property
    def provider_by_arn(self) -> Mapping[str, OidcProvider]:
        """OIDC providers by ARN."""
        return {provider.arn: provider for provider in self.providers}

    @cached_property
    def cluster_by_id(self) -> Mapping[str, Cluster]:
        """Clusters by id."""
        return {cluster.id: cluster for cluster in self.clusters}

    @cached_property
    def _shared_names(self) -> frozenset[str]:
        """Names that several clusters have, in accounts or regions of their own."""
        names = Counter(name for cluster in self.cluster_by_id.values() for name in {cluster.name, cluster.label})
        return frozenset(name for name, count in names.items() if count > 1)

    @cached_property
    def mappings_by_account(self) -> Mapping[tuple[str, str], tuple[MappedAccount, ...]]:
        """(namespace, name) -> the mappings of service accounts of this name, of any cluster."""
        table: dict[tuple[str, str], list[MappedAccount]] = {}
        for mapped in self.mapped_accounts:
            table.setdefault((mapped.namespace, mapped.name), []).append(mapped)
        return {key: tuple(items) for key, items in table.items()}

    @cached_property
    def clusters_with_mappings(self) -> frozenset[str]:
        """The clusters with the config map by which their webhook maps service accounts; what is in it is not read."""
        return frozenset(
            item.cluster
            for item in self.config_maps
            if (item.kind, item.name) == ("ConfigMap", "pod-identity-webhook") and "config" in item.keys
        )

    @cached_property
    def clusters_by_issuer(self) -> Mapping[str, tuple[Cluster, ...]]:
        """Clusters by issuer without scheme, those whose issuer is known."""
        table: dict[str, list[Cluster]] = {}
        for cluster in self.clusters:
            if isinstance(cluster.issuer, str):
                table.setdefault(cluster.issuer, []).append(cluster)
        return {issuer: tuple(clusters) for issuer, clusters in table.items()}

    @cached_property
    def service_account_by_key(self) -> Mapping[tuple[str, str, str], ServiceAccount]:
        """Service accounts by (cluster id, namespace, name)."""
        return {(sa.cluster, sa.namespace, sa.name): sa for sa in self.service_accounts}

    @cached_property
    def node_by_key(self) -> Mapping[tuple[str, str], ClusterNode]:
        """Nodes by (cluster id, name)."""
        return {(node.cluster, node.name): node for node in self.nodes}

    @cached_property
    def _account_names(self) -> frozenset[tuple[str, str]]:
        return frozenset((account.namespace, account.name) for account in self.service_accounts)

    @cached_property
    def workloads_by_service_account(self) -> Mapping[tuple[str, str, str], tuple[Workload, ...]]:
        """Workloads by (cluster id, namespace, service account)."""
        table: dict[tuple[str, str, str], list[Workload]] = {}
        for workload in self.workloads:
            table.setdefault((workload.cluster, workload.namespace, workload.service_account), []).append(workload)
        return {key: tuple(users) for key, users in table.items()}

    @cached_property
    def association_by_key(self) -> Mapping[tuple[str | Text, str | Text, str | Text], PodIdentityAssociation]:
        """Pod Identity associations by (cluster id, namespace, service account)."""
        return {(a.cluster, a.namespace, a.service_account): a for a in self.associations}
