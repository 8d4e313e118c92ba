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


class ControlItems:
    """Makes the items of one control. What the rules said is the same of many subjects, so that it is remembered."""

    def __init__(self, rules: Iterable[str], notes: Mapping[tuple[str, str], tuple[FindingNote, ...]]) -> None:
        self._rules, self._notes = frozenset(rules), notes
        self._plain: dict[int, tuple[Mapping[str, str], dict[ItemResult, tuple[str, ...]]]] = {}

    def items(self, subjects: Iterable[StoredSubject]) -> Iterator[EvidenceItem]:
        """The items among some subjects: those of which at least one rule of the control was evaluated."""
        return filter(None, map(self.item, subjects))

    def item(self, subject: StoredSubject) -> EvidenceItem | None:
        """The item of a subject, None where no rule of the control was evaluated for it."""
        results = [(verdicts.run, by_result) for verdicts in subject.runs if (by_result := self._by_result(verdicts))]
        if not results:
            return None
        worst = min((_worst(by_result) for _, by_result in results), key=ITEM_RESULTS.index)
        last = _worst(results[-1][1])
        rules = sorted({rule for _, by_result in results for rule in by_result.get(worst, ())})
        if subject.unseen:
            worst = last = "not-tested"
        return EvidenceItem(
            key=subject.key,
            kind=subject.kind,
            subject=subject.id,
            account=subject.account,
            cluster=subject.cluster,
            result=worst,
            last_result=last,
            rules=tuple(rules),
            failed_in=() if subject.unseen else tuple([run for run, by_result in results if "failed" in by_result]),
            examined_in=() if subject.unseen else tuple([run for run, _ in results]),
            notes=tuple([n for n in self._notes.get((subject.kind, subject.id), ()) if n.rule in self._rules]),
        )

    def _by_result(self, verdicts: RunVerdicts) -> Mapping[ItemResult, tuple[str, ...]]:
        """The rules of the control that were evaluated, by result."""
        if verdicts.waived:
            return self._sorted(verdicts)
        known = self._plain.get(id(verdicts.verdicts))
        if known is None:
            known = self._plain[id(verdicts.verdicts)] = (verdicts.verdicts, self._sorted(verdicts))
        return known[1]

    def _sorted(self, verdicts: RunVerdicts) -> dict[ItemResult, tuple[str, ...]]:
        table: dict[ItemResult, tuple[str, ...]] = {}
        for rule in sorted(self._rules & verdicts.verdicts.keys()):
            failed: ItemResult = "waived" if rule in verdicts.waived else "failed"
            result = _RESULT_OF.get(verdicts.verdicts[rule], failed)
            table[result] = (*table.get(result, ()), rule)
        return table


def _worst(by_result: Mapping[ItemResult, tuple[str, ...]]) -> ItemResult:
    return next(result for result in ITEM_RESULTS if result in by_result)
