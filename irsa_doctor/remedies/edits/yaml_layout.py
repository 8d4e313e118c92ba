"""New values of YAML, in flow and block style."""

from typing import Any

from irsa_doctor.remedies.edits.changes import Add
from irsa_doctor.remedies.edits.yaml_scalars import written_scalar


class YamlLayout:
    """Writes values with the line ends and the indentation of a level that a text has."""

    def __init__(self, newline: str, unit: int) -> None:
        self.newline = newline
        self.unit = unit

    def flow_child(self, add: Add, quote: str) -> str:
        """A member or an item of a container in flow style."""
        value = self.flow(add.value, quote)
        return value if add.name is None else f"{written_scalar(str(add.name), flow=True)}: {value}"

    def flow(self, value: Any, quote: str) -> str:
        """A value in flow style."""
        if isinstance(value, dict):
            return (
                "{" + ", ".join(f"{written_scalar(str(n), flow=True)}: {self.flow(v, quote)}" for n, v in value.items()) + "}"
            )
        if isinstance(value, list):
            return "[" + ", ".join(self.flow(item, quote) for item in value) + "]"
        return written_scalar(value, quote, flow=True)

    def block_child(self, add: Add, indent: int, quote: str) -> str:
        """A member or an item of a container in block style."""
        if add.name is None:
            return f"- {self.item(add.value, indent, quote)}"
        return f"{written_scalar(str(add.name))}:{self.block(add.value, indent, quote)}"

    def block(self, value: Any, indent: int, quote: str) -> str:
        """A value behind a colon, on the lines below where it has members; `indent` is that of the line of its name."""
        below, deeper = f"{self.newline}{' ' * (indent + self.unit)}", indent + self.unit
        if isinstance(value, dict) and value:
            return below + self.members(value, deeper, quote)
        if isinstance(value, list) and value:
            return "".join(f"{below}- {self.item(item, deeper, quote)}" for item in value)
        return f" {self.flow(value, quote)}"

    def members(self, value: dict[Any, Any], indent: int, quote: str) -> str:
        """The members of a mapping, one a line."""
        lines = [f"{written_scalar(str(name))}:{self.block(item, indent, quote)}" for name, item in value.items()]
        return f"{self.newline}{' ' * indent}".join(lines)

    def item(self, value: Any, indent: int, quote: str) -> str:
        """A value behind a dash, whose column is `indent`."""
        if isinstance(value, dict) and value:
            return self.members(value, indent + 2, quote)
        return self.flow(value, quote)
