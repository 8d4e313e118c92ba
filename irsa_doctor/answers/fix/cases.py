"""The cases of roles before and after an edit: a template may give a role another policy in each of its deployments."""

from collections.abc import Iterable, Mapping, Sequence

from irsa_doctor.model import Inventory, TrustPolicy
from irsa_doctor.remedies.proposals import Proposal


def policies_of(inventory: Inventory) -> Mapping[str, Sequence[object]]:
    """The trust policies by the id of their role, those of all of its cases."""
    policies: dict[str, list[object]] = {}
    for role in inventory.roles:
        if isinstance(role.policy, TrustPolicy):
            policies.setdefault(role.id, []).append(role.policy.document)
    return policies


def lose_a_case(before: Sequence[object], after: Sequence[object], proposals: Iterable[Proposal]) -> bool:
    """Whether cases of a role with policies of their own have one and the same, which was asked for one of them alone: a text
    has taken the place of what each deployment gives."""
    asked = (proposal.role.policy for proposal in proposals if proposal.role is not None)
    meant = [policy.document for policy in asked if isinstance(policy, TrustPolicy)]
    lost = [policy for policy in before if policy not in after and policy not in meant]
    return bool(lost) and _number_of_different(after) < _number_of_different(before)


def _number_of_different(policies: Sequence[object]) -> int:
    return sum(1 for number, policy in enumerate(policies) if policy not in policies[:number])
