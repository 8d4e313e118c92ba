"""The graph of all identities: who gets from where to where, searched backwards from what a role admits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.authorisation import ClusterIdentity, Permission
from irsa_doctor.authorisation.principals import identity_of
from irsa_doctor.authorisation.steps import AccessWay, WayCertainty, WayTarget
from irsa_doctor.authorisation.ways import ANNOTATE
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.reach.admission import RoleAdmission
from irsa_doctor.facts.reach.arrivals import Arrival, ChainHop, best_way
from irsa_doctor.facts.reach.standing import AccessStanding, ClusterStandings, records_by_cluster
from irsa_doctor.model import Inventory

_MAKING = (Permission("create", "", "serviceaccounts"), Permission("create", "", "namespaces"))
CREATE_ACCOUNT, CREATE_NAMESPACE, ASSUME = "create-account", "create-namespace", "assume-role"


class _Entry(msgspec.Struct, frozen=True):
    """A standing with the hops that lead on from it."""

    standing: AccessStanding
    hops: tuple[ChainHop, ...] = ()
    after: AccessStanding | None = None


_Key = tuple[str, WayTarget]
_Direct = Mapping[AccessStanding, Mapping[str, AccessWay]]
"""standing -> the direct ways of it by kind"""


class _Search:
    """A search backwards, the nearest first; a role that is a principal is taken in two steps, the account and the role.

    An account that is taken on the API server alone may be taken a second time, for a token that STS takes.
    """

    def __init__(self, graph: "ReachGraph", arrival: Arrival) -> None:
        self.graph = graph
        self.arrival = arrival
        self._levels: dict[int, list[_Entry]] = {}
        self._visited: set[object] = set()

    def run(self, first: Iterable[AccessStanding], start: int) -> None:
        """Fill the arrival from the standings that are there first."""
        self._levels[start] = [_Entry(standing) for standing in first]
        at = start
        while self._levels:
            for entry in self._levels.pop(at, ()):
                if entry.standing not in self.arrival.distance:
                    self.arrival.distance[entry.standing] = at
                    self.arrival.hops[entry.standing] = entry.hops, entry.after
                    self._extend(entry.standing, at)
            at += 1

    def _extend(self, standing: AccessStanding, at: int) -> None:
        for key, identity in self.graph.arrivals_of.get(standing, ()):
            if key not in self._visited:
                self._visited.add(key)
                self._enter(key, identity, standing, at)
        for role, principal in self.graph.roles_of_standing.get(standing, ()):
            if role not in self._visited:
                self._visited.add(role)
                self._assume(role, ChainHop(ASSUME, principal), standing, at)

    def _enter(self, key: _Key, identity: ClusterIdentity, after: AccessStanding, at: int) -> None:
        for before, way in self.graph.incoming[key]:
            if way.api and way.certainty != "possible":
                entry = _Entry(before, (ChainHop(way.kind, identity, way),), after)
                self._levels.setdefault(at + 1, []).append(entry)

    def _assume(self, role: str, step: ChainHop, after: AccessStanding, at: int) -> None:
        """Those who become a role that is a principal: by a token of an account that it admits, or being that account."""
        for account, direct in self.graph.takers(role):
            for before, way in direct:
                entry = _Entry(before, (ChainHop(way.kind, account, way), step), after)
                self._levels.setdefault(at + 2, []).append(entry)
        for account in self.graph.admission(role).accounts:
            if account not in self.arrival.being and account.cluster in self.graph.clusters:
                self.arrival.being[account] = (at + 1, (step,), after)


class ReachGraph:
    """All identities of all clusters with their ways."""

    def __init__(self, view: View, *, everything: bool = False) -> None:
        """`everything`: clusters without anything of RBAC too."""
        self.view = view
        inventory = view.inventory
        ids = {item.cluster for name in ("access_roles", "access_bindings") for item in getattr(inventory, name)}
        ids |= {item.cluster for item in inventory.associated_access if item.policies}
        self.known = frozenset(ids)
        """the clusters of which the input has something of RBAC or an associated access policy"""
        ids |= _every_cluster(inventory) if everything else set()
        records = records_by_cluster(inventory) if ids else {}
        self.clusters: Mapping[str, ClusterStandings] = {
            ident: ClusterStandings(view, ident, records[ident]) for ident in sorted(ids)
        }
        self._admissions: dict[str, RoleAdmission] = {}
        self._arrivals: dict[object, Arrival] = {}
        self._targets: dict[str, Sequence[tuple[ClusterIdentity, Arrival]]] = {}
        self._makers_of: dict[str, Sequence[AccessStanding]] = {}
        self._asked: list[ClusterIdentity] = []

    def include(self, identity: ClusterIdentity) -> None:
        """Take in somebody whom nothing of the input names, such as system:masters, before anything is searched."""
        self._asked.append(identity)

    def standing(self, identity: ClusterIdentity) -> AccessStanding:
        """The standing of an identity."""
        return self.clusters[identity.cluster].of(identity)

    @cached_property
    def identities(self) -> tuple[ClusterIdentity, ...]:
        """Every candidate of every cluster."""
        return tuple(identity for cluster in self.clusters.values() for identity in cluster.candidates)

    @cached_property
    def named(self) -> frozenset[ClusterIdentity]:
        """Every candidate of every cluster."""
        return frozenset(self.identities)

    @cached_property
    def _explored(self) -> tuple[dict[tuple[str, WayTarget], list[tuple[AccessStanding, AccessWay]]], list[AccessStanding]]:
        """(incoming ways by target, all standings), of whoever can be reached too."""
        incoming: dict[tuple[str, WayTarget], list[tuple[AccessStanding, AccessWay]]] = {}
        waiting = list(dict.fromkeys(map(self.standing, (*self.identities, *self._asked))))
        standings = dict.fromkeys(waiting)
        while waiting:
            standing = waiting.pop()
            for target, ways in standing.ways.items():
                key = (standing.cluster.id, target)
                if key not in incoming and target.kind in ("grant", "grants", "group", "groups", "user"):
                    reached = [standing.cluster.of(member.identity) for member in standing.cluster.members(target)]
                    waiting += [other for other in dict.fromkeys(reached) if other not in standings]
                    standings.update(dict.fromkeys(reached))
                incoming.setdefault(key, []).extend((standing, way) for way in ways)
        return incoming, list(standings)

    @property
    def incoming(self) -> Mapping[tuple[str, WayTarget], Sequence[tuple[AccessStanding, AccessWay]]]:
        """Ways by (cluster, target)."""
        return self._explored[0]

    @property
    def standings(self) -> Sequence[AccessStanding]:
        """All standings."""
        return self._explored[1]

    @cached_property
    def arrivals_of(self) -> Mapping[AccessStanding, Sequence[tuple[_Key, ClusterIdentity]]]:
        """The targets that hold somebody of a standing who can act there, with that identity."""
        table: dict[AccessStanding, dict[_Key, ClusterIdentity]] = {}
        for key, ways in self.incoming.items():
            if not any(way.api and way.certainty != "possible" for _, way in ways):
                continue
            cluster = self.clusters[key[0]]
            for member in cluster.members(key[1]):
                if member.api:
                    table.setdefault(cluster.of(member.identity), {}).setdefault(key, member.identity)
        return {standing: tuple(targets.items()) for standing, targets in table.items()}

    # roles

    def admission(self, ident: str) -> RoleAdmission:
        """What a role admits, by its id."""
        if ident not in self._admissions:
            self._admissions[ident] = RoleAdmission(self.view, self.view.cases_by_id[ident][0])
        return self._admissions[ident]

    @cached_property
    def principal_roles(self) -> Mapping[ClusterIdentity, str]:
        """Principals of clusters that are roles of the input -> the id of the role."""
        roles = {
            f"${{{role.address}.arn}}".lower(): role.id for role in self.view.inventory.roles if role.address and not role.arn
        }
        roles |= {identity_of(role.arn): role.id for role in self.view.inventory.roles if role.arn}
        return {
            ClusterIdentity(cluster.id, "Principal", principal.arn): roles[identity_of(principal.arn)]
            for cluster in self.clusters.values()
            for principal in cluster.principals
            if identity_of(principal.arn) in roles
        }

    @cached_property
    def principals_of_role(self) -> Mapping[str, Sequence[ClusterIdentity]]:
        """Id of a role -> the principals that it is."""
        table: dict[str, list[ClusterIdentity]] = {}
        for principal, role in self.principal_roles.items():
            table.setdefault(role, []).append(principal)
        return table

    @cached_property
    def roles_of_standing(self) -> Mapping[AccessStanding, Sequence[tuple[str, ClusterIdentity]]]:
        """AccessStanding -> the roles that are principals of it, with these."""
        table: dict[AccessStanding, list[tuple[str, ClusterIdentity]]] = {}
        for principal, role in self.principal_roles.items():
            table.setdefault(self.standing(principal), []).append((role, principal))
        return table

    # arrivals

    def arrivals(self, ident: str) -> Sequence[tuple[ClusterIdentity, Arrival]]:
        """Every target of a role with how everybody gets there: accounts that it admits, then new ones, the name of which is ""
        where only their namespace is known, and that too where it is new."""
        if ident not in self._targets:
            self._targets[ident] = tuple(self._arrivals_at(ident))
        return self._targets[ident]

    def _arrivals_at(self, ident: str) -> Iterator[tuple[ClusterIdentity, Arrival]]:
        admission = self.admission(ident)
        for account in sorted(admission.accounts):
            if account.cluster in self.clusters:
                yield account, self._of_account(admission, account)
        for target, direct in self._creations(admission):
            if direct:
                ways = frozenset((standing, tuple(ways.values())) for standing, ways in direct.items())
                yield target, self._searched((target.cluster, target.namespace, ways), direct)

    def _of_account(self, admission: RoleAdmission, account: ClusterIdentity) -> Arrival:
        cluster = self.clusters[account.cluster]
        keys = [
            (account.cluster, target)
            for target, audiences in cluster.holding(account)
            if (account.cluster, target) in self.incoming
            and (audiences is None or (audiences and admission.takes(account, audiences)))
        ]
        held = frozenset().union(*(pod.audiences for pod in cluster.objects.pods_of.get((account.namespace, account.name), ())))
        is_held = bool(held) and admission.takes(account, held)
        key = (frozenset(keys), is_held)
        if key not in self._arrivals:
            direct: dict[AccessStanding, dict[str, AccessWay]] = {}
            for entry in keys:
                for before, way in self.incoming[entry]:
                    if way.sts and not (is_held and way.kind == ANNOTATE):
                        _add(direct.setdefault(before, {}), way)
            self._searched(key, direct)
        return self._arrivals[key]

    def _searched(self, key: object, direct: _Direct) -> Arrival:
        if key not in self._arrivals:
            self._arrivals[key] = arrival = Arrival(direct)
            _Search(self, arrival).run([standing for standing in direct if arrival.is_sure(standing)], 1)
        return self._arrivals[key]

    def takers(self, role: str) -> Iterator[tuple[ClusterIdentity, Sequence[tuple[AccessStanding, AccessWay]]]]:
        """Who gets a token of a service account that a role admits by one step that is certain or likely."""
        for account, direct in self._direct(role):
            best = [(standing, best_way(ways.values())) for standing, ways in direct.items()]
            yield account, [(standing, way) for standing, way in best if way]

    def _direct(self, role: str) -> Iterator[tuple[ClusterIdentity, _Direct]]:
        admission = self.admission(role)
        for account in admission.accounts:
            cluster = self.clusters.get(account.cluster)
            if cluster is None:
                continue
            direct: dict[AccessStanding, dict[str, AccessWay]] = {}
            for target, audiences in cluster.holding(account):
                if audiences is None or (audiences and admission.takes(account, audiences)):
                    for standing, way in self.incoming.get((cluster.id, target), ()):
                        if way.sts:
                            _add(direct.setdefault(standing, {}), way)
            yield account, direct
        yield from self._creations(admission)

    # accounts and namespaces that do not exist

    def _creations(self, admission: RoleAdmission) -> Iterator[tuple[ClusterIdentity, _Direct]]:
        for cluster in self.clusters.values():
            makers = self._makers(cluster)
            if makers:
                yield from self._new_accounts(admission, cluster, makers)
                yield from self._new_namespaces(admission, cluster, makers)

    def _makers(self, cluster: ClusterStandings) -> Sequence[AccessStanding]:
        """Those who may create service accounts or namespaces at all."""
        if cluster.id not in self._makers_of:
            self._makers_of[cluster.id] = [
                standing
                for standing in self.standings
                if standing.cluster is cluster and any(map(standing.powers.has, _MAKING))
            ]
        return self._makers_of[cluster.id]

    def _new_accounts(
        self, admission: RoleAdmission, cluster: ClusterStandings, makers: Sequence[AccessStanding]
    ) -> Iterator[tuple[ClusterIdentity, _Direct]]:
        spaces = cluster.objects.namespaces
        names: dict[str, list[str]] = {}
        for absent in admission.absent:
            if absent.cluster == cluster.id and absent.namespace in spaces:
                names.setdefault(absent.namespace, []).append(absent.name)
        fresh = {space: admission.fresh_accounts(cluster.id, space) for space in spaces if admission.has_patterns}
        closed = self.view.inventory.closed
        for space in sorted(space for space in spaces if names.get(space) or fresh.get(space)):
            is_closed = closed.has_kind(cluster.id, "serviceaccounts", space)
            literal = [(name, is_closed) for name in names.get(space, ())]
            direct: dict[AccessStanding, dict[str, AccessWay]] = {}
            for standing in makers:
                for name, is_sure in (*literal, *((name, True) for name in fresh.get(space, ()))):
                    for _, uses in standing.steps.creates_account(space, name):
                        certainty: WayCertainty = "certain" if is_sure else "possible"
                        way = AccessWay(CREATE_ACCOUNT, WayTarget("account", space, name), uses, sts=True, certainty=certainty)
                        _add(direct.setdefault(standing, {}), way)
            yield ClusterIdentity(cluster.id, "ServiceAccount", "", space), direct

    def _new_namespaces(
        self, admission: RoleAdmission, cluster: ClusterStandings, makers: Sequence[AccessStanding]
    ) -> Iterator[tuple[ClusterIdentity, _Direct]]:
        spaces = cluster.objects.namespaces
        other = bool(admission.has_patterns and admission.fresh_namespace(cluster.id, spaces))
        default = bool(admission.has_patterns and admission.fresh_namespace(cluster.id, spaces, "default"))
        if not (other or default):
            return
        direct: dict[AccessStanding, dict[str, AccessWay]] = {}
        for standing in makers:
            if uses := standing.steps.creates_namespace(default=default, other=other):
                way = AccessWay(CREATE_NAMESPACE, WayTarget("accounts", ""), uses, sts=True)
                direct[standing] = {CREATE_NAMESPACE: way}
        yield ClusterIdentity(cluster.id, "ServiceAccount", "", ""), direct

    # administrators

    @cached_property
    def admins(self) -> Arrival:
        """How everybody gets to an identity that may do everything; the distance of one itself is 0."""
        arrival = Arrival({})
        _Search(self, arrival).run([standing for standing in self.standings if standing.is_admin], 0)
        return arrival


def _every_cluster(inventory: Inventory) -> set[str]:
    """The clusters of which the input has anything that says who there is; one without a name where it has nothing."""
    collections = ("service_accounts", "access_entries", "auth_maps")
    ids = {item.cluster for name in collections for item in getattr(inventory, name)}
    return ids | {cluster.id for cluster in inventory.clusters} or {""}


_ORDER = {"certain": 0, "likely": 1, "possible": 2}


def _add(ways: dict[str, AccessWay], way: AccessWay) -> None:
    """Keep the most certain way of a kind."""
    known = ways.get(way.kind)
    if known is None or _ORDER[way.certainty] < _ORDER[known.certainty]:
        ways[way.kind] = way
