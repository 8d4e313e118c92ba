"""The identities of a cluster and the ways of each: those with the same roles share one standing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from irsa_doctor.authorisation import ClusterAccess, ClusterIdentity, ClusterRoleKey, RoleGrant, RoleTable, mapped_principals
from irsa_doctor.authorisation.decisions import EVERYWHERE
from irsa_doctor.authorisation.objects import AWS_AUTH, ClusterObjects
from irsa_doctor.authorisation.powers import EVERY_PERMISSION, Powers, Table, powers_of
from irsa_doctor.authorisation.principals import MASTERS, MappedPrincipal
from irsa_doctor.authorisation.role_ways import BindableRoles
from irsa_doctor.authorisation.roles import ADMIN_KEY
from irsa_doctor.authorisation.steps import AccessWay, WayTarget
from irsa_doctor.authorisation.ways import Ways
from irsa_doctor.facts.lookups.planned_clusters import planned_cluster
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.model import Inventory, ServiceAccount


class Member:
    """An identity that a target holds; `api` and `audiences` are what the pods of it hold, where the target is pods."""

    __slots__ = ("api", "audiences", "identity")

    def __init__(self, identity: ClusterIdentity, api: bool = True, audiences: frozenset[str] | None = None) -> None:
        self.identity = identity
        self.api = api
        self.audiences = audiences


class AccessStanding:
    """What everybody has who has the same roles: powers, and ways by target."""

    def __init__(self, cluster: "ClusterStandings", grants: Iterable[RoleGrant], possible: Iterable[RoleGrant] = ()) -> None:
        """`possible` are roles that some of those who have this standing may have too."""
        self.cluster = cluster
        self.grants = tuple(sorted(grants))
        self.possible = tuple(sorted(possible))
        self.powers = self._powers(self.grants)

    def _powers(self, grants: Iterable[RoleGrant]) -> Powers:
        return Powers((grant.scope, self.cluster.powers_of(grant.role)) for grant in grants)

    @cached_property
    def steps(self) -> Ways:
        """The steps of the closed table, as functions."""
        return self._steps(self.powers, self.grants)

    def _steps(self, powers: Powers, grants: tuple[RoleGrant, ...]) -> Ways:
        access = self.cluster.access
        return Ways(powers, grants, self.cluster.objects, self.cluster.bindable, access.users, access.groups)

    @cached_property
    def ways(self) -> Mapping[WayTarget, tuple[AccessWay, ...]]:
        """Ways by target, each kind and certainty once."""
        table: dict[WayTarget, dict[tuple[str, str], AccessWay]] = {}
        for way in self.steps.all():
            table.setdefault(way.target, {}).setdefault((way.kind, way.certainty), way)
        more = (*self.grants, *self.possible)
        for way in self._steps(self._powers(more), more).all() if self.possible else ():
            known = table.setdefault(way.target, {})
            if not any(kind == way.kind for kind, _ in known):
                known[way.kind, "possible"] = msgspec.structs.replace(way, certainty="possible")
        return {target: tuple(ways.values()) for target, ways in table.items()}

    @property
    def is_admin(self) -> bool:
        """Whether everything is allowed in the whole cluster."""
        return self.powers.names(EVERYWHERE, EVERY_PERMISSION).every


class ClusterStandings:
    """The identities of one cluster."""

    def __init__(self, view: View, cluster: str, of_cluster: Mapping[str, list[Any]]) -> None:
        """`of_cluster` are the records of the cluster by their collection (`records_by_cluster`)."""
        self.id = cluster
        inventory = view.inventory
        known = inventory.cluster_by_id.get(cluster) if cluster else planned_cluster(inventory)
        accounts = of_cluster["service_accounts"]
        namespaces = {item.name for item in of_cluster["namespaces"]} or _spaces_of(of_cluster)
        maps = of_cluster["auth_maps"]
        arns = [role.arn for role in inventory.roles if role.arn] if any(item.accounts for item in maps) else []
        self.principals = mapped_principals(known, of_cluster["access_entries"], of_cluster["associated_access"], maps, arns)
        table = RoleTable(of_cluster["access_roles"])
        self.access = ClusterAccess(cluster, table, of_cluster["access_bindings"], self.principals, namespaces)
        config_maps = of_cluster["config_maps"]
        self.objects = ClusterObjects(
            known,
            accounts,
            of_cluster["workloads"],
            (item for item in config_maps if item.kind == "Secret"),
            of_cluster["access_bindings"],
            (item.name for item in of_cluster["webhook_configurations"]),
            namespaces,
            has_aws_auth=any((item.kind, item.namespace, item.name) == ("ConfigMap", *AWS_AUTH) for item in config_maps),
        )
        self.accounts: Mapping[ClusterIdentity, ServiceAccount] = {
            ClusterIdentity(cluster, "ServiceAccount", item.name, item.namespace): item for item in accounts
        }
        local = [(key.namespace, key.name) for key in table.roles if key.kind == "Role"]
        self.bindable = BindableRoles(self.access.rules, lambda key: table.rules(key) is not None, local)
        self._tables: dict[ClusterRoleKey, Table] = {}
        self._standings: dict[tuple[frozenset[RoleGrant], frozenset[RoleGrant]], AccessStanding] = {}
        self._of: dict[ClusterIdentity, AccessStanding] = {}

    def powers_of(self, key: ClusterRoleKey) -> Table:
        """The permissions of the closed list that a role gives."""
        if key not in self._tables:
            self._tables[key] = powers_of(self.access.rules(key))
        return self._tables[key]

    @cached_property
    def _may_escalate(self) -> bool:
        return any(
            permission.verb == "escalate"
            for key in (*self.access.table.roles, ADMIN_KEY)
            if key.name not in _BUILT_IN
            for permission in self.powers_of(key)
        )

    def of(self, identity: ClusterIdentity) -> AccessStanding:
        """The standing of an identity."""
        if identity not in self._of:
            grants = frozenset(held.grant for held in self.access.held(identity))
            if not self._may_escalate:
                grants = frozenset(grant for grant in grants if self.powers_of(grant.role))
            possible = frozenset(held.grant for held in self.access.held_possibly(identity)) - grants
            standing = self._standings.get((grants, possible))
            if standing is None:
                standing = self._standings[grants, possible] = AccessStanding(self, grants, possible)
            self._of[identity] = standing
        return self._of[identity]

    @cached_property
    def candidates(self) -> tuple[ClusterIdentity, ...]:
        """Every user and group that a binding or a mapping names, every service account, every principal."""
        return (
            *(
                ClusterIdentity(self.id, "User", name)
                for name in sorted(self.access.users)
                if self.access.of_user(name).kind == "User"
            ),
            *(ClusterIdentity(self.id, "Group", name) for name in sorted(self.access.groups)),
            *self.accounts,
            *(ClusterIdentity(self.id, "Principal", principal.arn) for principal in self.principals),
        )

    @cached_property
    def _behind(self) -> Mapping[tuple[str, str], list[MappedPrincipal]]:
        table: dict[tuple[str, str], list[MappedPrincipal]] = {}
        for principal in self.principals:
            for key in (("User", principal.user), *(("Group", group) for group in principal.groups)):
                table.setdefault(key, []).append(principal)
            table.setdefault(("Principal", principal.arn), []).append(principal)
        return table

    def principals_behind(self, identity: ClusterIdentity) -> Sequence[MappedPrincipal]:
        """The principals that are an identity: by their groups, by their user, or themselves."""
        if identity.kind == "ServiceAccount":
            return self._behind.get(("User", f"system:serviceaccount:{identity.namespace}:{identity.name}"), ())
        return self._behind.get((identity.kind, identity.name), ())

    # what targets hold

    def members(self, target: WayTarget) -> Iterator[Member]:
        """The identities that a target holds; of service accounts those that exist."""
        is_of_accounts = target.kind in ("account", "accounts", "pod", "pods", "node", "nodes", "secret", "secrets")
        for member in self._members(target):
            if not is_of_accounts or member.identity in self.accounts:
                yield member

    def _members(self, target: WayTarget) -> Iterator[Member]:
        space = target.namespace
        if target.kind == "account":
            yield Member(self._account(space, target.name))
        elif target.kind == "accounts":
            yield from map(Member, self._accounts_in(space))
        elif target.kind in ("pod", "pods", "node", "nodes"):
            yield from self._of_pods(target)
        elif target.kind == "secret":
            yield Member(self._account(space, self.objects.secrets[space][target.name]))
        elif target.kind == "secrets":
            for namespace, account in self.objects.tokens_of:
                if space in (EVERYWHERE, namespace):
                    yield Member(self._account(namespace, account))
        else:
            yield from map(Member, self._others(target))

    def _account(self, space: str, name: str) -> ClusterIdentity:
        return ClusterIdentity(self.id, "ServiceAccount", name, space)

    def _accounts_in(self, space: str) -> Iterator[ClusterIdentity]:
        if space == EVERYWHERE:
            yield from self.accounts
            return
        for name in self.objects.accounts.get(space, ()):
            yield self._account(space, name)

    def _of_pods(self, target: WayTarget) -> Iterator[Member]:
        objects = self.objects
        pods = {
            "pod": objects.pods_named.get(target.name, ()),
            "pods": objects.pods if target.namespace == EVERYWHERE else objects.pods_in.get(target.namespace, ()),
            "node": objects.pods_on.get(target.name, ()),
            "nodes": objects.pods,
        }[target.kind]
        for pod in pods:
            if target.kind == "pod" and pod.namespace != target.namespace:
                continue
            if (pod.node or target.kind != "nodes") and (pod.api or pod.audiences):
                yield Member(self._account(pod.namespace, pod.account), pod.api, pod.audiences)

    def _others(self, target: WayTarget) -> Iterator[ClusterIdentity]:
        if target.kind == "user":
            yield ClusterIdentity(self.id, "User", target.name)
        elif target.kind == "users":
            yield from (identity for identity in map(self.access.of_user, self.access.users) if identity.kind == "User")
        elif target.kind == "group":
            yield ClusterIdentity(self.id, "Group", target.name)
        elif target.kind == "groups":
            yield from (ClusterIdentity(self.id, "Group", name) for name in {*self.access.groups, MASTERS})
        elif target.kind == "grant":
            yield ClusterIdentity(self.id, "Grant", target.name, "" if target.namespace == EVERYWHERE else target.namespace)
        elif target.kind == "grants":
            yield from (ClusterIdentity(self.id, "Grant", ADMIN_KEY.label, space) for space in self.objects.namespaces)

    def holding(self, account: ClusterIdentity) -> Iterator[tuple[WayTarget, frozenset[str] | None]]:
        """The targets that hold a service account, with the audiences of the tokens there, None where any can be had."""
        space, name = account.namespace, account.name
        yield WayTarget("account", space, name), None
        yield WayTarget("accounts", space), None
        yield WayTarget("accounts", EVERYWHERE), None
        merged: dict[WayTarget, frozenset[str]] = {}
        for pod in self.objects.pods_of.get((space, name), ()):
            targets = [WayTarget("pod", space, pod.name), WayTarget("pods", space), WayTarget("pods", EVERYWHERE)]
            if pod.node:
                targets += [WayTarget("node", "", pod.node), WayTarget("nodes", EVERYWHERE)]
            for target in targets:
                merged[target] = merged.get(target, frozenset()) | pod.audiences
        yield from merged.items()


_BUILT_IN = frozenset({ADMIN_KEY.name})
_COLLECTIONS = (
    *("service_accounts", "namespaces", "workloads", "config_maps", "webhook_configurations"),
    *("access_roles", "access_bindings", "access_entries", "associated_access", "auth_maps"),
)


def records_by_cluster(inventory: Inventory) -> Mapping[str, Mapping[str, list[Any]]]:
    """Cluster -> collection -> records, of what the ways of a cluster need; a cluster without any has empty collections."""
    table: defaultdict[str, dict[str, list[Any]]] = defaultdict(lambda: {name: [] for name in _COLLECTIONS})
    for name in _COLLECTIONS:
        for item in getattr(inventory, name):
            table[item.cluster][name].append(item)
    return table


def _spaces_of(collections: Mapping[str, list]) -> set[str]:  # type: ignore[type-arg]
    """Where no namespace is given, those of the objects that are."""
    names = ("service_accounts", "workloads", "access_roles", "access_bindings")
    return {item.namespace for name in names for item in collections[name]} - {""}
