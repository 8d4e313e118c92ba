"""The identity that each container of a case uses: by its own spec first, else by what the webhook would set up now."""

from collections.abc import Iterator, Sequence

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.records import ContainerIdentity
from irsa_doctor.facts.workloads.containers import has_container_credentials, has_other_agent, has_static_keys, pair_of
from irsa_doctor.facts.workloads.webhook import OPT_OUT_LABEL, ROLE_VARIABLE, skipped_containers
from irsa_doctor.model import Container, Workload, text_of

_HOPS_OF_POD = 2
"""network hops from the metadata service of a node to a pod in a network of its own"""
_WORDS = {
    "static-keys": "static keys",
    "web-identity": "a web identity",
    "pod-identity": "EKS Pod Identity",
    "other-agent": "an agent other than that of EKS Pod Identity",
    "none": "nothing of its own: the SDK finds what the node has, or nothing",
}


def container_identities(case: Case) -> tuple[ContainerIdentity, ...]:
    """The identity of every container of the workloads of a case, in their order."""
    return tuple(_identity(case, w, c) for w in case.workloads for c in w.containers)


def _identity(case: Case, workload: Workload, container: Container) -> ContainerIdentity:
    mechanism, role, injected = _mechanism(case, workload, container)
    name = f"{workload.kind.lower()}/{workload.name}"
    return ContainerIdentity(workload=name, container=container.name, mechanism=mechanism, role=role, injected=injected)


def _mechanism(case: Case, workload: Workload, container: Container) -> tuple[str, str, bool]:
    """(what the SDK finds first, the role, whether the container has it already).

    Web identity comes before container credentials in the chain of every SDK
    (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
    """
    lookups = case.view.workload_lookups
    if has_static_keys(lookups, workload, container) is True:
        return "static-keys", "", True
    if pair_of(container) == "both":
        return "web-identity", text_of(container.env[ROLE_VARIABLE] or ""), True
    if has_other_agent(container):
        return "other-agent", "", True
    if has_container_credentials(container):
        return "pod-identity", _associated(case), True
    left_out = container.name in (skipped_containers(workload.annotations) or ())
    opted_out = OPT_OUT_LABEL in workload.labels and case.view.installations.honours_opt_out(workload.cluster)
    if workload.admitted or left_out or opted_out or pair_of(container) != "none":
        return "none", "", workload.admitted
    if case.association:
        return "pod-identity", _associated(case), False
    return ("web-identity", case.annotation, False) if case.annotation else ("none", "", False)


def _associated(case: Case) -> str:
    """The role whose credentials the association hands out: its target role, where it has one."""
    return case.target_role or (text_of(case.association.role_arn) if case.association else "")


def apart_from_association(case: Case) -> Iterator[ContainerIdentity]:
    """The containers of workloads with an association that find another identity before it."""
    for identity in container_identities(case):
        if identity.mechanism in ("web-identity", "other-agent"):
            yield identity


def notes_on_identities(identities: Sequence[ContainerIdentity]) -> Iterator[str]:
    """A sentence for each workload whose containers do not all use the same identity."""
    by_workload: dict[str, list[ContainerIdentity]] = {}
    for identity in identities:
        by_workload.setdefault(identity.workload, []).append(identity)
    for workload, listed in by_workload.items():
        if len({(identity.mechanism, identity.role) for identity in listed}) > 1:
            each = "; ".join(f"{identity.container} uses {shown_identity(identity)}" for identity in listed)
            yield f"The containers of {workload} use different identities: {each}."


def notes_on_host_network(case: Case) -> Iterator[str]:
    """A sentence on the workloads that use the network of their node, and so reach its metadata service whatever its hop limit
    (https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html)."""
    listed = [f"{workload.kind.lower()}/{workload.name}" for workload in case.workloads if workload.host_network]
    if listed:
        yield (
            f"hostNetwork is true for {', '.join(listed)}: these pods reach the metadata service of the node, so they can"
            " always take the role of the node too."
        )


def notes_on_node_metadata(case: Case) -> Iterator[str]:
    """A sentence on what an SDK finds that finds no credentials of the workload: the role of the node, or nothing."""
    if not case.workloads or all(workload.host_network for workload in case.workloads):
        return
    limits = list(_hop_limits(case))
    for near, says in ((True, "do not reach"), (False, "reach")):
        named = ", ".join(sorted({name for name, limit in limits if (limit < _HOPS_OF_POD) is near}))
        result = "finds nothing" if near else "takes the role of the node without an error"
        if named:
            yield (
                f"On nodes of {named}, pods {says} the metadata service by its hop limit: an SDK that finds no"
                f" other credentials {result}."
            )


def _hop_limits(case: Case) -> Iterator[tuple[str, int]]:
    """What makes the nodes of the cluster, in words, and the hop limit of their metadata service."""
    inventory = case.view.inventory
    for item in inventory.node_metadata:
        if item.kind == "EC2NodeClass" and item.cluster == case.cluster_id:
            yield f"the EC2NodeClass {item.name}", item.hop_limit
    by_version = {(ident, item.version): item for item in inventory.node_metadata for ident in item.ids}
    for role in inventory.node_roles:
        if role.cluster == case.cluster_id and role.launch_template in by_version:
            name, version = role.launch_template
            words = f"the node group {role.group} (launch template {name}, version {version})"
            yield words, by_version[role.launch_template].hop_limit


def shown_identity(identity: ContainerIdentity) -> str:
    """What a container uses, in words."""
    return _WORDS[identity.mechanism] + (f" ({identity.role})" if identity.role else "")
