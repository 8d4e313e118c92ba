"""Where an expression of Terraform's configuration language is evaluated, and what its references may cost.

https://developer.hashicorp.com/terraform/language/expressions/references
"""

from collections.abc import Callable, Mapping

import msgspec

from irsa_doctor.model import text_of
from irsa_doctor.sources.templates.values import TemplateValue, scalar_text
from irsa_doctor.text.errors import WrongShape

_DEEP = 100
"""Expressions inside expressions, those that a reference leads to counted in."""

PathStep = str | TemplateValue
"""`.name`, or `[value]`"""
Lookup = Callable[[str, list[PathStep], "EvaluationScope"], TemplateValue | None]
"""What a reference stands for, by its first word and all that follows it; None where nobody can tell. Steps that were
followed are taken off the list."""


class MissingMember(Exception):
    """A member or item that is not there, which `try` is for."""


class Budget:
    """What all expressions of a run may cost together, so that a few lines cannot keep it busy for ever."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.depth = 0

    def spend(self) -> None:
        """Count one step; raises WrongShape where there were too many."""
        self.steps -= 1
        if self.steps < 0 or self.depth > _DEEP:
            raise WrongShape("", "expressions inside expressions beyond all measure")


class EvaluationScope(msgspec.Struct, frozen=True):
    """Where an expression stands: in a file, in a module (`lookup`, `prefix`), in an instance or a block (`names`).

    `mark` tells instances and repeated blocks apart in the names of holes.
    """

    lookup: Lookup
    budget: Budget
    prefix: str = ""
    names: Mapping[str, TemplateValue] = {}
    mark: str = ""

    def with_names(self, names: Mapping[str, TemplateValue], mark: str = "") -> "EvaluationScope":
        """The same with more names."""
        return msgspec.structs.replace(self, names={**self.names, **names}, mark=self.mark + mark)


def step_text(step: PathStep) -> str:
    """A step as it is written."""
    if isinstance(step, str):
        return f".{step}"
    if isinstance(step.value, int):
        return f"[{step.value}]"
    text = scalar_text(step.value)
    return f'["{text_of(text)}"]' if text is not None else "[?]"
