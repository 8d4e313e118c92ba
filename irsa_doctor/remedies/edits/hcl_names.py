"""What the names in a Terraform module stand for, as far as that is written in the input."""

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property

import msgspec

from irsa_doctor.remedies.edits.hcl_texts import text_pieces
from irsa_doctor.remedies.edits.records import CannotWrite, SourceText
from irsa_doctor.text.hcl_tree import (
    HclNode,
    arguments_of,
    block_words,
    call_of,
    child_blocks,
    hcl_tree,
    plain_node,
    reference_words,
    significant,
)
from irsa_doctor.text.json_tree import NoTree

_CALL = re.compile(r"module\.([\w-]+)(?:\[[^\]]*\])?\.")
_DEEP = 20
TEXTS = ("string_lit", "quoted_template", "heredoc_template")
"""kinds of nodes that are texts"""


class HclValue(msgspec.Struct, frozen=True, dict=True, eq=False):
    """An expression of a text, in a module that is called by an address: `module.cart.`, or "" for a root module."""

    text: SourceText
    node: HclNode
    module: str = ""

    def at(self, node: HclNode) -> "HclValue":
        """Another expression of the same text."""
        return HclValue(self.text, node, self.module)

    @property
    def source(self) -> str:
        """The expression as it is written."""
        return self.text.content[self.node.start_byte : self.node.end_byte].decode()

    @cached_property
    def plain(self) -> "HclValue":
        """The expression without parentheses, and without quotes around nothing but one that is put in between."""
        node = plain_node(self.node)
        if node.type == "quoted_template":
            inner = significant(node)[1:-1]
            if [part.type for part in inner] == ["template_interpolation"]:
                return self.at(expression_in(inner[0])).plain
        return self.at(node)

    @cached_property
    def declared(self) -> "HclValue | None":
        """What a local or a variable stands for, where that is written; None for anything else."""
        words = reference_words(self.plain.node)
        if len(words) != 2 or words[0] not in ("local", "var"):
            return None
        names = ModuleNames(self.text, self.module)
        return names.local(words[1]) if words[0] == "local" else names.variable(words[1])

    @property
    def uses(self) -> int:
        """How often the name that the expression is stands in the files of its module."""
        return ModuleNames(self.text, self.module).uses(".".join(reference_words(self.plain.node)))

    def declared_for_policies(self) -> "HclValue":
        """What a name stands for that only policies read. Raises CannotWrite where something else would change with it."""
        name = ".".join(reference_words(self.plain.node))
        other = ModuleNames(self.text, self.module).foreign_use(name)
        if self.declared is None or other:
            raise CannotWrite("shared-text", f"{other} reads {name} as well")
        return self.declared

    def known(self, depth: int = 0) -> str | None:
        """The text that an expression is, as far as it follows from what is written; None where it does not."""
        value = self.plain
        if depth > _DEEP:
            return None
        if value.node.type in TEXTS:
            pieces = text_pieces(self.text.content, value.node)
            texts = [p.text if p.node is None else self.at(expression_in(p.node)).known(depth + 1) for p in pieces]
            return None if None in texts else "".join(text for text in texts if text is not None)
        name, arguments = call_of(value.node)
        if name:
            return _called(name, [self.at(argument).known(depth + 1) for argument in arguments])
        return value.declared.known(depth + 1) if value.declared else None


def expression_in(interpolation: HclNode) -> HclNode:
    """The expression that is put in between."""
    return next((part for part in significant(interpolation) if part.type == "expression"), interpolation)


def _called(name: str, arguments: list[str | None]) -> str | None:
    """What some functions of texts make (https://developer.hashicorp.com/terraform/language/functions)."""
    texts = [argument for argument in arguments if argument is not None]
    if len(texts) != len(arguments):
        return None
    if name == "replace" and len(texts) == 3 and not texts[1].startswith("/"):
        return texts[0].replace(texts[1], texts[2])
    if name == "trimprefix" and len(texts) == 2:
        return texts[0].removeprefix(texts[1])
    return texts[0].removesuffix(texts[1]) if name == "trimsuffix" and len(texts) == 2 else None


_OF_POLICIES = frozenset({("resource", "aws_iam_role"), ("data", "aws_iam_policy_document")})
_OF_MODULES = (["locals"], ["variable"], ["module"])
"""blocks that only hand values on: who reads these is judged again once they have changed"""


def _pattern_of(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![\w.-])" + re.escape(name.encode()) + rb"(?![\w-])")


class ModuleNames:
    """The names of the module that a text is part of, as it is called by an address."""

    def __init__(self, text: SourceText, module: str) -> None:
        self.text = text
        self.module = module
        self.folder = posixpath.dirname(text.document)

    def files(self, folder: str, ending: str = ".tf") -> Iterator[SourceText]:
        """The texts of a folder, in the order of their paths."""
        for path in sorted({*self.text.other_texts, self.text.document}):
            if posixpath.dirname(path) == folder and path.endswith((ending, ".hcl")):
                text = self.text if path == self.text.document else self.text.other_texts[path]
                if text.form == "hcl":
                    yield text

    def uses(self, name: str) -> int:
        """How often a name stands in the files of the module."""
        pattern = _pattern_of(name)
        return sum(len(pattern.findall(text.content)) for text in self.files(self.folder))

    def foreign_use(self, name: str) -> str:
        """The words of a block that reads a name and says nothing of trust policies, "" where none does."""
        pattern = _pattern_of(name)
        for text, block in self._blocks(self.folder):
            words = block_words(block)
            is_foreign = tuple(words[:2]) not in _OF_POLICIES and words[:1] not in _OF_MODULES
            if is_foreign and pattern.search(text.content[block.start_byte : block.end_byte]):
                return ".".join(words)
        return ""

    def block(self, *words: str) -> HclValue | None:
        """The only block with these words in the files of the module."""
        blocks = [HclValue(text, block, self.module) for text, block in self._blocks(self.folder, *words)]
        return blocks[0] if len(blocks) == 1 else None

    def local(self, name: str) -> HclValue | None:
        """The expression of a local."""
        for text, block in self._blocks(self.folder, "locals"):
            if name in (arguments := arguments_of(block)):
                return HclValue(text, arguments[name], self.module)
        return None

    def variable(self, name: str) -> HclValue | None:
        """The expression that gives a variable its value: of the call, of a file of variables, or the default."""
        argument = self._argument(name) if self.module else self._of_variables(name)
        if argument is not None:
            return argument
        for text, block in self._blocks(self.folder, "variable", name):
            if "default" in (arguments := arguments_of(block)):
                return HclValue(text, arguments["default"], self.module)
        return None

    def _blocks(self, folder: str, *words: str) -> Iterator[tuple[SourceText, HclNode]]:
        for text in self.files(folder):
            for block in child_blocks(tree_of(text), *words):
                yield text, block

    def _of_variables(self, name: str) -> HclValue | None:
        """Files of variables that Terraform loads by itself; the last one counts
        (https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence)."""
        listed = [*self.files(self.folder, "terraform.tfvars"), *self.files(self.folder, ".auto.tfvars")]
        for text in reversed([text for text in listed if text.document.endswith(".tfvars")]):
            if name in (arguments := arguments_of(tree_of(text))):
                return HclValue(text, arguments[name], "")
        return None

    def _argument(self, name: str) -> HclValue | None:
        calls = list(_CALL.finditer(self.module))
        if not calls:
            return None
        callers = list(self._callers(calls[-1][1]))
        if len(callers) > 1:
            raise CannotWrite("ambiguous", f"{self.module.rstrip('.')} is called in several folders")
        for text, block in callers:
            if name in (arguments := arguments_of(block)):
                return HclValue(text, arguments[name], self.module[: calls[-1].start()])
        return None

    def _callers(self, name: str) -> Iterator[tuple[SourceText, HclNode]]:
        for folder in {posixpath.dirname(path) for path in self.text.other_texts}:
            for text, block in self._blocks(folder, "module", name):
                source = arguments_of(block).get("source")
                path = HclValue(text, source).known() if source is not None else None
                if path and path.startswith(".") and posixpath.normpath(posixpath.join(folder, path)) == (self.folder or "."):
                    yield text, block


def tree_of(text: SourceText) -> HclNode:
    """The tree of a text. Raises CannotWrite where it is not valid."""
    try:
        return hcl_tree(text.content)
    except NoTree:
        raise CannotWrite("unreadable", f"{text.document} is no valid Terraform configuration") from None
