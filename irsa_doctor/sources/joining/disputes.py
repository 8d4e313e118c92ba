"""Collects what documents say differently of one object, and which documents agree with each other."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from irsa_doctor.model import Alternative, Contradiction, Place, ServiceAccount, Workload, object_key
from irsa_doctor.model.alternatives import ObjectKey

_Record = TypeVar("_Record")
_Applied = TypeVar("_Applied", bound=ServiceAccount | Workload)
IsSaid = Callable[[str], bool]
"""whether it is said of which cluster the document of a path is"""
_Source = tuple[str, int]
"""the path of a document, and the number of the record of one object in it"""
_Held = tuple[Any, object]
"""a record, and the value in which it may differ from others of its object"""
MOST = 16
"""Sets of documents that agree, each of which is judged: every one costs as much as the whole inventory"""
TOO_MANY = f"more than {MOST} documents differ about one object: not judged"


class Differing:
    """What differs about one object: a value of each of its records, None where a record does not have it."""

    def __init__(self, subject: str, what: str, *, grave: bool, place_of: Callable[[Any], Place] = lambda item: item.place):
        self.subject, self.what, self.grave, self._place_of = subject, what, grave, place_of

    def between(self, records: Sequence[_Record], value_of: Callable[[_Record], object]) -> Iterator[Contradiction]:
        """Yield a contradiction of the first record for every other value, at the first record that has it."""
        first: _Record | None = None
        known: set[str] = set()
        for record in records:
            value = value_of(record)
            if value is None or (first is not None and value == value_of(first)):
                continue
            if first is None:
                first = record
            elif (text := _text(value)) not in known:
                known.add(text)
                yield self._contradiction(first, record, _text(value_of(first)), text)

    def _contradiction(self, first: object, second: object, one: str, other: str) -> Contradiction:
        words = "\0".join((self.subject, self.what, *sorted((one, other))))
        return Contradiction(
            subject=self.subject,
            what=self.what,
            first=self._place_of(first),
            second=self._place_of(second),
            grave=self.grave,
            mark=hashlib.sha256(words.encode(errors="replace")).hexdigest(),
        )


def _text(value: object) -> str:
    return repr(sorted(value, key=repr)) if isinstance(value, frozenset) else repr(value)


def contradictions_in_clusters(
    differing: Differing, versions: Sequence[_Applied], value_of: Callable[[Any], object], is_said: IsSaid
) -> Iterable[Contradiction]:
    """Return those of records that are certainly of one cluster. Manifests in two folders may be for two clusters, of which the
    input has one: each of them is judged, and they do not contradict each other."""
    certain = [item for item in versions if item.created or is_said(item.place.document)]
    folders: dict[str, list[_Applied]] = {}
    for item in versions:
        if item not in certain:
            folders.setdefault(os.path.dirname(item.place.document), []).append(item)
    together = [[*certain, *items] for items in folders.values()] or [certain]
    return {found.mark: found for items in together for found in differing.between(items, value_of)}.values()


class Disputes:
    """The contradictions of a run, and every record of the objects that they are about."""

    def __init__(self) -> None:
        self.contradictions: list[Contradiction] = []
        self._held: dict[_Source, dict[ObjectKey, _Held]] = {}

    def add(self, contradictions: Iterable[Contradiction]) -> bool:
        """Take contradictions of one object; whether there are any."""
        before = len(self.contradictions)
        self.contradictions += contradictions
        return len(self.contradictions) > before

    def hold(self, collection: str, records: Iterable[tuple[Any, object]]) -> None:
        """Take the records of one object as each document has it, each with the value in which they differ."""
        seen: Counter[str] = Counter()
        for record, value in records:
            path = record.place.document
            # one document may have several, as if each were a document of its own
            self._held.setdefault((path, seen[path]), {})[object_key(collection, record)] = record, value
            seen[path] += 1

    def alternatives(self) -> tuple[tuple[Alternative, ...], tuple[str, ...]]:
        """Return the sets of documents that agree, and the paths of those that are in none because there are too many."""
        sets: list[dict[ObjectKey, _Held]] = []
        lost: dict[str, None] = {}
        for (path, _), records in self._held.items():
            home = next((held for held in sets if all(map(partial(_agree, held), records.items()))), None)
            if home is None and len(sets) == MOST:
                lost[path] = None
                continue
            if home is None:
                sets.append(home := {})
            home.update((key, item) for key, item in records.items() if key not in home)
        found = (Alternative({key: record for key, (record, _) in held.items()}) for held in sets)
        return tuple(found), tuple(lost)


def _agree(held: Mapping[ObjectKey, _Held], item: tuple[ObjectKey, _Held]) -> bool:
    """Whether a set of documents may take what one more says of an object."""
    key, (_, value) = item
    return key not in held or held[key][1] == value
