"""The analysis of a role's policy that all facts share."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from irsa_doctor.facts.grants.grant import GrantFacts, grant_facts, is_blocked, is_in_force
from irsa_doctor.facts.grants.judged import hidden_grant, judged_grant, left_grant
from irsa_doctor.facts.grants.principals import PrincipalForm, is_miswritten
from irsa_doctor.facts.grants.reading import GrantReading, expected_tokens, issuer_kind, profile_for
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.chains import chain_evidence
from irsa_doctor.facts.roles.evidence import role_evidence
from irsa_doctor.facts.roles.likeness import Likeness
from irsa_doctor.facts.roles.pod_identity import pod_identity_evidence
from irsa_doctor.facts.roles.role_facts import RoleFacts, role_facts
from irsa_doctor.facts.roles.target_permissions import on_targets_evidence
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.issuers import KUBERNETES
from irsa_doctor.model import Role, TrustPolicy, Unknown, has_hole, is_provider_of, parse_arn, text_of
from irsa_doctor.model.once import once
from irsa_doctor.trust import Admitted, Policy, Statement, admitted, grant_of, read_policy
from irsa_doctor.trust.admitted import not_worked_out
from irsa_doctor.trust.association import SeenStatement, seen_as_meant, seen_for
from irsa_doctor.trust.policy import WEB_IDENTITY, Value, covering
from irsa_doctor.trust.refusals import Steps

_Grants = list[tuple[GrantReading, GrantFacts]]


class PolicyReading(msgspec.Struct, frozen=True):
    """The policy of a role, parsed, and what it admits for each provider that it names; None and nothing where it is not in the
    input. `readings` are the statements that grant something, but those of which nothing is known."""

    policy: Policy | None = None
    by_provider: dict[str, Admitted] = {}
    readings: tuple[GrantReading, ...] = ()


class AnalysedRole(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A role with the facts of its grants and of itself.

    `blocked`: a defect of the policy itself denies those it was meant for, and is a finding of its own; `blocked_issuers` are
    the issuers whose tokens alone it denies.
    """

    role: Role
    grants: tuple[Judged, ...]
    judged: Judged
    read: Callable[[], PolicyReading]
    """what gives the policy; most roles are like another one, and nobody looks at theirs"""
    blocked: bool = False
    blocked_issuers: frozenset[str] = frozenset()
    likeness: Likeness | None = None
    """what it has in common with others, None where nothing is made of that"""
    cluster: str = ""
    """the id of the one cluster of EKS that its policy names, where roles that name another one may be like it"""
    model: "AnalysedRole | None" = None
    """the role of its likeness that was analysed in full, None where it was that itself"""

    @once
    def _reading(self) -> PolicyReading:
        return self.read()

    @property
    def policy(self) -> Policy | None:
        """The policy, parsed; None where it is not in the input."""
        return self._reading.policy

    @property
    def by_provider(self) -> dict[str, Admitted]:
        """What the policy admits for each provider that it names."""
        return self._reading.by_provider

    @property
    def readings(self) -> tuple[GrantReading, ...]:
        """The statements of which `grants` are made, but those of which nothing is known."""
        return self._reading.readings

    def modelled(self, issuer: str, subject: str) -> tuple["AnalysedRole", str, str]:
        """The role that was analysed in the place of this one, and the issuer (without scheme) and the service account
        (subject) that it names where this one names `issuer` and `subject`; itself where it does not name that one.

        Their policies differ in the service accounts and the cluster alone, each of which stands in the same places, and
        nothing in them compares these with anything else: the one admits the one subject where the other admits the other.
        The issuer is "" where the model names one that this role does not.
        """
        if self.model is None or self.likeness is None or self.model.likeness is None or subject not in self.likeness.subjects:
            return self, issuer, subject
        number = self.likeness.subjects.index(subject)
        return self.model, self._issuer_in_model(issuer), self.model.likeness.subjects[number]

    def _issuer_in_model(self, issuer: str) -> str:
        own, its = self.cluster, self.model.cluster if self.model else self.cluster
        if own == its or (own not in issuer and its not in issuer):
            return issuer
        return issuer.replace(own, its) if own in issuer else ""

    def provider_of(self, issuer: str) -> str:
        """The ARN of a provider of an issuer (without scheme) that the policy names, "" where it names none."""
        model, of_model = self.model or self, self._issuer_in_model(issuer)
        provider = next((arn for arn in model.by_provider if of_model and is_provider_of(arn, of_model)), "")
        return provider.replace(model.cluster, self.cluster) if model.cluster else provider

    def meant_provider_of(self, issuer: str) -> str:
        """The ARN of the provider of an issuer (without scheme) that a wrong principal was meant to be, "" if there is none."""
        return next((read.expected.provider for read in self.readings if read.is_meant and read.issuer == issuer), "")

    def of_issuer(self, issuer: str) -> list[Admitted]:
        """What the policy admits of the tokens of an issuer (without scheme), by each of its providers that it names."""
        return [answer for provider, answer in self.by_provider.items() if is_provider_of(provider, issuer)]

    def admits(self, issuer: str, subject: str, audiences: frozenset[str]) -> bool:
        """Whether tokens of an issuer (without scheme) with a subject and one of some audiences get in, as far as these decide;
        asked once of all roles with one model."""
        role, issuer, subject = self.modelled(issuer, subject)
        key = (issuer, subject, audiences)
        if key not in role._admitting:
            answers = role.of_issuer(issuer) if issuer else ()
            role._admitting[key] = any(answer.admits(subject, audience) for answer in answers for audience in audiences)
        return role._admitting[key]

    @once
    def meant_for_others(self) -> dict[tuple[str, str, bool], str | None]:
        """How those whom roles like this one were meant for differ from the only service account that they name, None where
        they do not: by the issuer and the audience of its tokens, and whether its name is generated; filled as it is asked."""
        return {}

    @once
    def _admitting(self) -> dict[tuple[str, str, frozenset[str]], bool]:
        return {}

    def trusts(self, issuer: str) -> bool:
        """Whether a provider that the policy names is one of an issuer (without scheme)."""
        of_model = self._issuer_in_model(issuer)
        arns = (parse_arn(provider) for provider in (self.model or self).by_provider)
        return any(arn is not None and arn.kind == "oidc-provider" and arn.name == of_model for arn in arns)

    def blocks(self, issuer: str) -> bool:
        """Whether a defect of the policy itself denies the tokens of an issuer (without scheme)."""
        return self.blocked or issuer in self.blocked_issuers


_FILLED_IN = (".json", ".yaml", ".yml", "-")
"""how the paths of documents end that nothing expands any more"""
_NOT_OURS = ("saml",)


def _is_for_saml(statement: Statement) -> bool:
    """Whether a statement is about SAML and not about web identity, whatever its principal is."""
    actions = [text_of(action).lower() for action in statement.actions]
    return "sts:assumerolewithsaml" in actions and not statement.covers_web_identity


def _is_for_others(statement: Statement, source: TrustPolicy) -> bool:
    """Whether the type of a principal is not known, and the actions are none of web identity: it is of another type then."""
    written: Any = source.document
    for step in statement.steps:
        written = written[step]
    principal = written["Principal"]
    is_typed = isinstance(principal, dict) and not any(map(has_hole, principal))
    return not is_typed and covering(statement, WEB_IDENTITY) is False


def analyse(role: Role, lookups: Lookups) -> AnalysedRole:
    """Take the policy of a role apart and derive the facts of its grants and of itself."""
    with lookups.work.on(role.id):
        return _analysed(role, lookups)


def _analysed(role: Role, lookups: Lookups) -> AnalysedRole:
    source, ident = role.policy, role.id
    kind = "policy" if role.is_bare else "role"
    if isinstance(source, Unknown):
        nothing = RoleFacts(*([source] * len(RoleFacts.__struct_fields__)))
        unseen = Judged(kind, ident, ident, nothing, partial(evidence_of_role, role, None, None, {}, (), lookups), role.case)
        return AnalysedRole(role=role, grants=(), judged=unseen, read=PolicyReading)
    policy = read_policy(source)
    of_policy = _grants(role, source, policy, lookups)
    grants, by_provider = of_policy.grants, of_policy.by_provider
    left = [left_grant(role, index, source.place.at(*statement.steps)) for index, statement in of_policy.left.items()]
    hidden = (*_hidden_statements(role, source, policy), *left)
    mistakes = defective(grants) if policy.problems else []
    facts = role_facts(role, policy, by_provider, mistakes, lookups)
    evidence = partial(evidence_of_role, role, source, policy, by_provider, mistakes, lookups)
    blocking = [read for read, _ in grants if is_blocked(read)]
    seen = PolicyReading(policy, by_provider, tuple([read for read, _ in grants]))
    shuts = facts.deny != "none" or facts.web_identity_of_aws is True
    return AnalysedRole(
        role=role,
        grants=(*[judged_grant(read, of_grant) for read, of_grant in grants], *hidden),
        judged=Judged(kind, ident, ident, facts, evidence, role.case),
        read=lambda: seen,
        blocked=shuts or {read.form for read in blocking} - {"provider"} != set(),
        blocked_issuers=frozenset([read.issuer for read in blocking if read.form == "provider"]),
    )


def evidence_of_role(
    role: Role,
    source: TrustPolicy | None,
    policy: Policy | None,
    by_provider: dict[str, Admitted],
    defective: Sequence[Steps],
    lookups: Lookups,
) -> Evidence:
    """What messages say of the policy, and of the associations that have to do with the role."""
    evidence = role_evidence(role, source, policy, by_provider, defective, lookups)
    names, places = pod_identity_evidence(role, source, policy, lookups)
    of_chain, at = chain_evidence(role, policy, lookups)
    on_targets, targets_at = on_targets_evidence(role, lookups)
    return Evidence({**evidence.names, **names, **of_chain, **on_targets}, {**evidence.places, **places, **at, **targets_at})


def _hidden_statements(role: Role, source: TrustPolicy, policy: Policy) -> Iterator[Judged]:
    """A grant of which nothing is known for each statement of which not even the effect is."""
    for statement in policy.statements:
        if not statement.effect_seen:
            holes = ", ".join(statement.unseen)
            missing = Unknown(
                f"the placeholder {holes} of {role.name}, on which statement {statement.index} of its policy depends"
            )
            place = source.place.at(*statement.steps)
            yield hidden_grant(role, statement.index, missing, place)


def defective(grants: Iterable[tuple[GrantReading, GrantFacts]]) -> list[Steps]:
    """The places of the defects that are findings: of conditions only where principal and action are right."""
    return [
        steps
        for read, _ in grants
        for defect in read.reading.defects
        if defect.denies_tokens and (defect.condition is None or is_in_force(read))
        for steps in defect.places
    ]


class _Named(msgspec.Struct, frozen=True):
    """An Allow statement and a principal that it names."""

    role: Role
    source: TrustPolicy
    policy: Policy
    statement: Statement
    principal: Value
    account: str
    expanded: bool


class _OfPolicy(msgspec.Struct, frozen=True):
    """The grants of a policy, what it admits by provider, and the statements (by index) that were not looked at whole."""

    grants: _Grants
    by_provider: dict[str, Admitted]
    left: dict[int, Statement]

    def leave(self, statement: Statement, principal: Value) -> None:
        """Notes that a statement is not looked at for a principal."""
        self.left[statement.index] = statement
        if isinstance(principal, str) and principal not in self.by_provider:
            self.by_provider[principal] = not_worked_out(statement, KUBERNETES)


_PRODUCTS = 20_000
"""pairs of a principal and a condition (or a value, or another statement) of one policy that are looked at"""


def _grants(role: Role, source: TrustPolicy, policy: Policy, lookups: Lookups) -> _OfPolicy:
    """What each Allow statement admits of each provider; what is over the products of one policy is left for unknown."""
    of_policy = _OfPolicy([], {}, {})
    expanded = bool(role.address) or not source.place.document.endswith(_FILLED_IN)
    account = role.account or common_account(policy)
    products, has_deny = 0, False in [statement.allow for statement in policy.statements]
    whole = sum(map(_weight, policy.statements)) if has_deny else 0
    for statement in policy.statements:
        weight = _weight(statement) + whole
        for principal in _providers_named(statement):
            products += weight
            if products > _PRODUCTS and products > weight:
                of_policy.leave(statement, principal)
            else:
                named = _Named(
                    role=role,
                    source=source,
                    policy=policy,
                    statement=statement,
                    principal=principal,
                    account=account,
                    expanded=expanded,
                )
                _add_grant(named, lookups, of_policy)
    return of_policy


def _providers_named(statement: Statement) -> Sequence[Value]:
    """The principals of an Allow statement that are, or were meant to be, identity providers."""
    if not statement.allow:
        return ()
    return statement.federated or [value for value in statement.aws if ":oidc-provider/" in text_of(value)]


def _weight(statement: Statement) -> int:
    return 1 + sum([1 + len(condition.values) for condition in statement.conditions])


def _add_grant(named: _Named, lookups: Lookups, of_policy: _OfPolicy) -> None:
    role, policy, statement, principal, account = named.role, named.policy, named.statement, named.principal, named.account
    form = lookups.principals.form(principal, account) if principal in statement.federated else "wrong-type"
    if form in _NOT_OURS or (form == "hole" and (_is_for_saml(statement) or _is_for_others(statement, named.source))):
        return
    seen = _seen(named, form, lookups)
    issuer = text_of(seen.issuer)
    kind = issuer_kind(statement, seen.issuer, lookups)
    profile = profile_for(kind, seen.issuer, policy.statements, lookups)
    expected = expected_tokens(principal, account, form, kind, issuer, profile, lookups)
    by_provider = of_policy.by_provider
    if form in ("provider", "absent", "domain") and isinstance(principal, str) and principal not in by_provider:
        by_provider[principal] = admitted(policy, principal, issuer, profile=expected.profile)
    admits = by_provider.get(text_of(principal)) if seen.statement is statement else None
    grant = admits.grant(statement) if admits and admits.profile is expected.profile else None
    if grant is None:
        provider = text_of(principal)
        grant = grant_of(policy, seen.statement, issuer, profile=expected.profile, provider=provider)
    read = GrantReading(
        role=role,
        source=named.source,
        policy=policy,
        grant=grant,
        principal=principal,
        form=form,
        kind=kind,
        expected=expected,
        lookups=lookups,
        seen=seen,
    )
    of_policy.grants.append((read, grant_facts(read, named=role.arn in lookups.naming)))


def _seen(named: _Named, form: PrincipalForm, lookups: Lookups) -> SeenStatement:
    """The statement as it reads for tokens of a principal, or of the provider that a miswritten one was meant to be."""
    statement, principal = named.statement, named.principal
    meant = lookups.meant_provider(principal, named.account) if isinstance(principal, str) and is_miswritten(form) else ""
    if isinstance(principal, str) and (arn := parse_arn(meant)):
        return seen_as_meant(statement, principal, arn.name)
    return seen_for(statement, principal, expanded=named.expanded)


def common_account(policy: Policy) -> str:
    """The account of all Federated ARNs of a bare policy, "" where they differ (cli.md, "Inputs")."""
    arns = [parse_arn(p) for s in policy.statements for p in s.federated if isinstance(p, str)]
    accounts = {arn.account for arn in arns if arn}
    return accounts.pop() if len(accounts) == 1 else ""


def are_one_role(role: AnalysedRole, other: AnalysedRole) -> bool:
    """Whether two roles are one, or what an account has and a template makes under one ARN."""
    arns = {each.role.arn or planned_arn(each) for each in (role, other)}
    return role is other or (len(arns) == 1 and arns != {""})


def planned_arn(analysed: AnalysedRole) -> str:
    """The ARN that a role of a template will have, "" where it is not known: a role can trust only OIDC providers of its own
    account, and the template names both provider and role."""
    role, policy = analysed.role, analysed.policy
    account = common_account(policy) if policy and role.planned and not role.arn else ""
    if not account or policy is None:
        return ""
    providers = (parse_arn(p) for s in policy.statements for p in s.federated if isinstance(p, str))
    partition = next((arn.partition for arn in providers if arn), "aws")
    return f"arn:{partition}:iam::{account}:role/{role.planned}"
