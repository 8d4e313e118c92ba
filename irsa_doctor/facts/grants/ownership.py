"""Whose those are whom a grant admits, as far as settings say which tenants are one's own."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.issuers import Profile, tenant_of
from irsa_doctor.model.nearness import nearest
from irsa_doctor.trust.openings import Ring
from irsa_doctor.trust.ring import RingReading, Tenant

Whose = Literal["yours", "outsider", "mixed", "unknown"]


def declared_tenants(profile: Profile, owner: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The tenants of an issuer that settings declare, as they write them."""
    return (*owner.get(profile.id, ()), *(owner.get(profile.owned_as, ()) if profile.owned_as else ()))


def tenants_of(read: GrantReading, ring: RingReading) -> tuple[Tenant, ...]:
    """The tenants that are fixed: by the statement, else the one to whom the issuer belongs."""
    if ring.tenants or is_open(ring.ring) or not read.profile.own:
        return ring.tenants
    clusters = read.lookups.inventory.clusters_by_issuer.get(read.issuer, ())
    if clusters:
        return tuple(Tenant(name=cluster.name, id=read.issuer) for cluster in clusters)
    tenant = tenant_of(read.issuer, read.profile)
    return (Tenant(name=tenant),) if tenant else ()


def unreplaced_of(ring: RingReading, declared: tuple[str, ...]) -> tuple[str, ...]:
    """The placeholders in the subjects of a live policy, without words that are somebody's name, as settings declare."""
    return tuple(word for word in ring.unreplaced if not is_one_of(Tenant(name=word), declared))


_OPEN: tuple[Ring, ...] = ("nobody", "unknown", "platform", "world")


def is_open(ring: Ring) -> bool:
    """Whether no tenant is fixed in a ring."""
    return ring in _OPEN


@lru_cache(maxsize=4096)
def is_one_of(tenant: Tenant, declared: tuple[str, ...]) -> bool:
    """Whether a tenant is among those that settings declare: a name with another id is another tenant."""
    return any(_is(tenant, entry) for entry in declared)


def _is(tenant: Tenant, entry: str) -> bool:
    name, at, ident = entry.rpartition("@")
    if at:
        by_id = tenant.id is None or tenant.id == ident
        by_name = tenant.name is None or tenant.name.lower() == name.lower()
        return by_id and by_name
    # a number may be an id
    return (tenant.name is not None and tenant.name.lower() == entry.lower()) or tenant.id == entry


def is_covered(entry: str, declared: tuple[str, ...]) -> bool:
    """Whether every tenant that an entry of the settings names is among those that others declare; one without an id names
    whoever has the name, with any id."""
    name, at, ident = entry.rpartition("@")
    return is_one_of(Tenant(name=name, id=ident) if at else Tenant(name=entry, id="any id"), declared)


def whose(tenants: Iterable[Tenant], declared: tuple[str, ...]) -> Whose:
    """Whose tenants are; unknown where settings declare none of the issuer, or no tenant is fixed."""
    answers = {is_one_of(tenant, declared) for tenant in tenants} if declared else set[bool]()
    if not answers:
        return "unknown"
    return "mixed" if len(answers) > 1 else "yours" if True in answers else "outsider"


def outsiders(tenants: Iterable[Tenant], declared: tuple[str, ...]) -> list[Tenant]:
    """The tenants that are not one's own."""
    return [tenant for tenant in tenants if declared and not is_one_of(tenant, declared)]


def nearest_of(tenant: Tenant, declared: tuple[str, ...]) -> str:
    """The declared tenant that an outsider comes nearest to, "" where none is near."""
    name = tenant.name or tenant.id or ""
    by_name = {entry.rpartition("@")[0] or entry: entry for entry in declared}
    return next((by_name[near] for near in nearest(name, by_name, 1)), "")


def has_ids(tenants: Iterable[Tenant], declared: tuple[str, ...]) -> bool:
    """Whether settings know the id of one of some tenants."""
    return any("@" in entry and _is(tenant, entry) for tenant in tenants for entry in declared)


def written(tenant: Tenant) -> str:
    """A tenant as settings write it."""
    return "@".join(part for part in (tenant.name, tenant.id) if part)
