"""The agent of EKS Pod Identity: whether it runs where a workload does, whether pods reach it, and what its node may do.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.model import Cluster, ClusterAddon, EgressPolicy, NodeRole, Role, Unknown, Workload, text_of
from irsa_doctor.trust.identity import PermissionRequest, permission_answer, read_permissions

AgentState = Literal["not-needed", "there", "degraded", "missing"]
AGENT = "eks-pod-identity-agent"
# daemon sets of hybrid nodes begin with this; the first one leaves these nodes out
# (https://docs.aws.amazon.com/eks/latest/userguide/hybrid-nodes-add-ons.html#hybrid-nodes-add-ons-pod-id)
_HYBRID_AGENT = "eks-pod-identity-agent-hybrid"
_DAEMONSETS_HOW = ("kubectl get daemonsets -A -o yaml", "--complete daemonsets")
_BROKEN = frozenset({"CREATE_FAILED", "DEGRADED", "DELETING"})
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_Addon.html"""
PERMISSION = "eks-auth:AssumeRoleForPodIdentity"
# https://docs.aws.amazon.com/eks/latest/userguide/security-iam-awsmanpol.html
_MANAGED = (":iam::aws:policy/AmazonEKSWorkerNodePolicy", ":iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy")


class NodePermission(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a role of nodes may call EKS for the agent; `of_node`: it is certainly that of the workload's node."""

    state: Literal["granted", "denied", "lacking"] | Unknown
    role: NodeRole
    of_node: bool = False


class Agents(msgspec.Struct, frozen=True, dict=True):
    """The tables of one inventory, by cluster."""

    lookups: Lookups

    @cached_property
    def _associated(self) -> frozenset[str]:
        return frozenset(text_of(association.cluster) for association in self.lookups.inventory.associations)

    @cached_property
    def _running(self) -> frozenset[str]:
        """Clusters with the agent: its DaemonSet, or a Pod of it, by its name or by that of its image."""
        return frozenset(w.cluster for w in self.lookups.inventory.workloads if _is_agent(w))

    def addon(self, cluster: str) -> ClusterAddon | None:
        """The add-on of the agent, None where the input does not have it."""
        addons = self.lookups.inventory.addons
        return next((addon for addon in addons if (addon.cluster, addon.name) == (cluster, AGENT)), None)

    def lacks_addon(self, cluster: str) -> bool:
        """Whether the add-on is certainly not installed; the agent may still be, from its chart."""
        return cluster in self.lookups.inventory.closed.addons and self.addon(cluster) is None

    def state(self, cluster: Cluster) -> AgentState | Unknown:
        """Whether the agent runs in a cluster that has associations."""
        if cluster.id not in self._associated or cluster.auto_mode:
            refused = None if cluster.auto_mode else self.lookups.inventory.refused("associations", cluster.id)
            return "not-needed" if refused is None else refused
        addon = self.addon(cluster.id)
        if addon and addon.status in _BROKEN:
            return "degraded"
        if addon or cluster.id in self._running:
            return "there"
        return self._without_agent(cluster)

    def _without_agent(self, cluster: Cluster) -> AgentState | Unknown:
        inventory = self.lookups.inventory
        if not inventory.closed.has_kind(cluster.id, "daemonsets"):
            return self._daemonsets_unseen(cluster.id)
        if isinstance(cluster.issuer, Unknown):
            # the nodes of EKS Auto Mode have the agent built in
            return Unknown(f"whether cluster {cluster.name} has EKS Auto Mode", cluster.issuer.how)
        return "missing"

    def _daemonsets_unseen(self, cluster: str) -> Unknown:
        more = f"; the add-on {AGENT} is not installed" if self.lacks_addon(cluster) else ""
        missing = f"daemon sets of {self.lookups.name_of(cluster)}{more}"
        return self.lookups.inventory.unknown("daemonsets", cluster, "", missing, *_DAEMONSETS_HOW)

    # ---- hybrid nodes

    @cached_property
    def _hybrid(self) -> frozenset[str]:
        inventory = self.lookups.inventory
        by_addon = (a.cluster for a in inventory.addons if a.name == AGENT and any(map(_is_hybrid, a.daemonsets or ())))
        running = (w.cluster for w in inventory.workloads if _is_hybrid_agent(w))
        return frozenset((*by_addon, *running))

    def compute_type(self, workload: Workload) -> str:
        """The compute type of the node of a workload, else that which its nodes must have; "" where neither is known."""
        node = self.lookups.inventory.node_by_key.get((workload.cluster, workload.node))
        return (node.compute_type if node else "") or workload.compute_type

    def lacks_hybrid_agent(self, workload: Workload) -> bool | Unknown:
        """Whether a workload runs on a hybrid node, or requires such nodes, and the agent of EKS Pod Identity has no daemon set
        for them in its cluster."""
        cluster = workload.cluster
        if self.compute_type(workload) != "hybrid" or cluster in self._hybrid:
            return False
        if self.lookups.inventory.closed.has_kind(cluster, "daemonsets"):
            return True
        return self._daemonsets_unseen(cluster)

    def is_unsupported(self, workload: Workload) -> bool:
        """Whether a workload runs, or must run, where the agent never does: on Fargate or Windows
        (https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html#pod-id-restrictions)."""
        return self.is_on_windows(workload) or workload.fargate or self.compute_type(workload) == "fargate"

    def is_on_windows(self, workload: Workload) -> bool:
        """Whether a workload runs, or must run, on a Windows node."""
        node = self.lookups.inventory.node_by_key.get((workload.cluster, workload.node))
        return bool(workload.windows) or (node is not None and node.system == "windows")

    # ---- the way to the agent

    def egress_denial(self, workload: Workload) -> EgressPolicy | None:
        """A network policy that selects a workload, where none of those that do allows the agent, or one that denies it; it is
        in force where the network of the cluster applies policies. Policies do not apply to pods in the network of their
        node."""
        policies = self._selecting(workload)
        if denying := next((policy for policy in policies if policy.forbids_agent), None):
            return denying
        if any(self._may_reach(policy) for policy in policies):
            return None
        return policies[0] if policies else None

    def sts_denial(self, workload: Workload) -> EgressPolicy | None:
        """A network policy that selects a workload, where none of those that do may allow HTTPS to an address outside the
        cluster."""
        policies = self._selecting(workload)
        if any(policy.reaches_sts is not False for policy in policies):
            return None
        return policies[0] if policies else None

    def _selecting(self, workload: Workload) -> list[EgressPolicy]:
        """The policies that select a workload: none where it is in the network of its node."""
        return [
            policy
            for policy in self.lookups.inventory.egress_policies
            if not workload.host_network
            and policy.cluster == workload.cluster
            and policy.namespace in ("", workload.namespace)
            and policy.selector.selects(workload.labels)
        ]

    def _may_reach(self, policy: EgressPolicy) -> bool:
        """Whether a policy may allow the agent: for Cilium the agent is the node, which no block of addresses covers
        (https://github.com/cilium/cilium/issues/34387)."""
        return policy.reaches_agent is not False and not (policy.by_address and policy.cluster in self._with_cilium)

    @cached_property
    def _with_cilium(self) -> frozenset[str]:
        """Clusters in which Cilium runs, by its daemon set or a pod of it."""
        return frozenset(w.cluster for w in self.lookups.inventory.workloads if _is_cilium(w))

    # ---- what the agent may do

    def node_permissions(self, workload: Workload) -> Iterator[NodePermission]:
        """What the roles of the nodes on which a workload may run permit; that of its node alone where it is known."""
        node = self.lookups.inventory.node_by_key.get((workload.cluster, workload.node))
        kind = "hybrid" if self.compute_type(workload) == "hybrid" else "ec2"
        listed = [r for r in self.lookups.inventory.node_roles if (r.cluster, r.compute_type) == (workload.cluster, kind)]
        own = [role for role in listed if node and node.group and role.group == node.group]
        for role in own or listed:
            yield NodePermission(state=self._permission(role), role=role, of_node=bool(own))

    def _permission(self, node_role: NodeRole) -> Literal["granted", "denied", "lacking"] | Unknown:
        role = self.lookups.inventory.role_by_arn.get(node_role.arn)
        if role is None or role.permissions is None:
            return Unknown(f"permission policies of {node_role.arn}", "aws iam get-account-authorization-details")
        cluster = self.lookups.inventory.cluster_by_id.get(node_role.cluster)
        return _answer(role, cluster.arn if cluster else "")


def _answer(role: Role, cluster: str) -> Literal["granted", "denied", "lacking"] | Unknown:
    known = role.permissions
    if known is None:
        return Unknown(f"permission policies of {role.arn}")
    policies = [read_permissions(policy) for policy in known.policies]
    answer = permission_answer(policies, PermissionRequest(action=PERMISSION, resource=cluster)) if cluster else None
    if answer == "denied":
        return "denied"
    unread = [arn for arn in known.unread if not arn.endswith(_MANAGED)]
    if known.boundary or (answer != "allowed" and unread):
        return Unknown(f"permissions of {role.arn}: {', '.join([*unread, known.boundary]).strip(', ')}")
    if answer == "allowed" or len(unread) < len(known.unread):
        return "granted"
    return "lacking" if answer == "not-allowed" else Unknown(f"conditions in the permission policies of {role.arn}")


def _is_agent(workload: Workload) -> bool:
    named = workload.name == AGENT or workload.owner == f"DaemonSet/{AGENT}"
    # a chart may give the daemon set another name
    images = (container.image for container in workload.containers)
    return named or any(image.partition(":")[0].rpartition("/")[2] == AGENT for image in images)


def _is_cilium(workload: Workload) -> bool:
    if workload.kind != "DaemonSet" and workload.owner != "DaemonSet/cilium":
        return False
    return any(container.image.partition(":")[0].endswith("cilium/cilium") for container in workload.containers)


def _is_hybrid(daemon_set: str) -> bool:
    return daemon_set.startswith("hybrid")


def _is_hybrid_agent(workload: Workload) -> bool:
    return workload.name.startswith(_HYBRID_AGENT) or workload.owner.startswith(f"DaemonSet/{_HYBRID_AGENT}")
