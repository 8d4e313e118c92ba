"""Facts of grants: one Allow statement for one provider."""

from functools import partial
from operator import attrgetter
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.claims import ENDPOINT, STS, Claims, claims_of
from irsa_doctor.facts.grants.evidence import grant_evidence
from irsa_doctor.facts.grants.principals import Form
from irsa_doctor.facts.lookups.surroundings import Surroundings
from irsa_doctor.facts.subject import Judged
from irsa_doctor.issuers import EKS, KUBERNETES, Profile, profile_of
from irsa_doctor.issuers import profile as profile_named
from irsa_doctor.model import Inventory, Role, Text, TrustPolicy, Unknown, text_of
from irsa_doctor.trust import SUBJECT_PREFIX, Grant, Policy, Statement, is_subject
from irsa_doctor.trust.languages import NOTHING, Finite, contains
from irsa_doctor.trust.refusals import is_refused_action
from irsa_doctor.trust.subjects import Scope, reach_of

IssuerKind = Literal["eks", "kubernetes", "other", "unknown"]
Action = Literal["web-identity", "assume-role", "typo", "other", "hole"]
"""what a statement allows; `other` beside a statement that allows web identity, else `assume-role`"""
ReachBy = Literal["named", "mistyped-key", "negation", "pattern", "aud-only", "nothing"]
AskedAudience = Literal["any", "expected", "china", "endpoint", "mismatch"]


class GrantFacts(msgspec.Struct, frozen=True):
    """What is true of one Allow statement for one provider.

    `admits`: somebody gets in. `reach_by`: what leaves it wider than named subjects.
    """

    issuer_kind: IssuerKind
    issuer_form: Literal["fine", "eks-dualstack"]
    principal: Form
    action: Action
    admits: bool
    scope: Scope | Unknown
    reach_by: ReachBy | Unknown
    has_sub: bool
    has_aud: bool
    audience: AskedAudience | Unknown
    key_has_scheme: bool
    key_is_arn: bool
    key_trailing_slash: bool
    key_missing_path: bool
    key_other_issuer: bool
    key_unavailable: bool
    key_session: bool
    merged_clusters: bool
    swapped: bool
    equals_with_wildcard: bool
    sub_prefix_missing: bool
    sub_case: bool
    old_version_variable: bool
    unsatisfiable: bool
    never_holds: bool
    """Whether nobody gets in for no reason told apart, and no service account names the role, so that nobody was told"""
    for_any_value: bool
    for_all_values: bool
    if_exists: bool
    private_source_ip: bool
    region_excluded: bool | Unknown
    session_name_wanted: bool | Unknown
    default_account: bool
    account_missing: bool | Unknown

    @property
    def is_blocked(self) -> bool:
        """Whether something of the statement itself keeps everybody, or those it was meant for, out."""
        if self.action == "other":
            return False
        if self.principal not in ("provider", "hole") or self.action != "web-identity":
            return True
        return self.audience in ("mismatch", "endpoint", "china") or any(_blocking(self))


_blocking = attrgetter(
    "key_has_scheme",
    "key_is_arn",
    "key_trailing_slash",
    "key_missing_path",
    "key_other_issuer",
    "key_unavailable",
    "key_session",
    "merged_clusters",
    "swapped",
    "equals_with_wildcard",
    "sub_prefix_missing",
    "sub_case",
    "old_version_variable",
    "unsatisfiable",
)
_PLACEHOLDERS = Unknown("values of the template's placeholders")
_CONTESTED = Unknown(
    "what AWS makes of a condition on which its documentation is silent",
    "write the condition without it: irsa-doctor explain policy-contested",
)
_TOO_COMPLEX = Unknown(
    "the subjects of a policy with more wildcards and exceptions than can be worked out",
    "split the statement, or name the subjects",
)
AUDIENCE_OF_ISSUER = Unknown("audience of the tokens of this issuer")
_ALL_ACCOUNTS = Unknown(
    "service accounts of the cluster, listed whole", "kubectl get serviceaccounts -A -o yaml", "--complete serviceaccounts"
)
_SESSION_NAME = Unknown("AWS_ROLE_SESSION_NAME of the workloads", "kubectl get pods -A -o yaml")


def issuer_kind(statement: Statement, issuer: str, inventory: Inventory) -> IssuerKind:
    """EKS by the form of the issuer; Kubernetes where a cluster has it or the statement speaks of service accounts."""
    if not issuer:
        return "unknown"
    if profile_of(issuer) is EKS:
        return "eks"
    if issuer in inventory.clusters_by_issuer:
        return "kubernetes"
    named = any(text_of(v).startswith(SUBJECT_PREFIX) for c in statement.conditions for v in c.values)
    return "kubernetes" if named else "other"


def profile_of_kind(kind: IssuerKind) -> Profile:
    """The profile of a kind of issuer; one that is not known is taken for a cluster."""
    return KUBERNETES if kind == "unknown" else profile_named(kind)


def _action(statement: Statement, policy: Policy) -> Action:
    if statement.covers_web_identity:
        return "web-identity"
    if any(isinstance(action, Text) for action in statement.actions):
        return "hole"
    if any(is_refused_action(text_of(action)) for action in statement.actions):
        return "typo"
    # sts:TagSession may stand in a statement of its own
    of_web_identity = [s for s in policy.statements if s.allow and s.covers_web_identity]
    beside = any(not set(other.federated).isdisjoint(statement.federated) for other in of_web_identity)
    return "other" if beside else "assume-role"


def _reach_by(grant: Grant, claims: Claims, scope: str | None, unseen: Unknown | None) -> ReachBy | Unknown:
    if scope in ("nobody", "one") or (scope == "several" and isinstance(grant.subjects, Finite)):
        return "named"
    if claims.vacuous:
        return "mistyped-key"
    if claims.sub_negated:
        return "negation"
    if claims.has_sub:
        return "pattern" if unseen is None else unseen
    return "aud-only" if claims.has_aud else "nothing"


def _unseen(grant: Grant) -> Unknown | None:
    """Why sub and aud of a grant cannot be told, None where they can."""
    if grant.statement.unseen or "unknown" in [limit.effect for limit in grant.limits]:
        return _PLACEHOLDERS
    return _CONTESTED if grant.contested else None


def _audience(
    grant: Grant, kind: IssuerKind, issuer: str, claims: Claims, around: Surroundings, unseen: Unknown | None
) -> AskedAudience | Unknown:
    if not claims.has_aud:
        return "any"
    if unseen is not None:
        return unseen
    if any(contains(grant.audiences, audience) for audience in around.audiences_of(issuer)):
        return "expected"
    if STS + ".cn" in claims.auds:
        return "china"
    if any(ENDPOINT.fullmatch(audience) for audience in claims.auds):
        return "endpoint"
    known = kind in ("eks", "unknown") or issuer in around.expected
    return "mismatch" if known else AUDIENCE_OF_ISSUER


def _account_missing(grant: Grant, issuer: str, around: Surroundings) -> bool | Unknown:
    if issuer not in around.accounts.listed_whole:
        return _ALL_ACCOUNTS
    return isinstance(grant.subjects, Finite) and bool(around.accounts.lacking(issuer, grant.subjects.values))


def _session_name_wanted(grant: Grant, issuer: str, around: Surroundings) -> bool | Unknown:
    """Whether a workload of those that are let in leaves its session name to the SDK, which makes one up."""
    inventory = around.inventory
    users = [
        workload
        for account in around.accounts.admitted(issuer, grant.subjects)
        for workload in inventory.workloads_by_service_account.get((account.cluster, account.namespace, account.name), ())
    ]
    if any("AWS_ROLE_SESSION_NAME" not in c.env for workload in users for c in workload.containers if not c.init):
        return True
    clusters = inventory.clusters_by_issuer.get(issuer, ())
    seen_all = bool(clusters) and all(inventory.closed.has_kind(cluster.id, "pods") for cluster in clusters)
    return False if seen_all else _SESSION_NAME


def grant_facts(
    grant: Grant, policy: Policy, form: Form, kind: IssuerKind, issuer: str, around: Surroundings, *, named: bool = False
) -> GrantFacts:
    """The facts of one statement for one provider; `named`: some service account names the role."""
    statement, profile = grant.statement, profile_of_kind(kind)
    claims = claims_of(grant, issuer, profile=profile)
    forms = claims.forms
    action = _action(statement, policy)
    unseen = _unseen(grant)
    reach = reach_of(grant.subjects, profile.grammar)
    in_force = form in ("provider", "hole") and action == "web-identity"
    admits = in_force and reach.scope != "nobody"
    audience = _audience(grant, kind, issuer, claims, around, unseen)
    finite = grant.subjects.values if profile.is_cluster and isinstance(grant.subjects, Finite) else ()
    facts = GrantFacts(
        issuer_kind=kind,
        issuer_form="eks-dualstack" if form == "dualstack" else "fine",
        principal=form,
        action=action,
        admits=admits,
        scope=unseen if unseen is not None else reach.scope or _TOO_COMPLEX,
        reach_by=_reach_by(grant, claims, None if unseen is not None else reach.scope, unseen),
        has_sub=claims.has_sub,
        has_aud=claims.has_aud,
        audience="any" if audience == "mismatch" and (not in_force or claims.swapped) else audience,
        key_has_scheme="scheme" in forms,
        key_is_arn="arn" in forms,
        key_trailing_slash="trailing-slash" in forms,
        key_missing_path="missing-path" in forms,
        key_other_issuer="other-issuer" in forms,
        key_unavailable="unavailable" in forms or "claim" in forms,
        key_session="session" in forms,
        merged_clusters="other-issuer" in forms and claims.has_sub,
        swapped=claims.swapped,
        equals_with_wildcard=claims.equals_with_wildcard,
        sub_prefix_missing=claims.sub_prefix_missing,
        sub_case=claims.sub_case,
        old_version_variable=claims.has_variable and not policy.variables,
        never_holds=False,
        unsatisfiable=grant.subjects == NOTHING and 1 < claims.sub_conditions == claims.sub_limits and not forms,
        for_any_value=claims.for_any_value,
        for_all_values=claims.for_all_values,
        if_exists=claims.if_exists,
        private_source_ip=claims.private_source_ip,
        region_excluded=claims.region_excluded,
        session_name_wanted=claims.session_name and _session_name_wanted(grant, issuer, around),
        default_account=any(value.endswith(":default") and is_subject(value) for value in finite),
        account_missing=admits and profile.is_cluster and _account_missing(grant, issuer, around),
    )
    never_holds = in_force and not named and reach.scope == "nobody" and unseen is None and not facts.is_blocked
    return msgspec.structs.replace(facts, never_holds=True) if never_holds else facts


def judged_grant(
    role: Role, source: TrustPolicy, grant: Grant, principal: str, facts: GrantFacts, around: Surroundings
) -> Judged:
    """A grant as a subject; of a bare policy the whole policy is the subject."""
    kind, ident = ("policy", role.id) if role.is_bare else ("grant", f"{role.id}#{grant.statement.index}")
    profile = profile_of_kind(facts.issuer_kind)
    evidence = partial(grant_evidence, role, source, grant, principal, facts.principal, profile, around)
    return Judged(kind, ident, role.id, facts, evidence)
