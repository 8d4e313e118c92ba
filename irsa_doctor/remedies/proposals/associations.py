"""Ways to let EKS Pod Identity hand out a role, and to name the role that admits a service account."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.roles.role import analyse
from irsa_doctor.model import PodIdentityAssociation, TrustPolicy, text_of
from irsa_doctor.model.edits import EditKind
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.pod_identity import association_policy_for
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable
from irsa_doctor.remedies.targets import case_of


def _association(case: FixCase) -> Iterator[Proposal]:
    """The trust policy admits EKS Pod Identity, or the role that it hands out, for every association that names the role."""
    analysed, associations = _handed_out(case)
    source = analysed.role.policy
    if not isinstance(source, TrustPolicy):
        raise Unfixable("not-in-source", "the trust policy of the role is not in the input")
    last, offered = analysed, list[Fix]()
    for association, is_target in associations:
        fix = association_policy_for(case.view, last, association, target=is_target)
        if fix is not None and fix.policy is not None:
            offered.append(fix)
            policy = msgspec.structs.replace(source, document=dict(fix.policy), size=-1)
            last = analyse(msgspec.structs.replace(analysed.role, policy=policy), case.view)
    made = last.role.policy
    if not offered or not isinstance(made, TrustPolicy) or not isinstance(made.document, dict):
        raise Unfixable("value-unknown", "too little is known of the association to admit no other")
    yield Proposal(
        wishes=(Wish(source.place, source.document, made.document),),
        safety="unsafe",
        because="pods of the service account of the association then get the role from EKS Pod Identity",
        policy=made.document,
        role=analysed.role,
        commands=offered[-1].commands,
        offered=offered[0] if len(offered) == 1 else None,
    )


def _handed_out(case: FixCase) -> tuple[AnalysedRole, Sequence[tuple[PodIdentityAssociation, bool]]]:
    """The role of a finding, and the associations that name it, each with whether it is the target role of that."""
    view = case.view
    if case.judged.kind == "role":
        analysed = case_of(view, case.judged)
    else:
        account = str(case.judged.evidence().names.get("account") or "")
        named = [a for a in view.inventory.associations if f"{text_of(a.namespace)}/{text_of(a.service_account)}" == account]
        analysed = view.role_by_arn.get(text_of(named[0].role_arn)) if len(named) == 1 else None
    if analysed is None:
        raise Unfixable("not-in-source", "the role of the association is not in the input")
    own, target = view.associations_of_role.get(analysed.role.id, ()), view.associations_of_target.get(analysed.role.arn, ())
    return analysed, [*((each, False) for each in own), *((each, True) for each in target)]


ASSOCIATION_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {"association": _association}
"""the ways to change what EKS Pod Identity hands out, by name"""
