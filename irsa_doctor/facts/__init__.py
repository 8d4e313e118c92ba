"""What is true of one subject: one frozen record a subject kind; its fields are the vocabulary of the rules."""

from collections.abc import Iterator
from functools import partial

from irsa_doctor.facts.grants.grant import GrantFacts
from irsa_doctor.facts.inputs.documents import DocumentFacts, document_facts
from irsa_doctor.facts.inputs.settings import SettingsFacts
from irsa_doctor.facts.inputs.waivers import WaiverFacts
from irsa_doctor.facts.lookups.names import did_you_mean
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.providers.planned import planned_provider_facts
from irsa_doctor.facts.providers.provider import ClusterFacts, ProviderFacts, cluster_facts, provider_facts
from irsa_doctor.facts.roles.role import AnalysedRole, RoleFacts
from irsa_doctor.facts.roles.unbounded import GateFacts, Unbounded, unbounded
from irsa_doctor.facts.service_accounts.association import association_facts
from irsa_doctor.facts.service_accounts.binding import BindingFacts, binding_facts
from irsa_doctor.facts.service_accounts.service_account import (
    ServiceAccountFacts,
    account_template_facts,
    service_account_facts,
)
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.workloads.workload import WorkloadFacts, workload_facts

__all__ = [
    "AnalysedRole",
    "BindingFacts",
    "ClusterFacts",
    "DocumentFacts",
    "Evidence",
    "GateFacts",
    "GrantFacts",
    "Judged",
    "ProviderFacts",
    "RoleFacts",
    "ServiceAccountFacts",
    "SettingsFacts",
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
    "workload_facts",
]


def derive(view: View) -> Iterator[Judged]:
    """Every subject of an inventory with its facts, in order of reading, one at a time: there may be a million of them."""
    for role in view.roles:
        yield from role.grants
        yield role.judged
    for account in view.inventory.service_accounts:
        yield service_account_facts(view, account)
        if binding := binding_facts(view, account):
            yield binding
    for account in view.inventory.account_templates:
        yield account_template_facts(view, account)
    yield from filter(None, map(partial(association_facts, view), view.inventory.associations))
    for provider in view.inventory.providers:
        yield provider_facts(view, provider)
    for planned in view.inventory.planned_providers:
        yield planned_provider_facts(view, planned)
    for cluster in view.inventory.clusters:
        yield cluster_facts(view, cluster)
    yield from workload_facts(view)
    for document in view.inventory.documents:
        yield document_facts(view, document)
