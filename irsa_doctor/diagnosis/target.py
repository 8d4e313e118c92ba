"""Whom is asked about: from the words of the command line to one case of one cluster."""

from collections.abc import Iterator, Mapping

from irsa_doctor.diagnosis.case import Asked, Case
from irsa_doctor.engine import Locate
from irsa_doctor.facts import View
from irsa_doctor.model import Workload

_LISTED = 10


class NoTarget(Exception):
    """The name asked for is not there, or is there several times; the text says which there are."""


def parse_target(text: str) -> Asked:
    """`NAMESPACE/SERVICEACCOUNT` or `KIND/NAMESPACE/NAME`; raises NoTarget."""
    parts = text.split("/")
    if len(parts) == 2 and all(parts):
        return Asked(parts[0], parts[1])
    if len(parts) == 3 and all(parts):
        return Asked(parts[1], parts[2], parts[0].lower().removesuffix("s") if parts[0].lower() != "ds" else "daemonset")
    raise NoTarget(f"{text}: expected is NAMESPACE/SERVICEACCOUNT, pod/NAMESPACE/POD or KIND/NAMESPACE/NAME")


def _cluster_ids(view: View, wanted: str) -> list[str]:
    """Clusters by name, ARN or issuer; all of them, and the unknown one, where none is named."""
    inventory = view.inventory
    everywhere = dict.fromkeys(
        [
            *(c.id for c in inventory.clusters),
            *(a.cluster for a in inventory.service_accounts),
            *(w.cluster for w in inventory.workloads),
        ]
    )
    if not wanted:
        return list(everywhere) or [""]
    issuer = wanted.removeprefix("https://")
    found = [c.id for c in inventory.clusters if wanted in (c.id, c.name, c.arn) or c.issuer == issuer]
    if not found:
        names = ", ".join(sorted(c.name for c in inventory.clusters)) or "none"
        raise NoTarget(f"{wanted}: no such cluster; those given: {names}")
    return found


def find_case(view: View, locate: Locate, asked: Asked, cluster: str = "", claims: Mapping[str, object] = {}) -> Case:
    """The case of one target; raises NoTarget where several clusters have it."""
    ids = _cluster_ids(view, cluster)
    if asked.kind:
        return _of_workload(view, locate, asked, ids, claims)
    having = [i for i in ids if (i, asked.namespace, asked.name) in view.inventory.service_account_by_key]
    having = having or [i for i in ids if (i, asked.namespace, asked.name) in view.inventory.workloads_by_service_account]
    if len(having) > 1:
        names = ", ".join(sorted(view.name_of(i) for i in having))
        raise NoTarget(f"{asked.namespace}/{asked.name} is in several clusters, name one with --cluster: {names}")
    if not having and len(ids) > 1:
        having = [i for i in ids if i][:0]
    chosen = having[0] if having else ids[0] if len(ids) == 1 else ""
    return Case(view, locate, chosen, asked.namespace, asked.name, None, asked.role, claims)


def _of_workload(view: View, locate: Locate, asked: Asked, ids: list[str], claims: Mapping[str, object]) -> Case:
    found = [
        w
        for w in view.inventory.workloads
        if w.cluster in ids and w.kind.lower() == asked.kind and (w.namespace, w.name) == (asked.namespace, asked.name)
    ]
    if len(found) == 1:
        return _case(view, locate, found[0], asked.role, claims)
    if not found:
        there = sorted(f"{w.kind.lower()}/{w.namespace}/{w.name}" for w in view.inventory.workloads if w.cluster in ids)
        more = f"; there are {', '.join(there[:_LISTED])}" if there else ""
        raise NoTarget(f"{asked.kind}/{asked.namespace}/{asked.name}: no such workload in what was given{more}")
    names = ", ".join(sorted(view.name_of(w.cluster) for w in found))
    raise NoTarget(
        f"{asked.kind}/{asked.namespace}/{asked.name} is there several times, name a cluster with --cluster: {names}"
    )


def _case(view: View, locate: Locate, workload: Workload, role: str, claims: Mapping[str, object] = {}) -> Case:
    return Case(view, locate, workload.cluster, workload.namespace, workload.service_account, workload, role, claims)


def cases_of(view: View, locate: Locate, cluster: str = "") -> Iterator[Case]:
    """Every service account that names a role or has an association, and every one that a role trusts by name."""
    ids = set(_cluster_ids(view, cluster))
    for account in view.inventory.service_accounts:
        if account.cluster not in ids:
            continue
        key = (account.cluster, account.namespace, account.name)
        trusted = view.trusted_by_name.get((view.issuer_of(account.cluster), account.subject))
        if account.annotations or trusted or key in view.inventory.association_by_key:
            yield Case(view, locate, account.cluster, account.namespace, account.name)
