"""How everybody gets to one target: direct ways, and the first steps of chains."""

from collections.abc import Iterable, Mapping

import msgspec

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.authorisation.steps import AccessWay
from irsa_doctor.facts.reach.standing import AccessStanding


class ChainHop(msgspec.Struct, frozen=True):
    """One step of a chain: how, and the identity that is taken by it."""

    kind: str
    identity: ClusterIdentity
    way: AccessWay | None = None


class Arrival:
    """How everybody gets to one target, an account or a new one: `direct` by standing and kind, and the chains of the others.

    `distance` is the number of identities taken, the target included; `hops` are the first steps of a chain and the node after
    them. `being` is the same for the accounts that are admitted by a role which is a principal of a cluster.
    """

    def __init__(self, direct: Mapping[AccessStanding, Mapping[str, AccessWay]]) -> None:
        self.direct = direct
        self.distance: dict[AccessStanding, int] = {}
        self.hops: dict[AccessStanding, tuple[tuple[ChainHop, ...], AccessStanding | None]] = {}
        self.being: dict[ClusterIdentity, tuple[int, tuple[ChainHop, ...], AccessStanding]] = {}

    def is_sure(self, standing: AccessStanding) -> bool:
        """Whether there is a direct way that is certain or likely."""
        return any(way.certainty != "possible" for way in self.direct.get(standing, {}).values())

    def steps(self, identity: ClusterIdentity, standing: AccessStanding) -> int | None:
        """The fewest steps by certain and likely ways, None where there are none."""
        own, being = self.distance.get(standing), self.being.get(identity)
        steps = [distance for distance in (own, being[0] if being else None) if distance is not None]
        return min(steps, default=None)

    def chain(self, identity: ClusterIdentity, standing: AccessStanding) -> tuple[tuple[ChainHop, ...], AccessStanding | None]:
        """The hops of a shortest chain, and the node from which its last step is taken, which leads to the target."""
        hops: list[ChainHop] = []
        at: AccessStanding | None = standing
        being = self.being.get(identity)
        if being and (standing not in self.distance or being[0] < self.distance[standing]):
            hops, at = [*being[1]], being[2]
        while at is not None and self.hops[at][1] is not None:
            hops += self.hops[at][0]
            at = self.hops[at][1]
        return tuple(hops), at

    def last(self, node: AccessStanding | None) -> AccessWay | None:
        """The step to the target from the last node of a chain."""
        return best_way(self.direct.get(node, {}).values()) if node else None


def best_way(ways: Iterable[AccessWay]) -> AccessWay | None:
    """The most certain of some ways, None where none is certain or likely."""
    order = {"certain": 0, "likely": 1}
    sure = [way for way in ways if way.certainty in order]
    return min(sure, key=lambda way: (order[way.certainty], way.kind)) if sure else None
