"""What came of judging one unit, as it is kept and sent: plain values that are read without running anything."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec

from irsa_doctor.model.findings import Counts, DocumentRow, Missing, Tally
from irsa_doctor.store.rows import KeyRow, SightingRow, SubjectList
from irsa_doctor.text.surrogates import texts_without_surrogates

RESULT_VERSION = 4
"""the form of what is kept: a result of another form is worked out again"""


class ForeignPlace(NamedTuple):
    """A place in a document of another unit; `location` is the number of the place in its finding."""

    location: int
    document: str
    pointer: str
    is_name: bool


class UnitSighting(NamedTuple):
    """A finding, what it is sorted by, and its places in documents of other units."""

    row: SightingRow
    order: tuple[int, int, str, str, str, str, str]
    places: tuple[ForeignPlace, ...]


_NO_SUBJECTS = SubjectList([], [])
_TOGETHER = 32
"""findings in a block: they hold most of the memory of a result, and nobody needs all of them at once"""


class UnitResult(msgspec.Struct, frozen=True):
    """What the rules say of the subjects of a unit. `asked` are the keys that it has looked up in other units, each with the
    mark of what they gave."""

    blocks: list[bytes]
    """the findings, some in each"""
    subjects: SubjectList
    tallies: tuple[Tally, ...]
    unknown: tuple[Missing, ...]
    documents: tuple[DocumentRow, ...]
    counts: Counts
    fitting: tuple[str, ...]
    """ids of the waivers that fit a finding"""
    used: tuple[str, ...]
    """ids of those that set one aside"""
    keys: list[KeyRow]
    baselined: int
    hidden: int
    limit: str
    disputed: list[tuple[str, str]]
    """accounts and clusters (ARNs) of which two answers differ, and which answers"""
    asked: list[tuple[int, bytes]]

    def packed(self) -> tuple[bytes, bytes]:
        """It as bytes, the subjects apart: nobody needs both at once."""
        rest = _packed(msgspec.structs.replace(self, blocks=[], subjects=_NO_SUBJECTS))
        return msgspec.msgpack.encode([rest, *self.blocks]), _packed(self.subjects)

    def sightings(self) -> Iterator[UnitSighting]:
        """The findings. Raises ValueError where the bytes are none."""
        for block in self.blocks:
            yield from _decoded(block, _SIGHTINGS)


def sighting_blocks(sightings: Iterable[UnitSighting]) -> Iterator[bytes]:
    """Findings as bytes, some in each."""
    waiting = iter(sightings)
    while block := list(islice(waiting, _TOGETHER)):
        yield _packed(block)


def _packed(value: object) -> bytes:
    try:
        content = msgspec.msgpack.encode(value)
    except UnicodeEncodeError:  # a path that is not UTF-8
        content = msgspec.msgpack.encode(texts_without_surrogates(msgspec.to_builtins(value, builtin_types=(bytes,))))
    return zlib.compress(content, 1)


def result_from(content: bytes) -> UnitResult:
    """A result without its subjects. Raises ValueError where the bytes are none."""
    try:
        rest, *blocks = msgspec.msgpack.decode(content, type=list[bytes])
    except (msgspec.DecodeError, ValueError) as error:
        raise _unreadable(error) from error
    return msgspec.structs.replace(_decoded(rest, _RESULT), blocks=blocks)


def subjects_from(content: bytes) -> SubjectList:
    """The subjects of a result. Raises ValueError where the bytes are none."""
    return _decoded(content, _SUBJECTS)


_T = TypeVar("_T")
_RESULT = msgspec.msgpack.Decoder(UnitResult)
_SIGHTINGS = msgspec.msgpack.Decoder(list[UnitSighting])
_SUBJECTS = msgspec.msgpack.Decoder(SubjectList)


def _decoded(content: bytes, decoder: "msgspec.msgpack.Decoder[_T]") -> _T:
    try:
        return decoder.decode(zlib.decompress(content))
    except (zlib.error, msgspec.DecodeError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> ValueError:
    return ValueError(f"a kept result cannot be read: {error}")
