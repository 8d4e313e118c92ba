"""What is true of one subject: one frozen record a subject kind; its fields are the vocabulary of the rules."""

from irsa_doctor.facts.bindings import BindingFacts, ServiceAccountFacts, binding_facts, service_account_facts
from irsa_doctor.facts.documents import DocumentFacts, document_facts
from irsa_doctor.facts.grants import GrantFacts
from irsa_doctor.facts.near import did_you_mean
from irsa_doctor.facts.providers import ClusterFacts, ProviderFacts, cluster_facts, provider_facts
from irsa_doctor.facts.roles import AnalysedRole, RoleFacts
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.view import View
from irsa_doctor.facts.waivers import WaiverFacts
from irsa_doctor.facts.workloads import WorkloadFacts, workload_facts

__all__ = [
    "AnalysedRole",
    "BindingFacts",
    "ClusterFacts",
    "DocumentFacts",
    "Evidence",
    "GrantFacts",
    "Judged",
    "ProviderFacts",
    "RoleFacts",
    "ServiceAccountFacts",
    "View",
    "WaiverFacts",
    "WorkloadFacts",
    "binding_facts",
    "cluster_facts",
    "derive",
    "did_you_mean",
    "provider_facts",
    "service_account_facts",
    "workload_facts",
]


def derive(view: View) -> list[Judged]:
    """Every subject of an inventory with its facts, in order of reading."""
    subjects = [judged for role in view.roles for judged in (*role.grants, role.judged)]
    for account in view.inventory.service_accounts:
        subjects.append(service_account_facts(view, account))
        if binding := binding_facts(view, account):
            subjects.append(binding)
    subjects += [provider_facts(view, provider) for provider in view.inventory.providers]
    subjects += [cluster_facts(view, cluster) for cluster in view.inventory.clusters]
    subjects += workload_facts(view)
    subjects += [document_facts(view, document) for document in view.inventory.documents]
    return subjects
