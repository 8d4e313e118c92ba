"""Facts of a grant that come from its ring: how far it reaches, whose it is, and what of its subjects is wrong."""

from collections.abc import Mapping
from typing import Any, Literal

from irsa_doctor.facts.grants.ownership import declared_tenants, has_ids, tenants_of, unreplaced_of, whose
from irsa_doctor.facts.grants.reach import (
    Grounds,
    OpenOperator,
    grounds_of,
    is_misnamed,
    is_ring_contested,
    is_seen,
    lost_subject,
    on_a_word,
    open_operator,
    reach_kind,
)
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.issuers import Profile
from irsa_doctor.model import Text, Unknown, text_of
from irsa_doctor.trust.policy import Value
from irsa_doctor.trust.ring import RingReading, ring_of_scope
from irsa_doctor.trust.unreplaced import is_unfilled

NamesOnly = Literal["no", "yes", "owner-has-ids"]
ImpossibleSubject = Literal["no", "yes", "custom"]
SubjectFormat = Literal["fine", "ids-apart", "no-ids"]
"""whether ids stand in subjects as tokens have them: behind all names that have them or none, or nowhere at all"""


def ring_facts(read: GrantReading, unseen: Unknown | None, too_complex: Unknown, *, admits: bool) -> Mapping[str, Any]:
    """Field of the facts of a grant -> its value, where principal and action are right; of a cluster the scope says it all."""
    misnamed = is_misnamed(read)
    if read.profile.is_cluster:
        scope, ring = read.reach.scope, ring_of_scope("nobody" if misnamed else read.reach.scope)
        if unseen is not None:
            return {"ring": unseen, "width": unseen, "issuer_misnamed": misnamed}
        return {"ring": ring, "width": scope or too_complex, "issuer_misnamed": misnamed}
    grounds = grounds_of(read)
    operator = open_operator(read, grounds.ring.ring)
    facts = {
        "ring_counts": not misnamed and read.kind == "other",
        "ring": grounds.ring.ring,
        "width": grounds.ring.ring,
        "ring_seen": is_seen(read, unseen),
        "subject_pinned": True in (read.reading.checks_sub, read.reading.checks_aud),
        "subject_impossible": "no" if misnamed else _impossible(read, grounds),
        "subject_unreplaced": bool(unreplaced_of(grounds.ring, _declared(read))) and not misnamed,
        "subject_format": "fine" if misnamed else subject_format(grounds.ring, read.profile),
        "subject_volatile": bool(grounds.ring.volatile),
        "issuer_misnamed": misnamed,
        **_of_operator(operator),
    }
    if unseen is not None and (read.statement.hides_conditions or is_ring_contested(read, grounds)):
        return {**facts, "ring": unseen, "width": unseen, "reach": unseen, "reach_inside": unseen}
    return {**facts, **_of_reach(read, grounds, operator)} if admits else facts


def _of_operator(operator: OpenOperator) -> Mapping[str, Any]:
    """Operators that hold without their key count where they leave an issuer more open than it would be."""
    by = {"reach_by": operator} if operator in ("mistyped-key", "typed-operator", "negation") else {}
    return {**by, "for_all_values": operator == "for-all-values", "if_exists": operator == "if-exists"}


def _of_reach(read: GrantReading, grounds: Grounds, operator: OpenOperator) -> Mapping[str, Any]:
    """How far somebody gets in, and who."""
    reading = grounds.ring
    tenants, declared = tenants_of(read, reading), _declared(read)
    names_only: NamesOnly = "no"
    if reading.names_only:
        names_only = "owner-has-ids" if has_ids(tenants, declared) else "yes"
    kind = "none" if operator != "none" else reach_kind(read, grounds)
    if kind != "none" and lost_subject(read.statement, read.source.replaced):
        kind = "lost-member"
    inside = kind if isinstance(kind, Unknown) or kind in ("repository", "prefix") else "none"
    return {
        "reach": kind,
        "reach_inside": _inside(read, inside),
        "guarded_only": False if isinstance(kind, Unknown) and reading.tenants else _is(kind, "guard-only"),
        "on_word": on_a_word(reading.widest),
        "names_only": _inside(read, names_only),
        "outsider": whose(tenants, declared) in ("outsider", "mixed"),
        "guests_named": reading.guests_named,
    }


def _declared(read: GrantReading) -> tuple[str, ...]:
    return declared_tenants(read.profile, read.lookups.owner)


def _is(kind: str | Unknown, other: str) -> bool | Unknown:
    return kind if isinstance(kind, Unknown) else kind == other


def _inside(read: GrantReading, fact: str | Unknown) -> str | Unknown:
    """A fact about what stays inside one repository. It depends on which provider is trusted, own or shared, with ids or
    without: where a placeholder is in its place only the keys name it, and the fact is unknown."""
    if fact in ("none", "no") or read.form != "hole" or _names_issuer(read.principal):
        return fact
    return Unknown(f"the OIDC provider {text_of(read.principal)} of {read.role.name}")


def _names_issuer(principal: Value) -> bool:
    """Whether an ARN with placeholders names its provider."""
    last = principal.parts[-1] if isinstance(principal, Text) else principal
    return isinstance(last, str) and ":oidc-provider/" in text_of(principal)


def subject_format(ring: RingReading, profile: Profile) -> SubjectFormat:
    """Whether a subject that is named has ids in another form than tokens have."""
    return "fine" if not ring.misformed else "ids-apart" if profile.has_ids else "no-ids"


def has_plain_reason(ring: RingReading) -> bool:
    """Whether whatever keeps subjects from being any of the issuer has another name: ids, or placeholders."""
    return all(pattern in ring.misformed or is_unfilled(pattern) for pattern in ring.impossible)


def _impossible(read: GrantReading, grounds: Grounds) -> ImpossibleSubject:
    """Whether a subject that is named is none of the issuer, for no reason that has a name of its own."""
    if has_plain_reason(grounds.ring) or "subject-wildcard" in read.kinds or "claims-swapped" in read.kinds:
        return "no"
    return "yes" if read.profile.subject_custom == "no" else "custom"
