"""What a policy admits for providers that its template leaves open, whoever they will be."""

from collections.abc import Iterable, Iterator

from irsa_doctor.model import Text
from irsa_doctor.trust import Admitted, Policy, admitted
from irsa_doctor.trust.association import SeenPolicy, policy_seen_for


def principals_of(policy: Policy) -> set[str | Text]:
    """The providers whose tokens some statement lets in, known or not."""
    return {value for statement in policy.statements if statement.allow for value in statement.federated}


def admitted_through(policy: Policy, principal: str | Text) -> tuple[Admitted, SeenPolicy]:
    """What a policy admits of the tokens of a principal, and the policy as it reads for them."""
    seen = policy_seen_for(policy, principal)
    return admitted(seen.policy, seen.principal, seen.issuer), seen


def admitted_through_holes(policy: Policy | None) -> Iterator[tuple[str, Admitted]]:
    """Yield what a policy admits for each provider that a template leaves open, by the name of its issuer."""
    for value in principals_of(policy) if policy else ():
        if policy and isinstance(value, Text):
            admits, seen = admitted_through(policy, value)
            yield seen.issuer, admits


def is_certain(policies: Iterable[Policy | None]) -> bool:
    """Whether no key of the policies is only presumed to be of the issuer of its principal."""
    return all(policy_seen_for(policy, value).certain for policy in policies if policy for value in principals_of(policy))
