"""Reads the module that a file of Terragrunt calls: `terraform { source }` and `inputs`.

https://docs.terragrunt.com/reference/hcl/blocks#terraform
"""

from collections.abc import Iterable, Mapping

import msgspec

from irsa_doctor.model import text_of
from irsa_doctor.sources.templates.terraform.folder import local_path, source_of
from irsa_doctor.sources.templates.terraform.modules import Module
from irsa_doctor.sources.templates.terraform.syntax import Block
from irsa_doctor.sources.templates.values import TemplateValue, hole
from irsa_doctor.text.positions import Anchor

ADDRESS = "terragrunt"
"""What findings call the module: Terragrunt gives it no name"""


class TerragruntCall(msgspec.Struct, frozen=True):
    """A call of a module: the block that names its source, and its inputs by name; `includes`: other files have more."""

    block: Block
    source: str
    inputs: Mapping[str, TemplateValue]
    includes: bool = False

    def with_unknown(self, names: Iterable[str]) -> Mapping[str, TemplateValue]:
        """The inputs, and those of the names that may be in a file that is included as holes."""
        place = Anchor(None, self.block.node.start_byte, self.block.node.end_byte), self.block.syntax.document
        more = {name: TemplateValue(hole(f"{name} of what is included"), *place) for name in names}
        return {**more, **self.inputs} if self.includes else self.inputs


def terragrunt_block(module: Module) -> Block | None:
    """The block of a folder's file of Terragrunt that calls a module, None where the folder has none."""
    return next((b for b in module.folder.blocks if b.kind == "terraform" and "source" in b.body.arguments), None)


def terragrunt_call(module: Module, block: Block) -> TerragruntCall:
    """The call that a block of Terragrunt makes; raises WrongShape where its inputs exceed a limit."""
    scope = module.likely(block)[0].scope
    argument = block.syntax.arguments.get("inputs")
    value = module.argument(argument, scope).value if argument else {}
    inputs = {text_of(name): item for name, item in value.items()} if isinstance(value, Mapping) else {}
    return TerragruntCall(block, source_of(block), inputs, any(b.kind == "include" for b in module.folder.blocks))


def called_folder(module: Module, call: TerragruntCall) -> str:
    """The folder of a call of a module beside it, "" for any other; a double slash divides package and module."""
    return local_path(module.folder.path, call.source.replace("//", "/"))
