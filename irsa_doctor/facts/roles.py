"""Facts of whole roles, and the analysis of a role's policy that all facts share."""

from typing import cast

import msgspec

from irsa_doctor.facts.associations import served
from irsa_doctor.facts.grants import GrantFacts, grant_facts, issuer_kind, judged_grant
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.surroundings import Surroundings
from irsa_doctor.model import Role, TrustPolicy, Unknown, parse_arn, text_of
from irsa_doctor.trust import Admitted, Policy, Statement, admitted, grant_of, read_policy
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.policy import DEFAULT_QUOTA


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
    pod_identity: str | Unknown


class AnalysedRole(msgspec.Struct, frozen=True):
    """A role, its policy taken apart, and what it admits for each provider it names.

    `blocked`: something of the policy itself keeps out those it was meant for, and is a finding of its own.
    """

    role: Role
    policy: Policy | None
    grants: tuple[Judged, ...]
    judged: Judged
    by_provider: dict[str, Admitted]
    blocked: bool


_NARROWER = {"bad-federated", "unknown-action", "duplicate-member", "prohibited-resource", "no-principal"}
_NOT_OURS = ("saml", "domain", "wildcard")


def analyse(role: Role, around: Surroundings) -> AnalysedRole:
    """Take the policy of a role apart and derive the facts of its grants and of itself."""
    source = role.policy
    kind = "role" if role.arn else "policy"
    if isinstance(source, Unknown):
        nothing = RoleFacts(*([source] * len(RoleFacts.__struct_fields__)))
        return AnalysedRole(
            role, None, (), Judged(kind, role.id, role.id, nothing, lambda: _evidence(role, None, None, around)), {}, False
        )
    policy = read_policy(source)
    judged, by_provider = _grants(role, source, policy, around)
    facts = _role_facts(policy, by_provider, served(policy, around.associations_of_role.get(role.arn, ()), around))
    blocked = facts.deny != "none" or facts.web_identity_of_aws is True
    blocked = blocked or any(cast("GrantFacts", grant.facts).is_blocked for grant in judged)
    own = Judged(kind, role.id, role.id, facts, lambda: _evidence(role, source, policy, around))
    return AnalysedRole(role, policy, tuple(judged), own, by_provider, blocked)


def _grants(role: Role, source: TrustPolicy, policy: Policy, around: Surroundings) -> tuple[list[Judged], dict[str, Admitted]]:
    judged: list[Judged] = []
    by_provider: dict[str, Admitted] = {}
    account = role.account or common_account(policy)
    for statement in policy.statements:
        for principal in statement.federated if statement.allow else ():
            form = around.principals.form(principal, account)
            if form in _NOT_OURS:
                continue
            arn = parse_arn(principal) if isinstance(principal, str) else None
            issuer = arn.name if arn else ""
            kind = issuer_kind(statement, issuer, around.inventory)
            kubernetes = kind != "other"
            if form in ("provider", "absent") and isinstance(principal, str) and principal not in by_provider:
                by_provider[principal] = admitted(policy, principal, issuer, kubernetes=kubernetes)
            found = by_provider.get(text_of(principal))
            grant = found.grant(statement) if found and found.kubernetes == kubernetes else None
            grant = grant or grant_of(policy, statement, issuer, kubernetes=kubernetes)
            facts = grant_facts(grant, policy, form, kind, issuer, around)
            judged.append(judged_grant(role, source, grant, text_of(principal), facts, around))
    return judged, by_provider


def common_account(policy: Policy) -> str:
    """The account of all Federated ARNs of a bare policy, "" where they differ (cli.md, "Inputs")."""
    arns = [parse_arn(p) for s in policy.statements for p in s.federated if isinstance(p, str)]
    accounts = {arn.account for arn in arns if arn}
    return accounts.pop() if len(accounts) == 1 else ""


def _written_for_web_identity(statement: Statement) -> bool:
    if statement.covers_web_identity and not any(text_of(a).endswith("*") for a in statement.actions):
        return True
    return any("oidc" in c.key and c.key.endswith((":sub", ":aud")) for c in statement.conditions)


def _role_facts(policy: Policy, by_provider: dict[str, Admitted], pod_identity: str | Unknown) -> RoleFacts:
    codes = {problem.code for problem in policy.problems if problem.refused}
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
        pod_identity=pod_identity,
    )


def _deny(policy: Policy, by_provider: dict[str, Admitted]) -> str:
    """Whether a Deny leaves nobody of those whom Allow statements let in."""
    if all(statement.allow for statement in policy.statements):
        return "none"
    allowed = Policy(policy.variables, tuple(s for s in policy.statements if s.allow), (), policy.size)
    for provider, found in by_provider.items():
        arn = parse_arn(provider)
        if found.reach.scope != "nobody" or arn is None:
            continue
        if admitted(allowed, provider, arn.name, kubernetes=found.kubernetes).reach.scope != "nobody":
            keys = [c.key for s in policy.statements if not s.allow for c in s.conditions]
            low = arn.name.lower()
            absent = any(presence(key, low, kubernetes=found.kubernetes) == "never" for key in keys)
            return "missing-key" if absent else "matches"
    return "none"


def _mixed(policy: Policy) -> str:
    """Who else may assume the role without a condition that narrows it."""
    worst = "no"
    for statement in policy.statements:
        if not statement.allow or statement.conditions:
            continue
        if "*" in statement.aws:
            return "everyone"
        if any(v in ("ec2.amazonaws.com", "pods.eks.amazonaws.com") for v in statement.service):
            worst = "service"
        if any(isinstance(v, str) and (v.endswith(":root") or v.isdigit()) for v in statement.aws):
            worst = "account"
    return worst


def _evidence(role: Role, source: TrustPolicy | None, policy: Policy | None, around: Surroundings) -> Evidence:
    refused = [problem for problem in policy.problems if problem.refused] if policy else []
    names = {
        "role": role.name,
        "problem": refused[0].message if refused else "",
        "size": str(policy.size if policy else 0),
        "quota": str(DEFAULT_QUOTA),
    }
    place = source.place.at(*refused[0].steps) if source and refused else source.place if source else role.place
    places = {"statement": place, "policy": place}
    if associations := around.associations_of_role.get(role.arn, ()):
        names["associated"] = ", ".join(f"{one.namespace}/{one.service_account}" for one in associations[:6])
        places["association"] = associations[0].place
    return Evidence(names, places)
