"""The link about EKS Pod Identity: an association takes precedence over the annotation, and EKS may assume its role."""

import shlex

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.identities import apart_from_association, shown_identity
from irsa_doctor.answers.why.links.agent import AGENT_SIGNS, without_agent
from irsa_doctor.answers.why.links.by_rules import by_rules
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.programs import PROGRAM_SIGN, without_pod_identity
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, observed, passed, undecided, unseen
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.lookups.associations import TrustAnswer, role_answer, service_call
from irsa_doctor.facts.roles.pod_identity import miss_text, place_of
from irsa_doctor.model import TrustPolicy, Unknown, parse_arn, text_of
from irsa_doctor.model.commands import shell_command
from irsa_doctor.model.findings import Location
from irsa_doctor.trust.holding import RequestContext

_LIST = "aws eks list-pod-identity-associations --cluster-name {cluster} --namespace {namespace}"
_POD = "kubectl get pod -n {namespace} {pod} -o yaml"
_DESCRIBE = "aws eks describe-pod-identity-association --cluster-name {cluster} --association-id "
_SIGNS = {
    "no-trust": "association-role-not-trusting",
    "no-tags": "association-role-without-tags",
    "external-id": "external-id-differs",
    "tags-off": "association-tags-off",
    "condition": "association-condition-not-met",
}
_OF_ROLES = frozenset({"role", "grant", "binding"})


def _disproof(case: Case) -> LinkState | None:
    # what the cluster lacks for EKS Pod Identity breaks nothing for a pod that has a web identity
    but = _OF_ROLES if case.uses_pod_identity or not case.association else _OF_ROLES | {"cluster"}
    state = by_rules("pod-identity", but=but)(case)
    if state is None or (_lacks_role(case) and state.signs[0].finding in case.findings.of_sign("association-of-other-role")):
        return None
    if state.verdict != "fail" and not case.association:
        return None
    own = _trust(case) if case.uses_pod_identity else None
    if own is None or own.verdict != "fail":
        return state
    return failed(own.because, *own.signs, *state.signs)


def _lacks_role(case: Case) -> bool:
    """A list of associations does not name their roles: it may be that of the annotation, or another."""
    return case.association is not None and case.association.role_arn == ""


def _pod_identity(case: Case) -> LinkState:
    if case.association is None:
        return _without_association(case)
    if _lacks_role(case):
        return of_unknown_role(case)
    named = case.association.role_arn
    says = f"the association of {case.name} supplies {text_of(named)}"
    trust = _trust(case) if case.uses_pod_identity else None
    if case.annotation and named != case.annotation:
        says = f"{says}, not {case.annotation}"
        sign = Sign("association-of-other-role", says, case.finding_of("association-of-other-role"))
        refused = trust.signs if trust and trust.verdict == "fail" else ()
        return failed(trust.because if trust and refused else says, *refused, sign)
    if trust is None or trust.verdict == "pass":
        return (
            _apart(case) or without_agent(case) or without_pod_identity(case) or _unlike_template(case) or trust or passed(says)
        )
    return trust


def _apart(case: Case) -> LinkState | None:
    """Containers that find another identity before the association: by their manifest, which may be meant."""
    others = list(apart_from_association(case)) if case.uses_pod_identity else []
    if not others:
        return None
    listed = "; ".join(f"{identity.container} of {identity.workload} uses {shown_identity(identity)}" for identity in others)
    says = f"the association has no effect in every container: {listed}"
    return undecided(says, Sign("container-with-other-identity", says, at_most="likely"), settle=fill_command(_POD, case))


def _unlike_template(case: Case) -> LinkState | None:
    """An association that EKS has otherwise than the template that makes it: a sign only where something fails."""
    differences = case.association.differences if case.association else ()
    if not differences or not case.reports_failure:
        return None
    says = f"EKS has another {', '.join(differences)} for the association of {case.name} than its template"
    return undecided(says, Sign("association-differs-from-template", says, at_most="possible"), settle=_describe(case))


def _without_association(case: Case) -> LinkState:
    if case.has_no_association:
        return passed("the service account has no association")
    refused = case.view.inventory.refused("associations", case.cluster_id, case.name)
    if case.shows_pod_identity:
        says = "the pods are set up for EKS Pod Identity, and the association is not in the input"
        return undecided(says if refused is None else f"{says}: {refused.missing}", settle=fill_command(_LIST, case))
    if refused is not None:
        return unseen(refused)
    return inapplicable("no associations in the input")


def of_unknown_role(case: Case) -> LinkState:
    """The state where the input has a list of associations, which does not name their roles."""
    says = f"{case.name} has an association, whose role is not in the input"
    missing = case.view.inventory.unknown("association", case.cluster_id, case.name, "", _describe(case))
    signs = (Sign("association-of-other-role", says, at_most="likely"),) if case.annotation else ()
    return undecided(f"{says}: {missing.missing}" if missing.missing else says, *signs, settle=missing.how)


def _describe(case: Case) -> str:
    """The command that reads the association of a case; without its id, the one that lists it."""
    ident = case.association.id if case.association else ""
    return fill_command(_DESCRIBE, case) + shlex.quote(ident) if ident else fill_command(_LIST, case)


# ---- the trust policy of the association's role


def _trust(case: Case) -> LinkState:
    """Whether EKS may assume the role of the association."""
    if case.association is None:
        return inapplicable("no association in the input")
    named, analysed = text_of(case.association.role_arn), case.supplied
    if analysed is None and _is_absent(case, named):
        return observed("role-absent", f"{named}, the role of the association of {case.name}, does not exist")
    if analysed is None or analysed.policy is None:
        return unseen(policy_unseen(case, named, analysed))
    answer = role_answer(analysed.policy, case.association, case.view)
    if answer.state == "served":
        return passed(f"EKS may assume {named}, the role of the association of {case.name}")
    known = service_call(case.association, case.view, analysed.policy).known
    return of_answer(case, analysed, answer, known, f"EKS may not assume {named} for {case.name}")


def _is_absent(case: Case, named: str) -> bool:
    """Whether the account of a role is listed whole, and has none of its name."""
    arn = parse_arn(named)
    return arn is not None and case.view.inventory.closed.has_role(arn.account, named.rpartition("/")[2])


def policy_unseen(case: Case, named: str, analysed: AnalysedRole | None) -> Unknown:
    """Why the trust policy of a role is not known, with the command for it."""
    if analysed is not None and isinstance(analysed.role.policy, Unknown):
        return analysed.role.policy
    arn, what = parse_arn(named), f"the trust policy of {named}"
    name = named.rpartition("/")[2]
    return case.view.inventory.unknown("roles", arn.account if arn else "", name.lower(), what, _get_role(name))


def _get_role(name: str) -> str:
    return shell_command("aws iam get-role --role-name {}", name)


def of_answer(case: Case, analysed: AnalysedRole, answer: TrustAnswer, known: RequestContext, says: str) -> LinkState:
    """The state for a trust policy that refuses a request of EKS Pod Identity, or that may."""
    if answer.state == "unknown":
        keys = ", ".join(answer.keys) or "placeholders"
        return undecided(
            f"{says} for some values of {keys}, which the input does not have", settle=_get_role(analysed.role.name)
        )
    if answer.state == "explained":
        return _refused(case, analysed)
    why = (
        f"the trust policy does not allow {answer.action}"
        if not answer.misses
        else f"{answer.action}: {miss_text(answer.misses[0], known)}"
    )
    sign = _SIGNS[answer.state]
    if answer.presumed:
        sign = "association-condition-presumed"
    return failed(f"{says}: {why}", Sign(sign, f"{says}: {why}", None, _places(case, analysed, answer)))


def _places(case: Case, analysed: AnalysedRole, answer: TrustAnswer) -> tuple[Location, ...]:
    source = analysed.role.policy
    if not isinstance(source, TrustPolicy):
        return ()
    if not answer.misses:
        return (case.located(source.place, f"does not allow {answer.action}"),)
    return tuple(case.located(place_of(miss, source), "does not hold") for miss in answer.misses)


def _refused(case: Case, analysed: AnalysedRole) -> LinkState:
    """A document that IAM refuses to save is not the one in force."""
    source = analysed.role.policy
    places = (case.located(source.place, "is refused"),) if isinstance(source, TrustPolicy) else ()
    return observed("document-refused", f"IAM refuses to save the trust policy of {analysed.role.name}", *places)


POD_IDENTITY_LINK = Link(
    id="pod-identity",
    of_pods=True,
    title="EKS Pod Identity does not take precedence",
    signs=(
        "association-of-other-role",
        "role-absent",
        *_SIGNS.values(),
        "association-condition-presumed",
        "document-refused",
        "association-differs-from-template",
        "container-with-other-identity",
        *AGENT_SIGNS,
        PROGRAM_SIGN,
    ),
    disproof=_disproof,
    examine=_pod_identity,
    decides=frozenset({"pod-identity"}),
)
