"""The difference of two JSON values as the fewest changes of the first, which writers carry out one by one.

Pointers lead into the value before. Only surplus members and items are added or dropped: a member that goes while another one
comes is renamed, so that what is written beside it keeps its place.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import msgspec

from irsa_doctor.text.scanner import escaped


class Rename(msgspec.Struct, frozen=True):
    """The member at a pointer gets another name."""

    pointer: str
    name: Any


class Put(msgspec.Struct, frozen=True):
    """Another value takes the place of the one at a pointer."""

    pointer: str
    value: Any
    before: Any


class Drop(msgspec.Struct, frozen=True):
    """The member or item at a pointer goes."""

    pointer: str


class Add(msgspec.Struct, frozen=True):
    """A value is added to the object or list at a pointer, with a name in an object: before the child `index`, behind all
    where that is the number of children."""

    pointer: str
    index: int
    name: Any
    value: Any


Change = Rename | Put | Drop | Add


def changes(before: Any, after: Any, pointer: str = "") -> Iterator[Change]:
    """Yield what changes one value into the other."""
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_members(before, after, pointer)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_items(before, after, pointer)
    elif _mark(before) != _mark(after):
        yield Put(pointer, after, before)


def _mark(value: Any) -> str:
    """A text that is the same for equal values alone; truth values are no numbers, and members have an order."""
    return json.dumps(value, default=repr)


def _of_members(before: Mapping[Any, Any], after: Mapping[Any, Any], pointer: str) -> Iterator[Change]:
    names = _names_after(before, after)
    for name, value in before.items():
        below = f"{pointer}/{escaped(str(name))}"
        if name not in names:
            yield Drop(below)
            continue
        if names[name] != name:
            yield Rename(below, names[name])
        yield from changes(value, after[names[name]], below)
    kept = set(names.values())
    order = list(names.values())
    for name, value in after.items():
        if name not in kept:
            yield Add(pointer, _index(name, list(after), order, list(names), list(before)), name, value)


def _names_after(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[Any, Any]:
    """The name that each member has afterwards, without those that go."""
    same_values = len(before) == len(after) and list(map(_mark, before.values())) == list(map(_mark, after.values()))
    if same_values:
        return dict(zip(before, after, strict=True))
    names = {name: name for name in before if name in after}
    new = [name for name in after if name not in before]
    for name in (name for name in before if name not in after):
        like = [other for other in new if _alike(before[name], after[other])]
        best = next((other for other in like if _mark(before[name]) == _mark(after[other])), like[0] if like else None)
        if best is not None:
            names[name] = best
            new.remove(best)
    return {name: names[name] for name in before if name in names}


def _alike(one: Any, other: Any) -> bool:
    """Whether a value may have become another one: both are objects with a member or all values in common or of one member,
    or neither is."""
    if isinstance(one, dict) and isinstance(other, dict):
        same = len(one) == len(other) and _mark(list(one.values())) == _mark(list(other.values()))
        return bool(one.keys() & other.keys()) or len(one) == len(other) == 1 or same
    return not isinstance(one, dict) and not isinstance(other, dict)


def _index(name: Any, after: list[Any], kept: list[Any], old: list[Any], before: list[Any]) -> int:
    """Before which of the children a new member stands: behind the nearest one before it that is kept."""
    for earlier in reversed(after[: after.index(name)]):
        if earlier in kept:
            return before.index(old[kept.index(earlier)]) + 1
    return 0 if any(later in kept for later in after[after.index(name) :]) else len(before)


def changed_items(old: Sequence[Any], new: Sequence[Any], *, in_place: bool) -> Iterator[tuple[int, int, int, int]]:
    """The ranges of two lists of marks that differ; `in_place`: of lists of one length, items change where they stand, also
    where one becomes equal to another."""
    if in_place and len(old) == len(new):
        yield from ((n, n + 1, n, n + 1) for n in range(len(old)) if old[n] != new[n])
        return
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield start, end, new_start, new_end


def _of_items(before: Sequence[Any], after: Sequence[Any], pointer: str) -> Iterator[Change]:
    old, new = list(map(_mark, before)), list(map(_mark, after))
    objects = all(isinstance(item, Mapping) for item in (*before, *after))
    for start, end, new_start, new_end in changed_items(old, new, in_place=objects):
        shared = min(end - start, new_end - new_start)
        for number in range(shared):
            yield from changes(before[start + number], after[new_start + number], f"{pointer}/{start + number}")
        for number in range(start + shared, end):
            yield Drop(f"{pointer}/{number}")
        for number in range(new_start + shared, new_end):
            yield Add(pointer, end, None, after[number])
