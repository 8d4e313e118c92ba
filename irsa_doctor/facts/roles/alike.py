"""Roles whose trust policies differ in the service accounts and the cluster that they name: only the first is analysed in full.

Accounts have many roles that one template has made. What is true of a policy is true of another that names other service
accounts and another cluster in the same places, but for what the inventory says of these: what is said of the cluster is part
of an outline, and whether service accounts exist is looked up for each role.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.evidence import grant_evidence
from irsa_doctor.facts.grants.extent import extent_of
from irsa_doctor.facts.grants.grant import GrantFacts, facts_of_alike
from irsa_doctor.facts.grants.reading import GrantReading, expected_tokens
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.likeness import Likeness, likeness
from irsa_doctor.facts.roles.outlines import ClusterOutline, ClusterOutlines
from irsa_doctor.facts.roles.policy_shape import PolicyShape
from irsa_doctor.facts.roles.renaming import CannotRename, Renaming
from irsa_doctor.facts.roles.role import AnalysedRole, PolicyReading, analyse, defective, evidence_of_role
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import Role, Unknown, text_of
from irsa_doctor.model.extents import Extent, LazyExtent
from irsa_doctor.model.once import once
from irsa_doctor.trust import Grant, Policy
from irsa_doctor.trust.association import SeenStatement
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.policy import Value
from irsa_doctor.trust.refusals import Steps

_MODELS = 16_384
"""shapes that are remembered"""


class AlikeRoles:
    """Analyses the roles of one inventory."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._outlines = ClusterOutlines(lookups)
        self._kin: dict[PolicyShape, tuple[_Kin, str]] = {}
        self._by_outline: dict[ClusterOutline, _Kin] = {}

    def analysed(self, role: Role) -> AnalysedRole:
        """Returns what `analyse` does."""
        lookups = self._lookups
        alike = likeness(role, lookups)
        if alike is None:
            return analyse(role, lookups)
        kin, cluster = self._kin.get(alike.shape) or self._kin_of(alike.shape)
        return kin.analysed(role, alike, cluster, lookups)

    def _kin_of(self, shape: PolicyShape) -> "tuple[_Kin, str]":
        """The roles that are like those of a new shape, and the id of their cluster where other clusters have such roles."""
        outline, cluster = self._outlines.of(shape) or (None, "")
        kin = self._by_outline.get(outline) if outline else None
        kin = kin or _Kin()
        if len(self._kin) < _MODELS:
            self._kin[shape] = kin, cluster
            if outline:
                self._by_outline[outline] = kin
        return kin, cluster


class _First(msgspec.Struct, frozen=True):
    """The first of some roles that are alike."""

    role: AnalysedRole
    subjects: Sequence[str]
    """the service accounts that its policy names"""
    cluster: str
    """the id of its cluster, "" where the others have the same"""


class _Kin:
    """Roles that are alike: the first of them, and what it is the model of once there is a second."""

    def __init__(self) -> None:
        self._known: _First | _Model | Literal["none"] | None = None

    def analysed(self, role: Role, alike: Likeness, cluster: str, lookups: Lookups) -> AnalysedRole:
        """One of them; the first is analysed in full, and each where it is no model."""
        if isinstance(self._known, _First):
            self._known = _model(self._known) or "none"
        if isinstance(self._known, _Model):
            return self._known.analysed(role, alike, cluster, lookups)
        answer = msgspec.structs.replace(analyse(role, lookups), likeness=alike, cluster=cluster)
        if self._known is None:
            self._known = "none" if alike.subjects and alike.shape.relates else _First(answer, alike.subjects, cluster)
        return answer


class _GrantModel(msgspec.Struct, frozen=True, dict=True):
    """A grant of a model: its statement, its facts, and the service accounts (by number) that it admits beside `others`, where
    its facts hang on which of them there are."""

    read: GrantReading
    facts: GrantFacts
    admits: tuple[int, ...] = ()
    others: frozenset[str] = frozenset()
    is_of_policy: bool = False
    """whether its facts hang on the policy in another way"""
    is_unlisted: bool = False
    """whether its facts name the cluster whose service accounts were not all given"""

    def facts_for(self, copy: "_Copy", number: int) -> GrantFacts:
        """The facts where the policy names other service accounts or another cluster."""
        if self.is_of_policy:
            return facts_of_alike(copy.read.readings[number], self.facts)
        accounts = copy.lookups.accounts
        if self.is_unlisted:
            return self._with_missing(accounts.unlisted(copy.of_cluster(self.read.issuer)))
        if not self.admits and not self.others:
            return self.facts
        subjects = self.others.union([copy.alike.subjects[each] for each in self.admits])
        return self._with_missing(accounts.missing(copy.of_cluster(self.read.issuer), subjects))

    def _with_missing(self, missing: bool | Unknown) -> GrantFacts:
        facts = self._by_missing.get(missing)
        if facts is None:
            facts = self._by_missing[missing] = msgspec.structs.replace(self.facts, account_missing=missing)
        return facts

    @once
    def _by_missing(self) -> dict[bool | Unknown, GrantFacts]:
        """The facts, by whether a service account that the statement names is missing."""
        return {self.facts.account_missing: self.facts}


class _Model(msgspec.Struct, frozen=True):
    """A role, taken apart by the service accounts and the cluster that its policy names."""

    role: AnalysedRole
    renaming: Renaming
    grants: tuple[_GrantModel, ...]

    def analysed(self, role: Role, alike: Likeness, cluster: str, lookups: Lookups) -> AnalysedRole:
        """A role whose policy is the same but for these."""
        model, ident = self.role, role.id
        copy = _Copy(self, role, alike, cluster, lookups)
        return AnalysedRole(
            role=role,
            grants=tuple([copy.judged(grant, number, ident) for number, grant in enumerate(self.grants)]),
            judged=Judged("role", ident, ident, model.judged.facts, copy.evidence),
            read=lambda: copy.read,
            blocked=model.blocked,
            blocked_issuers=model.blocked_issuers and frozenset(map(copy.of_cluster, model.blocked_issuers)),
            likeness=alike,
            cluster=cluster,
            model=model,
        )


class _Copy(msgspec.Struct, frozen=True, dict=True):
    """A role that is like a model; its policy is made when somebody looks at it."""

    model: _Model
    role: Role
    alike: Likeness
    cluster: str
    lookups: Lookups

    @once
    def read(self) -> PolicyReading:
        """The policy of the model with the service accounts and the cluster of the role."""
        return self._renamed[0]

    @once
    def _renamed(self) -> tuple[PolicyReading, Sequence[Steps]]:
        """The same, with the places of the defects that are findings."""
        source = self.alike.source
        policy, by_provider, seen, defective = self.model.renaming.copy([*self.alike.subjects, *_spellings(self.cluster)])
        if policy.size != source.size:
            policy = Policy(policy.variables, policy.statements, policy.problems, source.size)
        reads = [self._reading(grant.read, policy, *of_read) for grant, of_read in zip(self.model.grants, seen, strict=True)]
        return PolicyReading(policy, by_provider, tuple(reads)), defective

    def _reading(self, read: GrantReading, policy: Policy, grant: Grant, seen: SeenStatement, principal: Value) -> GrantReading:
        """A statement read as another is that differs from it in its service accounts and its cluster."""
        lookups, expected, issuer = self.lookups, read.expected, text_of(seen.issuer)
        if issuer != read.issuer:
            expected = expected_tokens(principal, self.role.account, read.form, read.kind, issuer, read.profile, lookups)
        return GrantReading(
            role=self.role,
            source=self.alike.source,
            policy=policy,
            grant=grant,
            principal=principal,
            form=read.form,
            kind=read.kind,
            expected=expected,
            lookups=lookups,
            seen=seen,
        )

    def of_cluster(self, text: str) -> str:
        """A text of the model as it is where the cluster of the role stands in the place of its own."""
        own = self.model.role.cluster
        return text.replace(own, self.cluster) if own else text

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
        read, defective = self._renamed
        return evidence_of_role(self.role, self.alike.source, read.policy, read.by_provider, defective, self.lookups)

    def evidence_of_grant(self, number: int) -> Evidence:
        """The evidence of one of its grants."""
        return grant_evidence(self.read.readings[number])

    def extent_of_grant(self, number: int) -> Extent:
        """Who gets in by one of its grants."""
        return extent_of(self.read.readings[number])


def _spellings(cluster: str) -> tuple[str, ...]:
    """The id of a cluster as its issuer has it, and in keys, which are compared in lower case."""
    return (cluster, cluster.lower()) if cluster else ()


_NOT_OF_CONDITIONS = frozenset(["action-case", "action-wildcard", "principal-must-exist"])
"""problems of elements in which neither service accounts nor clusters stand"""


def _model(first: _First) -> _Model | None:
    """A role as the model of others; None where not all of it was worked out, or it hangs on who its service accounts are, or
    on which of them a cluster has."""
    analysed, subjects, policy = first.role, first.subjects, first.role.policy
    reads, facts = analysed.readings, [judged.facts for judged in analysed.grants]
    of_grants = [of_grant for of_grant in facts if isinstance(of_grant, GrantFacts) and of_grant.too_complex is False]
    if policy is None or not len(reads) == len(facts) == len(of_grants):
        return None
    if (subjects or first.cluster) and _hangs_on_names(policy, reads, first.cluster):
        return None
    mistakes = defective(zip(reads, of_grants, strict=True)) if policy.problems else []
    try:
        seen = tuple([(read.grant, read.seen, read.principal) for read in reads])
        renaming = Renaming((policy, analysed.by_provider, seen, mistakes), subjects, _spellings(first.cluster))
    except CannotRename:
        return None
    grants = tuple([_grant_model(read, of_grant, subjects) for read, of_grant in zip(reads, of_grants, strict=True)])
    return _Model(analysed, renaming, grants)


def _hangs_on_names(policy: Policy, reads: Sequence[GrantReading], cluster: str) -> bool:
    """Whether something is said of a policy that may depend on which service accounts or cluster it names."""
    if not {problem.code for problem in policy.problems} <= _NOT_OF_CONDITIONS:
        return True
    misnamed = (text_of(read.principal) for read in reads if read.form != "provider")
    return any("session-name" in read.kinds for read in reads) or (cluster != "" and any(cluster in name for name in misnamed))


def _grant_model(read: GrantReading, facts: GrantFacts, subjects: Sequence[str]) -> _GrantModel:
    """A grant as the model of others: whether the service accounts that it admits exist is all that its facts say of these."""
    accounts = read.lookups.accounts
    if not facts.admits or not read.profile.is_cluster:
        return _GrantModel(read, facts)
    if read.issuer not in accounts.listed_whole:
        return _GrantModel(read, facts, is_unlisted=facts.account_missing == accounts.unlisted(read.issuer))
    if read.share is not None or read.with_names.names:
        return _GrantModel(read, facts, is_of_policy=True)
    admitted = read.subjects.values if isinstance(read.subjects, Finite) else frozenset[str]()
    numbers = tuple([number for number, subject in enumerate(subjects) if subject in admitted])
    return _GrantModel(read, facts, numbers, admitted.difference(subjects))
