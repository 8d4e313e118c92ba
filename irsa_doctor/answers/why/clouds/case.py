"""One credential of Azure or Google Cloud to be diagnosed: its identity, and what the rules report of everything on its way."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

from irsa_doctor.answers.why.case import Case
from irsa_doctor.facts import Judged
from irsa_doctor.facts.clouds.azure import AzureBinding, azure_identity_facts, binding_of_azure, credential_facts
from irsa_doctor.facts.clouds.azure_workloads import aks_cluster_facts, azure_workload_facts
from irsa_doctor.facts.clouds.google import (
    GoogleBinding,
    binding_of_google,
    gke_cluster_facts,
    google_workload_facts,
    member_facts,
)
from irsa_doctor.model import CloudCluster, text_of


class CloudCase(Case, frozen=True, kw_only=True, dict=True):
    """A case whose credential is of Azure or Google Cloud."""

    cloud: Literal["azure", "google"]

    @cached_property
    def cloud_cluster(self) -> CloudCluster | None:
        """What AKS or GKE has of the cluster."""
        return self.view.clouds.cluster_of(self.cluster_id)

    @cached_property
    def azure(self) -> AzureBinding | None:
        """The service account with its identity of Azure."""
        return AzureBinding(self.view.clouds, self.account) if self.account and self.cloud == "azure" else None

    @cached_property
    def google(self) -> GoogleBinding | None:
        """The service account with that of Google Cloud."""
        return GoogleBinding(self.view.clouds, self.account) if self.account and self.cloud == "google" else None

    @property
    def identity(self) -> str:
        """The client id or the address that the service account names, "" where it names none."""
        if self.azure:
            return text_of(self.azure.client_id)
        return text_of(self.google.email) if self.google else ""

    @property
    def cloud_names(self) -> Mapping[str, str]:
        """What commands of Azure and Google Cloud name, by placeholder."""
        found = self.azure.identity if self.azure else None
        return {
            "identity": found.name if found else "",
            "identity_group": _group_of(found.id) if found else "",
            "client_id": self.identity if self.azure else "",
            "email": self.identity if self.google else "",
            "cluster_group": _group_of(self.cluster_id),
        }

    def _judged(self) -> Iterable[Judged]:
        return filter(None, self._of_azure() if self.cloud == "azure" else self._of_google())

    def _of_azure(self) -> Iterator[Judged | None]:
        lookups = self.view.clouds
        if self.azure:
            yield binding_of_azure(lookups, self.azure.account)
            yield from (credential_facts(lookups, credential) for credential in self.azure.credentials)
            if self.azure.identity:
                yield azure_identity_facts(lookups, self.azure.identity)
        yield from (azure_workload_facts(lookups, workload) for workload in self.workloads)
        if self.cloud_cluster:
            yield aks_cluster_facts(lookups, self.cloud_cluster)

    def _of_google(self) -> Iterator[Judged | None]:
        lookups = self.view.clouds
        if self.google:
            yield binding_of_google(lookups, self.google.account)
            match, member, binding = self.google.nearest()
            if binding is not None and match in ("malformed", "project-id"):
                yield member_facts(lookups, binding, member)
        yield from (google_workload_facts(lookups, workload) for workload in self.workloads)
        if self.cloud_cluster:
            yield gke_cluster_facts(lookups, self.cloud_cluster)


def _group_of(resource: str) -> str:
    """The resource group in the id of a resource of Azure, "" where it has none."""
    parts = resource.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""
