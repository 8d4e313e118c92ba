"""Fixes findings in rounds: edits in memory, the whole inventory judged again, and what causes new findings taken back."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from irsa_doctor.answers.check.judge import Input
from irsa_doctor.answers.fix.cases import lose_a_case, policies_of
from irsa_doctor.answers.fix.sourcehood import require_source
from irsa_doctor.answers.fix.texts import Texts
from irsa_doctor.model import Document, TrustPolicy
from irsa_doctor.model.edits import FileEdit, UnfixedReason
from irsa_doctor.model.findings import Finding, Report
from irsa_doctor.remedies import SubjectOffer
from irsa_doctor.remedies.edits.records import CannotWrite, Edit
from irsa_doctor.remedies.edits.splicing import touch
from irsa_doctor.remedies.edits.writing import edits_for
from irsa_doctor.remedies.proposals import STEPS, Proposal, Unfixable
from irsa_doctor.rulebook.rules import Rule

ROUNDS = 10
"""rounds of edits, after which what is left is a conflict"""
_TRIES = 40
"""rounds, with those that are taken back"""
_SEARCHES = 12
"""searches for the edits of a round that cause a finding, each of which judges the input several times"""

Reload = Callable[[Mapping[str, bytes]], tuple[Input, Report]]
"""the bytes of changed files by path -> the input with them, and what is found in it"""
Barrier = Callable[[str], tuple[UnfixedReason, str] | None]
"""a path -> the reason why the file cannot be edited, in a word and in words; None where it can"""


class FixPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What `fix` has to do with: the rules by id, whether unsafe fixes are made, which files can be edited."""

    rules: Mapping[str, Rule]
    unsafe: bool
    reload: Reload
    barrier: Barrier
    in_memory: bool = False
    """answers and copies are edited, too, though no source: only to work out what is true after each of several commands"""


class PlannedEdit(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal for a finding with its edits."""

    finding: Finding
    proposal: Proposal
    edits: tuple[Edit, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """What names the finding."""
        return self.finding.rule, self.finding.subject.kind, self.finding.subject.id


class Batch(msgspec.Struct):
    """Edits of one round that belong together, the finding for which they were made, and others that went with it."""

    candidate: PlannedEdit
    others: list[PlannedEdit]

    @property
    def findings(self) -> list[Finding]:
        """The findings that the edits are for."""
        return [each.finding for each in (self.candidate, *self.others)]


class _Chosen:
    """The edits of one round, by the documents that they concern."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self._by_edits: dict[tuple[Edit, ...], Batch] = {}
        self._by_document: dict[str, list[Batch]] = {}

    def add(self, candidate: PlannedEdit) -> None:
        """Takes in edits that do not touch those of before; those that are the same belong to them."""
        if same := self._by_edits.get(candidate.edits):
            same.others.append(candidate)
            return
        documents = {edit.document for edit in candidate.edits} | {wish.place.document for wish in candidate.proposal.wishes}
        near = [batch for document in documents for batch in self._by_document.get(document, ())]
        if any(_collide(candidate, batch.candidate) for batch in near):
            return
        batch = self._by_edits[candidate.edits] = Batch(candidate, [])
        self.batches.append(batch)
        for document in documents:
            self._by_document.setdefault(document, []).append(batch)


class Outcome(msgspec.Struct):
    """What became of a finding: `made` or offered edits, or why there are none; `proposal` alone where it has no source."""

    finding: Finding
    candidate: PlannedEdit | None = None
    made: bool = False
    stop: CannotWrite | Unfixable | None = None
    proposal: Proposal | None = None
    in_original: bool = True


class Rounds:
    """The rounds of one run: `outcomes` by fingerprint, `uncovered` fingerprints with the rule that uncovered them."""

    def __init__(self, plan: FixPlan, texts: Texts, judged: Input, report: Report) -> None:
        self.plan = plan
        self.texts = texts
        self.judged, self.report = judged, report
        self.first = report
        self.outcomes: dict[str, Outcome] = {}
        self.placed: dict[str, tuple[FileEdit, ...]] = {}
        self.uncovered: dict[str, str] = {}
        self._passed_over: dict[str, set[tuple[Edit, ...]]] = {}
        self._causes: dict[str, tuple[UnfixedReason, str]] = {}
        self._known = {finding.fingerprint for finding in report.findings}
        self._is_changed_since = False
        """whether edits were made after others were passed over"""
        self._searches = 0
        texts.now(judged.documents)

    def run(self, most: int = ROUNDS) -> None:
        """Make rounds until nothing is left to do, or so many."""
        rounds = 0
        for _ in range(_TRIES):
            if rounds == most < ROUNDS:
                return
            batches = self._batches() or self._batches_passed_over()
            if not batches or rounds == ROUNDS:
                self._give_up(batches)
                return
            rounds += self._round(batches)

    def _batches_passed_over(self) -> list[Batch]:
        """The edits that were passed over before others were made, since which they may cause nothing any more."""
        if not self._is_changed_since:
            return []
        self._passed_over.clear()
        self._is_changed_since = False
        return self._batches()

    def _give_up(self, batches: Sequence[Batch]) -> None:
        for finding in (finding for batch in batches for finding in batch.findings):
            stop = CannotWrite("conflict", f"after {ROUNDS} rounds of edits more were left to do", "run fix again")
            self.outcomes[finding.fingerprint] = Outcome(finding, stop=stop)

    # ---- what to do

    def _batches(self) -> list[Batch]:
        """The edits of the next round: those that come first in the order, without any that touch them."""
        rows = {row.path: row for row in self.judged.inventory.documents}
        candidates = [c for finding in self.report.findings if (c := self._candidate(finding, rows))]
        chosen = _Chosen()
        for candidate in sorted(candidates, key=self._order):
            chosen.add(candidate)
        return chosen.batches

    def _order(self, candidate: PlannedEdit) -> tuple[object, ...]:
        edit = candidate.edits[0]
        step = self.plan.rules[candidate.finding.rule].edit.step
        return STEPS.index(step), edit.document, edit.start, candidate.finding.rule, candidate.finding.subject.id

    def _candidate(self, finding: Finding, rows: Mapping[str, Document]) -> PlannedEdit | None:
        """The edits to make for a finding; None where there are none, which its outcome then says."""
        outcome = Outcome(finding)
        try:
            for proposal in self._proposals(finding):
                if self._is_chosen(outcome, proposal, rows):
                    break
        except (Unfixable, CannotWrite) as error:
            outcome.stop = outcome.stop or error
        chosen = outcome.candidate
        if finding.fingerprint not in self.outcomes or not self.outcomes[finding.fingerprint].made:
            self.outcomes[finding.fingerprint] = outcome
        return chosen if chosen and (chosen.proposal.safety == "safe" or self.plan.unsafe) else None

    def _is_chosen(self, outcome: Outcome, proposal: Proposal, rows: Mapping[str, Document]) -> bool:
        """Whether a proposal is what is made for a finding; its outcome says what keeps it from being so."""
        finding = outcome.finding
        outcome.proposal = outcome.proposal or proposal
        if proposal.last_resort and not self.plan.unsafe:
            outcome.stop = outcome.stop or Unfixable("nobody-named", proposal.because, "--unsafe-fixes makes it")
            return False
        try:
            edits = self._edits(proposal, rows)
            if edits in self._passed_over.get(finding.fingerprint, ()):
                raise CannotWrite(*self._causes[finding.fingerprint])
        except CannotWrite as error:
            outcome.stop = outcome.stop or error
            return False
        outcome.candidate = PlannedEdit(finding=finding, proposal=proposal, edits=edits)
        outcome.stop = None
        return True

    def _proposals(self, finding: Finding) -> Iterator[Proposal]:
        rule = self.plan.rules.get(finding.rule)
        block = rule.edit if rule else None
        offer = finding.offer
        if block is None or not isinstance(offer, SubjectOffer) or not offer.ways:
            because = block.because if block else ""
            raise Unfixable(block.reason if block else "no-remedy", because or "it takes a decision that no edit can make")
        try:
            yield from offer.proposals()
        except Unfixable as error:
            if block.because and error.reason in ("no-remedy", "nobody-named"):
                raise Unfixable(block.reason, block.because, block.how or error.how) from None
            raise

    def _edits(self, proposal: Proposal, rows: Mapping[str, Document]) -> tuple[Edit, ...]:
        if not proposal.wishes:
            raise CannotWrite(proposal.unwritten, _BY_COMMAND[proposal.unwritten == "no-remedy"])
        for wish in proposal.wishes if not self.plan.in_memory else ():
            require_source(rows.get(wish.place.document), self.texts.text(wish.place.document), wish.place)
        edits = edits_for(self.texts.text, proposal.wishes)
        for document in dict.fromkeys(edit.document for edit in edits):
            if barrier := self.plan.barrier(document):
                raise CannotWrite(*barrier)
        if not edits:
            raise CannotWrite("not-in-source", "the text says this already")
        return edits

    # ---- a round

    def _round(self, batches: Sequence[Batch]) -> bool:
        """Make the edits, unless they cause findings; returns whether they were made."""
        changed = self._with_edits(batches)
        judged, report = self.plan.reload(changed)
        if self._breaks(batches, judged) or self._taken_back(batches, report) or self._reaches_others(batches, judged):
            return False
        self._accept(batches, report)
        self._is_changed_since = bool(self._passed_over)
        self.texts.changed = changed
        self.judged, self.report = judged, report
        self.texts.now(judged.documents)
        return True

    def _breaks(self, batches: Sequence[Batch], judged: Input) -> bool:
        """Whether a document cannot be read after its edits, whatever rules the run is about."""
        lost = _unreadable(judged) - _unreadable(self.judged)
        guilty = [batch for batch in batches if any(edit.document in lost for edit in batch.candidate.edits)]
        for batch in guilty:
            self._pass_over(batch, "the document could not be read after the edit", "unreadable")
        return bool(guilty)

    def _taken_back(self, batches: Sequence[Batch], report: Report) -> bool:
        """Whether edits cause findings, or do not remove theirs; the proposals are passed over from then on."""
        left = {finding.fingerprint for finding in report.findings}
        rules = [self.plan.rules[finding.rule] for batch in batches for finding in batch.findings]
        allowed = [pattern for rule in rules for pattern in rule.edit.uncovers]
        new = [f for f in report.findings if f.fingerprint not in self._known and f.fingerprint not in self.uncovered]
        caused = [f for f in new if not any(fnmatchcase(f.rule, pattern) for pattern in allowed)]
        guilty = [batch for batch in batches if any(finding.fingerprint in left for finding in batch.findings)]
        for batch in guilty:
            self._pass_over(batch, "the finding would be there after the edit, too", only=left)
        for finding, at_fault in self._faults(caused, batches):
            for batch in at_fault:
                self._pass_over(batch, f"it would cause {finding.rule} of {finding.subject.id}")
        return bool(guilty or caused)

    def _faults(self, caused: Sequence[Finding], batches: Sequence[Batch]) -> Iterator[tuple[Finding, Sequence[Batch]]]:
        """The findings that edits cause, with those at fault: what concerns one of them, else what is searched for."""
        known = [(finding, [batch for batch in batches if _concerns(batch, finding)]) for finding in caused]
        yield from ((finding, near) for finding, near in known if near)
        others = [finding for finding, near in known if not near]
        if others and self._searches < _SEARCHES:  # the next round shows what the others are caused by
            self._searches += 1
            yield others[0], self._causing(batches, others[0])
        else:
            yield from ((finding, batches) for finding in others)

    def _causing(self, batches: Sequence[Batch], finding: Finding) -> Sequence[Batch]:
        """Those of some batches that cause a finding: by halves, so that of many edits only the one at fault is taken back."""
        while len(batches) > 1:
            middle = len(batches) // 2
            halves = batches[:middle], batches[middle:]
            half = next((half for half in halves if self._does_cause(half, finding)), None)
            if half is None:  # they cause it together
                break
            batches = half
        return batches

    def _does_cause(self, batches: Sequence[Batch], finding: Finding) -> bool:
        _, report = self.plan.reload(self._with_edits(batches))
        return any(other.fingerprint == finding.fingerprint for other in report.findings)

    def _with_edits(self, batches: Iterable[Batch]) -> dict[str, bytes]:
        return self.texts.with_edits(edit for batch in batches for edit in batch.candidate.edits)

    def _reaches_others(self, batches: Sequence[Batch], judged: Input) -> bool:
        """Whether a trust policy became another one than was proposed: its text is read elsewhere, or means something else."""
        before, after = policies_of(self.judged.inventory), policies_of(judged.inventory)
        proposed: dict[str, list[tuple[Batch, Proposal]]] = {}
        for batch in batches:
            for each in (batch.candidate, *batch.others):
                if each.proposal.role is not None:
                    proposed.setdefault(each.proposal.role.id, []).append((batch, each.proposal))
        wrong = [ident for ident in before.keys() | after.keys() if before.get(ident) != after.get(ident)]
        strangers = [ident for ident in wrong if ident not in proposed]
        missed = [
            batch
            for ident, listed in proposed.items()
            for batch, proposal in listed
            if not proposal.is_made_by(after.get(ident, ()))
        ]
        merged = [
            batch
            for ident, listed in proposed.items()
            if lose_a_case(before.get(ident, ()), after.get(ident, ()), (proposal for _, proposal in listed))
            for batch, _ in listed
        ]
        for batch in merged:
            self._pass_over(batch, "it would become the policy of another deployment, too", "shared-text")
        for batch in missed or (_near(batches, _documents_of(strangers, self.judged)) if strangers else ()):
            if strangers:
                self._pass_over(batch, f"the policy of {strangers[0]} would change, too", "shared-text")
            else:
                self._pass_over(batch, _MISSED, "not-in-source")
        return bool(missed or strangers or merged)

    def _pass_over(
        self, batch: Batch, why: str, reason: UnfixedReason = "would-cause", only: Collection[str] | None = None
    ) -> None:
        """Pass over the edits of a batch for its findings from then on; `only` for those with one of these fingerprints."""
        for finding in (each for each in batch.findings if only is None or each.fingerprint in only):
            self._passed_over.setdefault(finding.fingerprint, set()).add(batch.candidate.edits)
            self._causes[finding.fingerprint] = reason, why

    def _accept(self, batches: Sequence[Batch], report: Report) -> None:
        left = {finding.fingerprint for finding in report.findings}
        for batch in batches:
            edits = tuple(self.texts.placed(edit) for edit in batch.candidate.edits)
            for candidate in (batch.candidate, *batch.others):
                self._note(candidate, edits)
        for finding in self.report.findings:
            outcome = self.outcomes[finding.fingerprint]
            cause = None if outcome.made or finding.fingerprint in left else _cause_of(finding, batches)
            if cause is not None:  # it went with the edits for another finding
                moved = msgspec.structs.replace(cause.candidate, finding=finding)
                self._note(moved, tuple(self.texts.placed(edit) for edit in moved.edits))
        for finding in report.findings:
            if finding.fingerprint not in self._known:
                self.uncovered.setdefault(
                    finding.fingerprint, (_cause_of(finding, batches) or batches[0]).candidate.finding.rule
                )

    def _note(self, candidate: PlannedEdit, edits: tuple[FileEdit, ...]) -> None:
        fingerprint = candidate.finding.fingerprint
        is_first = not any(edit.document in self.texts.changed for edit in candidate.edits)
        self.outcomes[fingerprint] = Outcome(candidate.finding, candidate, made=True, in_original=is_first)
        self.placed[fingerprint] = edits


_BY_COMMAND = (
    "no template of the input makes it; --commands prints what does",
    "no source says it; --commands prints what does",
)
_MISSED = "the text does not give the policy that was meant"


def _documents_of(roles: Collection[str], judged: Input) -> set[str]:
    """The documents that roles and their policies stand in."""
    named = [role for role in judged.inventory.roles if role.id in roles]
    of_policies = {role.policy.place.document for role in named if isinstance(role.policy, TrustPolicy)}
    return of_policies | {role.place.document for role in named}


def _unreadable(judged: Input) -> set[str]:
    """The documents of which a part cannot be read."""
    return {row.path for row in judged.inventory.documents if row.status == "unreadable"}


def _near(batches: Sequence[Batch], documents: Collection[str]) -> Sequence[Batch]:
    """The edits of documents; all of them where none is in one, for what they write may be read from anywhere."""
    return [b for b in batches if any(edit.document in documents for edit in b.candidate.edits)] or batches


def _collide(one: PlannedEdit, other: PlannedEdit) -> bool:
    """Whether the edits of two candidates touch each other, or change one policy in two ways."""
    places = {wish.place for wish in one.proposal.wishes}
    same = one.proposal.changes_policy and any(wish.place in places for wish in other.proposal.wishes)
    return same or touch(one.edits, other.edits)


def _concerns(batch: Batch, finding: Finding) -> bool:
    """Whether a finding is about what the edits of a batch change."""
    files = {edit.document for edit in batch.candidate.edits}
    groups = {each.group for each in batch.findings}
    return finding.group in groups or any(place.file in files for place in finding.locations)


def _cause_of(finding: Finding, batches: Iterable[Batch]) -> Batch | None:
    listed = list(batches)
    near = [batch for batch in listed if finding.group in {each.group for each in batch.findings}]
    return next(iter(near or [batch for batch in listed if _concerns(batch, finding)]), None)
