"""What came of judging one unit, as it is kept and sent: plain values that are read without running anything."""

import zlib
from typing import NamedTuple, TypeVar

import msgspec

from irsa_doctor.model.findings import Counts, DocumentRow, Missing, Tally
from irsa_doctor.store.rows import KeyRow, SightingRow, SubjectList

RESULT_VERSION = 2
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


class UnitResult(msgspec.Struct, frozen=True):
    """What the rules say of the subjects of a unit. `asked` are the keys that it has looked up in other units, each with the
    mark of what they gave."""

    sightings: list[UnitSighting]
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
    asked: list[tuple[int, bytes]]

    def packed(self) -> tuple[bytes, bytes]:
        """It as bytes, the subjects apart: nobody needs both at once."""
        rest = msgspec.structs.replace(self, subjects=_NO_SUBJECTS)
        return zlib.compress(msgspec.msgpack.encode(rest), 1), zlib.compress(msgspec.msgpack.encode(self.subjects), 1)


def result_from(content: bytes) -> UnitResult:
    """A result without its subjects. Raises ValueError where the bytes are none."""
    return _decoded(content, _RESULT)


def subjects_from(content: bytes) -> SubjectList:
    """The subjects of a result. Raises ValueError where the bytes are none."""
    return _decoded(content, _SUBJECTS)


_T = TypeVar("_T")
_RESULT = msgspec.msgpack.Decoder(UnitResult)
_SUBJECTS = msgspec.msgpack.Decoder(SubjectList)


def _decoded(content: bytes, decoder: "msgspec.msgpack.Decoder[_T]") -> _T:
    try:
        return decoder.decode(zlib.decompress(content))
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(f"a kept result cannot be read: {error}") from error
