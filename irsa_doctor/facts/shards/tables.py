"""Tables over a whole organisation of which one shard is here: what others have is read when it is looked up."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from irsa_doctor.facts.shards.rows import key_of

_K = TypeVar("_K")
_V = TypeVar("_V")


class ForeignRecord(msgspec.Struct, frozen=True):
    """A record of another shard; `before`: that shard is read before this one. `id` is the same for the same record."""

    id: int
    before: bool
    record: object


class ShardIndex(Protocol):
    """The records of the other shards, by key."""

    def find(self, key: int) -> Sequence[ForeignRecord]:
        """Those of a key, in order of reading."""

    def may_have(self, key: int) -> bool:
        """Whether there may be some under a key: it need not be looked up where not."""


LATEST_ROLES = 128
"""roles of other shards that are remembered: a cluster that all of them trust names more of them than fit into memory"""
LATEST_ACCOUNTS = 2
"""accounts of which the names of roles and providers are remembered: they are many, and few are looked up by them"""


class Latest(dict[_K, _V]):
    """The entries that were added last, at most so many: with one more the first of them is given up."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: _K, value: _V) -> None:
        _make_room(self, self._most)
        super().__setitem__(key, value)


class _Entries(dict[_K, _V | None], Generic[_K, _V]):
    """Entries of a table, None for none; one that is not there is worked out."""

    def __init__(self, work: Callable[[_K], _V | None], most: int) -> None:
        super().__init__()
        self._work, self._most = work, most

    def __missing__(self, key: _K) -> _V | None:
        value = self._work(key)
        _make_room(self, self._most)
        self[key] = value
        return value


def _make_room(entries: dict[Any, Any], most: int) -> None:
    """Give up the first entry where there are as many as there may be."""
    if len(entries) >= most:
        del entries[next(iter(entries))]


class LookedUp(Mapping[_K, _V], Generic[_K, _V]):
    """A table of which every entry is worked out when it is looked up; None is no entry. It has no list of its keys.

    It remembers what was worked out, of large entries at `most` so many.
    """

    def __init__(self, work: Callable[[_K], _V | None], most: int = sys.maxsize) -> None:
        self._entries = _Entries(work, most)

    def __getitem__(self, key: _K) -> _V:
        value = self._entries[key]
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: _K, default: Any = None) -> Any:
        """The entry, `default` where there is none: most keys that are looked up have none."""
        value = self._entries[key]
        return default if value is None else value

    def __contains__(self, key: object) -> bool:
        return self._entries[key] is not None  # type: ignore[index] # whatever is asked for

    def __iter__(self) -> Iterator[_K]:
        raise TypeError("a table over many shards is not listed")

    def __len__(self) -> int:
        raise TypeError("a table over many shards is not counted")

    def __bool__(self) -> bool:
        return True


class Foreign:
    """What the other shards have, by table and names."""

    def __init__(self, index: ShardIndex) -> None:
        self._index = index

    def find(self, kind: type[_V], table: str, *names: str) -> list[tuple[ForeignRecord, _V]]:
        """The records of a kind under a key; others may have the same key."""
        found = self._index.find(key_of(table, *names))
        return [(each, each.record) for each in found if isinstance(each.record, kind)] if found else []

    def known(self, table: str, names: Iterable[str]) -> frozenset[str]:
        """Those of some names under which the other shards may have records: of very many nearly none."""
        may_have = self._index.may_have
        return frozenset([name for name in names if may_have(key_of(table, name))])


def in_order(own: Sequence[_V], foreign: Sequence[tuple[ForeignRecord, _V]]) -> list[_V]:
    """The records of this shard among those of the others, in order of reading."""
    before = [value for each, value in foreign if each.before]
    return [*before, *own, *(value for each, value in foreign if not each.before)]
