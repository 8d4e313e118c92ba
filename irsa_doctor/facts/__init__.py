"""What is true of one subject: one frozen record a subject kind; its fields are the vocabulary of the rules."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from irsa_doctor.facts.clouds.records import (
    AksClusterFacts,
    AzureBindingFacts,
    AzureIdentityFacts,
    AzureWorkloadFacts,
    CredentialFacts,
    GkeClusterFacts,
    GoogleBindingFacts,
    GoogleWorkloadFacts,
    PolicyMemberFacts,
    PoolProviderFacts,
)
from irsa_doctor.facts.grants.grant import GrantFacts
from irsa_doctor.facts.inputs.documents import DocumentFacts, document_facts
from irsa_doctor.facts.inputs.settings import SettingsFacts
from irsa_doctor.facts.inputs.waivers import WaiverFacts
from irsa_doctor.facts.lifetimes.records import StandardFacts
from irsa_doctor.facts.lookups.names import did_you_mean
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.providers.planned import planned_provider_facts
from irsa_doctor.facts.providers.provider import ClusterFacts, ProviderFacts, cluster_facts, provider_facts
from irsa_doctor.facts.reach.records import AuthMapFacts, IdentityFacts, ReachedRoleFacts
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.facts.roles.role_facts import RoleFacts
from irsa_doctor.facts.roles.unbounded import GateFacts, Unbounded, unbounded
from irsa_doctor.facts.service_accounts.association import association_facts
from irsa_doctor.facts.service_accounts.binding import BindingFacts, binding_facts, requested_bindings
from irsa_doctor.facts.service_accounts.records import ServiceAccountFacts
from irsa_doctor.facts.service_accounts.service_account import account_template_facts, service_account_facts
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.workloads.records import WorkloadFacts
from irsa_doctor.model import ServiceAccount, text_of
from irsa_doctor.model.annotations import ROLE_ARN


class Share(msgspec.Struct, frozen=True):
    """One of several shares of the roles and service accounts of an inventory, counted from 0.

    Roles stay with their neighbours, for those of one account are alike, and what is worked out of one of them is not worked
    out of the others; a service account is where the role is that it names, or that names it.
    """

    number: int
    shares: int

    def roles(self, view: View) -> Sequence[AnalysedRole]:
        """Its roles, in order of reading."""
        begins = [*self._roles_begin(view), len(view.roles)]
        return view.roles[begins[self.number] : begins[self.number + 1]]

    def accounts(self, view: View) -> Sequence[ServiceAccount]:
        """Its service accounts, in order of reading."""
        accounts = view.inventory.service_accounts
        if self.shares == 1:
            return accounts
        of_roles, of_accounts = self._roles_begin(view), self._begins(len(accounts))
        by_arn, mentioning = view.role_by_arn.numbers, view.mentions.by_subject

        def share_of(number: int, account: ServiceAccount) -> int:
            role = by_arn.get(text_of(account.annotations.get(ROLE_ARN, "")))
            first = mentioning.get(account.subject, ()) if role is None else (role,)
            return bisect_right(of_roles, first[0]) - 1 if first else bisect_right(of_accounts, number) - 1

        return [account for number, account in enumerate(accounts) if share_of(number, account) == self.number]

    def _roles_begin(self, view: View) -> list[int]:
        """Where each share of the roles begins: where an account does, if there is one close by."""
        roles = view.inventory.roles
        room = int(len(roles) * _ROOM / self.shares)

        def nearest(begin: int) -> int:
            near = range(max(begin - room, 1), min(begin + room, len(roles)))
            return min(
                (n for n in near if roles[n].account != roles[n - 1].account), key=lambda n: abs(n - begin), default=begin
            )

        return [nearest(begin) if begin else 0 for begin in self._begins(len(roles))]

    def _begins(self, length: int) -> list[int]:
        """Where each share of a list begins: earlier ones are larger, for the others have to hand over what they find."""
        return [
            int(length * share / self.shares * (1 + _LEAD * (self.shares - share) / self.shares))
            for share in range(self.shares)
        ]


_LEAD = 0.08
"""how much larger the first of many shares is"""
_ROOM = 0.1
"""of a share that it may be larger or smaller, so that the roles of an account stay together"""


UNDIVIDED = Share(0, 1)

__all__ = [
    "UNDIVIDED",
    "AksClusterFacts",
    "AnalysedRole",
    "AuthMapFacts",
    "AzureBindingFacts",
    "AzureIdentityFacts",
    "AzureWorkloadFacts",
    "BindingFacts",
    "ClusterFacts",
    "CredentialFacts",
    "DocumentFacts",
    "Evidence",
    "GateFacts",
    "GkeClusterFacts",
    "GoogleBindingFacts",
    "GoogleWorkloadFacts",
    "GrantFacts",
    "IdentityFacts",
    "Judged",
    "PolicyMemberFacts",
    "PoolProviderFacts",
    "ProviderFacts",
    "ReachedRoleFacts",
    "RoleFacts",
    "ServiceAccountFacts",
    "SettingsFacts",
    "Share",
    "StandardFacts",
    "Unbounded",
    "View",
    "WaiverFacts",
    "WorkloadFacts",
    "binding_facts",
    "cluster_facts",
    "derive",
    "did_you_mean",
    "planned_provider_facts",
    "provider_facts",
    "service_account_facts",
    "unbounded",
]


def derive(view: View, share: Share = UNDIVIDED) -> Iterator[Judged]:
    """Every subject of an inventory with its facts, in order of reading, one at a time: there may be a million of them.

    Of a `share` the first has all that are neither roles nor service accounts.
    """
    for role in share.roles(view):
        yield from role.grants
        yield role.judged
        if view.standards.are_set:
            yield from _standard_of_role(view, role)
    for account in share.accounts(view):
        yield service_account_facts(view, account)
        if binding := binding_facts(view, account):
            yield binding
        yield from requested_bindings(view, account)
    if share.number == 0:
        yield from _neither_roles_nor_accounts(view)


def _neither_roles_nor_accounts(view: View) -> Iterator[Judged]:
    for account in view.inventory.account_templates:
        yield account_template_facts(view, account)
    yield from filter(None, map(partial(association_facts, view), view.inventory.associations))
    for provider in view.inventory.providers:
        yield provider_facts(view, provider)
    for planned in view.inventory.planned_providers:
        yield planned_provider_facts(view, planned)
    for cluster in view.own_clusters:
        yield cluster_facts(view, cluster)
    if view.inventory.workloads:
        yield from _of_workloads(view)
    if view.inventory.has_access:
        yield from _of_access(view)
    if view.standards.are_set:
        yield from _of_standards(view)
    if not view.inventory.clouds.is_empty or view.uses_clouds:
        yield from _of_clouds(view)
    for document in view.inventory.documents:
        yield document_facts(view, document)


def _standard_of_role(view: View, analysed: AnalysedRole) -> Iterator[Judged]:
    """A role by the standards of the project; what is about these is imported where some are set."""
    from irsa_doctor.facts.lifetimes.standard import is_of_web_identities, role_standard

    if is_of_web_identities(analysed):
        yield role_standard(view, analysed)


def _of_standards(view: View) -> Iterator[Judged]:
    """All others by these."""
    from irsa_doctor.facts.lifetimes.standard import standard_facts

    yield from standard_facts(view)


def _of_workloads(view: View) -> Iterator[Judged]:
    """The workloads; what is about them is imported where the input has some."""
    from irsa_doctor.facts.workloads.workload import workload_facts

    yield from workload_facts(view)


def _of_access(view: View) -> Iterator[Judged]:
    """Who reaches roles through Kubernetes; what is about it is imported where the input has objects of access control."""
    from irsa_doctor.facts.reach.reached import reach_facts

    yield from reach_facts(view)


def _of_clouds(view: View) -> Iterator[Judged]:
    """The subjects of Azure and Google Cloud; what is about them is imported where the input has some."""
    from irsa_doctor.facts.clouds.azure import azure_facts
    from irsa_doctor.facts.clouds.google import google_facts
    from irsa_doctor.facts.clouds.pools import pool_facts

    yield from azure_facts(view.clouds)
    yield from google_facts(view.clouds)
    yield from pool_facts(view.clouds)
