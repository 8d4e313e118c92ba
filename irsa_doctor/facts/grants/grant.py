"""Facts of grants: one Allow statement for one provider."""

from functools import lru_cache
from typing import Any, Literal

import msgspec

from irsa_doctor.facts.grants.audiences import checks_other_audience, is_audience_chosen
from irsa_doctor.facts.grants.denials import is_held_by_deny, names_each, without_reach
from irsa_doctor.facts.grants.evidence import guard_refusal
from irsa_doctor.facts.grants.principals import PrincipalForm
from irsa_doctor.facts.grants.reach import ReachKind, is_narrowed_by_deny, names_subjects
from irsa_doctor.facts.grants.reading import GrantReading, IssuerKind
from irsa_doctor.facts.grants.ring import ImpossibleSubject, NamesOnly, SubjectFormat, ring_facts
from irsa_doctor.facts.lookups.accounts import AUDIENCES_OF_ACCOUNTS
from irsa_doctor.facts.workloads.records import PLACEHOLDERS
from irsa_doctor.model import Text, Unknown
from irsa_doctor.trust import is_subject
from irsa_doctor.trust.actions import ActionForm
from irsa_doctor.trust.defect_kinds import DefectKind
from irsa_doctor.trust.denials import has_refused_denial
from irsa_doctor.trust.languages import Finite, contains
from irsa_doctor.trust.naming import may_hold_wildcards
from irsa_doctor.trust.openings import Ring
from irsa_doctor.trust.subjects import Scope
from irsa_doctor.trust.work import allowance

ReachBy = Literal["named", "mistyped-key", "typed-operator", "negation", "pattern", "aud-only", "nothing"]
ReadFor = Literal["provider", "absent", "hole", "domain", "meant", "unknown"]
RequiredAudience = Literal["any", "expected", "china", "endpoint", "invisible", "case", "mismatch"]


class GrantFacts(msgspec.Struct, frozen=True):
    """What is true of one Allow statement for one provider.

    Facts about keys, operators and values are true where a condition of the statement has that form.
    """

    issuer_kind: IssuerKind
    issuer_form: Literal["fine", "eks-dualstack"]
    principal: PrincipalForm
    """What the Federated principal is; `near-miss` is almost the ARN of a provider in the input"""
    provider_exists: bool | Unknown
    """Whether there is the OIDC provider that the principal names; true of one that is wrong in another way"""
    read_for: ReadFor
    """Whose tokens its conditions are read for; `meant` are those of the provider that a wrong principal was meant to be"""
    action: ActionForm
    admits: bool
    """Whether any token is admitted"""
    scope: Scope | Unknown
    """How many subjects are admitted, after the Deny statements of the whole policy"""
    reach_by: ReachBy | Unknown
    """What leaves the statement wider than the subjects that it names; `named` where nothing does"""
    has_sub: bool | Unknown
    has_aud: bool | Unknown
    audience_chosen: bool | Unknown
    """Whether no audience is checked, whoever requests a token chooses it, and the provider takes several"""
    audience: RequiredAudience | Unknown
    """The audience that its conditions require, compared with that of the tokens of its issuer"""
    key_has_scheme: bool
    key_is_arn: bool
    key_trailing_slash: bool
    key_missing_path: bool
    key_other_issuer: bool
    key_unavailable: bool
    key_session: bool
    merged_clusters: bool
    swapped: bool
    """Whether subject and audience are compared with the value of each other"""
    equals_with_wildcard: bool
    sub_prefix_missing: bool
    sub_case: bool
    sub_invisible: bool
    old_version_variable: bool
    unsatisfiable: bool
    """Whether its conditions on the subject exclude each other"""
    never_holds: bool
    """Whether no token is admitted, no other fact explains why, and no service account in the input names the role"""
    for_any_value: bool
    for_all_values: bool | Unknown
    if_exists: bool | Unknown
    private_source_ip: bool
    region_excluded: bool
    session_name_wanted: bool | Unknown
    default_account: bool
    account_missing: bool | Unknown
    """Whether it names a service account that does not exist in its cluster"""
    held_by_deny: bool
    """Whether only a Deny statement of the policy limits it to named subjects"""
    context_value: bool
    out_of_time: bool
    """Whether a condition on the time does not hold today, and may hold on another day"""
    role_pinned: bool
    action_refused: bool
    guard_refuses: bool
    """Whether IAM refuses to save it: it trusts a shared issuer without a condition that IAM requires"""
    too_complex: bool | Unknown = False
    """Whether a part of it was not evaluated: it exceeds the limit of work for one policy"""
    """Whether something of it was not worked out, for it would have taken more than a policy may cost"""
    ring_counts: bool | Unknown = False
    """Whether its tokens are of an issuer that is not a cluster, so that the ring says how far it is open"""
    ring: Ring | Unknown = "workload"
    width: Scope | Ring | Unknown = "one"
    """The scope of service accounts, the ring of all others: what the severity of an operator that opens depends on"""
    reach: ReachKind | Unknown = "none"
    ring_seen: bool | Unknown = True
    """Whether nothing on which the ring depends is hidden in a placeholder"""
    guarded_only: bool | Unknown = False
    """Whether it has no condition but one that IAM demands and that limits nobody; not where a tenant is fixed"""
    reach_inside: ReachKind | Unknown = "none"
    """The same as reach where it stays inside one repository or project; unknown where the provider is not known"""
    on_word: bool | Unknown = False
    names_only: NamesOnly | Unknown = "no"
    outsider: bool | Unknown = False
    guests_named: bool | Unknown = False
    subject_pinned: bool | Unknown = False
    """Whether a condition names subjects or audiences"""
    subject_impossible: ImpossibleSubject | Unknown = "no"
    subject_unreplaced: bool | Unknown = False
    """Whether placeholders stand in the subjects of a live policy"""
    subject_format: SubjectFormat | Unknown = "fine"
    subject_volatile: bool | Unknown = False
    issuer_misnamed: bool | Unknown = False
    """Whether no token has the issuer as the statement writes it"""


_CONTESTED = Unknown(
    "what AWS makes of a condition on which its documentation is silent",
    "write the condition without the part that AWS does not document",
)
TOO_COMPLEX = Unknown(
    "the subjects of a policy with more wildcards and exceptions than can be worked out",
    "split the statement, or name the subjects",
)
AUDIENCE_OF_ISSUER = Unknown("audience of the tokens of this issuer")
_SESSION_NAME = Unknown("AWS_ROLE_SESSION_NAME of the workloads", "kubectl get pods -A -o yaml")


def _unseen(read: GrantReading) -> Unknown | None:
    """Why the subjects of a grant are not known, None where they are: holes in their place are names.

    A condition of unknown content may leave fewer of them, and a hole under an operator with wildcards may hold one, so that
    there may be more than one name in its place.
    """
    share = read.share if read.hidden_loss != "none" else None
    if (
        read.statement.hides_conditions
        or (share and share.unseen)
        or "unknown" in [limit.effect for limit in read.known.limits]
    ):
        return PLACEHOLDERS
    if read.known.contested or share:
        return _CONTESTED
    return PLACEHOLDERS if names_each(read, read.reach.scope) and _may_be_patterns(read) else None


def _may_be_patterns(read: GrantReading) -> bool:
    """Whether what is taken for one subject may be a pattern."""
    return True in [may_hold_wildcards(c) for c in read.statement.conditions if c.key.endswith(":sub")]


def _reach_by(read: GrantReading, unseen: Unknown | None) -> ReachBy | Unknown:
    is_named = names_each(read, read.reach.scope)
    if unseen is None and (is_named or read.reach.scope is None):
        return "named" if is_named else TOO_COMPLEX
    if read.statement.hides_conditions:
        # whatever else it checks, it admits no more than the subjects that it names
        surely = is_named and read.share is None and not _may_be_patterns(read) and not read.known.contested
        return "named" if surely else PLACEHOLDERS
    if "key-ignored" in read.kinds:
        return "mistyped-key"
    if "typed-operator" in read.kinds:
        return "typed-operator"
    if "negated" in read.kinds and not names_subjects(read):
        return "negation"
    if read.reading.checks_sub or is_narrowed_by_deny(read):
        return "pattern" if unseen is None else unseen
    return "aud-only" if read.limits_audience else "nothing"


_AUDIENCES: tuple[tuple[DefectKind, RequiredAudience], ...] = (
    ("audience-china", "china"),
    ("audience-endpoint", "endpoint"),
    ("audience-invisible", "invisible"),
    ("audience-case", "case"),
)


def _audience(read: GrantReading) -> RequiredAudience | Unknown:
    """The audience that the conditions on it require, whatever else the statement has."""
    if not read.reading.checks_aud:
        return "any" if read.reading.checks_aud is False else PLACEHOLDERS
    limits = [limit for limit in read.grant.limits if limit.effect == "aud"]
    on_aud = [condition for condition in read.statement.conditions if condition.key.endswith(":aud")]
    if Text in [type(value) for condition in on_aud for value in condition.values]:
        return PLACEHOLDERS
    if [limit for limit in limits if limit.contested]:
        return _CONTESTED
    if True in [contains(read.grant.audiences, audience) for audience in read.expected.audiences]:
        return "expected"
    for kind, fact in _AUDIENCES:
        if kind in read.kinds:
            return fact
    if read.tokens.audiences_known or "audience-other" in read.kinds:
        return "mismatch"
    return AUDIENCES_OF_ACCOUNTS if read.kind == "eks" else AUDIENCE_OF_ISSUER


def _seen(checks: bool | None) -> bool | Unknown:
    return PLACEHOLDERS if checks is None else checks


def _account_missing(read: GrantReading) -> bool | Unknown:
    accounts = read.lookups.accounts
    if read.with_names.names:
        return PLACEHOLDERS
    if read.issuer not in accounts.listed_whole:
        return accounts.unlisted(read.issuer)
    return isinstance(read.subjects, Finite) and accounts.missing(read.issuer, read.subjects.values)


def _session_name_wanted(read: GrantReading) -> bool | Unknown:
    """Whether a workload that may assume the role leaves its session name to the SDK, which makes one up."""
    inventory = read.lookups.inventory
    users = [
        workload
        for account in read.lookups.accounts.admitted(read.issuer, read.subjects)
        for workload in inventory.workloads_by_service_account.get((account.cluster, account.namespace, account.name), ())
    ]
    if any("AWS_ROLE_SESSION_NAME" not in c.env for workload in users for c in workload.containers if not c.init):
        return True
    clusters = inventory.clusters_by_issuer.get(read.issuer, ())
    seen_all = bool(clusters) and all(inventory.closed.has_kind(cluster.id, "pods") for cluster in clusters)
    return False if seen_all else _SESSION_NAME


def is_blocked(read: GrantReading) -> bool:
    """Whether the statement itself keeps everybody, or those it was meant for, out."""
    reading = read.reading
    if reading.action == "other":
        return False
    return reading.action == "hole" or True in [defect.denies_tokens for defect in reading.defects]


_FLAGS: dict[str, frozenset[DefectKind]] = {
    "key_has_scheme": frozenset({"key-scheme"}),
    "key_is_arn": frozenset({"key-arn"}),
    "key_trailing_slash": frozenset({"key-slash"}),
    "key_missing_path": frozenset({"key-path"}),
    "key_other_issuer": frozenset({"key-issuer", "key-two-issuers"}),
    "key_unavailable": frozenset({"key-absent", "subject-variable"}),
    "key_session": frozenset({"key-session"}),
    "merged_clusters": frozenset({"key-two-issuers"}),
    "swapped": frozenset({"claims-swapped"}),
    "equals_with_wildcard": frozenset({"subject-wildcard"}),
    "sub_prefix_missing": frozenset({"subject-shape"}),
    "sub_case": frozenset({"subject-case"}),
    "sub_invisible": frozenset({"subject-invisible"}),
    "old_version_variable": frozenset({"subject-version"}),
    "unsatisfiable": frozenset({"subject-conflict"}),
    "for_any_value": frozenset({"for-any-value"}),
    "for_all_values": frozenset({"for-all-values"}),
    "if_exists": frozenset({"if-exists"}),
    "private_source_ip": frozenset({"source-address"}),
    "region_excluded": frozenset({"region"}),
    "context_value": frozenset({"context-value", "time-ahead"}),
    "out_of_time": frozenset({"time-ahead"}),
    "action_refused": frozenset({"action-spelling"}),
    "role_pinned": frozenset({"role-pinning"}),
}
"""facts that say whether a statement has a defect of some kind"""


@lru_cache(maxsize=1024)
def _flags(kinds: frozenset[DefectKind]) -> dict[str, Any]:
    return {fact: not kinds.isdisjoint(of_fact) for fact, of_fact in _FLAGS.items()}


def is_in_force(read: GrantReading) -> bool:
    """Whether principal and action are right, as far as they are known."""
    return read.form in ("provider", "hole", "domain") and read.reading.action == "web-identity"


def _read_for(read: GrantReading) -> ReadFor:
    if read.form in ("provider", "absent", "hole", "domain"):
        return read.form
    return "meant" if read.is_meant else "unknown"


def grant_facts(read: GrantReading, *, named: bool = False) -> GrantFacts:
    """The facts of one statement for one provider; `named`: some service account names the role."""
    if read.sound_subject:
        return sound_facts(read, read.sound_subject)
    purse = allowance()
    before = purse.losses if purse else 0
    facts = facts_in_full(read, named=named)
    lost = facts.scope is TOO_COMPLEX or (purse is not None and purse.losses > before)
    return msgspec.structs.replace(facts, too_complex=True) if lost else facts


def sound_facts(read: GrantReading, subject: str) -> GrantFacts:
    """The facts of a statement that is right, and names one service account."""
    accounts = read.lookups.accounts
    whole = read.issuer in accounts.listed_whole
    missing = accounts.missing(read.issuer, (subject,)) if whole else accounts.unlisted(read.issuer)
    return _sound_facts(read.kind, read.provider_exists, subject.endswith(":default"), missing)


@lru_cache(maxsize=64)
def _sound_facts(
    kind: IssuerKind, provider_exists: bool | Unknown, default_account: bool, account_missing: bool | Unknown
) -> GrantFacts:
    return GrantFacts(
        issuer_kind=kind,
        issuer_form="fine",
        principal="provider",
        provider_exists=provider_exists,
        read_for="provider",
        action="web-identity",
        admits=True,
        scope="one",
        reach_by="named",
        has_sub=True,
        has_aud=True,
        audience_chosen=False,
        audience="expected",
        held_by_deny=False,
        never_holds=False,
        session_name_wanted=False,
        default_account=default_account,
        account_missing=account_missing,
        guard_refuses=False,
        **_flags(frozenset()),
    )


def facts_of_alike(read: GrantReading, facts: GrantFacts) -> GrantFacts:
    """The facts of a statement that differs in the service accounts it names from one with these facts."""
    if not facts.admits or read.issuer not in read.lookups.accounts.listed_whole:
        return facts
    missing = read.profile.is_cluster and _account_missing(read)
    return facts if missing is facts.account_missing else with_missing(facts, missing)


@lru_cache(maxsize=256)
def with_missing(facts: GrantFacts, missing: bool | Unknown) -> GrantFacts:
    """The facts, whether or not a service account that the statement names is missing."""
    return msgspec.structs.replace(facts, account_missing=missing)


def facts_in_full(read: GrantReading, *, named: bool = False) -> GrantFacts:
    """The same facts, whatever the statement is like."""
    unseen, kinds, profile = _unseen(read), read.kinds, read.profile
    in_force = is_in_force(read)
    scope = read.reach.scope
    # a time that is over is in no request either, but only here it is known which one is over
    admits = in_force and scope != "nobody" and "context-value" not in kinds and not read.lacks_condition
    admits = admits and not has_refused_denial(read.policy)
    audience = _audience(read)
    is_read = _read_for(read) not in ("absent", "unknown") and read.reading.action in ("web-identity", "assume-role")
    if audience in ("mismatch", AUDIENCES_OF_ACCOUNTS) and (not is_read or "claims-swapped" in kinds):
        audience = "any"
    finite = read.subjects.values if profile.is_cluster and isinstance(read.subjects, Finite) else ()
    defaults = [value for value in finite if value.endswith(":default")]
    nobody = (
        in_force and not named and unseen is None and not read.with_names.names and read.reach_before_deny.scope == "nobody"
    )
    facts = GrantFacts(
        issuer_kind=read.kind,
        issuer_form="eks-dualstack" if read.form == "dualstack" else "fine",
        principal=read.form,
        provider_exists=read.provider_exists,
        read_for=_read_for(read),
        action=read.reading.action,
        admits=admits,
        scope=unseen if unseen is not None else scope or TOO_COMPLEX,
        reach_by="named" if read.kind == "other" else _reach_by(read, unseen),
        has_sub=_seen(read.reading.checks_sub),
        has_aud=_seen(read.limits_audience or checks_other_audience(read)),
        audience_chosen=is_audience_chosen(read),
        audience=audience,
        held_by_deny=admits and unseen is None and is_held_by_deny(read),
        never_holds=nobody and not is_blocked(read),
        session_name_wanted="session-name" in kinds and _session_name_wanted(read),
        default_account=admits and "claims-swapped" not in kinds and any(map(is_subject, defaults)),
        account_missing=admits and profile.is_cluster and _account_missing(read),
        guard_refuses=guard_refusal(read) != "",
        **_flags(kinds),
    )
    if in_force:
        facts = msgspec.structs.replace(facts, **ring_facts(read, unseen, TOO_COMPLEX, admits=admits))
    return without_reach(facts, unseen) if unseen is not None and read.hidden_loss == "all" else facts
