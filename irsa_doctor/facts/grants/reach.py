"""How far those whom a grant admits are from its tenant, and what leaves it as wide: read from the ring of `trust`."""

from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.workloads.records import PLACEHOLDERS
from irsa_doctor.issuers import EKS, OTHER, Profile, right_name
from irsa_doctor.model import ReplacedMember, Unknown, text_of
from irsa_doctor.model.regex import regex
from irsa_doctor.trust import Grant, Policy, Statement
from irsa_doctor.trust.admitted import speaks_of
from irsa_doctor.trust.claim_sets import Box, box_of, boxes_of, claim_of
from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.languages import Finite, Language, contains
from irsa_doctor.trust.naming import may_hold_wildcards
from irsa_doctor.trust.openings import RINGS, Opening, Ring
from irsa_doctor.trust.policy import Condition
from irsa_doctor.trust.ring import NOBODY, Circumstances, RingReading, ring_of, ring_of_scope
from irsa_doctor.trust.subjects import PREFIX, reach_of
from irsa_doctor.trust.unreplaced import unfilled_variables

ReachKind = Literal[
    "none",
    "world",
    "caller",
    "lost-member",
    "guard-only",
    "guard-passed",
    "crossing",
    "platform",
    "unknown-issuer",
    "organisation",
    "group",
    "unreviewed",
    "repository",
    "prefix",
]
"""what a grant of an issuer other than a cluster is reported for: the widest thing that is open"""
OpenOperator = Literal["none", "mistyped-key", "typed-operator", "negation", "for-all-values", "if-exists"]
"""an operator that holds for more tokens than it seems, and without which the ring would be narrower"""


class Grounds(msgspec.Struct, frozen=True):
    """The ring of a grant, and what it is made of."""

    ring: RingReading
    boxes: tuple[Box, ...] = ()
    around: Circumstances = Circumstances()


def grounds_of(read: GrantReading) -> Grounds:
    """The ring of a grant whose principal and action are right; nobody's where no token of its issuer can name it."""
    if is_misnamed(read):
        return Grounds(NOBODY)
    if read.profile.is_cluster:
        ring = ring_of_scope(read.reach.scope)
        return Grounds(RingReading(ring=ring, widest=Opening(ring)))
    grounds = _of_other(read) if read.profile is OTHER else _grounds(read, read.known, strictly=False)
    unfilled = [word for defect in read.by_kind.get("subject-unreplaced", ()) for word in unfilled_variables(defect.value)]
    if not unfilled:
        return grounds
    unreplaced = tuple(dict.fromkeys([*grounds.ring.unreplaced, *unfilled]))
    return msgspec.structs.replace(grounds, ring=msgspec.structs.replace(grounds.ring, unreplaced=unreplaced))


def _of_other(read: GrantReading) -> Grounds:
    ring = _of_unknown(read.subjects)
    return Grounds(RingReading(ring=ring, widest=Opening(ring)))


def _of_unknown(subjects: Language) -> Ring:
    """An issuer of which nothing is known: a finite number of subjects may be what it was meant for."""
    scope = reach_of(subjects, "text").scope
    if scope == "nobody":
        return "nobody"
    return "workload" if isinstance(subjects, Finite) or scope in ("one", "several") else "unknown"


def is_misnamed(read: GrantReading) -> bool:
    """Whether no token has the issuer as the principal writes it, so that none of it is admitted."""
    return read.profile is not EKS and bool(read.issuer) and right_name(read.issuer, read.profile) != read.issuer


def _grounds(read: GrantReading, grant: Grant, *, strictly: bool) -> Grounds:
    provider, profile, issuer = text_of(read.principal), read.profile, read.issuer
    audiences = read.known.audiences if read.share is None else read.share.audiences
    box = box_of(read.policy, grant, read.subjects, audiences, issuer, profile, strictly=strictly)
    boxes = tuple(boxes_of(read.policy, box, provider, issuer, profile))
    around = Circumstances(_guests(read.policy, grant, profile, issuer, provider), tuple(read.with_names.names))
    return Grounds(ring_of(boxes, profile, around), boxes, around)


def is_ring_contested(read: GrantReading, grounds: Grounds) -> bool:
    """Whether what AWS does not document decides how far a grant reaches: less is certain than may get in."""
    grant = read.known
    if not grant.contested or read.share is not None or not grounds.boxes:
        return bool(grant.contested)
    sure = msgspec.structs.replace(grounds.boxes[0], subjects=grant.sure_subjects, audiences=grant.sure_audiences)
    return ring_of((sure,), read.profile, grounds.around).ring != grounds.ring.ring


def _guests(policy: Policy, grant: Grant, profile: Profile, issuer: str, provider: str) -> Literal["", "open", "named"]:
    """Whether guests get in, and whether a condition names them."""
    if profile.guests is None:
        return ""
    key = f"{issuer.lower()}:{profile.guests.claim}"
    request = {key: (profile.guests.guest,)}

    def on_guests(conditions: Iterable[Condition]) -> list[bool]:
        checks = [condition for condition in conditions if condition.key == key]
        multi = frozenset({key})
        return [holds(check, request, variables=policy.variables, multi=multi) is not False for check in checks]

    checked = on_guests(grant.statement.conditions)
    if not all(checked):
        return ""
    for denial in policy.statements:
        if not denial.allow and denial.effect_seen and speaks_of(denial, provider):
            denied = on_guests(denial.conditions)
            if denied and len(denied) == len(denial.conditions) and all(denied):
                return ""
    return "named" if checked else "open"


def open_operator(read: GrantReading, ring: Ring) -> OpenOperator:
    """The operator that leaves a grant of another issuer than a cluster as wide as it is, "none" where none does."""
    if ring in ("nobody", "workload"):
        return "none"
    if "key-ignored" in read.kinds:
        return "mistyped-key"
    if "typed-operator" in read.kinds:
        return "typed-operator"
    if "negated" in read.kinds and not names_subjects(read):
        return "negation"
    if read.profile is OTHER or not any(_is_lenient(condition) for condition in read.statement.conditions):
        return "none"
    lenient = [condition for condition in read.statement.conditions if _is_lenient(condition)]
    absent = [condition for condition in lenient if _is_never_there(read, condition)]
    strict = _grounds(read, read.known, strictly=True).ring.ring
    if not absent and RINGS.index(strict) >= RINGS.index(ring):
        return "none"
    is_for_all = any(condition.use.qualifier == "ForAllValues" for condition in absent or lenient)
    return "for-all-values" if is_for_all else "if-exists"


def _is_lenient(condition: Condition) -> bool:
    return condition.use.if_exists or condition.use.qualifier == "ForAllValues"


def _is_never_there(read: GrantReading, condition: Condition) -> bool:
    """Whether a condition compares a claim of the issuer that is no condition key."""
    prefix = f"{read.issuer.lower()}:"
    claim = condition.key.removeprefix(prefix)
    is_claim = condition.key.startswith(prefix) and claim not in ("sub", "aud")
    return is_claim and claim_of(condition, read.issuer, read.profile) is None


def names_subjects(read: GrantReading) -> bool:
    """Return whether a condition names subjects to admit."""
    return any(_is_positive(condition) for condition in _on_subject(read))


def is_narrowed_by_deny(read: GrantReading) -> bool:
    """Return whether Deny statements leave some service accounts only, as those of one namespace, and not all but a few."""
    if read.share is None or not read.profile.is_cluster:
        return False
    word = _unrelated(read.policy)
    return bool(word) and not contains(read.subjects, f"{PREFIX}{word}:{word}")


def _unrelated(policy: Policy) -> str:
    """A name that no literal part of a Deny statement's values begins, ends or stands in; "" where every letter is taken."""
    denies = (statement for statement in policy.statements if not statement.allow)
    values = (text_of(value) for statement in denies for condition in statement.conditions for value in condition.values)
    begun = {piece[:1] for value in values for piece in _SIGNS.split(value.removeprefix(PREFIX).lower())}
    return next((letter * 8 for letter in ascii_lowercase if letter not in begun), "")


_SIGNS = regex(r"[:*?]")
"""what parts the literal parts of a pattern of subjects"""


def _on_subject(read: GrantReading) -> Sequence[Condition]:
    key = f"{read.issuer.lower()}:sub"
    return [condition for condition in read.statement.conditions if condition.key == key]


def _is_positive(condition: Condition) -> bool:
    return condition.use.operator.family == "string" and not condition.use.operator.negated


_OF_RINGS: Mapping[Ring, ReachKind] = {
    "world": "world",
    "unknown": "unknown-issuer",
    "group": "group",
    "organisation": "organisation",
    "repository": "repository",
    "nobody": "none",
    "workload": "none",
}


def reach_kind(read: GrantReading, grounds: Grounds) -> ReachKind | Unknown:
    """What a grant is reported for; clusters have rules of their own."""
    guarding = [condition for condition in _on_subject(read) if _is_positive(condition) and not condition.use.if_exists]
    has_guard = any("*" not in map(text_of, condition.values) for condition in guarding)
    kind = kind_of_ring(grounds.ring, read.profile, has_guard=has_guard)
    if kind == "none" and grounds.ring.ring != "nobody" and any(map(may_hold_wildcards, _on_subject(read))):
        return PLACEHOLDERS
    return "guard-only" if kind == "guard-passed" and read.limits_audience is False else kind


def kind_of_ring(reading: RingReading, profile: Profile, *, has_guard: bool) -> ReachKind | Unknown:
    """What tokens of a ring are reported for; `has_guard`: a condition limits their subjects, more than a star does."""
    if profile.is_cluster or (reading.ring == "organisation" and profile.narrowest == "organisation"):
        return "none"
    if reading.widest.by == "placeholder":
        return PLACEHOLDERS
    if reading.ring == "platform":
        by = reading.widest.by
        return by if by in ("caller", "crossing") else "guard-passed" if has_guard else "platform"
    if reading.ring == "ref":
        return "prefix" if reading.widest.by == "prefix" and not _ends_a_word(reading.widest) else "none"
    return "unreviewed" if reading.widest.by == "unreviewed" else _OF_RINGS[reading.ring]


def _ends_a_word(opening: Opening) -> bool:
    """Whether what stands before the star in a ref ends with a slash."""
    return opening.segment is not None and opening.segment.part.endswith("/") and opening.pattern.endswith("/*")


def on_a_word(opening: Opening) -> bool:
    """Whether the star hangs on a word, so that it is likely that more was let in than was meant."""
    part = opening.segment.part if opening.segment else ""
    return part[-1:].isalpha() and len(part.rpartition("/")[2]) > 1


def lost_subject(statement: Statement, replaced: Iterable[ReplacedMember]) -> bool:
    """Whether a member that another took the place of had the only condition of a statement on the subject."""
    if not statement.allow or any(condition.key.endswith(":sub") for condition in statement.conditions):
        return False
    at = "/" + "/".join(map(str, statement.steps)) + "/Condition"
    lost = [key for member in replaced if member.pointer.startswith(at) for key in member.keys]
    return any(key.lower().endswith(":sub") for key in lost)


def is_seen(read: GrantReading, unseen: Unknown | None) -> bool:
    """Whether nothing that is not seen decides how far a grant reaches."""
    return unseen is None and not read.with_names.names
