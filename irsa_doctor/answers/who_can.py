"""Answers who can assume a role: the exact set of subjects and audiences that its trust policy admits, by provider."""

import os
from collections.abc import Iterable, Iterator

import msgspec

from irsa_doctor.answers.missing import MissingInput, lacking
from irsa_doctor.answers.reach.records import RoleReach
from irsa_doctor.facts import AnalysedRole, View, did_you_mean
from irsa_doctor.facts.grants.ownership import Whose
from irsa_doctor.facts.grants.reading import issuer_kind, profile_for
from irsa_doctor.facts.roles.reached import reached_by, widest_ring
from irsa_doctor.facts.roles.role import planned_arn
from irsa_doctor.issuers import OTHER, built_in_issuers
from irsa_doctor.model import Issuer, Role, Text, Unknown, issuer_in, issuer_of_provider, parse_arn, text_of
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.nearness import nearest
from irsa_doctor.trust import Admitted, Policy, admitted, spell
from irsa_doctor.trust.association import policy_seen_for
from irsa_doctor.trust.languages import EVERYTHING, union
from irsa_doctor.trust.openings import Ring
from irsa_doctor.trust.principals import admitted_principals, is_saml

_LISTED = 10
_NEAR = 3
"""names that a question holds"""


class NoSuchRole(IrsaDoctorError):
    """No role has a name, or several have it; the text lists those that exist."""


class AdmittedAudiences(msgspec.Struct, frozen=True):
    """Audiences that are admitted with some subject; `any`: whatever the provider accepts."""

    any: bool
    values: tuple[str, ...]


class AdmittedSubjects(msgspec.Struct, frozen=True):
    """Subjects that are admitted with some audience: those of `patterns` without those of `except`.

    `witness` is one of them, None where nobody is admitted. They are an upper bound unless `exact`.
    """

    scope: str
    patterns: tuple[str, ...]
    without: tuple[str, ...] = msgspec.field(name="except")
    witness: str | None
    exact: bool


class AudiencePair(msgspec.Struct, frozen=True):
    """Audiences with the subjects that are admitted with them."""

    audiences: tuple[str, ...]
    subjects: tuple[str, ...]


class AdmittedTenant(msgspec.Struct, frozen=True):
    """A tenant that is admitted, by name and by id; null where the policy does not name it."""

    name: str | None
    id: str | None


class AdmittedClaim(msgspec.Struct, frozen=True):
    """A condition key beside subject and audience, and the values of it that are admitted; `any`: whatever it is."""

    key: str
    any: bool
    values: tuple[str, ...]


class ProviderGrant(msgspec.Struct, frozen=True):
    """What a role grants to the tokens of one provider.

    `service_accounts` are those of the input that are admitted, of the `known` ones of its clusters. `by_audience` is None
    where every subject is admitted with every audience. `depends_on` are further keys of the request; `unseen` are
    values that only a template knows; `why` is why there is no scope, "" where there is one. `ring` is how far the admitted
    are from the tenant, `reaches` the same in words; `whose` says whether the `tenants` are declared as one's own. `issuer_id`
    is the data file of the issuer, None where it is unknown; `claims` are the other keys that narrow it.
    """

    provider: str
    issuer: str
    issuer_kind: str
    clusters: tuple[str, ...]
    audiences: AdmittedAudiences
    subjects: AdmittedSubjects
    by_audience: tuple[AudiencePair, ...] | None
    service_accounts: tuple[str, ...]
    known: int
    depends_on: tuple[str, ...]
    contested: tuple[str, ...]
    unseen: tuple[str, ...]
    why: str = ""
    ring: Ring = "unknown"
    reaches: str = ""
    whose: Whose = "unknown"
    issuer_id: str | None = None
    tenants: tuple[AdmittedTenant, ...] = ()
    claims: tuple[AdmittedClaim, ...] = ()


class OtherPrincipal(msgspec.Struct, frozen=True, order=True):
    """A principal that is not an OIDC provider of the role's account: it admits no token of a service account."""

    type: str
    value: str


class WhoCan(msgspec.Struct, frozen=True):
    """The answer for one role; `problem` says why IAM would refuse its policy, `unknown` is what the answer lacks."""

    role: str
    grants: tuple[ProviderGrant, ...]
    others: tuple[OtherPrincipal, ...]
    problem: str | None = None
    unknown: tuple[MissingInput, ...] = ()
    ring: Ring = "nobody"
    """the widest of its grants"""
    reach: RoleReach = RoleReach()
    """who becomes it through Kubernetes"""


def find_role(view: View, name: str) -> AnalysedRole:
    """The role of an ARN, a name, the path of a bare policy, or the subject of a finding; raises NoSuchRole."""
    for candidates in (*_readings(view, name), *_of_subject(view, name)):
        roles = list(candidates)
        if len(roles) == 1:
            return roles[0]
        if roles:
            raise NoSuchRole(f"{name}: {len(roles)} roles have this name; give one of {_first(role.role.id for role in roles)}")
    raise NoSuchRole(f"{name}: no such role in the input.{_hint(view, name)}")


def _of_subject(view: View, name: str) -> Iterator[Iterable[AnalysedRole]]:
    """The role whose statement (`ROLE#0`) or binding (`SERVICE ACCOUNT -> ROLE`) a finding or an item of evidence names."""
    role, _, statement = name.rpartition(" -> ")[2].partition("#")
    if role != name and (not statement or (statement.isascii() and statement.isdigit())):
        yield (each for each in view.roles if role in (each.role.arn, each.role.id))


def _readings(view: View, name: str) -> Iterator[Iterable[AnalysedRole]]:
    """The roles that may be meant, the most literal reading first."""
    roles = view.roles
    yield (role for role in roles if name in (role.role.arn, role.role.id))
    yield (role for role in roles if name == planned_arn(role))
    # what a template calls its role is certain to be that one; another may have the same as its name
    yield (role for role in roles if name and name == role.role.address)
    yield (role for role in roles if name in names_of(role.role))
    # names of roles are unique in an account whatever their case
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    yield (role for role in roles if name.lower() in map(str.lower, names_of(role.role)))
    # a document below the current folder is named from there, however its path was written
    path, whole = os.path.normpath(name), os.path.abspath(name)
    yield (role for role in roles if os.path.abspath(role.role.place.document) == whole)
    yield (role for role in roles if not role.role.arn and role.role.place.document.endswith(f"/{path}"))


def names_of(role: Role) -> tuple[str, ...]:
    """The name of a role, without its path and with it; what a template calls it."""
    arn = parse_arn(role.arn)
    address = (role.address, f"{role.address} {role.case}") if role.address else ()
    planned = (role.planned, role.planned.rpartition("/")[2]) if role.planned else ()
    return (arn.name.rpartition("/")[2], arn.name, *address) if arn else (*address, *planned)


def _hint(view: View, name: str) -> str:
    """What else of this name there is, the nearest names as a question, else the names that there are."""
    if what := _other_kind(view, name):
        return f" {what}"
    by_name = {known: role.role.id for role in view.roles for known in (role.role.id, *names_of(role.role))}
    arn = parse_arn(name)
    short = arn.name.rpartition("/")[2] if arn else name.rpartition("/")[2]
    namesakes = sorted({by_name[known] for known in by_name if known.lower() == short.lower()})
    if near := list(dict.fromkeys([*namesakes, *(by_name[known] for known in nearest(name, by_name, _NEAR))]))[:_NEAR]:
        return f" Did you mean {' or '.join(near)}?"
    existing = f" There are {_first(role.role.id for role in view.roles)}." if view.roles else " There are no roles at all."
    return did_you_mean(name, by_name) or existing


def _other_kind(view: View, name: str) -> str:
    """What a name is that is no role's, with the command for it; "" where it is nothing of the input."""
    account = name.removeprefix("system:serviceaccount:").replace(":", "/") if name.startswith("system:") else name
    if any(account == f"{a.namespace}/{a.name}" for a in view.inventory.service_accounts):
        return f"It is a service account; for its role run: irsa-doctor why {account}"
    return "It is an OIDC provider, not a role." if name in view.inventory.provider_by_arn else ""


def _first(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    listed = sorted(set(names))
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def who_can(view: View, analysed: AnalysedRole) -> WhoCan:
    """Every grant of a role, by provider."""
    policy, source = analysed.policy, analysed.role.policy
    if policy is None:
        missing = (lacking(source),) if isinstance(source, Unknown) else ()
        return WhoCan(analysed.role.id, (), (), None, missing)
    refused = [problem.message for problem in policy.problems if problem.refused]
    by_provider = {**analysed.by_provider, **_by_template(view, analysed, policy)}
    presumed = _presumed(policy, expanded=bool(analysed.role.address))
    grants = tuple(
        msgspec.structs.replace(grant, why=grant.why or presumed.get(grant.provider, ""))
        for grant in (_grant(view, analysed, policy, provider, admits) for provider, admits in sorted(by_provider.items()))
    )
    others, unknown = _others(policy, by_provider), tuple(_unseen_principals(policy))
    ring = widest_ring([grant.ring for grant in grants])
    return WhoCan(analysed.role.id, grants, others, refused[0] if refused else None, unknown, ring)


def _by_template(view: View, analysed: AnalysedRole, policy: Policy) -> dict[str, Admitted]:
    """What is admitted where only a template knows principal or effect: as if it allowed it, and never for certain."""
    by_name: dict[str, Admitted] = {}
    for statement in policy.statements:
        for principal in statement.federated if statement.allow or not statement.effect_seen else ():
            name = text_of(principal)
            is_open = isinstance(principal, Text) or (not statement.effect_seen and ":oidc-provider/" in name)
            if is_open and name not in by_name and name not in analysed.by_provider:
                issuer = issuer_in(principal)
                written = issuer if isinstance(issuer, str) else ""
                profile = profile_for(issuer_kind(statement, written, view), written, policy.statements, view)
                seen = policy_seen_for(policy, principal, expanded=bool(analysed.role.address))
                by_name[name] = admitted(seen.policy, name, seen.issuer, profile=profile)
    return by_name


def _presumed(policy: Policy, *, expanded: bool) -> dict[str, str]:
    """Principal -> on what the answer depends, for those of which a template leaves something open."""
    names = {value for statement in policy.statements for value in statement.federated if isinstance(value, Text)}
    certain = {value: policy_seen_for(policy, value, expanded=expanded).certain for value in names}
    return {
        text_of(value): f"whatever {value} is, which only a template knows"
        if certain[value]
        else f"the condition keys are presumed to be of the issuer of {value}, which only a template knows"
        for value in names
    }


def _unseen_principals(policy: Policy) -> Iterator[MissingInput]:
    """Statements of which not even the principal is seen."""
    for statement in policy.statements:
        seen = statement.federated or statement.aws or statement.service
        if statement.unseen and not seen and (statement.allow or not statement.effect_seen):
            yield MissingInput(f"{', '.join(statement.unseen)} in statement {statement.index}, which only a template knows")


def _issuer(provider: str) -> str:
    """The issuer without scheme, of an ARN that may have holes, or of a bare host."""
    return provider if provider in built_in_issuers() else issuer_of_provider(provider)


def _others(policy: Policy, by_provider: dict[str, Admitted]) -> tuple[OtherPrincipal, ...]:
    named = {OtherPrincipal(_TYPES[each.kind], each.value) for each in admitted_principals(policy)}
    federated = [text_of(value) for statement in policy.statements if statement.allow for value in statement.federated]
    elsewhere = {OtherPrincipal("Federated", each) for each in federated if each not in by_provider and not is_saml(each)}
    return tuple(sorted(named | elsewhere))


_TYPES = {"AWS": "AWS", "Service": "Service", "SAML": "Federated"}


def _grant(view: View, analysed: AnalysedRole, policy: Policy, provider: str, grant: Admitted) -> ProviderGrant:
    issuer, grammar = _issuer(provider), grant.profile.grammar
    reached = reached_by(analysed, provider)
    pairs = tuple(AudiencePair(spell(a).patterns, spell(s, grammar).patterns) for a, s in grant.cells)
    accounts = view.accounts.admitted(issuer, grant.subjects)
    return ProviderGrant(
        provider=provider,
        issuer=Issuer.of(issuer).url if issuer else "",
        issuer_kind=_kind(view, policy, provider, issuer),
        clusters=tuple(sorted(cluster.name for cluster in view.inventory.clusters_by_issuer.get(issuer, ()))),
        audiences=AdmittedAudiences(grant.audiences == EVERYTHING, spell(grant.audiences).patterns),
        subjects=_subjects(grant, reached.witness),
        by_audience=pairs if len(pairs) > 1 else None,
        service_accounts=tuple(sorted(f"{view.label_of(a.cluster)}/{a.namespace}/{a.name}" for a in accounts)),
        known=view.accounts.known(issuer),
        depends_on=grant.depends_on,
        contested=() if _is_certain(grant) else grant.contested,
        unseen=grant.unseen,
        why=_why(grant),
        ring=reached.ring,
        reaches=reached.words,
        whose=reached.whose,
        issuer_id=None if grant.profile is OTHER else grant.profile.id,
        tenants=tuple(AdmittedTenant(tenant.name, tenant.id) for tenant in reached.tenants),
        claims=tuple(AdmittedClaim(key, values is None, values or ()) for key, values in reached.claims),
    )


def _subjects(grant: Admitted, shown: str | None) -> AdmittedSubjects:
    if grant.reach.scope == "nobody":
        # texts that no token has as its subject are left at most
        return AdmittedSubjects("nobody", (), (), None, exact=True)
    subjects = spell(grant.subjects, grant.profile.grammar)
    return AdmittedSubjects(
        scope=grant.reach.scope or "unknown",
        patterns=subjects.patterns,
        without=subjects.without,
        witness=shown or grant.reach.witness,
        exact=subjects.exact,
    )


def _is_certain(grant: Admitted) -> bool:
    """Whether all that is admitted is admitted for certain, so that no contested point matters."""
    certain = (part.grant for part in grant.allows if part.sure and part.grant.sure_audiences == part.grant.audiences)
    return not grant.denies and union(part.sure_subjects for part in certain) == grant.subjects


def _why(grant: Admitted) -> str:
    if grant.unseen:
        return f"values that only a template knows decide: {', '.join(grant.unseen)}"
    return "" if grant.reach.scope else "the policy is too complex to be worked out"


def _kind(view: View, policy: Policy, provider: str, issuer: str) -> str:
    for statement in policy.statements:
        if statement.allow and provider in map(text_of, statement.federated):
            kind = issuer_kind(statement, issuer, view)
            return "kubernetes" if kind == "unknown" else kind
    return "other"
