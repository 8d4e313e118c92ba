"""Facts of bindings: a service account and the role that it names."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Literal, cast

import msgspec

from irsa_doctor.facts.grants.exclusion import exclusions, other_subject
from irsa_doctor.facts.grants.grant import AUDIENCE_OF_ISSUER
from irsa_doctor.facts.lookups.accounts import NO_NAMESPACE
from irsa_doctor.facts.lookups.associations import CAPABILITIES, NO_ISSUER, association_of, may_be_associated, refused_for
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.role import AnalysedRole, are_one_role
from irsa_doctor.facts.roles.role_facts import RoleFacts
from irsa_doctor.facts.roles.shutting import Shuts, shutting_of
from irsa_doctor.facts.service_accounts.absent_roles import NamedRole, absence_of
from irsa_doctor.facts.service_accounts.annotations import annotation_form
from irsa_doctor.facts.service_accounts.binding_evidence import binding_evidence
from irsa_doctor.facts.service_accounts.cases import fails, over_cases
from irsa_doctor.facts.service_accounts.denials import (
    audiences_of,
    denying_statements,
    sure_denials,
)
from irsa_doctor.facts.service_accounts.requests import audiences_by_role, requesting
from irsa_doctor.facts.service_accounts.service_account import annotated_audience
from irsa_doctor.facts.service_accounts.through_holes import (
    admitted_through,
    is_certain,
    principals_of,
)
from irsa_doctor.facts.service_accounts.unwritten import is_named_whole, may_be_admitted_anywhere
from irsa_doctor.facts.subject import Judged
from irsa_doctor.facts.workloads.records import PLACEHOLDERS
from irsa_doctor.issuers import EKS, profile_of
from irsa_doctor.model import Issuer, ServiceAccount, Text, Unknown, parse_arn, text_of
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.trust import Admitted, Policy, Statement
from irsa_doctor.trust.defect_kinds import DefectKind
from irsa_doctor.trust.languages import Finite, contains
from irsa_doctor.trust.presented import PresentedToken

Trust = Literal[
    "role-not-there",
    "explained",
    "admits",
    "trusted-elsewhere",
    "stale-cluster",
    "other-cluster",
    "pod-identity-only",
    "ec2-only",
    "capability-only",
    "no-web-identity",
    "other-namespace",
    "release-name",
    "other-subject",
    "other-audience",
    "denied",
    "denied-by-missing-key",
    "denied-in-both-ways",
]
TrustByCase = list[tuple[Trust | Unknown, AnalysedRole]]
_BY_SHUTTING: Mapping[Shuts, Trust] = {
    "matches": "denied",
    "missing-key": "denied-by-missing-key",
    "both": "denied-in-both-ways",
}
_SHUT_OUT: Mapping[object, Shuts] = {trust: shuts for shuts, trust in _BY_SHUTTING.items()}


class BindingFacts(msgspec.Struct, frozen=True):
    """How a service account is related to the role that it names."""

    role: NamedRole | Unknown
    trust: Trust | Unknown
    audience: Literal["expected", "mismatch"] | Unknown
    deny: Shuts | Unknown
    """How a Deny statement denies this service account and no other that names the role"""


def binding_facts(view: View, account: ServiceAccount, *, requested: bool = False) -> Judged | None:
    """The facts of a binding, None where the account names no role; with `requested` its annotation stands for a role that
    something else names."""
    value = account.annotations.get(ROLE_ARN)
    if isinstance(value, Text) and (made := view.cases_of_template(account)):
        return _binding_of_template(view, account, made)
    if not isinstance(value, str) or annotation_form(account) != "ok":
        return None
    trust, named = _worst([_over_cases(view, account, cases) for cases in view.stated_by_arn(value)])
    sa_id = f"{view.label_of(account.cluster)}/{account.namespace}/{account.name}"
    return Judged(
        "binding",
        f"{sa_id} -> {value}",
        value if named else sa_id,
        _facts("there", trust, _deny(view, account, named, trust))
        if trust is not None
        else _facts(absence_of(view, account, value), "role-not-there"),
        lambda: binding_evidence(view, account, value, named, requested=requested),
    )


def requested_bindings(view: View, account: ServiceAccount) -> Iterator[Judged]:
    """The facts of a service account and the roles that something else than its annotation requests for it: an association,
    of which only the role itself is judged here, and manifests that set the role themselves."""
    key = (account.cluster, account.namespace, account.name)
    association = view.inventory.association_by_key.get(key)
    supplied = text_of(association.role_arn) if association else ""
    workloads = () if ROLE_ARN in account.annotations else view.inventory.workloads_by_service_account.get(key, ())
    audiences = audiences_by_role(workloads)
    for role in sorted({*audiences, supplied} - {"", account.annotations.get(ROLE_ARN, "")}):
        asked = sorted(audiences.get(role, ())) or [""]
        bindings = [binding_facts(view, requesting(account, role, audience), requested=True) for audience in asked]
        judged = [each for each in bindings if each and _is_of_request(each.facts, asked, by_hand=role in audiences)]
        yield from sorted(judged, key=lambda each: not fails(getattr(each.facts, "trust", None)))[:1]


def _is_of_request(facts: object, audiences: Sequence[str], *, by_hand: bool) -> bool:
    """Whether facts hold of a role that no annotation names: what the tokens have as audience is known of a volume alone, and
    the trust policy of an association's role is judged as that."""
    if not isinstance(facts, BindingFacts) or (facts.trust == "other-audience" and audiences == [""]):
        return False
    return by_hand or facts.role != "there"


_Relation = tuple[Trust | Unknown | None, AnalysedRole | None]


def _over_cases(view: View, account: ServiceAccount, cases: Sequence[AnalysedRole]) -> _Relation:
    answers: TrustByCase = [(_trust(view, account, case), case) for case in cases]
    return over_cases(account, answers)


def _worst(relations: Sequence[_Relation]) -> _Relation:
    """The relation that fails, where documents state the role differently; else that of the account."""
    return next((relation for relation in relations if fails(relation[0])), relations[0]) if relations[1:] else relations[0]


@lru_cache(maxsize=256)
def _facts(role: NamedRole | Unknown, trust: Trust | Unknown, deny: Shuts = "none") -> BindingFacts:
    unseen = role if isinstance(role, Unknown) else trust
    if isinstance(unseen, Unknown):
        return BindingFacts(role, unseen, unseen, unseen)
    audience: Literal["expected", "mismatch"] = "mismatch" if trust == "other-audience" else "expected"
    return BindingFacts(role, trust, audience, deny)


def _deny(view: View, account: ServiceAccount, named: AnalysedRole | None, trust: Trust | Unknown) -> Shuts:
    """How a Deny denies an account: as what keeps it out, or beside an Allow that is for other subjects."""
    if trust not in _OTHER_SUBJECTS.values() or named is None or named.policy is None or not named.policy.has_deny:
        return _SHUT_OUT.get(trust, "none")
    if not isinstance(named.judged.facts, RoleFacts) or named.judged.facts.deny != "none":
        return "none"
    issuer = view.issuer_of(account.cluster)
    return shutting_of(sure_denials(view, account, named.policy, audiences_of(view, account, issuer)), issuer).kind


def _binding_of_template(view: View, account: ServiceAccount, cases: Sequence[AnalysedRole]) -> Judged:
    """A service account and a role that a template makes, the one for the other."""
    role = cases[0].role
    ident = f"{view.label_of(account.cluster)}/{account.namespace}/{account.name} -> {role.id}"
    answers: TrustByCase = [(_trust_of_template(view, account, case), case) for case in cases]
    trust: Trust | Unknown | None
    trust, shown = over_cases(account, answers)
    trust = "explained" if trust is None else trust
    facts = _facts("there", trust, _deny(view, account, shown, trust))
    evidence = partial(binding_evidence, view, account, role.name, shown)
    return Judged("binding", ident, role.id, facts, evidence, certain=is_certain([case.policy for case in cases]))


def _trust_of_template(view: View, account: ServiceAccount, named: AnalysedRole) -> Trust | Unknown:
    """The relation to a role that a template makes, which may leave its providers open."""
    policy = named.policy
    if policy is None or policy.refused or association_of(account, view):
        return "explained"
    principals = principals_of(policy)
    if principals and view.issuer_of(account.cluster) and all(isinstance(value, str) for value in principals):
        return "explained" if named.blocked or named.blocked_issuers else _trust(view, account, named)
    return _in_any_cluster(view, account, named)


def _in_any_cluster(view: View, account: ServiceAccount, named: AnalysedRole) -> Trust | Unknown:
    """The relation as far as it is known without the issuer: a policy that names other subjects does not admit this one in
    any cluster."""
    policy = named.policy
    if policy is None or named.blocked or named.blocked_issuers:
        return "explained"
    if not principals_of(policy) and all(statement.effect_seen for statement in policy.statements):
        return PLACEHOLDERS if may_be_associated(account, named.role.id, view) else _other_principals(policy)
    return _seen_through_holes(account, policy)


def _of_manifest(view: View, account: ServiceAccount, named: AnalysedRole) -> Trust | Unknown:
    """The relation of an account whose cluster is not known. A manifest that has no namespace gets one when it is applied: then
    its name has to be another one than those of the policy. In the cluster of an association it needs no web identity."""
    if (account.namespace, account.name) in view.associations_by_account:
        return NO_ISSUER
    trust = _in_any_cluster(view, account, named)
    if trust not in _OTHER_SUBJECTS.values() or named.policy is None or not account.unplaced:
        return trust
    return NO_ISSUER if may_be_admitted_anywhere(account.name, named.policy) else trust


def _seen_through_holes(account: ServiceAccount, policy: Policy) -> Trust | Unknown:
    """The relation as far as it is known of providers with placeholders: whatever they are, a policy may name other
    subjects."""
    if any(not statement.effect_seen for statement in policy.statements):
        return PLACEHOLDERS
    admits = [admitted_through(policy, value)[0] for value in principals_of(policy)]
    if any(answer.unseen for answer in admits):
        return PLACEHOLDERS
    if any(contains(answer.subjects, account.subject) for answer in admits):
        return NO_ISSUER
    return _of_others(
        account, [v for answer in admits if isinstance(answer.subjects, Finite) for v in sorted(answer.subjects.values)]
    )


def _trust(view: View, account: ServiceAccount, named: AnalysedRole) -> Trust | Unknown:
    """Whether the policy of the role that it names admits a service account; if not, which kind of defect is the reason."""
    trust = _trust_as_named(view, account, named)
    if trust in _OTHER_SUBJECTS.values() and not is_named_whole(account):
        return PLACEHOLDERS
    policy = (named.model or named).policy
    if policy is None or not account.unplaced or trust not in _OF_SUBJECTS:
        return trust
    return NO_NAMESPACE if may_be_admitted_anywhere(account.name, policy) else trust


def _trust_as_named(view: View, account: ServiceAccount, named: AnalysedRole) -> Trust | Unknown:
    policy = (named.model or named).policy
    if policy is None or policy.refused or association_of(account, view):
        return "explained"
    issuer = view.issuer_of(account.cluster)
    if not issuer:
        return _of_manifest(view, account, named)
    audiences = audiences_of(view, account, issuer)
    if named.admits(issuer, account.subject, audiences):
        return "denied" if policy.has_deny and _is_denied_now(view, account, named, audiences) else "admits"
    trust = _refusal(view, account, named, issuer)
    # in order where the account has an association
    unseen = refused_for(account, view) if trust == "pod-identity-only" else None
    return trust if unseen is None else unseen


def _is_denied_now(view: View, account: ServiceAccount, named: AnalysedRole, audiences: frozenset[str]) -> bool:
    """Whether a Deny with a time keeps out an account that is admitted at some time, and not everybody with it."""
    return named.policy is not None and not named.blocked and bool(sure_denials(view, account, named.policy, audiences))


def _refusal(view: View, account: ServiceAccount, named: AnalysedRole, issuer: str) -> Trust | Unknown:
    """Which kind of defect is the reason that a policy does not admit a service account with an audience that it may have."""
    if _has_holes(named):
        # whatever fills them, it may be the provider of this cluster
        seen = _seen_through_holes(account, named.policy) if named.policy else PLACEHOLDERS
        return PLACEHOLDERS if seen is NO_ISSUER else seen
    audiences = audiences_of(view, account, issuer)
    if named.blocked or issuer in named.blocked_issuers:
        meant = _meant_for_others(view, account, named, issuer, audiences)
        if meant is None:
            return _denied_besides(view, account, named, audiences)
        return "trusted-elsewhere" if _is_trusted_elsewhere(view, account, named, issuer) else meant
    own = named.of_issuer(issuer)
    if any(answer.unseen for answer in own) or _is_for_miswritten(view, named, issuer):
        return "explained"
    shutting = [statement for answer in own for statement in denying_statements(answer, account.subject, audiences)]
    if not shutting and any(contains(answer.subjects, account.subject) for answer in own):
        return _of_audience(view, account, issuer)
    if own:
        return _kept_out(view, account, named, own, shutting)
    return _elsewhere(view, named) if named.by_provider else _without_providers(view, account, named, audiences)


def _has_holes(named: AnalysedRole) -> bool:
    """Whether a policy leaves a provider open; that of the role's model does as well."""
    policy = (named.model or named).policy
    return policy is not None and any(isinstance(value, Text) for value in principals_of(policy))


def _without_providers(view: View, account: ServiceAccount, named: AnalysedRole, audiences: frozenset[str]) -> Trust:
    """Of a policy that allows no identity provider: a Deny that matches all the same, or only others are allowed."""
    policy = named.policy
    if policy is None or any(statement.allow for statement in policy.statements):
        return _other_principals(policy) if policy else "no-web-identity"
    return "denied" if sure_denials(view, account, policy, audiences) else "no-web-identity"


def _denied_besides(view: View, account: ServiceAccount, named: AnalysedRole, audiences: frozenset[str]) -> Trust:
    """The relation to a role of which a defect is a finding already: a Deny of the account is another one."""
    policy, of_role = named.policy, named.judged.facts
    if policy is None or not isinstance(of_role, RoleFacts) or of_role.deny != "none":
        return "explained"
    shutting = sure_denials(view, account, policy, audiences)
    return _shut_out(shutting, view.issuer_of(account.cluster)) if shutting else "explained"


def _shut_out(shutting: list[Statement], issuer: str) -> Trust:
    return _BY_SHUTTING[shutting_of(shutting, issuer).kind]


def _meant_for_others(
    view: View, account: ServiceAccount, named: AnalysedRole, issuer: str, audiences: frozenset[str]
) -> Trust | None:
    """How the subjects for which a policy with a defect that denies somebody was meant differ from that of an account; None
    where it was meant for it."""
    provider = named.provider_of(issuer) or named.meant_provider_of(issuer)
    if not provider or not audiences:
        return None
    token = PresentedToken(
        named.role.account, provider, issuer, account.subject, min(audiences), generated=not account.template
    )
    alike = named.likeness
    if alike is None or alike.subjects != [account.subject] or not alike.shape.is_indifferent_to(account.subject):
        return _difference(named, token, view)
    # it is so of every role like it that names its only service account
    model, of_model, _ = named.modelled(issuer, account.subject)
    key = (of_model, token.audience, token.generated)
    if key not in model.meant_for_others:
        model.meant_for_others[key] = _difference(named, token, view)
    return cast("Trust | None", model.meant_for_others[key])


def _difference(named: AnalysedRole, token: PresentedToken, view: View) -> Trust | None:
    checks = exclusions(named.policy, token, view) if named.policy else ()
    return next((_OTHER_SUBJECTS[check.kind] for check in checks if check.kind in _OTHER_SUBJECTS), None)


def _is_trusted_elsewhere(view: View, account: ServiceAccount, named: AnalysedRole, issuer: str) -> bool:
    """Whether another role admits an account by name. Of roles that manifests set by hand each is meant: one that they set as
    well is no other."""
    key = (account.cluster, account.namespace, account.name)
    asked = audiences_by_role(view.inventory.workloads_by_service_account.get(key, ()))
    others = view.trusted_by_name.get((issuer, account.subject), ())
    meant = asked if named.role.arn in asked else ()
    return any(not are_one_role(other, named) and other.role.arn not in meant for other in others)


def _kept_out(
    view: View, account: ServiceAccount, named: AnalysedRole, own: list[Admitted], shutting: list[Statement]
) -> Trust:
    """The relation to a role that admits others of the account's own cluster: denied by a Deny, or not named."""
    issuer = view.issuer_of(account.cluster)
    if shutting:
        return _shut_out(shutting, issuer)
    if _is_trusted_elsewhere(view, account, named, issuer):
        return "trusted-elsewhere"
    return _of_others(account, [v for answer in own if isinstance(answer.subjects, Finite) for v in answer.subjects.values])


def _of_audience(view: View, account: ServiceAccount, issuer: str) -> Trust | Unknown:
    """The relation where the subject is admitted, but not with the audience of its tokens."""
    audience = account.annotations.get(AUDIENCE_ANNOTATION)
    if isinstance(audience, Text):
        return PLACEHOLDERS
    if audience is None and issuer not in view.expected and profile_of(issuer) is not EKS:
        return AUDIENCE_OF_ISSUER
    role = parse_arn(text_of(account.annotations.get(ROLE_ARN, "")))
    return "explained" if annotated_audience(view, account, issuer, role) == "refused" else "other-audience"


def _is_for_miswritten(view: View, named: AnalysedRole, issuer: str) -> bool:
    """Whether the role trusts a provider that was meant for the issuer and is written otherwise: that is the finding."""
    principals = view.principals
    trusted = [
        arn.name
        for provider in named.by_provider
        if provider in view.inventory.provider_by_arn and (arn := parse_arn(provider))
    ]
    return any(other != issuer and principals.meant_issuer(other) == issuer for other in trusted)


def _elsewhere(view: View, named: AnalysedRole) -> Trust:
    """The relation where the policy names other issuers only: those of clusters of the input, or of none of them."""
    issuers = [arn.name for provider in named.by_provider if (arn := parse_arn(provider))]
    gone = all(Issuer.of(issuer).form == "eks" and issuer not in view.inventory.clusters_by_issuer for issuer in issuers)
    return "stale-cluster" if gone else "other-cluster"


def _other_principals(policy: Policy) -> Trust:
    services = {text_of(v).removesuffix(".cn") for s in policy.statements if s.allow for v in s.service}
    if "pods.eks.amazonaws.com" in services:
        return "pod-identity-only"
    if CAPABILITIES in services:
        return "capability-only"
    return "ec2-only" if "ec2.amazonaws.com" in services else "no-web-identity"


_OTHER_SUBJECTS: Mapping[DefectKind, Trust] = {
    "subject-namespace": "other-namespace",
    "subject-release": "release-name",
    "subject-other": "other-subject",
}
_OF_SUBJECTS = frozenset({*_OTHER_SUBJECTS.values(), *_SHUT_OUT, "trusted-elsewhere"})
"""the relations of which the namespace of the account is a part"""


def _of_others(account: ServiceAccount, trusted: list[str]) -> Trust:
    """How the subjects that a policy admits differ from that of an account."""
    return _OTHER_SUBJECTS[other_subject(trusted, account.subject, generated=not account.template)]
