"""The references by which a Terraform configuration writes what it leaves open, learned from what is written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from irsa_doctor.model import Place, text_of
from irsa_doctor.remedies.edits.hcl_names import TEXTS, HclValue, expression_in
from irsa_doctor.remedies.edits.hcl_values import SHORTEST, valued_pieces
from irsa_doctor.remedies.edits.nearness import PlacedReference
from irsa_doctor.remedies.edits.records import CannotWrite, SourceText, Wish
from irsa_doctor.text.hcl_tree import HclNode
from irsa_doctor.text.scanner import escaped


def references(text: SourceText, wish: Wish, root: HclNode, module: str) -> Sequence[PlacedReference]:
    """The expressions that stand in the text for what is open in a value, with the text that each has there.

    Those in keys come first: new keys are written as their neighbours are.
    """
    return sorted(_rows(text, wish, root, module), key=lambda row: not row.is_name) if wish.opened else ()


def _rows(text: SourceText, wish: Wish, root: HclNode, module: str) -> Iterator[PlacedReference]:
    """The expressions in texts that are open."""
    opened = wish.opened
    for place, value, is_name in _texts(wish.place, opened.value, wish.before) if opened else ():
        anchor = text.anchors.get((place.part, place.pointer))
        if anchor is None or anchor.pointer is not None:
            continue
        start, end = (anchor.name, anchor.name_end) if is_name else (anchor.start, anchor.end)
        if start >= 0 and opened and opened.is_open(value):
            expression = HclValue(text, hcl_node_at(root, start, end), module)
            for known, source in _of_expression(expression, value):
                yield PlacedReference(known, source, start, is_name)


def _texts(place: Place, value: Any, filled: Any) -> Iterator[tuple[Place, str, bool]]:
    """Every text of a value with its place, and whether it is the name of a member; `filled` is the same without holes."""
    if isinstance(value, Mapping):
        for (name, item), (text, below) in zip(value.items(), filled.items(), strict=True):
            inner = Place(place.document, f"{place.pointer}/{escaped(text_of(name))}", place.part)
            yield inner, text, True
            yield from _texts(inner, item, below)
    elif isinstance(value, list | tuple):
        for number, (item, below) in enumerate(zip(value, filled, strict=True)):
            yield from _texts(place.at(number), item, below)
    elif isinstance(filled, str):
        yield place, filled, False


def _of_expression(expression: HclValue, value: str) -> Iterator[tuple[str, str]]:
    plain = expression.plain
    if plain.node.type not in TEXTS:
        if len(value) >= SHORTEST and plain.node.type in ("expression", "variable_expr", "function_call", "expr_term"):
            yield value, plain.source
        return
    try:
        pieces = valued_pieces(plain, value)
    except CannotWrite:
        return
    for piece in pieces:
        if piece.node is not None and len(piece.text) >= SHORTEST:
            yield piece.text, plain.at(expression_in(piece.node)).source


def hcl_node_at(root: HclNode, start: int, end: int) -> HclNode:
    """The outermost node of a range of bytes that is one expression or block."""
    node = root.descendant_for_byte_range(start, max(start, end - 1))
    while node.parent is not None and (node.start_byte > start or node.end_byte < end):
        node = node.parent
    while node.parent is not None and node.parent.type in _AROUND and _bytes_of(node.parent) == _bytes_of(node):
        node = node.parent
    return node


_AROUND = ("expression", "template_expr", "literal_value", "collection_value")


def _bytes_of(node: HclNode) -> tuple[int, int]:
    return node.start_byte, node.end_byte
