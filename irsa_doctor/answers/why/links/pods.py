"""The links in the pod: its service account, what the webhook sets up, the token and its file."""

from collections.abc import Callable

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.by_rules import by_rules
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.service_account import meant_account_of
from irsa_doctor.answers.why.links.state import LinkState, Sign, inapplicable, observed, passed, undecided, unseen
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts.workloads.containers import (
    has_container_credentials,
    has_linux_path,
    lacks_container_credentials,
    pair_of,
)
from irsa_doctor.facts.workloads.webhook import FILE_VARIABLE, ROLE_VARIABLE, VOLUME, seconds_between
from irsa_doctor.model import Unknown
from irsa_doctor.model.commands import shell_command

_SHOWN = 3
_READ_TOKEN = "kubectl exec -n {namespace} {pod} -- cmd /c dir %AWS_WEB_IDENTITY_TOKEN_FILE%"


def _workload_disproof(case: Case) -> LinkState | None:
    if case.absent:
        return _absent(case)
    if case.token and case.token.subject and case.token.sub != case.own_subject:
        return observed("token-of-other-account", f"the token is of {'/'.join(case.token.subject)}, not of {case.name}")
    return by_rules("workload")(case)


def _absent(case: Case) -> LinkState:
    """A target that is not in the input: it does not exist where the input is complete for its kind."""
    kind = case.absent.partition("/")[0]
    if case.view.inventory.closed.has_kind(case.cluster_id, kind + "s", case.namespace):
        return observed("workload-absent", case.absent)
    how = shell_command("kubectl get {} -n {} -o yaml", kind, case.namespace)
    return unseen(case.view.inventory.unknown(kind + "s", case.cluster_id, case.namespace, case.absent, how))


def _workload(case: Case) -> LinkState:
    if meant := meant_account_of(case):
        says = f"the workload runs as {case.name}, which has no role; {meant.name} of the namespace has one and is not used"
        place = case.located(meant.place.at("metadata", "name"), "has a role and is not used")
        return observed("account-without-role-used", says, place)
    if not case.workloads:
        return inapplicable("no workload in the input uses the service account")
    names = ", ".join(f"{workload.kind.lower()}/{workload.name}" for workload in case.workloads[:_SHOWN])
    more = f" and {len(case.workloads) - _SHOWN} more" if len(case.workloads) > _SHOWN else ""
    return passed(f"{names}{more} {'runs' if len(case.workloads) == 1 else 'run'} as {case.name}")


WORKLOAD_LINK = Link(
    id="workload",
    of_pods=True,
    title="the workload runs as the service account",
    signs=("token-of-other-account", "workload-absent", "account-without-role-used"),
    disproof=_workload_disproof,
    needs=(needs.PODS_INPUT,),
    examine=_workload,
    decides=frozenset({"workload"}),
)


_PROPAGATION = 60.0
"""seconds in which the webhook may not know a new association"""
_NEVER_SET_UP = "the pod has nothing of EKS Pod Identity, though its service account has an association"


def _webhook_disproof(case: Case) -> LinkState | None:
    return by_rules("webhook")(case) or _without_association_credentials(case)


def _without_association_credentials(case: Case) -> LinkState | None:
    """A pod that the webhook has not set up for its association: it is older than that, or the webhook failed."""
    bare = [workload for workload in case.workloads if lacks_container_credentials(workload)]
    if not case.uses_pod_identity or not bare or case.association is None:
        return None
    after = seconds_between(bare[0].created, case.association.created)
    if after is not None and after > 0:
        says = f"{_NEVER_SET_UP}: it was created at {bare[0].created}, before the association ({case.association.created})"
        return observed("pod-before-association", says)
    if after is None or after > -_PROPAGATION:
        return observed("pod-without-association-credentials", _NEVER_SET_UP)
    says = f"{_NEVER_SET_UP}, which is older than the pod ({case.association.created})"
    return observed("webhook-passed-pod-over", says)


def _webhook(case: Case) -> LinkState:
    if case.shows_pod_identity and case.has_no_association:
        says = "the pod was set up for EKS Pod Identity, whose association was deleted: it has no web identity token"
        return observed("pod-identity-association-deleted" if case.annotation else "association-of-pod-deleted", says)
    if not _may_get_credentials(case) and any(workload.admitted for workload in case.workloads):
        return inapplicable(_NOTHING)
    if any(workload.admitted for workload in case.workloads):
        missing = next(iter(case.findings.missing_on("webhook")), None)
        right = "every container of the pods has the variables and the mount that the webhook adds"
        if (linux := _with_linux_path(case)) and not missing:
            return undecided(
                linux, Sign("linux-path-on-windows", linux, at_most="likely"), settle=fill_command(_READ_TOKEN, case)
            )
        return unseen(Unknown(missing.missing, missing.how)) if missing else passed(right)
    regular = [container for container in case.containers if not container.init]
    if regular and all(ROLE_VARIABLE in container.env and FILE_VARIABLE in container.env for container in regular):
        return passed("the manifest sets AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE itself")
    return _on_new_pods(case)


def _with_linux_path(case: Case) -> str:
    """What is odd about a Windows pod that has a token path of Linux, "" where none has."""
    agents = case.view.installations.agents
    pods = (workload for workload in case.workloads if workload.admitted and agents.is_on_windows(workload))
    container = next((c for pod in pods for c in pod.containers if has_linux_path(c)), None)
    return f"the container {container.name} runs on Windows and has a token path of Linux" if container else ""


def _on_new_pods(case: Case) -> LinkState:
    """Whether the webhook changes pods that are created from now on."""
    installed = case.view.installations
    state = installed.webhook(case.cluster_id) if case.cluster_id else "not-needed"
    if isinstance(state, Unknown):
        return unseen(state)
    if state != "there":
        return inapplicable("no pod in the input")
    if installed.selects_namespaces(case.cluster_id):
        says = f"its namespaceSelector selects some namespaces, and the labels of {case.namespace} are not in the input"
        return undecided(says, settle=fill_command("kubectl get namespace {namespace} -o yaml", case))
    return passed("the webhook of the cluster changes new pods")


WEBHOOK_LINK = Link(
    id="webhook",
    of_pods=True,
    title="the webhook has set up the pod",
    signs=(
        "pod-identity-association-deleted",
        "association-of-pod-deleted",
        "pod-before-association",
        "pod-without-association-credentials",
        "webhook-passed-pod-over",
        "linux-path-on-windows",
    ),
    disproof=_webhook_disproof,
    examine=_webhook,
    decides=frozenset({"workload"}),
)


def _pod_not_set_up(case: Case) -> str:
    before = _webhook_disproof(case)
    return "the webhook did not set up the pod" if before and before.verdict == "fail" else ""


_NOTHING = "neither the service account nor the pod names a role"


def _no_credentials(case: Case) -> str:
    return "" if _may_get_credentials(case) else _NOTHING


def _may_get_credentials(case: Case) -> bool:
    """Whether anything gives the workloads a role: the service account, an association, or their own variables."""
    requested = case.annotation or case.association or case.token or case.calls or case.stated_role
    if requested or any(pair_of(c) != "none" or has_container_credentials(c) for c in case.containers):
        return True
    if any(VOLUME in workload.volumes for workload in case.workloads):
        return True
    known = case.account or case.view.inventory.closed.has_kind(case.cluster_id, "serviceaccounts", case.namespace)
    return not known and not all(workload.admitted for workload in case.workloads)


def _by_missing_inputs(link: str, web_identity: str, pod_identity: str) -> Callable[[Case], LinkState]:
    """The state of a link on which rules have found nothing: unknown where they lacked an input."""

    def examine(case: Case) -> LinkState:
        missing = next(iter(case.findings.missing_on(link)), None)
        right = pod_identity if case.uses_pod_identity else web_identity
        return unseen(Unknown(missing.missing, missing.how)) if missing else passed(right)

    return examine


TOKEN_VOLUME_LINK = Link(
    id="token-volume",
    of_pods=True,
    title="a volume provides the token",
    disproof=by_rules("token-volume"),
    skips=(skips.no_workload, _no_credentials, _pod_not_set_up),
    examine=_by_missing_inputs(
        "token-volume",
        "the token for STS is projected into a volume",
        "the token for the agent of EKS Pod Identity is projected into a volume",
    ),
)
TOKEN_FILE_LINK = Link(
    id="token-file",
    title="the process can read the token",
    signs=("token-file-unreadable",),
    disproof=by_rules("token-file"),
    skips=(skips.no_workload, _no_credentials, _pod_not_set_up),
    examine=_by_missing_inputs(
        "token-file",
        "AWS_WEB_IDENTITY_TOKEN_FILE is the path of the token, and the process may read it",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is the path of the token, and the process may read it",
    ),
)
