"""Evaluates conditional expressions and `try` of Terraform's configuration language.

https://developer.hashicorp.com/terraform/language/expressions/conditionals and .../functions/try
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec

from irsa_doctor.model import Text, only_hole
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.templates.choices import (
    IMPOSSIBLE,
    MissingMember,
    alternative,
    chosen,
    completed,
    plain_condition,
    with_missing_parts,
)
from irsa_doctor.sources.templates.terraform.operators import as_truth, called_in_condition
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import Node, Syntax, parts_of
from irsa_doctor.sources.templates.values import Choice, TemplateValue

_MEMBER_GIVEN = regex(r"\$\{(var\.[\w-]+|each\.value|[^{}]*\[\*\])[.\[]")
_WORDS = 120
"""Characters of a condition up to which it can be named"""


class BranchingEvaluation(Protocol):
    """An evaluation of the expressions of one file; `trying`: what does not exist is for `try` (expressions.py)."""

    syntax: Syntax
    scope: EvaluationScope
    trying: bool

    def value(self, node: Node) -> TemplateValue:
        """The value of a node."""

    def unknown(self, node: Node) -> TemplateValue:
        """A hole where the node is."""


def first_existing(evaluation: BranchingEvaluation, argument_nodes: Sequence[Node], node: Node) -> TemplateValue | None:
    """Return the value of `try`: of the first argument whose members all exist, in each case."""
    if not argument_nodes:
        return None
    first, *others = argument_nodes
    if not others:
        return evaluation.value(first)
    value = _tried(evaluation, first, node)
    if words := _member_of_unknown(value):
        otherwise = first_existing(evaluation, others, node) or evaluation.unknown(node)
        if not otherwise.value and not isinstance(otherwise.value, Mapping | tuple):
            return value
        return alternative(evaluation.unknown(node), Choice(f"can({words})", value, otherwise))
    return completed(value, lambda: first_existing(evaluation, others, node) or evaluation.unknown(node))


def _member_of_unknown(value: TemplateValue) -> str:
    """The member of a value that a caller gives, as it is written, where nobody knows whether it is there; else ""."""
    unknown = only_hole(value.value) if value.choice is None and value.made is None else None
    return unknown.name[2:-1] if unknown is not None and _MEMBER_GIVEN.match(unknown.name) else ""


def _tried(evaluation: BranchingEvaluation, argument: Node, node: Node) -> TemplateValue:
    """The value of an argument, IMPOSSIBLE where it, or a part of it, does not exist."""
    was, evaluation.trying = evaluation.trying, True
    try:
        return with_missing_parts(evaluation.value(argument), evaluation.unknown(node))
    except MissingMember:
        return IMPOSSIBLE
    finally:
        evaluation.trying = was


def possibility(evaluation: BranchingEvaluation, argument_nodes: Sequence[Node], node: Node) -> TemplateValue | None:
    """Return the value of `can`: whether its argument has a value, None where that is not known."""
    called = evaluation.unknown(node)
    return _is_possible(_tried(evaluation, argument_nodes[0], node) if argument_nodes else IMPOSSIBLE, called)


def _is_possible(value: TemplateValue, called: TemplateValue) -> TemplateValue | None:
    if (choice := value.choice) is not None:
        sides = [_is_possible(side, called) for side in (choice.then, choice.otherwise)]
        truths = {side.value for side in sides if side is not None and side.choice is None}
        if None not in sides and len(truths) == 1 and all(side.choice is None for side in sides if side):
            return sides[0]
        then, otherwise = (side or called for side in sides)
        return msgspec.structs.replace(called, choice=msgspec.structs.replace(choice, then=then, otherwise=otherwise))
    if value is not IMPOSSIBLE and isinstance(value.value, Text) and value.made is None:
        return None
    return msgspec.structs.replace(called, value=value is not IMPOSSIBLE)


def conditional(evaluation: BranchingEvaluation, node: Node) -> TemplateValue | None:
    """Return the value of `condition ? a : b`, a choice where the condition is not known."""
    condition, *both = (part for part in parts_of(node) if part.type == "expression")
    if len(both) != 2:
        return None
    sides = [partial(evaluation.value, side) for side in both]
    return chosen(partial(decided, evaluation, node, sides), (evaluation.value(condition),), called=evaluation.unknown(node))


def decided(
    evaluation: BranchingEvaluation, node: Node, both: Sequence[Callable[[], TemplateValue]], truth: TemplateValue
) -> TemplateValue | None:
    """Return what a condition chooses of two values, by its own; None where it cannot be named."""
    holds = as_truth(truth)
    if holds is not None:
        return both[0]() if holds else both[1]()
    then, otherwise = map(_if_existing, both)
    if then is otherwise is IMPOSSIBLE:
        raise MissingMember
    words = called_in_condition(truth)
    if not 0 < len(words) <= _WORDS:
        return None
    name, is_negated = plain_condition(words)
    if (assumed := evaluation.scope.assumed.get(name)) is not None:
        return then if assumed != is_negated else otherwise
    choice = Choice(name, otherwise, then) if is_negated else Choice(name, then, otherwise)
    return msgspec.structs.replace(evaluation.unknown(node), choice=choice)


def _if_existing(side: Callable[[], TemplateValue]) -> TemplateValue:
    try:
        return side()
    except MissingMember:
        return IMPOSSIBLE
