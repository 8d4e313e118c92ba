"""Parses Terraform's configuration language: the blocks and arguments of a file, and where they are written.

The grammar is that of tree-sitter-hcl (https://github.com/tree-sitter-grammars/tree-sitter-hcl).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import msgspec

from irsa_doctor.sources.documents.rendered_texts import error_of_template
from irsa_doctor.text.errors import TextError

Node = Any
"""tree_sitter.Node, which is imported only where there is something to parse"""
LARGEST = 16 << 20
"""Bytes of one file that are read."""
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#numeric-literals): there are no other bases."""
_OTHER_BASE = re.compile(rb"0[xXbBoO](?<![\w.]0.)\w+")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*(?:\"|$)")
_PARTS = 1_000
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_KEY_IN_BRACKETS = re.compile(rb"(?<=[^\s(\[{,?:&|+\-*/%<>=!])(\s*\n[ \t]*)[ \t](?=\()")
_BLOCK = re.compile(rb"^(?=(?:resource|data|module|component|variable|locals|output)\b[^\n]*\{)", re.MULTILINE)
CALLS = ("module", "component")
"""Kinds of blocks that call a module; components are those of Stacks
(https://developer.hashicorp.com/terraform/language/block/stack/tfcomponent/component)"""
_CLOSING = {
    "quoted_template_end": "the closing quote",
    "heredoc_identifier": "the end of the heredoc",
    "block_end": "the closing brace",
    "object_end": "the closing brace",
    "tuple_end": "the closing bracket",
}


class Syntax(msgspec.Struct, frozen=True, dict=True, eq=False):
    """The syntax of one file; `document` is its path. Broken parts are an error and are left out.

    A tree takes a hundred times the memory of its text, so it is built on first use and can be released.
    """

    document: str
    text: bytes

    @cached_property
    def parsed(self) -> tuple[tuple[Node, ...], TextError | None]:
        """The trees, one, or of a broken file one for each part of it; and what is wrong."""
        return _parse(self.text)

    @property
    def text_error(self) -> TextError | None:
        """The first thing that is wrong."""
        return self.parsed[1]

    def release(self) -> None:
        """Release the trees."""
        for name in ("parsed", "blocks", "arguments"):
            self.__dict__.pop(name, None)

    @cached_property
    def blocks(self) -> tuple["Block", ...]:
        """The blocks at the top of the file."""
        return tuple(block for body in self._bodies() for block in body.blocks)

    @cached_property
    def arguments(self) -> dict[str, "Argument"]:
        """The arguments at the top of the file, which files of variables have."""
        return {name: argument for body in self._bodies() for name, argument in body.arguments.items()}

    def _bodies(self) -> Iterator["Body"]:
        for root in self.parsed[0]:
            # what is broken has no body around its blocks
            yield Body(self, root)
            yield from (Body(self, child) for child in root.named_children if child.type in ("body", "ERROR"))

    def word(self, node: Node) -> str:
        """The text of a node as it is written."""
        return self.text[node.start_byte : node.end_byte].decode(errors="replace")


class Argument(msgspec.Struct, frozen=True):
    """`name = expression`."""

    syntax: Syntax
    name: str
    node: Node
    """of the whole argument"""
    value: Node
    """of the expression"""

    @property
    def name_span(self) -> tuple[int, int]:
        """The bytes of its name."""
        return self.node.start_byte, self.node.start_byte + len(self.name.encode())


class Block(msgspec.Struct, frozen=True, dict=True, eq=False):
    """`kind "label" "label" { ... }`."""

    syntax: Syntax
    kind: str
    labels: tuple[str, ...]
    node: Node

    @cached_property
    def body(self) -> "Body":
        """What is between the braces."""
        is_component = self.kind == "component" and self.labels
        node = next((child for child in self.node.named_children if child.type == "body"), None)
        return (ComponentBody if is_component else Body)(self.syntax, node)


class Body(msgspec.Struct, frozen=True, dict=True, eq=False):
    """Arguments and blocks; those with an error in them are left out."""

    syntax: Syntax
    node: Node | None

    @cached_property
    def arguments(self) -> dict[str, Argument]:
        """The arguments by name."""
        arguments = {}
        for child in self.node.named_children if self.node is not None else ():
            if child.type == "attribute" and not child.has_error and len(parts := child.named_children) > 1:
                name = self.syntax.word(parts[0])
                arguments[name] = Argument(self.syntax, name, child, parts[-1])
        return arguments

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks in their order."""
        return tuple(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        for child in self.node.named_children if self.node is not None else ():
            if child.type == "block" and not child.has_error:
                words = [part for part in child.named_children if part.type in ("identifier", "string_lit")]
                kind, *labels = [self.syntax.word(word).strip('"') for word in words]
                yield Block(self.syntax, kind, tuple(labels), child)


class ComponentBody(Body, frozen=True, dict=True, eq=False):
    """The body of a component of a Stack. The arguments for its module are members of one object, and are given as those of a
    call have them; `inputs` stays what it is where it is no such object."""

    @cached_property
    def arguments(self) -> dict[str, Argument]:
        """The arguments by name."""
        own = Body(self.syntax, self.node).arguments
        members = self._members(own["inputs"].value) if "inputs" in own else {}
        if members is None:
            return own
        return {**{name: argument for name, argument in own.items() if name != "inputs"}, **members}

    def _members(self, node: Node) -> dict[str, Argument] | None:
        """The members of an object with plain names, None for any other expression."""
        while node.type in ("expression", "collection_value") and len(inside := parts_of(node)) == 1:
            (node,) = inside
        if node.type != "object":
            return None
        pairs = [parts_of(element) for element in node.named_children if element.type == "object_elem"]
        named = {self.syntax.word(pair[0]).strip('"'): pair for pair in pairs if len(pair) > 1}
        if not all(_NAME.fullmatch(name) for name in named):
            return None
        return {name: Argument(self.syntax, name, pair[0].parent, pair[-1]) for name, pair in named.items()}


def template_of(text: bytes, *, quoted: bool) -> tuple[Syntax, Node | None, int]:
    """The syntax of a text that is a template by itself, as JSON has them; its node, None where it is no template; and the
    number of bytes before it. A text that is nothing but `${...}` is parsed `quoted`, and has the value of that."""
    if quoted:
        whole, before = b'x = "' + text + b'"\n', 5
    else:
        mark = b"EOT"
        while mark in text:
            mark += b"T"
        whole, before = b"x = <<" + mark + b"\n" + text + b"\n" + mark + b"\n", len(mark) + 7
    syntax = Syntax("", whole)
    arguments = syntax.arguments if not syntax.text_error else {}
    return syntax, arguments["x"].value if "x" in arguments else None, before


def syntax_of(text: bytes, document: str) -> Syntax | TextError:
    """The syntax of a file; an error where it is over 16 MiB."""
    if len(text) > LARGEST:
        return TextError(f"{len(text) >> 20} MiB of Terraform configuration: more than {LARGEST >> 20} MiB are not read")
    return Syntax(document, text)


def _parse(text: bytes) -> tuple[tuple[Node, ...], TextError | None]:
    root = _parser().parse(text).root_node
    if root.has_error and _KEY_IN_BRACKETS.search(text):
        # to the grammar a line break is a blank, so that it takes a value and the key below it, `(key) = ...`, for one call
        root = _parser().parse(_KEY_IN_BRACKETS.sub(rb"\1,", text)).root_node
    if not root.has_error:
        return (root,), _number_error(root, text)
    # an open bracket takes all that follows it, so each part that begins like a block is read by itself
    starts = [match.start() for match in _BLOCK.finditer(text)][:_PARTS]
    roots = tuple(_parsed_part(text, start, end) for start, end in pairwise([0, *starts, len(text)]) if end > start)
    return roots, _text_error(next((part for part in roots if part.has_error), root), text)


def _number_error(root: Node, text: bytes) -> TextError | None:
    """The first number that the parser takes and Terraform does not, `0x1` say."""
    for match in _OTHER_BASE.finditer(text):
        node = root.descendant_for_byte_range(match.start(), match.end())
        if node is not None and node.type == "numeric_lit":
            word = match[0][:40].decode(errors="replace")
            why = f"not valid Terraform configuration: `{word}` is not a number"
            return TextError(why, *_position(text, match.start()))
    return None


def _parsed_part(text: bytes, start: int, end: int) -> Node:
    """A part of a file, its offsets those of the file."""
    import tree_sitter

    first, last = (tree_sitter.Point(text.count(b"\n", 0, offset), 0) for offset in (start, end))
    parser = tree_sitter.Parser(_parser().language)
    parser.included_ranges = [tree_sitter.Range(first, last, start, end)]
    return parser.parse(text).root_node


@lru_cache(maxsize=1)
def _parser() -> Any:
    import tree_sitter
    import tree_sitter_hcl

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def _text_error(root: Node, text: bytes) -> TextError:
    """The first thing that is not as the grammar has it; found without recursion, however deep it lies."""
    node, below = root, root
    while below is not None and not (node.is_error or node.is_missing):
        below = next((child for child in node.children if child.has_error or child.is_missing), None)
        node = node if below is None else below
    line, column = _position(text, node.start_byte)
    if node.is_missing:
        what = f"{_CLOSING.get(node.type, f'`{node.type}`')} is missing"
    else:
        what = f"{_unexpected(node, text)} is not expected"
    problem = TextError(what, line, column)
    made = error_of_template(text, problem, "Terraform configuration")
    return TextError(f"not valid Terraform configuration: {what}", line, column) if made is problem else made


def _unexpected(node: Node, text: bytes) -> str:
    """What the grammar does not have, without the texts in it: what a text holds may be nobody's business."""
    if _is_in_text(node):
        return "what follows in a text"
    line = text[node.start_byte : node.end_byte].split(b"\n", 1)[0].decode(errors="replace")
    shown = _QUOTED.sub('"..."', line)
    return f"`{shown[:40]}`"


def _is_in_text(node: Node) -> bool:
    """Whether a node lies in a quoted text or a heredoc."""
    parent = node.parent
    while parent is not None and not parent.type.startswith(("quoted_template", "heredoc", "string_lit", "template_")):
        parent = parent.parent
    return parent is not None


def _position(text: bytes, offset: int) -> tuple[int, int]:
    start = text.rfind(b"\n", 0, offset) + 1
    return text.count(b"\n", 0, offset) + 1, len(text[start:offset].decode(errors="replace")) + 1


def parts_of(node: Node) -> Sequence[Node]:
    """The named children, comments left out."""
    return [child for child in node.named_children if child.type != "comment"]
