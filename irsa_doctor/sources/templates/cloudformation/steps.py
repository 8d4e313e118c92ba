"""What the functions of a CloudFormation template may cost, so that a few lines cannot take for ever."""

from irsa_doctor.model.limits import pause
from irsa_doctor.text.errors import WrongShape

_STEPS, _ALL_STEPS = 100_000, 2_000_000
"""Steps of the functions of one property, and of all of a template"""
_DEEP = 60
_PAUSE = 1023
"""Steps between two looks at the limits of the run"""


class TemplateSteps:
    """The steps that the functions of one property and those of the whole template have taken."""

    def __init__(self) -> None:
        self.of_property = 0
        self.of_all = 0

    def spend(self, pointer: str, depth: int, steps: int = 1) -> None:
        """Count steps; raises WrongShape where there were too many, or functions are nested too deeply."""
        self.of_property += steps
        self.of_all += steps
        if self.of_all & _PAUSE == 0:
            pause()
        if depth > _DEEP:
            raise WrongShape(pointer, f"functions nested too deeply: more than {_DEEP} deep")
        if self.of_property > _STEPS:
            raise WrongShape(pointer, f"functions of more than {_STEPS:,} steps")
        if self.of_all > _ALL_STEPS:
            raise WrongShape(pointer, f"functions of more than {_ALL_STEPS:,} steps in one template")
