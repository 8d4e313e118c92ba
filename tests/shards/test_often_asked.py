"""What many units ask for is read once for all units of a process, within a bound."""

import pytest

from irsa_doctor.facts.shards.rows import ClusterSubjectList
from irsa_doctor.model import OidcProvider, Place, Role, Unknown
from irsa_doctor.shards import packing, tasks

PLACE = Place("aws://111122223333/iam/roles", "")
ROLE = Role(arn="arn:aws:iam::111122223333:role/app", name="app", account="111122223333", policy=Unknown("p"), place=PLACE)
PROVIDER = OidcProvider(
    "arn:aws:iam::111122223333:oidc-provider/issuer.example", "111122223333", "issuer.example", (), (), PLACE
)


class Index:
    """The records of an index, and how often each was read."""

    def __init__(self, *records: object) -> None:
        self.reads = [0] * len(records)
        self._values = [packing.packed(record) for record in records]

    def value(self, record: int) -> bytes:
        self.reads[record] += 1
        return self._values[record]


@pytest.mark.parametrize(
    ("record", "reads"), [(ClusterSubjectList("c", ("s",)), 1), (("a", ("r",)), 1), (PROVIDER, 1), (ROLE, 3)]
)
def test_what_few_units_ask_for_is_not_kept(record, reads):
    index, often = Index(record), tasks._OftenAsked()
    assert [packing.packed(often.record(0, index)) for _ in range(3)] == [packing.packed(record)] * 3
    assert index.reads == [reads]


def test_no_more_is_kept_than_the_bound(monkeypatch):
    records = [ClusterSubjectList(f"c{number}", ("s",)) for number in range(30)]
    size = max(len(packing.packed(record)) for record in records)
    monkeypatch.setattr(tasks, "_OFTEN_ASKED", 10 * size)
    index, often = Index(*records), tasks._OftenAsked()
    for number in [*range(30), 29, 0]:
        assert often.record(number, index) == records[number]
        assert len(often._known) * (size - 2) <= 10 * size
    assert (index.reads[29], index.reads[0]) == (1, 2)
