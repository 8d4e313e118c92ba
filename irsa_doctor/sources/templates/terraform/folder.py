"""The files of one Terraform module, and the blocks in them.

https://developer.hashicorp.com/terraform/language/files
"""

import os
import re
from collections.abc import Mapping
from functools import cached_property

import msgspec

from irsa_doctor.sources.templates.terraform.input_files import InputFiles
from irsa_doctor.sources.templates.terraform.overrides import is_override, with_overrides
from irsa_doctor.sources.templates.terraform.syntax import Argument, Block, Syntax
from irsa_doctor.sources.templates.values import TemplateValue

_LOCAL_SOURCE = re.compile(rb'\bsource"?[ \t]*[=:][ \t]*"(\.\.?/[^"$%\n]*)"')

_BACKEND = re.compile(rb'^[ \t]*(?:"?backend"?[ \t]*(?:"|[:=]?[ \t]*\{)|"?cloud"?[ \t]*[:=]?[ \t]*\{)', re.MULTILINE)


class ModuleFolder(msgspec.Struct, frozen=True, dict=True, eq=False):
    """The files of one module; `variables` are the values that files of variables beside it give, `files` all of the input."""

    path: str
    syntaxes: tuple[Syntax, ...]
    variables: Mapping[str, TemplateValue] = {}
    files: InputFiles = msgspec.field(default_factory=lambda: InputFiles({}))

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(len(syntax.text) for syntax in self.syntaxes)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks of all files, with what override files say of them."""
        overrides = [syntax for syntax in self.syntaxes if is_override(syntax.document)]
        blocks = tuple(block for syntax in self.syntaxes if syntax not in overrides for block in syntax.blocks)
        return with_overrides(blocks, (block for syntax in overrides for block in syntax.blocks)) if overrides else blocks

    @cached_property
    def named(self) -> Mapping[tuple[str, ...], Block]:
        """Blocks by kind and labels."""
        return {(block.kind, *block.labels): block for block in self.blocks}

    @cached_property
    def values(self) -> Mapping[str, Argument]:
        """The locals."""
        return {
            name: argument for block in self.blocks if block.kind == "locals" for name, argument in block.body.arguments.items()
        }

    @cached_property
    def sources(self) -> frozenset[str]:
        """The folders that may be those of modules called by their paths; found without parsing."""
        matches = (match for syntax in self.syntaxes for match in _LOCAL_SOURCE.findall(syntax.text))
        return frozenset(local_path(self.path, source.decode(errors="replace")) for source in matches)

    @property
    def is_deployed(self) -> bool:
        """Whether it is a root module, whoever calls it: it has a backend, which Terraform takes of no other
        (https://developer.hashicorp.com/terraform/language/backend)."""
        return any(_BACKEND.search(syntax.text) for syntax in self.syntaxes) and any(
            block.kind == "terraform" and _BACKEND.search(block.syntax.text) for block in self.blocks
        )

    def release(self) -> None:
        """Let go of what was made of the texts."""
        for name in ("blocks", "named", "values"):
            self.__dict__.pop(name, None)
        for syntax in self.syntaxes:
            syntax.release()


def source_of(call: Block) -> str:
    """The source of a module call, which Terraform takes only as a plain text."""
    argument = call.body.arguments.get("source")
    return argument.syntax.word(argument.value).strip().strip('"') if argument else ""


def has_open_inputs(call: Block) -> bool:
    """Whether the inputs of a component are no object as it stands, so that nobody knows which variables they give."""
    return call.kind == "component" and "inputs" in call.body.arguments


def local_path(folder: str, source: str) -> str:
    """The folder that a source of the form `./x` or `../x` names, "" for any other."""
    return os.path.normpath(os.path.join(folder, source)) if source.startswith(("./", "../")) else ""
