"""Edits of Terraform's configuration in JSON: policies in calls of jsonencode, and data sources that say a policy as members.

https://developer.hashicorp.com/terraform/language/syntax/json
"""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.hcl_documents import ConditionTest, condition_likeness, condition_tests, texts_listed
from irsa_doctor.remedies.edits.hcl_names import HclValue, tree_of
from irsa_doctor.remedies.edits.json import escaped_ranges, json_ranges
from irsa_doctor.remedies.edits.records import CannotWrite, Edit, SourceText, Wish, values_by_name
from irsa_doctor.text.hcl_tree import arguments_of
from irsa_doctor.text.json_tree import NoTree, SyntaxNode, json_tree

_CALL = re.compile(r"\$\{\s*jsonencode\(.*\)\s*\}", re.DOTALL)
_HEAD = "x = "
_ARGUMENTS = {"Sid": "sid", "Effect": "effect", "Action": "actions", "Resource": "resources"}
_PRINCIPALS = {"Principal": "principals", "NotPrincipal": "not_principals"}
_TOGETHER = ("source_policy_documents", "override_policy_documents", "source_json", "override_json", "dynamic")
_VARIABLE = re.compile(r"\$\{(?=[\w-]+:)")

ExpressionWriter = Callable[[HclValue, Wish], Sequence[Edit]]
"""what edits a policy that an expression makes"""


def json_configuration_edits(text: SourceText, wish: Wish, in_expression: ExpressionWriter) -> tuple[Edit, ...] | None:
    """The edits of a configuration in JSON; None where the place is neither such a call nor such a data source, or the text is
    in the language's own syntax. Raises CannotWrite."""
    anchor = text.anchors.get((wish.place.part, wish.place.pointer))
    if not text.content.lstrip().startswith(b"{") or anchor is None or anchor.pointer is not None:
        return None
    if not isinstance(wish.before, Mapping) or not isinstance(wish.after, Mapping) or wish.merge or wish.transform:
        return None
    try:
        root = json_tree(text.content)
    except NoTree:
        return None
    node = _node_at(root, anchor.start, anchor.end)
    if node is None:
        return None
    if node.kind == "string":
        return _expression_edits(text, node, wish, in_expression)
    value = msgspec.json.decode(text.content[node.start : node.end])
    if not isinstance(value, dict) or "statement" not in value:
        return None
    made = _with_policy(value, *values_by_name(wish))
    ranges = json_ranges(text.content, root, node, Wish(wish.place, value, made))
    return tuple(text.edit(*each) for each in ranges)


def _node_at(node: SyntaxNode, start: int, end: int) -> SyntaxNode | None:
    """The node that is written at a range."""
    if (node.start, node.end) == (start, end):
        return node
    below = next((child.node for child in node.children if child.node.start <= start and end <= child.node.end), None)
    return _node_at(below, start, end) if below else None


def _expression_edits(
    text: SourceText, node: SyntaxNode, wish: Wish, in_expression: ExpressionWriter
) -> tuple[Edit, ...] | None:
    """The edits of a call of jsonencode in a string."""
    written = text.content[node.start + 1 : node.end - 1].decode()
    value = msgspec.json.decode(text.content[node.start : node.end], type=str)
    if not _CALL.fullmatch(value):
        return None
    begin, finish = value.index("{") + 1, value.rindex("}")
    whole = SourceText(text.document, (_HEAD + value[begin:finish] + "\n").encode(), "hcl", other_texts=text.other_texts)
    expression = arguments_of(tree_of(whole)).get("x")
    if expression is None:
        return None
    edits = in_expression(HclValue(whole, expression), wish)
    if any(edit.document != text.document for edit in edits):
        raise CannotWrite("not-in-source", "the policy is put together in a way that is not edited")
    moved = len(value[:begin].encode()) - len(_HEAD)
    ranges = [(edit.start + moved, edit.end + moved, edit.new) for edit in edits]
    return tuple(text.edit(*each) for each in escaped_ranges(written, value, node.start + 1, ranges))


def _with_policy(block: dict[str, Any], before: Any, after: Any) -> dict[str, Any]:
    """The members of a data source so that its policy becomes another one. Raises CannotWrite."""
    if any(name in block for name in _TOGETHER):
        raise CannotWrite("not-in-source", "the policy is put together of several documents or by a dynamic block")
    made = copy.deepcopy(block)
    statements = texts_listed(made["statement"])
    old, new = texts_listed(before["Statement"]), texts_listed(after["Statement"])
    if len(statements) != len(old) or len(old) != len(new) or any("dynamic" in each for each in statements):
        raise CannotWrite(
            "not-in-source", "a statement more or less is not written in a data source in JSON", "edit it by hand"
        )
    if before.get("Version") != after.get("Version"):
        made["version"] = after.get("Version")
    for statement, one, other in zip(statements, old, new, strict=True):
        _change(statement, one, other)
    return made


def _change(statement: dict[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Make the members of a statement say another one."""
    for element in dict.fromkeys((*old, *new)):
        if old.get(element) == new.get(element):
            continue
        if element in _ARGUMENTS and element in new:
            name = _ARGUMENTS[element]
            statement[name] = _like(statement.get(name), new[element], single=name in ("sid", "effect"))
        elif element in _PRINCIPALS and isinstance(new.get(element), Mapping):
            statement[_PRINCIPALS[element]] = _principals(statement.get(_PRINCIPALS[element]), new[element])
        elif element == "Condition":
            _change_conditions(statement, old.get(element) or {}, new.get(element) or {})
        else:
            raise CannotWrite("not-in-source", f"the data source does not say {element} as it is read")


def _like(written: Any, value: Any, *, single: bool = False) -> Any:
    """A text or texts in the form of what stands there."""
    texts = [_VARIABLE.sub("&{", each) if isinstance(each, str) else each for each in texts_listed(value)]
    return texts[0] if len(texts) == 1 and (single or isinstance(written, str)) else texts


def _principals(written: Any, principals: Mapping[str, Any]) -> Any:
    known = {each.get("type"): each for each in texts_listed(written or [])}
    made = [
        {**known.get(kind, {"type": kind}), "identifiers": _like(known.get(kind, {}).get("identifiers"), value)}
        for kind, value in principals.items()
    ]
    return made[0] if len(made) == 1 and isinstance(written, dict) else made


def _change_conditions(statement: dict[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Make the conditions of a statement other ones, each in the place of the one that it is most like."""
    written = statement.get("condition")
    blocks = texts_listed(written or [])
    before, after = condition_tests(old), condition_tests(new)
    if len(blocks) != len(before):
        raise CannotWrite("not-in-source", "the condition is made by a dynamic block or written in another document")
    left = [test for test in after if test not in before]
    by_test: dict[ConditionTest, dict[str, Any]] = {}
    for test in before:
        block = next(
            (each for each in blocks if each.get("test") == test.operator and _is_unclaimed(each, by_test, test)), None
        )
        if block is None:
            raise CannotWrite("not-in-source", "the condition is made by a dynamic block or written in another document")
        by_test[test] = block
    kept = []
    for test in before:
        other = test if test in after else max(left, key=lambda each: condition_likeness(test, each), default=None)
        if other is None or not (other == test or condition_likeness(test, other)):
            continue
        if other != test:
            left.remove(other)
            _change_test(by_test[test], test, other)
        kept.append(by_test[test])
    blocks = [block for block in blocks if any(block is each for each in kept)]
    blocks += [
        {"test": test.operator, "variable": _like("", test.key), "values": _like([], list(test.values))} for test in left
    ]
    statement["condition"] = blocks[0] if len(blocks) == 1 and isinstance(written, dict) else blocks


def _is_unclaimed(block: dict[str, Any], by_test: Mapping[ConditionTest, dict[str, Any]], test: ConditionTest) -> bool:
    """Whether a block may be the one of a test: no other one is, and it says its key as it is read, or in an expression."""
    variable = str(block.get("variable"))
    says = variable == _like("", test.key) or ("${" in variable and variable.rpartition(":")[2] == test.key.rpartition(":")[2])
    return says and not any(block is each for each in by_test.values())


def _change_test(block: dict[str, Any], old: ConditionTest, new: ConditionTest) -> None:
    block["test"] = new.operator
    if old.key != new.key:
        block["variable"] = _like("", new.key)
    if old.values != new.values:
        block["values"] = _like(block.get("values"), list(new.values))
