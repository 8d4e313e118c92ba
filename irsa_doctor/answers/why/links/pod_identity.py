"""The link about EKS Pod Identity: an association takes precedence over the annotation, and has needs of its own."""

import shlex

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.by_rules import by_rules
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, passed, undecided, unseen
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.model import parse_arn

_LIST = "aws eks list-pod-identity-associations --cluster-name {cluster} --namespace {namespace}"
_DESCRIBE = "aws eks describe-pod-identity-association --cluster-name {cluster} --association-id "


def _disproof(case: Case) -> LinkState | None:
    state = by_rules("pod-identity")(case)
    if state is None or (_lacks_role(case) and state.signs[0].finding in case.findings.of_sign("association-of-other-role")):
        return None
    return state if state.verdict == "fail" or case.association else None


def _lacks_role(case: Case) -> bool:
    """A list of associations does not name their roles: it may be that of the annotation, or another."""
    return case.association is not None and case.association.role_arn == ""


def _pod_identity(case: Case) -> LinkState:
    if case.association is None:
        return _without_association(case)
    if _lacks_role(case):
        return _of_unknown_role(case)
    named = case.association.role_arn
    says = f"the association of {case.name} supplies {named}"
    if case.annotation and named != case.annotation:
        says = f"{says}, not {case.annotation}"
        return failed(says, Sign("association-of-other-role", says, case.finding_of("association-of-other-role")))
    if isinstance(named, str) and named not in case.view.role_by_arn and (arn := parse_arn(named)):
        name, what = arn.name.rpartition("/")[2], f"the trust policy of {named}"
        how = f"aws iam get-role --role-name {name}"
        missing = case.view.inventory.unknown("roles", arn.account, name.lower(), what, how)
        return undecided(f"{says}; not in the input: {missing.missing}", settle=missing.how)
    return passed(says)


def _without_association(case: Case) -> LinkState:
    if case.has_no_association:
        return passed("the service account has no association")
    refused = case.view.inventory.refused("associations", case.cluster_id, case.name)
    if case.shows_pod_identity:
        says = "the pods are set up for EKS Pod Identity, and the association is not in the input"
        return undecided(says if refused is None else f"{says}: {refused.missing}", settle=fill_command(_LIST, case))
    return inapplicable("no associations in the input") if refused is None else unseen(refused)


def _of_unknown_role(case: Case) -> LinkState:
    says = f"{case.name} has an association, whose role is not in the input"
    missing = case.view.inventory.unknown("association", case.cluster_id, case.name, "", _describe(case))
    signs = (Sign("association-of-other-role", says, at_most="likely"),) if case.annotation else ()
    return undecided(f"{says}: {missing.missing}" if missing.missing else says, *signs, settle=missing.how)


def _describe(case: Case) -> str:
    """The command that reads the association of a case; without its id, the one that lists it."""
    ident = case.association.id if case.association else ""
    return fill_command(_DESCRIBE, case) + shlex.quote(ident) if ident else fill_command(_LIST, case)


POD_IDENTITY_LINK = Link(
    id="pod-identity",
    title="EKS Pod Identity does not take precedence",
    signs=("association-of-other-role",),
    disproof=_disproof,
    examine=_pod_identity,
    decides=frozenset({"pod-identity"}),
)
