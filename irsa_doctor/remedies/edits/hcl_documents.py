"""Edits of `aws_iam_policy_document` blocks, which say a policy as statements, principals and conditions.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.changes import changed_items
from irsa_doctor.remedies.edits.hcl_collections import CollectionWriter, HclLayout, collection_of, layout_near
from irsa_doctor.remedies.edits.hcl_names import TEXTS, HclValue, ModuleNames, expression_in
from irsa_doctor.remedies.edits.hcl_texts import text_pieces, with_texts
from irsa_doctor.remedies.edits.hcl_values import text_edits
from irsa_doctor.remedies.edits.json_style import indent_at
from irsa_doctor.remedies.edits.records import CannotWrite, Edit
from irsa_doctor.text.hcl_tree import (
    HclNode,
    arguments_of,
    block_words,
    child_blocks,
    significant,
)

_ARGUMENTS = {
    "Sid": "sid",
    "Effect": "effect",
    "Action": "actions",
    "NotAction": "not_actions",
    "Resource": "resources",
    "NotResource": "not_resources",
}
"""elements of a statement that are arguments"""
_DEEP = 8
_DOCUMENT = re.compile(r"data\.aws_iam_policy_document\.([\w-]+)(?:\[[^\]]*\])?\.json")
_PRINCIPALS = {"Principal": "principals", "NotPrincipal": "not_principals"}


def statement_parts(value: HclValue, count: int, depth: int = 0) -> list[HclValue]:
    """The blocks of the statements of a data source, in the order of its reader: its own, and those of the documents that it is
    made from.

    `count` is how many there are, of which what no block of its own says is made by the one dynamic block.
    """
    arguments = arguments_of(value.node)
    if depth > _DEEP or arguments.keys() & {"override_policy_documents", "override_json", "source_json"}:
        return []
    sources = arguments.get("source_policy_documents")
    merged = [part for one in _sources(value, sources) for part in statement_parts(one, -1, depth + 1)] if sources else []
    own: list[HclValue] = []
    dynamic = list(child_blocks(value.node, "dynamic", "statement"))
    static = list(child_blocks(value.node, "statement"))
    for block in sorted((*static, *dynamic), key=lambda node: int(node.start_byte)):
        contents = list(child_blocks(block, "content")) if block in dynamic else [block]
        times = count - len(merged) - len(static) if block in dynamic and len(dynamic) == 1 else 1
        own += [value.at(node) for node in contents for _ in range(max(times, 0))]
    return [*own, *merged]


def _sources(value: HclValue, written: HclNode) -> Iterator[HclValue]:
    """The data sources that a list of documents names."""
    for item in significant(collection_of(value.at(written)).node):
        name = _DOCUMENT.fullmatch(value.at(item).source) if item.type == "expression" else None
        if item.type == "expression" and name is None:
            raise CannotWrite("not-in-source", "the policy is put together in a way that is not edited")
        block = ModuleNames(value.text, value.module).block("data", "aws_iam_policy_document", name[1]) if name else None
        if name and block is None:
            raise CannotWrite("not-in-source", "the statement is written in another document")
        if block:
            yield block


class ConditionTest(msgspec.Struct, frozen=True):
    """What one condition block says."""

    operator: str
    key: str
    values: tuple[Any, ...]


def document_edits(value: HclValue, layout: HclLayout, before: Any, after: Any) -> list[Edit]:
    """The edits of a data source so that its policy becomes another one. Raises CannotWrite."""
    writer = _DocumentWriter(value, layout)
    return list(writer.edits(before, after))


def texts_listed(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one."""
    return value if isinstance(value, list) else [value]


class _DocumentWriter:
    """Carries out changes of one data source."""

    def __init__(self, value: HclValue, layout: HclLayout) -> None:
        self.value = value
        self.layout = layout
        self.content = value.text.content

    def edits(self, before: Any, after: Any) -> Iterator[Edit]:
        if before.get("Version") != after.get("Version"):
            yield from self.argument(self.value.node, "version", before.get("Version"), after.get("Version"))
        old, new = texts_listed(before["Statement"]), texts_listed(after["Statement"])
        own = list(child_blocks(self.value.node, "statement"))
        parts = statement_parts(self.value, len(old))
        marks = [[msgspec.json.encode(statement) for statement in listed] for listed in (old, new)]
        for start, end, new_start, new_end in changed_items(*marks, in_place=True):
            if len(parts) != len(old):
                raise CannotWrite("not-in-source", "the statement is written in another document or made by a dynamic block")
            shared = min(end - start, new_end - new_start)
            for number in range(shared):
                part = parts[start + number]
                yield from self.of(part).statement(part.node, old[start + number], new[new_start + number])
            more = new[new_start + shared : new_end]
            if (more or start + shared < end) and len(own) != len(parts):
                raise CannotWrite("not-in-source", "the statements are put together of several documents or by a dynamic block")
            for number in range(start + shared, end):
                yield self.without(own[number])
            if more:
                yield self.more_statements(own, end, more)

    def of(self, part: HclValue) -> "_DocumentWriter":
        """The writer of the document that a statement is part of."""
        if part.text is self.value.text:
            return _DocumentWriter(self.value, self.layout.about(part, part.node.end_byte - 1))
        return _DocumentWriter(part, layout_near(part, part.node, self.layout.near.shared))

    def statement(self, block: HclNode, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Edit]:
        """The edits of one statement."""
        for element in dict.fromkeys((*before, *after)):
            old, new = before.get(element), after.get(element)
            if old == new:
                continue
            if element in _ARGUMENTS:
                yield from self.argument(block, _ARGUMENTS[element], old, new)
            elif element in _PRINCIPALS:
                yield from self.principals(block, _PRINCIPALS[element], old, new)
            elif element == "Condition":
                yield from self.conditions(block, old or {}, new or {})
            else:
                raise CannotWrite("not-in-source", f"a policy document has no {element}")

    def argument(self, block: HclNode, name: str, old: Any, new: Any) -> Iterator[Edit]:
        """The edits of an argument; one that is not there is added before all others."""
        arguments = arguments_of(block)
        if name not in arguments or new is None:
            raise CannotWrite("not-in-source", f"the argument {name} is not written")
        yield from (
            self.single(block, name, old, new)
            if name in ("sid", "effect", "version")
            else self.listed(arguments[name], old, new)
        )

    def single(self, block: HclNode, name: str, old: Any, new: Any) -> list[Edit]:
        """The edits of an argument that is a text."""
        return text_edits(self.value.at(arguments_of(block)[name]), variables(old), variables(new), self.layout.near)

    def listed(self, node: HclNode, old: Any, new: Any) -> list[Edit]:
        """The edits of an argument that is a list of texts."""
        one, other = (list(map(variables, texts_listed(value))) for value in (old, new))
        value = self.value.at(node)
        try:
            return CollectionWriter(self.layout).edits(value, one, other)
        except CannotWrite:
            if value.plain.node.type in ("object", "tuple"):
                raise
        # made by a function say: it is written out where it is used
        return [value.text.edit(node.start_byte, node.end_byte, self.layout.rendered(other, "", inline=True))]

    def principals(self, block: HclNode, kind: str, old: Any, new: Any) -> Iterator[Edit]:
        """The edits of the principals of a statement."""
        if not isinstance(old, Mapping) or not isinstance(new, Mapping) or len(old) != len(new):
            raise CannotWrite("not-in-source", "the principals are written in another way")
        blocks = list(child_blocks(block, kind))
        if len(blocks) != len(old):
            raise CannotWrite("not-in-source", "the principals are put together of several blocks")
        for below, (name, value), (new_name, new_value) in zip(blocks, old.items(), new.items(), strict=True):
            if name != new_name:
                yield from self.single(below, "type", name, new_name)
            if value != new_value:
                yield from self.listed(arguments_of(below)["identifiers"], value, new_value)

    # ---- conditions

    def conditions(self, block: HclNode, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Edit]:
        """The edits of the conditions of a statement: of as few blocks as can be."""
        before, after = condition_tests(old), condition_tests(new)
        blocks = self.condition_blocks(block, before)
        left = [test for test in after if test not in before]
        gone = [test for test in before if test not in after]
        for test in list(gone):
            other = max(left, key=lambda each: condition_likeness(test, each), default=None)
            if other is None or not condition_likeness(test, other):
                continue
            left.remove(other)
            gone.remove(test)
            yield from self.condition(_block_of(blocks, test), test, other)
        yield from (self.without(_block_of(blocks, test)) for test in gone)
        if left:
            yield self.more_conditions(block, left)

    def condition_blocks(self, block: HclNode, tests: Sequence[ConditionTest]) -> dict[ConditionTest, HclNode]:
        """The block of each test; those of which that is not certain have none."""
        left, blocks = list(tests), {}
        made = [below for dynamic in child_blocks(block, "dynamic", "condition") for below in child_blocks(dynamic, "content")]
        for below in (*child_blocks(block, "condition"), *made):
            arguments = arguments_of(below)
            if not {"test", "variable", "values"} <= arguments.keys():
                continue
            fits = [
                test
                for test in left
                if self.says(arguments["test"], test.operator) and self.says(arguments["variable"], test.key)
            ]
            for test in fits if below in made else fits[:1]:
                left.remove(test)
                blocks[test] = below
        return blocks

    def says(self, node: HclNode, text: str) -> bool:
        """Whether an expression may be a text."""
        value, text = self.value.at(node).plain, variables(text)
        known = value.known()
        if known is not None or value.node.type not in TEXTS:
            return known in (None, text)
        pieces = text_pieces(self.content, value.node)
        texts = {p.start: self.value.at(expression_in(p.node)).known() for p in pieces if p.node is not None}
        return with_texts(pieces, text, {start: word for start, word in texts.items() if word is not None}) is not None

    def condition(self, block: HclNode, old: ConditionTest, new: ConditionTest) -> Iterator[Edit]:
        """The edits of one condition block."""
        if old.operator != new.operator:
            yield from self.single(block, "test", old.operator, new.operator)
        if old.key != new.key:
            yield from self.single(block, "variable", old.key, new.key)
        if old.values != new.values:
            yield from self.listed(arguments_of(block)["values"], list(old.values), list(new.values))

    def more_conditions(self, block: HclNode, tests: Sequence[ConditionTest]) -> Edit:
        """Blocks for tests behind the last condition, else behind the last block."""
        inner = list(child_blocks(block))
        if not inner:
            raise CannotWrite("not-in-source", "the statement has no blocks")
        like = [below for below in inner if block_words(below)[0] == "condition"]
        last = (like or inner)[-1]
        indent, newline = indent_at(self.content, last.start_byte), self.layout.newline
        if len(like) > 1:
            between = self.content[like[-2].end_byte : like[-1].start_byte].decode()
            between = between if not between.strip() else newline + indent
        else:
            between = newline * 2 + indent
        text = "".join(between + self.condition_text(test, indent) for test in tests)
        end = _line_end(self.content, last.end_byte)
        return self.value.text.edit(end, end, text)

    def condition_text(self, test: ConditionTest, indent: str) -> str:
        """A condition block."""
        inner, newline, near = indent + self.layout.unit, self.layout.newline, self.layout.near
        values = ", ".join(near.alone(variables(value)) for value in test.values)
        rows = (
            f"test     = {near.alone(test.operator)}",
            f"variable = {near.alone(variables(test.key))}",
            f"values   = [{values}]",
        )
        return f"condition {{{newline}{inner}" + f"{newline}{inner}".join(rows) + f"{newline}{indent}}}"

    # ---- blocks

    def more_statements(self, blocks: Sequence[HclNode], index: int, statements: Sequence[Mapping[str, Any]]) -> Edit:
        """Blocks for statements behind one of the blocks."""
        if not blocks or index == 0:
            raise CannotWrite("not-in-source", "the document has no statement in whose form another one is written")
        last = blocks[index - 1]
        indent, newline = indent_at(self.content, last.start_byte), self.layout.newline
        text = "".join(newline * 2 + indent + self.statement_text(statement, indent) for statement in statements)
        end = _line_end(self.content, last.end_byte)
        return self.value.text.edit(end, end, text)

    def statement_text(self, statement: Mapping[str, Any], indent: str) -> str:
        """A statement block."""
        inner, newline, near = indent + self.layout.unit, self.layout.newline, self.layout.near
        rows: list[tuple[str, str]] = []
        for element, name in _ARGUMENTS.items():
            if element in statement:
                value = statement[element]
                single = name in ("sid", "effect")
                listed = ", ".join(near.alone(variables(item)) for item in texts_listed(value))
                rows.append((name, listed if single else f"[{listed}]"))
        width = max(len(name) for name, _ in rows)
        parts = [newline.join(f"{inner}{name:<{width}} = {text}" for name, text in rows)]
        for element, kind in _PRINCIPALS.items():
            for name, value in (statement.get(element) or {}).items():
                parts.append(inner + self.principal_text(kind, name, value, inner))
        tests = condition_tests(statement.get("Condition") or {})
        parts += [inner + self.condition_text(test, inner) for test in tests]
        return f"statement {{{newline}" + (newline * 2).join(parts) + f"{newline}{indent}}}"

    def principal_text(self, kind: str, name: str, value: Any, indent: str) -> str:
        """A block of principals."""
        inner, newline, near = indent + self.layout.unit, self.layout.newline, self.layout.near
        listed = ", ".join(near.alone(item) for item in texts_listed(value))
        rows = f'{newline}{inner}type        = "{name}"{newline}{inner}identifiers = [{listed}]'
        return f"{kind} {{{rows}{newline}{indent}}}"

    def without(self, block: HclNode) -> Edit:
        """The edit that removes a block with its lines, and the empty line before it."""
        if block_words(block) == ["content"]:
            raise CannotWrite("not-in-source", "the block is made by a dynamic block")
        start = self.content.rfind(b"\n", 0, block.start_byte)
        start -= self.content[start - 1 : start] == b"\r"
        above = self.content.rfind(b"\n", 0, start)
        if not self.content[above + 1 : start].strip():
            start = above - (self.content[above - 1 : above] == b"\r")
        return self.value.text.edit(start, _line_end(self.content, block.end_byte), "")


def _line_end(content: bytes, offset: int) -> int:
    """The end of the line behind an offset, where no more than a comment stands there."""
    end = content.find(b"\n", offset)
    end = len(content) if end < 0 else end - (content[end - 1 : end] == b"\r")
    rest = content[offset:end].strip()
    return end if not rest or rest.startswith((b"#", b"//")) else offset


def variables(value: Any) -> Any:
    """A text with the variables of IAM as the data source writes them, `&{...}`."""
    return value.replace("${", "&{") if isinstance(value, str) else value


def condition_tests(condition: Mapping[str, Any]) -> list[ConditionTest]:
    """The tests of a condition, in order."""
    return [
        ConditionTest(operator, key, tuple(texts_listed(values)))
        for operator, keys in condition.items()
        for key, values in keys.items()
    ]


def _block_of(blocks: Mapping[ConditionTest, HclNode], test: ConditionTest) -> HclNode:
    if test not in blocks:
        raise CannotWrite("not-in-source", "the condition is made by a dynamic block or written in another document")
    return blocks[test]


def condition_likeness(one: ConditionTest, other: ConditionTest) -> int:
    """How much two tests have in common, 0 for nothing."""
    claims = (one.key.rpartition(":")[2], other.key.rpartition(":")[2])
    same = (one.key == other.key, one.values == other.values, claims[0] == claims[1], one.operator == other.operator)
    return sum(weight for weight, is_same in zip((4, 8, 2, 1), same, strict=True) if is_same)
