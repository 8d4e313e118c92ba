"""What came of a unit is kept and sent as bytes, its findings some at a time."""

import pytest

from irsa_doctor.model.findings import Counts
from irsa_doctor.shards.results import ForeignPlace, UnitResult, UnitSighting, result_from, sighting_blocks, subjects_from
from irsa_doctor.store.rows import SightingRow, SubjectList, SubjectRow

SUBJECTS = SubjectList([(("rule", "pass"),)], [SubjectRow(b"key", "role", "id", "111122223333", "", 0)])


def sighting(number):
    row = SightingRow(f"key-{number}", "rule", "role", "id", "111122223333", "", "high", "high", "open", "", "{}")
    return UnitSighting(row, (0, number, "a", "b", "c", "d", "e"), (ForeignPlace(0, "document", f"/{number}", False),))


def result(sightings):
    return UnitResult(
        blocks=list(sighting_blocks(sightings)),
        subjects=SUBJECTS,
        tallies=(),
        unknown=(),
        documents=(),
        counts=Counts(1, 2, 3, 4, 5, 6, 7, 8),
        fitting=(),
        used=("waiver",),
        keys=[],
        baselined=0,
        hidden=0,
        limit="",
        disputed=[("111122223333", "two answers differ")],
        asked=[(1, b"mark")],
    )


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 200])
def test_a_result_is_read_as_it_was_packed(count):
    sightings = [sighting(number) for number in range(count)]
    content, subjects = result(sightings).packed()
    read = result_from(content)
    assert list(read.sightings()) == sightings
    assert (read.used, read.counts, read.asked) == (("waiver",), Counts(1, 2, 3, 4, 5, 6, 7, 8), [(1, b"mark")])
    assert subjects_from(subjects) == SUBJECTS


def test_findings_are_worked_out_as_they_are_packed():
    packed = sighting_blocks(map(sighting, waiting := iter(range(200))))
    assert next(packed)
    assert next(waiting) == 32


def test_bytes_that_are_no_result_are_refused():
    content, _ = result([sighting(0)]).packed()
    with pytest.raises(ValueError, match="a kept result cannot be read"):
        result_from(content[:-1])
    with pytest.raises(ValueError, match="a kept result cannot be read"):
        result_from(b"\xc4\x01x")
    changed = result_from(content.replace(result_from(content).blocks[0], b"x" * len(result_from(content).blocks[0])))
    with pytest.raises(ValueError, match="a kept result cannot be read"):
        list(changed.sightings())
