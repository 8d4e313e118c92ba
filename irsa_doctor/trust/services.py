"""Whether a trust policy lets an AWS service assume the role itself, as EKS Pod Identity does.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
"""

import msgspec

from irsa_doctor.trust.holding import RequestContext, all_of, holds
from irsa_doctor.trust.policy import Policy, Statement, covers

# in every request that a service makes on its own behalf
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)
_OF_SERVICES: RequestContext = {"aws:principalisawsservice": ("true",), "aws:securetransport": ("true",), "sts:externalid": ()}
_MULTI = frozenset({"aws:tagkeys", "sts:transitivetagkeys", "aws:principalservicenameslist"})


class ServiceCall(msgspec.Struct, frozen=True):
    """A request of a service (`pods.eks.amazonaws.com`); `context` is what is known of it, as for `holding.holds`."""

    service: str
    context: RequestContext = {}


def service_may(policy: Policy, action: str, call: ServiceCall) -> bool | None:
    """Whether the policy allows the service the action; None where a condition depends on what is not known of the call."""
    context = {**_OF_SERVICES, "aws:principalservicename": (call.service,), **call.context}
    allows = [_matches(policy, statement, action, call.service, context) for statement in policy.statements if statement.allow]
    denies = [_matches(policy, s, action, call.service, context) for s in policy.statements if not s.allow]
    if True in denies:
        return False
    if True in allows:
        return None if None in denies else True
    return None if None in allows else False


def trusts_service(policy: Policy, service: str, action: str) -> bool:
    """Whether some statement allows the service the action, its conditions set aside."""
    return any(s.allow and service in s.service and covers(s, action) for s in policy.statements)


def _matches(policy: Policy, statement: Statement, action: str, service: str, context: RequestContext) -> bool | None:
    conditions = [holds(c, context, variables=policy.variables, multi=_MULTI) for c in statement.conditions]
    return all_of([covers(statement, action), _names(statement, service), *conditions])


def _names(statement: Statement, service: str) -> bool | None:
    if service in statement.service:
        return True
    # whether {"AWS": "*"} means services too is not documented; a placeholder may be anything
    unsure = "*" in statement.aws or any(not isinstance(value, str) for value in statement.service)
    return None if unsure else False
