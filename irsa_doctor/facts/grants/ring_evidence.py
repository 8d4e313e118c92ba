"""What messages say of how far a grant of an issuer reaches, and whose it is."""

from collections.abc import Callable, Iterable, Mapping

from irsa_doctor.facts.grants.ownership import declared_tenants, nearest_of, outsiders, tenants_of, written
from irsa_doctor.facts.grants.reach import Grounds, grounds_of
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.issuers import OTHER, right_name
from irsa_doctor.model import text_of
from irsa_doctor.trust.languages import union
from irsa_doctor.trust.ring import RINGS, Ring, ring_of
from irsa_doctor.trust.ring_witness import witness_of
from irsa_doctor.trust.subjects import reach_of

_SHOWN = 6


def ring_words(ring: Ring, vendor: str, tenants: str) -> str:
    """A ring in words, with the vendor and the tenants that are fixed."""
    of_tenant = f" of {tenants}" if tenants else ""
    return {
        "nobody": "nobody",
        "workload": f"single workloads{of_tenant}",
        "ref": f"single branches, tags or environments{of_tenant}",
        "repository": f"everything that runs in single repositories or projects{of_tenant}",
        "group": f"a group of repositories or projects{of_tenant}",
        "organisation": f"everybody and everything{of_tenant or ' of one tenant'}",
        "unknown": "an unknown number of callers: it is not known whose the issuer is",
        "platform": f"anybody who has an account with {vendor}",
        "world": "anybody, even without an account",
    }[ring]


def ring_witness(read: GrantReading, grounds: Grounds) -> str | None:
    """A subject that shows the ring, None where nobody gets in."""
    if grounds.ring.ring == "nobody" or read.profile is OTHER:
        return None if grounds.ring.ring == "nobody" else reach_of(read.subjects, "text").witness or "x"
    boxes = sorted(grounds.boxes, key=lambda box: -RINGS.index(ring_of((box,), read.profile, grounds.around).ring))
    subjects = union(box.subjects for box in boxes[:1]) if boxes else read.subjects
    return witness_of(subjects, grounds.ring.widest, read.profile)


def _listed(texts: Iterable[str]) -> str:
    texts = list(dict.fromkeys(texts))
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return (", ".join(texts[:_SHOWN]) or "none") + more


def _tenants(read: GrantReading) -> str:
    tenants = tenants_of(read, grounds_of(read).ring)
    return read.with_names.written(_listed(map(written, tenants))) if tenants else ""


def _declared(read: GrantReading) -> tuple[str, ...]:
    return declared_tenants(read.profile, read.lookups.owner)


def _outsiders(read: GrantReading) -> str:
    others = outsiders(tenants_of(read, grounds_of(read).ring), _declared(read))
    near = [(written(tenant), nearest_of(tenant, _declared(read))) for tenant in others]
    return _listed(f"{tenant} (not {own})" if own else tenant for tenant, own in near)


def _segment(read: GrantReading) -> str:
    """What of a subject is open, in the vendor's word."""
    segment = grounds_of(read).ring.widest.segment
    return segment.name.replace("_", " ") if segment else "subject"


def _open_pattern(read: GrantReading) -> str:
    return read.with_names.written(grounds_of(read).ring.widest.pattern)


def _unreviewed(read: GrantReading) -> str:
    widest = grounds_of(read).ring.widest
    values = [value.value for value in widest.values if value.value in value.segment.unreviewed]
    return _listed(value for value in values if value)


def _audience_by(read: GrantReading) -> str:
    return {
        "author": "whoever writes the pipeline chooses the audience",
        "vendor": "the vendor sets the audience",
        "tenant-admin": "the tenant chooses the audience",
    }[read.profile.audience.chosen_by]


def _forms(read: GrantReading) -> str:
    return _listed(form.example or form.form for form in read.profile.subject[:4])


def _right(read: GrantReading) -> str:
    name = right_name(read.issuer, read.profile)
    return name or "the id of the tenant in its place"


def _required(read: GrantReading) -> str:
    return _listed(f"{read.issuer}:{claim}" for claim in read.profile.save.any_of)


def _vendor(read: GrantReading) -> str:
    return f"the issuer {read.issuer}" if read.profile is OTHER else read.profile.title


def reaches_of(read: GrantReading, grounds: Grounds) -> str:
    """Whom a grant admits, in words."""
    tenants = tenants_of(read, grounds.ring)
    named = read.with_names.written(_listed(map(written, tenants))) if tenants else ""
    if read.profile.is_cluster:
        return _OF_CLUSTERS[grounds.ring.ring]
    return ring_words(grounds.ring.ring, _vendor(read), named)


_OF_CLUSTERS: Mapping[Ring, str] = {
    "nobody": "nobody",
    "workload": "single service accounts of a cluster",
    "group": "service accounts of namespaces of a cluster",
    "organisation": "every service account of a cluster",
    "unknown": "an unknown number of service accounts of a cluster",
}


def _reaches(read: GrantReading) -> str:
    return reaches_of(read, grounds_of(read))


def _shown(read: GrantReading) -> str:
    """The witness with holes as the document writes them."""
    if read.profile.is_cluster:
        return read.reach.witness or "nobody"
    return read.with_names.written(ring_witness(read, grounds_of(read)) or "nobody")


RING_NAMES: Mapping[str, Callable[[GrantReading], str | None]] = {
    "vendor": _vendor,
    "reaches": _reaches,
    "tenants": lambda read: _tenants(read) or "one tenant",
    "stranger": _shown,
    "segment": _segment,
    "open_pattern": _open_pattern,
    "unreviewed": _unreviewed,
    "audience_by": _audience_by,
    "outsiders": _outsiders,
    "owner": lambda read: _listed(_declared(read)),
    "impossible": lambda read: read.with_names.written(_listed(grounds_of(read).ring.impossible)),
    "volatile": lambda read: _listed(grounds_of(read).ring.volatile),
    "forms": _forms,
    "right_issuer": _right,
    "required": _required,
    "written_issuer": lambda read: text_of(read.principal),
}
"""names of messages about the ring"""
