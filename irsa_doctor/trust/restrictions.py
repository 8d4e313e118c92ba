"""Restrictions: what a statement requires of a request beside some claims, and whether one restriction implies another.

The operators are those of `conditions`; what is not proved is no implication.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import product
from math import prod

import msgspec

from irsa_doctor.model import text_of
from irsa_doctor.trust.languages import NOTHING, Language, Like, difference, literal, union
from irsa_doctor.trust.operators import Operator, OperatorUse
from irsa_doctor.trust.patterns import arn_components, glob_of, is_plain, pieces_of
from irsa_doctor.trust.policy import Condition, Policy, Statement, Value
from irsa_doctor.trust.subjects import is_empty
from irsa_doctor.trust.typed import compare_typed, order_implies, range_within, reads_true


class Restriction(msgspec.Struct, frozen=True):
    """One condition without its place: equal where key, operator and values are, however they are written.

    `key` is in lower case, or as it is written where it has a hole; `variables`: the values have policy variables, or what an
    old version takes for text.
    """

    use: OperatorUse
    key: str
    values: tuple[Value, ...]
    variables: bool = False

    def implies(self, other: "Restriction") -> bool:
        """Whether it is proved that this one holds in no request in which the other does not."""
        if self == other:
            return True
        if self.key != other.key or not (_is_comparable(self) and _is_comparable(other) and _may_follow(self.use, other.use)):
            return False
        wide, narrow = (self, other) if self.use.operator.negated else (other, self)
        return _FAMILIES[self.use.operator.family](narrow, wide)


Restrictions = frozenset[Restriction]


def restriction_of(condition: Condition, *, variables: bool) -> Restriction:
    """The restriction that a condition of a policy is; `variables`: the policy's version has them."""
    values, use = tuple(sorted(set(condition.values), key=text_of)), condition.use
    if values and (use.qualifier or use.operator.negated):
        # it holds or fails without the key as it is (C6, C9, C10)
        use = OperatorUse(use.operator, use.qualifier)
    return Restriction(
        use, condition.key or text_of(condition.raw_key), values, variables and any("${" in text_of(value) for value in values)
    )


def restrictions_of(policy: Policy, statement: Statement, without: Collection[str] = ()) -> Restrictions:
    """What a statement requires; conditions on the keys `without` (in lower case) are set aside."""
    return frozenset(
        restriction_of(condition, variables=policy.variables)
        for condition in statement.conditions
        if condition.key not in without
    )


def implied(some: Iterable[Restriction], others: Iterable[Restriction]) -> bool:
    """Whether it is proved that all the others hold wherever these do."""
    return all(any(restriction.implies(other) for restriction in some) for other in others)


def alternatives_of(restrictions: Restrictions, others: Collection[Restriction]) -> Sequence[Restrictions]:
    """Restrictions of which one holds wherever all of these do: several values are alternatives. They are told apart by which
    of the others they imply; the restrictions as they are where that are too many."""
    by_value = [_by_value(restriction, others) for restriction in restrictions]
    if prod(map(len, by_value)) > _MOST_CASES:
        return (restrictions,)
    return [frozenset(case) for case in product(*by_value)]


_MOST_CASES = 64


def _by_value(restriction: Restriction, others: Collection[Restriction]) -> Collection[Restriction]:
    """One for all values that imply the same; what is negated, or asks for all values of a request, takes them together."""
    use, values = restriction.use, restriction.values
    if use.operator.negated or use.qualifier == "ForAllValues" or not 1 < len(values) <= _MOST_CASES:
        return (restriction,)
    asked = [other for other in others if other.key == restriction.key and not restriction.implies(other)]
    alike: dict[tuple[bool, ...], Restriction] = {}
    for value in values if asked else ():
        one = msgspec.structs.replace(restriction, values=(value,))
        says = tuple([one.implies(other) for other in asked])
        known = alike.get(says)
        alike[says] = msgspec.structs.replace(one, values=(*known.values, value)) if known else one
    return alike.values() or (restriction,)


def _is_comparable(restriction: Restriction) -> bool:
    """Whether its key and values mean but themselves."""
    plain = all(isinstance(value, str) for value in restriction.values)
    return bool(restriction.key and restriction.values) and plain and not restriction.variables


def _may_follow(first: OperatorUse, second: OperatorUse) -> bool:
    """Whether operators differ in nothing but values and strictness, and the second holds without the key if the first does."""
    alike = first.operator.family == second.operator.family and first.operator.negated == second.operator.negated
    return alike and first.qualifier == second.qualifier and first.if_exists <= second.if_exists


def _texts_within(narrow: Restriction, wide: Restriction) -> bool:
    return is_empty(difference(_language(narrow), _language(wide)), "text") is True


def _language(restriction: Restriction) -> Language:
    return union(_matched(restriction.use.operator, value) for value in restriction.values)


def _matched(operator: Operator, value: Value) -> Language:
    """The texts that one value matches."""
    pieces = pieces_of(value, wildcards=operator.has_wildcards, variables=False)
    if not is_plain(pieces):
        return NOTHING
    if operator.family == "arn":
        return Like(glob_of(pieces, arn=True)) if arn_components(pieces) else NOTHING
    if operator.comparison == "equal-ignoring-case":
        return Like(glob_of(pieces, ignore_case=True))
    return Like(glob_of(pieces)) if operator.has_wildcards else literal(text_of(value))


def _each_within(is_within: Callable[[Operator, str, Operator, str], bool]) -> Callable[[Restriction, Restriction], bool]:
    """A comparison of values one by one: each of the narrow ones is within a wide one."""

    def within(narrow: Restriction, wide: Restriction) -> bool:
        return all(
            any(is_within(narrow.use.operator, text_of(value), wide.use.operator, text_of(other)) for other in wide.values)
            for value in narrow.values
        )

    return within


def _truths_within(narrow: Restriction, wide: Restriction) -> bool:
    return {reads_true(text_of(value)) for value in narrow.values} <= {reads_true(text_of(value)) for value in wide.values}


_FAMILIES: dict[str, Callable[[Restriction, Restriction], bool]] = {
    "string": _texts_within,
    "arn": _texts_within,
    "bool": _truths_within,
    "null": _truths_within,
    "ip": _each_within(lambda _, value, __, other: range_within(value, other)),
    "numeric": _each_within(order_implies),
    "date": _each_within(order_implies),
    "binary": _each_within(lambda _, value, operator, other: compare_typed(operator, other, value)),
}
