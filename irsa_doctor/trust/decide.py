"""Decides one request as IAM evaluates it: allow, implicit deny or explicit deny, with the reason for every statement.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Mapping, Set
from typing import Literal

import msgspec

from irsa_doctor.model import Issuer, parse_arn, text_of
from irsa_doctor.trust.operators import compare_typed
from irsa_doctor.trust.patterns import Glob, Variable, is_arn_pattern, pieces_of, resolve
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, Policy, Problem, Statement, Value, covers

Outcome = Literal["allow", "implicit_deny", "explicit_deny", "invalid"]


class Request(msgspec.Struct, frozen=True):
    """One request; `context` maps a key in lower case to its values, `multi` names the keys that are multi-valued."""

    account: str
    provider_arn: str
    context: Mapping[str, tuple[str, ...]]
    multi: frozenset[str] = frozenset()
    action: str = WEB_IDENTITY


def provider_arn_of(partition: str, account: str, issuer: str) -> str:
    """The ARN of the provider of an issuer
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html)."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{Issuer.of(issuer).name}"


class Reason(msgspec.Struct, frozen=True):
    """What one statement says of the request."""

    statement: int
    outcome: Literal["matches", "does-not-match"]
    says: str


class Decision(msgspec.Struct, frozen=True):
    """The answer. `contested` are points on which AWS's documentation is silent; `otherwise` is the answer of the other reading, where it differs."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    problems: tuple[Problem, ...]
    contested: tuple[str, ...] = ()
    otherwise: Outcome | None = None


def decide(policy: Policy, request: Request) -> Decision:
    """Decide a request. A document that IAM refuses to save is `invalid`."""
    if policy.refused:
        return Decision("invalid", (), policy.problems)
    first = _Evaluation(policy, request, frozenset())
    outcome = first.outcome()
    otherwise: Outcome | None = None
    for point in sorted(first.met):
        other = _Evaluation(policy, request, frozenset((point,))).outcome()
        if other != outcome:
            otherwise = other
            break
    return Decision(outcome, tuple(first.reasons), policy.problems, tuple(sorted(first.met)), otherwise)


class _Evaluation:
    """One pass over the statements; `flipped` are the contested points to be read the other way."""

    def __init__(self, policy: Policy, request: Request, flipped: Set[str]) -> None:
        self.policy, self.request, self.flipped = policy, request, flipped
        self.met: set[str] = set()
        self.reasons: list[Reason] = []

    def outcome(self) -> Outcome:
        matched = [s.allow for s in self.policy.statements if self._matches(s)]
        if False in matched:
            return "explicit_deny"
        return "allow" if matched else "implicit_deny"

    def _contested(self, point: str, usual: bool) -> bool:
        self.met.add(point)
        return usual != (point in self.flipped)

    def _matches(self, statement: Statement) -> bool:
        if not covers(statement, self.request.action):
            return self._say(statement, "does-not-match", f"Action does not cover {self.request.action}")
        failed = next((c for c in statement.conditions if not self._holds(c)), None)
        if failed is not None:
            return self._say(statement, "does-not-match", f"Condition {text_of(failed.raw_key)} is not met")
        if not self._principal(statement):
            return self._say(statement, "does-not-match", "no principal is the token's provider")
        self._say(statement, "matches", "Allow" if statement.allow else "Deny")
        return True

    def _say(self, statement: Statement, outcome: Literal["matches", "does-not-match"], says: str) -> bool:
        self.reasons.append(Reason(statement.index, outcome, says))
        return False

    def _principal(self, statement: Statement) -> bool:
        arn = parse_arn(self.request.provider_arn)
        here = arn is not None and (not self.request.account or arn.account == self.request.account)
        if here and self.request.provider_arn in statement.federated:
            return True
        return "*" in statement.aws and self._contested("P5", True)

    def _holds(self, condition: Condition) -> bool:
        use, values = condition.use, self.request.context.get(condition.key)
        present = bool(values)
        if use.operator.family == "null":
            if use.qualifier:
                return use.qualifier == "ForAllValues"
            return any(
                (v.lower() == "true") != present
                for v in condition.values
                if isinstance(v, str) and v.lower() in ("true", "false")
            )
        if not values:
            if use.qualifier == "ForAnyValue":
                return False
            return use.qualifier == "ForAllValues" or use.if_exists or use.operator.negated
        if not condition.values and (use.qualifier == "ForAllValues" or use.if_exists):
            return False
        if use.qualifier == "ForAllValues":
            return all(self._single(condition, value) for value in values)
        if use.qualifier == "ForAnyValue":
            return bool(condition.values) and any(self._single(condition, value) for value in values)
        if not condition.values:
            return self._contested("C11", use.operator.negated)
        if len(values) > 1 or condition.key in self.request.multi:
            other = any(self._single(condition, value) for value in values)
            return self._contested("C8", False) if other else False
        return self._single(condition, values[0])

    def _single(self, condition: Condition, value: str) -> bool:
        hits = [self._meets(condition, wanted, value) for wanted in condition.values]
        if not condition.use.operator.negated:
            return any(hits)
        if None in hits and True not in hits:
            return self._contested("S4", True)
        return True not in hits

    def _meets(self, condition: Condition, wanted: Value, value: str) -> bool | None:
        """Whether a value meets one policy value, negation set aside; None where they cannot be compared."""
        operator = condition.use.operator
        if operator.family not in ("string", "arn"):
            return compare_typed(operator, text_of(wanted), value)
        pieces = resolve(pieces_of(wanted, wildcards=operator.has_wildcards, variables=self.policy.variables), self._variable)
        if pieces is None:
            return False
        if operator.family == "arn":
            if not is_arn_pattern(pieces) or not (value.startswith("arn:") and value.count(":") >= 5):
                return None
            return Glob(pieces, arn=True).matches(value)  # type: ignore[arg-type]
        return Glob(pieces, operator.comparison == "equal-ignoring-case").matches(value)  # type: ignore[arg-type]

    def _variable(self, variable: Variable) -> str | None:
        values = self.request.context.get(variable.key)
        if values and len(values) == 1 and variable.key not in self.request.multi:
            return values[0]
        return variable.default if not values else None
