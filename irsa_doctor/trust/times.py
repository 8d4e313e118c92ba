"""The time of a request: what conditions on it say at the moment, or on the day, of a run.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (aws:CurrentTime, aws:EpochTime).
"""

from collections.abc import Mapping

import msgspec

from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.keys import TIME_KEYS
from irsa_doctor.trust.policy import Condition, Policy, Statement
from irsa_doctor.trust.windows import time_of_request

_DAY = 86_400
_ENDLESS = "9999-01-01T00:00:00Z"
_WITH_ORDER = ("less", "greater")
"""what comparisons begin with that hold up to a moment, or from one on"""


def holds_at(condition: Condition, now: str, *, variables: bool) -> bool | None:
    """Whether a condition on the time holds at a moment, or all of a day; None where it is none, or holds for a part of it."""
    if condition.key not in TIME_KEYS or condition.use.operator.family not in ("date", "numeric"):
        return None
    answers = {holds(condition, request, variables=variables) for request in _requests(now)}
    return answers.pop() if len(answers) == 1 else None


def holds_from(condition: Condition, now: str, *, variables: bool) -> bool | None:
    """The same where it will never change again, None where it may."""
    if not condition.use.operator.comparison.startswith(_WITH_ORDER):
        return None
    answers = {holds_at(condition, moment, variables=variables) for moment in (now, _ENDLESS)}
    return answers.pop() if len(answers) == 1 else None


def policy_at(policy: Policy, now: str) -> Policy:
    """The policy without its conditions on the time, as it reads at a moment; itself where it has none that is known."""
    return _without_time(policy, now, for_good=False)


def policy_from(policy: Policy, now: str) -> Policy:
    """The same without the conditions that will never change again."""
    return _without_time(policy, now, for_good=True)


def _without_time(policy: Policy, now: str, *, for_good: bool) -> Policy:
    if not now or not any(condition.key in TIME_KEYS for statement in policy.statements for condition in statement.conditions):
        return policy
    read = holds_from if for_good else holds_at
    statements: list[Statement] = []
    for statement in policy.statements:
        answers = [(read(c, now, variables=policy.variables), c) for c in statement.conditions]
        if all(answer is not False for answer, _ in answers):
            left = tuple(condition for answer, condition in answers if answer is None)
            statements.append(msgspec.structs.replace(statement, conditions=left))
    return msgspec.structs.replace(policy, statements=tuple(statements))


def reads_time_as_text(policy: Policy) -> bool:
    """Whether a condition compares the time as a text: in which of its forms it is there is not known."""
    families = {c.use.operator.family for s in policy.statements for c in s.conditions if c.key in TIME_KEYS}
    return not families.isdisjoint(("string", "arn", "binary"))


def known_time(policy: Policy, now: str) -> Mapping[str, tuple[str, ...]]:
    """The time of a request, as keys and values, where it decides every condition on it that a policy has; else nothing."""
    on_time = [condition for statement in policy.statements for condition in statement.conditions if condition.key in TIME_KEYS]
    if not on_time or None in [holds_at(condition, now, variables=policy.variables) for condition in on_time]:
        return {}
    return _requests(now)[0]


def _requests(now: str) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    """The time of requests at a moment, or at the beginning and the end of a day."""
    from irsa_doctor.trust.typed import milliseconds

    begin = milliseconds(now)
    if begin is None:
        return ({},)
    seconds = begin // 1000
    return tuple(map(time_of_request, (seconds,) if "T" in now else (seconds, seconds + _DAY - 1)))
