"""What the answer about paths lacks: collections of a cluster of which the input may not have everything."""

from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.answers.missing import MissingInput, lacking
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.undetermined import RBAC_KINDS, nothing_of_rbac, undecided_rows
from irsa_doctor.model import Unknown
from irsa_doctor.model.commands import NAMED_SECRETS, shell_command

_KINDS = (
    *(*RBAC_KINDS, "serviceaccounts", "namespaces", "pods"),
    *("deployments", "daemonsets", "statefulsets", "replicasets", "replicationcontrollers", "jobs", "cronjobs"),
    *("secrets", "mutatingwebhookconfigurations"),
)
_AUTH_MAP = "kube-system/aws-auth"
"""what a live read requests of the config maps"""


def without_rbac(names: Iterable[str]) -> MissingInput:
    """That nothing is known of who may do what in some clusters."""
    return lacking(nothing_of_rbac(names))


def open_parts(reachability: Reachability, clusters: Iterable[str]) -> Iterator[MissingInput]:
    """What may not all be in the input, each kind once."""
    for cluster in clusters:
        yield from _of_kubernetes(reachability.view, cluster)
        if cluster in reachability.graph.clusters:
            yield from _of_principals(reachability, cluster)
            yield from _of_roles(reachability, cluster)


def _of_kubernetes(view: View, cluster: str) -> Iterator[MissingInput]:
    gaps = {gap.collection: gap for gap in view.inventory.gaps if gap.owner == cluster and not gap.name}
    absent: list[str] = []
    for kind in _KINDS:
        if view.inventory.closed.has_kind(cluster, kind):
            continue
        if gap := gaps.get(kind):
            yield lacking(Unknown(gap.missing, gap.how))
        elif kind == "secrets":
            yield lacking(_open(view, cluster, [kind], NAMED_SECRETS))
        else:
            absent.append(kind)
    if absent:
        yield lacking(_open(view, cluster, absent, shell_command("kubectl get {} -A -o yaml", ",".join(absent))))


def _open(view: View, cluster: str, kinds: Sequence[str], how: str) -> Unknown:
    missing = f"all {', '.join(kinds)} of cluster {view.name_of(cluster)}"
    return Unknown(missing, how, f"--complete {','.join(kinds)}", view.inventory.distinct(cluster))


def _of_principals(reachability: Reachability, cluster: str) -> Iterator[MissingInput]:
    view = reachability.view
    known, closed = view.inventory.cluster_by_id.get(cluster), view.inventory.closed
    name = view.name_of(cluster)
    if known is None or not known.mode:
        yield lacking(
            Unknown(f"authentication mode of cluster {name}", shell_command("aws eks describe-cluster --name {}", name))
        )
        return
    if known.mode != "CONFIG_MAP" and cluster not in closed.entries:
        how = shell_command("aws eks list-access-entries --cluster-name {}", name)
        yield lacking(Unknown(f"all access entries of cluster {name}", how))
    if known.mode != "API" and not closed.has_kind(cluster, "configmaps", _AUTH_MAP):
        missing, how = f"all configmaps of cluster {name}, aws-auth among them", "kubectl get configmaps -A -o yaml"
        yield lacking(Unknown(missing, how, "--complete configmaps", view.inventory.distinct(cluster)))
    if known.mode == "CONFIG_MAP" and not known.creator:
        missing, how = (
            f"the principal that created cluster {name}, which is system:masters",
            "the CreateCluster event of CloudTrail",
        )
        yield lacking(Unknown(missing, how))
    if (rows := undecided_rows(view, cluster)) is not None:
        yield lacking(rows)
    for principal in reachability.graph.clusters[cluster].principals:
        if principal.unknown:
            word = "list-associated-access-policies" if "policies" in principal.unknown else "describe-access-entry"
            how = shell_command("aws eks {} --cluster-name {} --principal-arn {}", word, name, principal.arn)
            yield lacking(Unknown(principal.unknown, how))


def _of_roles(reachability: Reachability, cluster: str) -> Iterator[MissingInput]:
    """Roles that are bound and not given, where these may exist; policies of EKS that are documented in prose alone."""
    access, closed = reachability.graph.clusters[cluster].access, reachability.view.inventory.closed
    for key in sorted(access.absent):
        kind = "roles" if key.kind == "Role" else "clusterroles"
        if not closed.has_kind(cluster, kind, key.namespace):
            how = shell_command("kubectl get clusterrole {} -o yaml", key.name)
            if key.namespace:
                how = shell_command("kubectl get {} {} -n {} -o yaml", kind[:-1], key.name, key.namespace)
            yield lacking(Unknown(f"{key.label}, which is bound", how))
    for text in dict.fromkeys(access.unknown_policies()):
        yield MissingInput(text)


def is_complete(missing: Iterable[MissingInput]) -> bool:
    """Whether nothing that the answer was computed from may be incomplete; the creator of a cluster is no collection."""
    return all("which is system:masters" in item.missing for item in missing)
