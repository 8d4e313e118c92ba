"""Evaluates Terraform's configuration in JSON: every text, and every name of a member, is a template.

https://developer.hashicorp.com/terraform/language/syntax/json#expression-mapping
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from irsa_doctor.model import Hole
from irsa_doctor.sources.templates.terraform.json_syntax import JsonNode, JsonSyntax, JsonText
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import Node, Syntax, template_of
from irsa_doctor.sources.templates.values import Fragment, TemplateValue, scalar_text, text_in, with_placeholders
from irsa_doctor.text.positions import Anchor


class JsonEvaluation(Protocol):
    """An evaluation of the expressions of one file in one scope (expressions.py)."""

    syntax: Syntax
    scope: EvaluationScope

    def value(self, node: Node) -> TemplateValue:
        """The value of a node."""

    def at(self, value: object, node: Node) -> TemplateValue:
        """A value that is written where the node is."""

    def within(self, syntax: Syntax, node: Node) -> TemplateValue:
        """The value of an expression of another text in the same scope."""


def json_value(evaluation: JsonEvaluation, node: JsonNode) -> TemplateValue:
    """Return the value of a JSON node."""
    if isinstance(node.value, str):
        return _template(evaluation, node)
    syntax = evaluation.syntax
    if isinstance(node.value, dict) and isinstance(syntax, JsonSyntax):
        return evaluation.at(dict(_members(evaluation, syntax.members(node))), node)
    if isinstance(node.value, list) and isinstance(syntax, JsonSyntax):
        return evaluation.at(tuple(evaluation.value(item) for item in syntax.items(node)), node)
    return evaluation.at(node.value, node)


def _members(evaluation: JsonEvaluation, members: Iterable[tuple[str, JsonNode]]) -> Iterator[tuple[object, TemplateValue]]:
    for name, node in members:
        value = evaluation.value(node)
        if value.anchor is not None and value.document == evaluation.syntax.document:
            end = evaluation.syntax.text.find(b'"', node.name_start + 1) + 1
            anchor = msgspec.structs.replace(value.anchor, name=node.name_start, name_end=end)
            value = msgspec.structs.replace(value, anchor=anchor)
        yield _name(evaluation, name), value


def _name(evaluation: JsonEvaluation, name: str) -> object:
    if "${" not in name and "%{" not in name:
        return name
    syntax, node, _ = template_of(name.encode(), quoted=False)
    text = scalar_text(evaluation.within(syntax, node).value) if node is not None else None
    return name if text is None else _without_end(text)


def _without_end(text: object) -> object:
    """A text without the line break that the end of a heredoc needs."""
    if isinstance(text, str):
        return text.removesuffix("\n")
    pieces = [Fragment(part) for part in getattr(text, "parts", ())]
    return text_in(_cut(pieces))


def _cut(pieces: list[Fragment]) -> list[Fragment]:
    last = pieces[-1].part if pieces else None
    if not isinstance(last, str) or not last.endswith("\n"):
        return pieces
    return [*pieces[:-1], Fragment(last[:-1], pieces[-1].at)]


def _template(evaluation: JsonEvaluation, node: JsonNode) -> TemplateValue:
    text = JsonText(evaluation.syntax.text[node.start_byte : node.end_byte], node.start_byte)
    if b"${" not in text.text and b"%{" not in text.text:
        pieces = [part for run in text.runs() for part in with_placeholders(run, in_bytes=True)]
        return msgspec.structs.replace(evaluation.at(text_in(pieces), node), pieces=tuple(pieces))
    if text.text.startswith(b"${") and text.text.endswith(b"}"):
        syntax, inner, _ = template_of(text.text, quoted=True)
        if inner is not None:
            return _placed(evaluation.within(syntax, inner), evaluation, node)
    syntax, inner, before = template_of(text.text, quoted=False)
    if inner is None:
        return _placed(evaluation.at(node.value, node), evaluation, node)
    value = evaluation.within(syntax, inner)
    moved = list(_moved(_cut(list(value.pieces)), text, before))
    return msgspec.structs.replace(evaluation.at(text_in(moved), node), pieces=tuple(moved))


def _moved(pieces: Iterable[Fragment], text: JsonText, before: int) -> Iterator[Fragment]:
    """Pieces of a decoded text where they are written in the file, cut where the text has an escape."""
    for piece in pieces:
        if piece.at < 0:
            yield piece
        elif isinstance(piece.part, Hole) or piece.size > 0:  # an escape of templates is written as more than it says
            start, end = (text.written_at(piece.at - before + more) for more in (0, max(piece.size, 1)))
            yield Fragment(piece.part, start, end - start)
        else:
            yield from text.between(piece.at - before, piece.part)


def _placed(value: TemplateValue, evaluation: JsonEvaluation, node: JsonNode) -> TemplateValue:
    """A value of a text inside the file is written where the text is."""
    if value.document:
        return value
    pieces = tuple(Fragment(piece.part) for piece in value.pieces) if isinstance(value.value, str) else ()
    anchor = Anchor(None, node.start_byte, node.end_byte)
    return msgspec.structs.replace(value, anchor=anchor, document=evaluation.syntax.document, pieces=pieces)
