"""Roles whose trust policies differ in one service account alone: only the first of them is analysed in full.

Accounts have many roles that one template has made. Where a policy is sound, all that is true of it is true of another that
names another service account in the same place.
"""

from functools import partial
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.grant import judged_grant, sound_facts
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.role import AnalysedRole, analyse, evidence_of_role, is_near_quota
from irsa_doctor.facts.subject import Judged
from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.trust import Admitted, Grant, Policy, is_subject
from irsa_doctor.trust.admitted import Part
from irsa_doctor.trust.association import SeenStatement
from irsa_doctor.trust.conditions import Limit
from irsa_doctor.trust.languages import literal
from irsa_doctor.trust.policy import DEFAULT_QUOTA, Condition

_BEFORE, _AFTER = b'"system:serviceaccount:', b'"'
_MODELS = 16_384
"""texts that are remembered"""
_Text = tuple[bytes, bytes, str, str]
"""a policy before and behind its service account, the account of the role, how the path of its document ends"""


class AlikeRoles:
    """Analyses the roles of one inventory."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._models: dict[_Text, _Model | Literal["none"]] = {}

    def analysed(self, role: Role) -> AnalysedRole:
        """Returns what `analyse` does."""
        cut = _without_subject(role)
        if cut is None or self._is_handed_out(role):
            return analyse(role, self._lookups)
        text, subject = cut
        model = self._models.get(text)
        if isinstance(model, _Model) and (alike := model.analysed(role, subject, self._lookups)):
            return alike
        answer = analyse(role, self._lookups)
        if model is None and len(self._models) < _MODELS:
            self._models[text] = _model(answer, subject) or "none"
        return answer

    def _is_handed_out(self, role: Role) -> bool:
        """Whether facts of a role depend on what else names it: an association, or a chain of roles."""
        lookups = self._lookups
        associated = role.id in lookups.associations_of_role or role.arn in lookups.associations_of_target
        return associated or role.arn in lookups.chains.by_target


def _without_subject(role: Role) -> tuple[_Text, str] | None:
    """The text of a policy around its only service account, and that; None where there is not exactly one, or a template made
    the role."""
    source = role.policy
    if not isinstance(source, TrustPolicy) or source.flaws or not source.plain or not role.arn or role.address or role.case:
        return None
    try:
        text = msgspec.json.encode(source.document)
    except (TypeError, ValueError, RecursionError):
        return None
    before, mark, behind = text.partition(_BEFORE)
    value, end, after = behind.partition(_AFTER)
    subject = (mark[1:] + value).decode()
    if not end or _BEFORE in after or not is_subject(subject):
        return None
    return (before, after, role.account, source.place.document.rpartition(".")[2]), subject


class _Model(msgspec.Struct, frozen=True):
    """A role that is sound, and where its policy names the service account: the number of the condition."""

    role: AnalysedRole
    read: GrantReading
    admits: Admitted
    number: int

    def analysed(self, role: Role, subject: str, lookups: Lookups) -> AnalysedRole | None:
        """A role whose policy is the same but for the service account; None where its size makes a difference."""
        source, model = role.policy, self.role
        policy = model.policy
        if not isinstance(source, TrustPolicy) or policy is None or not 0 <= source.size <= DEFAULT_QUOTA:
            return None
        if is_near_quota(source.size) != is_near_quota(policy.size):
            return None
        grant = self._grant(subject)
        statements = tuple([grant.statement if s is self.read.statement else s for s in policy.statements])
        renamed = Policy(policy.variables, statements, policy.problems, source.size)
        read = GrantReading(
            role=role,
            source=source,
            policy=renamed,
            grant=grant,
            principal=self.read.principal,
            form=self.read.form,
            kind=self.read.kind,
            expected=self.read.expected,
            lookups=lookups,
            seen=SeenStatement(grant.statement, self.read.seen.issuer, self.read.seen.certain),
        )
        by_provider = {str(self.read.principal): self._admits(grant)}
        evidence = partial(evidence_of_role, role, source, renamed, by_provider, [], lookups)
        return AnalysedRole(
            role,
            renamed,
            (judged_grant(read, sound_facts(read, subject)),),
            Judged("role", role.id, role.id, model.judged.facts, evidence),
            by_provider,
            model.blocked,
            model.blocked_issuers,
            (read,),
        )

    def _grant(self, subject: str) -> Grant:
        statement, named = self.read.statement, literal(subject)
        conditions, limits = list(statement.conditions), list(self.read.grant.limits)
        old = conditions[self.number]
        conditions[self.number] = Condition(old.use, old.key, old.raw_key, (subject,), old.steps, old.listed)
        limits[self.number] = Limit("sub", named, named)
        return Grant(msgspec.structs.replace(statement, conditions=tuple(conditions)), tuple(limits))

    def _admits(self, grant: Grant) -> Admitted:
        cells = ((self.admits.cells[0][0], grant.subjects),)
        part = Part(grant, self.admits.allows[0].sure)
        return Admitted(cells, profile=self.admits.profile, allows=(part,), grants=(grant,))


def _model(analysed: AnalysedRole, subject: str) -> _Model | None:
    """A role as the model of others; None where it has a defect, or names its service account in more than one way."""
    read = analysed.readings[0] if len(analysed.readings) == len(analysed.grants) == 1 else None
    if read is None or read.sound_subject != subject or len(analysed.by_provider) != 1:
        return None
    admits = analysed.by_provider.get(str(read.principal))
    if admits is None or admits.grants != (read.grant,) or len(admits.cells) != 1 or len(admits.allows) != 1:
        return None
    number = [condition.values for condition in read.statement.conditions].index((subject,))
    return _Model(analysed, read, admits, number)
