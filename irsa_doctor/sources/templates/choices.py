"""Values between which an undecided condition of a template chooses: the cases, and what a value is in each.

https://developer.hashicorp.com/terraform/language/expressions/conditionals
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from types import MappingProxyType

import msgspec

from irsa_doctor.model import Text, text_of
from irsa_doctor.sources.templates.values import Choice, TemplateValue, hole

_CONDITIONS, _IN_EXPRESSIONS = 3, 5
"""Undecided conditions up to which every case is read: of a value with all its parts, and of those of an expression"""
CASES = 8
"""Cases of a policy up to which each is judged"""
_MOST = 100_000
Assumed = Mapping[str, bool]
"""condition -> whether it holds"""
IMPOSSIBLE = TemplateValue(hole("what does not exist"))
"""In one case of a choice: the case cannot be, because Terraform would refuse it"""


class MissingMember(Exception):
    """A member or item that does not exist, as `try` handles it."""


def conditions_in(values: Iterable[TemplateValue], *, nested: bool = True, outermost: bool = False) -> list[str]:
    """The undecided conditions on which values depend, each once; without `nested` not those of their parts, with `outermost`
    not those that matter in one case of another only."""
    seen: dict[str, None] = {}
    waiting = list(values)
    left = _MOST
    while waiting and left:
        value = waiting.pop()
        left -= 1
        if value.choice is not None:
            seen[value.choice.condition] = None
            waiting += () if outermost else (value.choice.then, value.choice.otherwise)
        elif nested:
            waiting += _parts(value)
    return sorted(seen)


def _parts(value: TemplateValue) -> Iterator[TemplateValue]:
    if value.made is not None:
        yield value.made
    if isinstance(value.value, dict):
        yield from value.value.values()
    elif isinstance(value.value, tuple):
        yield from value.value


def plain_condition(words: str) -> tuple[str, bool]:
    """Return a condition without its negation, and whether it was negated: `a` and `!a` are one condition."""
    if words.startswith("!") and words[1:].replace(".", "").replace("_", "").replace("-", "").isalnum():
        return words[1:], True
    if words.count("!=") == 1 and not {"&&", "||"} & set(words.split()):
        return words.replace("!=", "=="), True
    return words, False


def settled(value: TemplateValue, assumed: Assumed) -> TemplateValue:
    """The value in the case that some conditions hold and others do not."""

    def decided(each: TemplateValue) -> TemplateValue:
        while each.choice is not None and each.choice.condition in assumed:
            each = each.choice.then if assumed[each.choice.condition] else each.choice.otherwise
        return each

    return _resolved(value, decided, {}) if assumed else value


def as_made(value: TemplateValue) -> TemplateValue:
    """The value where all is made whose number of instances is not known, as far as there would be nothing in its place. A
    document that denies stays a choice: without it a role may be open."""

    def present(each: TemplateValue) -> TemplateValue:
        while each.choice is not None and each.choice.of_instances:
            empty = [_makes_nothing(side) for side in (each.choice.then, each.choice.otherwise)]
            made = each.choice.then if empty[1] else each.choice.otherwise
            if empty[0] == empty[1] or may_deny(made):
                break
            each = made
        return each

    return _resolved(value, present, {})


def may_deny(value: TemplateValue) -> bool:
    """Whether a document, a statement, or one of a list of them does not allow alone."""
    if isinstance(value.value, tuple):
        return any(map(may_deny, value.value))
    written = value.made or value
    if not isinstance(written.value, dict):
        return False
    statements = written.value.get("Statement")
    if statements is not None:
        return may_deny(statements)
    effect = written.value.get("Effect") or written.value.get("effect")
    return effect is not None and effect.value != "Allow"


def _resolved(
    whole: TemplateValue,
    decide: Callable[[TemplateValue], TemplateValue],
    known: dict[int, tuple[TemplateValue, TemplateValue]],
) -> TemplateValue:
    """A value with what is decided of each part; `known` are the parts that were resolved before, by identity: one may stand
    in many places."""
    if id(whole) not in known:
        known[id(whole)] = whole, _resolved_anew(decide(whole), decide, known)
    return known[id(whole)][1]


def _resolved_anew(
    value: TemplateValue,
    decide: Callable[[TemplateValue], TemplateValue],
    known: dict[int, tuple[TemplateValue, TemplateValue]],
) -> TemplateValue:
    if value.choice is not None:
        then, otherwise = (_resolved(side, decide, known) for side in (value.choice.then, value.choice.otherwise))
        if then is value.choice.then and otherwise is value.choice.otherwise:
            return value
        return msgspec.structs.replace(value, choice=msgspec.structs.replace(value.choice, then=then, otherwise=otherwise))
    if value.made is not None:
        made = _resolved(value.made, decide, known)
        return value if made is value.made else msgspec.structs.replace(value, made=made)
    if isinstance(value.value, dict):
        members = {name: _resolved(item, decide, known) for name, item in value.value.items()}
        same = all(members[name] is item for name, item in value.value.items())
        return value if same else msgspec.structs.replace(value, value=members)
    if isinstance(value.value, tuple):
        items = tuple(_resolved(item, decide, known) for item in value.value)
        same = all(item is before for item, before in zip(items, value.value, strict=True))
        return value if same else msgspec.structs.replace(value, value=type(value.value)(items))
    return value


def settled_cases(value: TemplateValue, assumed: Assumed = MappingProxyType({})) -> Iterator[tuple[Assumed, TemplateValue]]:
    """Every case of a value with what it then is; of a condition that matters in one case of another only that case."""
    outer = conditions_in((value,), outermost=True)
    if not outer:
        yield assumed, value
        return
    for holds in (True, False):
        inner = {**assumed, outer[0]: holds}
        yield from settled_cases(settled(value, inner), inner)


def outer_cases(value: TemplateValue, assumed: Assumed = MappingProxyType({})) -> Iterator[tuple[Assumed, TemplateValue]]:
    """Every case of a value that is itself a choice, whatever its parts are."""
    if value.choice is None:
        yield assumed, value
        return
    for holds in (True, False):
        inner = {**assumed, value.choice.condition: holds}
        yield from outer_cases(settled(value, inner), inner)


def where_made(repeat: TemplateValue) -> tuple[TemplateValue, Assumed]:
    """Return `count` or `for_each` in the case that something is made of its block, and the conditions on which that depends:
    of `var.on ? 1 : 0`, 1 and that `var.on` holds."""
    assumed: dict[str, bool] = {}
    while (choice := repeat.choice) is not None:
        empty = [_makes_nothing(choice.then), _makes_nothing(choice.otherwise)]
        if empty[0] == empty[1]:
            break
        assumed |= _implied(choice.condition, empty[1])
        repeat = choice.then if empty[1] else choice.otherwise
    return repeat, assumed


def where_on(switch: TemplateValue) -> Assumed:
    """Return the conditions on which it depends that a switch (`create = var.on`) is on."""
    settled_switch, assumed = where_made(switch)
    value = settled_switch.value
    if settled_switch.choice is not None or not isinstance(value, Text) or len(value.parts) != 1:
        return assumed
    words, is_negated = plain_condition(text_of(value)[2:-1])
    return {**assumed, **_implied(words, not is_negated)}


def _makes_nothing(value: TemplateValue) -> bool:
    return value is IMPOSSIBLE or (
        value.choice is None and value.made is None and not isinstance(value.value, Text) and not value.value
    )


def _implied(condition: str, holds: bool) -> Assumed:
    """A condition, and those that hold where a conjunction does."""
    parts = [part.strip() for part in condition.split("&&")]
    if not holds or len(parts) == 1 or any(set(part) & set("|()") for part in parts):
        return {condition: holds}
    plain = map(plain_condition, parts)
    return {condition: True} | {words: not is_negated for words, is_negated in plain}


def unchosen(value: TemplateValue) -> TemplateValue:
    """The value as what is not known, whatever it is chosen from."""
    return msgspec.structs.replace(value, choice=None) if value.choice else value


def has_every_case(values: Iterable[TemplateValue], *, nested: bool = False) -> bool:
    """Whether so few conditions choose between values that every case of them is read."""
    return len(conditions_in(values, nested=nested)) <= (_CONDITIONS if nested else _IN_EXPRESSIONS)


def chosen(
    work: Callable[..., TemplateValue | None],
    values: Sequence[TemplateValue],
    *,
    called: TemplateValue,
    nested: bool = False,
    of_instances: bool = False,
) -> TemplateValue | None:
    """What a function makes of values, itself a choice where they are; None where it is known in no case.

    `called` is a hole for what is made, not for one of the values: what two functions make of the same values is not the same.
    With `nested` also where parts of them are; with `of_instances` the choice is about nothing but what is made. A case that
    cannot be, because what is asked of a value does not exist in it, is IMPOSSIBLE. Raises MissingMember where no case can be.
    """
    if not nested and all(value.choice is None for value in values):
        return work(*values)
    outer = conditions_in(values, nested=nested, outermost=True)
    if not outer or not has_every_case(values, nested=nested):
        return work(*map(unchosen, values))
    first = outer[0]
    sides = [
        _case(
            partial(chosen, work, called=called, nested=nested, of_instances=of_instances),
            [settled(each, {first: holds}) for each in values],
        )
        for holds in (True, False)
    ]
    if sides == [None, None]:
        return None
    choosing = [value.choice for value in values if value.choice is not None and value.choice.condition == first]
    is_made = of_instances or (bool(choosing) and all(choice.of_instances for choice in choosing))
    then, otherwise = (side or called for side in sides)
    return alternative(called, Choice(first, then, otherwise, is_made))


def named_in_cases(
    work: Callable[..., TemplateValue | None],
    values: Sequence[TemplateValue],
    unknown: Callable[[], TemplateValue],
    *,
    nested: bool = False,
) -> TemplateValue | None:
    """What a function makes of values in each case, called what it makes of their names; `unknown` where that is nothing."""
    if not nested and all(value.choice is None for value in values):
        return work(*values)
    called = unknown()
    with suppress(MissingMember):
        made = work(*map(unchosen, values))
        if made is not None and isinstance(made.value, Text):
            called = msgspec.structs.replace(called, value=made.value)
    return chosen(work, values, called=called, nested=nested)


def _case(
    work: Callable[[Sequence[TemplateValue]], TemplateValue | None], values: Sequence[TemplateValue]
) -> TemplateValue | None:
    if any(_condition_of_missing(value) is None for value in values):
        return IMPOSSIBLE
    try:
        return work(values)
    except MissingMember:
        return IMPOSSIBLE


def alternative(like: TemplateValue, choice: Choice) -> TemplateValue:
    """A choice as a value, called like another one; what it chooses where both are the same. Raises MissingMember where both do
    not exist."""
    if choice.then is choice.otherwise:
        if choice.then is IMPOSSIBLE:
            raise MissingMember
        return choice.then
    called = like.value
    empty = [_makes_nothing(side) for side in (choice.then, choice.otherwise)]
    if choice.of_instances and empty[0] != empty[1]:
        made = choice.then if empty[1] else choice.otherwise
        called = made.value if isinstance(made.value, Text) else called
    return TemplateValue(called, like.anchor, like.document, choice=choice)


def member_in_cases(
    members: Mapping[str, TemplateValue], key: str, otherwise: TemplateValue, called: TemplateValue
) -> TemplateValue | None:
    """The member of a map by a key of which only the words are known, in the case of each; `otherwise` is what stands for a key
    that it does not have, IMPOSSIBLE where Terraform refuses it. None where there are too many cases.

    `called` is a hole for the member.
    """
    if not 0 < len(members) + (otherwise is not IMPOSSIBLE) <= _CONDITIONS + 1:
        return None
    made = otherwise
    for name in sorted(members, reverse=True):
        made = alternative(called, Choice(f'{key} == "{name}"', members[name], made))
    return made


def with_missing_parts(value: TemplateValue, called: TemplateValue) -> TemplateValue:
    """The value, which does not exist itself in the cases in which a part of it does not. `called` is a hole for it."""
    if (choice := value.choice) is not None:
        sides = [with_missing_parts(side, called) for side in (choice.then, choice.otherwise)]
        return _either(value, msgspec.structs.replace(choice, then=sides[0], otherwise=sides[1]))
    condition = _condition_of_missing(value)
    if not condition:
        return IMPOSSIBLE if condition is None else value
    then, otherwise = (with_missing_parts(settled(value, {condition: holds}), called) for holds in (True, False))
    return _either(called, Choice(condition, then, otherwise))


def _either(like: TemplateValue, choice: Choice) -> TemplateValue:
    return IMPOSSIBLE if choice.then is choice.otherwise is IMPOSSIBLE else alternative(like, choice)


def _condition_of_missing(value: TemplateValue) -> str | None:
    """A condition on which it depends whether a part of a value exists, "" where all do, None where one never does."""
    waiting = [(value, "")]
    left = _MOST
    while waiting and left:
        part, condition = waiting.pop()
        left -= 1
        if part is IMPOSSIBLE:
            return condition or None
        if (choice := part.choice) is not None:
            waiting += [(side, condition or choice.condition) for side in (choice.then, choice.otherwise)]
        else:
            waiting += [(inner, condition) for inner in _parts(part)]
    return ""


def existing(value: TemplateValue) -> TemplateValue:
    """The value without the cases that cannot be."""
    return completed(value, lambda: IMPOSSIBLE)


def completed(
    value: TemplateValue, otherwise: Callable[[], TemplateValue], assumed: Assumed = MappingProxyType({})
) -> TemplateValue:
    """The value, and another one in the cases in which it does not exist; without those in which neither does."""
    if value is IMPOSSIBLE:
        return settled(otherwise(), assumed)
    choice = value.choice
    if choice is None:
        return value
    sides = [
        completed(side, otherwise, {**assumed, choice.condition: holds})
        for side, holds in ((choice.then, True), (choice.otherwise, False))
    ]
    if sides[0] is IMPOSSIBLE or sides[1] is IMPOSSIBLE:
        return sides[0] if sides[1] is IMPOSSIBLE else sides[1]
    if sides[0] is choice.then and sides[1] is choice.otherwise:
        return value
    return alternative(value, msgspec.structs.replace(choice, then=sides[0], otherwise=sides[1]))


def cases_of_policy(written: TemplateValue) -> Iterator[tuple[str, TemplateValue]]:
    """Every case of a policy by its name, `(a, not b)`, with what it then is; a single one without a name where nothing has to
    be chosen, or there are too many cases."""
    cases = list(islice(settled_cases(written), CASES + 1))
    if not 1 < len(cases) <= CASES:
        yield "", written
        return
    for assumed, value in cases:
        words = (condition if holds else f"not {condition}" for condition, holds in assumed.items())
        yield f"({', '.join(words)})", value
