"""What a cluster has installed: the pod identity webhook, and accounts and pods that need it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.agents import Agents
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.workloads.webhook import FILE_VARIABLE, ROLE_VARIABLE, VOLUME, names_a_role
from irsa_doctor.model import Inventory, Unknown, Webhook

WebhookState = Literal["not-needed", "there", "altered", "missing"]
# as EKS and the webhook's own manifests call it
_CONFIGURATION = "pod-identity-webhook"
_HOOKS = ("iam-for-pods.amazonaws.com", "pod-identity-webhook.amazonaws.com")
_WEBHOOKS_HOW = ("kubectl get mutatingwebhookconfigurations -o yaml", "--complete mutatingwebhookconfigurations")


class Installations(msgspec.Struct, frozen=True, dict=True):
    """The tables of one inventory, by cluster."""

    lookups: Lookups

    @property
    def inventory(self) -> Inventory:
        """The inventory."""
        return self.lookups.inventory

    @cached_property
    def with_roles(self) -> frozenset[str]:
        """Clusters in which a service account names a role."""
        return frozenset(a.cluster for a in self.inventory.service_accounts if a.annotations and names_a_role(a))

    @cached_property
    def _webhooks(self) -> Mapping[str, list[Webhook]]:
        table: dict[str, list[Webhook]] = {}
        for hook in self.inventory.webhooks:
            if hook.configuration == _CONFIGURATION or hook.name in _HOOKS:
                table.setdefault(hook.cluster, []).append(hook)
        return table

    @cached_property
    def _mutated(self) -> frozenset[str]:
        """Clusters in which a Pod was set up by the webhook."""
        return frozenset(
            workload.cluster
            for workload in self.inventory.workloads
            if workload.admitted
            and VOLUME in workload.volumes
            and any(ROLE_VARIABLE in container.env and FILE_VARIABLE in container.env for container in workload.containers)
        )

    def webhooks_of(self, cluster: str) -> list[Webhook]:
        """The pod identity webhooks of a cluster."""
        return self._webhooks.get(cluster, [])

    def webhook(self, cluster: str) -> WebhookState | Unknown:
        """Whether the pod identity webhook acts on new pods of a cluster."""
        if cluster not in self.with_roles:
            return "not-needed"
        if known := self.webhooks_of(cluster):
            return "there" if any(hook.on_pod_create for hook in known) else "altered"
        if self.inventory.closed.has_kind(cluster, "mutatingwebhookconfigurations"):
            return "missing"
        if cluster in self._mutated:
            return "there"
        missing = f"mutating webhook configurations of {self.lookups.name_of(cluster)}"
        return self.inventory.unknown("mutatingwebhookconfigurations", cluster, "", missing, *_WEBHOOKS_HOW)

    def selects_namespaces(self, cluster: str) -> bool:
        """Whether the webhook acts in some namespaces only."""
        known = [hook for hook in self.webhooks_of(cluster) if hook.on_pod_create]
        return bool(known) and all(hook.selects_namespaces for hook in known)

    def honours_opt_out(self, cluster: str) -> bool:
        """Whether the webhook ignores pods with its opt-out label; it does unless its configuration has another selector."""
        known = self.webhooks_of(cluster)
        return not known or any(hook.honours_opt_out for hook in known)

    def fails_silently(self, cluster: str) -> bool:
        """Whether the webhook is the cluster's own service, and pods start without it while it is down."""
        return any(hook.in_cluster and hook.failure_policy == "Ignore" for hook in self.webhooks_of(cluster))

    @cached_property
    def agents(self) -> Agents:
        """The agents of EKS Pod Identity."""
        return Agents(self.lookups)
