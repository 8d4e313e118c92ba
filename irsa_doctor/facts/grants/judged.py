"""Grants as subjects of rules: read, or such that nothing is known of them."""

from functools import partial

import msgspec

from irsa_doctor.facts.grants.evidence import grant_evidence
from irsa_doctor.facts.grants.extent import extent_of
from irsa_doctor.facts.grants.grant import TOO_COMPLEX, GrantFacts
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import Place, Role, Unknown
from irsa_doctor.model.extents import LazyExtent


def judged_grant(read: GrantReading, facts: GrantFacts) -> Judged:
    """A grant as a subject; of a bare policy the whole policy is the subject."""
    group = read.role.id
    kind, ident = ("policy", group) if read.role.is_bare else ("grant", f"{group}#{read.statement.index}")
    return Judged(
        kind=kind,
        id=ident,
        group=group,
        facts=facts,
        evidence=partial(grant_evidence, read),
        case=read.role.case,
        certain=read.certain,
        extent=LazyExtent(partial(extent_of, read)),
    )


def hidden_grant(role: Role, index: int, missing: Unknown, place: Place) -> Judged:
    """A grant, by the index of its statement, of which nothing is known for want of an input."""
    facts = GrantFacts(*([missing] * len(GrantFacts.__struct_fields__)))  # type: ignore[arg-type] # one unknown for all of them
    return _grant_without_reading(role, index, facts, place)


def left_grant(role: Role, index: int, place: Place) -> Judged:
    """A grant of which nothing is known, for its policy has more principals and conditions than are looked at."""
    hidden = GrantFacts(*([TOO_COMPLEX] * len(GrantFacts.__struct_fields__)))  # type: ignore[arg-type]
    return _grant_without_reading(role, index, msgspec.structs.replace(hidden, too_complex=True), place)


def _grant_without_reading(role: Role, index: int, facts: GrantFacts, place: Place) -> Judged:
    kind, ident = ("policy", role.id) if role.is_bare else ("grant", f"{role.id}#{index}")
    names = {"role": role.name, "statement": str(index)}
    return Judged(kind, ident, role.id, facts, lambda: Evidence(names, {"statement": place}), role.case)
