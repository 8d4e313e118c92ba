"""The functions of conditions of a CloudFormation template over parts that may be unknown."""

from collections.abc import Sequence


def compared_parameter(condition: object) -> tuple[str, object] | None:
    """Return the parameter and the literal that `Fn::Equals` compares, None where it is anything else."""
    sides = condition.get("Fn::Equals") if isinstance(condition, dict) else None
    if not isinstance(sides, list) or len(sides) != 2:
        return None
    for subject, value in (sides, sides[::-1]):
        if isinstance(subject, dict) and isinstance(subject.get("Ref"), str) and isinstance(value, str | int | bool):
            return subject["Ref"], str(value)
    return None


def combined_conditions(function: object, parts: Sequence[bool | None]) -> bool | None:
    """Return the result of `Fn::Not`, `Fn::And` and `Fn::Or` over conditions that may be unknown."""
    if function == "Fn::Not" and len(parts) == 1 and parts[0] is not None:
        return not parts[0]
    if function == "Fn::And":
        return False if False in parts else None if None in parts else True
    if function == "Fn::Or":
        return True if True in parts else None if None in parts else False
    return None
