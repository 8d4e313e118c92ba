"""How far from a tenant those are whom a statement admits: the ring.

The ring is the first level that is open, from the tenant down: whoever can choose it freely gets in. It is worked out on the
patterns of the subjects that are left after the Deny statements, and on the condition keys that narrow a level.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from irsa_doctor.issuers.profiles import Profile, SubjectTemplate
from irsa_doctor.trust.claim_forms import by_claims
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.fitting import said_of
from irsa_doctor.trust.languages import EVERYTHING, NOTHING, Finite, Language
from irsa_doctor.trust.openings import RINGS, OpenBy, Opening, Ring, is_hidden, widest_of
from irsa_doctor.trust.patterns import Wild, pieces_of, widest
from irsa_doctor.trust.segments import (
    SegmentValue,
    Token,
    of_key,
    tokens_of,
    with_fewer_ids,
)
from irsa_doctor.trust.spelling import spell
from irsa_doctor.trust.subjects import Scope
from irsa_doctor.trust.unreplaced import unreplaced_in

Alternatives = tuple[tuple[SegmentValue, ...], ...]
"""what each pattern of one claim says of its segments"""
_BELOW: Mapping[str, tuple[str, ...]] = {
    "tenant": ("group", "repository", "workload"),
    "group": ("repository", "workload"),
    "repository": ("workload",),
}


class Tenant(msgspec.Struct, frozen=True, order=True):
    """A tenant that is fixed, by name and by id, as far as a policy names them."""

    name: str | None = None
    id: str | None = None


class RingReading(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a statement admits, seen from the tenant.

    `widest` is the pattern of subjects that makes the ring. `tenants` are those that are fixed, none where one is open.
    `names_only`: names that another can take over decide, where ids could. `impossible` are patterns that no subject of the
    issuer fits, `volatile` those that fit the subjects of one past run. `guests_named`: guests are let in by a condition.
    """

    ring: Ring
    widest: Opening
    tenants: tuple[Tenant, ...] = ()
    names_only: bool = False
    impossible: tuple[str, ...] = ()
    misformed: tuple[str, ...] = ()
    """patterns with ids in another place than tokens have them, or where they have none"""
    volatile: tuple[str, ...] = ()
    unreplaced: tuple[str, ...] = ()
    """placeholders in patterns as they are, such as <org>, that no template fills in any more"""
    guests_named: bool = False


NOBODY = RingReading(ring="nobody", widest=Opening("nobody"))
_OF_SCOPES: Mapping[Scope, Ring] = {
    "nobody": "nobody",
    "one": "workload",
    "several": "workload",
    "namespace": "group",
    "namespaces": "group",
    "cluster": "organisation",
    "pattern": "organisation",
    "anyone": "organisation",
}


def ring_of_scope(scope: Scope | None) -> Ring:
    """The ring of service accounts: those of a cluster are the organisation, those of namespaces a group."""
    return "unknown" if scope is None else _OF_SCOPES[scope]


def wider(first: Ring, second: Ring) -> Ring:
    """The wider of two rings."""
    return max(first, second, key=RINGS.index)


class Circumstances(msgspec.Struct, frozen=True):
    """What beside the boxes decides: who may be a guest, and the placeholders in the patterns."""

    guests: Literal["", "open", "named"] = ""
    holes: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def ring_of(boxes: tuple[Box, ...], profile: Profile, around: Circumstances) -> RingReading:
    """The ring of tokens of an issuer with a profile: that of the widest box."""
    readings = [_of_box(box, profile, around) for box in boxes]
    if not readings:
        return NOBODY
    widest_reading = max(readings, key=lambda reading: RINGS.index(reading.ring))
    tenants = {tenant for reading in readings for tenant in reading.tenants}
    is_pinned = all(reading.tenants or reading.ring == "nobody" for reading in readings)
    return msgspec.structs.replace(widest_reading, tenants=tuple(sorted(tenants, key=_by_name)) if is_pinned else ())


def _by_name(tenant: Tenant) -> tuple[str, str]:
    return tenant.name or "", tenant.id or ""


def _of_box(box: Box, profile: Profile, around: Circumstances) -> RingReading:
    """The ring of one box: the widest of its patterns."""
    keys = list(_of_keys(box, profile, around.holes))
    pins_tenant = profile.own or (profile.audience.pins_tenant and _is_finite(box.audiences))
    scene = _Scene(profile, tuple(keys), pins_tenant)
    openings: list[Opening] = []
    impossible: list[str] = []
    for pattern, ignore_case in _patterns(box.subjects):
        found = list(scene.openings(pattern, around.holes, ignore_case=ignore_case))
        openings += found
        impossible += [] if found else [pattern]
    if not openings:
        misformed = tuple(_misformed((), impossible, profile))
        unreplaced = unreplaced_in(impossible, ())
        return msgspec.structs.replace(NOBODY, impossible=tuple(impossible), misformed=misformed, unreplaced=unreplaced)
    misformed = tuple(_misformed(openings, impossible, profile))
    first = widest_of(openings)
    if around.guests and first.ring != "workload":
        first = msgspec.structs.replace(first, ring="world", by="guests")
    return RingReading(
        ring=first.ring,
        widest=first,
        tenants=_tenants(openings, keys, box, profile),
        names_only=first.ring in ("ref", "workload") and scene.has_names_only(openings),
        impossible=tuple(impossible),
        misformed=misformed,
        volatile=tuple(dict.fromkeys(opening.pattern for opening in openings if _is_volatile(opening))),
        unreplaced=_unreplaced(openings, keys, impossible),
        guests_named=around.guests == "named",
    )


def _unreplaced(openings: Sequence[Opening], keys: Sequence[Alternatives], impossible: Sequence[str]) -> tuple[str, ...]:
    """The placeholders that stand in patterns as they are."""
    patterns = dict.fromkeys([*impossible, *(opening.pattern for opening in openings)])
    of_keys = [value for source in keys for values in source for value in values]
    said = ([value for value in (*opening.values, *of_keys) if value.fixed] for opening in openings)
    return unreplaced_in(patterns, said)


def _misformed(openings: Sequence[Opening], impossible: Sequence[str], profile: Profile) -> Iterator[str]:
    """The patterns whose ids no token has as they stand."""
    if not profile.has_ids:
        yield from (opening.pattern for opening in openings if any(value.is_id for value in opening.values))
    for pattern in impossible:
        tokens = _tokens(pattern, ())
        if any(said_of(tokens, form) for template in profile.subject for form in with_fewer_ids(template)):
            yield pattern


def _is_finite(language: Language) -> bool:
    spelt = spell(language)
    return language != EVERYTHING and not any(
        isinstance(piece, Wild) for text in spelt.patterns for piece in pieces_of(text, wildcards=True, variables=True)
    )


def _patterns(subjects: Language) -> Iterator[tuple[str, bool]]:
    """The patterns of a language, in the notation of policies, and whether case matters in each."""
    if isinstance(subjects, Finite) and not any(char in text for text in subjects.values for char in "*?$"):
        yield from ((text, False) for text in sorted(subjects.values))
        return
    if subjects == NOTHING:
        return
    spelt = spell(subjects)
    yield from ((text, text in spelt.ignoring_case) for text in spelt.patterns)


def _tokens(pattern: str, holes: Sequence[str]) -> tuple[Token, ...]:
    return tokens_of(widest(pieces_of(pattern, wildcards=True, variables=True)), holes)


def _of_keys(box: Box, profile: Profile, holes: Sequence[str]) -> Iterator[Alternatives]:
    """What the condition keys of a box fix, where every token has them or the statement requires them."""
    for claim, values in box.claims:
        key = profile.key_by_claim[claim]
        if key.level != "none" and not (values.absent and key.presence == "sometimes"):
            patterns = [_tokens(pattern, holes) for pattern, _ in _patterns(values.language)]
            yield tuple(of_key(key.key, key.level, key.kind, key.within, tokens) for tokens in patterns)


def segments_of_keys(box: Box, profile: Profile) -> Iterator[SegmentValue]:
    """What the condition keys of a box say of segments of subjects, the first of several alternatives each."""
    for alternatives in _of_keys(box, profile, ()):
        yield from next(iter(alternatives), ())


class _Known(msgspec.Struct, frozen=True):
    """What the subject and each key say: all of them hold of a token, and of each one of its alternatives."""

    sources: tuple[Alternatives, ...]

    def fixes(self, level: str, *, by_id: bool = False) -> bool:
        """Whether one of them fixes a level, whichever alternative holds; `by_id`: by what nobody else has."""
        return any(bool(source) and all(_fixes(values, level, by_id=by_id) for values in source) for source in self.sources)

    def fixes_unit(self, level: str) -> bool:
        """Whether a level is fixed, or an id of a narrower one is."""
        below = _BELOW.get(level, ())
        return self.fixes(level) or any(self.fixes(narrower, by_id=True) for narrower in below)

    @property
    def values(self) -> tuple[SegmentValue, ...]:
        """Everything that is said."""
        return tuple(value for source in self.sources for values in source for value in values)


def _fixes(values: Sequence[SegmentValue], level: str, *, by_id: bool) -> bool:
    return any(value.level == level and value.fixed and (value.is_id or not by_id) for value in values)


class _Scene(msgspec.Struct, frozen=True):
    """A profile, what the keys of a box fix, and whether something fixes the tenant whatever the subjects are."""

    profile: Profile
    keys: tuple[Alternatives, ...]
    pins_tenant: bool

    def openings(self, pattern: str, holes: Sequence[str], *, ignore_case: bool) -> Iterator[Opening]:
        """The ring of a pattern in each form that it fits; none where it fits no form."""
        tokens = _tokens(pattern, holes)
        said = [(form, said_of(tokens, form, ignore_case=ignore_case)) for form in self.profile.subject]
        found = [self.opening(pattern, form, values) for form, values in said if values]
        if sure := [opening for opening in found if not is_hidden(opening)]:
            is_written = any(not any(value.supposed for value in opening.values) for opening in sure)
            yield from sure if is_written else found
        elif values := by_claims(tokens, self.profile):
            yield self.opening(pattern, None, values)
        elif found:
            yield from found
        elif not self.profile.subject or (self.profile.subject_custom != "no" and not self.profile.custom):
            yield self.unread(pattern, tokens)

    def unread(self, pattern: str, tokens: Sequence[Token]) -> Opening:
        """A subject of which no form is known: fixed where all of it is."""
        known = _Known(self.keys)
        has_text = any(isinstance(token, str) for token in tokens)
        if known.fixes("workload", by_id=True):
            return Opening("workload", "", pattern)
        if not any(isinstance(token, Wild) for token in tokens):
            return Opening("ref" if self.fixes_tenant(known) else "workload", "", pattern)
        if self.fixes_tenant(known):
            return Opening("group" if has_text else "organisation", "", pattern)
        return Opening("platform", "crossing" if has_text else _by_anything(tokens), pattern)

    def fixes_tenant(self, known: _Known) -> bool:
        """Whether finitely many tenants are admitted."""
        return self.pins_tenant or known.fixes_unit("tenant")

    def opening(self, pattern: str, template: SubjectTemplate | None, values: tuple[SegmentValue, ...]) -> Opening:
        """The first level that is open."""
        known = _Known(((values,), *self.keys))
        if known.fixes("workload", by_id=True):
            return Opening("workload", "", pattern, template, values)
        if not self.fixes_tenant(known):
            segment = _first(values, "tenant") or _first_open(values)
            return Opening("platform", _open_by(pattern, known), pattern, template, values, segment)
        levels = self.levels_of(values, is_custom=template is None)
        unit = [level for level in ("group", "repository", "workload") if level in levels]
        if open_unit := [level for level in unit if not known.fixes_unit(level)]:
            ring: Ring = "group" if _has_part(known) else "organisation"
            return Opening(ring, "", pattern, template, values, _first(values, open_unit[0]))
        if not unit:
            return Opening("organisation", "", pattern, template, values)
        return _of_refs(known, Opening("ref", "", pattern, template, values), needs_ref="ref" in levels)

    def levels_of(self, values: Sequence[SegmentValue], *, is_custom: bool) -> set[str]:
        """The levels that have to be fixed: those of the form, and of every form those of code and of refs."""
        everywhere = {value.level for form in self.profile.subject for value in form.segments.values()}
        own = {value.level for value in values} - ({"workload"} if is_custom else set())
        needed = own | (everywhere & {"repository", "ref"})
        return needed if "repository" in everywhere else needed | (everywhere & {"workload"})

    def has_names_only(self, openings: Sequence[Opening]) -> bool:
        """Whether names decide who gets in, where tokens have ids, for a subject beside which none with ids is named."""
        if self.profile.own or not _has_ids(self.profile):
            return False
        by_names = [opening for opening in openings if not self.is_by_id(opening)]
        with_ids = {_without_ids(opening) for opening in openings if self.is_by_id(opening)}
        return any(_without_ids(opening) not in with_ids for opening in by_names)

    def is_by_id(self, opening: Opening) -> bool:
        known = _Known(((opening.values,), *self.keys))
        return any(known.fixes(level, by_id=True) for level in ("tenant", "group", "repository", "workload"))


def _of_refs(known: _Known, opening: Opening, *, needs_ref: bool) -> Opening:
    """The ring of a pattern that fixes the unit of code."""
    refs = [value for value in known.values if value.level == "ref"]
    replaced = msgspec.structs.replace
    if unreviewed := next((value for value in refs if _runs_unreviewed(value)), None):
        return replaced(opening, ring="repository", by="unreviewed", segment=unreviewed)
    if needs_ref and not known.fixes("ref"):
        partly = next((v for v in refs if v.value is None and v.part and v.part not in v.segment.begins), None)
        if partly is None:
            return replaced(opening, ring="repository", segment=_first(refs, "ref"))
        return replaced(opening, by="prefix", segment=partly)
    named = any(value.fixed and value.value in value.segment.workload for value in refs)
    is_one = named or not refs or known.fixes("workload") or known.fixes("caller")
    return replaced(opening, ring="workload") if is_one else opening


def _runs_unreviewed(value: SegmentValue) -> bool:
    return value.fixed and not value.supposed and value.segment.runs_unreviewed(value.value)


def _has_part(known: _Known) -> bool:
    """Whether something of the group or of the unit of code is named."""
    units = [value for value in known.values if value.level in ("group", "repository", "workload")]
    return any(value.value is not None or value.part for value in units)


def _open_by(pattern: str, known: _Known) -> OpenBy:
    """What leaves the tenant open."""
    if any(value.level == "caller" and (value.fixed or value.part) for value in known.values):
        return "caller"
    named = [value for value in known.values if value.level in ("tenant", "group", "repository") and not value.fixed]
    if any(value.part or value.value for value in named):
        return "crossing"
    return _by_anything(_tokens(pattern, ()))


def _has_ids(profile: Profile) -> bool:
    """Whether tenants or units of code have ids in these tokens."""
    of_forms = [segment for form in profile.subject for segment in form.segments.values()]
    of_keys = [] if profile.keys == "any" else list(profile.keys)
    kinds = [*((part.kind, part.level) for part in of_forms), *((key.kind, key.level) for key in of_keys)]
    return ("id", "tenant") in kinds or ("id", "repository") in kinds


def _by_anything(tokens: Sequence[Token]) -> OpenBy:
    """A star alone names nothing, anything else only the form."""
    return "anything" if tuple(tokens) in ((), (Wild.MANY,)) else "form"


def _without_ids(opening: Opening) -> tuple[tuple[str, str | None], ...]:
    return tuple((value.name, value.value) for value in opening.values if not value.is_id)


def _first(values: Iterable[SegmentValue], level: str) -> SegmentValue | None:
    return next((value for value in values if value.level == level), None)


def _first_open(values: Iterable[SegmentValue]) -> SegmentValue | None:
    return next((value for value in values if value.value is None), None)


def _is_volatile(opening: Opening) -> bool:
    """Whether what is new for every run is fixed."""
    run = [value for value in opening.values if value.level == "run" and value.segment.chosen_by == "run"]
    return any(value.fixed and not value.segment.values for value in run)


def _tenants(openings: Sequence[Opening], keys: Sequence[Alternatives], box: Box, profile: Profile) -> tuple[Tenant, ...]:
    """The tenants that are fixed: by subject, by key, or by an audience that names them."""
    named: set[Tenant] = set()
    of_keys = [value for value in _Known(tuple(keys)).values if value.level == "tenant" and value.fixed]
    for opening in openings:
        if opening.ring in ("platform", "world", "unknown"):
            return ()
        fixed = [v for v in opening.values if v.level == "tenant" and v.fixed and not (v.supposed and v.is_id)]
        named |= _paired([*fixed, *of_keys])
    if not named and profile.audience.pins_tenant:
        named = {Tenant(name=text) for text, _ in _patterns(box.audiences)} if _is_finite(box.audiences) else set()
    return tuple(named)


def _paired(values: Sequence[SegmentValue]) -> set[Tenant]:
    """Names with their ids, where one of each is fixed; else each by itself."""
    names = list(dict.fromkeys(value.value for value in values if not value.is_id))
    ids = list(dict.fromkeys(value.value for value in values if value.is_id))
    if len(names) <= 1 and len(ids) <= 1:
        return {Tenant(names[0] if names else None, ids[0] if ids else None)} if names or ids else set()
    return {Tenant(name=name) for name in names} | {Tenant(id=ident) for ident in ids}
