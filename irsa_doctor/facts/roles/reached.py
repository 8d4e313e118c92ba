"""How far all grants of a role for one provider reach together: what `who-can` and `diff` say, from what `check` judges."""

from collections.abc import Iterable

import msgspec

from irsa_doctor.facts.grants.grant import is_in_force
from irsa_doctor.facts.grants.ownership import Whose, declared_tenants, tenants_of, whose
from irsa_doctor.facts.grants.reach import Grounds, grounds_of
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.grants.ring_evidence import reaches_of, ring_witness
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.model import text_of
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.openings import RINGS, Ring
from irsa_doctor.trust.ring import Tenant
from irsa_doctor.trust.spelling import spell


class Reached(msgspec.Struct, frozen=True):
    """The widest ring of some grants, in words too; the tenants that are fixed and whose they are; the values of other claims
    that are admitted, None where any is; and a subject that shows the ring."""

    ring: Ring = "nobody"
    words: str = ""
    tenants: tuple[Tenant, ...] = ()
    whose: Whose = "unknown"
    claims: tuple[tuple[str, tuple[str, ...] | None], ...] = ()
    witness: str | None = None


def widest_ring(rings: Iterable[Ring]) -> Ring:
    """The widest of some rings."""
    return max(rings, key=RINGS.index, default="nobody")


def ring_by(analysed: AnalysedRole, provider: str) -> Ring:
    """The widest ring of the grants of a role for a provider."""
    return widest_ring([grounds_of(read).ring.ring for read in _in_force(analysed, provider)])


def _in_force(analysed: AnalysedRole, provider: str) -> list[GrantReading]:
    return [read for read in analysed.readings if text_of(read.principal) == provider and is_in_force(read)]


def reached_by(analysed: AnalysedRole, provider: str) -> Reached:
    """How far the grants of a role for a provider reach."""
    reads = _in_force(analysed, provider)
    if not reads:
        return Reached()
    rows = [(read, grounds_of(read)) for read in reads]
    read, grounds = max(rows, key=lambda row: RINGS.index(row[1].ring.ring))
    by_row = [
        tenants_of(*row) for row in ((other, of_other.ring) for other, of_other in rows if of_other.ring.ring != "nobody")
    ]
    tenants = tuple(dict.fromkeys(tenant for tenants in by_row for tenant in tenants)) if all(by_row) else ()
    return Reached(
        ring=grounds.ring.ring,
        words=reaches_of(read, grounds),
        tenants=tenants,
        whose=whose(tenants, declared_tenants(read.profile, read.lookups.owner)),
        claims=tuple(claims_of([box for _, of_row in rows for box in of_row.boxes])),
        witness=_witness(read, grounds),
    )


def _witness(read: GrantReading, grounds: Grounds) -> str | None:
    if read.profile.is_cluster:
        return None
    shown = ring_witness(read, grounds)
    return None if shown is None else read.with_names.written(shown)


def claims_of(boxes: Iterable[Box]) -> Iterable[tuple[str, tuple[str, ...] | None]]:
    """Each claim that a box names, with the values that all boxes together admit."""
    boxes = list(boxes)
    for claim in sorted({claim for box in boxes for claim, _ in box.claims}):
        known = [box.by_claim.get(claim) for box in boxes]
        spelt = [spell(values.language).patterns for values in known if values is not None]
        patterns = sorted({pattern for each in spelt for pattern in each})
        yield claim, None if None in known or "*" in patterns else tuple(patterns)
