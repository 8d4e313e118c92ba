"""The links in the pod: its service account, what the webhook sets up, the token and its file."""

from collections.abc import Callable

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.by_rules import by_rules
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import LinkState, inapplicable, observed, passed, undecided, unseen
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts.workloads.webhook import FILE_VARIABLE, ROLE_VARIABLE
from irsa_doctor.model import Unknown

_SHOWN = 3


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
    how = f"kubectl get {kind} -n {case.namespace} -o yaml"
    return unseen(case.view.inventory.unknown(kind + "s", case.cluster_id, case.namespace, case.absent, how))


def _workload(case: Case) -> LinkState:
    if meant := case.meant_account:
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
    title="the workload runs as the service account",
    signs=("token-of-other-account", "workload-absent", "account-without-role-used"),
    disproof=_workload_disproof,
    needs=(needs.PODS_INPUT,),
    examine=_workload,
    decides=frozenset({"workload"}),
)


def _webhook(case: Case) -> LinkState:
    if case.shows_pod_identity and case.has_no_association:
        says = "the pod was set up for EKS Pod Identity, whose association was deleted: it has no web identity token"
        return observed("pod-identity-association-deleted", says)
    if any(workload.admitted for workload in case.workloads):
        missing = next(iter(case.findings.missing_on("webhook")), None)
        right = "every container of the pods has the variables and the mount that the webhook adds"
        return unseen(Unknown(missing.missing, missing.how)) if missing else passed(right)
    if case.workloads and all(ROLE_VARIABLE in c.env and FILE_VARIABLE in c.env for c in case.containers if not c.init):
        return passed("the manifest sets AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE itself")
    return _on_new_pods(case)


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
    title="the webhook has set up the pod",
    signs=("pod-identity-association-deleted",),
    disproof=by_rules("webhook"),
    examine=_webhook,
    decides=frozenset({"workload"}),
)


def _pod_not_set_up(case: Case) -> str:
    before = by_rules("webhook")(case)
    return "the webhook did not set up the pod" if before and before.verdict == "fail" else ""


def _by_missing_inputs(link: str, right: str) -> Callable[[Case], LinkState]:
    """The state of a link on which rules have found nothing: unknown where they lacked an input."""

    def examine(case: Case) -> LinkState:
        missing = next(iter(case.findings.missing_on(link)), None)
        return unseen(Unknown(missing.missing, missing.how)) if missing else passed(right)

    return examine


TOKEN_VOLUME_LINK = Link(
    id="token-volume",
    title="a volume provides the token",
    disproof=by_rules("token-volume"),
    skips=(skips.no_workload, _pod_not_set_up),
    examine=_by_missing_inputs("token-volume", "the token for STS is projected into a volume"),
)
TOKEN_FILE_LINK = Link(
    id="token-file",
    title="the process can read the token",
    signs=("token-file-unreadable",),
    disproof=by_rules("token-file"),
    skips=(skips.no_workload, _pod_not_set_up),
    examine=_by_missing_inputs(
        "token-file", "AWS_WEB_IDENTITY_TOKEN_FILE is the path of the token, and the process may read it"
    ),
)
