"""How far those reach whom a federated credential of Azure, or a member of a policy of Google Cloud, admits."""

from collections.abc import Mapping
from typing import Any

import msgspec

from irsa_doctor.facts.clouds.lookup import CloudLookups
from irsa_doctor.facts.grants.ownership import declared_tenants, has_ids, is_open, unreplaced_of, whose
from irsa_doctor.facts.grants.reach import kind_of_ring, on_a_word
from irsa_doctor.facts.grants.ring import has_plain_reason, subject_format
from irsa_doctor.facts.grants.ring_scene import SCENE_NAMES, RingScene, first_of
from irsa_doctor.issuers import (
    OTHER,
    Profile,
    cluster_profile,
    declared_profile,
    profile_by_subjects,
    profile_of,
    right_name,
    tenant_of,
)
from irsa_doctor.model import FederatedCredential, PoolProvider, Unknown, text_of
from irsa_doctor.model.commands import shell_command
from irsa_doctor.model.once import once
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.clouds.cel import CelCondition, attribute_of, read_condition
from irsa_doctor.trust.clouds.flexible import read_expression
from irsa_doctor.trust.clouds.matching import PLACEHOLDERS_OF_CLOUD
from irsa_doctor.trust.clouds.members import PolicyMember
from irsa_doctor.trust.clouds.placeholders import (
    is_in_literals,
    named_text,
    placeholder_names,
    with_open_ends,
)
from irsa_doctor.trust.clouds.tokens import PoolReading, TokenBoxes, admitted_by_expression, with_all_claims
from irsa_doctor.trust.languages import EVERYTHING, Finite, Language, literal, union
from irsa_doctor.trust.openings import RINGS, Opening
from irsa_doctor.trust.ring import Circumstances, RingReading, Tenant, ring_of, ring_of_scope
from irsa_doctor.trust.spelling import spell
from irsa_doctor.trust.subjects import is_subject, reach_of


class CloudReach(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The tokens that a credential or a member admits, read as those of a role are; unless `exact`, there may be fewer."""

    profile: Profile
    issuer: str
    tokens: TokenBoxes
    holes: Mapping[str, str]
    declared: tuple[str, ...]

    @once
    def ring(self) -> RingReading:
        """Their ring."""
        if self.profile.is_cluster:
            ring = ring_of_scope(reach_of(self.scene_subjects, "service-account").scope)
            return RingReading(ring=ring, widest=Opening(ring, pattern="system:serviceaccount:*"))
        if self.profile is not OTHER:
            return ring_of(self.tokens.boxes, self.profile, self._around)
        is_nobody = reach_of(self.scene_subjects, "text").scope == "nobody"
        ring = "nobody" if is_nobody else "workload" if isinstance(self.scene_subjects, Finite) else "unknown"
        return RingReading(ring=ring, widest=Opening(ring))

    @property
    def _around(self) -> Circumstances:
        guests = self.profile.guests
        # a condition on the claim that tells guests would have several values, and is not worked out
        is_open = guests is not None and not any(guests.claim in box.by_claim for box in self.tokens.boxes)
        return Circumstances("open" if is_open else "", tuple(self.holes))

    @once
    def scene_subjects(self) -> Language:
        """Their subjects."""
        return union(box.subjects for box in self.tokens.boxes)

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        """The tenants that are fixed: by a condition, else the one to whom the issuer belongs."""
        if self.ring.tenants or is_open(self.ring.ring) or not self.profile.own:
            return self.ring.tenants
        tenant = tenant_of(self.issuer, self.profile)
        return (Tenant(name=tenant),) if tenant else ()

    @once
    def scene(self) -> RingScene:
        """What messages say of them."""
        return RingScene(
            profile=self.profile,
            issuer=self.issuer,
            ring=self.ring,
            boxes=self.tokens.boxes,
            around=self._around,
            subjects=self.scene_subjects,
            tenants=self.tenants,
            declared=self.declared,
            holes=self.holes,
        )

    def facts(self, missing: Unknown) -> Mapping[str, Any]:
        """Field of the facts -> its value; what is wide only as far as it is known is `missing`."""
        reading, subjects = self.ring, [box.subjects for box in self.tokens.boxes]
        kind = kind_of_ring(reading, self.profile, has_guard=EVERYTHING not in subjects)
        if self.profile.is_cluster and reading.ring in ("organisation", "group"):
            kind = "organisation" if reading.ring == "organisation" else "group"
        is_known = self.tokens.exact or kind == "none"
        by_id = has_ids(self.tenants, self.declared)
        return {
            "ring_counts": True,
            "reach": kind if is_known else missing,
            "reach_inside": kind if is_known and (isinstance(kind, Unknown) or kind in ("repository", "prefix")) else "none",
            "ring_seen": not self.holes,
            "on_word": on_a_word(reading.widest),
            "names_only": ("owner-has-ids" if by_id else "yes") if reading.names_only else "no",
            "outsider": whose(self.tenants, self.declared) in ("outsider", "mixed"),
            "subject_impossible": self._impossible(reading),
            "subject_unreplaced": bool(unreplaced_of(reading, self.declared)),
            "subject_format": subject_format(reading, self.profile),
            "subject_volatile": bool(reading.volatile),
        }

    def _impossible(self, reading: RingReading) -> str:
        if has_plain_reason(reading):
            return "no"
        return "yes" if self.profile.subject_custom == "no" else "custom"

    def names(self) -> Mapping[str, str]:
        """What messages name."""
        subjects = self.scene.written(first_of(spell(self.scene_subjects).patterns))
        named = {name: text(self.scene) for name, text in SCENE_NAMES.items()}
        # nothing beside it lists the audiences that are taken, as the client ids of a provider of AWS do
        return {**named, "subs": subjects, "patterns": subjects, "until": ""}


def issuer_name(url: str) -> str:
    """An issuer without its scheme."""
    return url.removeprefix("https://")


def profile_of_cloud(lookups: CloudLookups, issuer: str, subject: str) -> Profile:
    """The profile of an issuer (without scheme): as settings declare it, by its name, or by the subject that is named."""
    common = lookups.common
    if issuer in common.issuers:
        return declared_profile(common.issuers[issuer], issuer)
    if issuer in common.inventory.clusters_by_issuer:
        return cluster_profile(issuer)
    return profile_of(issuer) or profile_by_subjects((subject,)) or OTHER


# ---- credentials of Azure


def right_issuer(lookups: CloudLookups, credential: FederatedCredential) -> str:
    """The issuer of a credential as tokens name it, "" where none does; that of a cluster, or one not known, as it is."""
    written = text_of(credential.issuer)
    profile = profile_of_cloud(lookups, issuer_name(written), "")
    if profile.is_cluster or not isinstance(credential.issuer, str) or not written.startswith("https://"):
        return written
    name = right_name(issuer_name(written), profile)
    return f"https://{name}" if name else ""


def reach_of_credential(lookups: CloudLookups, credential: FederatedCredential) -> CloudReach | None:
    """Whom a credential admits; None where its issuer is a cluster, or a template fills that in, where no token names it so,
    and where Entra refuses it: an expression excludes a subject."""
    if not isinstance(credential.issuer, str) or not credential.issuer or (credential.subject and credential.expression):
        return None
    if right_issuer(lookups, credential) != credential.issuer:
        return None
    issuer, values = issuer_name(credential.issuer), (credential.subject, credential.expression)
    subject, expression = map(named_text, values)
    profile = profile_of_cloud(lookups, issuer, subject)
    if profile.is_cluster or is_subject(subject):
        return None
    profile = with_all_claims(profile)
    audiences = literal(*map(text_of, credential.audiences)) if credential.audiences else EVERYTHING
    tokens = TokenBoxes((Box(literal(subject), audiences),))
    if expression:
        conditions = read_expression(expression)
        start = TokenBoxes((Box(EVERYTHING, audiences),), False)
        tokens = start if conditions is None else admitted_by_expression(conditions, audiences, profile)
    return CloudReach(
        profile=profile,
        issuer=issuer,
        tokens=tokens,
        holes=placeholder_names(values),
        declared=declared_tenants(profile, lookups.common.owner),
    )


# ---- members of pools of Google Cloud


def reach_of_member(lookups: CloudLookups, member: PolicyMember) -> CloudReach | Unknown | None:
    """Whom a member admits of a pool that has providers of its own, by the widest of these; None for any other member."""
    if member.form == "unseen":
        return Unknown(f"who the member {member.text} is: values of the template's placeholders")
    if member.is_of_clusters or not member.pool or member.form == "malformed":
        return None
    providers = lookups.providers_of(member.pool, member.project)
    if not providers:
        how = shell_command(
            "gcloud iam workload-identity-pools providers list --workload-identity-pool {} --location global", member.pool
        )
        return Unknown(f"providers of the pool {member.pool}", f"{how} --format json")
    reaches = [_of_provider(lookups, provider, member) for provider in providers]
    if (unseen := next((reach for reach in reaches if isinstance(reach, Unknown)), None)) is not None:
        return unseen
    known = [reach for reach in reaches if isinstance(reach, CloudReach)]
    return max(known, key=lambda reach: (RINGS.index(reach.ring.ring), not reach.tokens.exact), default=None)


def _of_provider(lookups: CloudLookups, provider: PoolProvider, member: PolicyMember) -> CloudReach | Unknown | None:
    if not isinstance(provider.issuer, str):
        return PLACEHOLDERS_OF_CLOUD
    if not provider.issuer or provider.state in ("DISABLED", "DELETED"):
        return None
    issuer = issuer_name(provider.issuer)
    reading = pool_reading(lookups, provider)
    audiences = literal(*provider.audiences) if provider.audiences else EVERYTHING
    tokens = TokenBoxes((Box(EVERYTHING, audiences),))
    if provider.condition:
        condition = _condition_of(provider)
        if isinstance(condition, Unknown):
            return condition
        tokens = TokenBoxes(tokens.boxes, False) if condition is None else reading.admitted(tokens, condition)
    for attribute, value in _asked(member):
        is_mapped = attribute in provider.mapping
        tokens = reading.with_value(tokens, attribute, value) if is_mapped else TokenBoxes(())
    declared = declared_tenants(reading.profile, lookups.common.owner)
    holes = {**placeholder_names((provider.condition,)), **member.holes}
    return CloudReach(profile=reading.profile, issuer=issuer, tokens=tokens, holes=holes, declared=declared)


def _condition_of(provider: PoolProvider) -> CelCondition | Unknown | None:
    """The condition of a provider, None where it is not read; placeholders count within literals alone."""
    text = named_text(provider.condition)
    condition, names = read_condition(text), placeholder_names((provider.condition,))
    if not names or condition is None:
        return PLACEHOLDERS_OF_CLOUD if names else condition
    return with_open_ends(condition, names) if is_in_literals(text, condition) else PLACEHOLDERS_OF_CLOUD


def pool_reading(lookups: CloudLookups, provider: PoolProvider) -> PoolReading:
    """What the conditions of a provider are read with."""
    issuer = issuer_name(text_of(provider.issuer))
    profile = with_all_claims(profile_of_cloud(lookups, issuer.rstrip("/"), ""))
    read = {name: attribute_of(text) for name, text in provider.mapping.items()}
    claims = {name: claim.name for name, claim in read.items() if claim and claim.of == "assertion"}
    return PoolReading(profile=profile, issuer=text_of(provider.issuer), claims=claims)


def _asked(member: PolicyMember) -> tuple[tuple[str, str], ...]:
    """The attribute that a member asks for, with its value."""
    if member.form == "subject":
        return (("google.subject", member.value),)
    if member.form == "group":
        return (("google.groups", member.value),)
    return ((member.attribute, member.value),) if member.form == "attribute" else ()
