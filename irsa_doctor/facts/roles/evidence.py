"""What messages say of a whole role: which statements are meant, and who is named in them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Literal

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.shutting import shutting_of_role
from irsa_doctor.facts.subject import Evidence
from irsa_doctor.model import Place, Role, TrustPolicy, parse_arn, text_of
from irsa_doctor.trust import Admitted, Policy, Statement, spell
from irsa_doctor.trust.contested import POINTS
from irsa_doctor.trust.policy import DEFAULT_QUOTA, Condition, Problem, covers
from irsa_doctor.trust.refusals import Steps
from irsa_doctor.trust.services import limits_tokens_alone
from irsa_doctor.trust.times import policy_at

Wide = Literal["everyone", "account", "service"]
_PERMISSION_POLICY = frozenset({"prohibited-resource", "no-principal"})
"""problems that together show a permission policy in the place of a trust policy"""
_OF_DEFECTS = frozenset({"unknown-action", "action-spelling", "action-without-vendor", "bad-character"})
"""problems that a misspelt action, key or value has: its defect is the finding"""
_SERVICES = ("ec2.amazonaws.com", "ec2.amazonaws.com.cn", "pods.eks.amazonaws.com")
# conditions on these keep nobody out for good
_NOT_NARROWING = frozenset({"aws:securetransport", "aws:currenttime", "aws:epochtime"})
_SHOWN = 6
_ASSUME_ROLE = "sts:AssumeRole"
"""what AWS principals call; {"AWS": "*"} admits no web identity (recorded: radkawar/stackd, commit 9dc356f5, aws-trust.json)"""


def is_permission_policy(policy: Policy) -> bool:
    """Whether a policy says what may be done with resources, and not who may assume a role."""
    return {problem.code for problem in policy.problems if problem.refused} >= _PERMISSION_POLICY


def unexplained(policy: Policy, defective: Collection[Steps]) -> list[Problem]:
    """Problems for which IAM refuses a policy, without those that are findings of their own.

    `defective` are the steps to values and keys that have a defect of their own.
    """
    if not policy.problems:
        return []
    apart = _PERMISSION_POLICY if is_permission_policy(policy) else frozenset()
    allowing = [statement.steps for statement in policy.statements if statement.allow]
    return [
        problem
        for problem in policy.problems
        if problem.refused
        and problem.code not in apart
        and problem.code != "duplicate-member"
        and not (problem.code == "bad-federated" and problem.steps[:-2] in allowing)
        and not (problem.code in _OF_DEFECTS and any(problem.steps[: len(steps)] == steps for steps in defective))
    ]


def wide_principals(policy: Policy) -> Iterator[tuple[Wide, str, Statement]]:
    """Who else may assume a role without a condition that narrows it."""
    for statement in policy.statements:
        others = statement.aws or statement.service
        if not (others and statement.allow) or any(map(_narrows, statement.conditions)):
            continue
        for value in map(text_of, statement.aws):
            if value == "*" and covers(statement, _ASSUME_ROLE):
                yield "everyone", '"AWS": "*" (every AWS principal)', statement
            elif value.endswith(":root") or value.isdigit():
                yield "account", f"{value} (the whole account)", statement
        yield from (("service", text_of(value), statement) for value in statement.service if value in _SERVICES)


def _narrows(condition: Condition) -> bool:
    return condition.key not in _NOT_NARROWING and not limits_tokens_alone(condition)


def without_federated(policy: Policy) -> Iterator[Statement]:
    """Statements that are written for web identity, and whose principals are no identity providers."""
    for statement in policy.statements:
        named = bool(statement.aws or statement.service)
        if statement.allow and not statement.federated and named and _is_for_web_identity(statement):
            yield statement


def _is_for_web_identity(statement: Statement) -> bool:
    if statement.covers_web_identity and not any(text_of(a).endswith("*") for a in statement.actions):
        return True
    return any(not limits_tokens_alone(condition) for condition in on_claims(statement))


def on_claims(statement: Statement) -> list[Condition]:
    """The conditions on what a token of a cluster says, by which a statement is meant for one."""
    return [c for c in statement.conditions if "oidc" in c.key and c.key.endswith((":sub", ":aud"))]


def role_evidence(
    role: Role,
    source: TrustPolicy | None,
    policy: Policy | None,
    by_provider: Mapping[str, Admitted],
    defective: Collection[Steps],
    lookups: Lookups,
) -> Evidence:
    """The evidence of one role or bare policy; without `source`, of one whose policy was not given."""
    names: dict[str, str | Callable[[], str]] = {
        "role": role.name,
        "quota": str(DEFAULT_QUOTA),
        "hours": f"{role.max_session / 3600:g}",
    }
    places = {"policy": source.place if source else role.place}
    if source and policy:
        names |= {
            "size": str(policy.size),
            "trusted": lambda: _listed(_trusted(by_provider, lookups)),
            "points": lambda: _listed(POINTS.get(point, point) for point in _points(by_provider)),
        }
        places["contested"] = _contested_place(source, policy, by_provider)
        _say_problems(names, places, source, policy, defective)
        _say_principals(names, places, source, policy)
        today = policy_at(policy, lookups.standards_context.as_of)
        shutting = shutting_of_role(policy, today, by_provider)
        names |= {"whom": "every subject that its Allow statements admit"} | shutting.names(role.name)
        places |= shutting.places(source.place)
    return Evidence(names, places)


EvidenceNames = dict[str, str | Callable[[], str]]


def _listed(values: Iterable[str]) -> str:
    listed = list(dict.fromkeys(values))
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _say_problems(
    names: EvidenceNames, places: dict[str, Place], source: TrustPolicy, policy: Policy, defective: Collection[Steps]
) -> None:
    refused = [problem for problem in policy.problems if problem.refused]
    twice = [problem for problem in policy.problems if problem.code in ("duplicate-member", "member-replaced")]
    resource = [problem for problem in refused if problem.code == "prohibited-resource"]
    for name, listed in (("problem", unexplained(policy, defective)), ("duplicate", twice), ("resource", resource)):
        if listed:
            names[name] = listed[0].message.rstrip(".")
            places[name] = source.place.at(*listed[0].steps)


def _say_principals(names: EvidenceNames, places: dict[str, Place], source: TrustPolicy, policy: Policy) -> None:
    if wide := list(wide_principals(policy)):
        worst = next(row for level in ("everyone", "account", "service") for row in wide if row[0] == level)
        names["others"] = _listed(value for _, value, _ in wide)
        places["others"] = source.place.at(*worst[2].steps, "Principal")
    if statement := next(without_federated(policy), None):
        kind, values = ("AWS", statement.aws) if statement.aws else ("Service", statement.service)
        names["principals"] = f'"{kind}": {_listed(map(text_of, values))}'
        places["principals"] = source.place.at(*statement.steps, "Principal")


def _trusted(by_provider: Mapping[str, Admitted], lookups: Lookups) -> Iterator[str]:
    """Whom the role admits of which cluster."""
    for provider, admits in by_provider.items():
        arn = parse_arn(provider)
        if arn and admits.profile.is_cluster and admits.reach.scope not in ("nobody", None):
            patterns = spell(admits.subjects, admits.profile.grammar).patterns
            yield f"{_listed(patterns)} of {lookups.called(arn.name)}"


def _points(by_provider: Mapping[str, Admitted]) -> list[str]:
    return sorted({point for admits in by_provider.values() for point in admits.contested})


def _contested_place(source: TrustPolicy, policy: Policy, by_provider: Mapping[str, Admitted]) -> Place:
    """The first condition on which a contested point bears, else the statement for everybody."""
    for admits in by_provider.values():
        for part in (*admits.allows, *admits.denies):
            for condition, limit in zip(part.grant.statement.conditions, part.grant.limits, strict=True):
                if limit.contested:
                    return source.place.at(*condition.steps)
    everyone = next((statement for statement in policy.statements if "*" in statement.aws), None)
    return source.place.at(*everyone.steps, "Principal") if everyone else source.place
