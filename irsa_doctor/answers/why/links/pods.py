"""The links inside the cluster: from the service account to the call that leaves the pod, and EKS Pod Identity beside them."""

from collections.abc import Callable

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.step import Named, Step, failed, link_of, named_by, passed, skipped, unseen
from irsa_doctor.facts.workloads.webhook import FILE, ROLE
from irsa_doctor.model import Issuer, Unknown, parse_arn
from irsa_doctor.model.findings import Finding

# rules whose finding is proved though what it is put down to is only likely: the pod is as they say in any case
_INFERRED = frozenset(
    {"pod-older-than-annotation", "webhook-cache-race", "late-injected-sidecar", "pod-wrong-sa", "podid-agent-missing"}
)
# rules of medium confidence that are in doubt only as to whether it was meant so; here somebody asks why it does not work
_MEANT = frozenset(
    {
        "webhook-optout-label",
        "skip-containers-unintended",
        "token-file-perm-denied",
        "stale-aws-iam-token-volume",
        "podid-chain-order",
        "alg-unsupported",
    }
)


def _is_proved(finding: Finding) -> bool:
    return finding.confidence == "high" or finding.rule in _INFERRED or finding.rule in _MEANT


def of_rules(case: Case, ident: str) -> Step | None:
    """What the rules say of a link: that it fails, that it may; None where they find nothing."""
    wrong = case.wrong_on(ident)
    proved = [finding for finding in wrong if _is_proved(finding)]
    doubtful = tuple(
        Named(named.id, "likely", named.because, named.finding) for named in named_by(f for f in wrong if f not in proved)
    )
    if proved:
        sure = [Named(n.id, "likely" if n.id in _INFERRED else "certain", n.because, n.finding) for n in named_by(proved)]
        return failed(ident, proved[0].message, *sure, *doubtful)
    if doubtful:
        return Step(ident, "unknown", doubtful[0].because, doubtful)
    return None


def _workloads(ident: str, right: str) -> Callable[[Case], Step]:
    """A link of which rules about workloads say all that there is to say."""

    def look(case: Case) -> Step:
        if said := of_rules(case, ident):
            return said
        if not case.workloads:
            return skipped(ident, "no workload was given")
        if (before := of_rules(case, "webhook")) and before.verdict == "fail":
            return skipped(ident, "the pod was not set up")
        if missing := case.missing_on(ident):
            return unseen(ident, Unknown(missing[0].missing, missing[0].how))
        return passed(ident, right)

    return look


def service_account(case: Case) -> Step:
    """L1: it exists, and names a role."""
    ident, name = "service-account", case.name
    if case.account is None:
        return _not_given(case)
    if case.finding("pod-wrong-sa") or case.meant_account:
        return skipped(ident, f"{name} is not the one that was made for the workload")
    if (wrong := case.wrong_on(ident)) and not case.stated_role:
        return failed(ident, wrong[0].message, *named_by(wrong))
    if case.annotation or case.wrong_on("request"):
        return passed(ident, f'{name} names "{case.annotation}"')
    if case.association:
        return passed(ident, f"{name} has a Pod Identity association and needs no annotation")
    if case.role:
        return passed(ident, f"{name} names none; the role is the one that was asked about")
    says = f"{name} has no annotation eks.amazonaws.com/role-arn"
    places = (case.located(case.account.place.at("metadata", "name"), "names no role"),)
    if case.has_no_association or case.evidence.failing:
        return failed(ident, says, Named("sa-annotation-missing", "certain", says, None, places))
    how = f"aws eks list-pod-identity-associations --cluster-name {case.cluster.name if case.cluster else 'CLUSTER'}"
    because = f"{says}; it may have a Pod Identity association"
    refused = case.view.inventory.refused("associations", case.cluster_id, case.name)
    if refused is not None:
        because, how = f"{because}: {refused.missing}", refused.how
    return Step(ident, "unknown", because, (Named("sa-annotation-missing", "likely", says, None, places),), how)


def _not_given(case: Case) -> Step:
    ident = "service-account"
    if case.view.inventory.closed.has_kind(case.cluster_id, "serviceaccounts", case.namespace):
        says = f"there is no service account {case.name} in the cluster"
        elsewhere = sorted(
            a.namespace
            for a in case.view.inventory.service_accounts
            if (a.cluster, a.name) == (case.cluster_id, case.service_account)
        )
        more = f"; one of that name is in {', '.join(elsewhere[:5])}" if elsewhere else ""
        return failed(ident, says + more, Named("service-account-missing", "certain", says + more))
    how = f"kubectl get serviceaccount -n {case.namespace} {case.service_account} -o yaml"
    what = f"the service account {case.name}"
    return unseen(ident, case.view.inventory.unknown("serviceaccounts", case.cluster_id, case.namespace, what, how))


def workload(case: Case) -> Step:
    """L2: the workload runs under the service account."""
    ident = "workload"
    if case.token and case.token.subject and case.token.sub != case.own_subject:
        says = f"the token is of {'/'.join(case.token.subject)}, not of {case.name}"
        return failed(ident, says, Named("pod-wrong-sa", "certain", says))
    if said := of_rules(case, ident):
        return said
    if meant := case.meant_account:
        says = f"it runs as {case.name}, which has no role; {meant.name} of the namespace has one, and nothing uses it"
        places = (case.located(meant.place.at("metadata", "name"), "has a role and is not used"),)
        return failed(ident, says, Named("pod-wrong-sa", "likely", says, None, places))
    if not case.workloads:
        refused = case.view.inventory.refused("pods", case.cluster_id, case.namespace)
        return skipped(ident, "no workload that uses it was given") if refused is None else unseen(ident, refused)
    names = ", ".join(f"{w.kind.lower()}/{w.name}" for w in case.workloads[:3])
    more = f" and {len(case.workloads) - 3} more" if len(case.workloads) > 3 else ""
    return passed(ident, f"{names}{more} {'runs' if len(case.workloads) == 1 else 'run'} as {case.name}")


def absent(case: Case) -> Step:
    """A workload that was asked about and is not there: it is gone where all of its kind were given."""
    kind = case.absent.partition("/")[0]
    if case.view.inventory.closed.has_kind(case.cluster_id, kind + "s", case.namespace):
        return failed("workload", case.absent, Named("workload-missing", "certain", case.absent))
    how = f"kubectl get {kind} -n {case.namespace} -o yaml"
    return unseen("workload", case.view.inventory.unknown(kind + "s", case.cluster_id, case.namespace, case.absent, how))


def webhook(case: Case) -> Step:
    """L3: the pod identity webhook has set up the containers, or will."""
    ident = "webhook"
    if said := of_rules(case, ident):
        return said
    pods = [workload for workload in case.workloads if workload.admitted]
    if case.shows_pod_identity and case.has_no_association:
        says = "a pod was set up for EKS Pod Identity, whose association is gone: it has nothing of web identity"
        return failed(ident, says, Named("pod-older-than-annotation", "likely", says))
    if pods:
        if missing := case.missing_on(ident):
            return unseen(ident, Unknown(missing[0].missing, missing[0].how))
        return passed(ident, "every container of the pods that needs it has what the webhook sets")
    if case.workloads and all(ROLE in c.env and FILE in c.env for c in case.containers if not c.init):
        return passed(ident, "the manifest sets both variables itself")
    return _on_new_pods(case)


def _on_new_pods(case: Case) -> Step:
    """Whether the webhook will act on pods that are made from now on."""
    ident, installed = "webhook", case.view.installations
    state = installed.webhook(case.cluster_id) if case.cluster_id else "not-needed"
    if isinstance(state, Unknown):
        return unseen(ident, state)
    if state != "there":
        return skipped(ident, "no pod was given")
    if installed.selects_namespaces(case.cluster_id):
        says = f"its namespaceSelector picks some namespaces, and the labels of {case.namespace} are not known"
        return Step(ident, "unknown", says, (), f"kubectl get namespace {case.namespace} --show-labels")
    return passed(ident, "the webhook of the cluster acts on new pods")


def pod_identity(case: Case) -> Step:
    """P: an association of EKS Pod Identity takes the place of the annotation, and has needs of its own."""
    ident = "pod-identity"
    said = of_rules(case, ident)
    named = case.association.role_arn if case.association else ""
    # a list does not say which role: that of the annotation, or another
    unseen_role = case.association is not None and named == ""
    if said and not (unseen_role and said.causes[0].id == "podid-wins") and (said.verdict == "fail" or case.association):
        return said
    if case.association is None and case.has_no_association:
        return passed(ident, "the service account has no association")
    if case.association is None:
        refused = case.view.inventory.refused("associations", case.cluster_id, case.name)
        if case.shows_pod_identity:
            says = "the pods are set up for EKS Pod Identity, and the association was not given"
            name = case.cluster.name if case.cluster else "CLUSTER"
            how = f"aws eks list-pod-identity-associations --cluster-name {name} --namespace {case.namespace}"
            return Step(ident, "unknown", says if refused is None else f"{says}: {refused.missing}", (), how)
        return skipped(ident, "no associations were given") if refused is None else unseen(ident, refused)
    if unseen_role:
        return _association_of_unseen_role(case)
    if case.annotation and named != case.annotation:
        says = f"the association of {case.name} hands out {named}, not {case.annotation}"
        return failed(ident, says, Named("podid-wins", "certain", says, case.finding("podid-wins")))
    says = f"the association of {case.name} hands out {named}"
    if isinstance(named, str) and named not in case.view.role_by_arn and (arn := parse_arn(named)):
        name, what = arn.name.rpartition("/")[2], f"the trust policy of {named}"
        seen = case.view.inventory.unknown("roles", arn.account, name.lower(), what, f"aws iam get-role --role-name {name}")
        return Step(ident, "unknown", f"{says}; not given: {seen.missing}", (), seen.how)
    return passed(ident, says)


def _association_of_unseen_role(case: Case) -> Step:
    says = f"{case.name} has an association, whose role is not known"
    how = f"aws eks describe-pod-identity-association --cluster-name {case.cluster.name if case.cluster else 'CLUSTER'}"
    seen = case.view.inventory.unknown("association", case.cluster_id, case.name, "", f"{how} --association-id ID")
    likely = (Named("podid-wins", "likely", says),) if case.annotation else ()
    return Step("pod-identity", "unknown", f"{says}: {seen.missing}" if seen.missing else says, likely, seen.how)


token_volume = _workloads("token-volume", "the token that it should have is projected into a volume")
token_file = _workloads("token-file", "the file is where the environment says, and may be read")


def sdk(case: Case) -> Step:
    """L6: what comes before the web identity can be seen, which SDK it is and what it does cannot."""
    if (said := of_rules(case, "sdk")) or not case.workloads:
        return said or skipped("sdk", "no workload was given")
    how = f"kubectl exec -n {case.namespace} {_pod(case)} -- aws sts get-caller-identity"
    if minor := _possible(case, "sdk"):
        return Step("sdk", "unknown", minor[0].because, minor, how)
    says = "nothing that was given comes before the web identity; which SDK it is cannot be seen"
    return Step("sdk", "unknown", says, (), how)


def sts_endpoint(case: Case) -> Step:
    """L7: where the SDK calls can be seen, the network between cannot."""
    if (said := of_rules(case, "sts-endpoint")) or not case.workloads:
        return said or skipped("sts-endpoint", "no workload was given")
    region = (case.cluster.region if case.cluster else "") or Issuer.of(case.issuer).region or "REGION"
    how = f"kubectl exec -n {case.namespace} {_pod(case)} -- curl -sS https://sts.{region}.amazonaws.com"
    if minor := _possible(case, "sts-endpoint"):
        return Step("sts-endpoint", "unknown", minor[0].because, minor, how)
    says = "nothing that was given leads the SDK elsewhere; the network cannot be seen"
    return Step("sts-endpoint", "unknown", says, (), how)


def _possible(case: Case, ident: str) -> tuple[Named, ...]:
    """What rules find that is mostly harmless: here somebody asks why it does not work."""
    found = [f for findings in case.findings.values() for f in findings if link_of(f.rule) == ident and f.severity == "low"]
    return tuple(Named(named.id, "possible", named.because, named.finding) for named in named_by(found))


def _pod(case: Case) -> str:
    return next((workload.name for workload in case.workloads if workload.kind == "Pod"), "POD")
