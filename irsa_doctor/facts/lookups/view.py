"""An inventory with its trust policies analysed, and the look-ups over roles that facts share."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from irsa_doctor.facts.lookups.audiences import AudienceLookups
from irsa_doctor.facts.lookups.guardrails import Guards
from irsa_doctor.facts.lookups.installations import Installations
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.lookups.names import Names
from irsa_doctor.facts.lookups.users import RoleUser, RoleUsers, users_by_reference
from irsa_doctor.facts.lookups.workloads import WorkloadLookups
from irsa_doctor.facts.providers.publications import Publications
from irsa_doctor.facts.roles.alike import AlikeRoles
from irsa_doctor.facts.roles.analyses import AnalysedRoles, RoleByKey, RolesByKey, TrustedByName, id_of
from irsa_doctor.facts.roles.mentions import Mentions, mentions
from irsa_doctor.facts.roles.role import AnalysedRole, planned_arn
from irsa_doctor.model import Inventory, Role, ServiceAccount, Text, Unknown, Workload
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.limits import reached

if TYPE_CHECKING:
    from irsa_doctor.facts.clouds.lookup import CloudLookups
    from irsa_doctor.facts.service_accounts.records import ServiceAccountFacts


class View(Lookups, frozen=True, dict=True):
    """One inventory, seen through `trust`."""

    def over(self, inventory: Inventory) -> "View":
        """Another inventory, with what is declared of this one."""
        declared = (self.expected, self.owner, self.issuers, self.expected_access, self.standards, self.standards_context)
        return View(inventory, *declared)

    @cached_property
    def workload_lookups(self) -> WorkloadLookups:
        """What belongs to a workload."""
        return WorkloadLookups(self)

    @cached_property
    def clouds(self) -> "CloudLookups":
        """Identities of Azure and Google Cloud."""
        from irsa_doctor.facts.clouds.lookup import CloudLookups

        return CloudLookups(self, self.workload_lookups)

    @cached_property
    def uses_clouds(self) -> bool:
        """Whether a service account or a workload names an identity of Azure or Google Cloud."""
        accounts, workloads = self.inventory.service_accounts, self.inventory.workloads
        names = {name for account in accounts for name in account.annotations}
        names |= {name for workload in workloads for name in (*workload.annotations, *workload.labels)}
        return any("azure.workload.identity" in name or "gke.io" in name or name == "aadpodidbinding" for name in names)

    @cached_property
    def installations(self) -> Installations:
        """What clusters have installed."""
        return Installations(self)

    @cached_property
    def publications(self) -> Publications:
        """What issuers publish."""
        return Publications(self.inventory)

    @cached_property
    def guards(self) -> Guards:
        """Resource control policies."""
        return Guards(self)

    @cached_property
    def audience_lookups(self) -> AudienceLookups:
        """The audiences that roles and service accounts require."""
        return AudienceLookups(self, self.roles)

    @cached_property
    def roles(self) -> Sequence[AnalysedRole]:
        """Every role, analysed when it is first looked at."""
        alike = AlikeRoles(self)
        return AnalysedRoles(self.inventory.roles, lambda role: self._within_limits(alike, role))

    @cached_property
    def mentions(self) -> Mentions:
        """The service accounts that trust policies write out."""
        return mentions(self.inventory.roles)

    @cached_property
    def unjudged(self) -> dict[str, str]:
        """Documents with roles that were not analysed before the run reached a limit, and that limit in words."""
        return {}

    @cached_property
    def corrections(self) -> dict[Any, Any]:
        """Corrections of policies by all that they depend on, for `remedies`; filled as they are proved. Views of one run may
        have them in common."""
        return {}

    @cached_property
    def facts_of_ordinary(self) -> "dict[tuple[str, str, bool], ServiceAccountFacts]":
        """The facts of ordinary service accounts by cluster id, partition of the role, and whether their role may do
        everything; filled as they are judged."""
        return {}

    def _within_limits(self, alike: AlikeRoles, role: Role) -> AnalysedRole:
        limit = reached()
        if not limit:
            try:
                return alike.analysed(role)
            except Exception as error:
                error.add_note(role.place.document)
                raise
        self.unjudged[role.place.document] = limit
        unseen = Unknown(f"who may assume {role.name}: {limit}", "")
        return alike.analysed(msgspec.structs.replace(role, policy=unseen))

    def prepare(self) -> None:
        """Make the tables by which several processes share the subjects, before there are copies of them."""
        for table in (self.mentions, self.role_by_arn):
            del table

    @cached_property
    def role_by_arn(self) -> RoleByKey[str]:
        """Roles by ARN; also roles of templates by the ARN that they will have, where nothing else has it."""
        planned = {arn: numbers[0] for arn, numbers in self._planned_numbers.items() if len(numbers) == 1}
        known = {role.arn: number for number, role in enumerate(self.inventory.roles) if role.arn}
        return RoleByKey(self.roles, planned | known)

    @cached_property
    def _planned_numbers(self) -> Mapping[str, Sequence[int]]:
        planned: dict[str, list[int]] = {}
        for number, role in enumerate(self.inventory.roles):
            if role.planned and not role.arn and (arn := planned_arn(self.roles[number])):
                planned.setdefault(arn, []).append(number)
        return planned

    @cached_property
    def _planned(self) -> Mapping[str, Sequence[AnalysedRole]]:
        """Roles of templates by the ARN that they will have."""
        return RolesByKey(self.roles, self._planned_numbers)

    def users_of_account(self, account: str) -> Iterable[ServiceAccount | Workload]:
        """The service accounts and workloads that may name a role of an account, and others."""
        yield from self.inventory.service_accounts
        yield from self.inventory.workloads

    def cases_by_arn(self, arn: str) -> Sequence[AnalysedRole]:
        """The role of an ARN, in every case in which its template makes it; none where it is not in the input."""
        if analysed := self.role_by_arn.get(arn):
            return (analysed,)
        planned = self._planned.get(arn, ())
        return planned if len({analysed.role.id for analysed in planned}) == 1 else ()

    def stated_by_arn(self, arn: str) -> Sequence[Sequence[AnalysedRole]]:
        """The role of an ARN, in every case, as an account has it and as a template makes it: these may differ."""
        if arn not in self._planned_numbers:
            return [self.cases_by_arn(arn)]
        known, planned = self.cases_by_arn(arn), self._planned.get(arn, ())
        is_one = len({analysed.role.id for analysed in planned}) == 1
        return [known, planned] if known and is_one and known[0] not in planned else [known]

    @cached_property
    def role_users(self) -> Mapping[str, tuple[RoleUser, ...]]:
        """Role ARN -> the service accounts that use it."""
        return RoleUsers(self, self.inventory.service_accounts, self.inventory.workloads)

    @cached_property
    def users_by_reference(self) -> Mapping[tuple[str, str], tuple[RoleUser, ...]]:
        """(folder, reference) -> the service accounts of a template that name a role of it by the reference."""
        return users_by_reference(self, self.inventory.service_accounts)

    @cached_property
    def role_by_id(self) -> Mapping[str, AnalysedRole]:
        """Roles by the id under which findings name them, without those that exist in several cases."""
        return RoleByKey(self.roles, {ident: cases[0] for ident, cases in self._numbers_by_id.items() if len(cases) == 1})

    @cached_property
    def cases_by_id(self) -> Mapping[str, Sequence[AnalysedRole]]:
        """Roles by their ids, each in every case in which its template makes it."""
        return RolesByKey(self.roles, self._numbers_by_id)

    @cached_property
    def _numbers_by_id(self) -> Mapping[str, Sequence[int]]:
        table: dict[str, list[int]] = {}
        for number, role in enumerate(self.inventory.roles):
            table.setdefault(role.id, []).append(number)
        return table

    def cases_of_template(self, account: ServiceAccount) -> Sequence[AnalysedRole]:
        """The role that a template makes and whose ARN it puts into the annotation of a service account, in every case."""
        named = account.annotations.get(ROLE_ARN)
        made = self.template_roles.of(named, account.place) if isinstance(named, Text) and account.template else None
        return self.cases_by_id.get(made.id, ()) if made else ()

    @cached_property
    def roles_by_name(self) -> Mapping[tuple[str, str], Sequence[Role]]:
        """By (account, name in lower case): names are unique in an account whatever their case and path."""
        table: dict[tuple[str, str], list[Role]] = {}
        for role in self.inventory.roles:
            if role.arn:
                table.setdefault((role.account, role.name.lower()), []).append(role)
        return table

    @cached_property
    def arns_by_name(self) -> Mapping[str, Sequence[str]]:
        """Role ARNs of all accounts, by name in lower case."""
        table: dict[str, list[str]] = {}
        for role in self.inventory.roles:
            if role.arn:
                table.setdefault(role.name.lower(), []).append(role.arn)
        return {name: sorted(arns) for name, arns in table.items()}

    @cached_property
    def role_names(self) -> Mapping[str, Names]:
        """Role ARNs by account."""
        table: dict[str, list[str]] = {}
        for role in self.inventory.roles:
            if role.arn:
                table.setdefault(role.account, []).append(role.arn)
        return {account: Names(tuple(arns)) for account, arns in table.items()}

    @cached_property
    def trusted_by_name(self) -> TrustedByName:
        """(issuer, subject) -> roles that admit exactly this subject by name."""
        return TrustedByName(self.roles, self.mentions)

    def roles_of_issuer(self, issuer: str) -> Sequence[AnalysedRole]:
        """Roles that trust a provider of an issuer (without scheme)."""
        return sorted([role for role in self.roles if role.trusts(issuer)], key=id_of)

    @cached_property
    def roles_by_principal(self) -> Mapping[str, tuple[AnalysedRole, ...]]:
        """ARN of a role, or of the root of an account -> the roles that have a statement with Allow for it."""
        table: dict[str, dict[str, AnalysedRole]] = {}
        for analysed in self.roles:
            policy = analysed.policy
            for statement in policy.statements if policy and not policy.refused else ():
                for principal in statement.aws if statement.allow else ():
                    if isinstance(principal, str):
                        table.setdefault(principal, {}).setdefault(analysed.role.id, analysed)
        return {principal: tuple(roles.values()) for principal, roles in table.items()}
