"""Whether a role that EKS Pod Identity hands out may assume the target roles of its associations, by its own permissions."""

from collections.abc import Iterator, Mapping
from typing import Literal

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.lookups.permissions import TargetPermission, target_permission
from irsa_doctor.model import Place, PodIdentityAssociation, Role, TrustPolicy, Unknown, text_of
from irsa_doctor.trust import read_policy

OnTarget = Literal["none", "granted", "denied", "lacking"]
_FAILING = ("denied", "lacking")


def on_targets(role: Role, lookups: Lookups) -> OnTarget | Unknown:
    """The permissions of a role on the target roles of its associations: what is not allowed, else what is not known."""
    states = [answer.state for _, answer in _answers(role, lookups)]
    failing = [state for state in states if state in _FAILING]
    unknown = [state for state in states if isinstance(state, Unknown)]
    return next(iter([*failing, *unknown, *states]), "none")


def on_targets_evidence(role: Role, lookups: Lookups) -> tuple[Mapping[str, str], Mapping[str, Place]]:
    """What messages say of the first target role that it may not assume."""
    for association, answer in _answers(role, lookups):
        if answer.state in _FAILING:
            names = {
                "own_target": text_of(association.target_role_arn),
                "own_target_action": answer.action,
                "own_target_how": "deny" if answer.state == "denied" else "do not allow",
                "own_target_associated": f"{text_of(association.namespace)}/{text_of(association.service_account)}",
            }
            at = answer.policy.place if answer.policy else role.place
            return names, {"own_target_permission": at, "own_target_association": association.place}
    return {}, {}


def _answers(role: Role, lookups: Lookups) -> Iterator[tuple[PodIdentityAssociation, TargetPermission]]:
    for association in lookups.associations_of_role.get(role.id, ()):
        if not association.target_role_arn:
            continue
        target = lookups.inventory.role_by_arn.get(text_of(association.target_role_arn))
        policy = read_policy(target.policy) if target and isinstance(target.policy, TrustPolicy) else None
        yield association, target_permission(role, association, policy, lookups)
