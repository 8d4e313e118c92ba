"""Whether a role has the permissions to assume another, as that of a Pod Identity association its target role.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.associations import ASSUME_ROLE, TAG_SESSION, target_call
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.model import PodIdentityAssociation, Role, TrustPolicy, Unknown, parse_arn, text_of
from irsa_doctor.trust import Policy
from irsa_doctor.trust.identity import (
    PermissionAnswer,
    PermissionRequest,
    deciding_policies,
    permission_answer,
    read_permissions,
)
from irsa_doctor.trust.services import RoleCall, may_assume

_CONDITIONS = Unknown("values of condition keys in the permission policies")


class TargetPermission(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a role may assume a target role by its own permissions: `action` is the one that it lacks, or that `policy`
    denies."""

    state: Literal["granted", "denied", "lacking"] | Unknown
    action: str = ""
    policy: TrustPolicy | None = None


class RoleStep(msgspec.Struct, frozen=True, kw_only=True):
    """A role that assumes another: `trust` is the trust policy of that one, None where it is not known, and `call_for` gives
    the request as far as the conditions of a policy depend on it."""

    source: Role
    target: str
    actions: tuple[str, ...]
    trust: Policy | None
    call_for: Callable[[Policy], RoleCall]


def target_permission(
    source: Role, association: PodIdentityAssociation, target: Policy | None, lookups: Lookups
) -> TargetPermission:
    """The permissions of the role of an association on its target role; `target` is the trust policy of that one, None where
    it is not known."""
    return step_permission(
        RoleStep(
            source=source,
            target=text_of(association.target_role_arn),
            actions=(ASSUME_ROLE, TAG_SESSION) if association.session_tags else (ASSUME_ROLE,),
            trust=target,
            call_for=lambda policy: target_call(association, lookups, policy),
        )
    )


def step_permission(step: RoleStep) -> TargetPermission:
    """Whether the permission policies of a role allow it to assume another, as far as they are in the input."""
    known = step.source.permissions
    if known is None:
        return TargetPermission(state=Unknown(f"permission policies of {step.source.arn}"))
    policies = [read_permissions(policy) for policy in known.policies]
    conditions = tuple(statement.statement for policy in policies for statement in policy.statements)
    call = step.call_for(Policy(True, conditions, (), 0))
    answers: list[TargetPermission] = []
    for action in step.actions:
        request = PermissionRequest(action=action, resource=step.target, context=call.known, present=call.present)
        answer = permission_answer(policies, request)
        if answer == "denied":
            policy = known.policies[deciding_policies(policies, request)[0]]
            return TargetPermission(state="denied", action=action, policy=policy)
        answers.append(_of_action(step.source, action, answer, _trusts_itself(step, action)))
    return max(answers, key=_weight)


def _weight(answer: TargetPermission) -> int:
    """What is unknown counts before what is granted, and what is lacking before both."""
    return 2 if answer.state == "lacking" else 1 if isinstance(answer.state, Unknown) else 0


def _of_action(source: Role, action: str, answer: PermissionAnswer | None, trusted: bool | None) -> TargetPermission:
    known = source.permissions
    if known is None or known.unread or known.boundary:
        return TargetPermission(state=Unknown(_unread(source)), action=action)
    if answer is None or (answer == "not-allowed" and trusted is None):
        return TargetPermission(state=_CONDITIONS, action=action)
    return TargetPermission(state="granted" if answer == "allowed" or trusted else "lacking", action=action)


def _unread(source: Role) -> str:
    """What of the permissions of a role is not known."""
    known = source.permissions
    listed = [*known.unread, *([f"permissions boundary {known.boundary}"] if known.boundary else [])] if known else []
    return f"permissions of {source.arn}: {', '.join(listed)}"


def _trusts_itself(step: RoleStep, action: str) -> bool | None:
    """Whether the target's trust policy alone is enough: in one account it is where it names the role itself, not the account;
    whether "*" is enough too is not known."""
    source, resource = parse_arn(step.source.arn), parse_arn(step.target)
    if source is None or resource is None or source.account != resource.account:
        return False
    if step.trust is None:
        return None
    call = step.call_for(step.trust)
    if may_assume(_naming(step.trust, (call.role,)), action, call):
        return True
    by_anybody = may_assume(_naming(step.trust, (call.role, "*")), action, call)
    return False if by_anybody is False else None


def _naming(policy: Policy, principals: Sequence[str]) -> Policy:
    """A policy without those of its Allow statements that name no such principal."""
    statements = (s for s in policy.statements if not s.allow or not {*map(text_of, s.aws)}.isdisjoint(principals))
    return msgspec.structs.replace(policy, statements=tuple(statements))
