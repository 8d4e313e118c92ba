"""What is not known of who reaches roles: one subject for each input that is missing, and not one for everybody it is about."""

from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.authorisation.policies import POLICIES
from irsa_doctor.authorisation.principals import is_undecided
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.reach.graph import ReachGraph
from irsa_doctor.model import Unknown, issuer_of_provider
from irsa_doctor.model.commands import shell_command

RBAC_HOW = "kubectl get roles,clusterroles,rolebindings,clusterrolebindings -A -o yaml"
RBAC_KINDS = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
_SHOWN = 3


def nothing_of_rbac(names: Iterable[str]) -> Unknown:
    """That nothing is known of who may do what in some clusters, by their names."""
    listed = ", ".join(sorted(names))
    of = f" of cluster {listed}" if listed else ""
    return Unknown(f"RBAC{of}: Roles, ClusterRoles, RoleBindings and ClusterRoleBindings", RBAC_HOW)


def concerned_clusters(view: View) -> Sequence[str]:
    """Ids of the clusters of which some role may admit a service account."""
    issuers = {issuer_of_provider(provider) for cases in view.cases_by_id.values() for provider in cases[0].by_provider}
    by_issuer = view.inventory.clusters_by_issuer
    return list(dict.fromkeys(cluster.id for issuer in sorted(issuers) for cluster in by_issuer.get(issuer, ())))


def undetermined(view: View, graph: ReachGraph, cluster: str) -> Iterator[Unknown]:
    """The inputs of a cluster that are missing."""
    if cluster not in graph.known:
        yield nothing_of_rbac([view.name_of(cluster)])
        return
    parts = (
        _open_kinds(view, cluster),
        _bound_and_absent(view, graph, cluster),
        _of_principals(view, graph, cluster),
        undecided_rows(view, cluster),
    )
    yield from (missing for missing in parts if missing is not None)


def _open_kinds(view: View, cluster: str) -> Unknown | None:
    kinds = [kind for kind in RBAC_KINDS if not view.inventory.closed.has_kind(cluster, kind)]
    if not kinds:
        return None
    listed, cluster_name = ",".join(kinds), view.name_of(cluster)
    missing, how = f"all {', '.join(kinds)} of cluster {cluster_name}", shell_command("kubectl get {} -A -o yaml", listed)
    return Unknown(missing, how, f"--complete {listed}", view.inventory.distinct(cluster))


def _bound_and_absent(view: View, graph: ReachGraph, cluster: str) -> Unknown | None:
    """Roles that are bound and not in the input, where they may exist."""
    closed = view.inventory.closed
    absent = [
        key.label
        for key in sorted(graph.clusters[cluster].access.absent)
        if not closed.has_kind(cluster, "roles" if key.kind == "Role" else "clusterroles", key.namespace)
    ]
    if not absent:
        return None
    return Unknown(f"rules of {_enumerated(absent)} in cluster {view.name_of(cluster)}, which are bound", RBAC_HOW)


def undecided_rows(view: View, cluster: str) -> Unknown | None:
    """The rows of aws-auth of which it is not documented if EKS takes them."""
    known = view.inventory.cluster_by_id.get(cluster)
    maps = [item for item in view.inventory.auth_maps if item.cluster == cluster]
    rows = [f"{row.list}[{row.index}]" for auth_map in maps for row in auth_map.rows if is_undecided(row)]
    if not rows or (known and known.mode == "API"):
        return None
    name = view.name_of(cluster)
    return Unknown(f"if EKS takes permission sets and wildcards in aws-auth of cluster {name}: {_enumerated(rows)}", "")


def _of_principals(view: View, graph: ReachGraph, cluster: str) -> Unknown | None:
    """What is not known of the principals of a cluster, or of their policies."""
    principals, name = graph.clusters[cluster].principals, view.name_of(cluster)
    unknown = [principal for principal in principals if principal.unknown]
    if unknown:
        word = "list-associated-access-policies" if "policies" in unknown[0].unknown else "describe-access-entry"
        how = shell_command("aws eks {} --cluster-name {} --principal-arn {}", word, name, unknown[0].arn)
        return Unknown(f"{_enumerated([principal.unknown for principal in unknown])} in cluster {name}", how)
    policies = {policy.name for principal in principals for policy in principal.policies if policy.name not in POLICIES}
    return Unknown(f"what the access policies {_enumerated(sorted(policies))} allow", "") if policies else None


def _enumerated(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
