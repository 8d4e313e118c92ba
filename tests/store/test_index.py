"""The index of an audit gives what others have under a key; that most keys are nowhere else costs no query."""

import random
from contextlib import closing

import pytest

from irsa_doctor.store.index import IndexedUnit, IndexReader, IndexWriter, index_keys


def _records(rng, keys):
    return [(tuple(rng.sample(keys[:250], rng.randint(0, 4))), f"{n}".encode()) for n in range(rng.randint(0, 40))]


@pytest.mark.parametrize("seed", range(5))
def test_a_reader_that_knows_the_keys_has_the_same_rows(tmp_path, seed):
    rng, path = random.Random(seed), str(tmp_path / "index.db")  # noqa: S311 - no secret is drawn
    keys = [rng.getrandbits(64) - 2**63 for _ in range(300)]
    units = [f"{number:016d}".encode() for number in range(4)]
    with closing(IndexWriter(path)) as index:
        for some in (units[:3], units[3:]):
            index.add(IndexedUnit(unit, b"", b"", _records(rng, keys)) for unit in some)
        index.number(units)
    known = index_keys(path)
    elsewhere = 0
    for unit in units:
        with closing(IndexReader(path, unit)) as plain, closing(IndexReader(path, unit, known)) as quick:
            for key in keys:
                assert quick.rows(key) == plain.rows(key)
                elsewhere += bool(plain.rows(key))
    assert elsewhere > 0


@pytest.mark.parametrize("seed", range(5))
def test_an_index_is_what_it_is_without_the_units_that_are_removed(tmp_path, seed):
    rng = random.Random(seed)  # noqa: S311 - no secret is drawn
    keys = [rng.getrandbits(64) - 2**63 for _ in range(300)]
    units = [IndexedUnit(f"{number:016d}".encode(), b"", b"", _records(rng, keys)) for number in range(8)]
    gone = {unit.digest for unit in rng.sample(units, seed)}
    left = [unit for unit in units if unit.digest not in gone]
    with closing(IndexWriter(str(tmp_path / "all.db"))) as index:
        index.add(units)
        index.remove([ident for digest, ident in index.units().items() if digest in gone])
        index.remove([])
        assert set(index.units()) == {unit.digest for unit in left}
        index.number([unit.digest for unit in left])
    with closing(IndexWriter(str(tmp_path / "left.db"))) as index:
        index.add(left)
        index.number([unit.digest for unit in left])
    assert _rows(tmp_path / "all.db", keys) == _rows(tmp_path / "left.db", keys)


def _rows(path, keys):
    """What a reader that is none of the units finds under each key."""
    with closing(IndexReader(str(path), b"")) as reader:
        return [[(number, mark, reader.value(record)) for number, _, mark, record in reader.rows(key)] for key in keys]
