"""Copies of a record that differ from it in a few texts: what has none of them in it is shared."""

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any, cast

import msgspec

from irsa_doctor.issuers import Profile
from irsa_doctor.trust.languages import Like
from irsa_doctor.trust.operators import OperatorUse

_WHOLE = frozenset([int, bool, float, NoneType, Profile, OperatorUse])
"""what is not looked into"""


class CannotRename(Exception):
    """A record holds a text in another form than by itself, so that a copy with another text would not be true."""


class Renaming:
    """A record, taken apart once for all copies of it.

    Records, tuples, lists, sets and dictionaries are looked into. Two places that hold one object hold one object in the copy
    too.
    """

    def __init__(self, record: object, texts: Sequence[str]) -> None:
        """Raises CannotRename where a text is part of another one, or may be part of a pattern."""
        self._record = record
        self._texts = {text: slot for slot, text in enumerate(texts)}
        self._steps: list[tuple[Callable[[list[Any]], Any], list[Any], list[tuple[int, int]]]] = []
        self._slots: dict[int, int | None] = {}
        self._slot = self._slot_of(record) if texts else None

    def copy(self, texts: Sequence[str]) -> Any:
        """The record with other texts, each in the place of the one that was given in its place."""
        if self._slot is None:
            return self._record
        values: list[Any] = list(texts)
        for make, members, changed in self._steps:
            renewed = members.copy()
            for place, slot in changed:
                renewed[place] = values[slot]
            values.append(make(renewed))
        return values[self._slot]

    def _slot_of(self, value: object) -> int | None:
        """Where the copy of a value is found among those made, None where it is the value itself."""
        kind = type(value)
        if kind is str:
            return self._slot_of_text(cast(str, value))
        if kind in _WHOLE or (kind is tuple and not value):
            return None
        number = id(value)
        if number not in self._slots:
            self._slots[number] = self._slot_of_record(value)
        return self._slots[number]

    def _slot_of_text(self, text: str) -> int | None:
        slot = self._texts.get(text)
        if slot is None:
            for renamed in self._texts:
                if renamed in text:
                    raise CannotRename
        return slot

    def _slot_of_record(self, value: object) -> int | None:
        make, members = _taken_apart(value)
        changed = [(place, slot) for place, member in enumerate(members) if (slot := self._slot_of(member)) is not None]
        if not changed:
            return None
        self._steps.append((make, members, changed))
        return len(self._texts) + len(self._steps) - 1


def _taken_apart(value: object) -> tuple[Callable[[list[Any]], Any], list[Any]]:
    """What makes a value out of its members, and these."""
    if isinstance(value, Like):
        raise CannotRename
    if isinstance(value, msgspec.Struct):
        record = type(value)
        return lambda members: record(*members), list(msgspec.structs.astuple(value))
    if isinstance(value, dict):
        names = list(value)
        return lambda members: dict(zip(names, members, strict=True)), list(value.values())
    if isinstance(value, tuple | list | frozenset):
        return type(value), list(value)
    raise CannotRename
