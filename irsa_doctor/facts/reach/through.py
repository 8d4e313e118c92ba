"""The objects that make a step possible: bindings with their roles, access policies, mappings of principals."""

from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.authorisation import ClusterAccess, ClusterIdentity
from irsa_doctor.authorisation.decisions import EVERYWHERE, allows
from irsa_doctor.authorisation.identities import POLICY, HeldGrant
from irsa_doctor.authorisation.steps import AccessWay, Use
from irsa_doctor.facts.reach.arrivals import ChainHop
from irsa_doctor.facts.reach.graph import ReachGraph
from irsa_doctor.model import Place
from irsa_doctor.model.access import AccessBinding, AssociatedPolicy


class EnablingObject(msgspec.Struct, frozen=True):
    """An object of a cluster, or a mapping of EKS, by kind and name; `namespace` is "" where it has none."""

    kind: str
    name: str
    namespace: str
    place: Place

    @property
    def words(self) -> str:
        """As messages name it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def through(graph: ReachGraph, identity: ClusterIdentity, way: AccessWay) -> Iterator[EnablingObject]:
    """The binding and the role of each permission that a step of somebody needs, or the access policy."""
    seen: set[EnablingObject] = set()
    access = graph.clusters[identity.cluster].access
    for use in way.uses:
        for item in _of_use(access, identity, use):
            if item not in seen:
                seen.add(item)
                yield item


def _of_use(access: ClusterAccess, identity: ClusterIdentity, use: Use) -> Iterator[EnablingObject]:
    for held in (*access.held(identity), *access.held_possibly(identity)):
        if held.grant.scope not in (EVERYWHERE, use.scope):
            continue
        if not allows(access.rules(held.grant.role), use.permission, use.name):
            continue
        yield from objects_of(access, held)
        return


def objects_of(access: ClusterAccess, held: HeldGrant) -> Iterator[EnablingObject]:
    """The binding and the role of a grant, or its access policy."""
    if isinstance(held.source, AssociatedPolicy):
        yield EnablingObject(POLICY, held.source.name, "", held.source.place)
    elif isinstance(held.source, AccessBinding):
        binding = held.source
        yield EnablingObject(binding.kind, binding.name, binding.namespace, binding.place)
        if role := access.table.roles.get(held.grant.role):
            yield EnablingObject(role.kind, role.name, role.namespace, role.place)


def first_step(graph: ReachGraph, identity: ClusterIdentity, hops: Sequence[ChainHop]) -> Iterator[EnablingObject]:
    """What makes the first step of a chain possible: of one that assumes a role the mapping of that."""
    if not hops:
        return
    if hops[0].way is not None:
        yield from through(graph, identity, hops[0].way)
        return
    taken = hops[0].identity
    principal = graph.clusters[taken.cluster].access.principals[taken.name]
    if principal.mapped_by == "aws-auth":
        yield EnablingObject("ConfigMap", "aws-auth", "kube-system", principal.place)
    else:
        yield EnablingObject("AccessEntry", principal.arn, "", principal.place)
