"""Facts of a role that another role is configured to assume, and what messages say of it."""

from collections.abc import Iterator, Mapping
from typing import Literal

from irsa_doctor.facts.lookups.chains import ChainStep
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.lookups.permissions import RoleStep, step_permission
from irsa_doctor.model import Place, Role, Unknown
from irsa_doctor.trust import Policy
from irsa_doctor.trust.services import may_assume

Chained = Literal["none", "served", "explained", "no-trust", "no-permission"]
"""`explained`: the policy is refused, which is a finding of its own"""
_OPEN = Unknown("values of condition keys in the requests of the roles that assume it")


def reached_by_chain(role: Role, policy: Policy, lookups: Lookups) -> Chained | Unknown:
    """Whether the roles that are configured to assume the role may: its trust policy allows it, and their own policies do."""
    steps = lookups.chains.by_target.get(role.arn, ()) if role.arn else ()
    if not steps:
        return "none"
    if policy.refused:
        return "explained"
    if failing := _failing(steps, policy, lookups):
        return failing[1]
    answers = [may_assume(policy, action, step.call) for step in steps for action in step.actions]
    return _OPEN if None in answers else "served"


def chain_evidence(role: Role, policy: Policy | None, lookups: Lookups) -> tuple[dict[str, str], dict[str, Place]]:
    """The names and places that messages have of the step that fails, else of the first."""
    steps = lookups.chains.by_target.get(role.arn, ()) if role.arn else ()
    if not steps:
        return {}, {}
    failing = _failing(steps, policy, lookups) if policy and not policy.refused else None
    step, action = (failing[0], failing[2]) if failing else (steps[0], steps[0].actions[0])
    permitted = failing is None or failing[1] == "no-trust"
    refusal = "the trust policy of that role does not allow it" if permitted else "its own policies do not allow it"
    names = {
        "chain_source": step.source,
        "chain_caller": step.call.role,
        "chain_action": action,
        "chain_refusal": refusal,
    }
    return names, {"chain": step.place}


def _failing(
    steps: tuple[ChainStep, ...], policy: Policy, lookups: Lookups
) -> tuple[ChainStep, Literal["no-trust", "no-permission"], str] | None:
    """The first step that cannot be made, why, and the action; a step of a caller that is only presumed proves nothing."""
    certain = [step for step in steps if not step.presumed]
    for step in certain:
        for action in step.actions:
            if may_assume(policy, action, step.call) is False:
                return step, "no-trust", action
    return next(_not_permitted(certain, policy, lookups.inventory.role_by_arn), None)


def _not_permitted(
    steps: list[ChainStep], policy: Policy, roles: Mapping[str, Role]
) -> Iterator[tuple[ChainStep, Literal["no-trust", "no-permission"], str]]:
    for step in steps:
        source = roles.get(step.call.role)
        if source is None or source.permissions is None:
            continue
        answer = step_permission(_request_of(step, source, policy))
        if answer.state in ("denied", "lacking"):
            yield step, "no-permission", answer.action


def _request_of(step: ChainStep, source: Role, policy: Policy) -> RoleStep:
    return RoleStep(source=source, target=step.target, actions=step.actions, trust=policy, call_for=lambda policy: step.call)
