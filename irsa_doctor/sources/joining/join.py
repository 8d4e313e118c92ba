"""Joins what single documents gave into one inventory: accounts, clusters, complete lists."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from irsa_doctor.model import (
    Closed,
    Cluster,
    ClusterAddon,
    Gap,
    HybridNodeConfig,
    Inventory,
    NodeRole,
    OidcProvider,
    PodIdentityAssociation,
    ResourceControlPolicy,
    Unknown,
    in_one_order,
    parse_arn,
)
from irsa_doctor.model.access import AccessEntry, AssociatedAccess
from irsa_doctor.sources.documents.reading import DocumentReading, Listing
from irsa_doctor.sources.joining import merge as merging
from irsa_doctor.sources.joining.accounts import AnswerAccounts
from irsa_doctor.sources.joining.clouds import join_clouds
from irsa_doctor.sources.joining.clusters import JoinedClusters
from irsa_doctor.sources.joining.disputes import TOO_MANY, Disputes
from irsa_doctor.sources.joining.filling import HoleValues, fill_holes
from irsa_doctor.sources.joining.overlay import Overlay, name_roles
from irsa_doctor.sources.joining.permissions import with_role_policies
from irsa_doctor.sources.joining.planned import join_plans
from irsa_doctor.sources.joining.providers import named_providers
from irsa_doctor.sources.joining.real_names import take_names_of_roles
from irsa_doctor.sources.joining.substitutions import substitute_variables
from irsa_doctor.sources.snapshot.snapshot import Query

_Record = TypeVar("_Record", OidcProvider, Cluster)
_Part = TypeVar("_Part", ClusterAddon, NodeRole, HybridNodeConfig, AccessEntry, AssociatedAccess)


class JoinContext(msgspec.Struct, frozen=True):
    """What the user said about the documents."""

    account: str = ""
    clusters: Mapping[str, str] = {}
    """path of a file or folder -> name, ARN or issuer of the cluster"""
    complete: Collection[str] = ()
    queries: Collection[Query] = ()
    gaps: Collection[Gap] = ()
    apps: Mapping[str, str] = {}
    """path of a list of credentials -> client id of the app that they are of"""
    iam_policies: Mapping[str, str] = {}
    """path of a policy of Google Cloud -> the resource whose it is"""


def join(readings: Sequence[DocumentReading], stated: JoinContext) -> Inventory:
    """The inventory of all documents; documents that it cannot place get a note."""
    disputes = Disputes()
    accounts = AnswerAccounts(readings, stated.account)
    clusters = JoinedClusters(readings, stated.clusters, accounts, disputes)
    join_plans(readings)
    substitute_variables(readings)
    name_roles(readings, accounts.of, accounts.partitions)
    fill_holes(readings, partial(_known_at, accounts, clusters))
    take_names_of_roles(readings)
    for reading in readings:
        _settle_in_clusters(reading, clusters)
    overlay = Overlay(readings)
    gathered = partial(_gathered, readings, overlay)
    named = named_providers(readings, accounts, clusters.issuer_of)
    providers = overlay.remaining("providers", [*gathered("providers"), *named.known])
    associations = [_settled(item, clusters) for reading in readings for item in reading.associations]
    of_sources = (msgspec.structs.replace(gap, owner=clusters.owner(gap.owner)) for gap in stated.gaps)
    gaps = in_one_order((*of_sources, *(gap for reading in readings for gap in reading.gaps)))
    inventory = Inventory(
        roles=tuple(with_role_policies(merging.merged_roles(gathered("roles"), disputes), readings)),
        providers=tuple(_with_reasons(merging.merged_providers(providers, disputes), "client_ids", "client-ids", gaps)),
        planned_providers=named.planned,
        planned_clusters=tuple(item for reading in readings for item in reading.planned_clusters),
        service_accounts=tuple(merging.merged_service_accounts(gathered("service_accounts"), disputes, clusters.is_said)),
        workloads=tuple(merging.merged_workloads(gathered("workloads"), disputes, clusters.is_said)),
        namespaces=tuple(merging.merged_namespaces(gathered("namespaces"))),
        associations=tuple(merging.merged_associations(overlay.remaining("associations", associations), disputes)),
        addons=tuple(merging.merged_addons(_in_cluster(item, clusters) for item in gathered("addons"))),
        webhooks=tuple(merging.merged_webhooks(gathered("webhooks"))),
        config_maps=tuple(merging.merged_config_maps(gathered("config_maps"))),
        access_entries=tuple(merging.merged_entries(_in_cluster(item, clusters) for item in gathered("access_entries"))),
        rcps=tuple(merging.merged_guardrails(_guardrails(readings))),
        clusters=tuple(_with_reasons(clusters.all, "issuer", "cluster", gaps)),
        closed=_closed(readings, accounts, clusters, stated),
        gaps=gaps,
        clouds=join_clouds(readings, stated.apps, stated.iam_policies),
        **_others(gathered, clusters),
    )
    alternatives, lost = disputes.alternatives()
    for reading in readings if lost else ():
        if reading.path in lost:
            reading.note_fault(TOO_MANY)
    contradictions = tuple(disputes.contradictions)
    return msgspec.structs.replace(inventory, contradictions=contradictions, alternatives=alternatives)


_AS_READ = (
    *("nodes", "node_metadata", "egress_policies", "auth_maps", "chained_roles", "organization", "discoveries", "signing_keys"),
    "mapped_accounts",
)
"""collections that are taken as documents have them"""
_OF_CLUSTERS = ("node_configs", "node_roles", "capabilities")
"""collections whose records name a cluster as their document does"""
_OBJECTS = ("access_roles", "access_bindings", "webhook_configurations")
"""collections of objects that several documents may have"""


def _others(gathered: Callable[[str], Sequence[Any]], clusters: JoinedClusters) -> dict[str, Any]:
    """The collections of which nothing else depends on what documents say together."""
    return {
        **{name: tuple(gathered(name)) for name in _AS_READ},
        "account_templates": tuple(merging.told_apart(gathered("account_templates"))),
        **{name: tuple(_in_cluster(item, clusters) for item in gathered(name)) for name in _OF_CLUSTERS},
        **{name: tuple(merging.merged_objects(gathered(name))) for name in _OBJECTS},
        "associated_access": merging.merged_access(_in_cluster(item, clusters) for item in gathered("associated_access")),
    }


def _known_at(accounts: "AnswerAccounts", clusters: JoinedClusters, path: str) -> HoleValues:
    account = accounts.of(path)
    partition = accounts.partitions.get(account, "aws") if account else ""
    return HoleValues(account, partition, partial(clusters.issuer_of, path))


def _with_reasons(records: Sequence[_Record], field: str, collection: str, gaps: Sequence[Gap]) -> Iterable[_Record]:
    """The records; what is unknown of one because a live source did not get it says so."""
    reasons = {gap.owner: Unknown(gap.missing, gap.how) for gap in gaps if gap.collection == collection}
    for record in records:
        why = reasons.get(record.arn)
        is_open = why is not None and isinstance(getattr(record, field), Unknown)
        yield msgspec.structs.replace(record, **{field: why}) if is_open else record


def _guardrails(readings: Sequence[DocumentReading]) -> Iterable[ResourceControlPolicy]:
    """The resource control policies, those of a live account known to stand over it."""
    for reading in readings:
        for rcp in reading.rcps:
            account = reading.origin.account
            yield msgspec.structs.replace(rcp, account=account) if account else rcp


def _gathered(readings: Sequence[DocumentReading], overlay: Overlay, collection: str) -> list:  # type: ignore[type-arg]
    """All records of a collection, without those in whose place a change puts others."""
    return overlay.remaining(collection, [item for reading in readings for item in getattr(reading, collection)])


def _settle_in_clusters(reading: DocumentReading, clusters: JoinedClusters) -> None:
    """Nobody has seen these records yet: setting their cluster now saves making every one of them twice."""
    records = (
        *(reading.service_accounts, reading.workloads, reading.namespaces, reading.nodes),
        *(reading.webhooks, reading.config_maps, reading.signing_keys, reading.chained_roles, reading.egress_policies),
        reading.node_metadata,
        *(reading.access_roles, reading.access_bindings, reading.webhook_configurations, reading.auth_maps),
    )
    if any(records):
        cluster = clusters.of(reading.path)
        if len(reading.discoveries) == 1 and reading.signing_keys:
            cluster = clusters.of_issuer(reading.discoveries[0].issuer, reading.path)
        for collection in records:
            for record in collection:
                msgspec.structs.force_setattr(record, "cluster", cluster)
    for discovery in reading.discoveries:
        msgspec.structs.force_setattr(discovery, "cluster", clusters.of_issuer(discovery.issuer, reading.path))


def _settled(item: PodIdentityAssociation, clusters: JoinedClusters) -> PodIdentityAssociation:
    """With the cluster's id for its name; the name itself where no such cluster is known."""
    path = item.place.document
    named = clusters.named(item.cluster, path) if isinstance(item.cluster, str) else ""
    cluster = clusters.origins.get(path) or named or item.cluster
    return msgspec.structs.replace(item, cluster=cluster)


def _in_cluster(item: _Part, clusters: JoinedClusters) -> _Part:
    """A part of a cluster with the cluster's id: of the cluster that it names, else of its document."""
    path = item.place.document
    named = clusters.named(item.cluster, path) or item.cluster if item.cluster else clusters.of(path)
    return msgspec.structs.replace(item, cluster=clusters.origins.get(path) or named)


def _closed(
    readings: Sequence[DocumentReading], accounts: AnswerAccounts, clusters: JoinedClusters, stated: JoinContext
) -> Closed:
    answers: dict[tuple[str, object], list[Listing]] = {}
    kinds: dict[str, set[str]] = {}
    for reading in readings:
        # "" would be every cluster
        if reading.origin.closes and not reading.broken and (cluster := clusters.of(reading.path)):
            kinds.setdefault(cluster, set()).update(reading.origin.closes)
        for entry in reading.answers:
            answer = msgspec.structs.replace(entry, whole=False) if reading.origin.partial else entry
            for owner in _owners(answer, reading.path, accounts, clusters):
                answers.setdefault((answer.collection, owner), []).append(answer)
    closed: dict[str, set[object]] = {
        "roles": set(),
        "providers": set(),
        "clusters": set(),
        "associations": set(),
        "addons": set(),
        "entries": set(),
    }
    for (collection, owner), entries in answers.items():
        if _has_whole(entries):
            closed[collection].add(owner)
    if whole := _stated_whole(readings, clusters, stated):
        kinds[""] = whole
    by_cluster = {cluster: frozenset(entries) for cluster, entries in kinds.items()}
    queries = frozenset((entry.collection, clusters.owner(entry.owner), entry.name) for entry in stated.queries)
    return Closed(**{name: frozenset(owners) for name, owners in closed.items()}, kinds=by_cluster, asked=queries)  # type: ignore[arg-type]


def _stated_whole(readings: Sequence[DocumentReading], clusters: JoinedClusters, stated: JoinContext) -> set[str]:
    """The kinds of which the user says that all objects are there. What is in a document of nobody knows which cluster may be
    what a known one seems to lack."""
    kinds = {kind.lower() for kind in stated.complete}
    lost = [reading for reading in readings if not clusters.of(reading.path)] if kinds and clusters.all else []
    if any(reading.service_accounts for reading in lost):
        kinds.discard("serviceaccounts")
    return kinds & {"serviceaccounts"} if any(reading.workloads for reading in lost) else kinds


def _has_whole(answers: Sequence[Listing]) -> bool:
    """Whether one answer is the complete list.

    The last page of a list looks like a complete one, so where some page says that there is more, only an answer
    that has everything of that page too is no mere last page.
    """
    pages = [answer for answer in answers if not answer.whole]
    return any(answer.whole and all(page.names <= answer.names for page in pages) for answer in answers)


def _owners(answer: Listing, path: str, accounts: AnswerAccounts, clusters: JoinedClusters) -> set[object]:
    """Whose list it is: accounts, (account, region) or cluster ids; an empty list names nobody, so its folder tells."""
    if answer.collection == "associations":
        if path in clusters.origins:
            return {clusters.origins[path]}
        named = {name.partition("/")[0] for name in answer.names}
        ids = {clusters.named(name, path) or name for name in named} or {clusters.of(path)}
        return {ident for ident in ids if ident}
    if answer.collection in ("addons", "entries"):
        return {ident for ident in [clusters.of(path)] if ident}
    if answer.collection == "clusters":
        account, regions = accounts.of(path), _regions(answer, path, clusters)
        return {(account, *regions)} if account and len(regions) == 1 else set()
    owners = {arn.split(":", 5)[4] for arn in answer.names if parse_arn(arn)} or {accounts.of(path)}
    return {account for account in owners if account}


def _regions(answer: Listing, path: str, clusters: JoinedClusters) -> frozenset[str]:
    """The region of a list of clusters: that of the described ones that it names. A list that names none of them may be
    that of any other region, an empty one above all."""
    if path in clusters.regions:
        return frozenset([clusters.regions[path]])
    account = clusters.accounts.of(path)
    return frozenset(
        cluster.region
        for cluster in clusters.all
        if cluster.name in answer.names and cluster.arn and cluster.account == account
    )
