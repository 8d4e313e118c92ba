"""Finds the name that was probably meant."""

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

_CROWD = 64
"""names that share half of their letters beyond which "did you mean" would be a guess"""


def is_one_letter_off(name: str, other: str) -> bool:
    """Whether a letter was left out, added, mistaken, or swapped with its neighbour."""
    if abs(len(name) - len(other)) > 1:
        return False
    start, shorter = 0, min(len(name), len(other))
    while start < shorter and name[start] == other[start]:
        start += 1
    a, b = name[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


class Names(msgspec.Struct, frozen=True, dict=True):
    """Names that exist, found by what is almost right. One letter leaves one half of a name as it was: that half is the key."""

    names: tuple[str, ...]

    @cached_property
    def _by_lower(self) -> Mapping[str, str]:
        return {name.lower(): name for name in sorted(self.names, reverse=True)}

    @cached_property
    def _by_half(self) -> Mapping[tuple[int, bool, str], list[str]]:
        table: dict[tuple[int, bool, str], list[str]] = {}
        for name in self.names:
            half = len(name) // 2
            table.setdefault((len(name), True, name[:half]), []).append(name)
            table.setdefault((len(name), False, name[half:]), []).append(name)
        return table

    def near(self, wrong: str) -> str:
        """The name that differs in case only, else one that is one letter off, else ""; of several the first by alphabet."""
        same = self._by_lower.get(wrong.lower(), "")
        if same and same != wrong:
            return same
        for length in (len(wrong), len(wrong) - 1, len(wrong) + 1):
            rest = length - length // 2
            for key in ((length, True, wrong[: length // 2]), (length, False, wrong[-rest:])):
                crowd = self._by_half.get(key, ())
                crowd = crowd if len(crowd) <= _CROWD else ()
                if near := [name for name in crowd if name != wrong and is_one_letter_off(name, wrong)]:
                    return min(near)
        return ""


def did_you_mean(wrong: str, names: Names | Iterable[str]) -> str:
    """The suggested name as a sentence with a space before it, or ""."""
    known = names if isinstance(names, Names) else Names(tuple(names))
    near = known.near(wrong)
    return f' Did you mean "{near}"?' if near else ""
