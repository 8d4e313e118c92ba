"""What a run could see: the accounts and clusters that were to be read, and whether they were."""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from irsa_doctor.model import Cluster, Inventory, ScopeState
from irsa_doctor.model.inventory import UNREAD_TRUST

_OF_MANIFEST: Mapping[str, ScopeState] = {
    "read": "read",
    "partial": "partial",
    "unknown": "unknown",
    "excluded": "excluded",
    "pending": "unknown",
}
_NOT_REACHED = "the collection ended before it was read"
_NOT_WHOLE = "its roles were not listed whole"
_SUBJECTS = frozenset(
    (
        *("serviceaccounts", "pods", "deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs"),
        *("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
    )
)
"""lists of a cluster that have subjects: what is not in one that was not read may be there"""


class ScopeEntry(NamedTuple):
    """An account, a cluster (ARN), a region (`ACCOUNT/REGION`) or a list of one of them (`OWNER/LIST/PART`), and whether it was
    read; `why` where not all of it was. Only lists that were not read whole are entries."""

    kind: Literal["account", "cluster", "region", "list"]
    id: str
    name: str = ""
    units: tuple[str, ...] = ()
    state: ScopeState = "read"
    why: str = ""
    taken: str = ""


def scope_of(inventory: Inventory, stale: Mapping[str, str], seen: Collection[str]) -> tuple[ScopeEntry, ...]:
    """The scope of a run over an inventory; `stale` says of accounts that are too old when they were read last (RFC 3339),
    `seen` are the accounts of which something was read."""
    accounts = tuple(_accounts(inventory, stale, seen))
    known = frozenset(account.id for account in accounts)
    return (*accounts, *_clusters(inventory), *_regions(inventory, known), *_lost_lists(inventory, known))


def _accounts(inventory: Inventory, stale: Mapping[str, str], seen: Collection[str]) -> Iterator[ScopeEntry]:
    # of several manifests the newest says what became of an account
    listed = {account.id: account for account in sorted(inventory.organization, key=lambda account: account.taken)}
    listed = {account.id: listed[account.id] for account in inventory.organization}
    for account in listed.values():
        taken = stale.get(account.id, account.taken)
        state, why = _OF_MANIFEST[account.state], account.why
        if account.state == "pending":
            why = why or _NOT_REACHED
        if account.id in stale and state != "excluded":
            state, why = "stale", f"it was read last at {taken}"
        elif state == "read" and (gap := _gap(inventory, account.id)):
            state, why = "partial", gap
        elif state == "read" and account.id not in inventory.closed.roles:
            state, why = "partial", _NOT_WHOLE
        yield ScopeEntry("account", account.id, account.name, account.units, state, why, taken)
    for ident in sorted(set(seen) - listed.keys()):
        why = _gap(inventory, ident)
        if not why and ident not in inventory.closed.roles:
            why = _NOT_WHOLE
        yield ScopeEntry("account", ident, state="partial" if why else "read", why=why)


def _gap(inventory: Inventory, owner: str) -> str:
    collections = ("roles", "providers", "clusters", "associations")
    return next((gap.missing for gap in inventory.gaps if gap.owner == owner and gap.collection in collections), "")


def _clusters(inventory: Inventory) -> Iterator[ScopeEntry]:
    for cluster in inventory.clusters:
        whole = inventory.closed.has_kind(cluster.id, "serviceaccounts")
        gaps = [gap for gap in inventory.gaps if gap.owner == cluster.id]
        lost = next((gap.missing for gap in gaps if not whole or gap.collection in _SUBJECTS), "")
        state: ScopeState = "unknown" if not whole else "partial" if lost else "read"
        why = lost or ("" if whole else "its service accounts were not listed whole")
        yield ScopeEntry("cluster", _called(cluster), cluster.name, (), state, why)


def _called(cluster: Cluster) -> str:
    return cluster.arn or cluster.subject


def _regions(inventory: Inventory, accounts: Collection[str]) -> Iterator[ScopeEntry]:
    """The regions in which the clusters of an account were to be listed."""
    lost = {(gap.owner, gap.name): gap.missing for gap in inventory.gaps if gap.collection == "clusters" and gap.name}
    for account, region in sorted({*inventory.closed.clusters, *lost}):
        if account in accounts and region:
            why = lost.get((account, region), "")
            yield ScopeEntry("region", f"{account}/{region}", region, (), "unknown" if why else "read", why)


def _lost_lists(inventory: Inventory, accounts: Collection[str]) -> Iterator[ScopeEntry]:
    """The lists that were not read whole: a rule that looks into one may pass for what it does not see."""
    clusters = {cluster.id: _called(cluster) for cluster in inventory.clusters}
    lost = {
        (clusters.get(gap.owner, gap.owner), gap.collection, gap.name): gap.missing
        for gap in inventory.gaps
        if gap.collection != UNREAD_TRUST
    }
    lost |= {(account, "roles", ""): _NOT_WHOLE for account in accounts if account not in inventory.closed.roles}
    for ident, called in clusters.items():
        kinds = [kind for kind in _SUBJECTS if not inventory.closed.has_kind(ident, kind)]
        # of a cluster of which nothing was listed one entry says so
        missing = kinds if len(kinds) < len(_SUBJECTS) else ["*"]
        lost = {(called, kind, ""): f"{kind} of {called}" for kind in missing} | lost
    for (owner, collection, name), why in sorted(lost.items()):
        yield ScopeEntry("list", f"{owner}/{collection}/{name}", collection, (), "unknown", why)
