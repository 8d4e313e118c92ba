"""Finds in an inventory what a target names: its clusters, service accounts, roles and issuers."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from irsa_doctor.model import ChainedRole, Inventory, is_role_arn, parse_arn
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.sources.live.aws import issuer_of
from irsa_doctor.sources.live.kubernetes import ApiServer, same_server
from irsa_doctor.sources.live.options import Target


def is_near_issuer(issuers: frozenset[str], issuer: str) -> bool:
    """Whether a provider may be meant for one of the issuers: it has the same id, however the rest is written."""
    ids = {known.rstrip("/").rpartition("/")[2].lower() for known in issuers}
    return issuer.rstrip("/").rpartition("/")[2].lower() in ids


def is_cluster_of(server: ApiServer, cluster: Mapping[str, Any]) -> bool:
    """Whether a described cluster is that of an API server: by its issuer, else by its endpoint."""
    if server.issuer:
        return issuer_of(cluster) == server.issuer
    return same_server(server.connection.server, str(cluster.get("endpoint") or ""))


def has_issuer(issuers: frozenset[str], cluster: Mapping[str, Any]) -> bool:
    """Whether a described cluster has one of the issuers."""
    return issuer_of(cluster) in issuers


def clusters_with(inventory: Inventory, target: Target) -> set[str]:
    """Return the ARNs of the clusters that have the target."""
    identity = target.kind.lower(), target.namespace, target.name
    arns = {
        record.cluster for record in inventory.service_accounts if ("serviceaccount", record.namespace, record.name) == identity
    }
    arns |= {
        record.cluster for record in inventory.workloads if (record.kind.lower(), record.namespace, record.name) == identity
    }
    return {arn for arn in arns if parse_arn(arn)}


def service_accounts_of(inventory: Inventory, target: Target) -> Iterator[str]:
    """Yield the names of the service accounts of the target."""
    if target.kind == "ServiceAccount":
        yield target.name
        return
    identity = target.kind.lower(), target.namespace, target.name
    names = {
        workload.service_account
        for workload in inventory.workloads
        if (workload.kind.lower(), workload.namespace, workload.name) == identity
    }
    yield from sorted(names)


def roles_named_by(inventory: Inventory, target: Target, accounts: Sequence[str]) -> Iterator[str]:
    """Yield the role ARNs in the annotations of the service accounts and in the environments of their workloads."""
    for account in inventory.service_accounts:
        value = account.annotations.get(ROLE_ARN)
        if account.namespace == target.namespace and account.name in accounts and isinstance(value, str):
            yield value.strip()
    for workload in inventory.workloads:
        if workload.namespace == target.namespace and workload.service_account in accounts:
            for container in workload.containers:
                value = container.env.get("AWS_ROLE_ARN")
                if isinstance(value, str):
                    yield value.strip()


def roles_with_next(inventory: Inventory) -> tuple[str, ...]:
    """Return the roles that something makes assume another one, sorted: those of associations with a target role, and those
    that chains of roles begin with or pass."""
    roles = {a.role_arn for a in inventory.associations if a.target_role_arn}
    for chained in inventory.chained_roles:
        roles |= {chained.first, *chained.chain[:-1]} | set(_beginning(inventory, chained))
    return tuple(sorted(role for role in roles if isinstance(role, str) and is_role_arn(role)))


def _beginning(inventory: Inventory, chained: ChainedRole) -> Iterator[str]:
    """The roles of service accounts that a chain may be of."""
    named = chained.accounts or "*"
    for account in inventory.service_accounts:
        own = (account.cluster, account.namespace)
        if own[0] == chained.cluster and chained.namespace in ("", own[1]) and fnmatchcase(account.name, named):
            value = account.annotations.get(ROLE_ARN)
            if isinstance(value, str):
                yield value.strip()
