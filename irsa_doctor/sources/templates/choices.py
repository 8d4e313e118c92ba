"""Values between which an undecided condition of a template chooses: the cases, and what a value is in each.

https://developer.hashicorp.com/terraform/language/expressions/conditionals
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from irsa_doctor.model import Text, text_of
from irsa_doctor.sources.templates.values import Choice, TemplateValue, hole

_CONDITIONS = 3
"""Undecided conditions of a value up to which every case is read"""
_MOST = 100_000
Assumed = Mapping[str, bool]
"""condition -> whether it holds"""


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
    return _settled(value, assumed, {}) if assumed else value


def _settled(whole: TemplateValue, assumed: Assumed, known: dict[int, tuple[TemplateValue, TemplateValue]]) -> TemplateValue:
    """`known` are the parts that were settled before, by identity: one may stand in many places."""
    if id(whole) not in known:
        known[id(whole)] = whole, _settled_anew(whole, assumed, known)
    return known[id(whole)][1]


def _settled_anew(
    value: TemplateValue, assumed: Assumed, known: dict[int, tuple[TemplateValue, TemplateValue]]
) -> TemplateValue:
    while value.choice is not None and value.choice.condition in assumed:
        value = value.choice.then if assumed[value.choice.condition] else value.choice.otherwise
    if value.made is not None:
        made = _settled(value.made, assumed, known)
        return value if made is value.made else msgspec.structs.replace(value, made=made)
    if isinstance(value.value, dict):
        members = {name: _settled(item, assumed, known) for name, item in value.value.items()}
        same = all(members[name] is item for name, item in value.value.items())
        return value if same else msgspec.structs.replace(value, value=members)
    if isinstance(value.value, tuple):
        items = tuple(_settled(item, assumed, known) for item in value.value)
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
        yield from settled_cases(settled(value, {outer[0]: holds}), {**assumed, outer[0]: holds})


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


def _makes_nothing(repeat: TemplateValue) -> bool:
    return repeat.choice is None and not isinstance(repeat.value, Text) and not repeat.value


def _implied(condition: str, holds: bool) -> Assumed:
    """A condition, and those that hold where a conjunction does."""
    parts = [part.strip() for part in condition.split("&&")]
    if not holds or len(parts) == 1 or any(set(part) & set("|()") for part in parts):
        return {condition: holds}
    plain = map(plain_condition, parts)
    return {condition: True} | {words: not is_negated for words, is_negated in plain}


def chosen(
    work: Callable[..., TemplateValue | None], values: Sequence[TemplateValue], *, nested: bool = False
) -> TemplateValue | None:
    """What a function makes of values, itself a choice where they are; None where it makes nothing in some case."""
    if not nested and all(value.choice is None for value in values):
        return work(*values)
    outer = conditions_in(values, nested=nested, outermost=True)
    if not outer or len(conditions_in(values, nested=nested)) > _CONDITIONS:
        return work(*values)
    first = outer[0]
    then, otherwise = (
        chosen(work, [settled(value, {first: holds}) for value in values], nested=nested) for holds in (True, False)
    )
    if then is None or otherwise is None:
        return None
    like = next(value for value in values if conditions_in((value,), nested=nested))
    unknown = like.value if isinstance(like.value, Text) else hole(f"{first} ? ... : ...")
    return TemplateValue(unknown, like.anchor, like.document, choice=Choice(first, then, otherwise))


def cases_of_policy(written: TemplateValue) -> Iterator[tuple[str, TemplateValue]]:
    """Every case of a policy by its name, `(a, not b)`, with what it then is; a single one without a name where nothing has to
    be chosen, or too many conditions choose."""
    if not 0 < len(conditions_in((written,))) <= _CONDITIONS:
        yield "", written
        return
    for assumed, value in settled_cases(written):
        words = (condition if holds else f"not {condition}" for condition, holds in assumed.items())
        yield f"({', '.join(words)})", value
