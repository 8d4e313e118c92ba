"""The links on the way of a credential of Azure or Google Cloud; each is judged by the rules about it."""

from collections.abc import Callable

import msgspec

from irsa_doctor.answers.why.clouds.case import CloudCase
from irsa_doctor.answers.why.links.state import LinkState, failed, inapplicable, passed, signs_of, undecided
from irsa_doctor.model.commands import shell_command


class CloudLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link: `otherwise` is its state where no rule reports anything and nothing is missing; `decides`: it must hold."""

    id: str
    title: str
    otherwise: Callable[[CloudCase], LinkState]
    decides: bool = True

    def state(self, case: CloudCase) -> LinkState:
        """The state of the link in a case."""
        findings = case.findings.in_order(case.findings.on_link(self.id))
        if findings:
            sure = [finding for finding in findings if finding.confidence == "high"]
            rest = [finding for finding in findings if finding not in sure]
            return failed((sure or rest)[0].message, *signs_of(sure), *signs_of(rest, "likely"))
        if missing := case.findings.missing_on(self.id):
            return undecided(f"not in the input: {missing[0].missing}", settle=missing[0].how)
        return self.otherwise(case)


def _issuer(case: CloudCase) -> LinkState:
    if case.cloud_cluster is None and not case.cluster_issuer:
        return undecided("the cluster is not in the input", settle=_DESCRIBE[case.cloud])
    if case.cloud == "google":
        pool = case.cloud_cluster.pool if case.cloud_cluster else ""
        return passed(f"the workload identity pool is {pool}") if pool else undecided("the pool of the cluster is not known")
    return passed(f"the issuer is https://{case.cluster_issuer}") if case.cluster_issuer else undecided(_NO_ISSUER)


_NO_ISSUER = "the issuer of the cluster is not known"
_DESCRIBE = {
    "azure": "az aks list",
    "google": "gcloud container clusters list --format json",
}


def _service_account(case: CloudCase) -> LinkState:
    if case.account is None:
        return undecided(
            f"{case.name} is not in the input", settle=shell_command("kubectl get serviceaccount -n {} -o yaml", case.namespace)
        )
    if case.identity:
        return passed(f"{case.name} names {case.identity}")
    if case.cloud == "google":
        return passed(f"{case.name} names no service account of Google Cloud: its pods are their own principal")
    return undecided(f"{case.name} names no identity of Azure")


def _workload(case: CloudCase) -> LinkState:
    if not case.workloads:
        return inapplicable("no workload in the input")
    return passed(", ".join(f"{workload.kind.lower()} {workload.name}" for workload in case.workloads[:5]))


def _webhook(case: CloudCase) -> LinkState:
    if case.cloud == "google":
        return inapplicable("GKE has no webhook: its metadata server answers")
    return passed("the webhook adds the token to the pods") if case.workloads else inapplicable("no workload in the input")


def _token(case: CloudCase) -> LinkState:
    if case.cloud == "google":
        return inapplicable("the metadata server of GKE has the token")
    return inapplicable("the webhook mounts the token when a pod is created")


def _provider(case: CloudCase) -> LinkState:
    if case.azure and case.azure.identity:
        return passed(f"the identity is {case.azure.identity.label}")
    if case.google and case.google.known:
        return passed(f"the service account {case.google.known.email} exists")
    if case.google and not case.identity:
        return inapplicable("no service account of Google Cloud is named")
    return undecided("no identity is named") if not case.identity else undecided("the identity is not in the input")


def _audience(case: CloudCase) -> LinkState:
    if case.azure and case.azure.identity:
        return passed(f"the audience is {case.azure.audience}")
    return inapplicable("the cloud chooses the audience" if case.cloud == "google" else "no identity is named")


def _lifetime(case: CloudCase) -> LinkState:
    return inapplicable("the token is renewed before it expires")


def _trust(case: CloudCase) -> LinkState:
    if case.azure and any(match == "matches" for match, _ in case.azure.matches()):
        return passed(f"a federated credential of the identity has the subject {case.own_subject}")
    if case.google and case.google.nearest()[0] == "matches":
        return passed(f"the member {case.google.nearest()[1]} means the service account")
    return undecided("not examined: a link before it does not hold")


def _permissions(case: CloudCase) -> LinkState:
    return inapplicable("what the identity may do is not checked")


CLOUD_LINKS = (
    CloudLink(id="issuer", title="Issuer of the cluster", otherwise=_issuer),
    CloudLink(id="service-account", title="Service account", otherwise=_service_account),
    CloudLink(id="workload", title="Workload", otherwise=_workload),
    CloudLink(id="webhook", title="Webhook", otherwise=_webhook),
    CloudLink(id="token-volume", title="Token in the pod", otherwise=_token, decides=False),
    CloudLink(id="provider", title="Identity", otherwise=_provider),
    CloudLink(id="audience", title="Audience", otherwise=_audience),
    CloudLink(id="lifetime", title="Lifetime of the token", otherwise=_lifetime, decides=False),
    CloudLink(id="trust-policy", title="Trust of the identity", otherwise=_trust),
    CloudLink(id="permissions", title="Permissions", otherwise=_permissions, decides=False),
)
