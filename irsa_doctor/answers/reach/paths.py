"""Writes down paths: the steps of a chain, and the bindings, roles and policies that make the first one possible."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from irsa_doctor.answers.reach.records import MappedFrom, PathObject, ReachPath, ReachSubject, TakenStep
from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.authorisation.steps import WAY_CERTAINTIES, AccessWay
from irsa_doctor.facts.reach.arrivals import Arrival, ChainHop
from irsa_doctor.facts.reach.graph import CREATE_ACCOUNT, CREATE_NAMESPACE
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.through import EnablingObject, first_step, through
from irsa_doctor.model import Place

LineOf = Callable[[Place], int]
"""the line of a place"""
_NEW = "(new)"
"""the name of a service account that does not exist yet"""


class PathWriter:
    """Writes the paths of one inventory."""

    def __init__(self, reachability: Reachability, line_of: LineOf) -> None:
        self.reachability = reachability
        self.graph = reachability.graph
        self.view = reachability.view
        self._line_of = line_of

    # subjects

    def subject(self, identity: ClusterIdentity) -> ReachSubject:
        """An identity as answers have it."""
        name = identity.name or _NEW
        return ReachSubject(identity.kind, name, identity.namespace or None, self.view.name_of(identity.cluster))

    def iam(self, identity: ClusterIdentity) -> tuple[MappedFrom, ...]:
        """The IAM principals that are an identity."""
        principals = self.graph.clusters[identity.cluster].principals_behind(identity)
        return tuple(sorted({MappedFrom(item.arn, item.mapped_by) for item in principals}))

    # paths

    def paths(self, identity: ClusterIdentity, targets: Iterable[tuple[ClusterIdentity, Arrival]]) -> Iterator[ReachPath]:
        """The paths of somebody to the targets of a role: all direct ones, and a chain where none is certain or likely."""
        standing = self.graph.standing(identity)
        rows: dict[tuple[object, ...], list[ClusterIdentity]] = {}
        makers: dict[tuple[object, ...], Callable[[Sequence[ClusterIdentity]], ReachPath]] = {}
        for target, arrival in targets:
            for way in arrival.direct.get(standing, {}).values():
                key: tuple[object, ...] = (way.kind, target.namespace, way.certainty, way)
                rows.setdefault(key, []).append(target)
                makers.setdefault(key, lambda reached, way=way: self._direct(identity, way, reached))  # type: ignore[misc]
            if not arrival.is_sure(standing) and (arrival.steps(identity, standing) or 0) > 1:
                hops, _ = arrival.chain(identity, standing)
                key = (id(arrival), target.namespace, hops)
                rows.setdefault(key, []).append(target)
                makers.setdefault(key, lambda reached, arrival=arrival: self._chain(identity, arrival, reached))  # type: ignore[misc]
        for key, reached in rows.items():
            yield makers[key](reached)

    def _direct(self, identity: ClusterIdentity, way: AccessWay, reached: Sequence[ClusterIdentity]) -> ReachPath:
        return ReachPath(
            kind=way.kind,
            namespace=_namespace(way.kind, reached),
            service_accounts=self._accounts(way.kind, reached),
            steps=1,
            certainty=way.certainty,
            needs=way.needs,
            through=tuple(self.through(identity, way)),
            via=(),
        )

    def _chain(self, identity: ClusterIdentity, arrival: Arrival, reached: Sequence[ClusterIdentity]) -> ReachPath:
        standing = self.graph.standing(identity)
        hops, node = arrival.chain(identity, standing)
        last = arrival.last(node)
        ways = [hop.way for hop in hops if hop.way] + ([last] if last else [])
        kind = last.kind if last else ""
        return ReachPath(
            kind=kind,
            namespace=_namespace(kind, reached),
            service_accounts=self._accounts(kind, reached),
            steps=len(hops) + 1,
            certainty=max((way.certainty for way in ways), key=WAY_CERTAINTIES.index, default="certain"),
            needs=tuple(dict.fromkeys(need for way in ways for need in way.needs)),
            through=tuple(self.first(identity, hops)),
            via=self.steps(hops),
        )

    def steps(self, hops: Iterable[ChainHop]) -> tuple[TakenStep, ...]:
        """The identities that a chain takes."""
        return tuple(TakenStep(hop.kind, self.subject(hop.identity)) for hop in hops)

    def first(self, identity: ClusterIdentity, hops: Sequence[ChainHop]) -> Iterator[PathObject]:
        """What makes the first step of a chain possible."""
        yield from map(self._object, first_step(self.graph, identity, hops))

    def _accounts(self, kind: str, reached: Sequence[ClusterIdentity]) -> tuple[str, ...]:
        if kind in (CREATE_ACCOUNT, CREATE_NAMESPACE):
            return ()
        return tuple(sorted(f"{self.view.label_of(item.cluster)}/{item.namespace}/{item.name}" for item in reached))

    def through(self, identity: ClusterIdentity, way: AccessWay) -> Iterator[PathObject]:
        """The objects that make a step possible."""
        yield from map(self._object, through(self.graph, identity, way))

    def _object(self, item: EnablingObject) -> PathObject:
        return PathObject(item.kind, item.name, item.namespace or None, item.place.document, self._line_of(item.place))


def _namespace(kind: str, reached: Sequence[ClusterIdentity]) -> str | None:
    return None if kind == CREATE_NAMESPACE else reached[0].namespace
