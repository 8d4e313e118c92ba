"""What messages say of how far tokens of an issuer reach, whether a role or an identity of another cloud admits them."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from irsa_doctor.facts.grants.ownership import nearest_of, outsiders, unreplaced_of, written
from irsa_doctor.issuers import OTHER, Profile
from irsa_doctor.issuers.forms import form_parts
from irsa_doctor.issuers.profiles import SubjectTemplate
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.languages import Language, union
from irsa_doctor.trust.openings import RINGS, Ring
from irsa_doctor.trust.ring import Circumstances, RingReading, Tenant, ring_of
from irsa_doctor.trust.ring_witness import witness_of
from irsa_doctor.trust.subjects import reach_of

_SHOWN = 6


class RingScene(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Tokens of an issuer that something admits: their ring and what it is made of, the tenants that are fixed, and those that
    settings declare. `holes` are the placeholders that stand in patterns, each with how the document writes it."""

    profile: Profile
    issuer: str
    ring: RingReading
    boxes: tuple[Box, ...]
    around: Circumstances
    subjects: Language
    tenants: tuple[Tenant, ...]
    declared: tuple[str, ...]
    holes: Mapping[str, str]

    def written(self, text: str) -> str:
        """A text with placeholders as the document writes them."""
        for name, hole in self.holes.items():
            text = text.replace(f"{name}:{name}", hole).replace(name, hole)
        return text

    @property
    def vendor(self) -> str:
        """Who issues the tokens."""
        return f"the issuer {self.issuer}" if self.profile is OTHER else self.profile.title

    @property
    def named_tenants(self) -> str:
        """The tenants that are fixed, "" where none is."""
        return self.written(first_of(map(written, self.tenants))) if self.tenants else ""


def first_of(texts: Iterable[str]) -> str:
    """The first texts, and how many more there are."""
    each = list(dict.fromkeys(texts))
    more = f" and {len(each) - _SHOWN} more" if len(each) > _SHOWN else ""
    return (", ".join(each[:_SHOWN]) or "none") + more


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
        "unknown": "an unknown number of callers",
        "platform": f"anybody who has an account with {vendor}",
        "world": "anybody, even without an account",
    }[ring]


def scene_words(scene: RingScene) -> str:
    """Whom a scene admits, in words."""
    return ring_words(scene.ring.ring, scene.vendor, scene.named_tenants)


def scene_witness(scene: RingScene) -> str | None:
    """A subject that shows the ring, None where nobody gets in."""
    if scene.ring.ring == "nobody" or scene.profile is OTHER:
        return None if scene.ring.ring == "nobody" else reach_of(scene.subjects, "text").witness or "x"
    boxes = sorted(scene.boxes, key=lambda box: -RINGS.index(ring_of((box,), scene.profile, scene.around).ring))
    subjects = union(box.subjects for box in boxes[:1]) if boxes else scene.subjects
    return witness_of(subjects, scene.ring.widest, scene.profile, next(iter(boxes), None))


def _outsiders(scene: RingScene) -> str:
    others = outsiders(scene.tenants, scene.declared)
    near = [(written(tenant), nearest_of(tenant, scene.declared)) for tenant in others]
    return first_of(f"{tenant} (not {own})" if own else tenant for tenant, own in near)


def _segment(scene: RingScene) -> str:
    """What of a subject is open, in the vendor's word."""
    segment = scene.ring.widest.segment
    return segment.name.replace("_", " ") if segment else "subject"


def _unreviewed(scene: RingScene) -> str:
    found = scene.ring.widest.segment
    if found is None or not found.segment.runs_unreviewed(found.value):
        return ""
    named = found.value if found.value in found.segment.unreviewed else f"{found.name.replace('_', ' ')} {found.value}"
    return scene.written(named)


def _audience_by(scene: RingScene) -> str:
    return {
        "author": "whoever writes the pipeline chooses the audience",
        "vendor": "the vendor sets the audience",
        "tenant-admin": "the tenant chooses the audience",
    }[scene.profile.audience.chosen_by]


def _has_ids(form: SubjectTemplate) -> bool:
    return any(part.segment is not None and part.segment.kind == "id" for part in form_parts(form))


def _right_forms(profile: Profile) -> Iterator[str]:
    """A subject with ids and one without, as far as tokens of an issuer have them."""
    for by_ids in (False, True) if profile.has_ids else (False,):
        forms = [
            form for form in profile.subject if any(p.segment.kind == "id" for p in form_parts(form) if p.segment) is by_ids
        ]
        yield from (form.example for form in forms[:1])


def _forms(scene: RingScene) -> str:
    """How subjects of the issuer look, as far as that is known."""
    forms = [form.example or form.form for form in scene.profile.subject[:4]]
    return first_of(forms) if forms else "the sub of a decoded token"


SCENE_NAMES: Mapping[str, Callable[[RingScene], str]] = {
    "vendor": lambda scene: scene.vendor,
    "reaches": scene_words,
    "tenants": lambda scene: scene.named_tenants or "one tenant",
    "stranger": lambda scene: scene.written(scene_witness(scene) or "nobody"),
    "segment": _segment,
    "open_pattern": lambda scene: scene.written(scene.ring.widest.pattern),
    "unreviewed": _unreviewed,
    "audience_by": _audience_by,
    "outsiders": _outsiders,
    "owner": lambda scene: first_of(scene.declared),
    "impossible": lambda scene: scene.written(first_of(scene.ring.impossible)),
    "unreplaced": lambda scene: scene.written(first_of(unreplaced_of(scene.ring, scene.declared))),
    "misformed": lambda scene: scene.written(first_of(scene.ring.misformed)),
    "right_forms": lambda scene: first_of(_right_forms(scene.profile)),
    "volatile": lambda scene: first_of(scene.ring.volatile),
    "forms": _forms,
}
"""names of messages about a ring"""
