"""Edits of Terraform's configuration language: policies in document blocks, in jsonencode, in texts and in known modules."""

import json
import re
from collections.abc import Mapping

import msgspec

from irsa_doctor.remedies.edits.hcl_collections import CollectionWriter, collection_of, layout_near, plain_value
from irsa_doctor.remedies.edits.hcl_documents import document_edits
from irsa_doctor.remedies.edits.hcl_json import json_configuration_edits
from irsa_doctor.remedies.edits.hcl_modules import module_edits
from irsa_doctor.remedies.edits.hcl_names import TEXTS, HclValue, expression_in, tree_of
from irsa_doctor.remedies.edits.hcl_references import hcl_node_at, references
from irsa_doctor.remedies.edits.hcl_texts import text_pieces
from irsa_doctor.remedies.edits.hcl_values import KnownExpressions, SharedTexts, piece_edits
from irsa_doctor.remedies.edits.json import text_ranges
from irsa_doctor.remedies.edits.nearness import PlacedReference
from irsa_doctor.remedies.edits.put_in import filled_pieces
from irsa_doctor.remedies.edits.records import CannotWrite, Edit, SourceText, Wish
from irsa_doctor.text.hcl_tree import arguments_of, block_words
from irsa_doctor.text.scanner import unescaped_steps

_MODULE = re.compile(r"(?:module\.[\w-]+(?:\[[^\]]*\])?\.)+")
_DEEP = 20


def write_hcl(text: SourceText, wish: Wish) -> tuple[Edit, ...]:
    """The edits of a Terraform configuration. Raises CannotWrite."""
    in_json = json_configuration_edits(text, wish, lambda value, each: _edits(value, each, SharedTexts()))
    if in_json is not None:
        return in_json
    value = _placed(text, wish)
    shared, agreed = SharedTexts(references(text, wish, tree_of(text), value.module)), -1
    edits: list[Edit] = []
    while agreed < shared.agreed:
        # once it is known that all uses of a text want another one, they are edited together
        agreed = shared.agreed
        edits = _edits(value, wish, shared)
    return tuple(dict.fromkeys(edits))


_HEAD, _TAIL = b"x = <<EOT\n", b"\nEOT\n"


def write_read_file(text: SourceText, wish: Wish) -> tuple[Edit, ...]:
    """The edits of a policy in a file that a configuration reads, by `file` or `templatefile`. Raises CannotWrite."""
    if b"${" not in text.content and b"%{" not in text.content:
        ranges = text_ranges(text.content.decode(), wish)
        return tuple(text.edit(*one) for one in ranges)
    whole = SourceText(text.document, _HEAD + text.content + _TAIL, "hcl", other_texts=text.other_texts)
    node = arguments_of(tree_of(whole)).get("x")
    if node is None:
        raise CannotWrite("unreadable", f"{text.document} is no valid template")
    edits = _text_edits(HclValue(whole, node).plain, wish, SharedTexts())
    return tuple(text.edit(edit.start - len(_HEAD), edit.end - len(_HEAD), edit.new) for edit in edits)


def is_read_by_configuration(text: SourceText, wish: Wish) -> bool:
    """Whether a configuration has a value from a text of another form."""
    anchor = text.anchors.get((wish.place.part, wish.place.pointer))
    return text.form != "hcl" and anchor is not None and anchor.pointer is None


def _edits(value: HclValue, wish: Wish, shared: SharedTexts) -> list[Edit]:
    if wish.merge:
        return _text_edits(_policy_of(value), wish, shared)
    if wish.transform:
        before = plain_value(value)
        try:
            after = wish.transform(before)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise CannotWrite("not-in-source", "the document does not have this value as it is read") from None
        return CollectionWriter(layout_near(value, value.node, shared)).edits(value, before, after)
    if not isinstance(wish.before, Mapping):
        return CollectionWriter(layout_near(value, value.node, shared)).edits(value, wish.before, wish.after)
    return _policy_edits(_policy_of(value), wish, shared)


def _placed(text: SourceText, wish: Wish) -> HclValue:
    """The expression or block at the place of a wish."""
    anchor = text.anchors.get((wish.place.part, wish.place.pointer))
    if anchor is None or anchor.pointer is not None or anchor.start < 0:
        raise CannotWrite("not-in-source", "it is not known where the value is written")
    steps = unescaped_steps(wish.place.pointer)
    module = _MODULE.match(steps[0]) if steps else None
    return HclValue(text, hcl_node_at(tree_of(text), anchor.start, anchor.end), module[0] if module else "")


def _policy_of(value: HclValue) -> HclValue:
    """Where the policy is written that an expression is: a block, an object or a text."""
    for _ in range(_DEEP):
        value = value.plain
        while value.node.type == "body" and value.node.named_child_count == 1:
            value = value.at(value.node.named_children[0])
        if value.node.type == "attribute":
            value = value.at(value.node.named_children[-1])
        elif value.node.type in ("object", "block", *TEXTS):
            return value
        elif value.declared is not None:
            value = value.declared_for_policies()
        else:
            return collection_of(value)
    raise CannotWrite("not-in-source", "the policy is put together in a way that is not edited")


def _policy_edits(value: HclValue, wish: Wish, shared: SharedTexts) -> list[Edit]:
    if value.node.type in TEXTS:
        return _text_edits(value, wish, shared)
    layout = layout_near(value, value.node, shared)
    if value.node.type == "object":
        return CollectionWriter(layout).edits(value, wish.before, wish.after)
    words = block_words(value.node)
    if words[:2] == ["data", "aws_iam_policy_document"]:
        return document_edits(value, layout, wish.before, wish.after)
    if words[0] == "module":
        return module_edits(value, layout, wish.before, wish.after)
    written = next((node for name, node in arguments_of(value.node).items() if name.startswith("assume_role_policy")), None)
    if written is None:
        raise CannotWrite("not-in-source", "the block does not say the policy")
    return _policy_edits(_policy_of(value.at(written)), wish, shared)


# ---- policies that are the JSON in a text


def _text_edits(value: HclValue, wish: Wish, shared: SharedTexts) -> list[Edit]:
    """The edits of a policy in a text, what is put in between left in its place."""
    if value.node.type not in TEXTS:
        raise CannotWrite("not-in-source", "the policy is written in another form than JSON")
    written = text_pieces(value.text.content, value.node)
    known = {piece.start: value.at(expression_in(piece.node)).known() for piece in written if piece.node is not None}
    pieces = filled_pieces(written, {start: word for start, word in known.items() if word is not None}, wish.before)
    whole = "".join(piece.text for piece in pieces)
    more = [
        PlacedReference(json.loads(f'"{p.text}"'), value.at(expression_in(p.node)).source, p.start)
        for p in pieces
        if p.node is not None
    ]
    near = KnownExpressions.near(value, value.node, shared, more)
    raw = whole.encode()
    edits: list[Edit] = []
    for start, end, new in text_ranges(whole, msgspec.structs.replace(wish, opened=None)):
        first, last = (len(raw[:offset].decode()) for offset in (start, end))
        after = whole[:first] + new + whole[last:]
        edits += piece_edits(value, pieces, whole, after, near)
    return edits
