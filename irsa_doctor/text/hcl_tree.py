"""The concrete syntax of Terraform's configuration language, as edits of its texts need it.

The grammar is that of tree-sitter-hcl (https://github.com/tree-sitter-grammars/tree-sitter-hcl).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from irsa_doctor.text.json_tree import NoTree

HclNode = Any
"""tree_sitter.Node, which is imported only where there is something to parse"""


@lru_cache(maxsize=8)
def hcl_tree(content: bytes) -> HclNode:
    """The tree of a whole text. Raises NoTree where any part of it is not valid."""
    import tree_sitter
    import tree_sitter_hcl

    root = tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language())).parse(content).root_node
    if root.has_error:
        raise NoTree("the configuration is not valid")
    return root


def significant(node: HclNode) -> Sequence[HclNode]:
    """The named children, comments left out."""
    return [child for child in node.named_children if child.type != "comment"]


def child_blocks(block: HclNode, *labels: str) -> Iterator[HclNode]:
    """The blocks in a block or a file whose kind and labels begin with these words."""
    for child in _body(block):
        if child.type == "block" and block_words(child)[: len(labels)] == list(labels):
            yield child


def block_words(block: HclNode) -> list[str]:
    """The kind and the labels of a block."""
    words = [child for child in block.named_children if child.type in ("identifier", "string_lit")]
    return [word.text.decode(errors="replace").strip('"') for word in words]


def arguments_of(block: HclNode) -> dict[str, HclNode]:
    """The expressions of the arguments of a block or a file, by name."""
    listed = [significant(child) for child in _body(block) if child.type == "attribute"]
    return {parts[0].text.decode(errors="replace"): parts[-1] for parts in listed if len(parts) > 1}


def _body(block: HclNode) -> Iterator[HclNode]:
    for child in block.named_children:
        if child.type == "body":
            yield from child.named_children


def plain_node(node: HclNode) -> HclNode:
    """An expression without what is around it and has no meaning: the nodes of the grammar, parentheses."""
    while node.type in ("expression", "template_expr", "literal_value", "collection_value") and len(significant(node)) == 1:
        node = significant(node)[0]
    return node


def reference_words(node: HclNode) -> tuple[str, ...]:
    """The words of `a.b.c`, none where an expression is anything else."""
    if node.type == "variable_expr":
        return (node.text.decode(errors="replace"),)
    parts = significant(node)
    if node.type != "expression" or not parts or parts[0].type != "variable_expr":
        return ()
    if any(part.type != "get_attr" for part in parts[1:]):
        return ()
    return tuple(part.text.decode(errors="replace").lstrip(".").strip() for part in parts)


def call_of(node: HclNode) -> tuple[str, Sequence[HclNode]]:
    """The name and the arguments of a function call; "" where an expression is anything else."""
    if node.type != "function_call":
        return "", ()
    name, *rest = significant(node)
    return name.text.decode(errors="replace"), [
        part for part in significant(rest[0]) if part.type == "expression"
    ] if rest else []
