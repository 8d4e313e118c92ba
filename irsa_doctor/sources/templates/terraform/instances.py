"""The instances of a block of Terraform, by its `count` or `for_each`.

https://developer.hashicorp.com/terraform/language/meta-arguments/count and .../for_each
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice

import msgspec

from irsa_doctor.model import Text, text_of
from irsa_doctor.sources.templates.choices import (
    CASES,
    IMPOSSIBLE,
    Assumed,
    alternative,
    existing,
    outer_cases,
    plain_condition,
)
from irsa_doctor.sources.templates.terraform.folder import ModuleFolder
from irsa_doctor.sources.templates.terraform.operators import as_number, collection_entries
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope, limit_instances, step_text
from irsa_doctor.sources.templates.terraform.syntax import Argument, Block
from irsa_doctor.sources.templates.values import Choice, TemplateValue, hole, scalar_text

_VARIABLE = re.compile(r"\bvar\.([\w-]+)")
_LOCAL = re.compile(r"\blocal\.([\w-]+)")
_SWITCH = re.compile(r"([^?:]+?) \? (?:(1) : 0|0 : 1)")
_PLAIN_COUNT = re.compile(r"[\w.-]+|length\([\w.-]+\)")


class Instance(msgspec.Struct, frozen=True):
    """One of what `count` or `for_each` make of a block: `[0]`, `["blue"]`, or "" where there is neither."""

    suffix: str
    key: str | int | None
    scope: EvaluationScope

    def where(self, assumed: Assumed) -> "Instance":
        """Return the instance where it is made only if some conditions hold, or do not."""
        if not assumed:
            return self
        scope = msgspec.structs.replace(self.scope, assumed={**self.scope.assumed, **assumed})
        return msgspec.structs.replace(self, scope=scope)


def address_of(block: Block) -> str:
    """Return what a block is called in its module: `data.aws_iam_role.x`, `module.x`."""
    return ".".join((*([] if block.kind == "resource" else [block.kind]), *block.labels))


def repeat_of(block: Block) -> Argument | None:
    """Return `count` or `for_each`, None for a block that has neither."""
    return block.body.arguments.get("for_each") or block.body.arguments.get("count")


def repeated(repeat: Argument, items: TemplateValue, scope: EvaluationScope) -> list[Instance] | None:
    """Return the instances by the value of `count` or `for_each`, None where they are not known. Raises WrongShape where there
    are too many."""
    if repeat.name == "for_each":
        entries = collection_entries(items)
        if entries is None or not all(isinstance(scalar_text(key.value), str) for key, _ in entries):
            return None
        limit_instances(len(entries))
        return [_each(scope, key, value) for key, value in entries]
    count = as_number(items)
    if count is None:
        return None
    limit_instances(count)
    return [counted_instance(scope, index) for index in range(int(count))]


def in_any_case(repeat: Argument, items: TemplateValue, scope: EvaluationScope) -> list[Instance] | None:
    """Return the instances that there are in some case of a choice, each where it holds; None where they are not known."""
    cases = list(islice(outer_cases(items), CASES + 1))
    if len(cases) > CASES:
        return None
    made: dict[str, list[Instance]] = {}
    for assumed, case in cases:
        instances = repeated(repeat, case, scope)
        if instances is None:
            return None
        for instance in instances:
            made.setdefault(instance.suffix, []).append(instance.where(assumed))
    words = " ".join(repeat.syntax.word(repeat.value).split())
    value_of = partial(_in_each_case, hole(f"{scope.prefix}{words}{scope.mark}"), {})
    return [several[0] if len(several) == 1 else _of_several(several, items, value_of, scope) for several in made.values()]


def _of_several(
    several: Sequence[Instance],
    items: TemplateValue,
    value_of: Callable[[TemplateValue, str], TemplateValue],
    scope: EvaluationScope,
) -> Instance:
    """An instance that there is in several cases, perhaps with another value in each."""
    key = several[0].key
    if not isinstance(key, str):
        return counted_instance(scope, key or 0)
    return _each(scope, TemplateValue(key), existing(value_of(items, key)))


def _in_each_case(name: Text, entries: dict[int, Mapping[str, TemplateValue]], items: TemplateValue, key: str) -> TemplateValue:
    """The value of a key in each case of a collection; `entries` are those of the cases that were looked at, by identity."""
    choice = items.choice
    if choice is None:
        if id(items) not in entries:
            entries[id(items)] = {str(scalar_text(each.value)): value for each, value in collection_entries(items) or ()}
        return entries[id(items)].get(key, IMPOSSIBLE)
    then, otherwise = (_in_each_case(name, entries, side, key) for side in (choice.then, choice.otherwise))
    if _is_same(then, otherwise):
        return then
    called = TemplateValue(hole(f"{text_of(name)[2:-1]}{step_text(TemplateValue(key))}"))
    return alternative(called, msgspec.structs.replace(choice, then=then, otherwise=otherwise))


def _is_same(one: TemplateValue, other: TemplateValue) -> bool:
    """Whether two values of a key are the same object, the same text, or the same choice of such."""
    if one.choice is None or other.choice is None:
        return one is other or (one.choice is other.choice and isinstance(one.value, str) and one.value == other.value)
    return (
        one.choice.condition == other.choice.condition
        and _is_same(one.choice.then, other.choice.then)
        and _is_same(one.choice.otherwise, other.choice.otherwise)
    )


def counted_instance(scope: EvaluationScope, index: int) -> Instance:
    """Return one instance of `count`."""
    scope = scope.with_names({"count": TemplateValue({"index": TemplateValue(index)})}, f" [{index}]")
    return Instance(f"[{index}]", index, scope)


def _each(scope: EvaluationScope, key: TemplateValue, value: TemplateValue) -> Instance:
    word = TemplateValue(text_of(scalar_text(key.value) or ""))
    each = TemplateValue({"key": word, "value": value})
    return Instance(step_text(word), str(word.value), scope.with_names({"each": each}, f" {step_text(word)}"))


def depends_on_default(folder: ModuleFolder, argument: Argument | None, is_open: Callable[[str], bool]) -> bool:
    """Return whether an argument depends, perhaps by locals, on a variable that is open: with only the default of the root
    module, which may be changed."""
    waiting, seen = [argument] if argument else [], set[str]()
    while waiting:
        argument = waiting.pop()
        words = argument.syntax.word(argument.value)
        if any(map(is_open, _VARIABLE.findall(words))):
            return True
        names = set(_LOCAL.findall(words)) & folder.values.keys() - seen
        seen |= names
        waiting += [folder.values[name] for name in names]
    return False


def made_when(block: Block, prefix: str) -> tuple[str, bool]:
    """Return the condition on which a counted block is made, and whether it has to hold."""
    repeat = block.body.arguments["count"]
    words = " ".join(repeat.syntax.word(repeat.value).split())
    if match := _SWITCH.fullmatch(words):
        condition, is_negated = plain_condition(match[1])
        return prefix + condition, (match[2] == "1") != is_negated
    name = f"{words} > 0" if _PLAIN_COUNT.fullmatch(words) else f"length({'.'.join(block.labels)}) > 0"
    return prefix + name, True


def perhaps_made(block: Block, prefix: str, collection: TemplateValue) -> TemplateValue:
    """Return instances of a counted block, or none of them."""
    words, holds = made_when(block, prefix)
    none = TemplateValue(())
    choice = Choice(words, *((collection, none) if holds else (none, collection)), of_instances=True)
    return alternative(TemplateValue(hole(f"{prefix}{address_of(block)}")), choice)
