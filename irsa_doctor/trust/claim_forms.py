"""What a pattern says of subjects in a form that a tenant made of claims: `name:value` each, and no value has a colon.

https://docs.github.com/en/actions/reference/security/oidc (a colon in a value becomes `%3A`).
"""

import re
from collections.abc import Sequence

from irsa_doctor.issuers.profiles import CustomClaim, Profile, Segment
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.patterns import Wild
from irsa_doctor.trust.segments import Held, SegmentValue, Token, laid_beside

_NAME = regex(r"\w+", re.ASCII)
_WILD = "\0"
"""in the text of a pattern, for a wildcard"""


def by_claims(tokens: Sequence[Token], profile: Profile) -> tuple[SegmentValue, ...] | None:
    """What a pattern of subjects in a form of claims says of each; None where it is none of these."""
    text = "".join(token if isinstance(token, str) else token.name if isinstance(token, Held) else _WILD for token in tokens)
    literal, star, tail = text.partition(_WILD)
    values: list[SegmentValue] = []
    names: list[str] = []
    claims: list[CustomClaim] = []
    rest = literal
    while rest:
        name, colon, behind = rest.partition(":")
        claim = profile.custom_claim(name)
        if claim is None:
            break
        if not colon and not star and not claim.unreviewed:
            return None
        value, closed, rest = ("", colon, behind) if claim.unreviewed else behind.partition(":")
        names.append(name)
        claims.append(claim)
        values += _of_claim(name, claim, value, is_whole=bool(closed) or not star)
    if rest and (not star or ":" in rest):
        return None
    if (behind_star := _behind(tail, profile)) is None:
        return None
    named = [*claims, *(claim for claim, _ in behind_star)]
    if claims and claims[0].never_first:
        return None
    is_other = _begins_otherwise(names, profile) or any(not claim.usual for claim in named)
    return (*values, *(value for _, value in behind_star)) if is_other else None


def _begins_otherwise(names: Sequence[str], profile: Profile) -> bool:
    """Whether the first of these claims begins no usual form."""
    return bool(names) and all(not form.form.startswith(f"{names[0]}:") for form in profile.subject)


def _of_claim(name: str, claim: CustomClaim, value: str, *, is_whole: bool) -> tuple[SegmentValue, ...]:
    for template in claim.within:
        if values := laid_beside((*value, *(() if is_whole or not value else (Wild.MANY,))), template):
            return values
    if not is_whole:
        segment = Segment(level=claim.level, charset="^", kind=claim.kind)
        return (SegmentValue(name, segment, None, value),)
    unreviewed = (value,) if claim.unreviewed else ()
    segment = Segment(level=claim.level, charset="^", kind=claim.kind, unreviewed=unreviewed)
    return (SegmentValue(name, segment, value, "", True),)


_Named = tuple[str, CustomClaim]


def _behind(tail: str, profile: Profile) -> list[tuple[CustomClaim, SegmentValue]] | None:
    """The claims behind the first wildcard, and what is said of them; None where the text there is not of this form.

    A whole claim is fixed there too, because no value has a colon.
    """
    named: list[tuple[CustomClaim, SegmentValue]] = []
    *runs, last = tail.split(_WILD)
    for run in (*runs, last):
        claims = _read_run(run.split(":"), profile, is_last=run is last)
        if claims is None:
            return None
        named += claims
    return named


def _read_run(fragments: Sequence[str], profile: Profile, *, is_last: bool) -> list[tuple[CustomClaim, SegmentValue]] | None:
    """The claims of a literal text, which begins in a value or in a name; None where it does neither."""
    for begin in (1, 0):
        names, values = fragments[begin::2], fragments[begin + 1 :: 2]
        claims = [_claim_of(name, profile, is_whole=bool(begin or at)) for at, name in enumerate(names[: len(values)])]
        if None in claims or not all(_is_begun(name, profile, is_last=is_last) for name in names[len(values) :]):
            continue
        closed = len(values) if is_last or len(names) > len(values) else len(values) - 1
        return [
            (claim[1], _said_behind(claim, value, is_whole=bool(begin or at) and at < closed))
            for at, (claim, value) in enumerate(zip(claims, values, strict=True))
            if claim is not None
        ]
    return None


def _said_behind(named: _Named, text: str, *, is_whole: bool) -> SegmentValue:
    name, claim = named
    segment = Segment(level=claim.level, charset="^", kind=claim.kind)
    return SegmentValue(name, segment, text, "", True) if is_whole else SegmentValue(name, segment, None, text)


def _claim_of(name: str, profile: Profile, *, is_whole: bool) -> _Named | None:
    """The claim with a name, or one with a name that ends so."""
    if is_whole:
        claim = profile.custom_claim(name)
        return (name, claim) if claim else None
    own = [f"{begin}{name}" for begin in profile.custom_families if _NAME.fullmatch(name)]
    ending = [*sorted((other for other in profile.custom if other.endswith(name)), key=len), *own]
    return next(((other, claim) for other in ending if (claim := profile.custom_claim(other))), None)


def _is_begun(name: str, profile: Profile, *, is_last: bool) -> bool:
    """Whether a name without a value is one, or goes on behind the next wildcard."""
    if is_last:
        claim = profile.custom_claim(name)
        return claim is not None and claim.unreviewed
    return profile.custom_claim(name) is not None or any(other.startswith(name) for other in profile.custom)
