"""Where an expression of Terraform's configuration language is evaluated, and what its references may cost.

https://developer.hashicorp.com/terraform/language/expressions/references
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping

import msgspec

from irsa_doctor.model import text_of
from irsa_doctor.model.limits import pause
from irsa_doctor.sources.templates.values import TemplateValue, scalar_text
from irsa_doctor.text.errors import WrongShape

_DEEP = 200
"""Expressions inside expressions, those that a reference leads to counted in."""
_STEPS, _STEPS_A_BYTE = 200_000, 20
"""Steps that one expression may take, and those that all may take for each byte: far more than any configuration needs"""
_PAUSE = 1023
"""Steps between two looks at the limits of the run"""
_EXPRESSIONS = 5
"""Expressions of a root module that may take all the steps that one may"""
_FITTING, _OVERSIZE = 50, 50_000
"""Parts that every trust policy may have, and those beyond them of all policies of a root module"""
_ALL_INSTANCES, INSTANCES = 10_000, 1_000
"""Instances of all resources and modules of one root module, and of one block of it"""

PathStep = str | TemplateValue
"""`.name`, or `[value]`"""
Lookup = Callable[[str, list[PathStep], "EvaluationScope"], TemplateValue | None]
"""What a reference stands for, by its first word and all that follows it; None where it is not known. Steps that were
followed are removed from the list."""


class Budget:
    """What the expressions of one root module, and of all that it calls, may cost, so that a few lines cannot take for ever.

    Each expression that has a name of its own, a local or the argument of a resource, has its own steps: what one takes, no
    other lacks. `size` is that of the files in bytes.
    """

    def __init__(self, size: int = 0) -> None:
        self.most = _STEPS + _STEPS_A_BYTE * size
        self.steps = self.most
        self.all_steps = self.most * _EXPRESSIONS
        self.instances: Counter[Hashable] = Counter()
        self.all_instances = 0
        self.oversize = 0
        self.depth = 0

    def spend(self, steps: int = 1) -> None:
        """Count steps; raises WrongShape where there were too many."""
        self.steps -= steps
        self.all_steps -= steps
        if self.steps & _PAUSE == 0:
            pause()
        if self.steps < 0:
            raise WrongShape("", f"an expression of more than {self.most:,} steps")
        if self.all_steps < 0:
            raise WrongShape("", f"expressions of more than {self.most * _EXPRESSIONS:,} steps in one root module")
        if self.depth > _DEEP:
            raise WrongShape("", f"expressions nested more than {_DEEP} deep")

    def add_instance(self, block: Hashable) -> None:
        """Count an instance of the block of a resource or module; raises WrongShape where there are too many."""
        if self.oversize > _OVERSIZE:
            raise WrongShape(
                "", f"policies of more than {_OVERSIZE:,} parts in one root module, {_FITTING} of each not counted"
            )
        self.instances[block] += 1
        self.all_instances += 1
        if self.instances[block] > INSTANCES:
            raise WrongShape("", f"more than {INSTANCES:,} instances")
        if self.all_instances > _ALL_INSTANCES:
            raise WrongShape("", f"more than {_ALL_INSTANCES:,} instances of resources and modules in one root module")

    def add_policy(self, parts: int) -> None:
        """Count the parts of a policy that was read."""
        self.oversize += max(0, parts - _FITTING)

    def of_its_own(self) -> "_OwnSteps":
        """Evaluate an expression with the steps of one, whatever those before it took."""
        return _OwnSteps(self)


class _OwnSteps:
    """Gives an expression steps of its own while the context lasts. It is entered for each argument: a generator takes thrice
    as long."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._before = 0

    def __enter__(self) -> None:
        self._before, self._budget.steps = self._budget.steps, self._budget.most

    def __exit__(self, *_: object) -> None:
        self._budget.steps = self._before


def limit_instances(number: float) -> None:
    """Raise WrongShape where a block has more instances than are read."""
    if number > INSTANCES:
        raise WrongShape("", f"more than {INSTANCES:,} instances")


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
