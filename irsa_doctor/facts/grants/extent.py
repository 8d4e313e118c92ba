"""What an accepted finding about a grant accepts: who gets in, by which provider, and under which further conditions."""

from collections.abc import Iterator

from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.model import text_of
from irsa_doctor.model.extents import IGNORING_CASE, Extent
from irsa_doctor.trust import spell
from irsa_doctor.trust.policy import Condition


def extent_of(read: GrantReading) -> Extent:
    """Everybody that a statement admits, as patterns, with what else it asks for."""
    subjects = spell(read.subjects, read.profile.grammar)
    audiences = spell(read.known.audiences if read.share is None else read.share.audiences, "text")
    exact = subjects.exact and audiences.exact and not (read.share and read.share.too_complex)
    further = [
        _written(condition)
        for condition, limit in zip(read.statement.conditions, read.grant.limits, strict=True)
        if not exact or limit.effect not in ("sub", "aud") or limit.depends or limit.contested
    ]
    case = tuple(f"{IGNORING_CASE}{pattern}" for pattern in subjects.ignoring_case)
    return Extent(
        patterns=tuple(map(read.with_names.written, subjects.patterns)),
        without=tuple(map(read.with_names.written, subjects.without)),
        audiences=audiences.patterns,
        keys=(
            f"provider {text_of(read.principal)}",
            *(f"no audience {pattern}" for pattern in audiences.without),
            *case,
            *sorted(further),
            *sorted(_stopping(read, exact=exact)),
        ),
    )


def _stopping(read: GrantReading, *, exact: bool) -> Iterator[str]:
    """The Deny statements that the patterns do not show: they stop somebody in some requests or with some audiences only."""
    for part in read.share.denies if read.share else ():
        claims = {limit.effect for limit in part.grant.limits} & {"sub", "aud"}
        if exact and part.sure and len(claims) < 2 and all(limit.exact for limit in part.grant.limits):
            continue
        conditions = sorted(map(_written, part.grant.statement.conditions))
        yield f"but for a Deny where {'; '.join(conditions) or 'nothing more is required'}"


def _written(condition: Condition) -> str:
    return f"{condition.use} {text_of(condition.raw_key)} {sorted(map(text_of, condition.values))}"
