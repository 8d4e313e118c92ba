"""Whether one condition holds in a request of which not everything is known."""

from collections.abc import Mapping

import msgspec

from irsa_doctor.model import Text
from irsa_doctor.trust.decide import Request, decide
from irsa_doctor.trust.patterns import Variable, pieces_of
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, Policy, Statement

RequestContext = Mapping[str, tuple[str, ...]]
"""keys in lower case -> their values, () where the key is surely absent; what is not listed is not known"""

_CALLER = "arn:aws:iam::000000000000:oidc-provider/caller"


def holds(
    condition: Condition, context: RequestContext, *, variables: bool, multi: frozenset[str] = frozenset()
) -> bool | None:
    """Whether a condition is met, None where that depends on a key that is not known, on a placeholder, or on a point on
    which AWS's documentation is silent. `multi` names the multi-valued keys."""
    if not condition.key:
        return None
    if any(isinstance(value, Text) for value in condition.values):
        if context.get(condition.key) != () or condition.use.operator.family == "null":
            return None
        # where the key is absent, no value is compared
        condition = msgspec.structs.replace(condition, values=("",))
    if condition.key not in multi and (plain := _plain_equality(condition, context)) is not None:
        return plain
    if condition.key not in context or not variables_of(condition, variables) <= context.keys():
        return None
    present = {key: values for key, values in context.items() if values}
    statement = Statement(0, True, (_CALLER,), (), (), (WEB_IDENTITY,), None, (condition,), ())
    decision = decide(Policy(variables, (statement,), (), 0), Request("", _CALLER, present, multi & present.keys()))
    return None if decision.otherwise else decision.outcome == "allow"


def _plain_equality(condition: Condition, context: RequestContext) -> bool | None:
    """The answer for one value compared with literal texts, which most conditions are; None for all others."""
    use, values = condition.use, context.get(condition.key, ())
    operator = use.operator
    if len(values) != 1 or use.qualifier or operator.family != "string" or operator.comparison != "equal":
        return None
    if not condition.values or any("$" in str(value) for value in condition.values):
        return None
    return (values[0] in condition.values) is not operator.negated


def variables_of(condition: Condition, variables: bool) -> set[str]:
    """The keys that its values use as policy variables."""
    pieces = (pieces_of(value, wildcards=False, variables=variables) for value in condition.values if "$" in str(value))
    return {piece.key for of_value in pieces for piece in of_value if isinstance(piece, Variable)}


def all_of(parts: list[bool | None]) -> bool | None:
    """Three-valued and."""
    return False if False in parts else None if None in parts else True
