"""Merges the blocks of override files into those that they override.

https://developer.hashicorp.com/terraform/language/files/override
"""

import os
from collections.abc import Iterable
from functools import cached_property

from irsa_doctor.sources.templates.terraform.syntax import Argument, Block, Body

_SETS = ("locals", "terraform")
"""Kinds of blocks of which there may be several: each is taken as it is."""


def is_override(path: str) -> bool:
    """Return whether Terraform loads a file last, to override the others: `override.tf`, `x_override.tf.json`."""
    name = os.path.basename(path).removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
    return name == "override" or name.endswith("_override")


def with_overrides(blocks: Iterable[Block], overrides: Iterable[Block]) -> tuple[Block, ...]:
    """Return the blocks, each merged with those of its kind and labels in override files, in the order of these."""
    merged = list(blocks)
    numbers = {(block.kind, block.labels): number for number, block in enumerate(merged)}
    for block in overrides:
        number = numbers.get((block.kind, block.labels))
        if number is None or block.kind in _SETS:
            merged.append(block)
        else:
            base = merged[number]
            merged[number] = MergedBlock(base.syntax, base.kind, base.labels, base.node, base.body, block.body)
    return tuple(merged)


class MergedBlock(Block, frozen=True, dict=True, eq=False):
    """A block with what an override file says of it."""

    base: Body
    override: Body

    @cached_property
    def body(self) -> Body:
        """Its arguments and blocks."""
        return MergedBody(self.base.syntax, self.base.node, self.base, self.override)


class MergedBody(Body, frozen=True, dict=True, eq=False):
    """Arguments that are replaced one by one, and nested blocks that are replaced all of a kind."""

    base: Body
    override: Body

    @cached_property
    def arguments(self) -> dict[str, Argument]:
        """The arguments by name; in JSON, blocks of a kind are an argument."""
        kinds = {_kind(block) for block in self.override.blocks}
        kept = {name: argument for name, argument in self.base.arguments.items() if name not in kinds}
        return {**kept, **self.override.arguments}

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks in their order."""
        kinds = {_kind(block) for block in self.override.blocks} | self.override.arguments.keys()
        return (*(block for block in self.base.blocks if _kind(block) not in kinds), *self.override.blocks)


def _kind(block: Block) -> str:
    """What a nested block makes; a dynamic one makes those of its label."""
    return block.labels[0] if block.kind == "dynamic" and block.labels else block.kind
