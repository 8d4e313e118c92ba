"""Answers who becomes one role through Kubernetes."""

from collections.abc import Sequence

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.reach.missing import is_complete, open_parts, without_rbac
from irsa_doctor.answers.reach.paths import LineOf, PathWriter
from irsa_doctor.answers.reach.records import ReachRow, RoleReach
from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.model import issuer_of_provider


def reach_of_role(view: View, role: AnalysedRole, line_of: LineOf) -> tuple[RoleReach, Sequence[MissingInput]]:
    """Everybody who becomes the role, and what the answer lacks."""
    reachability = Reachability(view)
    clusters = clusters_of(view, role)
    if not any(cluster in reachability.graph.clusters for cluster in clusters):
        names = [view.name_of(cluster) for cluster in clusters]
        # a role that admits no service account of a known cluster lacks nothing of it
        return RoleReach(), [without_rbac(names)] if names else []
    missing = list(dict.fromkeys(open_parts(reachability, clusters)))
    writer = PathWriter(reachability, line_of)
    targets = list(reachability.graph.arrivals(role.role.id))
    rows = [
        ReachRow(
            subject=writer.subject(entry.identity),
            expected=reachability.is_expected(entry.identity),
            paths=tuple(writer.paths(entry.identity, targets)),
            iam=writer.iam(entry.identity),
        )
        for entry in reachability.listed(role.role.id)
    ]
    ordered = sorted(
        rows, key=lambda row: (row.subject.kind, row.subject.name, row.subject.namespace or "", row.subject.cluster)
    )
    return RoleReach(tuple(ordered), is_complete(missing)), missing


def clusters_of(view: View, role: AnalysedRole) -> list[str]:
    """The clusters whose service accounts a role may admit."""
    by_issuer = view.inventory.clusters_by_issuer
    issuers = dict.fromkeys(map(issuer_of_provider, role.by_provider))
    ids = [cluster.id for issuer in issuers for cluster in by_issuer.get(issuer, ())]
    associations = (
        *view.associations_of_role.get(role.role.id, ()),
        *view.associations_of_target.get(role.role.arn, ()),
    )
    ids += [item.cluster for item in associations if isinstance(item.cluster, str)]
    return list(dict.fromkeys(ids))
