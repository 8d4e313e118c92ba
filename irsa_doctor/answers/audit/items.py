"""The items of a control: its subjects, each with the worst result that the rules of the control had for it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from irsa_doctor.model.audited import FindingNote, RunVerdicts, StoredSubject

ItemResult = Literal["failed", "waived", "unknown", "passed", "not-tested"]
ITEM_RESULTS: tuple[ItemResult, ...] = ("failed", "waived", "unknown", "passed", "not-tested")
"""the worst first; what was not tested is in none of the runs"""
_RESULT_OF: Mapping[str, ItemResult] = {"unknown": "unknown", "pass": "passed"}


class EvidenceItem(NamedTuple):
    """A subject of a control in some runs. `rules` are those that gave the result, `notes` its findings of the control's rules;
    `last_result` is that of the last of the runs that examined it."""

    key: str
    kind: str
    subject: str
    account: str
    cluster: str
    result: ItemResult
    last_result: ItemResult
    rules: tuple[str, ...]
    failed_in: tuple[int, ...]
    examined_in: tuple[int, ...]
    notes: tuple[FindingNote, ...]


class _Told(NamedTuple):
    """What the rules of a control said in some runs, see EvidenceItem."""

    result: ItemResult
    last_result: ItemResult
    rules: tuple[str, ...]
    failed_in: tuple[int, ...]
    examined_in: tuple[int, ...]


class ControlItems:
    """Makes the items of one control. What the rules said is the same of many subjects, so that it is remembered."""

    def __init__(self, rules: Iterable[str], notes: Mapping[tuple[str, str], tuple[FindingNote, ...]]) -> None:
        self._rules, self._notes = frozenset(rules), notes
        self._known: dict[int, tuple[tuple[RunVerdicts, ...], _Told | None]] = {}
        """by the number of a record of verdicts, which is kept, so that no other gets its number"""

    def items(self, subjects: Iterable[StoredSubject]) -> Iterator[EvidenceItem]:
        """The items among some subjects: those of which at least one rule of the control was evaluated."""
        return filter(None, map(self.item, subjects))

    def item(self, subject: StoredSubject) -> EvidenceItem | None:
        """The item of a subject, None where no rule of the control was evaluated for it."""
        told = self._told(subject.runs)
        if told is None:
            return None
        result, last, rules, failed_in, examined_in = told
        if subject.unseen:
            result, last, failed_in, examined_in = "not-tested", "not-tested", (), ()
        notes = self._notes.get((subject.kind, subject.id), ())
        return EvidenceItem(
            key=subject.key,
            kind=subject.kind,
            subject=subject.id,
            account=subject.account,
            cluster=subject.cluster,
            result=result,
            last_result=last,
            rules=rules,
            failed_in=failed_in,
            examined_in=examined_in,
            notes=tuple([note for note in notes if note.rule in self._rules]),
        )

    def result(self, subject: StoredSubject) -> ItemResult | None:
        """The result of its item, None where it has none."""
        told = self._told(subject.runs)
        return told and ("not-tested" if subject.unseen else told.result)

    def _told(self, runs: tuple[RunVerdicts, ...]) -> _Told | None:
        known = self._known.get(id(runs))
        if known is None:
            known = self._known[id(runs)] = (runs, self._told_anew(runs))
        return known[1]

    def _told_anew(self, runs: tuple[RunVerdicts, ...]) -> _Told | None:
        results = [(verdicts.run, by_result) for verdicts in runs if (by_result := self._by_result(verdicts))]
        if not results:
            return None
        worst = min((_worst(by_result) for _, by_result in results), key=ITEM_RESULTS.index)
        return _Told(
            result=worst,
            last_result=_worst(results[-1][1]),
            rules=tuple(sorted({rule for _, by_result in results for rule in by_result.get(worst, ())})),
            failed_in=tuple([run for run, by_result in results if "failed" in by_result]),
            examined_in=tuple([run for run, _ in results]),
        )

    def _by_result(self, verdicts: RunVerdicts) -> dict[ItemResult, tuple[str, ...]]:
        """The rules of the control that were evaluated, by result."""
        table: dict[ItemResult, tuple[str, ...]] = {}
        for rule in sorted(self._rules & verdicts.verdicts.keys()):
            failed: ItemResult = "waived" if rule in verdicts.waived else "failed"
            result = _RESULT_OF.get(verdicts.verdicts[rule], failed)
            table[result] = (*table.get(result, ()), rule)
        return table


def _worst(by_result: Mapping[ItemResult, tuple[str, ...]]) -> ItemResult:
    return next(result for result in ITEM_RESULTS if result in by_result)
