"""Everything that a trust policy admits: the exact set of subjects and audiences, all statements together, Deny included."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.trust.conditions import Limit, limit_of
from irsa_doctor.trust.languages import (
    EVERYTHING,
    NOTHING,
    Finite,
    Language,
    complement,
    contains,
    difference,
    intersection,
    literal,
    union,
)
from irsa_doctor.trust.policy import Policy, Statement
from irsa_doctor.trust.subjects import Reach, reach_of


class Grant(msgspec.Struct, frozen=True, dict=True):
    """What one statement says of tokens of one provider: subjects and audiences, from above; `limits` one for each condition."""

    statement: Statement
    limits: tuple[Limit, ...]

    @cached_property
    def subjects(self) -> Language:
        """Subjects that every condition on sub lets through; nothing where a condition never holds."""
        if any(limit.effect == "never" for limit in self.limits):
            return NOTHING
        return intersection(limit.language for limit in self.limits if limit.effect == "sub")

    @cached_property
    def audiences(self) -> Language:
        """Audiences, likewise."""
        return intersection(limit.language for limit in self.limits if limit.effect == "aud")

    @property
    def is_exact(self) -> bool:
        """Whether nothing but sub and aud decides."""
        return all(limit.exact for limit in self.limits)


class Admitted(msgspec.Struct, frozen=True, dict=True):
    """The set of (audience, subject) pairs, as cells with disjoint audiences. An upper bound where it `depends_on` further keys
    or something is `contested`; not known at all where values are `unseen` (holes)."""

    cells: tuple[tuple[Language, Language], ...]
    depends_on: tuple[str, ...] = ()
    contested: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    kubernetes: bool = True

    @cached_property
    def subjects(self) -> Language:
        """Every subject that is admitted with some audience."""
        return union(subjects for _, subjects in self.cells)

    @cached_property
    def audiences(self) -> Language:
        """Every audience that is admitted with some subject."""
        return union(audiences for audiences, _ in self.cells)

    @cached_property
    def reach(self) -> Reach:
        """Scope and witness of the subjects."""
        return reach_of(self.subjects, self.kubernetes)

    def admits(self, subject: str, audience: str) -> bool:
        """Whether a pair is admitted, as far as sub and aud decide."""
        return any(contains(a, audience) and contains(s, subject) for a, s in self.cells)


def grant_of(policy: Policy, statement: Statement, issuer: str, *, kubernetes: bool) -> Grant:
    """What a statement says of tokens of an issuer (without scheme), its principal and action set aside."""
    key = (statement.index, issuer, kubernetes)
    grant = policy.grants.get(key)
    if grant is None:
        low, variables = issuer.lower(), policy.variables
        limits = [limit_of(c, low, variables=variables, kubernetes=kubernetes) for c in statement.conditions]
        grant = policy.grants[key] = Grant(statement, tuple(limits))
    return grant


def speaks_of(statement: Statement, provider_arn: str) -> bool:
    """Whether web identities of a provider are among its principals and its actions cover them."""
    return (provider_arn in statement.federated or "*" in statement.aws) and statement.covers_web_identity


def admitted(policy: Policy, provider_arn: str, issuer: str, *, kubernetes: bool = True) -> Admitted:
    """The pairs that a policy admits for tokens of one provider of the role's own account."""
    allows: list[Grant] = []
    denies: list[Grant] = []
    contested: set[str] = set()
    for statement in policy.statements:
        if not speaks_of(statement, provider_arn):
            continue
        star = provider_arn not in statement.federated
        if star:
            contested.add("P5")
        if statement.allow:
            allows.append(grant_of(policy, statement, issuer, kubernetes=kubernetes))
        elif not star:
            denies.append(grant_of(policy, statement, issuer, kubernetes=kubernetes))
    considered = [limit for grant in (*allows, *denies) for limit in grant.limits]
    depends = {limit.depends for limit in considered if limit.depends and limit.effect != "unknown"}
    unseen = {limit.depends for limit in considered if limit.effect == "unknown"}
    contested |= {limit.contested for limit in considered if limit.contested}
    certain = [grant for grant in denies if grant.is_exact]
    return Admitted(
        _cells(allows, certain),
        tuple(sorted(depends)),
        tuple(sorted(contested)),
        tuple(sorted(unseen)),
        kubernetes,
    )


def _cells(allows: Sequence[Grant], denies: Sequence[Grant]) -> tuple[tuple[Language, Language], ...]:
    allows = [grant for grant in allows if grant.subjects != NOTHING and grant.audiences != NOTHING]
    if not allows:
        return ()
    if not denies and len({grant.audiences for grant in allows}) == 1:
        return ((allows[0].audiences, union(grant.subjects for grant in allows)),)
    cells: dict[Language, list[Language]] = {}
    for audiences, sample in _classes([grant.audiences for grant in (*allows, *denies)]):
        subjects = difference(
            union(g.subjects for g in allows if contains(g.audiences, sample)),
            union(g.subjects for g in denies if contains(g.audiences, sample)),
        )
        if subjects != NOTHING:
            cells.setdefault(subjects, []).append(audiences)
    return tuple((union(audiences), subjects) for subjects, audiences in cells.items())


def _classes(languages: Iterable[Language]) -> list[tuple[Language, str]]:
    """Disjoint audience languages, between which no given language tells apart, each with one audience of it."""
    classes: list[Language] = [EVERYTHING]
    literals = sorted({value for language in languages for value in _literals(language)})
    classes = [literal(value) for value in literals] + [difference(EVERYTHING, literal(*literals))]
    for language in dict.fromkeys(languages):
        if isinstance(language, Finite) or language == EVERYTHING:
            continue
        split = [intersection((part, side)) for part in classes for side in (language, complement(language))]
        classes = [part for part in split if reach_of(part, kubernetes=False).scope != "nobody"][:256]
    found = [(part, reach_of(part, kubernetes=False).witness) for part in classes]
    return [(part, witness) for part, witness in found if witness is not None]


def _literals(language: Language) -> frozenset[str]:
    return language.values if isinstance(language, Finite) else frozenset()
