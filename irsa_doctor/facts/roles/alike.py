"""Roles whose trust policies differ in the service accounts that they name alone: only the first is analysed in full.

Accounts have many roles that one template has made. What is true of a policy is true of another that names other service
accounts in the same places, but for what the inventory says of these.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from irsa_doctor.facts.grants.evidence import grant_evidence
from irsa_doctor.facts.grants.extent import extent_of
from irsa_doctor.facts.grants.grant import GrantFacts, facts_of_alike, with_missing
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.likeness import Likeness, PolicyShape, likeness
from irsa_doctor.facts.roles.renaming import CannotRename, Renaming
from irsa_doctor.facts.roles.role import AnalysedRole, PolicyReading, analyse, defective, evidence_of_role
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.model.extents import Extent, LazyExtent
from irsa_doctor.model.once import once
from irsa_doctor.trust import Policy
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.refusals import Steps

_MODELS = 16_384
"""shapes that are remembered"""


class AlikeRoles:
    """Analyses the roles of one inventory."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._models: dict[PolicyShape, _First | _Model | Literal["none"]] = {}

    def analysed(self, role: Role) -> AnalysedRole:
        """Returns what `analyse` does."""
        lookups = self._lookups
        alike = likeness(role, lookups)
        if alike is None:
            return analyse(role, lookups)
        model = self._models.get(alike.shape)
        if isinstance(model, _First):
            model = self._models[alike.shape] = _model(model) or "none"
        if isinstance(model, _Model):
            return model.analysed(role, alike, lookups)
        answer = msgspec.structs.replace(analyse(role, lookups), likeness=alike)
        if model is None and len(self._models) < _MODELS:
            self._models[alike.shape] = "none" if alike.subjects and alike.shape.relates else _First(answer, alike.subjects)
        return answer


class _First(msgspec.Struct, frozen=True):
    """The first role of a shape, and the service accounts (subjects) that it names."""

    role: AnalysedRole
    subjects: Sequence[str]


class _GrantModel(msgspec.Struct, frozen=True):
    """A grant of a model: its statement, what messages call it, its facts, and the service accounts (by number) that it admits
    beside `others`, where its facts hang on which of them there are."""

    read: GrantReading
    facts: GrantFacts
    admits: tuple[int, ...] = ()
    others: frozenset[str] = frozenset()
    is_of_policy: bool = False
    """whether its facts hang on the policy in another way"""

    def facts_for(self, copy: "_Copy", number: int) -> GrantFacts:
        """The facts where the policy names other service accounts."""
        if self.is_of_policy:
            return facts_of_alike(copy.read.readings[number], self.facts)
        if not self.admits:
            return self.facts
        subjects = self.others.union([copy.alike.subjects[each] for each in self.admits])
        missing = bool(copy.lookups.accounts.lacking(self.read.issuer, subjects))
        return self.facts if missing is self.facts.account_missing else with_missing(self.facts, missing)


class _Model(msgspec.Struct, frozen=True):
    """A role, taken apart by the service accounts that its policy names."""

    role: AnalysedRole
    renaming: Renaming
    grants: tuple[_GrantModel, ...]
    defective: Sequence[Steps]

    def analysed(self, role: Role, alike: Likeness, lookups: Lookups) -> AnalysedRole:
        """A role whose policy is the same but for the service accounts."""
        model, ident = self.role, role.id
        copy = _Copy(self, role, alike, lookups)
        return AnalysedRole(
            role=role,
            grants=tuple([copy.judged(grant, number, ident) for number, grant in enumerate(self.grants)]),
            judged=Judged("role", ident, ident, model.judged.facts, copy.evidence),
            read=lambda: copy.read,
            blocked=model.blocked,
            blocked_issuers=model.blocked_issuers,
            likeness=alike,
            model=model,
        )


class _Copy(msgspec.Struct, frozen=True, dict=True):
    """A role that is like a model; its policy is made when somebody looks at it."""

    model: _Model
    role: Role
    alike: Likeness
    lookups: Lookups

    @once
    def read(self) -> PolicyReading:
        """The policy of the model with the service accounts of the role."""
        source = self.alike.source
        policy, by_provider, seen = self.model.renaming.copy(self.alike.subjects)
        if policy.size != source.size:
            policy = Policy(policy.variables, policy.statements, policy.problems, source.size)
        reads = [
            _reading(grant.read, self.role, source, policy, of_read, self.lookups)
            for grant, of_read in zip(self.model.grants, seen, strict=True)
        ]
        return PolicyReading(policy, by_provider, tuple(reads))

    def judged(self, grant: _GrantModel, number: int, ident: str) -> Judged:
        """A grant as a subject, as `judged_grant` makes it."""
        return Judged(
            kind="grant",
            id=f"{ident}#{grant.read.statement.index}",
            group=ident,
            facts=grant.facts_for(self, number),
            evidence=partial(self.evidence_of_grant, number),
            certain=grant.read.seen.certain,
            extent=LazyExtent(partial(self.extent_of_grant, number)),
        )

    def evidence(self) -> Evidence:
        """The evidence of the role."""
        read = self.read
        return evidence_of_role(self.role, self.alike.source, read.policy, read.by_provider, self.model.defective, self.lookups)

    def evidence_of_grant(self, number: int) -> Evidence:
        """The evidence of one of its grants."""
        return grant_evidence(self.read.readings[number])

    def extent_of_grant(self, number: int) -> Extent:
        """Who gets in by one of its grants."""
        return extent_of(self.read.readings[number])


def _reading(
    read: GrantReading, role: Role, source: TrustPolicy, policy: Policy, seen: tuple[Any, Any], lookups: Lookups
) -> GrantReading:
    """A statement read as another is that differs from it in its service accounts."""
    return GrantReading(
        role=role,
        source=source,
        policy=policy,
        grant=seen[0],
        principal=read.principal,
        form=read.form,
        kind=read.kind,
        expected=read.expected,
        lookups=lookups,
        seen=seen[1],
    )


def _model(first: _First) -> _Model | None:
    """A role as the model of others; None where not all of it was worked out, or it hangs on who its service accounts are."""
    analysed, subjects = first.role, first.subjects
    reads, facts = analysed.readings, [judged.facts for judged in analysed.grants]
    of_grants = [of_grant for of_grant in facts if isinstance(of_grant, GrantFacts) and of_grant.too_complex is False]
    if analysed.policy is None or not len(reads) == len(facts) == len(of_grants):
        return None
    if subjects and (analysed.policy.problems or any("session-name" in read.kinds for read in reads)):
        return None
    try:
        seen = tuple([(read.grant, read.seen) for read in reads])
        renaming = Renaming((analysed.policy, analysed.by_provider, seen), subjects)
    except CannotRename:
        return None
    mistakes = defective(zip(reads, of_grants, strict=True)) if analysed.policy.problems else []
    grants = tuple([_grant_model(read, of_grant, subjects) for read, of_grant in zip(reads, of_grants, strict=True)])
    return _Model(analysed, renaming, grants, mistakes)


def _grant_model(read: GrantReading, facts: GrantFacts, subjects: Sequence[str]) -> _GrantModel:
    """A grant as the model of others: whether the service accounts that it admits exist is all that its facts say of these."""
    if not facts.admits or not read.profile.is_cluster or read.issuer not in read.lookups.accounts.listed_whole:
        return _GrantModel(read, facts)
    if read.share is not None or read.with_names.names:
        return _GrantModel(read, facts, is_of_policy=True)
    admitted = read.subjects.values if isinstance(read.subjects, Finite) else frozenset[str]()
    numbers = tuple([number for number, subject in enumerate(subjects) if subject in admitted])
    return _GrantModel(read, facts, numbers, admitted.difference(subjects))
