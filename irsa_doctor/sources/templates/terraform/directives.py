"""Evaluates the directives of templates, `%{ if }` and `%{ for }`: what they make is a text that stands in their place.

https://developer.hashicorp.com/terraform/language/expressions/strings#directives
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from irsa_doctor.model import text_of
from irsa_doctor.sources.templates.choices import chosen
from irsa_doctor.sources.templates.terraform.conditionals import BranchingEvaluation, decided
from irsa_doctor.sources.templates.terraform.operators import collection_entries
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import Node, parts_of
from irsa_doctor.sources.templates.values import TemplateValue, scalar_text


class TextEvaluation(BranchingEvaluation, Protocol):
    """An evaluation of the expressions of one file that puts texts together (expressions.py)."""

    def in_every_case(self, work: Callable[..., TemplateValue], values: Sequence[TemplateValue]) -> TemplateValue:
        """What is made of values, in each case of them."""

    def joined(self, node: Node, *texts: TemplateValue) -> TemplateValue:
        """One text of several."""

    def part(self, node: Node, start: int, end: int, scope: EvaluationScope) -> TemplateValue:
        """The text of a part of a template, in a scope."""


def directive(evaluation: TextEvaluation, node: Node) -> TemplateValue | None:
    """Return the text that a directive makes, a choice where its condition is not known; None where its items are not."""
    (inner,) = parts_of(node)[:1] or (None,)
    if inner is None:
        return None
    return _repeated(evaluation, inner) if inner.type == "template_for" else _branched(evaluation, inner)


def _expression(node: Node) -> Node | None:
    return next((part for part in parts_of(node) if part.type == "expression"), None)


def _branched(evaluation: TextEvaluation, node: Node) -> TemplateValue | None:
    marks = [part for part in parts_of(node) if part.type in ("template_if_intro", "template_else_intro", "template_if_end")]
    condition = _expression(marks[0]) if marks else None
    if condition is None or len(marks) < 2:
        return None
    own = partial(evaluation.part, node, scope=evaluation.scope)
    both = [partial(own, marks[0].end_byte, marks[1].start_byte), partial(own, marks[1].end_byte, marks[-1].start_byte)]
    if len(marks) == 2:
        both[1] = partial(own, node.end_byte, node.end_byte)
    truth = evaluation.value(condition)
    return chosen(partial(decided, evaluation, node, both), (truth,), called=evaluation.unknown(node))


def _repeated(evaluation: TextEvaluation, node: Node) -> TemplateValue | None:
    marks = [part for part in parts_of(node) if part.type in ("template_for_start", "template_for_end")]
    source = _expression(marks[0]) if marks else None
    if source is None or len(marks) < 2:
        return None
    names = [text_of(evaluation.syntax.word(part)) for part in parts_of(marks[0]) if part.type == "identifier"]
    body = partial(evaluation.part, node, marks[0].end_byte, marks[1].start_byte)

    def looped(items: TemplateValue) -> TemplateValue | None:
        entries = collection_entries(items)
        if entries is None or not names:
            return None
        texts = [body(scope) for scope in _scopes(evaluation.scope, names, entries)]
        return evaluation.in_every_case(partial(evaluation.joined, node), texts)

    return chosen(looped, (evaluation.value(source),), called=evaluation.unknown(node))


def _scopes(
    scope: EvaluationScope, names: Sequence[str], entries: Sequence[tuple[TemplateValue, TemplateValue]]
) -> Iterator[EvaluationScope]:
    for key, value in entries:
        bound = dict(zip(names, (key, value) if len(names) > 1 else (value,), strict=False))
        yield scope.with_names(bound, f" [{text_of(scalar_text(key.value) or '?')}]")
