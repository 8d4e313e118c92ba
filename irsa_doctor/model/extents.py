"""How far something reaches that a project has accepted, in a form that can be written down and compared."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

_Value = TypeVar("_Value")
IGNORING_CASE = "ignoring case: "
"""before the patterns among the keys whose letters match in either case"""


class Extent(msgspec.Struct, frozen=True):
    """Subjects that match one of `patterns` and none of `without`, with the `audiences`; `keys` are further conditions, in
    words, and whatever else must stay as it is."""

    patterns: tuple[str, ...] = ()
    without: tuple[str, ...] = msgspec.field(default=(), name="except")
    audiences: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The same for the same extent, in whatever order it is written."""
        parts = (self.patterns, self.without, self.audiences, self.keys)
        return hashlib.sha256(msgspec.json.encode([sorted(part) for part in parts])).hexdigest()[:32]

    def holds(self, other: "Extent") -> bool:
        """Whether another extent is a part of this one, as far as that is seen from the patterns."""
        if not self.patterns and not self.audiences:
            # each key is an extent: see `_union`
            return not other.patterns and set(other.keys) <= set(self.keys)
        return (
            _cover(self.patterns, other.patterns)
            and _cover(self.audiences, other.audiences)
            and set(self.without) <= set(other.without)
            and set(self.keys) <= set(other.keys)
            and ("*" in self.patterns or not any(key.startswith(IGNORING_CASE) for key in set(other.keys) - set(self.keys)))
        )


def fits(pattern: str, text: str) -> bool:
    """Whether the pattern matches the text: `*` is any run of characters, everything else is literal."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        # the leftmost place is always good enough: it leaves the most to the parts that follow
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _cover(patterns: Sequence[str], others: Sequence[str]) -> bool:
    """Whether every text that matches one of the others matches a pattern: a `*` of another is matched by a `*` alone."""
    return all(any(pattern == other or _wider(pattern, other) for pattern in patterns) for other in others)


def _wider(pattern: str, other: str) -> bool:
    # `${*}` is a character: whoever writes one is compared as text
    return "${" not in pattern and fits(pattern, other)


def worked_out(value: _Value) -> _Value:
    """Return a value that is worked out already, where something is wanted that works it out."""
    return value


class LazyExtent:
    """An extent that is worked out when it is first read: only findings that somebody accepts need it."""

    def __init__(self, *makers: Callable[[], Extent]) -> None:
        self._makers = makers
        self._extent: Extent | None = None

    @property
    def extent(self) -> Extent | None:
        """The extent; of several one that holds them all; None where nobody gets in by what the finding is about."""
        if self._makers:
            self._extent, self._makers = _union([make() for make in self._makers]), ()
        return self._extent

    def beside(self, other: "LazyExtent") -> "LazyExtent":
        """The extent of both."""
        return LazyExtent(*self._makers, *other._makers)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Another process gets the extent."""
        if self is NO_EXTENT or (extent := self.extent) is None:
            return "NO_EXTENT"
        return LazyExtent, (partial(worked_out, extent),)

    def __eq__(self, other: object) -> bool:
        """Equal where the extents are."""
        return isinstance(other, LazyExtent) and self.extent == other.extent

    def __hash__(self) -> int:
        """The same for all: what it is may not be worked_out yet."""
        return hash(LazyExtent)


def _union(extents: Sequence[Extent]) -> Extent:
    """All of several extents; exceptions and keys count where every one has them, each with what it limits."""
    if len(extents) == 1:
        return extents[0]
    return Extent(keys=tuple(sorted({msgspec.json.encode(extent).decode() for extent in extents})))


NO_EXTENT = LazyExtent()
