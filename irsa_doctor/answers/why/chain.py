"""Walks the links of a case in order, and names those that decide."""

from collections.abc import Mapping

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.answers.why.links.link import Link, Situation
from irsa_doctor.answers.why.links.pods import WORKLOAD_LINK
from irsa_doctor.answers.why.links.state import LinkState, inapplicable


def walk_links(case: Case) -> dict[str, LinkState]:
    """The state of every link by id, in order."""
    states: dict[str, LinkState] = {}
    for link in LINKS:
        states[link.id] = _state(case, link, states)
    return states


def _state(case: Case, link: Link, before: Mapping[str, LinkState]) -> LinkState:
    if case.absent and link is not WORKLOAD_LINK:
        return inapplicable("the target is not in the input")
    is_examined = (link.reads_token and case.evidence.token) or (link.of_any_issuer and not case.is_of_cluster)
    if not case.absent and not case.service_account and not is_examined:
        whose = "the input does not say whose credential it is" if case.is_of_cluster else "it is of no service account"
        return inapplicable(whose)
    if link.after and before[link.after].verdict == "fail":
        return inapplicable("not reached: STS refuses the request")
    return link.state(case)


def decisive_links(case: Case) -> list[Link]:
    """The links that must hold for the credential to work."""
    situations = _situations(case)
    return [link for link in LINKS if link.decides & situations]


def _situations(case: Case) -> frozenset[Situation]:
    """With EKS Pod Identity nothing is sent to STS, and the association decides."""
    situations: set[Situation] = {"pod-identity"} if case.uses_pod_identity else {"web-identity"}
    if case.workloads:
        situations.add("workload")
    if case.evidence.token is not None and not case.uses_pod_identity:
        situations.add("token")
    if case.shows_pod_identity:
        situations.add("pod-identity")
    if not case.uses_pod_identity and any(map(case.view.installations.agents.sts_denial, case.workloads)):
        situations.add("limited-egress")
    if case.uses_pod_identity and case.target_role:
        situations.add("target-role")
    return frozenset(situations)
