"""Who is listed for a role: those with a way that none of the identities has which they imply; and who of them is expected."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.authorisation.identities import ACCOUNTS, ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.reach.arrivals import Arrival
from irsa_doctor.facts.reach.graph import ReachGraph
from irsa_doctor.facts.reach.standing import AccessStanding
from irsa_doctor.facts.reach.undetermined import undetermined
from irsa_doctor.model import Unknown
from irsa_doctor.model.extents import fits

CHAIN = "chain"
ANYONE = (AUTHENTICATED, UNAUTHENTICATED, ANONYMOUS)
"""groups and a user that say nothing of who somebody is"""


class ListedIdentity(msgspec.Struct, frozen=True):
    """Somebody who is listed for a role; `sure`: by a way that is certain or likely. `creates`: by making an account."""

    identity: ClusterIdentity
    sure: bool
    creates: bool
    reaches: bool
    """whether an account that exists is reached by a way that is certain or likely"""


class Reachability:
    """What is known of an inventory about who reaches its roles."""

    def __init__(self, view: View, *, everything: bool = False) -> None:
        """`everything`: clusters without anything of RBAC too."""
        self.view = view
        self.graph = ReachGraph(view, everything=everything)
        self._new: dict[int, Sequence[ClusterIdentity]] = {}
        self._undetermined: dict[str, Sequence[Unknown]] = {}

    @property
    def is_known(self) -> bool:
        """Whether the input has anything of RBAC or an associated access policy."""
        return bool(self.graph.known)

    def undetermined(self, cluster: str) -> Sequence[Unknown]:
        """The inputs of a cluster that are missing."""
        if cluster not in self._undetermined:
            self._undetermined[cluster] = tuple(undetermined(self.view, self.graph, cluster))
        return self._undetermined[cluster]

    @cached_property
    def _listable(self) -> Mapping[AccessStanding, Sequence[tuple[ClusterIdentity, tuple[ClusterIdentity, ...]]]]:
        """The identities of a standing that can be listed, and those that each implies: whoever has no more than one of these
        cannot, unless a role that admits it is a principal."""
        table: dict[AccessStanding, list[tuple[ClusterIdentity, tuple[ClusterIdentity, ...]]]] = {}
        for identity in self.graph.identities:
            standing = self.graph.standing(identity)
            implied = self.graph.clusters[identity.cluster].access.implied(identity)
            if all(self.graph.standing(other) is not standing for other in implied):
                table.setdefault(standing, []).append((identity, implied))
        return table

    def ways(self, identity: ClusterIdentity, arrival: Arrival) -> Mapping[str, bool]:
        """The kinds of ways to a target, a chain among them; whether each is certain or likely."""
        standing = self.graph.standing(identity)
        kinds = {kind: way.certainty != "possible" for kind, way in arrival.direct.get(standing, {}).items()}
        if True not in kinds.values() and (arrival.steps(identity, standing) or 0) > 1:
            kinds[CHAIN] = True
        return kinds

    def _new_ways(self, arrival: Arrival) -> Sequence[ClusterIdentity]:
        """The identities that have a way which none has that they imply."""
        known = self._new.get(id(arrival))
        if known is None:
            known = self._new[id(arrival)] = tuple(self._compared(arrival))
        return known

    def _compared(self, arrival: Arrival) -> Iterator[ClusterIdentity]:
        reaching = dict.fromkeys((*arrival.direct, *arrival.distance))
        for standing in reaching:
            for identity, implied in self._listable.get(standing, ()):
                yield from self._if_new(identity, implied, arrival)
        for identity in arrival.being:
            if self.graph.standing(identity) not in reaching or identity not in self._all_listable:
                yield from self._if_new(identity, self.graph.clusters[identity.cluster].access.implied(identity), arrival)

    @cached_property
    def _all_listable(self) -> frozenset[ClusterIdentity]:
        return frozenset(identity for entries in self._listable.values() for identity, _ in entries)

    def _if_new(
        self, identity: ClusterIdentity, implied: Sequence[ClusterIdentity], arrival: Arrival
    ) -> Iterator[ClusterIdentity]:
        known = {kind for other in implied for kind in self.ways(other, arrival)}
        if not known.issuperset(self.ways(identity, arrival)):
            yield identity

    def is_excluded(self, role: str, identity: ClusterIdentity) -> bool:
        """Whether the role admits an account, or is the principal itself."""
        if identity.kind == "Principal":
            return self.graph.principal_roles.get(identity) == role
        return identity.kind == "ServiceAccount" and identity in self.graph.admission(role).accounts

    def listed(self, role: str) -> Sequence[ListedIdentity]:
        """Everybody who is listed for a role, by its id."""
        if role not in self._listed:
            existing: dict[int, Arrival] = {}
            created: dict[int, Arrival] = {}
            for target, arrival in self.graph.arrivals(role):
                (existing if target.name else created)[id(arrival)] = arrival
            arrivals = {**existing, **created}.values()
            new = dict.fromkeys(identity for arrival in arrivals for identity in self._new_ways(arrival))
            self._listed[role] = [
                self._entry(identity, existing.values(), created.values())
                for identity in sorted(new)
                if not self.is_excluded(role, identity)
            ]
        return self._listed[role]

    def _entry(self, identity: ClusterIdentity, existing: Iterable[Arrival], created: Iterable[Arrival]) -> ListedIdentity:
        """With what somebody has of ways that are certain or likely, inherited ones too."""
        standing = self.graph.standing(identity)
        reaches = any(arrival.steps(identity, standing) for arrival in existing)
        creates = any(arrival.steps(identity, standing) for arrival in created)
        return ListedIdentity(identity, reaches or creates, creates, reaches)

    @cached_property
    def _listed(self) -> dict[str, Sequence[ListedIdentity]]:
        return {}

    # who is expected

    def is_expected(self, identity: ClusterIdentity) -> bool:
        """Whether a project, or Kubernetes itself, expects somebody to reach roles."""
        expected = self.view.expected_access
        if any(fits(pattern, subject_name(identity)) for pattern in expected.patterns):
            return True
        if identity.kind == "ServiceAccount":
            return identity.namespace in expected.namespaces
        if identity.kind in ("User", "Group") and _is_of_the_system(identity):
            return True
        standing = self.graph.standing(identity)
        return standing.is_admin and not self._everybody_is_admin(identity.cluster) and not _is_anyone(identity)

    def _everybody_is_admin(self, cluster: str) -> bool:
        return self.graph.standing(ClusterIdentity(cluster, "Group", AUTHENTICATED)).is_admin

    def admin_steps(self, identity: ClusterIdentity) -> int | None:
        """The fewest steps to somebody who may do everything, None where there is no such way."""
        return self.graph.admins.steps(identity, self.graph.standing(identity))


def reachability_of(view: View) -> Reachability:
    """The answer for an inventory, worked out once and kept with its view."""
    known: Reachability | None = view.__dict__.get("_reachability")
    if known is None:
        known = view.__dict__["_reachability"] = Reachability(view)
    return known


def subject_name(identity: ClusterIdentity) -> str:
    """An identity as the command line and the settings write it."""
    if identity.kind == "Principal":
        return identity.name
    name = f"{identity.namespace}/{identity.name}" if identity.kind == "ServiceAccount" else identity.name
    return f"{identity.kind.lower()}:{name}"


def _is_anyone(identity: ClusterIdentity) -> bool:
    return identity.name in (*ANYONE, ACCOUNTS) or identity.name.startswith(f"{ACCOUNTS}:")


def _is_of_the_system(identity: ClusterIdentity) -> bool:
    if identity.kind == "User" and identity.name.startswith("eks:"):
        return True
    return identity.name.startswith("system:") and not _is_anyone(identity)
