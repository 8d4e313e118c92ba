"""What a case shows of the agent of EKS Pod Identity: whether it runs on the node of a workload, and may call EKS."""

from collections.abc import Iterator

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, undecided, unseen
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts.lookups.agents import PERMISSION, NodePermission
from irsa_doctor.model import Unknown, Workload
from irsa_doctor.model.commands import shell_command

AGENT_SIGNS = ("agent-addon-absent", "node-role-without-permission", "node-credentials-file-off")
_DAEMONSETS = "kubectl get daemonsets -n kube-system -o yaml"
_ATTACHED = "aws iam list-attached-role-policies --role-name {}"


def without_agent(case: Case) -> LinkState | None:
    """The state where the agent does not serve a workload, or that is not known; None where nothing speaks against it.

    Rules report what the cluster and the nodes certainly lack.
    """
    return next(_states(case), None)


def _states(case: Case) -> Iterator[LinkState]:
    agents = case.view.installations.agents
    for workload in case.workloads:
        yield from _of_node(case, workload)
        missing = agents.lacks_hybrid_agent(workload)
        if isinstance(missing, Unknown):
            yield unseen(missing)
    state = agents.state(case.cluster) if case.cluster else None
    if isinstance(state, Unknown):
        signs = (Sign("agent-addon-absent", at_most="likely"),) if agents.lacks_addon(case.cluster_id) else ()
        if signs:
            says = "the add-on of the Pod Identity agent is not installed; whether a daemon set runs it is not in the input"
            yield undecided(says, *signs, settle=fill_command(_DAEMONSETS, case))


def _of_node(case: Case, workload: Workload) -> Iterator[LinkState]:
    """What the node of a workload lacks: the permission of its role, or the credentials file of a hybrid node."""
    answers = list(case.view.installations.agents.node_permissions(workload))
    refused = [answer for answer in answers if answer.state in ("denied", "lacking")]
    if refused and len(refused) == len(answers):
        yield _without_permission(case, refused)
    if case.view.installations.agents.compute_type(workload) == "hybrid":
        configs = [config for config in case.view.inventory.node_configs if config.cluster in ("", case.cluster_id)]
        if configs and not any(config.credentials_file for config in configs):
            says = "enableCredentialsFile is not true in the configuration of the hybrid nodes"
            places = (case.located(configs[0].place, "does not turn the credentials file on"),)
            yield undecided(says, Sign("node-credentials-file-off", says, None, places, "likely"))


def _without_permission(case: Case, refused: list[NodePermission]) -> LinkState:
    named, first = ", ".join(dict.fromkeys(answer.role.arn for answer in refused)), refused[0]
    verb = "deny" if first.state == "denied" else "do not allow"
    says = f"the permission policies of {named}, the role of the nodes, {verb} {PERMISSION}"
    sign = Sign("node-role-without-permission", says, None, (case.located(first.role.place, "the role of the nodes"),))
    if first.of_node:
        return failed(says, sign)
    likely = Sign(sign.id, says, None, sign.places, "likely")
    return undecided(says, likely, settle=shell_command(_ATTACHED, first.role.arn.rpartition("/")[2]))
