"""What messages say of how far a grant of an issuer reaches, and whose it is."""

from collections.abc import Callable, Mapping

from irsa_doctor.facts.grants.ownership import declared_tenants, tenants_of
from irsa_doctor.facts.grants.reach import Grounds, grounds_of
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.grants.ring_scene import SCENE_NAMES, RingScene, first_of, scene_witness, scene_words
from irsa_doctor.issuers import right_name
from irsa_doctor.model import text_of
from irsa_doctor.trust.openings import Ring


def scene_of(read: GrantReading, grounds: Grounds) -> RingScene:
    """How far a grant reaches, as messages speak of it."""
    return RingScene(
        profile=read.profile,
        issuer=read.issuer,
        ring=grounds.ring,
        boxes=grounds.boxes,
        around=grounds.around,
        subjects=read.subjects,
        tenants=tenants_of(read, grounds.ring),
        declared=declared_tenants(read.profile, read.lookups.owner),
        holes=read.with_names.names,
    )


def ring_witness(read: GrantReading, grounds: Grounds) -> str | None:
    """A subject that shows the ring, None where nobody gets in."""
    return scene_witness(scene_of(read, grounds))


def reaches_of(read: GrantReading, grounds: Grounds) -> str:
    """Whom a grant admits, in words."""
    return _OF_CLUSTERS[grounds.ring.ring] if read.profile.is_cluster else scene_words(scene_of(read, grounds))


_OF_CLUSTERS: Mapping[Ring, str] = {
    "nobody": "nobody",
    "workload": "single service accounts of a cluster",
    "group": "service accounts of namespaces of a cluster",
    "organisation": "every service account of a cluster",
    "unknown": "an unknown number of service accounts of a cluster",
}


def _of_scene(name: str) -> Callable[[GrantReading], str | None]:
    return lambda read: SCENE_NAMES[name](scene_of(read, grounds_of(read)))


def _shown(read: GrantReading) -> str | None:
    """The witness with holes as the document writes them."""
    return (read.reach.witness or "nobody") if read.profile.is_cluster else _of_scene("stranger")(read)


RING_NAMES: Mapping[str, Callable[[GrantReading], str | None]] = {
    **{name: _of_scene(name) for name in SCENE_NAMES},
    "reaches": lambda read: reaches_of(read, grounds_of(read)),
    "stranger": _shown,
    "right_issuer": lambda read: right_name(read.issuer, read.profile) or "the id of the tenant in its place",
    "required": lambda read: first_of(f"{read.issuer}:{claim}" for claim in read.profile.save.any_of),
    "written_issuer": lambda read: text_of(read.principal),
}
"""names of messages about the ring of a grant"""
