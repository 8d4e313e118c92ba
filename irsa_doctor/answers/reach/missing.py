"""What the answer about paths lacks: collections of a cluster of which the input may not have everything."""

from collections.abc import Iterable, Iterator

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.undetermined import RBAC_KINDS, nothing_of_rbac, undecided_rows
from irsa_doctor.model.commands import shell_command

_KINDS = (
    *(*RBAC_KINDS, "serviceaccounts", "namespaces", "pods"),
    *("deployments", "daemonsets", "statefulsets", "replicasets", "replicationcontrollers", "jobs", "cronjobs"),
    *("secrets", "mutatingwebhookconfigurations"),
)
_AUTH_MAP = "kube-system/aws-auth"
"""what a live read requests of the config maps"""
_WIDE = frozenset({"clusterroles", "clusterrolebindings", "namespaces", "mutatingwebhookconfigurations"})


def without_rbac(names: Iterable[str]) -> MissingInput:
    """That nothing is known of who may do what in some clusters."""
    unknown = nothing_of_rbac(names)
    return MissingInput(unknown.missing, unknown.how)


def open_parts(reachability: Reachability, clusters: Iterable[str]) -> Iterator[MissingInput]:
    """What may not all be in the input, each kind once."""
    for cluster in clusters:
        yield from _of_kubernetes(reachability.view, cluster)
        if cluster in reachability.graph.clusters:
            yield from _of_principals(reachability, cluster)
            yield from _of_roles(reachability, cluster)


def _of_kubernetes(view: View, cluster: str) -> Iterator[MissingInput]:
    name = view.name_of(cluster)
    gaps = {gap.collection: gap for gap in view.inventory.gaps if gap.owner == cluster and not gap.name}
    for kind in _KINDS:
        if view.inventory.closed.has_kind(cluster, kind):
            continue
        if gap := gaps.get(kind):
            yield MissingInput(gap.missing, gap.how)
            continue
        every = "" if kind in _WIDE else " -A"
        live = "--token-secrets of a live read, or " if kind == "secrets" else ""
        how = f"{live}kubectl get {kind}{every} -o yaml; then --complete {kind}"
        yield MissingInput(f"all {kind} of cluster {name}", how)


def _of_principals(reachability: Reachability, cluster: str) -> Iterator[MissingInput]:
    view = reachability.view
    known, closed = view.inventory.cluster_by_id.get(cluster), view.inventory.closed
    name = view.name_of(cluster)
    if known is None or not known.mode:
        yield MissingInput(f"authentication mode of cluster {name}", shell_command("aws eks describe-cluster --name {}", name))
        return
    if known.mode != "CONFIG_MAP" and cluster not in closed.entries:
        yield MissingInput(
            f"all access entries of cluster {name}", shell_command("aws eks list-access-entries --cluster-name {}", name)
        )
    if known.mode != "API" and not closed.has_kind(cluster, "configmaps", _AUTH_MAP):
        how = "kubectl get configmaps -A -o yaml; then --complete configmaps"
        yield MissingInput(f"all configmaps of cluster {name}, aws-auth among them", how)
    if known.mode == "CONFIG_MAP" and not known.creator:
        how = "the CreateCluster event of CloudTrail"
        yield MissingInput(f"the principal that created cluster {name}, which is system:masters", how)
    if (rows := undecided_rows(view, cluster)) is not None:
        yield MissingInput(rows.missing, rows.how)
    for principal in reachability.graph.clusters[cluster].principals:
        if principal.unknown:
            word = "list-associated-access-policies" if "policies" in principal.unknown else "describe-access-entry"
            how = shell_command("aws eks {} --cluster-name {} --principal-arn {}", word, name, principal.arn)
            yield MissingInput(principal.unknown, how)


def _of_roles(reachability: Reachability, cluster: str) -> Iterator[MissingInput]:
    """Roles that are bound and not given, where these may exist; policies of EKS that are documented in prose alone."""
    access, closed = reachability.graph.clusters[cluster].access, reachability.view.inventory.closed
    for key in sorted(access.absent):
        kind = "roles" if key.kind == "Role" else "clusterroles"
        if not closed.has_kind(cluster, kind, key.namespace):
            space, names = (" -n {}", (key.name, key.namespace)) if key.namespace else ("", (key.name,))
            how = shell_command(f"kubectl get {kind[:-1]} {{}}{space} -o yaml", *names)
            yield MissingInput(f"{key.label}, which is bound", how)
    for text in dict.fromkeys(access.unknown_policies()):
        yield MissingInput(text, "")


def is_complete(missing: Iterable[MissingInput]) -> bool:
    """Whether nothing that the answer was computed from may be incomplete; the creator of a cluster is no collection."""
    return all("which is system:masters" in item.missing for item in missing)
