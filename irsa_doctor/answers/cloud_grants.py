"""Answers who can be an identity of Azure or a service account of Google Cloud: subjects and audiences, by issuer."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.who_can import (
    AdmittedAudiences,
    AdmittedClaim,
    AdmittedSubjects,
    AdmittedTenant,
    OtherPrincipal,
    ProviderGrant,
    WhoCan,
)
from irsa_doctor.facts import View
from irsa_doctor.facts.clouds.projects import pool_project, whose_project
from irsa_doctor.facts.clouds.reaches import CloudReach, reach_of_credential, reach_of_member
from irsa_doctor.facts.grants.ownership import whose
from irsa_doctor.facts.grants.ring_scene import SCENE_NAMES, scene_words
from irsa_doctor.facts.roles.reached import claims_of
from irsa_doctor.issuers import OTHER
from irsa_doctor.model import AzureIdentity, FederatedCredential, GoogleAccount, Text, text_of
from irsa_doctor.model.commands import shell_command
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.clouds.credentials import is_subject_of_account
from irsa_doctor.trust.clouds.members import MEMBER_ROLES, PolicyMember, member_of
from irsa_doctor.trust.languages import union
from irsa_doctor.trust.openings import RINGS
from irsa_doctor.trust.spelling import spell
from irsa_doctor.trust.subjects import reach_of

CloudRing = Literal["nobody", "workload", "ref", "repository", "group", "organisation", "unknown", "platform", "world"]
_RING_OF_MEMBER: dict[str, CloudRing] = {
    "account": "workload",
    "subject": "workload",
    "uid": "workload",
    "namespace": "group",
    "cluster": "organisation",
    "pool": "organisation",
    "public": "world",
}


class IdentityGrant(ProviderGrant, frozen=True, kw_only=True):
    """What an identity of Azure or Google Cloud grants to the tokens of one issuer; `ring` is how far those are who get in."""

    ring: CloudRing
    cloud: Literal["azure", "google"]


def who_can_be_identity(view: View, name: str) -> WhoCan | None:
    """The answer for an identity: a client id, name, resource id, app id or address; None where nothing has that name."""
    wanted = name.strip().lower()
    for identity in view.inventory.clouds.identities:
        if wanted in {identity.key, identity.name.lower(), text_of(identity.client_id).lower()} - {""}:
            return _of_azure(view, identity)
    account = view.clouds.account_by_email.get(name)
    return _of_google(view, account) if account else None


def _of_azure(view: View, identity: AzureIdentity) -> WhoCan:
    credentials = view.clouds.credentials_of(identity)
    issuers = sorted({text_of(credential.issuer) for credential in credentials})
    grants = tuple(
        _azure_grant(view, identity, issuer, [c for c in credentials if text_of(c.issuer) == issuer]) for issuer in issuers
    )
    whole = view.clouds.has_all("credentials", identity.key) or any(c.address for c in credentials)
    how = shell_command("az identity federated-credential list --identity-name {}", identity.name)
    missing = () if whole else (MissingInput(f"all federated credentials of {identity.label}", how),)
    return WhoCan(text_of(identity.client_id) or identity.label, grants, (), None, missing, ring=_widest(grants))


def _widest(grants: Sequence[IdentityGrant]) -> CloudRing:
    return max((grant.ring for grant in grants), key=RINGS.index, default="nobody")


def _azure_grant(view: View, identity: AzureIdentity, issuer: str, credentials: list[FederatedCredential]) -> IdentityGrant:
    tokens = [reach for c in credentials if (reach := reach_of_credential(view.clouds, c))]
    if tokens:
        audiences = sorted({text_of(value) for c in credentials for value in c.audiences})
        return _of_issuer(tokens, identity.label, issuer, audiences, "azure")
    exact = sorted({text_of(c.subject) for c in credentials if not c.expression})
    open_ = [c for c in credentials if c.expression or isinstance(c.subject, Text)]
    clusters = view.inventory.clusters_by_issuer.get(issuer.removeprefix("https://"), ())
    of_cluster = bool(clusters) or all(map(is_subject_of_account, exact))
    audiences = sorted({text_of(value) for c in credentials for value in c.audiences})
    why = f"expressions and placeholders are not worked out: {', '.join(c.name for c in open_)}" if open_ else ""
    return _grant(
        view,
        provider=identity.label,
        issuer=issuer,
        kind="kubernetes" if of_cluster else "other",
        clusters=[cluster.id for cluster in clusters],
        patterns=exact,
        audiences=audiences,
        ring="unknown" if open_ or not of_cluster else "workload",
        cloud="azure",
        why=why,
    )


def _of_issuer(
    tokens: Sequence[CloudReach], provider: str, issuer: str, audiences: Sequence[str], cloud: Literal["azure", "google"]
) -> IdentityGrant:
    """What is granted to the tokens of an issuer that is no cluster; the widest condition decides how far that is."""
    widest = max(tokens, key=lambda reach: RINGS.index(reach.ring.ring))
    subjects = union(reach.scene_subjects for reach in tokens)
    spelt, grammar = spell(subjects), widest.profile.grammar
    exact = all(reach.tokens.exact for reach in tokens)
    fixed = [reach.tenants for reach in tokens if reach.ring.ring != "nobody"]
    tenants = tuple(dict.fromkeys(tenant for each in fixed for tenant in each)) if all(fixed) else ()
    patterns = tuple(widest.scene.written(pattern) for pattern in spelt.patterns)
    shown = SCENE_NAMES["stranger"](widest.scene)
    return IdentityGrant(
        provider=provider,
        issuer=issuer,
        issuer_kind="kubernetes" if widest.profile.is_cluster else "other",
        clusters=(),
        audiences=AdmittedAudiences(not audiences, tuple(audiences)),
        subjects=AdmittedSubjects(
            reach_of(subjects, grammar).scope or "unknown",
            patterns,
            spelt.without,
            None if widest.ring.ring == "nobody" else shown,
            spelt.exact and exact,
        ),
        by_audience=None,
        service_accounts=(),
        known=0,
        depends_on=() if exact else ("a condition that is not worked out",),
        contested=(),
        unseen=tuple(dict.fromkeys(hole for reach in tokens for hole in reach.holes.values())),
        ring=widest.ring.ring,
        reaches=scene_words(widest.scene),
        whose=whose(tenants, widest.declared),
        issuer_id=None if widest.profile is OTHER else widest.profile.id,
        tenants=tuple(AdmittedTenant(tenant.name, tenant.id) for tenant in tenants),
        claims=tuple(AdmittedClaim(key, values is None, values or ()) for key, values in claims_of(_boxes(tokens))),
        cloud=cloud,
    )


def _boxes(tokens: Sequence[CloudReach]) -> list[Box]:
    return [box for reach in tokens for box in reach.tokens.boxes]


def _grant(  # noqa: PLR0913 - the parts of one record
    view: View,
    *,
    provider: str,
    issuer: str,
    kind: str,
    clusters: Iterable[str],
    patterns: list[str],
    audiences: list[str],
    ring: CloudRing,
    cloud: Literal["azure", "google"],
    why: str = "",
) -> IdentityGrant:
    ids = set(clusters)
    known = [account for account in view.inventory.service_accounts if account.cluster in ids]
    admitted = sorted(f"{view.label_of(a.cluster)}/{a.namespace}/{a.name}" for a in known if a.subject in patterns)
    scope = "nobody" if not patterns else "one" if len(patterns) == 1 else "several"
    return IdentityGrant(
        provider=provider,
        issuer=issuer,
        issuer_kind=kind,
        clusters=tuple(sorted(view.name_of(ident) for ident in ids)),
        audiences=AdmittedAudiences(not audiences, tuple(audiences)),
        subjects=AdmittedSubjects(scope if not why else "unknown", tuple(patterns), (), next(iter(patterns), None), not why),
        by_audience=None,
        service_accounts=tuple(admitted),
        known=len(known),
        depends_on=(),
        contested=(),
        unseen=(),
        why=why,
        ring=ring,
        cloud=cloud,
    )


def _of_google(view: View, account: GoogleAccount) -> WhoCan:
    members: dict[str, list[PolicyMember]] = {}
    others: set[OtherPrincipal] = set()
    email = account.email or account.address
    how = shell_command("gcloud iam service-accounts get-iam-policy {} --format json", email)
    hidden: list[MissingInput] = []
    for member, conditional in _members(view, account):
        parsed = member_of(member)
        if parsed.form == "unseen":
            hidden.append(MissingInput(f"who the member {parsed.text} is, which only a template knows", how))
        elif parsed.pool and parsed.form != "malformed" and not parsed.has_project_id:
            members.setdefault(parsed.pool, []).append(parsed)
        else:
            others.add(OtherPrincipal("member", f"{parsed.text} (on a condition)" if conditional else parsed.text))
    grants = tuple(_google_grant(view, pool, parsed) for pool, parsed in sorted(members.items()))
    seen = view.clouds.has_whole_policy(account, account.email) or view.clouds.is_search
    missing = (*dict.fromkeys(hidden), *(() if seen else (MissingInput(f"IAM policy of {email}", how),)))
    return WhoCan(email, grants, tuple(sorted(others)), None, missing, ring=_widest(grants))


def _members(view: View, account: GoogleAccount) -> Iterator[tuple[str | Text, bool]]:
    for binding in view.clouds.bindings_of(account, account.email):
        if binding.role in MEMBER_ROLES:
            yield from ((member, bool(binding.condition)) for member in binding.members)


def _google_grant(view: View, pool: str, members: list[PolicyMember]) -> IdentityGrant:
    read = [reach_of_member(view.clouds, member) for member in members]
    if tokens := [reach for reach in read if isinstance(reach, CloudReach)]:
        providers = view.clouds.providers_of(pool, members[0].project)
        audiences = sorted({audience for provider in providers for audience in provider.audiences})
        return _of_issuer(tokens, pool, f"https://{tokens[0].issuer}", audiences, "google")
    named = [member for member in members if member.form in ("account", "subject") and member.name]
    wide = [member for member in members if member not in named]
    patterns = {f"system:serviceaccount:{member.namespace}:{member.name}" for member in named}
    patterns |= {f"system:serviceaccount:{member.namespace}:*" for member in wide if member.form == "namespace"}
    patterns |= {"*" for member in wide if member.form in ("pool", "cluster")}
    rings = [_RING_OF_MEMBER.get(member.form, "unknown") for member in members]
    why = f"not worked out: {', '.join(member.text for member in wide)}" if wide else ""
    clusters = [cluster.cluster for cluster in view.inventory.clouds.clusters if cluster.pool == pool]
    project = pool_project(members[0])
    grant = _grant(
        view,
        provider=pool,
        issuer="",
        kind="kubernetes" if members[0].is_of_clusters else "other",
        clusters=clusters,
        patterns=sorted(patterns),
        audiences=[pool],
        ring=max(rings, key=_ORDER.index),
        cloud="google",
        why=why,
    )
    tenants = (AdmittedTenant(project.name, project.id),) if project else ()
    return msgspec.structs.replace(grant, whose=whose_project(members[0], view.owner), tenants=tenants)


_ORDER: tuple[CloudRing, ...] = ("nobody", "workload", "group", "organisation", "unknown", "world")
