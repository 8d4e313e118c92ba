"""Who can assume one role: the exact set of subjects and audiences of its trust policy, for each provider that it names."""

from collections.abc import Iterable

import msgspec

from irsa_doctor.facts import AnalysedRole, View, did_you_mean
from irsa_doctor.facts.grants import issuer_kind
from irsa_doctor.model import Issuer, parse_arn, text_of
from irsa_doctor.trust import Admitted, spell
from irsa_doctor.trust.languages import EVERYTHING

_LISTED = 10


class NoSuchRole(Exception):
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
    """What a role grants to the tokens of one provider. `depends_on` are further keys of the request; `unseen` are holes."""

    provider: str
    issuer: str
    issuer_kind: str
    clusters: tuple[str, ...]
    audiences: Audiences
    subjects: Subjects
    by_audience: tuple[Pair, ...] | None
    service_accounts: tuple[str, ...]
    depends_on: tuple[str, ...]
    contested: tuple[str, ...]
    unseen: tuple[str, ...]


class Other(msgspec.Struct, frozen=True, order=True):
    """A principal that is no web identity."""

    type: str
    value: str


class WhoCan(msgspec.Struct, frozen=True):
    """The answer for one role; `problem` says why IAM would refuse its policy, or that it was not given."""

    role: str
    grants: tuple[ProviderGrant, ...]
    others: tuple[Other, ...]
    problem: str | None = None


def find_role(view: View, wanted: str) -> AnalysedRole:
    """The role of an ARN, a name, or the path of a bare policy; raises NoSuchRole."""
    found = [role for role in view.roles if wanted in (role.role.arn, role.role.id)]
    found = found or [role for role in view.roles if role.role.arn and role.role.name == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise NoSuchRole(f"{wanted}: {len(found)} roles have this name: {_some(role.role.id for role in found)}")
    names = [name for role in view.roles for name in (role.role.arn, role.role.name, role.role.id) if name]
    hint = did_you_mean(wanted, names) or (f" There are: {_some(role.role.id for role in view.roles)}" if view.roles else "")
    raise NoSuchRole(f"{wanted}: no such role in what was given.{hint}")


def _some(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def who_can(view: View, analysed: AnalysedRole) -> WhoCan:
    """Every grant of a role, by provider."""
    policy = analysed.policy
    if policy is None:
        return WhoCan(analysed.role.id, (), (), "the trust policy was not given")
    refused = [problem.message for problem in policy.problems if problem.refused]
    others = {
        Other(kind, text_of(value))
        for statement in policy.statements
        if statement.allow
        for kind, values in (("AWS", statement.aws), ("Service", statement.service))
        for value in values
    }
    grants = tuple(_grant(view, analysed, provider, found) for provider, found in sorted(analysed.by_provider.items()))
    return WhoCan(analysed.role.id, grants, tuple(sorted(others)), refused[0] if refused else None)


def _grant(view: View, analysed: AnalysedRole, provider: str, found: Admitted) -> ProviderGrant:
    arn = parse_arn(provider)
    issuer = arn.name if arn else ""
    subjects, audiences = spell(found.subjects, found.kubernetes), spell(found.audiences)
    pairs = tuple(Pair(spell(a).patterns, spell(s, found.kubernetes).patterns) for a, s in found.cells)
    accounts = view.accounts.admitted(issuer, found.subjects)
    return ProviderGrant(
        provider,
        Issuer.of(issuer).url,
        _kind(view, analysed, provider, issuer),
        tuple(sorted(cluster.name for cluster in view.inventory.clusters_by_issuer.get(issuer, ()))),
        Audiences(found.audiences == EVERYTHING, audiences.patterns),
        Subjects(found.reach.scope or "unknown", subjects.patterns, subjects.without, found.reach.witness, subjects.exact),
        pairs if len(pairs) > 1 else None,
        tuple(sorted(f"{view.name_of(a.cluster)}/{a.namespace}/{a.name}" for a in accounts)),
        found.depends_on,
        found.contested,
        found.unseen,
    )


def _kind(view: View, analysed: AnalysedRole, provider: str, issuer: str) -> str:
    for statement in analysed.policy.statements if analysed.policy else ():
        if statement.allow and provider in statement.federated:
            return issuer_kind(statement, issuer, view.inventory)
    return "other"
