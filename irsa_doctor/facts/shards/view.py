"""One shard seen as `View` sees a whole organisation: every table answers as it would over all shards together."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TypeVar

import msgspec

from irsa_doctor.facts.grants.principals import Principals
from irsa_doctor.facts.lookups.accounts import Accounts
from irsa_doctor.facts.lookups.audiences import AudienceLookups, RoleAudiences, audiences_of_roles
from irsa_doctor.facts.lookups.guardrails import Guards
from irsa_doctor.facts.lookups.lookups import arn_of, association_place
from irsa_doctor.facts.lookups.names import Names
from irsa_doctor.facts.lookups.users import RoleUser, RoleUsers
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.alike import AlikeRoles
from irsa_doctor.facts.roles.analyses import id_of
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.facts.shards.accounts import ShardAccounts
from irsa_doctor.facts.shards.inventory import ShardInventory
from irsa_doctor.facts.shards.providers import ShardPrincipals, providers_of_account
from irsa_doctor.facts.shards.rows import ANY_SUBJECT, SharedFacts, account_and_name, role_arns_named, trusted_issuer
from irsa_doctor.facts.shards.tables import LATEST_ACCOUNTS, LATEST_ROLES, Foreign, ForeignRecord, Latest, LookedUp, in_order
from irsa_doctor.model import (
    Cluster,
    Inventory,
    OidcProvider,
    PodIdentityAssociation,
    Role,
    ServiceAccount,
    Text,
    Workload,
    parse_arn,
)
from irsa_doctor.trust.guardrails import Guardrail
from irsa_doctor.trust.languages import Finite

_User = TypeVar("_User", ServiceAccount, Workload)
_AccountsByName = Mapping[tuple[str | Text, str | Text], tuple[PodIdentityAssociation, ...]]


class ShardView(View, frozen=True, dict=True):
    """The shard of an inventory, among all shards; `shared` is what each of them shares with all, the others' too."""

    shared: tuple[SharedFacts, ...] = ()

    @cached_property
    def foreign(self) -> Foreign:
        """The records of the other shards."""
        return Foreign(shard_of(self).index)

    def over(self, inventory: Inventory) -> "ShardView":
        """Another inventory of the shard, with what is declared of this one."""
        view: ShardView = msgspec.structs.replace(self, inventory=inventory)
        return view

    @property
    def own_clusters(self) -> Sequence[Cluster]:
        """The clusters of the shard."""
        return shard_of(self).own.clusters

    # ---- roles

    @cached_property
    def _analysed(self) -> dict[int, AnalysedRole]:
        return Latest(LATEST_ROLES)

    @cached_property
    def _alike(self) -> AlikeRoles:
        return AlikeRoles(self)

    def foreign_roles(self, table: str, *names: str) -> list[tuple[ForeignRecord, AnalysedRole]]:
        """Analysed roles of other shards under a key."""
        rows = []
        for each, role in self.foreign.find(Role, table, *names):
            analysed = self._analysed.get(each.id)
            if analysed is None:
                analysed = self._analysed[each.id] = self._within_limits(self._alike, role)
            rows.append((each, analysed))
        return rows

    @cached_property
    def role_by_arn(self) -> Mapping[str, AnalysedRole]:  # type: ignore[override] # the numbers of roles are those of a share
        """Analysed roles of all shards by ARN."""
        own = super().role_by_arn

        def of(arn: str) -> AnalysedRole | None:
            rows = () if arn in own else self.foreign_roles("role", *account_and_name(arn))
            return own.get(arn) or next((role for _, role in rows if role.role.arn == arn), None)

        return LookedUp(of, LATEST_ROLES)

    @cached_property
    def roles_by_name(self) -> Mapping[tuple[str, str], Sequence[Role]]:
        """Roles of all shards by (account, name in lower case)."""
        own = super().roles_by_name

        def of(key: tuple[str, str]) -> Sequence[Role] | None:
            rows = [row for row in self.foreign.find(Role, "role", *key) if _name_key(row[1]) == key]
            return tuple(in_order(own.get(key, ()), rows)) or None

        return LookedUp(of, LATEST_ROLES)

    @cached_property
    def arns_by_name(self) -> Mapping[str, tuple[str, ...]]:
        """Role ARNs of all accounts, by name in lower case."""
        own = super().arns_by_name

        def of(name: str) -> tuple[str, ...] | None:
            rows = self.foreign.find(Role, "name", name)
            arns = [role.arn for _, role in rows if role.name.lower() == name]
            return tuple(sorted([*own.get(name, ()), *arns])) or None

        return LookedUp(of)

    @cached_property
    def role_names(self) -> Mapping[str, Names]:
        """Role ARNs of all shards by account."""
        own = super().role_names

        def of(account: str) -> Names | None:
            mine = own.get(account)
            rows = [(each, arns) for each, (owner, arns) in self._name_blocks("names", account) if owner == account]
            arns = tuple(chain.from_iterable(in_order([mine.names] if mine else [], rows)))
            return Names(arns) if arns else None

        return LookedUp(of, LATEST_ACCOUNTS)

    def _name_blocks(self, table: str, *names: str) -> list[tuple[ForeignRecord, tuple[str, tuple[str, ...]]]]:
        return [(each, (str(block[0]), block[1])) for each, block in self.foreign.find(tuple, table, *names)]

    def foreign_arns(self, account: str) -> Iterable[str]:
        """The ARNs of the roles of other shards, of an account or ("") of all."""
        rows = self._name_blocks("names", account) if account else self._name_blocks("all-names")
        return chain.from_iterable(arns for _, (owner, arns) in rows if account in ("", owner))

    @cached_property
    def trusted_by_name(self) -> Mapping[tuple[str, str], Sequence[AnalysedRole]]:  # type: ignore[override]
        """(issuer, subject) -> roles of all shards that admit exactly this subject by name."""
        own = super().trusted_by_name

        def of(key: tuple[str, str]) -> tuple[AnalysedRole, ...] | None:
            issuer, subject = key
            mine = own.get(key)
            rows = self.foreign_roles("subject", issuer, subject)
            if computing := self._computing.get(issuer):
                rows = [*rows, *computing]
            if not rows:
                return tuple(mine) if mine else None
            foreign = {each.id: role for each, role in rows}.values()
            admitting = [role for role in foreign for _ in range(_times_admitted(role, issuer, subject))]
            return tuple(sorted([*(mine or ()), *admitting], key=id_of)) or None

        return LookedUp(of, LATEST_ROLES)

    @cached_property
    def _computing(self) -> Mapping[str, list[tuple[ForeignRecord, AnalysedRole]]]:
        """Issuer -> the roles of other shards of which no text says which subjects they name."""
        return LookedUp(lambda issuer: self.foreign_roles("subject", issuer, ANY_SUBJECT))

    def roles_of_issuer(self, issuer: str) -> Sequence[AnalysedRole]:
        """Roles of all shards that trust a provider of an issuer (without scheme)."""
        rows = self.foreign_roles("trusted-issuer", issuer)
        trusting = [role for _, role in rows if role.trusts(issuer)]
        return sorted([*super().roles_of_issuer(issuer), *trusting], key=id_of)

    # ---- service accounts

    @cached_property
    def accounts(self) -> Accounts:
        """Service accounts of all shards, by language."""
        return ShardAccounts(self.inventory)

    @cached_property
    def clusters_of_accounts(self) -> frozenset[str]:
        """The clusters of the service accounts of all shards."""
        return frozenset(cluster for each in self.shared for cluster in each.users_of)

    @cached_property
    def audiences(self) -> frozenset[str]:
        """Audiences that service accounts of all shards request by annotation."""
        return frozenset(value for each in self.shared for values in each.audiences.values() for value in values)

    @cached_property
    def _named_elsewhere(self) -> frozenset[str]:
        """ARNs of roles of this shard that service accounts and workloads of others may name."""
        return self.foreign.known("user", shard_of(self).own.role_by_arn)

    @cached_property
    def _foreign_users(self) -> Mapping[str, list[tuple[ForeignRecord, ServiceAccount | Workload]]]:
        """Role ARN -> the service accounts and workloads of other shards that name it."""

        def of(role: str) -> list[tuple[ForeignRecord, ServiceAccount | Workload]] | None:
            rows = self.foreign.find(object, "user", role)
            if not rows:
                return None
            users = [(each, user) for each, user in rows if isinstance(user, ServiceAccount | Workload)]
            return [row for row in users if role in role_arns_named(row[1])] or None

        return LookedUp(of)

    def users_of_account(self, account: str) -> Iterable[ServiceAccount | Workload]:
        """Those of all shards."""
        yield from super().users_of_account(account)
        yield from (
            user for _, user in self.foreign.find(object, "user-of", account) if isinstance(user, ServiceAccount | Workload)
        )

    def _users(self, kind: type[_User], own: Iterable[_User], role: str) -> list[_User]:
        """The service accounts or workloads of all shards that name a role."""
        mine = [user for user in own if role in role_arns_named(user)]
        foreign = self._foreign_users.get(role)
        return in_order(mine, [(each, user) for each, user in foreign if isinstance(user, kind)]) if foreign else mine

    @cached_property
    def _own_users(self) -> Mapping[str, tuple[list[ServiceAccount], list[Workload]]]:
        table: dict[str, tuple[list[ServiceAccount], list[Workload]]] = {}
        for account in self.inventory.service_accounts:
            for role in role_arns_named(account):
                table.setdefault(role, ([], []))[0].append(account)
        for workload in self.inventory.workloads:
            for role in dict.fromkeys(role_arns_named(workload)):
                table.setdefault(role, ([], []))[1].append(workload)
        return table

    @cached_property
    def naming(self) -> Mapping[str, tuple[str, ...]]:
        """Role ARN -> subjects of the service accounts of all shards that name it, sorted."""
        of_own, roles, named = super().naming, shard_of(self).own.role_by_arn, self._named_elsewhere

        def of(role: str) -> tuple[str, ...] | None:
            if (role in roles and role not in named) or role not in self._foreign_users:
                return of_own.get(role)
            own, _ = self._own_users.get(role, ([], []))
            return tuple(sorted({account.subject for account in self._users(ServiceAccount, own, role)})) or None

        return LookedUp(of)

    @cached_property
    def role_users(self) -> Mapping[str, tuple[RoleUser, ...]]:
        """Role ARN -> the service accounts of all shards that use it."""
        of_own = super().role_users

        def of(role: str) -> tuple[RoleUser, ...] | None:
            if role not in self._foreign_users:
                return of_own.get(role)
            accounts, workloads = self._own_users.get(role, ([], []))
            users = self._users(ServiceAccount, accounts, role), self._users(Workload, workloads, role)
            return RoleUsers(self, *users).get(role)

        return LookedUp(of)

    # ---- providers

    @cached_property
    def principals(self) -> Principals:
        """Federated principals, classified."""
        return ShardPrincipals(self.inventory, {})

    @cached_property
    def providers_by_issuer(self) -> Mapping[str, tuple[OidcProvider, ...]]:
        """Issuer without scheme -> the OIDC providers that accounts of all shards have for it."""
        own = super().providers_by_issuer

        def of(issuer: str) -> tuple[OidcProvider, ...] | None:
            foreign = [each for _, each in self.foreign.find(OidcProvider, "issuer", issuer) if each.issuer == issuer]
            return tuple(sorted([*own.get(issuer, ()), *foreign], key=arn_of)) or None

        return LookedUp(of)

    @cached_property
    def provider_names(self) -> Mapping[str, Names]:
        """ARNs of the OIDC providers of all shards, by account."""

        def of(account: str) -> Names | None:
            arns = tuple([provider.arn for provider in providers_of_account(shard_of(self), account)])
            return Names(arns) if arns else None

        return LookedUp(of, LATEST_ACCOUNTS)

    @cached_property
    def audience_lookups(self) -> AudienceLookups:
        """The audiences that roles and service accounts of all shards require."""
        return _ShardAudiences(self, self.roles)

    @cached_property
    def guards(self) -> Guards:
        """Resource control policies."""
        return _ShardGuards(self)

    # ---- associations

    @cached_property
    def associations_of_role(self) -> Mapping[str, tuple[PodIdentityAssociation, ...]]:
        """ARN of a role -> the Pod Identity associations of all shards that hand it out."""
        own = super().associations_of_role
        if not shard_of(self).associated:
            return own

        def of(role: str) -> tuple[PodIdentityAssociation, ...] | None:
            foreign = [each for _, each in self.foreign.find(PodIdentityAssociation, "role-association", role)]
            foreign = [each for each in foreign if each.role_arn == role]
            return tuple(sorted([*own.get(role, ()), *foreign], key=association_place)) or None

        return LookedUp(of)

    @cached_property
    def associations_of_target(self) -> Mapping[str, tuple[PodIdentityAssociation, ...]]:
        """ARN of a role -> the Pod Identity associations of all shards that have it for their target role."""
        own = super().associations_of_target
        if not shard_of(self).associated:
            return own

        def of(role: str) -> tuple[PodIdentityAssociation, ...] | None:
            foreign = [each for _, each in self.foreign.find(PodIdentityAssociation, "target-association", role)]
            foreign = [each for each in foreign if each.target_role_arn == role]
            return tuple(sorted([*own.get(role, ()), *foreign], key=association_place)) or None

        return LookedUp(of)

    @cached_property
    def associations_by_account(self) -> _AccountsByName:
        """(namespace, service account) -> its Pod Identity associations in the clusters of all shards."""
        own = super().associations_by_account
        if not shard_of(self).associated:
            return own

        def of(key: tuple[str | Text, str | Text]) -> tuple[PodIdentityAssociation, ...] | None:
            names = [name for name in key if isinstance(name, str)]
            rows = self.foreign.find(PodIdentityAssociation, "association-name", *names) if len(names) == len(key) else []
            foreign = [each for _, each in rows if (each.namespace, each.service_account) == key]
            return tuple(sorted([*own.get(key, ()), *foreign], key=association_place)) or None

        return LookedUp(of)


def shard_of(view: View) -> ShardInventory:
    """The inventory of the view of a shard."""
    inventory = view.inventory
    if not isinstance(inventory, ShardInventory):
        raise TypeError("the view of a shard needs its inventory")
    return inventory


def _name_key(role: Role) -> tuple[str, str]:
    return role.account, role.name.lower()


def _times_admitted(role: AnalysedRole, issuer: str, subject: str) -> int:
    """For how many of its providers of an issuer a role admits a subject by name."""
    languages = [admits.subjects for arn, admits in role.by_provider.items() if (p := parse_arn(arn)) and p.name == issuer]
    return sum(isinstance(language, Finite) and subject in language.values for language in languages)


class _ShardAudiences(AudienceLookups, frozen=True, dict=True):
    """What the roles and service accounts of all shards say of audiences."""

    @cached_property
    def _of_roles(self) -> Mapping[str, RoleAudiences]:
        view = self.lookups

        def of(provider: str) -> RoleAudiences | None:
            foreign = view.foreign_roles("trusted-issuer", trusted_issuer(provider)) if isinstance(view, ShardView) else []
            own = [role for role in self.roles if provider in role.by_provider]
            return audiences_of_roles([*own, *(role for _, role in foreign)]).get(provider)

        return LookedUp(of)

    @cached_property
    def _of_clusters(self) -> Mapping[str, frozenset[str]]:
        shared = self.lookups.shared if isinstance(self.lookups, ShardView) else ()
        return {cluster: frozenset(values) for each in shared for cluster, values in each.requested.items()}


class _ShardGuards(Guards, frozen=True, dict=True):
    """Resource control policies, which concern the roles of all shards."""

    def _covers_any(self, rail: Guardrail, account: str) -> bool:
        if super()._covers_any(rail, account):
            return True
        view = self.lookups
        return isinstance(view, ShardView) and any(map(rail.covers_role, view.foreign_arns(account)))
