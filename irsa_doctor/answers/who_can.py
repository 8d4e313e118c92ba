"""Who can assume one role: the exact set of subjects and audiences of its trust policy, for each provider that it names."""

import os
from collections.abc import Iterable, Iterator

import msgspec

from irsa_doctor.facts import AnalysedRole, View, did_you_mean
from irsa_doctor.facts.grants.reading import issuer_kind, profile_of_kind
from irsa_doctor.model import Issuer, Text, Unknown, issuer_in, parse_arn, text_of
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.trust import Admitted, Policy, admitted, spell
from irsa_doctor.trust.languages import EVERYTHING, union
from irsa_doctor.trust.symbols import keys_seen_through

_LISTED = 10
_CROWD = 2_000
"""names beyond which only those that differ by a letter are looked for"""


class NoSuchRole(IrsaDoctorError):
    """The role asked for is not there, or its name is not enough; the text says which there are."""


class Audiences(msgspec.Struct, frozen=True):
    """Audiences that are admitted with some subject; `any`: whatever the provider lets through."""

    any: bool
    values: tuple[str, ...]


class Subjects(msgspec.Struct, frozen=True):
    """Subjects that are admitted with some audience: one of `patterns` and none of `except`, an upper bound unless `exact`."""

    scope: str
    patterns: tuple[str, ...]
    without: tuple[str, ...] = msgspec.field(name="except")
    witness: str | None
    exact: bool


class Pair(msgspec.Struct, frozen=True):
    """Audiences with the subjects that come in with them."""

    audiences: tuple[str, ...]
    subjects: tuple[str, ...]


class ProviderGrant(msgspec.Struct, frozen=True):
    """What a role grants to the tokens of one provider, of whose cluster `known` service accounts were given.

    `depends_on` are further keys of the request; `unseen` are holes; `why` says why there is no scope, "" where there is one.
    """

    provider: str
    issuer: str
    issuer_kind: str
    clusters: tuple[str, ...]
    audiences: Audiences
    subjects: Subjects
    by_audience: tuple[Pair, ...] | None
    service_accounts: tuple[str, ...]
    known: int
    depends_on: tuple[str, ...]
    contested: tuple[str, ...]
    unseen: tuple[str, ...]
    why: str = ""


class Other(msgspec.Struct, frozen=True, order=True):
    """A principal that is no OIDC provider of the role's account: no token of a service account comes in by it."""

    type: str
    value: str


class Open(msgspec.Struct, frozen=True):
    """What would have to be known for an answer, and the command that fetches it."""

    missing: str
    how: str


class WhoCan(msgspec.Struct, frozen=True):
    """The answer for one role; `problem` says why IAM would refuse its policy, `unknown` is what the answer lacks."""

    role: str
    grants: tuple[ProviderGrant, ...]
    others: tuple[Other, ...]
    problem: str | None = None
    unknown: tuple[Open, ...] = ()


def find_role(view: View, wanted: str) -> AnalysedRole:
    """The role of an ARN, a name, or the path of a bare policy; raises NoSuchRole."""
    for candidates in _readings(view, wanted):
        found = list(candidates)
        if len(found) == 1:
            return found[0]
        if found:
            raise NoSuchRole(f"{wanted}: {len(found)} roles go by this; give one of {_some(role.role.id for role in found)}")
    raise NoSuchRole(f"{wanted}: no such role in what was given.{_hint(view, wanted)}")


def _readings(view: View, wanted: str) -> Iterator[Iterable[AnalysedRole]]:
    """The roles that may be meant, the most literal reading first."""
    roles = view.roles
    yield (role for role in roles if wanted in (role.role.arn, role.role.id))
    yield (role for role in roles if wanted in _names(role))
    # names of roles are unique in an account whatever their case
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    yield (role for role in roles if wanted.lower() in map(str.lower, _names(role)))
    path = os.path.normpath(wanted)
    yield (role for role in roles if os.path.normpath(role.role.place.document) == path)
    yield (role for role in roles if not role.role.arn and role.role.place.document.endswith(f"/{path}"))


def _names(role: AnalysedRole) -> tuple[str, ...]:
    """The name of a role, without its path and with it; what a template calls it."""
    arn = parse_arn(role.role.arn)
    address = (role.role.address,) if role.role.address else ()
    return (arn.name.rpartition("/")[2], arn.name, *address) if arn else address


def _hint(view: View, wanted: str) -> str:
    """The nearest names as a question, else the names that there are."""
    import difflib

    by_name = {name: role.role.id for role in view.roles for name in (role.role.id, *_names(role))}
    near = [] if len(by_name) > _CROWD else difflib.get_close_matches(wanted, by_name, 3, 0.75)
    if near:
        return f" Did you mean {' or '.join(dict.fromkeys(by_name[name] for name in near))}?"
    there = f" There are {_some(role.role.id for role in view.roles)}." if view.roles else " There are no roles at all."
    return did_you_mean(wanted, by_name) or there


def _some(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def who_can(view: View, analysed: AnalysedRole) -> WhoCan:
    """Every grant of a role, by provider."""
    policy, source = analysed.policy, analysed.role.policy
    if policy is None:
        missing = (Open(source.missing, source.how),) if isinstance(source, Unknown) else ()
        return WhoCan(analysed.role.id, (), (), None, missing)
    refused = [problem.message for problem in policy.problems if problem.refused]
    by_provider = {**analysed.by_provider, **_by_template(view, analysed, policy)}
    grants = tuple(_grant(view, policy, provider, found) for provider, found in sorted(by_provider.items()))
    others, unknown = _others(policy, by_provider), tuple(_unseen_principals(policy))
    return WhoCan(analysed.role.id, grants, others, refused[0] if refused else None, unknown)


def _by_template(view: View, analysed: AnalysedRole, policy: Policy) -> dict[str, Admitted]:
    """What is admitted where a template knows more of principal or effect than we: as if it were so, and never for certain."""
    found: dict[str, Admitted] = {}
    for statement in policy.statements:
        for principal in statement.federated if statement.allow or not statement.effect_seen else ():
            name = text_of(principal)
            is_open = isinstance(principal, Text) or (not statement.effect_seen and ":oidc-provider/" in name)
            if is_open and name not in found and name not in analysed.by_provider:
                issuer = issuer_in(principal)
                profile = profile_of_kind(issuer_kind(statement, issuer if isinstance(issuer, str) else "", view.inventory))
                seen = keys_seen_through(policy, issuer) if isinstance(issuer, Text) else policy
                found[name] = admitted(seen, name, text_of(issuer), profile=profile)
    return found


def _unseen_principals(policy: Policy) -> Iterator[Open]:
    """Statements of which not even the principal is seen."""
    for statement in policy.statements:
        seen = statement.federated or statement.aws or statement.service
        if statement.unseen and not seen and (statement.allow or not statement.effect_seen):
            yield Open(f"{', '.join(statement.unseen)} in statement {statement.index}, which only a template knows", "")


def _issuer(provider: str) -> str:
    """The issuer without scheme, of an ARN that may have holes."""
    return provider.partition(":oidc-provider/")[2]


def _others(policy: Policy, by_provider: dict[str, Admitted]) -> tuple[Other, ...]:
    found = {
        Other(kind, text_of(value))
        for statement in policy.statements
        if statement.allow
        for kind, values in (("AWS", statement.aws), ("Federated", statement.federated), ("Service", statement.service))
        for value in values
        if kind != "Federated" or text_of(value) not in by_provider
    }
    return tuple(sorted(found))


def _grant(view: View, policy: Policy, provider: str, found: Admitted) -> ProviderGrant:
    issuer = _issuer(provider)
    subjects, audiences = spell(found.subjects, found.profile.grammar), spell(found.audiences)
    pairs = tuple(Pair(spell(a).patterns, spell(s, found.profile.grammar).patterns) for a, s in found.cells)
    accounts = view.accounts.admitted(issuer, found.subjects)
    return ProviderGrant(
        provider,
        Issuer.of(issuer).url if issuer else "",
        _kind(view, policy, provider, issuer),
        tuple(sorted(cluster.name for cluster in view.inventory.clusters_by_issuer.get(issuer, ()))),
        Audiences(found.audiences == EVERYTHING, audiences.patterns),
        Subjects(found.reach.scope or "unknown", subjects.patterns, subjects.without, found.reach.witness, subjects.exact),
        pairs if len(pairs) > 1 else None,
        tuple(sorted(f"{view.name_of(a.cluster)}/{a.namespace}/{a.name}" for a in accounts)),
        view.accounts.known(issuer),
        found.depends_on,
        () if _is_certain(found) else found.contested,
        found.unseen,
        _why(found),
    )


def _is_certain(found: Admitted) -> bool:
    """Whether all that is admitted is admitted for certain, so that no contested point matters."""
    certain = (part.grant for part in found.allows if part.sure and part.grant.sure_audiences == part.grant.audiences)
    return not found.denies and union(grant.sure_subjects for grant in certain) == found.subjects


def _why(found: Admitted) -> str:
    if found.unseen:
        return f"values that only a template knows decide: {', '.join(found.unseen)}"
    return "" if found.reach.scope else "the policy is too complex to be worked out"


def _kind(view: View, policy: Policy, provider: str, issuer: str) -> str:
    for statement in policy.statements:
        if statement.allow and provider in map(text_of, statement.federated):
            kind = issuer_kind(statement, issuer, view.inventory)
            return "kubernetes" if kind == "unknown" else kind
    return "other"
