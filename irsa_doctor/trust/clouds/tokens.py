"""The tokens that a condition of Azure or Google Cloud admits: boxes of claims, from which the ring is read as for a role.

Both clouds take any claim of a token, AWS only some; what each claim narrows down is in the data file of the issuer.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from irsa_doctor.issuers import OTHER, Profile
from irsa_doctor.issuers.profiles import ConditionKey
from irsa_doctor.trust.claim_sets import Box, ClaimSet
from irsa_doctor.trust.clouds.cel import CelCondition, ClaimComparison, Junction, Literals, TokenAttribute
from irsa_doctor.trust.clouds.flexible import ClaimCondition
from irsa_doctor.trust.languages import EVERYTHING, NOTHING, Language, Like, complement, intersection, literal, union
from irsa_doctor.trust.patterns import Wild, glob_of, pieces_of, widest

_BOXES = 32


@lru_cache(maxsize=256)
def with_all_claims(profile: Profile) -> Profile:
    """A profile whose condition keys are all claims of its tokens."""
    if profile.keys == "any":
        return profile
    keys = {key.key.lower(): key for key in profile.keys}
    for name, claim in {**profile.custom, **profile.claims}.items():
        key = ConditionKey(key=name, level=claim.level, kind=claim.kind, within=claim.within)
        keys.setdefault(name.lower(), key)
    return msgspec.structs.replace(profile, keys=tuple(keys.values()))


class TokenBoxes(msgspec.Struct, frozen=True):
    """The tokens of some boxes; unless `exact`, there may be fewer: something of a condition is not worked out."""

    boxes: tuple[Box, ...]
    exact: bool = True

    def joined(self, other: "TokenBoxes") -> "TokenBoxes":
        """Those of both."""
        return TokenBoxes((*self.boxes, *other.boxes), self.exact and other.exact)


def like(text: str) -> Language:
    """The texts of a pattern in which a star is any text and a question mark one character."""
    pieces = widest(pieces_of(text, wildcards=True, variables=False))
    return EVERYTHING if pieces == (Wild.MANY,) else Like(glob_of(pieces))


def admitted_by_expression(conditions: Sequence[ClaimCondition], audiences: Language, profile: Profile) -> TokenBoxes:
    """The tokens that meet all conditions of a claims matching expression."""
    box, exact = Box(EVERYTHING, audiences), True
    for condition in conditions:
        language = like(condition.value) if condition.wildcards else literal(condition.value)
        narrowed = _narrowed(box, condition.claim, language, profile)
        box, exact = (box, False) if narrowed is None else (narrowed, exact)
    return TokenBoxes((box,) if not box.is_empty else (), exact)


def _narrowed(box: Box, claim: str, language: Language, profile: Profile) -> Box | None:
    """A box with fewer values of a claim, None where it is not known what the claim is."""
    if claim == "sub":
        return msgspec.structs.replace(box, subjects=intersection((box.subjects, language)))
    if claim == "aud":
        return msgspec.structs.replace(box, audiences=intersection((box.audiences, language)))
    if claim.lower() not in profile.key_by_claim:
        return None
    return box.narrowed(claim.lower(), ClaimSet(language, False))


class PoolReading(msgspec.Struct, frozen=True, kw_only=True):
    """What the conditions of one provider of a pool are read with: attribute -> claim, as far as its mapping copies claims."""

    profile: Profile
    issuer: str
    claims: Mapping[str, str]

    def claim_of(self, attribute: TokenAttribute) -> str:
        """The claim that an attribute is, "" where that is not known."""
        if attribute.of == "assertion":
            return attribute.name
        return self.claims.get(f"{attribute.of}.{attribute.name}", "")

    def admitted(self, start: TokenBoxes, condition: CelCondition) -> TokenBoxes:
        """The tokens of some boxes that meet a condition."""
        met = TokenBoxes((), start.exact)
        for box in start.boxes:
            met = met.joined(self._of_box(box, condition, holds=True))
        return met if len(met.boxes) <= _BOXES else TokenBoxes(start.boxes, False)

    def with_value(self, start: TokenBoxes, attribute: str, value: str) -> TokenBoxes:
        """The tokens of some boxes of which an attribute has a value."""
        of, _, name = attribute.partition(".")
        return self.admitted(start, _equal(TokenAttribute(of, name), value))

    def _of_box(self, box: Box, condition: CelCondition, *, holds: bool) -> TokenBoxes:
        if isinstance(condition, ClaimComparison):
            return self._compared(box, condition, holds=holds)
        if not isinstance(condition, Junction):
            return TokenBoxes((box,), False)
        if condition.operator == "!":
            return self._of_box(box, condition.parts[0], holds=not holds)
        if (condition.operator == "&&") is holds:
            met = TokenBoxes((box,))
            for part in condition.parts:
                met = self._each(met, part, holds=holds)
            return met
        met = TokenBoxes(())
        for part in condition.parts:
            met = met.joined(self._of_box(box, part, holds=holds))
        return met if len(met.boxes) <= _BOXES else TokenBoxes((box,), False)

    def _each(self, start: TokenBoxes, part: CelCondition, *, holds: bool) -> TokenBoxes:
        met = TokenBoxes((), start.exact)
        for box in start.boxes:
            met = met.joined(self._of_box(box, part, holds=holds))
        return met if len(met.boxes) <= _BOXES else TokenBoxes(start.boxes, False)

    def _compared(self, box: Box, comparison: ClaimComparison, *, holds: bool) -> TokenBoxes:
        """A claim that a token lacks is an error, with which no condition holds, negated or not."""
        language = self._language(comparison)
        claim = self.claim_of(comparison.claim)
        if language is None or not claim:
            return TokenBoxes((box,), False)
        language = language if holds else complement(language)
        if claim == "iss":
            return TokenBoxes((box,) if intersection((language, literal(self.issuer))) != NOTHING else ())
        narrowed = _narrowed(box, claim, language, self.profile)
        if narrowed is None:
            return TokenBoxes((box,), False)
        return TokenBoxes(() if narrowed.is_empty else (narrowed,))

    def _language(self, comparison: ClaimComparison) -> Language | None:
        """The texts with which a comparison holds, None where claims may be other than texts and are compared with these."""
        values = comparison.literals.values
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) < len(values) and not has_texts_alone(self.profile):
            return None
        if comparison.operator in ("==", "in", "!="):
            equal = literal(*texts) if texts else NOTHING
            return complement(equal) if comparison.operator == "!=" else equal
        begin = () if comparison.operator == "startsWith" else (Wild.MANY,)
        end = () if comparison.operator == "endsWith" else (Wild.MANY,)
        return union(Like(glob_of((*begin, text, *end))) for text in texts)


def has_texts_alone(profile: Profile) -> bool:
    """Whether every claim of the tokens of an issuer is a text, as with CI systems, so that none equals a number or boolean."""
    is_built_in = any(match.built_in for match in profile.match)
    return profile is not OTHER and profile.members == "customers" and not is_built_in


def _equal(attribute: TokenAttribute, value: str) -> CelCondition:
    return ClaimComparison("==", attribute, Literals((value,)))
