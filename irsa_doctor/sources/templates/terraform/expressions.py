"""Evaluates expressions of Terraform's configuration language, as far as the files determine their values.

https://developer.hashicorp.com/terraform/language/expressions
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.model import Hole, Text, joined, only_hole, text_of
from irsa_doctor.sources.templates.choices import MissingMember, as_made, chosen, existing, has_every_case, named_in_cases
from irsa_doctor.sources.templates.terraform.comprehensions import comprehension
from irsa_doctor.sources.templates.terraform.conditionals import conditional, first_existing, possibility
from irsa_doctor.sources.templates.terraform.directives import directive
from irsa_doctor.sources.templates.terraform.functions import (
    BY_ITEMS,
    FUNCTIONS,
    KEEPING_CHOICES,
    OpenMembers,
    PartlyKnown,
    Undecided,
    as_partly_known,
)
from irsa_doctor.sources.templates.terraform.input_files import file_text, string_text
from irsa_doctor.sources.templates.terraform.json_values import json_value
from irsa_doctor.sources.templates.terraform.operators import (
    BINARY_OPERATORS,
    as_number,
    as_truth,
    called_in_condition,
    literal_number,
    member,
    member_by_key,
    named_member,
    open_operation,
    replaced_members,
)
from irsa_doctor.sources.templates.terraform.scopes import EvaluationScope, PathStep
from irsa_doctor.sources.templates.terraform.strings import LONGEST_TEXT, inner_fragments, literal_fragments, plain_text
from irsa_doctor.sources.templates.terraform.syntax import Node, Syntax, parts_of
from irsa_doctor.sources.templates.values import Fragment, TemplateValue, hole, scalar_text, text_in, with_placeholders
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.positions import Anchor

_MOST = 10_000
"""Items of a collection that is put together."""


def expression_value(syntax: Syntax, node: Node, scope: EvaluationScope) -> TemplateValue:
    """Return the value of an expression; what is not known is a hole. Raises WrongShape where it exceeds a limit."""
    return _Evaluation(syntax, scope).value(node)


class _Evaluation:
    """Evaluates the expressions of one file in one scope; `trying`: what does not exist is for `try`."""

    def __init__(self, syntax: Syntax, scope: EvaluationScope, trying: bool = False) -> None:
        self.syntax = syntax
        self.scope = scope
        self.trying = trying

    def value(self, node: Node) -> TemplateValue:
        """The value of an expression node, or of a term of it."""
        budget = self.scope.budget
        budget.depth += 1
        try:
            budget.spend()
            read = _NODES.get(node.type)
            result = read(self, node) if read else None
            if result is not None and result.choice is not None and not self.trying:
                result = existing(result)
        except MissingMember:
            if self.trying:
                raise
            result = None
        finally:
            budget.depth -= 1
        return self.unknown(node) if result is None else result

    def within(self, syntax: Syntax, node: Node, scope: EvaluationScope | None = None) -> TemplateValue:
        """The value of an expression of another text, in the same scope or another one."""
        return _Evaluation(syntax, scope or self.scope, self.trying).value(node)

    def value_in(self, scope: EvaluationScope, node: Node) -> TemplateValue:
        """The value of an expression in another scope."""
        return self.within(self.syntax, node, scope)

    def at(self, value: object, node: Node, made: TemplateValue | None = None) -> TemplateValue:
        """A value that is written where the node is."""
        if isinstance(value, str | Text) and len(text_of(value)) > LONGEST_TEXT:
            raise WrongShape("", f"a text of more than {LONGEST_TEXT:,} characters")
        if isinstance(value, dict | tuple):
            if len(value) > _MOST:
                raise WrongShape("", f"a collection of more than {_MOST:,} items")
            self.scope.budget.spend(len(value))
        return TemplateValue(value, Anchor(None, node.start_byte, node.end_byte), self.syntax.document, (), made)

    def unknown(self, node: Node) -> TemplateValue:
        """A hole where the expression is."""
        return self.at(self.hole(node), node)

    def hole(self, node: Node) -> Text:
        """A hole by the name of the expression."""
        words = " ".join(self.syntax.word(node).split())
        name = words if len(words) <= 120 else f"{words[:100]}... ({self.syntax.document}:{node.start_byte})"
        return hole(f"{self.scope.prefix}{name}{self.scope.mark}")

    def expression(self, node: Node) -> TemplateValue | None:
        return self.term(parts_of(node), node)

    def term(self, parts: Sequence[Node], node: Node) -> TemplateValue | None:
        """A value and the steps that lead into it: `a.b[0].c`."""
        if not parts:
            return None
        first, steps = parts[0], parts[1:]
        if first.type == "variable_expr":
            return self.reference(first, steps, node)
        return self.stepped(self.value(first), steps, node)

    def reference(self, first: Node, steps: Sequence[Node], node: Node) -> TemplateValue | None:
        name = self.syntax.word(first)
        if name in self.scope.names:
            return self.placed(self.stepped(self.scope.names[name], steps, node), node)
        plain = next((number for number, step in enumerate(steps) if step.type == "splat"), len(steps))
        path = [self.step(step) for step in steps[:plain]]
        if None in path:
            return None
        taken = [step for step in path if step is not None]
        result = self.scope.lookup(name, taken, self.scope)
        if result is None:
            return None
        rest = steps[plain - len(taken) : plain]
        return self.placed(self.stepped(result, [*rest, *steps[plain:]], node), node)

    def placed(self, value: TemplateValue | None, node: Node) -> TemplateValue | None:
        """A single value is placed where it is used; the parts of any other where they are written."""
        if value is None or value.made is not None or isinstance(value.value, Mapping | tuple):
            return value
        if isinstance(value.value, str | Text) and text_of(value.value).lstrip()[:1] == "{" and value.pieces:
            return value
        placed = self.at(value.value, node)
        return msgspec.structs.replace(placed, choice=value.choice) if value.choice else placed

    def step(self, node: Node) -> PathStep | None:
        """`.name`, `.0` or `[expression]`."""
        if node.type == "get_attr":
            return self.syntax.word(parts_of(node)[0])
        if node.type == "index" and (inner := parts_of(node)) and (below := parts_of(inner[0])):
            return self.value(below[0])
        if node.type == "index":
            word = self.syntax.word(node).removeprefix(".")
            return self.at(int(word), node) if word.isdecimal() and len(word) < 10 else None
        return None

    def stepped(self, value: TemplateValue | None, steps: Sequence[Node], node: Node) -> TemplateValue | None:
        for position, step in enumerate(steps):
            if value is None:
                return None
            if value.choice is not None:
                return named_in_cases(
                    partial(self.stepped, steps=steps[position:], node=node), (value,), partial(self.unknown, node)
                )
            if step.type == "splat":
                return self.splat(value, step, steps[position + 1 :], node)
            taken = self.step(step)
            if taken is None:
                return None
            value = member(whole := value, taken) or member_by_key(whole, taken, self.unknown(node))
        return value

    def splat(self, value: TemplateValue, splat: Node, more: Sequence[Node], node: Node) -> TemplateValue | None:
        """`a[*].b`, `a.*.b`: of a list, each item's; of anything else, a list of one."""
        if only_hole(value.value) or isinstance(value.value, PartlyKnown | OpenMembers):
            return None
        items = value.value if isinstance(value.value, tuple) else () if value.value is None else (value,)
        steps = [*parts_of(parts_of(splat)[0]), *more]
        # an index after `.*` is one of the list that it makes
        is_legacy = parts_of(splat)[0].type == "attr_splat"
        cut = next((number for number, step in enumerate(steps) if is_legacy and step.type == "index"), len(steps))
        made = [self.stepped(item, steps[:cut], node) for item in items]
        if any(item is None for item in made):
            return None
        return self.stepped(self.at(tuple(item for item in made if item), node), steps[cut:], node)

    def literal(self, node: Node) -> TemplateValue | None:
        (part,) = parts_of(node)[:1] or (None,)
        if part is None:
            return None
        if part.type == "numeric_lit":
            number = literal_number(self.syntax.word(part))
            return None if number is None else self.at(number, part)
        if part.type == "bool_lit":
            return self.at(self.syntax.word(part) == "true", part)
        return self.at(None, part) if part.type == "null_lit" else self.value(part)

    def first(self, node: Node) -> TemplateValue | None:
        parts = parts_of(node)
        return self.value(parts[0]) if parts else None

    def variable(self, node: Node) -> TemplateValue | None:
        return self.reference(node, (), node)

    def template(self, node: Node) -> TemplateValue | None:
        """A text with `${...}` in it; what is nothing but one of these is its value."""
        if plain := plain_text(self.syntax, node):  # most texts
            return plain
        inner = parts_of(node)
        if node.type == "quoted_template" and [part.type for part in inner[1:-1]] == ["template_interpolation"]:
            return self.interpolated(inner[1])
        parts = tuple(literal_fragments(self.syntax, node))
        values = [self.inserted(part) for part in parts if not isinstance(part, Fragment)]
        if not values:
            return self.text(node, parts)
        return self.in_every_case(partial(self.text, node, parts), values)

    def in_every_case(self, work: Callable[..., TemplateValue], values: Sequence[TemplateValue]) -> TemplateValue:
        """What is made of values; where conditions choose one of them, also what is made in each case."""
        made = work(*values)
        if not values or all(value.choice is None for value in values):
            return made
        either = chosen(work, values, called=made)
        return msgspec.structs.replace(made, choice=either.choice if either else None)

    def text(self, node: Node, parts: Sequence[Fragment | Node], *values: TemplateValue) -> TemplateValue:
        """The text of a template with values in the places of what is put in between."""
        pieces: list[Fragment] = []
        size, left = 0, iter(values)
        for part in parts:
            placed = with_placeholders(part, in_bytes=True) if isinstance(part, Fragment) else self.pieces(part, next(left))
            for piece in placed:
                pieces.append(piece)
                size += len(piece.part) if isinstance(piece.part, str) else 1
            if size > LONGEST_TEXT:
                raise WrongShape("", f"a text of more than {LONGEST_TEXT:,} characters")
        return msgspec.structs.replace(self.at(text_in(pieces), node), pieces=tuple(pieces))

    def inserted(self, node: Node) -> TemplateValue:
        """What is put in between, a hole where that is not known."""
        result = self.interpolated(node) if node.type == "template_interpolation" else directive(self, node)
        return self.unknown(node) if result is None else result

    def part(self, node: Node, start: int, end: int, scope: EvaluationScope) -> TemplateValue:
        """The text of a part of a template, which stands in a directive, in a scope."""
        evaluation = self if scope is self.scope else _Evaluation(self.syntax, scope, self.trying)
        parts = tuple(inner_fragments(self.syntax, node, start, end))
        values = [evaluation.inserted(inner) for inner in parts if not isinstance(inner, Fragment)]
        return evaluation.in_every_case(partial(evaluation.text, node, parts), values)

    def joined(self, node: Node, *texts: TemplateValue) -> TemplateValue:
        """One text of several."""
        pieces = tuple(piece for text in texts for piece in text.pieces)
        return msgspec.structs.replace(self.at(text_in(pieces), node), pieces=pieces)

    def interpolated(self, node: Node) -> TemplateValue | None:
        expression = next((part for part in parts_of(node) if part.type == "expression"), None)
        if expression is None:
            return None
        return self.placed(as_made(self.value(expression)), node)

    def pieces(self, node: Node, value: TemplateValue) -> Iterator[Fragment]:
        """The pieces that a value in between is."""
        if node.type == "template_directive" and not only_hole(value.value):
            yield from value.pieces
            return
        text = scalar_text(value.value) if value.made is None else None
        if text is None:
            text = self.hole(node)
        for part in text.parts if isinstance(text, Text) else (text,):
            at, size = (node.start_byte, node.end_byte - node.start_byte) if isinstance(part, Hole) else (-1, -1)
            yield Fragment(part, at, size)

    def collection(self, node: Node) -> TemplateValue | None:
        (inner,) = parts_of(node)[:1] or (None,)
        if inner is None:
            return None
        return self.listing(inner) if inner.type == "tuple" else self.mapping(inner)

    def listing(self, node: Node) -> TemplateValue:
        items = tuple(self.value(part) for part in parts_of(node) if part.type == "expression")
        return self.at(items, node)

    def mapping(self, node: Node) -> TemplateValue | None:
        elements = [part for part in parts_of(node) if part.type == "object_elem"]
        pairs = [[part for part in parts_of(element) if part.type == "expression"] for element in elements]
        names = [self.name(name) for name, _ in pairs]
        items = [named_member(self.value(value), name, self.syntax) for name, value in pairs]
        return self.in_every_case(partial(self.members, node, pairs, items), names)

    def members(
        self, node: Node, pairs: Sequence[Sequence[Node]], items: Sequence[TemplateValue], *names: TemplateValue
    ) -> TemplateValue:
        """An object by the values of its names."""
        texts = [scalar_text(name.value) for name in names]
        known = [self.hole(pair[0]) if text is None else text for text, pair in zip(texts, pairs, strict=True)]
        members = dict(zip(known, items, strict=True))
        made, lost = self.at(members, node), replaced_members(known, items) if len(members) < len(items) else ()
        return msgspec.structs.replace(made, lost=lost) if lost else made

    def name(self, node: Node) -> TemplateValue:
        """The name of a member: a bare word is itself."""
        parts = parts_of(node)
        if len(parts) == 1 and parts[0].type == "variable_expr" and parts[0].start_byte == node.start_byte:
            return self.at(self.syntax.word(parts[0]), node)
        return self.value(node)

    def call(self, node: Node) -> TemplateValue | None:
        name_node, *rest = parts_of(node)
        name = self.syntax.word(name_node)
        argument_nodes = parts_of(rest[0]) if rest else []
        if name in ("try", "can"):
            return (first_existing if name == "try" else possibility)(self, argument_nodes, node)
        arguments = [self.value(part) for part in argument_nodes if part.type == "expression"]
        if any(part.type == "ellipsis" for part in argument_nodes) and arguments:
            last = arguments.pop().value
            if not isinstance(last, tuple):
                return None
            arguments += last
        if name in ("jsonencode", "yamlencode") and len(arguments) == 1:
            return self.encoded(arguments[0], node)
        if name in ("concat", "flatten") and not has_every_case(arguments, nested=name in BY_ITEMS):
            arguments = list(map(as_partly_known, arguments))
        if name not in KEEPING_CHOICES:
            arguments = list(map(as_made, arguments))
        unknown = partial(self.unknown, node)
        if name in ("file", "templatefile"):
            return named_in_cases(partial(file_text, self, name), arguments, unknown)
        if name == "templatestring" and arguments:
            return named_in_cases(partial(string_text, self), arguments, unknown)
        return named_in_cases(partial(self.result, name, node), arguments, unknown, nested=name in BY_ITEMS)

    def result(self, name: str, node: Node, *arguments: TemplateValue) -> TemplateValue | None:
        """What a function makes of arguments."""
        function = FUNCTIONS.get(name)
        try:
            result = function(*arguments) if function else None
        except (Undecided, TypeError, ValueError, LookupError, OverflowError):
            return None
        return result if result is None or result.anchor else self.at(result.value, node, result.made)

    def encoded(self, value: TemplateValue, node: Node) -> TemplateValue:
        made = self.at(self.hole(node), node, value)
        text = scalar_text(value.value)
        return made if text is None or only_hole(value.value) else self.at(joined(('"', text, '"')), node, value)

    def operation(self, node: Node) -> TemplateValue | None:
        (inner,) = parts_of(node)[:1] or (None,)
        if inner is None:
            return None
        children = [child for child in inner.children if child.type != "comment"]
        unknown = partial(self.unknown, node)
        if inner.type == "unary_operation":
            operand = self.operand(children[1:], inner)
            negated = partial(self.negated, node, children[0].type)
            return None if operand is None else named_in_cases(negated, (operand,), unknown)
        at = next((n for n, child in enumerate(children) if n and child.type in BINARY_OPERATORS), 0)
        if not at:
            return None
        left, right = self.operand(children[:at], inner), self.operand(children[at + 1 :], inner)
        if left is None or right is None:
            return None
        return named_in_cases(partial(self.combined, node, children[at].type), (left, right), unknown)

    def combined(self, node: Node, sign: str, left: TemplateValue, right: TemplateValue) -> TemplateValue | None:
        result = BINARY_OPERATORS[sign](left, right)
        if result is not None:
            return self.at(result, node)
        made = open_operation(sign, left, right)
        return made if made is None else self.at(made.value, node)

    def operand(self, nodes: Sequence[Node], node: Node) -> TemplateValue | None:
        named = [child for child in nodes if child.is_named]
        return self.term(named, named[0]) if named else None

    def negated(self, node: Node, sign: str, operand: TemplateValue) -> TemplateValue | None:
        if sign == "!" and (holds := as_truth(operand)) is not None:
            return self.at(not holds, node)
        if sign == "!":
            name = called_in_condition(operand)
            return self.at(hole(f"!{name}"), node) if name else None
        value = as_number(operand)
        return None if value is None else self.at(-value, node)


_NODES: Mapping[str, Callable[[_Evaluation, Node], TemplateValue | None]] = {
    "expression": _Evaluation.expression,
    "literal_value": _Evaluation.literal,
    "template_expr": _Evaluation.first,
    "quoted_template": _Evaluation.template,
    "heredoc_template": _Evaluation.template,
    "string_lit": _Evaluation.template,
    "collection_value": _Evaluation.collection,
    "variable_expr": _Evaluation.variable,
    "function_call": _Evaluation.call,
    "conditional": conditional,
    "operation": _Evaluation.operation,
    "for_expr": comprehension,
    "json": json_value,
}
