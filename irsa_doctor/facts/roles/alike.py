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
from irsa_doctor.facts.roles.renaming import CannotRename, Renaming
from irsa_doctor.facts.roles.role import AnalysedRole, analyse, defective, evidence_of_role, is_long_session, is_near_quota
from irsa_doctor.facts.subject import Judged
from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.trust import Policy, is_subject
from irsa_doctor.trust.refusals import Steps

_BEFORE, _AFTER = b'"system:serviceaccount:', b'"'
_RELATED = (b"serviceaccount", b"$", b"ignorecase")
"""what may compare a service account with something else than itself"""
_MODELS = 16_384
"""shapes that are remembered"""


class PolicyShape(msgspec.Struct, frozen=True):
    """A trust policy but for the service accounts that it names, and what else of a role its analysis depends on."""

    pieces: tuple[bytes, ...]
    order: tuple[int, ...]
    """the number of the service account behind each piece but the last"""
    account: str
    named: bool
    extension: str

    @property
    def relates(self) -> bool:
        """Whether something in the policy may compare service accounts with others than those that it names one by one."""
        return any(word in self._text for word in _RELATED)

    def is_indifferent_to(self, subject: str) -> bool:
        """Whether nothing else in the policy has to do with the names of a service account: neither has them in it, nor a
        pattern that some names match and others do not."""
        text = self._text.replace(b'"*"', b"")
        names = subject.encode().split(b":")[2:]
        return not self.relates and not any(sign in text for sign in (b"*", b"?", *names))

    @property
    def _text(self) -> bytes:
        return b"".join(self.pieces).lower()


class AlikeRoles:
    """Analyses the roles of one inventory."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._models: dict[PolicyShape, _First | _Model | Literal["none"]] = {}

    def analysed(self, role: Role) -> AnalysedRole:
        """Returns what `analyse` does."""
        lookups = self._lookups
        cut = policy_shape(role, lookups)
        if cut is None:
            return analyse(role, lookups)
        shape, source, subjects = cut
        model = self._models.get(shape)
        if isinstance(model, _First):
            model = self._models[shape] = _model(model) or "none"
        if isinstance(model, _Model):
            return model.analysed(role, source, subjects, lookups)
        answer = analyse(role, lookups)
        if model is None and len(self._models) < _MODELS:
            self._models[shape] = "none" if subjects and shape.relates else _First(answer, subjects)
        return answer


class _First(msgspec.Struct, frozen=True):
    """The first role of a shape, and the service accounts (subjects) that it names."""

    role: AnalysedRole
    subjects: Sequence[str]


def policy_shape(role: Role, lookups: Lookups) -> tuple[PolicyShape, TrustPolicy, list[str]] | None:
    """Returns the shape of a role, its policy, and the subjects that this names; None where a template made the role, or
    it has to do with more than its policy."""
    source = role.policy
    if not isinstance(source, TrustPolicy) or source.flaws or not source.plain or not role.arn or role.address or role.case:
        return None
    if source.size < 0 or is_near_quota(source.size) or is_long_session(role.max_session):
        return None
    if _is_handed_out(role, lookups):
        return None
    try:
        text = msgspec.json.encode(source.document)
    except (TypeError, ValueError, RecursionError):
        return None
    pieces, order, subjects = _without_subjects(text)
    extension = source.place.document.rpartition(".")[2]
    return PolicyShape(pieces, order, role.account, role.arn in lookups.naming, extension), source, subjects


def _is_handed_out(role: Role, lookups: Lookups) -> bool:
    """Whether facts of a role depend on what else names it: an association, or a chain of roles."""
    associated = role.id in lookups.associations_of_role or role.arn in lookups.associations_of_target
    return associated or role.arn in lookups.chains.by_target


def _without_subjects(text: bytes) -> tuple[tuple[bytes, ...], tuple[int, ...], list[str]]:
    """A text around the subjects in it, the number of each, and these. Service accounts named `default` stay in it: of them
    more is true than of others."""
    first, *rest = text.split(_BEFORE)
    pieces, order, subjects = [first], list[int](), dict[str, int]()
    for part in rest:
        name, end, after = part.partition(_AFTER)
        subject = (_BEFORE[1:] + name).decode()
        if end and is_subject(subject) and not subject.endswith(":default"):
            order.append(subjects.setdefault(subject, len(subjects)))
            pieces.append(after)
        else:
            pieces[-1] += _BEFORE + part
    return tuple(pieces), tuple(order), list(subjects)


class _Model(msgspec.Struct, frozen=True):
    """A role, taken apart by the service accounts that its policy names."""

    role: AnalysedRole
    renaming: Renaming
    facts: tuple[GrantFacts, ...]
    defective: Sequence[Steps]

    def analysed(self, role: Role, source: TrustPolicy, subjects: Sequence[str], lookups: Lookups) -> AnalysedRole:
        """A role whose policy is the same but for these service accounts."""
        model = self.role
        policy, by_provider, seen = self.renaming.copy(subjects)
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
