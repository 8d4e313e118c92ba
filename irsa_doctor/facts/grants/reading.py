"""One Allow statement read for one of the providers that it names: what it admits, and its defects."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.principals import PrincipalForm, defect_of_principal, is_miswritten
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.issuers import (
    EKS,
    KUBERNETES,
    OTHER,
    Profile,
    cluster_profile,
    declared_profile,
    profile_by_subjects,
    profile_of,
    profile_of_template,
    right_name,
)
from irsa_doctor.model import Role, Text, TrustPolicy, Unknown, is_issuer_of_cluster, issuer_of_provider, text_of
from irsa_doctor.model.once import once
from irsa_doctor.trust import SUBJECT_PREFIX, Admitted, Grant, Policy, Statement, grant_of, share_of
from irsa_doctor.trust.admitted import is_nothing
from irsa_doctor.trust.association import SeenStatement
from irsa_doctor.trust.conditions import is_plain_equality
from irsa_doctor.trust.defect_kinds import Defect, DefectKind
from irsa_doctor.trust.defects import Expected, StatementReading, reading_of
from irsa_doctor.trust.denials import Loss, loss_by_denials
from irsa_doctor.trust.languages import NOTHING, Finite, Language, contains, union
from irsa_doctor.trust.naming import NamedHoles, with_names
from irsa_doctor.trust.policy import Value
from irsa_doctor.trust.subjects import Reach, is_subject, reach_of
from irsa_doctor.trust.symbols import policy_seen_through
from irsa_doctor.trust.times import policy_from

IssuerKind = Literal["eks", "kubernetes", "other", "unknown"]


def issuer_kind(statement: Statement, issuer: Value, lookups: Lookups) -> IssuerKind:
    """EKS by the form of the issuer; Kubernetes where a cluster has it, its name or the settings say so, or the statement names
    service accounts.

    An issuer with holes is unknown, unless the statement names subjects that are none of service accounts.
    """
    if is_issuer_of_cluster(issuer):
        return "eks"
    if not isinstance(issuer, str) or not issuer:
        is_other = names_others(statement) or (isinstance(issuer, Text) and profile_of_template(issuer) is not None)
        return "other" if is_other else "unknown"
    known = profile_of(issuer)
    if known is EKS:
        return "eks"
    if issuer in lookups.inventory.clusters_by_issuer:
        return "kubernetes"
    if issuer in lookups.issuers:
        known = declared_profile(lookups.issuers[issuer], issuer)
    if known is not None:
        return "kubernetes" if known.is_cluster else "other"
    names_accounts = any(text_of(v).startswith(SUBJECT_PREFIX) for c in statement.conditions for v in c.values)
    return "kubernetes" if names_accounts else "other"


def names_others(statement: Statement) -> bool:
    """Whether a statement names subjects, and none of them is, or was meant to be, that of a service account."""
    conditions = [c for c in statement.conditions if text_of(c.raw_key).lower().endswith(":sub")]
    values = [
        text_of(v.parts[0]) if isinstance(v, Text) and isinstance(v.parts[0], str) else v for c in conditions for v in c.values
    ]
    texts = [value for value in values if isinstance(value, str)]
    return bool(texts) and not any(_may_be_account(text) for text in texts)


def _may_be_account(text: str) -> bool:
    """Whether a subject, or what a pattern of subjects begins with, may be that of a service account."""
    begin = _WILDCARD.split(text, maxsplit=1)[0].lower()
    return begin.startswith(("system", "serviceaccount", "sa:", "sa/")) or "system".startswith(begin)


_WILDCARD = re.compile(r"[*?]")


def profile_for(kind: IssuerKind, issuer: Value, statements: Iterable[Statement], lookups: Lookups) -> Profile:
    """The profile of an issuer of a kind: by its name, as settings declare it, or by the subjects that a policy names.

    One that is not known is taken for a cluster.
    """
    if kind in ("unknown", "eks"):
        return EKS if kind == "eks" else KUBERNETES
    name = issuer if isinstance(issuer, str) else ""
    if kind == "kubernetes":
        return cluster_profile(name)
    if name in lookups.issuers:
        return declared_profile(lookups.issuers[name], name)
    by_name = profile_of_template(issuer) if isinstance(issuer, Text) else profile_of(name)
    return by_name or profile_by_subjects(_subjects_in(statements)) or OTHER


def _subjects_in(statements: Iterable[Statement]) -> Iterator[str]:
    """The beginnings of the subjects that statements name."""
    for statement in statements:
        for condition in statement.conditions:
            if text_of(condition.raw_key).lower().endswith(":sub") and not condition.use.operator.negated:
                yield from map(text_of, condition.values)


class GrantReading(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A statement of a role's policy and one provider that it names.

    `principal` is the provider as the statement writes it, `form` what it is; `seen` is the statement as it reads for its
    tokens.
    """

    role: Role
    source: TrustPolicy
    policy: Policy
    grant: Grant
    principal: Value
    form: PrincipalForm
    kind: IssuerKind
    expected: Expected
    lookups: Lookups
    seen: SeenStatement

    @once
    def sound_subject(self) -> str:
        """The one subject of a statement that is right: it asks for that and for an audience of the tokens, and the rest of the
        policy changes nothing; "" of other statements. Most are right, and nothing more is looked into for them."""
        policy, statement = self.policy, self.statement
        if self.form != "provider" or statement.unseen or statement.points:
            return ""
        if policy.problems and {problem.code for problem in policy.problems} != _OF_SIZE:
            return ""
        if len(statement.conditions) != 2 or not statement.covers_web_identity or not self.profile.is_cluster:
            return ""
        if self.profile is not EKS and right_name(self.issuer, self.profile) != self.issuer:
            return ""
        if False in [other.allow for other in policy.statements]:
            return ""
        low = self.issuer.lower()
        named = {c.key: c.values[0] for c in statement.conditions if is_plain_equality(c) and len(c.values) == 1}
        subject, audience = named.get(f"{low}:sub", ""), named.get(f"{low}:aud", "")
        is_right = isinstance(subject, str) and is_subject(subject) and audience in self.expected.audiences
        return subject if isinstance(subject, str) and is_right else ""

    @once
    def reading(self) -> StatementReading:
        """What the statement requires of the claims of a token, and its defects."""
        if self.sound_subject:
            return _SOUND
        return reading_of(self.policy, self.grant, self.tokens)

    @once
    def tokens(self) -> Expected:
        """What is known of the tokens of those whom it names: an account that is not in the input may request another audience
        than those that are."""
        if not self.expected.audiences_known or self.lookups.sees_accounts_among(self.issuer, self.allowed):
            return self.expected
        return msgspec.structs.replace(self.expected, audiences_known=False)

    @property
    def provider_exists(self) -> bool | Unknown:
        """Whether there is the provider that its principal names."""
        return self.lookups.principals.exists(self.principal, self.role.account)

    @property
    def lacks_condition(self) -> bool:
        """Whether IAM refuses a part of the statement that may limit it: nobody gets in by a document that is not saved, and
        what its author meant is not known. Of members of one name it is not known which one counts (G6)."""
        steps, problems = self.statement.steps, self.policy.problems
        refused = [problem for problem in problems if problem.refused] if problems else []
        return any(
            problem.code == "duplicate-member" or (problem.code in _OF_CONDITIONS and problem.steps[: len(steps)] == steps)
            for problem in refused
        )

    @property
    def is_meant(self) -> bool:
        """Whether its principal is wrong, and its conditions are read for the provider that was meant."""
        return is_miswritten(self.form) and issuer_of_provider(self.expected.provider) == self.issuer != ""

    @property
    def issuer(self) -> str:
        """The issuer without scheme."""
        return self.expected.issuer

    @property
    def statement(self) -> Statement:
        """The statement."""
        return self.grant.statement

    @property
    def profile(self) -> Profile:
        """What the tokens of the issuer are like."""
        return self.expected.profile

    @once
    def with_names(self) -> NamedHoles:
        """The statement with its holes taken for names: whatever these are, it admits as much."""
        return with_names(self.statement, self.issuer, self.profile.grammar)

    @once
    def known(self) -> Grant:
        """What it says of tokens with its holes taken for names."""
        if not self.with_names.names:
            return self.grant
        provider = text_of(self.principal)
        return grant_of(self.policy, self.with_names.statement, self.issuer, profile=self.profile, provider=provider)

    @once
    def share(self) -> Admitted | None:
        """What it admits after the Deny statements of its policy; None where there are none.

        A statement of which not even the effect is known may deny what it names. One of which nothing is known denies nothing:
        what is open beside it is open.
        """
        if not any(not statement.allow and self._may_deny(statement) for statement in self.policy.statements):
            return None
        index, provider = self.statement.index, text_of(self.principal)
        named = msgspec.structs.replace(self.with_names.statement, federated=(provider,))
        policy = policy_seen_through(self.policy, self.principal, self.seen.issuer)
        # a Deny that began denies for good
        policy = policy_from(policy, self.expected.now)
        known = filter(self._may_deny, policy.statements)
        statements = tuple(named if statement.index == index else statement for statement in known)
        seen = msgspec.structs.replace(policy, statements=statements)
        return share_of(seen, index, provider, self.issuer, profile=self.profile)

    def _may_deny(self, statement: Statement) -> bool:
        return statement.effect_seen or any(isinstance(value, str) for value in (*statement.federated, *statement.aws))

    @once
    def certain(self) -> bool:
        """Whether it is known whose tokens it is about, and of every statement beside it if that allows or denies."""
        return self.seen.certain and all(statement.effect_seen for statement in self.policy.statements)

    @once
    def hidden_loss(self) -> Loss:
        """How much of what it admits Deny statements may take back by what is not seen of them."""
        return "none" if self.share is None else loss_by_denials(self.share, self.issuer)

    @once
    def limits_audience(self) -> bool | None:
        """Whether a condition checks the audience, or a Deny statement of the policy leaves only named ones; None where only a
        condition of unknown content may."""
        left = self.share.audiences if self.share is not None else None
        return True if isinstance(left, Finite) and left != NOTHING else self.reading.checks_aud

    @once
    def client_ids_wanted(self) -> Language | None:
        """The audiences that it accepts, where none of the client ids of its provider is among them: STS refuses every token
        before it reads the policy."""
        provider = self.lookups.inventory.provider_by_arn.get(text_of(self.principal))
        if provider is None or not isinstance(provider.client_ids, tuple):
            return None
        if self.share is None or self.share.too_complex:
            accepted = self.known.audiences
        else:
            cells, grammar = self.share.cells, self.profile.grammar
            accepted = union(audiences for audiences, subjects in cells if reach_of(subjects, grammar).scope != "nobody")
        return None if any(contains(accepted, audience) for audience in provider.client_ids) else accepted

    @once
    def subjects(self) -> Language:
        """The subjects that it admits, after the Deny statements of its policy."""
        return self.allowed if self.share is None else self.share.subjects

    @once
    def allowed(self) -> Language:
        """The subjects that it admits by itself, with whatever audience."""
        return NOTHING if is_nothing(self.known.audiences) else self.known.subjects

    @once
    def reach(self) -> Reach:
        """The scope of these subjects, and the shortest of them."""
        if self.share is not None and self.share.too_complex:
            return Reach(None, None)
        return reach_of(self.subjects, self.profile.grammar)

    @once
    def reach_before_deny(self) -> Reach:
        """The scope of what the statement says by itself."""
        return reach_of(self.allowed, self.profile.grammar)

    @once
    def kinds(self) -> frozenset[DefectKind]:
        """The kinds of its defects."""
        return frozenset([defect.kind for defect in self.reading.defects])

    @once
    def by_kind(self) -> Mapping[DefectKind, list[Defect]]:
        """Its defects by kind."""
        table: dict[DefectKind, list[Defect]] = {}
        for defect in self.reading.defects:
            table.setdefault(defect.kind, []).append(defect)
        return table


_OF_SIZE = {"over-default-quota"}
_OF_CONDITIONS = frozenset({"bad-operator", "bad-condition", "unknown-element"})
_SOUND = StatementReading(defects=(), action="web-identity", checks_sub=True, checks_aud=True)


def expected_tokens(
    principal: Value,
    account: str,
    form: PrincipalForm,
    kind: IssuerKind,
    issuer: str,
    profile: Profile,
    lookups: Lookups,
) -> Expected:
    """What is known of the tokens of a provider that a policy of an account names."""
    name = text_of(principal)
    key = (name, account, issuer, id(profile))
    expected = lookups.expected_tokens.get(key)
    if expected is None:
        meant = "" if form in ("provider", "hole") else lookups.meant_provider(name, account)
        expected = lookups.expected_tokens[key] = Expected(
            issuer=issuer,
            profile=profile,
            audiences=lookups.audiences_of(issuer),
            audiences_known=issuer in lookups.expected or (kind in ("eks", "unknown") and lookups.sees_accounts_of(issuer)),
            audiences_usual=kind in ("eks", "unknown"),
            principal=name,
            provider=meant,
            principal_defect=defect_of_principal(form),
            now=lookups.standards_context.as_of,
        )
    return expected
