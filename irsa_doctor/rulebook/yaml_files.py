"""The YAML files of the rulebook: their values, and the line of each."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from irsa_doctor.facts import did_you_mean
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES
from irsa_doctor.model.regex import regex
from irsa_doctor.rulebook.rules import RuleError
from irsa_doctor.text.encoding import settle
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.os_errors import os_error_reason
from irsa_doctor.text.scanner import DEPTH
from irsa_doctor.text.yaml import compose
from irsa_doctor.text.yaml_values import scalar

_SIZE_LIMIT = 1 << 20
_NODE_LIMIT = 100_000
_AT = regex(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_STEP = regex(r"\.(\w+)|\[(\d+)\]")

# the words of msgspec for kinds of values, and ours
_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "str": "text",
    "bool": "a truth value",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
}
_QUOTED = ("a truth value", "a number", "nothing")

T = TypeVar("T")
Way = tuple[str | int, ...]
"""the way to a value: names of members, numbers of items"""


class Invalid(Exception):
    """What is wrong, and the way to where."""

    def __init__(self, says: str, at: Way = ()) -> None:
        super().__init__(says)
        self.at = at


def read_yaml_file(path: Path) -> tuple[Any, Mapping[Way, int]]:
    """The one document of a YAML file, and the lines (1-based) at which its values begin; raises RuleError."""
    try:
        if not path.is_file():
            raise RuleError(f"{path}: no file")
        if path.stat().st_size > _SIZE_LIMIT:
            raise RuleError(f"{path}: {path.stat().st_size} bytes: too large for a rule")
        text = settle(path.read_bytes())
    except OSError as error:
        raise RuleError(f"{path}: {os_error_reason(error)}") from error
    roots = text if isinstance(text, TextError) else compose(text)
    if isinstance(roots, TextError):
        raise RuleError(f"{path}:{roots.line or 1}: {roots.why}")
    reader = _Reader()
    try:
        if len(roots) > 1:
            raise Invalid("more than one document: a file holds one rule")
        return reader.value(roots[0], ()) if roots and roots[0] is not None else None, reader.lines
    except Invalid as wrong:
        raise refused(path, reader.lines, wrong) from wrong


class _Reader:
    """Nodes to values, with the line of each; `text.yaml` says what scalars mean."""

    def __init__(self) -> None:
        self.lines: dict[Way, int] = {}
        self.size = 0

    def value(self, node: Any, at: Way) -> Any:
        self.lines.setdefault(at, node.start_mark.line + 1)
        self.size += 1
        if self.size > _NODE_LIMIT or len(at) > DEPTH:
            raise Invalid("aliases that exceed the limit on the size of a file", at[:1])
        if node.id == "scalar":
            return scalar(node)
        if node.id == "sequence":
            return [self.value(item, (*at, number)) for number, item in enumerate(node.value)]
        return self.members(node, at)

    def members(self, node: Any, at: Way) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, item in node.value:
            if name.id != "scalar":
                raise Invalid("a member whose name is a list or an object", at)
            inside = (*at, name.value)
            if name.value in members:
                first, self.lines[inside] = self.lines[inside], name.start_mark.line + 1
                raise Invalid(f"{name.value} is given twice, first at line {first}", inside)
            self.lines[inside] = name.start_mark.line + 1
            members[name.value] = self.value(item, inside)
        return members


def refused(path: Path, lines: Mapping[Way, int], invalid: Invalid) -> RuleError:
    """The error of a file, with the line."""
    return RuleError(f"{path}:{line_of(lines, invalid.at)}: {invalid}")


def line_of(lines: Mapping[Way, int], at: Way) -> int:
    """The line of a value, or of the closest one around it."""
    for length in range(len(at), -1, -1):
        if line := lines.get(at[:length]):
            return line
    return 1


def converted(value: Any, kind: type[T], base: Way = (), keys: Sequence[str] = ()) -> T:
    """The record of a value at `base`; `keys` are those that may stand at its top, where they are not its fields.

    Raises Invalid.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error), kind, base, keys) from error


def _explained(error: str, kind: type, base: Way, keys: Sequence[str]) -> Invalid:
    """What msgspec reports of a value, in our words, with the way to it and, where there is one, the near miss."""
    match = _AT.fullmatch(error)
    what, path = (match["what"], match["path"] or "") if match else (error, "")
    at = base
    # the name of a member that may be any is not in the message: the way ends before it
    for step in _STEP.finditer(path.partition("[...]")[0]):
        at = (*at, int(step[2]) if step[2] else step[1])
    types = _types_at(kind, path)
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        known = keys if keys and not path else _keys_of(types)
        return Invalid(f"unknown key {unknown[1]}.{did_you_mean(unknown[1], known)}", (*at, unknown[1]))
    if missing := re.fullmatch(r"Object missing required field `(.*)`", what):
        return Invalid(f"{missing[1]} is missing", at)
    last = (re.findall(r"\w+", path) or [""])[-1]
    if what.startswith("Invalid enum value") and (choices := _choices_of(types)):
        return Invalid(f"{last} is one of {', '.join(choices)}; found{what.removeprefix('Invalid enum value')}", at)
    if names := re.fullmatch(r"Expected `(.*)`, got `(.*)`", what):
        expected, actual = (_KINDS.get(name.partition(" |")[0], name) for name in names.groups())
        what = f"expected {expected}, found {actual}{': quote it' if expected == 'text' and actual in _QUOTED else ''}"
    else:
        what = "not a valid value"
    return Invalid(f"{what}{f' ({spelt(at)})' if at else ''}", at)


def _types_at(kind: type, path: str) -> list[inspect.Type]:
    """The types that a value may have at the end of a path of msgspec, such as `.require[0].facts[...]`."""
    types = [inspect.type_info(kind)]
    for step in re.finditer(r"\.(\w+)|\[[^]]*\]", path):
        types = [inner for outer in types for inner in _inside(outer, step[1])]
    return types


def _inside(outer: inspect.Type, name: str | None) -> Iterator[inspect.Type]:
    """The types of a member, or of the items, of a type."""
    if isinstance(outer, inspect.StructType) and name:
        inner = next((field.type for field in outer.fields if field.encode_name == name), None)
    elif isinstance(outer, inspect.DictType):
        inner = outer.value_type
    else:
        inner = getattr(outer, "item_type", None)
    if isinstance(inner, inspect.UnionType):
        yield from inner.types
    elif inner is not None:
        yield inner


def _keys_of(types: Iterable[inspect.Type]) -> list[str]:
    return [field.encode_name for kind in types if isinstance(kind, inspect.StructType) for field in kind.fields]


def _choices_of(types: Iterable[inspect.Type]) -> list[str]:
    """The values of a closed list; msgspec sorts them by the alphabet, people by their weight."""
    values = [str(value) for kind in types if isinstance(kind, inspect.LiteralType) for value in kind.values if value]
    return next((list(weighed) for weighed in (SEVERITIES, CONFIDENCES) if set(weighed) == set(values)), values)


def spelt(at: Way) -> str:
    """A way as people write it."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).removeprefix(".")
