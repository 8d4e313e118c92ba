"""Whether a trust policy lets an AWS service, or another role, assume the role itself, as EKS Pod Identity does.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
"""

from collections.abc import Iterator

import msgspec

from irsa_doctor.model import parse_arn
from irsa_doctor.trust.holding import RequestContext, all_of, holds, variables_of
from irsa_doctor.trust.policy import Condition, Policy, Statement, Value, covering, covers

# in every request that a service makes on its own behalf
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)
_OF_SERVICES: RequestContext = {"aws:principalisawsservice": ("true",), "aws:securetransport": ("true",), "sts:externalid": ()}
_OF_ROLES: RequestContext = {"aws:principalisawsservice": ("false",), "aws:securetransport": ("true",)}
_MULTI = frozenset({"aws:tagkeys", "sts:transitivetagkeys", "aws:principalservicenameslist", "aws:principalorgpaths"})


class ServiceCall(msgspec.Struct, frozen=True):
    """A request of a service (`pods.eks.amazonaws.com`).

    `context` is what is known of it, as for `holding.holds`; `present` are keys that are surely there with a value that is not
    known.
    """

    service: str
    context: RequestContext = {}
    present: frozenset[str] = frozenset()

    @property
    def known(self) -> RequestContext:
        """All that is known of the request: keys in lower case -> values."""
        return {**_OF_SERVICES, "aws:principalservicename": (self.service,), **self.context}

    def named_by(self, statement: Statement) -> bool | None:
        """Whether a statement names the caller, None where that cannot be known."""
        if self.service in statement.service:
            return True
        # whether {"AWS": "*"} means services too is not documented; a placeholder may be anything
        unsure = "*" in statement.aws or any(not isinstance(value, str) for value in statement.service)
        return None if unsure else False


class RoleCall(msgspec.Struct, frozen=True):
    """A request of a session of a role (its ARN); `context` and `present` as in `ServiceCall`.

    `session` is the name of the session, "" where it is not known.
    """

    role: str
    context: RequestContext = {}
    present: frozenset[str] = frozenset()
    session: str = ""

    @property
    def known(self) -> RequestContext:
        """All that is known of the request
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn)."""
        arn = parse_arn(self.role)
        account = {"aws:principalaccount": (arn.account,)} if arn else {}
        principal = {"aws:principalarn": (self.role,), "aws:principaltype": ("AssumedRole",)}
        return {**_OF_ROLES, **principal, **account, **self.context}

    def named_by(self, statement: Statement) -> bool | None:
        """Whether a statement names the role, its session, its account, or everybody; None where it names a session, and
        that of the call is not known, or where a principal is a placeholder."""
        answers = [self._is(value) for value in statement.aws]
        return True if True in answers else None if None in answers else False

    def _is(self, value: Value) -> bool | None:
        if not isinstance(value, str):
            return None
        own, other = parse_arn(self.role), parse_arn(value)
        if value in ("*", self.role):
            return True
        if own is None:
            return None
        if other is None:
            # an id in place of an ARN is what remains of a principal that was deleted
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
            return value == own.account
        if other.service == "sts":
            return self._is_session(value)
        return (other.account, value.rpartition(":")[2]) == (own.account, "root")

    def _is_session(self, value: str) -> bool | None:
        if not _is_session_of(value, self.role):
            return False
        return value.endswith(f"/{self.session}") if self.session else None


AssumeCall = ServiceCall | RoleCall


def _is_session_of(session: str, role: str) -> bool:
    """Whether the ARN of a session may be one of a role; it has the role's name without its path."""
    name, arn, other = role.rpartition("/")[2], parse_arn(role), parse_arn(session)
    return bool(arn and other and arn.account == other.account) and f":assumed-role/{name}/" in session


def may_assume(policy: Policy, action: str, call: AssumeCall) -> bool | None:
    """Whether the policy allows the caller the action; None where a condition depends on what is not known of the call, or it
    is not known what a statement says."""
    may_allow = [statement for statement in policy.statements if statement.allow or not statement.effect_seen]
    allowing = [_matches(policy, statement, action, call) for statement in may_allow]
    denying = [_matches(policy, statement, action, call) for statement in policy.statements if not statement.allow]
    if True in denying:
        return False
    if True in allowing:
        return None if None in denying else True
    return None if None in allowing else False


def denies(policy: Policy, action: str, call: AssumeCall) -> bool:
    """Whether a Deny statement surely forbids the caller the action."""
    return any(not s.allow and _matches(policy, s, action, call) is True for s in policy.statements)


def trusts(policy: Policy, call: AssumeCall, action: str) -> bool:
    """Whether some statement may allow the caller the action, its conditions set aside."""
    return any(s.allow and call.named_by(s) is not False and covering(s, action) is not False for s in policy.statements)


def trusts_service(policy: Policy, service: str, action: str) -> bool:
    """Whether some statement allows the service the action, its conditions set aside."""
    return any(s.allow and service in s.service and covers(s, action) for s in policy.statements)


class CallMiss(msgspec.Struct, frozen=True):
    """A condition that keeps a caller out: of an Allow, where it does not hold; of a Deny, where it does.

    `condition` is None for a Deny without conditions; `denied`: the statement is a Deny.
    """

    statement: Statement
    condition: Condition | None
    denied: bool = False


def call_misses(policy: Policy, action: str, call: AssumeCall) -> Iterator[CallMiss]:
    """What keeps a caller out of the statements that name it for the action: a Deny first, then each Allow in order."""
    for statement in policy.statements:
        if not statement.allow and _matches(policy, statement, action, call) is True:
            yield from (CallMiss(statement, condition, True) for condition in statement.conditions or (None,))
    for statement in policy.statements:
        if statement.allow and call.named_by(statement) is not False and covering(statement, action) is not False:
            failing = (c for c in statement.conditions if _holds(policy, c, call) is False)
            yield from (CallMiss(statement, condition) for condition in failing)


def open_keys(policy: Policy, action: str, call: AssumeCall) -> tuple[str, ...]:
    """The condition keys on which it depends whether the policy allows the caller the action."""
    named = [s for s in policy.statements if call.named_by(s) is not False and covering(s, action) is not False]
    keys = (c.key for s in named for c in s.conditions if _holds(policy, c, call) is None)
    return tuple(dict.fromkeys(key for key in keys if key))


def limits_tokens_alone(condition: Condition) -> bool:
    """Whether a condition compares a claim of an identity provider and holds for everybody who calls without a token, as
    `StringNotEquals` does where the key is absent."""
    use, issuer = condition.use, condition.key.rpartition(":")[0]
    if "." not in issuer or use.qualifier == "ForAnyValue":
        return False
    return use.qualifier == "ForAllValues" or use.if_exists or use.operator.negated


def condition_keys(policy: Policy) -> frozenset[str]:
    """The keys, in lower case, of all conditions of a policy, those of policy variables among them."""
    conditions = [condition for statement in policy.statements for condition in statement.conditions]
    variables = (key for condition in conditions for key in variables_of(condition, policy.variables))
    return frozenset((*(condition.key for condition in conditions if condition.key), *variables))


def _matches(policy: Policy, statement: Statement, action: str, call: AssumeCall) -> bool | None:
    if not statement.effect_seen:
        return None
    hidden: list[bool | None] = [None] if statement.unseen else []
    conditions = [_holds(policy, condition, call) for condition in statement.conditions]
    return all_of([covering(statement, action), call.named_by(statement), *conditions, *hidden])


def _holds(policy: Policy, condition: Condition, call: AssumeCall) -> bool | None:
    context = call.known
    if condition.use.operator.family == "null" and condition.key in call.present:
        context = {**context, condition.key: ("present",)}
    return holds(condition, context, variables=policy.variables, multi=_MULTI)
