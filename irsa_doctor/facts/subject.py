"""A subject with its facts, and the evidence that messages quote."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.model.extents import NO_EXTENT, LazyExtent

_T = TypeVar("_T")
_S = TypeVar("_S")


class LazyMapping(Mapping[str, _T], Generic[_T, _S]):
    """What a table of functions gives of a subject, each called when its name is used; a name for which it returns None is
    absent."""

    def __init__(self, table: Mapping[str, Callable[[_S], _T | None]], scene: _S) -> None:
        self.table = table
        self.scene = scene

    def __getitem__(self, name: str) -> _T:
        value = self.table[name](self.scene)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name, function in self.table.items() if function(self.scene) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Evidence(msgspec.Struct, frozen=True):
    """What messages may name, with places. A name whose text is costly, and most places, are computed only when a rule shows
    them."""

    names: Mapping[str, str | Callable[[], str]]
    places: Mapping[str, Place | Callable[[], Place]]

    def place(self, name: str) -> Place:
        """The place of a name, else the primary one."""
        place = self.places.get(name) or next(iter(self.places.values()))
        return place if isinstance(place, Place) else place()


class Judged(msgspec.Struct, frozen=True):
    """One subject: `facts` is the record that rules read, `evidence` is used only where something is reported.

    `case` is the one in which it holds, `(HasProvider)` say, where a template chooses between policies. Without `certain` it
    is only presumed whose tokens it is about, or a statement that is not seen may take back what it gives. `extent` is who gets
    in by a grant.
    """

    kind: str
    id: str
    group: str
    facts: msgspec.Struct
    evidence: Callable[[], Evidence]
    case: str = ""
    certain: bool = True
    extent: LazyExtent = NO_EXTENT
