"""Expands `Fn::ForEach` of a CloudFormation template, as the transform AWS::LanguageExtensions does.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_LOOP = "Fn::ForEach::"
_MOST = 50_000
"""parts of a template that loops may make"""
_DEEP = 40


class Looped(NamedTuple):
    """A template whose loops are expanded, as far as their collections are known."""

    members: dict[str, object]
    paths: Mapping[str, tuple[str | int, ...]]
    """resource of a loop -> where it is written, from the root of the template"""
    once: tuple[str, ...] = ()
    """the loops whose collection is known only at deployment: what they make is read once, the item a hole"""


class _TooMany(Exception):
    pass


class _Loops:
    """The expansion of one template, with what it may still make."""

    def __init__(self, members: Mapping[str, object], parameters: Mapping[str, str]) -> None:
        self.members = members
        self.parameters = parameters
        self.left = _MOST
        self.paths: dict[str, tuple[str | int, ...]] = {}
        self.once: list[str] = []

    def resources(self, resources: Mapping[str, object], path: tuple[str | int, ...], depth: int = 0) -> dict[str, object]:
        """The resources, those of loops under the names that they get."""
        made: dict[str, object] = {}
        for name, item in resources.items():
            if not str(name).startswith(_LOOP):
                made[name] = self.inside(item, depth)
                if path != ("Resources",):
                    self.paths.setdefault(name, (*path, name))
            elif not _is_loop(item) or depth > _DEEP:
                made[name] = item
            else:
                for key, written, body in self._turns(item) or self._once(name, item):
                    inner = self.resources({key: body}, (*path, name, 2), depth + 1)
                    made |= inner
                    self.paths |= {of: (*path, name, 2, written) for of in inner if of == key}
        return made

    def inside(self, value: Any, depth: int) -> Any:
        """A value with the loops in its members expanded."""
        if depth > _DEEP:
            return value
        if isinstance(value, list):
            return [self.inside(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        made: dict[object, object] = {}
        for name, item in value.items():
            turns = self._turns(item) if isinstance(name, str) and name.startswith(_LOOP) and _is_loop(item) else None
            if turns is None:
                made[name] = self.inside(item, depth + 1)
            for key, _, body in turns or ():
                made |= self.inside({key: body}, depth + 1)
        return made

    def _once(self, name: str, loop: Any) -> list[tuple[str, str, object]]:
        """What a loop makes, once, as it is written."""
        self.once.append(name)
        return [(str(key), str(key), body) for key, body in loop[2].items()]

    def _turns(self, loop: Any) -> list[tuple[str, str, object]] | None:
        """The members that a loop makes, each with its name as it is written; None where the collection is not known."""
        items = self._collection(loop[1])
        if items is None:
            return None
        bodies = loop[2].items()
        return [
            (str(self._filled(key, loop[0], item)), str(key), self._filled(body, loop[0], item))
            for item in items
            for key, body in bodies
        ]

    def _collection(self, written: object) -> list[str] | None:
        """The items of a collection: texts, lists of a parameter, or both."""
        listed: list[str] = []
        for item in written if isinstance(written, list) else [written]:
            values = [item] if isinstance(item, str) else self._of_parameter(item)
            if values is None:
                return None
            listed += values
        return listed

    def _of_parameter(self, reference: object) -> list[str] | None:
        name = reference.get("Ref") if isinstance(reference, dict) else None
        declared = self.members.get("Parameters")
        parameter = declared.get(name) if isinstance(declared, dict) and isinstance(name, str) else None
        if not isinstance(parameter, dict) or str(parameter.get("Type")).startswith("AWS::SSM::") or parameter.get("NoEcho"):
            return None
        text = self.parameters.get(str(name), parameter.get("Default"))
        return [part.strip() for part in text.split(",")] if isinstance(text, str) and text else None

    def _filled(self, value: object, identifier: str, item: str, depth: int = 0) -> object:
        """A copy of a value in which the identifier is an item of the collection."""
        self.left -= 1
        if self.left < 0 or depth > _DEEP:
            raise _TooMany
        if isinstance(value, str):
            plain = re.sub("[^A-Za-z0-9]", "", item)
            return value.replace(f"${{{identifier}}}", item).replace(f"&{{{identifier}}}", plain)
        if isinstance(value, list):
            return [self._filled(part, identifier, item, depth + 1) for part in value]
        if not isinstance(value, dict):
            return value
        if value.get("Ref") == identifier and len(value) == 1:
            return item
        copied: dict[object, object] = {}
        for key, part in value.items():
            copied[self._filled(key, identifier, item, depth + 1)] = self._filled(part, identifier, item, depth + 1)
        return copied


def _is_loop(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[2], dict)


def without_loops(members: dict[str, object], parameters: Mapping[str, str]) -> Looped:
    """The template with its loops expanded; as it is where they would make too much."""
    resources = members.get("Resources")
    if not isinstance(resources, dict) or not any(_names_a_loop(resources)):
        return Looped(members, {})
    loops = _Loops(members, parameters)
    try:
        made = loops.resources(resources, ("Resources",))
    except _TooMany:
        return Looped(members, {})
    return Looped({**members, "Resources": made}, loops.paths, tuple(loops.once))


def _names_a_loop(value: object) -> Iterator[bool]:
    """Yield true for each loop in a value, bounded as hostile ones are."""
    waiting, left = [(value, 0)], _MOST * 4
    while waiting and left:
        left -= 1
        item, depth = waiting.pop()
        if isinstance(item, dict):
            yield any(isinstance(name, str) and name.startswith(_LOOP) for name in item)
        if depth <= _DEEP and isinstance(item, dict | list):
            waiting += [(inner, depth + 1) for inner in (item.values() if isinstance(item, dict) else item)]
