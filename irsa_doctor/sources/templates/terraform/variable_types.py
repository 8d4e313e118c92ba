"""What the type of a variable makes of its value: a list becomes a set, and attributes may be left out.

https://developer.hashicorp.com/terraform/language/expressions/type-constraints
"""

from collections.abc import Iterator, Mapping

import msgspec

from irsa_doctor.sources.templates.terraform.expressions import expression_value
from irsa_doctor.sources.templates.terraform.functions import FUNCTIONS, PartlyKnown
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope
from irsa_doctor.sources.templates.terraform.syntax import Argument, Block, Node, parts_of
from irsa_doctor.sources.templates.values import TemplateValue

_DEEP = 20


def with_optional(value: TemplateValue, block: Block | None, scope: EvaluationScope) -> TemplateValue:
    """The value as its type has it: sets, and the attributes that were left out as null, or with their defaults."""
    argument = block.body.arguments.get("type") if block else None
    return _typed(value, argument.value, argument, scope, 0) if argument else value


def _typed(value: TemplateValue, node: Node, argument: Argument, scope: EvaluationScope, depth: int) -> TemplateValue:
    called, type_arguments = _constructor(node, argument)
    if depth > _DEEP or not type_arguments:
        return value
    if (choice := value.choice) is not None:
        then, otherwise = (_typed(side, node, argument, scope, depth + 1) for side in (choice.then, choice.otherwise))
        return msgspec.structs.replace(value, choice=msgspec.structs.replace(choice, then=then, otherwise=otherwise))
    if called in ("list", "set", "map"):
        inner = type_arguments[0]
        if isinstance(value.value, tuple):
            items = tuple(_typed(item, inner, argument, scope, depth + 1) for item in value.value)
            if isinstance(value.value, PartlyKnown):
                return msgspec.structs.replace(value, value=PartlyKnown(items))
            made = FUNCTIONS["toset"](TemplateValue(items)) if called == "set" else None
            return msgspec.structs.replace(value, value=made.value if made else items)
        if isinstance(value.value, dict):
            members = {name: _typed(item, inner, argument, scope, depth + 1) for name, item in value.value.items()}
            return msgspec.structs.replace(value, value=members)
    if called == "object" and isinstance(value.value, dict):
        return msgspec.structs.replace(value, value=_object(value.value, type_arguments[0], argument, scope, depth))
    return value


def _object(
    members: Mapping[object, TemplateValue], node: Node, argument: Argument, scope: EvaluationScope, depth: int
) -> dict[object, TemplateValue]:
    """The attributes as their types have them, and those that were left out."""
    made = dict(members)
    for name, attribute in _attributes(node, argument):
        called, inside = _constructor(attribute, argument)
        is_optional = called == "optional" and bool(inside)
        inner, *default = inside if is_optional else [attribute]
        if is_optional and (name not in made or made[name].value is None):
            made[name] = expression_value(argument.syntax, default[0], scope) if default else TemplateValue(None)
        if name in made:
            made[name] = _typed(made[name], inner, argument, scope, depth + 1)
    return made


def _attributes(node: Node, argument: Argument) -> Iterator[tuple[str, Node]]:
    """Name and type of each attribute of an object type."""
    for element in _below(node, "object_elem"):
        name, *value = (part for part in parts_of(element) if part.type == "expression")
        if value:
            yield argument.syntax.word(name).strip('"'), value[0]


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
