"""Facts of grants (one statement for one provider) and of whole roles."""

import re
from functools import lru_cache
from typing import Literal

import msgspec

from irsa_doctor.facts.keys import key_form
from irsa_doctor.facts.principals import Form, principal_form
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.findings import Snippet
from irsa_doctor.model import Inventory, Issuer, Role, Text, TrustPolicy, Unknown, parse_arn, text_of
from irsa_doctor.trust import Admitted, Grant, Policy, Statement, admitted, grant_of, read_policy
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import NOTHING, Finite, contains, spell
from irsa_doctor.trust.policy import DEFAULT_QUOTA, Condition
from irsa_doctor.trust.subjects import PREFIX, SUBJECT

STS = "sts.amazonaws.com"
IssuerKind = Literal["eks", "kubernetes", "other", "unknown"]


class GrantFacts(msgspec.Struct, frozen=True):
    """What is true of one Allow statement for one provider. `admits`: somebody gets in; `reach_by`: what leaves it wider than named subjects."""

    issuer_kind: IssuerKind
    principal: str
    action: str
    admits: bool
    scope: str | Unknown
    reach_by: str | Unknown
    has_sub: bool
    has_aud: bool
    audience: str | Unknown
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
    for_any_value: bool
    for_all_values: bool
    if_exists: bool
    private_source_ip: bool
    region_excluded: bool | Unknown
    session_name_wanted: bool | Unknown
    default_account: bool
    account_missing: bool | Unknown


class RoleFacts(msgspec.Struct, frozen=True):
    """What is true of a whole role or bare policy."""

    refused: str | Unknown
    duplicate_member: bool | Unknown
    wrong_document: bool | Unknown
    near_quota: bool | Unknown
    deny: str | Unknown
    mixed: str | Unknown
    web_identity_of_aws: bool | Unknown
    clusters: int | Unknown
    contested: bool | Unknown


class AnalysedRole(msgspec.Struct, frozen=True):
    """A role, its policy taken apart, and what it admits for each provider it names."""

    role: Role
    policy: Policy | None
    grants: tuple[Judged, ...]
    judged: Judged
    by_provider: dict[str, Admitted]
    blocked: bool


_ENDPOINT = re.compile(r"sts\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_PRIVATE = re.compile(
    r"10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:", re.IGNORECASE
)
_NARROWER = {"bad-federated", "unknown-action", "duplicate-member", "prohibited-resource", "no-principal"}


def issuer_kind(statement: Statement, issuer: str, inventory: Inventory) -> IssuerKind:
    """EKS by the form of the issuer; Kubernetes where a cluster has it or the statement speaks of service accounts."""
    if not issuer:
        return "unknown"
    if Issuer.of(issuer).form != "other":
        return "eks"
    if issuer in inventory.clusters_by_issuer:
        return "kubernetes"
    named = any(text_of(v).startswith(PREFIX) for c in statement.conditions for v in c.values)
    return "kubernetes" if named else "other"


def _written_for_web_identity(statement: Statement) -> bool:
    if statement.covers_web_identity and not any(text_of(a).endswith("*") for a in statement.actions):
        return True
    return any("oidc" in c.key and c.key.endswith((":sub", ":aud")) for c in statement.conditions)


def _action(statement: Statement) -> str:
    if statement.covers_web_identity:
        return "web-identity"
    if any(isinstance(action, Text) for action in statement.actions):
        return "hole"
    low = [text_of(action).lower() for action in statement.actions]
    if any(action.startswith("sts:assumerolewithweb") for action in low):
        return "typo"
    return "assume-role" if "sts:assumerole" in low else "other"


def _plain(condition: Condition) -> bool:
    return condition.use.operator.family == "string" and not condition.use.operator.negated


class _Claims(msgspec.Struct):
    """What the conditions of a grant say of its claims, gathered in one pass."""

    forms: set[str]
    vacuous: bool
    sub: list[tuple[Condition, object]]
    aud: list[tuple[Condition, object]]
    sub_negated: bool


def _claims(grant: Grant, issuer: str) -> _Claims:
    found = _Claims(set(), False, [], [], False)
    for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True):
        where = presence(condition.key, issuer) if condition.key else _claim_of_hole(condition)
        if where == "sub" and condition.use.operator.family != "null":
            found.sub.append((condition, limit.language))
            found.sub_negated |= condition.use.operator.negated
        elif where == "aud" and condition.use.operator.family != "null":
            found.aud.append((condition, limit.language))
        elif where == "never":
            form = key_form(condition.key, issuer)
            if limit.effect == "never":
                found.forms.add(form)
            elif form not in ("session", "unavailable"):
                found.vacuous = True
    return found


def _claim_of_hole(condition: Condition) -> str:
    """A key whose issuer is a hole is taken for the claim that it ends in."""
    raw = text_of(condition.raw_key).lower()
    return "sub" if raw.endswith(":sub") else "aud" if raw.endswith(":aud") else "maybe"


@lru_cache(maxsize=65536)
def _is_subject(value: str) -> bool:
    return SUBJECT.fullmatch(value) is not None


def _values(claims: list[tuple[Condition, object]]) -> list[tuple[Condition, str]]:
    return [(c, v) for c, _ in claims if _plain(c) for v in c.values if isinstance(v, str)]


def _reach_by(claims: _Claims, grant: Grant, scope: str | None, unseen: bool) -> str | Unknown:
    if scope in ("nobody", "one", "several"):
        return "named"
    if claims.vacuous:
        return "mistyped-key"
    if claims.sub_negated:
        return "negation"
    if claims.sub:
        return Unknown("values of the template's placeholders") if unseen else "pattern"
    return "aud-only" if claims.aud else "nothing"


def _audience(grant: Grant, kind: IssuerKind, claims: _Claims, custom: frozenset[str]) -> str | Unknown:
    if not claims.aud:
        return "any"
    if any(limit.effect == "unknown" for limit in grant.limits):
        return Unknown("values of the template's placeholders")
    expected = {STS} | custom | ({"amazonaws.com"} if kind != "eks" else set())
    if any(contains(grant.audiences, audience) for audience in expected):
        return "expected"
    values = [v for _, v in _values(claims.aud)]
    if any(v == STS + ".cn" for v in values):
        return "china"
    if any(_ENDPOINT.fullmatch(v) for v in values):
        return "endpoint"
    if kind not in ("eks", "unknown"):
        return Unknown("audience of the tokens of this issuer")
    return "mismatch"


def _account_missing(grant: Grant, issuer: str, inventory: Inventory) -> bool | Unknown:
    clusters = inventory.clusters_by_issuer.get(issuer, ())
    if len(clusters) != 1 or not inventory.closed.has_kind(clusters[0].id, "serviceaccounts"):
        return Unknown(
            "service accounts of the cluster, listed whole",
            "kubectl get serviceaccounts -A -o yaml, with --complete serviceaccounts",
        )
    if not isinstance(grant.subjects, Finite):
        return False
    here = inventory.service_account_by_key
    return any(
        (clusters[0].id, *value.removeprefix(PREFIX).split(":", 1)) not in here
        for value in grant.subjects.values
        if _is_subject(value)
    )


def _condition_facts(statement: Statement) -> tuple[bool, bool]:
    """(only private source addresses, a session name is wanted)"""
    private = session = False
    for condition in statement.conditions:
        if condition.key == "aws:sourceip" and condition.use.operator.name == "IpAddress":
            private |= bool(condition.values) and all(_PRIVATE.match(text_of(v)) for v in condition.values)
        session |= condition.key == "sts:rolesessionname" and _plain(condition)
    return private, session


def _region_excluded(statement: Statement, issuer: str) -> bool:
    region = Issuer.of(issuer).region
    wanted = [
        c for c in statement.conditions if c.key == "aws:requestedregion" and _plain(c) and c.use.operator.comparison == "equal"
    ]
    return bool(region) and any(region not in c.values for c in wanted)


def grant_facts(
    grant: Grant, policy: Policy, form: Form, issuer: str, inventory: Inventory, custom: frozenset[str]
) -> GrantFacts:
    """The facts of one statement for one provider; `custom` are audiences that service accounts ask for."""
    statement, low = grant.statement, issuer.lower()
    kind = issuer_kind(statement, issuer, inventory)
    kubernetes = kind != "other"
    claims = _claims(grant, low)
    from irsa_doctor.trust.subjects import reach_of

    right = form in ("provider", "hole") and _action(statement) == "web-identity"
    unseen = any(limit.effect == "unknown" for limit in grant.limits)
    reach = reach_of(grant.subjects, kubernetes)
    scope: str | Unknown = (
        Unknown("values of the template's placeholders") if unseen else reach.scope or Unknown("a simpler policy")
    )
    subs, auds = _values(claims.sub), _values(claims.aud)
    swapped = any(v.startswith(PREFIX) for _, v in auds) or any(v == STS for _, v in subs)
    private, session = _condition_facts(statement)
    admits = right and reach.scope != "nobody"
    finite = grant.subjects.values if isinstance(grant.subjects, Finite) else frozenset()
    equal = [(c, v) for c, v in subs if not c.use.operator.has_wildcards]
    return GrantFacts(
        issuer_kind=kind,
        principal=form,
        action=_action(statement),
        admits=admits,
        scope=scope,
        reach_by=_reach_by(claims, grant, None if unseen else reach.scope, unseen),
        has_sub=bool(claims.sub),
        has_aud=bool(claims.aud),
        audience=_audience(grant, kind, claims, custom),
        key_has_scheme="scheme" in claims.forms,
        key_is_arn="arn" in claims.forms,
        key_trailing_slash="trailing-slash" in claims.forms,
        key_missing_path="missing-path" in claims.forms,
        key_other_issuer="other-issuer" in claims.forms,
        key_unavailable=bool({"unavailable", "claim"} & claims.forms),
        key_session="session" in claims.forms,
        merged_clusters="other-issuer" in claims.forms and bool(claims.sub),
        swapped=swapped,
        equals_with_wildcard=kubernetes and any(("*" in v or "?" in v) and "${" not in v for _, v in equal),
        sub_prefix_missing=kubernetes
        and any(v != STS and not v.startswith(PREFIX) and "*" not in v and "${" not in v for _, v in subs),
        sub_case=kubernetes
        and any(not _is_subject(v) and _is_subject(v.lower()) for c, v in equal if c.use.operator.comparison == "equal"),
        old_version_variable=not policy.variables and any("${" in v for _, v in subs),
        unsatisfiable=grant.subjects == NOTHING
        and len(claims.sub) > 1
        and all(l != NOTHING for _, l in claims.sub)
        and not claims.forms,
        for_any_value=any(c.use.qualifier == "ForAnyValue" for c, _ in (*claims.sub, *claims.aud)),
        for_all_values=any(c.use.qualifier == "ForAllValues" for c, _ in (*claims.sub, *claims.aud)),
        if_exists=any(c.use.if_exists and not c.use.operator.negated for c, _ in claims.sub),
        private_source_ip=private,
        region_excluded=_region_excluded(statement, issuer),
        session_name_wanted=Unknown("AWS_ROLE_SESSION_NAME of the workloads", "kubectl get pods -A -o yaml")
        if session
        else False,
        default_account=kubernetes and any(v.endswith(":default") and _is_subject(v) for v in finite),
        account_missing=_account_missing(grant, issuer, inventory) if admits and kubernetes else False,
    )


_BLOCKING = ["key_has_scheme", "key_is_arn", "key_trailing_slash", "key_missing_path", "key_other_issuer", "key_unavailable", "key_session", "merged_clusters", "swapped", "equals_with_wildcard", "sub_prefix_missing", "sub_case", "old_version_variable", "unsatisfiable"]


def is_blocked(facts: GrantFacts) -> bool:
    """Whether something of the statement itself keeps everybody, or those it was meant for, out."""
    if facts.principal not in ("provider", "hole") or facts.action != "web-identity":
        return True
    return any(getattr(facts, name) for name in _BLOCKING) or facts.audience in ("mismatch", "endpoint", "china")


def analyse(role: Role, inventory: Inventory, custom: frozenset[str]) -> AnalysedRole:
    """Take the policy of a role apart and derive the facts of its grants and of itself."""
    if isinstance(role.policy, Unknown):
        missing = role.policy
        nothing = RoleFacts(*([missing] * len(RoleFacts.__struct_fields__)))
        kind = "role" if role.arn else "policy"
        return AnalysedRole(
            role, None, (), Judged(kind, role.id, role.id, nothing, lambda: _role_evidence(role, None, None)), {}, False
        )
    policy = read_policy(role.policy)
    judged: list[Judged] = []
    by_provider: dict[str, Admitted] = {}
    blocked = False
    account = role.account or _common_account(policy)
    for statement in policy.statements:
        if not statement.allow:
            continue
        for principal in statement.federated:
            form = principal_form(principal, account, inventory)
            if form in ("saml", "domain", "wildcard"):
                continue
            arn = parse_arn(principal) if isinstance(principal, str) else None
            issuer = arn.name if arn else ""
            kind = issuer_kind(statement, issuer, inventory)
            grant = grant_of(policy, statement, issuer, kubernetes=kind != "other")
            facts = grant_facts(grant, policy, form, issuer, inventory, custom)
            blocked |= is_blocked(facts)
            if form in ("provider", "absent") and isinstance(principal, str) and principal not in by_provider:
                by_provider[principal] = admitted(policy, principal, issuer, kubernetes=kind != "other")
            judged.append(_judged_grant(role, role.policy, grant, text_of(principal), facts))
    facts_of_role = _role_facts(policy, by_provider, judged)
    blocked |= facts_of_role.deny != "none" or facts_of_role.web_identity_of_aws is True
    kind_of_role = "role" if role.arn else "policy"
    source = role.policy
    own = Judged(kind_of_role, role.id, role.id, facts_of_role, lambda: _role_evidence(role, source, policy))
    return AnalysedRole(role, policy, tuple(judged), own, by_provider, blocked)


def _common_account(policy: Policy) -> str:
    arns = [parse_arn(p) for s in policy.statements for p in s.federated if isinstance(p, str)]
    accounts = {arn.account for arn in arns if arn}
    return accounts.pop() if len(accounts) == 1 else ""


def _role_facts(policy: Policy, by_provider: dict[str, Admitted], grants: list[Judged]) -> RoleFacts:
    codes = {p.code for p in policy.problems if p.refused}
    wrong = {"prohibited-resource", "no-principal"} <= codes
    other = codes - _NARROWER if wrong else codes - (_NARROWER - {"prohibited-resource", "no-principal"})
    web_of_aws = any(
        s.allow and not s.federated and (s.aws or s.service) and "*" not in s.aws and _written_for_web_identity(s)
        for s in policy.statements
    )
    return RoleFacts(
        refused="yes" if other else "no",
        duplicate_member="duplicate-member" in codes,
        wrong_document=wrong,
        near_quota=policy.size > DEFAULT_QUOTA * 9 // 10,
        deny=_deny(policy, by_provider),
        mixed=_mixed(policy) if by_provider or web_of_aws else "no",
        web_identity_of_aws=web_of_aws,
        clusters=sum(1 for a in by_provider.values() if a.kubernetes and a.reach.scope not in ("nobody", None)),
        contested=any(a.contested for a in by_provider.values()),
    )


def _deny(policy: Policy, by_provider: dict[str, Admitted]) -> str:
    """Whether a Deny leaves nobody of those whom Allow statements let in."""
    denies = [s for s in policy.statements if not s.allow]
    if not denies:
        return "none"
    allowed = Policy(policy.variables, tuple(s for s in policy.statements if s.allow), (), policy.size)
    for provider, found in by_provider.items():
        arn = parse_arn(provider)
        if found.reach.scope != "nobody" or arn is None:
            continue
        if admitted(allowed, provider, arn.name, kubernetes=found.kubernetes).reach.scope != "nobody":
            missing = any(presence(c.key, arn.name.lower()) == "never" for s in denies for c in s.conditions)
            return "missing-key" if missing else "matches"
    return "none"


def _mixed(policy: Policy) -> str:
    """Who else may assume the role without a condition that narrows it."""
    worst = "no"
    for statement in policy.statements:
        if not statement.allow or statement.conditions:
            continue
        if "*" in statement.aws:
            return "everyone"
        if any(isinstance(v, str) and v in ("ec2.amazonaws.com", "pods.eks.amazonaws.com") for v in statement.service):
            worst = "service"
        if any(isinstance(v, str) and (v.endswith(":root") or v.isdigit()) for v in statement.aws):
            worst = "account"
    return worst


def _judged_grant(role: Role, source: TrustPolicy, grant: Grant, principal: str, facts: GrantFacts) -> Judged:
    kind, ident = ("grant", f"{role.id}#{grant.statement.index}") if role.arn else ("policy", role.id)
    return Judged(kind, ident, role.id, facts, lambda: _grant_evidence(role, source, grant, principal, facts))


def _grant_evidence(role: Role, source: TrustPolicy, grant: Grant, principal: str, facts: GrantFacts) -> Evidence:
    statement = grant.statement
    arn = parse_arn(principal)
    issuer = arn.name if arn else principal
    spelt = spell(grant.subjects)
    keys = [text_of(c.raw_key) for c in statement.conditions]
    subs = [text_of(v) for c in statement.conditions if c.key.endswith(":sub") for v in c.values]
    auds = [text_of(v) for c in statement.conditions if c.key.endswith(":aud") for v in c.values]
    from irsa_doctor.trust.subjects import reach_of

    names = {
        "role": role.name,
        "statement": str(statement.index),
        "principal": principal,
        "issuer": issuer,
        "actions": ", ".join(map(text_of, statement.actions)),
        "keys": ", ".join(keys) or "none",
        "subs": ", ".join(subs) or "none",
        "auds": ", ".join(auds) or "none",
        "patterns": ", ".join(spelt.patterns[:8]),
        "except": f" except {', '.join(spelt.without[:8])}" if spelt.without else "",
        "scope": str(facts.scope) if isinstance(facts.scope, str) else "unknown",
        "witness": reach_of(grant.subjects, facts.issuer_kind != "other").witness or "nobody",
        "account": role.account,
    }
    base = source.place.at(*statement.steps)
    places = {"statement": base, "principal": base.at("Principal"), "action": base.at("Action")}
    places["condition"] = source.place.at(*statement.conditions[0].steps) if statement.conditions else base
    for condition in statement.conditions:
        for claim in ("sub", "aud"):
            if condition.key.endswith(":" + claim) or text_of(condition.raw_key).lower().endswith(":" + claim):
                places.setdefault(claim, source.place.at(*condition.steps))
    return Evidence(names, places, _corrected(role, statement, issuer, principal, subs))


def _corrected(role: Role, statement: Statement, issuer: str, principal: str, subs: list[str]) -> tuple[Snippet, ...]:
    """The statement as it should be: this provider, its audience, and the subjects that are well formed."""
    named = [s for s in subs if _is_subject(s)] or [f"{PREFIX}NAMESPACE:SERVICE_ACCOUNT"]
    right = {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": STS, f"{issuer}:sub": named[0] if len(named) == 1 else named}},
    }
    text = msgspec.json.format(msgspec.json.encode(right), indent=2).decode(errors="replace")
    return (Snippet("json", "the corrected statement", text),)


def _role_evidence(role: Role, source: TrustPolicy | None, policy: Policy | None) -> Evidence:
    refused = [p for p in policy.problems if p.refused] if policy else []
    names = {
        "role": role.name,
        "problem": refused[0].message if refused else "",
        "size": str(policy.size if policy else 0),
        "quota": str(DEFAULT_QUOTA),
    }
    place = source.place.at(*refused[0].steps) if source and refused else source.place if source else role.place
    return Evidence(names, {"statement": place, "policy": place})
