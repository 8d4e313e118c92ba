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
"""What a reference stands for, by its first word and all that follows it; None where it is not known. Steps that were
followed are removed from the list."""


class MissingMember(Exception):
    """A member or item that does not exist, as `try` handles it."""


class Budget:
    """The steps that all expressions of a run may take together, so that a few lines cannot take for ever."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.depth = 0

    def spend(self) -> None:
        """Count one step; raises WrongShape where there were too many."""
        self.steps -= 1
        if self.steps < 0 or self.depth > _DEEP:
            raise WrongShape("", "expressions nested too deeply, or too many of them")


class EvaluationScope(msgspec.Struct, frozen=True):
    """What an expression can refer to: its module (`lookup`, `prefix`), its instance or block (`names`).

    `mark` distinguishes instances and repeated blocks in the names of holes. `assumed` are the undecided conditions of which it
    is known whether they hold there: what they guard is made.
    """

    lookup: Lookup
    budget: Budget
    prefix: str = ""
    names: Mapping[str, TemplateValue] = {}
    mark: str = ""
    assumed: Mapping[str, bool] = {}
    files: object = None
    """the files that expressions may read (input_files.ModuleFiles)"""

    def with_names(self, names: Mapping[str, TemplateValue], mark: str = "") -> "EvaluationScope":
        """Return the same scope with more names."""
        return msgspec.structs.replace(self, names={**self.names, **names}, mark=self.mark + mark)


def step_text(step: PathStep) -> str:
    """Return a step as it is written."""
    if isinstance(step, str):
        return f".{step}"
    if isinstance(step.value, int):
        return f"[{step.value}]"
    text = scalar_text(step.value)
    return f'["{text_of(text)}"]' if text is not None else "[?]"
