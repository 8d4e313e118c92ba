"""Evaluates `for` expressions of Terraform's configuration language.

https://developer.hashicorp.com/terraform/language/expressions/for
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Protocol

import msgspec

from irsa_doctor.model import Text, only_hole, text_of
from irsa_doctor.sources.templates.choices import chosen
from irsa_doctor.sources.templates.terraform.functions import PartlyKnown
from irsa_doctor.sources.templates.terraform.operators import as_truth, collection_entries
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import Node, Syntax, parts_of
from irsa_doctor.sources.templates.values import TemplateValue, hole, scalar_text

_BRACKETS = ("tuple_start", "tuple_end", "object_start", "object_end")


class ScopedEvaluation(Protocol):
    """An evaluation of the expressions of one file, also in other scopes than its own (expressions.py)."""

    syntax: Syntax
    scope: EvaluationScope

    def value(self, node: Node) -> TemplateValue:
        """The value of a node."""

    def value_in(self, scope: EvaluationScope, node: Node) -> TemplateValue:
        """The value of a node in another scope."""

    def unknown(self, node: Node) -> TemplateValue:
        """A hole where the node is."""

    def at(self, value: object, node: Node) -> TemplateValue:
        """A value that is written where the node is."""


class _Loop(msgspec.Struct, frozen=True):
    """The parts of a `for` expression: the names of its items, its bodies, and the condition of the items that it keeps."""

    node: Node
    names: Sequence[str]
    bodies: Sequence[Node]
    condition: Node | None
    is_list: bool
    is_grouped: bool


def comprehension(evaluation: ScopedEvaluation, node: Node) -> TemplateValue | None:
    """Return the list or the object that a `for` expression makes, None where its items are not known."""
    (inner,) = parts_of(node)[:1] or (None,)
    if inner is None:
        return None
    intro, *rest = (part for part in parts_of(inner) if part.type not in _BRACKETS)
    loop = _Loop(
        node=node,
        names=[evaluation.syntax.word(part) for part in parts_of(intro) if part.type == "identifier"],
        bodies=[part for part in rest if part.type == "expression"],
        condition=next((part for part in rest if part.type == "for_cond"), None),
        is_list=inner.type == "for_tuple_expr",
        is_grouped=any(part.type == "ellipsis" for part in rest),
    )
    source = next(part for part in parts_of(intro) if part.type == "expression")
    work, items = partial(_looped, evaluation, loop), evaluation.value(source)
    return chosen(work, (items,), called=evaluation.unknown(node), nested=loop.condition is not None)


def _looped(evaluation: ScopedEvaluation, loop: _Loop, source: TemplateValue) -> TemplateValue | None:
    scopes = list(_kept(evaluation, loop, source))
    if None in scopes:
        return _of_any_item(evaluation, loop, source)
    kept = [scope for scope in scopes if scope is not None]
    if loop.is_list:
        return evaluation.at(tuple(evaluation.value_in(scope, loop.bodies[0]) for scope in kept), loop.node)
    return _mapped(evaluation, loop, kept)


def _of_any_item(evaluation: ScopedEvaluation, loop: _Loop, source: TemplateValue) -> TemplateValue | None:
    """What is made of each item of a list that nobody knows, as far as that says more than that it is not known."""
    name = only_hole(source.value) if source.choice is None and loop.is_list and loop.condition is None else None
    if name is None or not loop.names:
        return None
    words = name.name.removeprefix("${").removesuffix("}")
    item = TemplateValue(hole(f"{words}[*]"), source.anchor, source.document)
    bound = {loop.names[-1]: item}
    if len(loop.names) > 1:
        bound[loop.names[0]] = TemplateValue(hole(f"key of {words}"))
    made = evaluation.value_in(evaluation.scope.with_names(bound, " [*]"), loop.bodies[0])
    says = isinstance(made.value, dict | tuple) or (isinstance(made.value, Text) and not only_hole(made.value))
    return evaluation.at(PartlyKnown((made,)), loop.node) if says else None


def _kept(evaluation: ScopedEvaluation, loop: _Loop, source: TemplateValue) -> Iterator[EvaluationScope | None]:
    """The scope of every item that the condition keeps, None where that is not known."""
    entries = collection_entries(source)
    if entries is None or not loop.names:
        yield None
        return
    for key, value in entries:
        bound = dict(zip(loop.names, (key, value) if len(loop.names) > 1 else (value,), strict=False))
        scope = evaluation.scope.with_names(bound, f" [{text_of(scalar_text(key.value) or '?')}]")
        inner = parts_of(loop.condition)[-1] if loop.condition is not None else None
        holds = True if inner is None else as_truth(evaluation.value_in(scope, inner))
        if holds is None:
            yield None
        elif holds:
            yield scope


def _mapped(evaluation: ScopedEvaluation, loop: _Loop, scopes: Sequence[EvaluationScope]) -> TemplateValue | None:
    made: dict[object, TemplateValue] = {}
    for scope in scopes:
        name = scalar_text(evaluation.value_in(scope, loop.bodies[0]).value)
        if name is None:
            return None
        value = evaluation.value_in(scope, loop.bodies[1])
        if loop.is_grouped:
            before = made.get(name)
            items = before.value if before and isinstance(before.value, tuple) else ()
            value = evaluation.at((*items, value), loop.node)
        made[name] = value
    return evaluation.at(made, loop.node)
