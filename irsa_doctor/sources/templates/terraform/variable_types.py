"""What the type of a variable adds to its value: attributes that may be left out.

https://developer.hashicorp.com/terraform/language/expressions/type-constraints#optional-object-type-attributes
"""

from collections.abc import Mapping

import msgspec

from irsa_doctor.sources.templates.terraform.expressions import expression_value
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import Argument, Block, Node, parts_of
from irsa_doctor.sources.templates.values import TemplateValue

_DEEP = 20


def with_optional(value: TemplateValue, block: Block | None, scope: EvaluationScope) -> TemplateValue:
    """The value with the attributes that its type has and that were left out: null, or their defaults."""
    argument = block.body.arguments.get("type") if block else None
    return _typed(value, argument.value, argument, scope, 0) if argument else value


def _typed(value: TemplateValue, node: Node, argument: Argument, scope: EvaluationScope, depth: int) -> TemplateValue:
    called, type_arguments = _constructor(node, argument)
    if depth > _DEEP or not type_arguments:
        return value
    if called in ("list", "set", "map"):
        inner = type_arguments[0]
        if isinstance(value.value, tuple):
            items = tuple(_typed(item, inner, argument, scope, depth + 1) for item in value.value)
            return msgspec.structs.replace(value, value=items)
        if isinstance(value.value, dict):
            members = {name: _typed(item, inner, argument, scope, depth + 1) for name, item in value.value.items()}
            return msgspec.structs.replace(value, value=members)
    if called == "object" and isinstance(value.value, dict):
        return msgspec.structs.replace(value, value=_object(value.value, type_arguments[0], argument, scope, depth))
    return value


def _object(
    members: Mapping[object, TemplateValue], node: Node, argument: Argument, scope: EvaluationScope, depth: int
) -> dict[object, TemplateValue]:
    """The attributes that are given, then those that may be left out."""
    made = dict(members)
    for name, inner, default in _attributes(node, argument):
        if name in made and made[name].value is not None:
            made[name] = _typed(made[name], inner, argument, scope, depth + 1)
        elif default is not None:
            made[name] = expression_value(argument.syntax, default, scope)
        else:
            made.setdefault(name, TemplateValue(None))
    return made


def _attributes(node: Node, argument: Argument) -> list[tuple[str, Node, Node | None]]:
    """Name, type and default (None for none) of each attribute of an object type that may be left out."""
    attributes: list[tuple[str, Node, Node | None]] = []
    for element in _below(node, "object_elem"):
        name, *value = (part for part in parts_of(element) if part.type == "expression")
        called, type_arguments = _constructor(value[0], argument) if value else ("", [])
        if called == "optional" and type_arguments:
            attributes.append(
                (
                    argument.syntax.word(name).strip('"'),
                    type_arguments[0],
                    type_arguments[1] if len(type_arguments) > 1 else None,
                )
            )
    return attributes


def _below(node: Node, kind: str) -> list[Node]:
    """The members of the object that an expression is."""
    while node.type in ("expression", "collection_value") and parts_of(node):
        node = parts_of(node)[0]
    return [part for part in parts_of(node) if part.type == kind] if node.type == "object" else []


def _constructor(node: Node, argument: Argument) -> tuple[str, list[Node]]:
    """`list(string)` as `list` and what it is of; a bare word as itself and nothing."""
    parts = parts_of(node)
    if node.type == "expression" and parts and parts[0].type == "function_call":
        name, *arguments = parts_of(parts[0])
        return argument.syntax.word(name), [
            part for part in parts_of(arguments[0]) if part.type == "expression"
        ] if arguments else []
    return argument.syntax.word(node), []
