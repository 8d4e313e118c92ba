"""Whether the value of a condition key in a request meets the values that a condition lists for it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Callable, Iterable
from enum import Enum

from irsa_doctor.model import Text
from irsa_doctor.trust.operators import Operator
from irsa_doctor.trust.patterns import Variable, arn_components, glob_of, is_arn, is_plain, pieces_of, resolve, widest
from irsa_doctor.trust.policy import Value

Truth = bool | None
"""None: a hole decides"""
VariableLookup = Callable[[Variable], str | None]
"""the value of a policy variable, None where it has none"""


class _Hit(Enum):
    """How a value of the request compares with one value of the policy, negation set aside."""

    YES = 1
    NO = 2
    UNSEEN = 3


def both(truths: Iterable[Truth]) -> Truth:
    """Three-valued and."""
    known = list(truths)
    return False if False in known else None if None in known else True


def either(truths: Iterable[Truth]) -> Truth:
    """Three-valued or."""
    known = list(truths)
    return True if True in known else None if None in known else False


def value_meets(operator: Operator, listed: Iterable[Value], value: str, lookup: VariableLookup, *, variables: bool) -> Truth:
    """Whether a value meets the values of a condition: any of them, or none under a negated operator (C4, C5)."""
    if operator.negated and not _is_comparable(operator, value):
        return False
    hits = {_hit(operator, entry, value, lookup, variables) for entry in listed}
    if _Hit.YES in hits:
        return not operator.negated
    return None if _Hit.UNSEEN in hits else operator.negated


def _is_comparable(operator: Operator, value: str) -> bool:
    """Whether a negated operator can hold for a value: of ARNs and addresses only for what is one (S4)."""
    if operator.family == "arn":
        return is_arn(value)
    if operator.family != "ip":
        return True
    from irsa_doctor.trust.typed import is_of_type

    return is_of_type(operator, value)


def _hit(operator: Operator, listed: Value, value: str, lookup: VariableLookup, variables: bool) -> _Hit:
    if operator.family not in ("string", "arn"):
        return _typed(operator, listed, value)
    pieces = pieces_of(listed, wildcards=operator.has_wildcards, variables=variables)
    ignore_case, is_of_arns = operator.comparison == "equal-ignoring-case", operator.family == "arn"
    if isinstance(listed, Text):
        possible = is_arn(value) if is_of_arns else glob_of(widest(pieces), ignore_case).matches(value)
        return _Hit.UNSEEN if possible else _Hit.NO
    resolved = pieces if is_plain(pieces) else resolve(pieces, lookup)
    if resolved is None or not is_plain(resolved) or (is_of_arns and arn_components(resolved) is None):
        return _Hit.NO
    glob = glob_of(resolved, arn=True) if is_of_arns else glob_of(resolved, ignore_case)
    return _Hit.YES if glob.matches(value) else _Hit.NO


def _typed(operator: Operator, listed: Value, value: str) -> _Hit:
    from irsa_doctor.trust.typed import compare_typed

    if isinstance(listed, Text):
        return _Hit.UNSEEN
    return _Hit.YES if compare_typed(operator, listed, value) else _Hit.NO
