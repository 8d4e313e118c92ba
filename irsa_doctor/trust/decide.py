"""Decides one request as IAM evaluates it: allow, implicit deny or explicit deny, with the reason for every statement.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import product
from typing import Literal

import msgspec

from irsa_doctor.issuers import built_in_issuers
from irsa_doctor.model import Issuer, Text, arn_of_provider, parse_arn, text_of
from irsa_doctor.trust.admitted import may_be
from irsa_doctor.trust.matching import Truth, both, either, value_meets
from irsa_doctor.trust.patterns import Variable
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, Policy, Problem, Statement, covering, names_of_holes
from irsa_doctor.trust.refusals import shown

DecisionOutcome = Literal["allow", "implicit_deny", "explicit_deny", "invalid"]


class Request(msgspec.Struct, frozen=True, dict=True):
    """One request; `context` maps a key in lower case to its values, `multi` names the keys that are multi-valued.

    `provider_arn` is that of the provider of the token's issuer in the role's account, which is `account` where given.
    """

    account: str
    provider_arn: str
    context: Mapping[str, tuple[str, ...]]
    multi: frozenset[str] = frozenset()
    action: str = WEB_IDENTITY

    @cached_property
    def provider(self) -> str:
        """The provider that a principal has to name, "" where the role's account cannot have it."""
        if self.provider_arn in built_in_issuers():
            return self.provider_arn
        arn = parse_arn(self.provider_arn)
        return self.provider_arn if arn and self.account in ("", arn.account) else ""


def provider_arn_of(partition: str, account: str, issuer: str) -> str:
    """The principal of an issuer: the ARN of its provider, or its bare host where it needs none
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html)."""
    name = Issuer.of(issuer).name
    return name if name in built_in_issuers() else arn_of_provider(partition, account, name)


class Reason(msgspec.Struct, frozen=True):
    """What one statement says of the request; `unseen` where a hole decides."""

    statement: int
    outcome: Literal["matches", "does-not-match", "unseen"]
    says: str


class Decision(msgspec.Struct, frozen=True):
    """The answer, with a reason for each statement.

    `contested` are the points on which AWS's documentation is silent (P5, C11, K2), `unseen` the holes on which the answer
    depends: `outcome` then takes none of them to match. `otherwise` is the answer of another reading, or of other values in
    the holes, where there is a different one.
    """

    outcome: DecisionOutcome
    reasons: tuple[Reason, ...]
    problems: tuple[Problem, ...]
    contested: tuple[str, ...] = ()
    otherwise: DecisionOutcome | None = None
    unseen: tuple[str, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether every reading, and whatever the holes hold, gives the same answer."""
        return self.otherwise is None


def decide(policy: Policy, request: Request) -> Decision:
    """Decide a request. A document that IAM refuses to save is `invalid`."""
    if policy.refused:
        return Decision("invalid", (), policy.problems)
    usual = _Evaluation(policy, request)
    possible = usual.outcomes
    contested = set(usual.met)
    others = list(possible[1:])
    if contested:
        others += _other_readings(policy, request, contested)
    return Decision(
        possible[0],
        tuple(usual.reasons),
        policy.problems,
        tuple(sorted(contested)),
        next((other for other in others if other != possible[0]), None),
        tuple(sorted(usual.unseen)) if len(possible) > 1 else (),
    )


def _other_readings(policy: Policy, request: Request, contested: set[str]) -> list[DecisionOutcome]:
    """The outcomes of all other readings; points that are met only in one of them are added to the contested ones."""
    tried: set[frozenset[str]] = {frozenset()}
    found: list[DecisionOutcome] = []
    for _ in _ALTERNATIVES:
        for reading in _readings(contested):
            if reading not in tried:
                tried.add(reading)
                evaluation = _Evaluation(policy, request, reading)
                found += evaluation.outcomes
                contested |= evaluation.met
    return found


_ALTERNATIVES = {
    "P5": ("P5 otherwise",),
    "C11": ("C11 holds", "C11 fails"),
    "G1": ("G1 otherwise",),
    "K2": ("K2 otherwise",),
}


def _readings(contested: Collection[str]) -> list[frozenset[str]]:
    """Every way to read the contested points, those that differ least from the usual one first."""
    choices = [("", *_ALTERNATIVES[point]) for point in sorted(contested)]
    readings = [frozenset(choice for choice in chosen if choice) for chosen in product(*choices)]
    return sorted(readings, key=lambda reading: (len(reading), sorted(reading)))


class _Check(msgspec.Struct, frozen=True):
    """One thing that has to hold for a statement to match."""

    holds: Truth
    points: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()
    says: str = ""

    @property
    def settles(self) -> bool:
        """Whether the statement does not match, however anything is read."""
        return self.holds is False and not self.points


class _Evaluation:
    """One pass over the statements under one reading of the contested points."""

    def __init__(self, policy: Policy, request: Request, reading: frozenset[str] = frozenset()) -> None:
        self.policy, self.request, self.reading = policy, request, reading
        self.met: set[str] = set()
        self.unseen: set[str] = set()
        self.reasons: list[Reason] = []
        self.points: set[str] = set()
        allows: list[Truth] = []
        denies: list[Truth] = []
        for statement in policy.statements:
            truth = self.matches(statement)
            if not statement.effect_seen:
                possible = None if truth is not False else False
                allows.append(possible)
                denies.append(possible)
            else:
                (allows if statement.allow else denies).append(truth)
        self.outcomes = _outcomes(either(allows), either(denies))

    def contested(self, point: str, usual: bool) -> bool:
        """The answer of this reading to a contested question."""
        self.points.add(point)
        if point == "C11":
            return usual if not self.reading & {"C11 holds", "C11 fails"} else "C11 holds" in self.reading
        return usual != (f"{point} otherwise" in self.reading)

    def matches(self, statement: Statement) -> Truth:
        checks = [self.action(statement), self.principal(statement)]
        if statement.unseen:
            checks.append(_Check(None, unseen=statement.unseen))
        if "G1" in statement.points:
            checks.append(_Check(self.contested("G1", True), frozenset({"G1"}), says="its effect is none"))
        checks += self.conditions(statement)
        truth = both(check.holds for check in checks)
        if any(check.settles for check in checks):
            checks = [check for check in checks if check.settles]
        self.met.update(*(check.points for check in checks))
        if truth is None:
            self.unseen.update(*(check.unseen for check in checks if check.holds is None))
        self.reasons.append(_reason(statement, truth, checks))
        return truth

    def action(self, statement: Statement) -> _Check:
        holds = covering(statement, self.request.action)
        listed = statement.actions if statement.not_actions is None else statement.not_actions
        return _Check(holds, frozenset(), names_of_holes(listed), f"Action does not cover {shown(self.request.action)}")

    def principal(self, statement: Statement) -> _Check:
        says = "no principal is the token's provider"
        provider = self.request.provider
        if provider and provider in statement.federated:
            return _Check(True)
        holes = [value for value in statement.federated if isinstance(value, Text) and provider and may_be(value, provider)]
        if statement.allow:
            # recorded: {"AWS": "*"} admits no web identity (P5)
            return _Check(None if holes else False, frozenset(), names_of_holes(holes), says)
        holes += [value for value in statement.aws if isinstance(value, Text) and may_be(value, "*")]
        if "*" in statement.aws:
            self.points.clear()
            holds = self.contested("P5", True)
            return _Check(holds or (None if holes else False), frozenset(self.points), names_of_holes(holes), says)
        return _Check(None if holes else False, frozenset(), names_of_holes(holes), says)

    def conditions(self, statement: Statement) -> Iterator[_Check]:
        if "K2" not in statement.points:
            yield from map(self.condition, statement.conditions)
            return
        together: dict[object, list[_Check]] = {}
        for condition in statement.conditions:
            together.setdefault((condition.use, condition.key or condition.steps), []).append(self.condition(condition))
        for checks in together.values():
            yield checks[0] if len(checks) == 1 else self.two_spellings(checks)

    def two_spellings(self, checks: list[_Check]) -> _Check:
        """One key twice under one operator: both must hold, or only one of them counts (K2)."""
        every, some = both(check.holds for check in checks), either(check.holds for check in checks)
        self.points = set().union(*(check.points for check in checks))
        truth = every if every == some else (some if self.contested("K2", False) else every)
        unseen = tuple(hole for check in checks for hole in check.unseen)
        failed = next((check for check in checks if check.holds is not True), checks[0])
        return _Check(truth, frozenset(self.points), unseen, failed.says)

    def condition(self, condition: Condition) -> _Check:
        self.points.clear()
        holds = self.holds(condition)
        if holds is True and not self.points:
            return _MET
        holes = names_of_holes((condition.raw_key, *condition.values))
        return _Check(holds, frozenset(self.points), holes, self.says(condition) if holds is False else "")

    def says(self, condition: Condition) -> str:
        """Why a condition is not met."""
        values = self.request.context.get(condition.key)
        there = f"has {', '.join(map(shown, values[:3]))}" if values else "has no such key"
        return f"{condition.steps[-2]} {text_of(condition.raw_key)[:200]} is not met: the request {there}"

    def holds(self, condition: Condition) -> Truth:
        if not condition.key:
            return None
        use, values = condition.use, self.request.context.get(condition.key, ())
        if use.operator.family == "null":
            return self.null(condition, bool(values))
        if not values:
            if use.qualifier == "ForAnyValue":
                return False
            return use.qualifier == "ForAllValues" or use.if_exists or use.operator.negated
        if not use.qualifier and (len(values) > 1 or condition.key in self.request.multi):
            # an operator for one value is false of a multi-valued key, negated too, and of one value too (C8)
            return False
        if not condition.values:
            return False if use.qualifier or use.if_exists else self.contested("C11", use.operator.negated)
        truths = [self.meets(condition, value) for value in values]
        return either(truths) if use.qualifier == "ForAnyValue" else both(truths)

    def null(self, condition: Condition, present: bool) -> Truth:
        """A condition that depends only on whether the key is in the request; what is not "true" reads as "false" (C12)."""
        if condition.use.qualifier:
            return condition.use.qualifier == "ForAllValues"
        if not condition.values:
            return self.contested("C11", False)
        return either(None if isinstance(value, Text) else (value.lower() != "true") is present for value in condition.values)

    def meets(self, condition: Condition, value: str) -> Truth:
        """Whether one value of the key meets the condition."""
        return value_meets(condition.use.operator, condition.values, value, self.variable, variables=self.policy.variables)

    def variable(self, variable: Variable) -> str | None:
        values = self.request.context.get(variable.key)
        if values and len(values) == 1 and variable.key not in self.request.multi:
            return values[0]
        return variable.default if not values else None


_MET = _Check(True)


def _outcomes(allowed: Truth, denied: Truth) -> tuple[DecisionOutcome, ...]:
    """What can come of it, first what does if no hole matches."""
    if denied:
        return ("explicit_deny",)
    usual: DecisionOutcome = "allow" if allowed else "implicit_deny"
    more: list[DecisionOutcome] = ["allow"] if allowed is None else []
    if denied is None:
        more.append("explicit_deny")
    return (usual, *more)


def _reason(statement: Statement, truth: Truth, checks: Iterable[_Check]) -> Reason:
    if truth:
        effect = "Allow" if statement.allow else "Deny"
        return Reason(statement.index, "matches", effect if statement.effect_seen else "an effect that is not seen")
    if truth is None:
        holes = dict.fromkeys(name for check in checks if check.holds is None for name in check.unseen)
        return Reason(statement.index, "unseen", f"hangs on {', '.join(holes)}")
    return Reason(statement.index, "does-not-match", "; ".join(check.says for check in checks if check.holds is False))
