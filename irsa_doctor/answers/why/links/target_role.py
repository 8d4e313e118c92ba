"""The link about a target role: the role of a Pod Identity association may assume it.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
"""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.pod_identity import of_answer, of_unknown_role, policy_unseen
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, passed, undecided, unseen
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts.lookups.associations import target_answer, target_call
from irsa_doctor.facts.lookups.permissions import target_permission
from irsa_doctor.model import Text, Unknown, text_of
from irsa_doctor.trust import Policy

_SIMULATE = (
    "aws iam simulate-principal-policy --policy-source-arn {source_role} "
    "--action-names sts:AssumeRole sts:TagSession --resource-arns {target_role}"
)
_LIST = "aws eks list-pod-identity-associations --cluster-name {cluster} --namespace {namespace}"
_SIGNS = {"no-trust", "no-tags", "condition"}


def _target_role(case: Case) -> LinkState:
    association = case.association
    if association is None or not case.target_role:
        return inapplicable("the association has no target role")
    if not association.role_arn:
        return of_unknown_role(case)
    analysed, source = case.target, text_of(association.role_arn)
    if analysed is None and isinstance(association.target_role_arn, Text):
        says = f"a template fills in the target role of the association of {case.name}: {case.target_role}"
        return undecided(says, settle=fill_command(_LIST, case))
    if analysed is None or analysed.policy is None:
        return unseen(policy_unseen(case, case.target_role, analysed))
    if isinstance(association.role_arn, Text):
        return undecided(f"a template fills in the role that assumes {case.target_role}: {source}")
    says = f"{source} may not assume the target role {case.target_role} for {case.name}"
    answer = target_answer(analysed.policy, association, case.view)
    if answer.state == "served":
        return _permission(case, source, analysed.policy)
    state = of_answer(case, analysed, answer, target_call(association, case.view, analysed.policy).known, says)
    if answer.state not in _SIGNS:
        return state
    signs = tuple(Sign("target-role-not-trusting", sign.because, None, sign.places) for sign in state.signs)
    return LinkState(state.verdict, state.because, signs, state.settle)


def _permission(case: Case, source: str, target: Policy) -> LinkState:
    """The trust of the target is one half; the other are the permissions of the first role."""
    first, association = case.supplied, case.association
    if first is None or association is None:
        return _permission_unseen(case, source, "")
    answer = target_permission(first.role, association, target, case.view)
    if answer.state == "granted":
        return passed(f"{case.target_role} trusts {source}, which has the permissions for it")
    if isinstance(answer.state, Unknown):
        return _permission_unseen(case, source, f": {answer.state.missing}")
    how = "deny" if answer.state == "denied" else "do not allow"
    says = f"the permission policies of {source} {how} {answer.action} on {case.target_role}"
    place = answer.policy.place if answer.policy else first.role.place
    return failed(says, Sign("source-role-without-permission", says, None, (case.located(place, says),)))


def _permission_unseen(case: Case, source: str, missing: str) -> LinkState:
    says = f"{case.target_role} trusts {source}; whether {source} has the permissions for it is not in the input{missing}"
    return undecided(
        says, Sign("source-role-permission-unseen", says, at_most="possible"), settle=fill_command(_SIMULATE, case)
    )


def _no_pod_identity(case: Case) -> str:
    return "" if case.uses_pod_identity else "EKS Pod Identity does not supply the role"


TARGET_ROLE_LINK = Link(
    id="target-role",
    of_pods=True,
    title="the role of the association may assume its target role",
    signs=(
        "target-role-not-trusting",
        "external-id-differs",
        "association-tags-off",
        "source-role-permission-unseen",
        "source-role-without-permission",
    ),
    skips=(_no_pod_identity,),
    examine=_target_role,
    decides=frozenset({"target-role"}),
)
