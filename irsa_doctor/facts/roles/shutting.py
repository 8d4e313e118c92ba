"""The Deny statements that keep tokens out, by the way in which they do: they match, or a key that they negate is missing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.issuers import EKS, Profile
from irsa_doctor.model import Place, parse_arn, text_of
from irsa_doctor.trust import Admitted, Policy, Statement, admitted
from irsa_doctor.trust.denials import absent_conditions, touching

Shuts = Literal["none", "matches", "missing-key", "both"]


class Shutting(msgspec.Struct, frozen=True):
    """Deny statements that keep somebody out: those that match, and those that match because a key is missing (`keys`)."""

    matching: tuple[Statement, ...] = ()
    missing: tuple[Statement, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def kind(self) -> Shuts:
        """How they keep somebody out."""
        if self.matching and self.missing:
            return "both"
        return "missing-key" if self.missing else "matches" if self.matching else "none"

    def names(self, role: str) -> dict[str, str]:
        """What messages say of them."""
        return {
            "denying": _in_words(self.matching, role),
            "denying_without": _in_words(self.missing, role),
            "absent_keys": ", ".join(self.keys[:6]),
        }

    def places(self, policy: Place) -> dict[str, Place]:
        """Where the first of each kind stands."""
        named = {"denial": self.matching, "denial_without": self.missing}
        return {name: policy.at(*statements[0].steps, "Effect") for name, statements in named.items() if statements}


def shutting_of(statements: Iterable[Statement], issuer: str, profile: Profile = EKS) -> Shutting:
    """Deny statements by the way in which they match tokens of an issuer (without scheme)."""
    listed = {id(statement): statement for statement in statements}.values()
    absent = {id(statement): absent_conditions(statement, issuer, profile) for statement in listed}
    return Shutting(
        tuple([statement for statement in listed if not absent[id(statement)]]),
        tuple([statement for statement in listed if absent[id(statement)]]),
        tuple(dict.fromkeys(text_of(c.raw_key) for conditions in absent.values() for c in conditions)),
    )


def shutting_of_role(policy: Policy, today: Policy, by_provider: Mapping[str, Admitted]) -> Shutting:
    """The Deny statements that leave none of the subjects that Allow statements admit; `today` is the policy as it reads
    now. Where each kind of them alone leaves none, both kinds are told."""
    for provider, always in by_provider.items() if today.has_deny else ():
        arn = parse_arn(provider)
        if arn is None:
            continue
        admits = always if today is policy else admitted(today, provider, arn.name, profile=always.profile)
        if admits.reach.scope != "nobody" or _is_closed(today, (), provider, always.profile):
            continue
        found = shutting_of(touching(admits), arn.name, admits.profile)
        if found.kind != "both":
            return found
        by_match, by_key = (_is_closed(today, each, provider, always.profile) for each in (found.matching, found.missing))
        if by_match:
            return found if by_key else Shutting(found.matching)
        return Shutting((), found.missing, found.keys)
    return Shutting()


def _is_closed(policy: Policy, denying: Sequence[Statement], provider: str, profile: Profile) -> bool:
    """Whether the Allow statements with some of the Deny statements leave nobody."""
    kept = {statement.index for statement in denying}
    statements = tuple([s for s in policy.statements if s.allow or s.index in kept])
    arn = parse_arn(provider)
    left = admitted(msgspec.structs.replace(policy, statements=statements), provider, arn.name if arn else "", profile=profile)
    return left.reach.scope == "nobody"


def _in_words(statements: Sequence[Statement], role: str) -> str:
    if len(statements) < 2:
        return f"A Deny statement of {role} denies"
    *first, last = [str(statement.index) for statement in statements]
    return f"The Deny statements {', '.join(first)} and {last} of {role} deny"
