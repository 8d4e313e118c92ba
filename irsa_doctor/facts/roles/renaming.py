"""Copies of a record that differ from it in a few texts: what has none of them in it is shared."""

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

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

    def __init__(self, record: object, texts: Sequence[str], parts: Sequence[str] = ()) -> None:
        """`texts` stand by themselves, `parts` may be part of other texts. Raises CannotRename where one of `texts` is part of
        another text or may match a pattern, or one of `parts` is part of one of these or of a pattern."""
        if any(part in text for part in parts for text in texts):
            raise CannotRename
        self._record = record
        self._texts = texts
        self._parts = parts
        self._steps: list[tuple[Callable[[list[Any]], Any], list[Any], list[tuple[int, int]]]] = []
        self._slots: dict[int, int | None] = {}
        self._named = (*texts, *parts)
        self._slots_of_texts: dict[str, int | None] = {text: slot for slot, text in enumerate(self._named)}
        self._slot = self._slot_of(record) if self._named else None

    def copy(self, texts: Sequence[str]) -> Any:
        """The record with other texts (and parts), each in the place of the one that was given in its place."""
        if self._slot is None:
            return self._record
        values: list[Any] = list(texts)
        for make, members, changed in self._steps:
            renewed = members.copy()
            for place, slot in changed:
                renewed[place] = values[slot]
            values.append(make(renewed))
        return values[self._slot]

    def _slot_of(self, value: Any) -> int | None:
        """Where the copy of a value is found among those made, None where it is the value itself."""
        kind = type(value)
        if kind is str:
            return self._slots_of_texts[value] if value in self._slots_of_texts else self._slot_of_text(value)
        if kind in _WHOLE or (kind is Like and self._is_beside(value)):
            return None
        number = id(value)
        if number not in self._slots:
            self._slots[number] = self._slot_of_members(*_taken_apart(value))
        return self._slots[number]

    def _is_beside(self, pattern: Like) -> bool:
        """Whether a pattern has to do with none of the texts; it may match any that stands by itself."""
        literals = [piece for piece in pattern.glob.pieces if isinstance(piece, str)]
        if self._texts or any(part in literal for literal in literals for part in self._parts):
            raise CannotRename
        return True

    def _slot_of_text(self, text: str) -> int | None:
        slot = None
        if True in [named in text for named in self._named]:
            if any(named in text for named in self._texts):
                raise CannotRename
            pieces = [text]
            for part in self._parts:
                pieces = [piece for whole in pieces for piece in _around(whole, part)]
            slot = self._slot_of_members("".join, pieces)
        self._slots_of_texts[text] = slot
        return slot

    def _slot_of_members(self, make: Callable[[list[Any]], Any], members: list[Any]) -> int | None:
        slot_of = self._slot_of
        changed = [(place, slot) for place, member in enumerate(members) if (slot := slot_of(member)) is not None]
        if not changed:
            return None
        self._steps.append((make, members, changed))
        return len(self._named) + len(self._steps) - 1


def _around(text: str, part: str) -> list[str]:
    """A text cut before and behind each place where a part stands."""
    first, *rest = text.split(part)
    return [first, *[piece for behind in rest for piece in (part, behind)]]


def _taken_apart(value: Any) -> tuple[Callable[[list[Any]], Any], list[Any]]:
    """What makes a value out of its members, and these."""
    kind = type(value)
    if kind in (tuple, list, frozenset):
        return kind, list(value)
    if isinstance(value, msgspec.Struct):
        return lambda members: kind(*members), list(msgspec.structs.astuple(value))
    if kind is dict:
        half = len(value)
        return lambda members: dict(zip(members[:half], members[half:], strict=True)), [*value, *value.values()]
    raise CannotRename
