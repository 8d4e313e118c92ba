"""The evidence of audits by control: populations, samples, verdicts, and what was out of scope."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import msgspec

from irsa_doctor.answers.audit.audited_scope import AuditedAccount, EvidenceScope
from irsa_doctor.answers.audit.items import ControlItems, EvidenceItem, ItemResult
from irsa_doctor.model.audited import FindingNote, RunTrend, StoredSubject
from irsa_doctor.model.moments import moment_of
from irsa_doctor.rulebook.frameworks import ControlVerdict, Framework
from irsa_doctor.rulebook.rules import Rule

NOT_AN_OPINION = (
    "This is evidence from technical rules, and not an opinion on compliance. An auditor decides whether a control is met."
)
_USUAL_GAP = 1.5
"""times the usual time between two runs: a longer one is a gap"""
_LONGEST, _SHORTEST = timedelta(days=32), timedelta(hours=36)
"""what is always a gap, whatever is usual, and what never is"""


class RuleRelation(NamedTuple):
    """A rule that bears on a control: it supports it, or is merely related."""

    rule: str
    relation: str


class ControlEvidence(msgspec.Struct, frozen=True, eq=False):
    """A control with its population. `counts` are items by result; `items` reads them anew from the store at each call."""

    id: str
    title: str | None
    verdict: ControlVerdict
    rules: tuple[RuleRelation, ...]
    counts: Mapping[ItemResult, int]
    items: Callable[[], Iterator[EvidenceItem]]
    sample: tuple[EvidenceItem, ...] = ()
    may_lack_items: bool = False
    """accounts or clusters that could not be read may have more items: that all of these passed does not make it `pass`"""

    @property
    def population(self) -> int:
        """The number of items."""
        return sum(self.counts.values())

    @property
    def is_covered(self) -> bool:
        """Whether a rule bears on it."""
        return self.verdict != "not covered"


class UncontrolledFinding(NamedTuple):
    """An open finding whose rule bears on no control of the framework."""

    kind: str
    subject: str
    note: FindingNote


class FrameworkEvidence(msgspec.Struct, frozen=True, eq=False):
    """A framework, control by control, and the findings that none of them names."""

    id: str
    title: str
    version: str
    controls: tuple[ControlEvidence, ...]
    uncontrolled: tuple[UncontrolledFinding, ...]


class RunGap(NamedTuple):
    """A time of a period, from one moment (RFC 3339) to another, in which no run was made although one was due."""

    start: str
    end: str


class EvidencePeriod(msgspec.Struct, frozen=True):
    """The time that a report is about, its runs, and the gaps between them. Without a period, both ends are the run, and the
    gaps are those between all runs up to it. Runs whose details were `pruned` are no gaps."""

    start: str
    end: str
    runs: tuple[int, ...]
    gaps: tuple[RunGap, ...] = ()
    is_asked: bool = False
    pruned: tuple[int, ...] = ()

    @property
    def last(self) -> int:
        """The last run of it."""
        return self.runs[-1]


class Sampling(NamedTuple):
    """How samples are drawn: at most `size` items of each control, with a seed."""

    size: int
    seed: str


class FindingEvent(NamedTuple):
    """Something that became of a finding in a run."""

    change: str
    run: int
    severity: str
    rule: str
    subject: str
    account: str


class AuditEvidence(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The evidence of a run or of a period: what every format of `audit report` is written from.

    `run` is the last run as a store has it (id, as_of, tool, hash, ...), `notes` the findings by (kind, id) of their subject.
    """

    store: str
    run: Mapping[str, Any]
    period: EvidencePeriod
    scope: EvidenceScope
    trend: tuple[RunTrend, ...]
    frameworks: tuple[FrameworkEvidence, ...]
    waivers: tuple[Mapping[str, Any], ...]
    events: tuple[FindingEvent, ...]
    notes: Mapping[tuple[str, str], tuple[FindingNote, ...]]
    subjects: Callable[[], Iterator[StoredSubject]] = tuple[StoredSubject]().__iter__
    """reads the subjects of all populations anew from the store at each call"""
    account: str = ""
    """the only account that it is about, "" for all"""
    sampling: Sampling | None = None

    @property
    def head(self) -> str:
        """The hash of the last run."""
        return str(self.run["hash"])

    @cached_property
    def moments(self) -> Mapping[int, str]:
        """Run -> the time as of which it was made, of all runs of the trend."""
        return {point.run: point.as_of for point in self.trend}

    def items_by_subject(self) -> Iterator[tuple[FrameworkEvidence, ControlEvidence, EvidenceItem]]:
        """The items of all controls, subject by subject: the store is read once, and not once for each control."""
        makers = [
            (framework, control, ControlItems((each.rule for each in control.rules), self.notes))
            for framework in self.frameworks
            for control in framework.controls
            if control.population
        ]
        for subject in self.subjects() if makers else ():
            for framework, control, maker in makers:
                if item := maker.item(subject):
                    yield framework, control, item

    def account_named(self, ident: str) -> AuditedAccount:
        """An account of the scope; one that is not in it has no name."""
        return self._accounts.get(ident) or AuditedAccount(ident, "", (), "", "", "")

    @cached_property
    def _accounts(self) -> Mapping[str, AuditedAccount]:
        return {account.id: account for account in self.scope.accounts}


class PopulationSource(NamedTuple):
    """Where subjects come from: a function that reads them anew at each call, and their findings."""

    subjects: Callable[[], Iterator[StoredSubject]]
    notes: Mapping[tuple[str, str], tuple[FindingNote, ...]]
    account: str = ""

    def chosen(self) -> Iterator[StoredSubject]:
        """The subjects of the account, of all without one."""
        return (each for each in self.subjects() if not self.account or each.account == self.account)

    def kinds(self) -> Iterable[tuple[StoredSubject, int]]:
        """A subject for each record of verdicts that some of them have, and how many have it."""
        kinds: dict[tuple[int, bool], tuple[StoredSubject, int]] = {}
        for subject in self.chosen():
            kind = (id(subject.runs), subject.unseen)  # its first subject is kept, so that no other record gets the number
            first, number = kinds.get(kind, (subject, 0))
            kinds[kind] = first, number + 1
        return kinds.values()


def frameworks_evidence(
    frameworks: Iterable[Framework],
    rules: Sequence[Rule],
    source: PopulationSource,
    head: str,
    last_run: int,
    sampling: Sampling | None = None,
    hidden: frozenset[str] = frozenset(),
) -> tuple[FrameworkEvidence, ...]:
    """The evidence for every control of some frameworks; the subjects are read once to count, and once for samples. `hidden`
    are kinds of subjects of which there may be more than were seen."""
    kinds_of = {rule.id: frozenset(rule.subject) for rule in rules}
    chosen_frameworks = tuple(frameworks)
    plans = [
        (framework, ident, _relations(framework, ident, rules))
        for framework in chosen_frameworks
        for ident in framework.controls
    ]
    makers = [ControlItems((each.rule for each in relations), source.notes) for _, _, relations in plans]
    counters: list[Counter[ItemResult]] = [Counter() for _ in plans]
    for subject, number in source.kinds():
        for maker, counter in zip(makers, counters, strict=True):
            if result := maker.result(subject):
                counter[result] += number
    controls: dict[str, list[ControlEvidence]] = {}
    for (framework, ident, relations), counts in zip(plans, counters, strict=True):
        lacking = any(kinds_of[each.rule] & hidden for each in relations)
        control = ControlEvidence(
            id=ident,
            title=framework.controls[ident],
            verdict=_verdict(relations, counts, may_lack_items=lacking),
            may_lack_items=lacking,
            rules=relations,
            counts=counts,
            items=_reader(source, relations),
        )
        drawn = msgspec.structs.replace(control, sample=_sample(control, sampling, head)) if sampling else control
        controls.setdefault(framework.id, []).append(drawn)
    return tuple(
        FrameworkEvidence(f.id, f.title, f.version, tuple(controls[f.id]), _uncontrolled(controls[f.id], source, last_run))
        for f in chosen_frameworks
    )


def _reader(source: PopulationSource, relations: Sequence[RuleRelation]) -> Callable[[], Iterator[EvidenceItem]]:
    def items() -> Iterator[EvidenceItem]:
        return ControlItems((each.rule for each in relations), source.notes).items(source.chosen())

    return items


def _relations(framework: Framework, control: str, rules: Sequence[Rule]) -> tuple[RuleRelation, ...]:
    """The rules that bear on a control, those that support it first."""
    bearing = [RuleRelation(rule.id, relation) for rule in rules if (relation := framework.relation(rule, control))]
    return tuple(sorted(bearing, key=lambda each: (each.relation != "supports", each.rule)))


def _verdict(relations: Sequence[RuleRelation], counts: Mapping[ItemResult, int], *, may_lack_items: bool) -> ControlVerdict:
    if not relations:
        return "not covered"
    if counts.get("failed"):
        return "fail"
    if not any(counts.values()):
        return "not examined"
    if counts.get("unknown") or counts.get("not-tested") or may_lack_items:
        return "unknown"
    return "waived" if counts.get("waived") else "pass"


def _sample(control: ControlEvidence, sampling: Sampling, head: str) -> tuple[EvidenceItem, ...]:
    """Items drawn without replacement, by a method that whoever has the store can repeat: Python's `random`, with the seed,
    the control and the head of the store, over the items in their order."""
    drawing = random.Random(f"{sampling.seed}/{control.id}/{head}")  # noqa: S311 - to be repeated, not to be secret
    chosen = frozenset(drawing.sample(range(control.population), min(sampling.size, control.population)))
    return tuple(item for number, item in enumerate(control.items()) if number in chosen)


def _uncontrolled(
    controls: Iterable[ControlEvidence], source: PopulationSource, last_run: int
) -> tuple[UncontrolledFinding, ...]:
    controlled = {each.rule for control in controls for each in control.rules}
    return tuple(
        UncontrolledFinding(kind, subject, note)
        for (kind, subject), notes in sorted(source.notes.items())
        for note in notes
        if note.rule not in controlled and note.status == "open" and note.last_seen == last_run
    )


def period_of(
    runs: Sequence[tuple[int, str]], start: datetime | None, end: datetime | None, pruned: Sequence[tuple[int, str]] = ()
) -> EvidencePeriod:
    """The period over some runs (id, time), oldest first; the ends are those that were asked for, else the first and the last
    run."""
    made = sorted([*runs, *pruned])
    first = start.strftime("%Y-%m-%dT%H:%M:%SZ") if start else made[0][1]
    last = end.strftime("%Y-%m-%dT%H:%M:%SZ") if end else made[-1][1]
    gaps = gaps_between([as_of for _, as_of in made], (first, last))
    return EvidencePeriod(first, last, tuple(run for run, _ in runs), gaps, True, tuple(run for run, _ in pruned))


def gaps_between(runs: Iterable[str], ends: tuple[str, str] | None = None) -> tuple[RunGap, ...]:
    """The times between runs (times, oldest first) that are longer than usual, those up to the ends of a period too."""
    moments = [moment for text in runs if (moment := moment_of(text))]
    between = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    usual = timedelta(seconds=median(between) * _USUAL_GAP) if between else _SHORTEST
    longest = min(max(usual, _SHORTEST), _LONGEST)
    if ends and (first := moment_of(ends[0])) and (last := moment_of(ends[1])):
        moments = [first, *moments, last]
    return tuple(
        RunGap(earlier.strftime("%Y-%m-%dT%H:%M:%SZ"), later.strftime("%Y-%m-%dT%H:%M:%SZ"))
        for earlier, later in pairwise(moments)
        if later - earlier > longest
    )
