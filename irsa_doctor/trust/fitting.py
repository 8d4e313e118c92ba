"""What a pattern says of the segments of a form, also where it cannot be read beside the form part by part."""

from collections.abc import Sequence

from irsa_doctor.issuers.profiles import SubjectTemplate
from irsa_doctor.trust.minted import is_minted
from irsa_doctor.trust.patterns import Wild
from irsa_doctor.trust.segments import Held, SegmentValue, Token, are_shapely, laid_beside

_CHARS = "".join(map(chr, range(0x20, 0x7F)))
_SHARPENED = 8
"""signs for one character that are looked at: a hostile pattern has thousands"""


def said_of(
    tokens: Sequence[Token], template: SubjectTemplate, *, ignore_case: bool = False
) -> tuple[SegmentValue, ...] | None:
    """What a pattern says of each segment of a form, None where no subject of the form fits it.

    Where a wildcard ends inside of a literal part, as in `*nt:prod`, only what stands before the first one is sure. A
    placeholder that does stays one: what it holds is fixed.
    """
    if values := laid_beside(tokens, template, ignore_case=ignore_case):
        return values if are_shapely(values) else None
    if not is_minted(tokens, template, ignore_case=ignore_case):
        return None
    sharp = _sharpened(tokens, template, ignore_case)
    star = next((n for n, token in enumerate(sharp) if token is Wild.MANY), len(sharp))
    first = next((n for n, token in enumerate(sharp) if not isinstance(token, str)), len(sharp))
    held = [token for token in sharp[first : first + 1] if isinstance(token, Held)]
    rest: list[Token] = [*held, *([] if held and star == len(sharp) else [Wild.MANY])]
    begins: tuple[Sequence[Token], ...] = (sharp, (*sharp[:star], Wild.MANY), (*sharp[:first], *rest))
    laid = (laid_beside(begin, template, ignore_case=ignore_case) for begin in begins)
    return next(filter(None, laid), None)


def _sharpened(tokens: Sequence[Token], template: SubjectTemplate, ignore_case: bool) -> Sequence[Token]:
    """The pattern with the one character in place of a `?` that can be no other, such as what ends a segment."""
    sharp = list(tokens)
    ones = [n for n, token in enumerate(tokens) if token is Wild.ONE]
    for n in ones if len(ones) <= _SHARPENED else ():
        fitting = [c for c in _CHARS if is_minted((*sharp[:n], c, *sharp[n + 1 :]), template, ignore_case=ignore_case)]
        sharp[n] = fitting[0] if len(fitting) == 1 else Wild.ONE
    return sharp
