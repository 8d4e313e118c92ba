"""The operators of Terraform's configuration language, on values of which some are not known.

https://developer.hashicorp.com/terraform/language/expressions/operators
"""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

import msgspec

from irsa_doctor.model import Text, only_hole, text_of
from irsa_doctor.sources.templates.choices import IMPOSSIBLE, MissingMember, member_in_cases
from irsa_doctor.sources.templates.terraform.functions import OpenMembers, PartlyKnown, Unordered
from irsa_doctor.sources.templates.terraform.scopes import PathStep, step_text
from irsa_doctor.sources.templates.terraform.syntax import NUMBER, Node, Syntax
from irsa_doctor.sources.templates.values import TemplateValue, hole, plain
from irsa_doctor.text.errors import WrongShape


def member(whole: TemplateValue, step: PathStep) -> TemplateValue | None:
    """Return what a step leads to, a hole where only the name is known; raises MissingMember where it is absent."""
    key = step if isinstance(step, str) else step.value
    value = whole.value
    if isinstance(value, Mapping) and isinstance(key, str | Text):
        if key not in value and isinstance(key, str) and all(isinstance(name, str) for name in value):
            raise MissingMember
        inner: TemplateValue | None = value.get(key)
        return inner
    if isinstance(value, PartlyKnown):
        return None
    if isinstance(value, tuple):
        index = int(key) if isinstance(key, str) and key.isdecimal() else key
        if not isinstance(index, int) or isinstance(index, bool):
            return None
        if not 0 <= index < len(value):
            raise MissingMember
        item: TemplateValue = value[index]
        return item
    if hole_name := only_hole(value):
        name = hole_name.name[2:-1] if hole_name.name.startswith("${") and hole_name.name.endswith("}") else hole_name.name
        return TemplateValue(hole(name + step_text(step)))
    return None


def member_by_key(whole: TemplateValue, step: PathStep, called: TemplateValue) -> TemplateValue | None:
    """Return the member of a map whose key is not known: each of a few in its case; None where there are more."""
    words = "" if isinstance(step, str) else called_in_condition(step)
    members = whole.value
    if not words or not isinstance(members, Mapping) or not all(isinstance(name, str) for name in members):
        return None
    return member_in_cases(members, words, IMPOSSIBLE, called)


def collection_entries(written: TemplateValue) -> list[tuple[TemplateValue, TemplateValue]] | None:
    """Return key and value of each item of a collection, None where they are not known."""
    if isinstance(written.value, OpenMembers):
        return None
    if isinstance(written.value, Mapping):
        names = list(written.value)
        in_order = sorted(names) if all(isinstance(name, str) for name in names) else names
        return [(TemplateValue(name), written.value[name]) for name in in_order]
    if isinstance(written.value, PartlyKnown):
        return None
    if isinstance(written.value, Unordered):
        return [(item, item) for item in written.value]
    if isinstance(written.value, tuple):
        return [(TemplateValue(index), item) for index, item in enumerate(written.value)]
    return [] if written.value is None else None


def as_truth(written: TemplateValue) -> bool | None:
    """Return whether a value is true, None where that is not known."""
    if isinstance(written.value, bool):
        return written.value
    return {"true": True, "false": False}.get(written.value) if isinstance(written.value, str) else None


def as_number(written: TemplateValue) -> int | float | None:
    """Return a value as a number, None where it is not a number."""
    value = written.value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, str) and value.isdecimal() and len(value) <= _DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_DIGITS else None


_DIGITS = 18
"""digits of a number that is worked with: nobody counts further, and what is longer may be no float"""


_NOTHING = (None, "")


def _equal(left: TemplateValue, right: TemplateValue) -> bool | None:
    """Whether two values are equal; None where a side has holes, except that a collection is not null, and a text of which a
    part is known not empty either."""
    first, second = left.value, right.value
    if (first in _NOTHING and _is_something(right)) or (second in _NOTHING and _is_something(left)):
        return False
    if isinstance(first, Text) or isinstance(second, Text) or left.made or right.made:
        return None
    if isinstance(first, Mapping | tuple) or isinstance(second, Mapping | tuple):
        if first is None or second is None:
            return False
        sizes = [len(value) if isinstance(value, Mapping | tuple) else -1 for value in (first, second)]
        return True if sizes == [0, 0] else None
    return first == second and isinstance(first, bool) == isinstance(second, bool)


def _is_something(written: TemplateValue) -> bool:
    """Whether a value is a text or a document, of which not all may be known, and so neither null nor empty."""
    value = written.value
    return written.made is not None or (isinstance(value, Text) and any(isinstance(part, str) for part in value.parts))


def _both(left: TemplateValue, right: TemplateValue) -> bool | None:
    parts = as_truth(left), as_truth(right)
    return False if False in parts else None if None in parts else True


def _either(left: TemplateValue, right: TemplateValue) -> bool | None:
    parts = as_truth(left), as_truth(right)
    return True if True in parts else None if None in parts else False


def _different(left: TemplateValue, right: TemplateValue) -> bool | None:
    same = _equal(left, right)
    return None if same is None else not same


def _of_numbers(work: Callable[[int | float, int | float], object]) -> Callable[[TemplateValue, TemplateValue], object]:
    def operate(left: TemplateValue, right: TemplateValue) -> object:
        first, second = as_number(left), as_number(right)
        if first is None or second is None or abs(first) > 1e15 or abs(second) > 1e15:
            return None
        try:
            return work(first, second)
        except (ArithmeticError, ValueError):
            return None

    return operate


def replaced_members(names: Sequence[str | Text], items: Sequence[TemplateValue]) -> tuple[tuple[str, TemplateValue], ...]:
    """The members whose name a later one of another value has: Terraform takes the last of them, and does not say so."""
    last = {name: number for number, name in enumerate(names)}
    return tuple(
        (text_of(name), item)
        for number, (name, item) in enumerate(zip(names, items, strict=True))
        if last[name] > number and plain(item) != plain(items[last[name]])
    )


def literal_number(word: str) -> int | float | None:
    """Return the value of a number, None for what the grammar has not (the file then has an error).

    Raises WrongShape where it is too large.
    """
    if not NUMBER.fullmatch(word):
        return None
    value = int(word) if word.isdecimal() and len(word) < 19 else float(word)
    if not isfinite(value):
        raise WrongShape("", f"the number {word[:40]} is too large")
    return value


def named_member(value: TemplateValue, name: Node, syntax: Syntax) -> TemplateValue:
    """Return a member's value that knows where its name is written."""
    if value.anchor is None or value.document != syntax.document:
        return value
    anchor = msgspec.structs.replace(value.anchor, name=name.start_byte, name_end=name.end_byte)
    return msgspec.structs.replace(value, anchor=anchor)


def called_in_condition(written: TemplateValue) -> str:
    """Return what a value is called in a condition, by what it is and not by the words that lead to it; "" for no name."""
    value = written.value
    if hole_name := only_hole(value):
        name = hole_name.name
        return name[2:-1] if name.startswith("${") and name.endswith("}") else ""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{value}"'
    return str(value) if isinstance(value, int | float) else ""


def open_operation(sign: str, left: TemplateValue, right: TemplateValue) -> TemplateValue | None:
    """Return the hole that an operation leaves, by the names of what is compared; None where there is none."""
    neutral = {"&&": True, "||": False}.get(sign)
    for one, other in ((left, right), (right, left)):
        if neutral is not None and as_truth(one) is neutral:
            return other
    names = called_in_condition(left), called_in_condition(right)
    return TemplateValue(hole(f"{names[0]} {sign} {names[1]}")) if all(names) else None


BINARY_OPERATORS: Mapping[str, Callable[[TemplateValue, TemplateValue], object]] = {
    "==": _equal,
    "!=": _different,
    "&&": _both,
    "||": _either,
    "<": _of_numbers(lambda left, right: left < right),
    ">": _of_numbers(lambda left, right: left > right),
    "<=": _of_numbers(lambda left, right: left <= right),
    ">=": _of_numbers(lambda left, right: left >= right),
    "+": _of_numbers(lambda left, right: left + right),
    "-": _of_numbers(lambda left, right: left - right),
    "*": _of_numbers(lambda left, right: left * right),
    "/": _of_numbers(lambda left, right: left // right if left % right == 0 else left / right),
    "%": _of_numbers(lambda left, right: left % right),
}
