"""What a diagnosis has in every cloud: the workload that it is about, and its links as they are shown."""

from typing import Protocol

from irsa_doctor.answers.check.fetching import fetched
from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.state import LinkState
from irsa_doctor.answers.why.records import DiagnosedLink, LinkNeed, WorkloadIdentity, quoted_places


class _Titled(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...


def workload_of_case(case: Case) -> WorkloadIdentity:
    """The workload that a diagnosis is about; without a cluster its issuer stands for it."""
    cluster = case.view.name_of(case.cluster_id) if case.cluster_id else case.issuer
    return WorkloadIdentity(
        cluster=cluster,
        namespace=case.namespace,
        service_account=case.service_account,
        workload=f"{case.workload.kind.lower()}/{case.workload.name}" if case.workload else "",
    )


def diagnosed_link(link: _Titled, state: LinkState, needs: tuple[LinkNeed, ...] = (), title: str = "") -> DiagnosedLink:
    """A link with its state; `needs` are the inputs that it is judged by, `title` is what it is called in this case."""
    return DiagnosedLink(
        id=link.id,
        title=title or link.title,
        verdict=state.verdict,
        because=state.because,
        evidence=quoted_places(state.places),
        settle=fetched(state.settle)[0],
        needs=() if state.verdict == "skipped" else needs,
    )
