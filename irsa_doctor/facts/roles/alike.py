"""Roles whose trust policies differ in the service accounts that they name alone: only the first is analysed in full.

Accounts have many roles that one template has made. What is true of a policy is true of another that names other service
accounts in the same places, but for what the inventory says of these.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from irsa_doctor.facts.grants.grant import GrantFacts, facts_of_alike
from irsa_doctor.facts.grants.judged import judged_grant
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.likeness import Likeness, PolicyShape, likeness
from irsa_doctor.facts.roles.renaming import CannotRename, Renaming
from irsa_doctor.facts.roles.role import AnalysedRole, analyse, defective, evidence_of_role
from irsa_doctor.facts.subject import Judged
from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.trust import Policy
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


class _Model(msgspec.Struct, frozen=True):
    """A role, taken apart by the service accounts that its policy names."""

    role: AnalysedRole
    renaming: Renaming
    facts: tuple[GrantFacts, ...]
    defective: Sequence[Steps]

    def analysed(self, role: Role, alike: Likeness, lookups: Lookups) -> AnalysedRole:
        """A role whose policy is the same but for the service accounts."""
        model, source = self.role, alike.source
        policy, by_provider, seen = self.renaming.copy(alike.subjects)
        if policy.size != source.size:
            policy = Policy(policy.variables, policy.statements, policy.problems, source.size)
        reads = [
            _reading(read, role, source, policy, of_read, lookups) for read, of_read in zip(model.readings, seen, strict=True)
        ]
        grants = [judged_grant(read, facts_of_alike(read, facts)) for read, facts in zip(reads, self.facts, strict=True)]
        evidence = partial(evidence_of_role, role, source, policy, by_provider, self.defective, lookups)
        return AnalysedRole(
            role,
            policy,
            tuple(grants),
            Judged("role", role.id, role.id, model.judged.facts, evidence),
            by_provider,
            model.blocked,
            model.blocked_issuers,
            tuple(reads),
            alike,
        )


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
    return _Model(analysed, renaming, tuple(of_grants), mistakes)
