"""What may be done about a finding, the best first: values that should stand in sources, each with its safety and proof.

To add a way: one function `(FixCase) -> Iterator[Proposal]`, one row in `WAYS`, its name in `model.edits.EditKind`, and the
rules that use it name it in their `edit` block.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.remedies.proposals.access import ACCESS_WAYS
from irsa_doctor.remedies.proposals.associations import ASSOCIATION_WAYS
from irsa_doctor.remedies.proposals.guardrails import GUARDRAIL_WAYS
from irsa_doctor.remedies.proposals.issuers import ISSUER_WAYS
from irsa_doctor.remedies.proposals.kubernetes import KUBERNETES_WAYS
from irsa_doctor.remedies.proposals.policies import POLICY_WAYS, merged_members, policy_proposals
from irsa_doctor.remedies.proposals.provider_resources import RESOURCE_WAYS
from irsa_doctor.remedies.proposals.providers import PROVIDER_WAYS
from irsa_doctor.remedies.proposals.records import STEPS, FixCase, Proposal, Unfixable
from irsa_doctor.remedies.proposals.workloads import WORKLOAD_WAYS

FixWay = Callable[[FixCase], Iterator[Proposal]]

WAYS: Mapping[EditKind, FixWay] = {
    **{kind: partial(policy_proposals, way) for kind, way in POLICY_WAYS.items()},
    **KUBERNETES_WAYS,
    **WORKLOAD_WAYS,
    **PROVIDER_WAYS,
    **RESOURCE_WAYS,
    **ASSOCIATION_WAYS,
    **GUARDRAIL_WAYS,
    **ACCESS_WAYS,
    **ISSUER_WAYS,
    "duplicates": merged_members,
}
"""the ways to fix something, by name"""

SHARED_WAYS: frozenset[EditKind] = frozenset({*POLICY_WAYS, *PROVIDER_WAYS, *ISSUER_WAYS})
"""the ways in which roles that are alike are fixed alike; those of providers give a role nothing"""


def proposals(case: FixCase, ways: Sequence[EditKind], at_most: Safety) -> Iterator[Proposal]:
    """The proposals of several ways: safe ones before unsafe ones, else in the order of the ways; each change once.

    `at_most`: none is safer than that. Each is worked out when it is asked for. Raises Unfixable where there is none, as the
    first way that has a reason says it.
    """
    held: list[Proposal] = []
    shown: list[Proposal] = []
    why: Unfixable | None = None
    for kind in ways:
        try:
            for proposal in WAYS[kind](case):
                if any(proposal.wishes == other.wishes for other in (*held, *shown)):
                    continue
                each = _graded(proposal, at_most, last=kind == "pattern")
                is_first = each.safety == at_most and not each.last_resort
                (shown if is_first else held).append(each)
                if is_first:
                    yield each
        except Unfixable as error:
            why = why or error.anew()
    if not held and not shown:
        raise why.anew() if why else Unfixable("no-remedy", "no edit follows from the input")
    yield from sorted(held, key=lambda each: (each.safety == "unsafe", each.last_resort))


def _graded(proposal: Proposal, at_most: Safety, *, last: bool) -> Proposal:
    """A proposal that is no safer than its rule lets it be."""
    graded = msgspec.structs.replace(proposal, last_resort=proposal.last_resort or last)
    if not (at_most == "unsafe" and proposal.safety == "safe"):
        return graded
    return msgspec.structs.replace(graded, safety=at_most, because=f"{proposal.because}; {_DECISION}")


_DECISION = "whether it is what was meant is for a person to say"
"""what is open about a change that harms nobody, where the remedy may be another one"""


__all__ = ["SHARED_WAYS", "STEPS", "WAYS", "FixCase", "Proposal", "Unfixable", "proposals"]
