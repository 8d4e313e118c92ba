"""What a statement requires of each claim of a token at once: boxes of subjects, audiences and values of condition keys.

A Deny takes a box away from a box: what is left are the boxes in each of which one of its claims differs.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.issuers.profiles import ConditionKey, Profile
from irsa_doctor.model import Text, text_of
from irsa_doctor.trust.admitted import Grant, grant_of, speaks_of
from irsa_doctor.trust.conditions import Limit
from irsa_doctor.trust.languages import (
    EVERYTHING,
    NOTHING,
    Language,
    Like,
    complement,
    difference,
    intersection,
    literal,
    union,
)
from irsa_doctor.trust.patterns import Wild, glob_of, pieces_of, widest
from irsa_doctor.trust.policy import Condition, Policy, Value

_BOXES = 32


class ClaimSet(msgspec.Struct, frozen=True):
    """Values of a claim; `absent`: tokens without it are among them."""

    language: Language
    absent: bool

    @property
    def is_empty(self) -> bool:
        """Whether it has surely no value."""
        return self.language == NOTHING and not self.absent

    def within(self, other: "ClaimSet") -> "ClaimSet":
        """What is in both."""
        return ClaimSet(intersection((self.language, other.language)), self.absent and other.absent)

    @property
    def others(self) -> "ClaimSet":
        """Every value that is not in it."""
        return ClaimSet(complement(self.language), not self.absent)


ANYTHING = ClaimSet(EVERYTHING, True)
_NO_VALUE = ClaimSet(NOTHING, False)


class Box(msgspec.Struct, frozen=True):
    """Tokens with one of these subjects, one of these audiences, and these claims; a claim that is not named is open."""

    subjects: Language
    audiences: Language
    claims: tuple[tuple[str, ClaimSet], ...] = ()

    @property
    def by_claim(self) -> Mapping[str, ClaimSet]:
        """Its claims by name."""
        return dict(self.claims)

    @property
    def is_empty(self) -> bool:
        """Whether no token is in it, as far as that is seen without automata."""
        return NOTHING in (self.subjects, self.audiences) or any(values.is_empty for _, values in self.claims)

    def narrowed(self, claim: str, values: ClaimSet) -> "Box":
        """The box with fewer values of a claim."""
        claims = {**self.by_claim, claim: self.by_claim.get(claim, ANYTHING).within(values)}
        return msgspec.structs.replace(self, claims=tuple(sorted(claims.items(), key=lambda item: item[0])))


def claim_of(condition: Condition, issuer: str, profile: Profile) -> ConditionKey | None:
    """The key of an issuer (without scheme) that a condition checks, None where it checks something else."""
    prefix = f"{issuer.lower()}:"
    return profile.key_by_claim.get(condition.key[len(prefix) :]) if condition.key.startswith(prefix) else None


def values_of(condition: Condition, key: ConditionKey, *, variables: bool) -> tuple[ClaimSet, ClaimSet]:
    """The values with which a condition on a key holds, from above and from below."""
    use = condition.use
    if use.operator.family == "null":
        asked = {text_of(value).lower() == "true" for value in condition.values}
        exact = ClaimSet(EVERYTHING if False in asked else NOTHING, True in asked)
        return exact, exact
    if not condition.values:
        return ANYTHING, _NO_VALUE
    upper, lower = _languages(condition, key, variables=variables)
    if use.operator.negated:
        upper, lower = complement(lower), complement(upper)
    without_key = use.qualifier != "ForAnyValue" and (use.if_exists or use.qualifier == "ForAllValues" or use.operator.negated)
    absent = without_key and key.presence == "sometimes"
    return ClaimSet(upper, absent), ClaimSet(lower, absent)


def _languages(condition: Condition, key: ConditionKey, *, variables: bool) -> tuple[Language, Language]:
    """What the values of a condition match, from above and from below; placeholders are taken for what they will hold."""
    operator = condition.use.operator
    names_values = operator.family in ("string", "bool") or (operator.family == "numeric" and operator.comparison == "equal")
    if not names_values:
        return EVERYTHING, NOTHING
    upper: list[Language] = []
    lower: list[Language] = []
    for value in condition.values:
        language, is_exact = _of_value(value, condition, variables=variables)
        upper.append(language)
        lower += [language] if is_exact else []
    return union(upper), union(lower)


def _of_value(value: Value, condition: Condition, *, variables: bool) -> tuple[Language, bool]:
    operator = condition.use.operator
    if isinstance(value, Text):
        return literal(text_of(value)), True
    ignore_case = operator.comparison == "equal-ignoring-case" or operator.family == "bool"
    pieces = pieces_of(value, wildcards=operator.has_wildcards, variables=variables)
    plain = widest(pieces)
    if plain == (Wild.MANY,):
        return EVERYTHING, plain == pieces
    if all(isinstance(piece, str) for piece in plain) and not ignore_case:
        return literal("".join(map(str, plain))), plain == pieces
    return Like(glob_of(plain, ignore_case=ignore_case)), plain == pieces


def box_of(
    policy: Policy,
    grant: Grant,
    subjects: Language,
    audiences: Language,
    issuer: str,
    profile: Profile,
    *,
    strictly: bool = False,
) -> Box:
    """The tokens that one statement admits; `subjects` and `audiences` are what it leaves of them. `strictly`: as if no
    condition were true of tokens without its key."""
    box = Box(subjects, audiences)
    for condition in grant.statement.conditions:
        if key := claim_of(condition, issuer, profile):
            upper, _ = values_of(condition, key, variables=policy.variables)
            box = box.narrowed(key.key.lower(), ClaimSet(upper.language, False) if strictly else upper)
    return box


def boxes_of(policy: Policy, box: Box, provider: str, issuer: str, profile: Profile) -> Sequence[Box]:
    """What the Deny statements of a policy leave of a box. Those that compare no key of the issuer are taken off it already."""
    boxes: Sequence[Box] = (box,)
    for statement in policy.statements:
        if statement.allow or not statement.effect_seen or not speaks_of(statement, provider):
            continue
        denied = grant_of(policy, statement, issuer, profile=profile, provider=provider)
        parts = _denied(policy, denied, issuer, profile)
        if parts is None or len(boxes) * len(parts.claims) > _BOXES:
            continue
        boxes = [left for other in boxes for left in _without(other, parts) if not left.is_empty]
    return [left for left in boxes if not left.is_empty]


def _denied(policy: Policy, grant: Grant, issuer: str, profile: Profile) -> Box | None:
    """The tokens that a Deny surely keeps out, None where it compares no key of the issuer, or depends on more."""
    subjects = [limit.surely for limit in grant.limits if limit.effect == "sub"]
    audiences = [limit.surely for limit in grant.limits if limit.effect == "aud"]
    box = Box(intersection(subjects), intersection(audiences))
    for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True):
        if key := claim_of(condition, issuer, profile):
            _, lower = values_of(condition, key, variables=policy.variables)
            box = box.narrowed(key.key.lower(), lower)
        elif not _is_settled(limit):
            return None
    return box if box.claims and not box.is_empty else None


def _is_settled(limit: Limit) -> bool:
    return limit.effect in ("sub", "aud", "always")


def _without(box: Box, denied: Box) -> Iterable[Box]:
    """The parts of a box that differ from what is denied in one of its claims."""
    for claim, values in denied.claims:
        yield box.narrowed(claim, values.others)
    if denied.subjects != EVERYTHING:
        yield msgspec.structs.replace(box, subjects=difference(box.subjects, denied.subjects))
    if denied.audiences != EVERYTHING:
        yield msgspec.structs.replace(box, audiences=difference(box.audiences, denied.audiences))
