"""Works out the edits that fix findings, in memory."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.answers.check.judge import Input
from irsa_doctor.answers.fix.records import (
    ChangedFile,
    FindingFix,
    FixCommand,
    Fixing,
    Remaining,
    Unfixed,
)
from irsa_doctor.answers.fix.rounds import FixPlan, Outcome, PlannedEdit, Rounds
from irsa_doctor.answers.fix.texts import Texts
from irsa_doctor.model.findings import Report
from irsa_doctor.remedies.edits.records import CannotWrite
from irsa_doctor.remedies.proposals import Proposal


def fixed(plan: FixPlan, original: Mapping[str, bytes], judged: Input, report: Report) -> tuple[Fixing, Report]:
    """The edits that fix the findings of a report, and what is found after those that are made.

    `original` are the bytes of the files by path. Nothing is written.
    """
    texts = Texts(original)
    rounds = Rounds(plan, texts, judged, report)
    rounds.run()
    fingerprints = [finding.fingerprint for finding in report.findings]
    uncovered = [f for f, outcome in rounds.outcomes.items() if outcome.made and f not in set(fingerprints)]
    outcomes = [rounds.outcomes[f] for f in (*fingerprints, *uncovered)]
    fixes = tuple(_fix(outcome, outcome.candidate, rounds) for outcome in outcomes if outcome.candidate)
    remaining = tuple(
        Remaining(finding.rule, finding.subject, rounds.uncovered.get(finding.fingerprint))
        for finding in rounds.report.findings
    )
    in_order = _in_order(plan, texts, rounds, outcomes)
    after = {path: content for path, content in sorted(texts.changed.items()) if content != original[path]}
    fixing = Fixing(
        fixes=fixes,
        unfixed=tuple(_unfixed(outcome, plan) for outcome in outcomes if not outcome.candidate),
        remaining=remaining,
        files=tuple(ChangedFile(path, True, _digest(original[path]), _digest(content)) for path, content in after.items()),
        commands=tuple(command for outcome in outcomes for command in _commands(outcome, plan, in_order)),
        before={path: original[path] for path in after},
        after=after,
    )
    return fixing, rounds.report


def first_fixed(plan: FixPlan, original: Mapping[str, bytes], judged: Input, report: Report) -> Fixing:
    """The edits of the first round alone, which are those of the files as they are; nothing else is worked out."""
    rounds = Rounds(plan, Texts(original), judged, report)
    rounds.run(most=1)
    made = [outcome for outcome in rounds.outcomes.values() if outcome.made and outcome.candidate]
    fixes = tuple(_fix(outcome, outcome.candidate, rounds) for outcome in made if outcome.candidate)
    return Fixing(
        fixes=fixes, unfixed=(), remaining=(), files=(), commands=(), before=dict(original), after=dict(rounds.texts.changed)
    )


def _in_order(plan: FixPlan, texts: Texts, rounds: Rounds, outcomes: Sequence[Outcome]) -> Mapping[str, Proposal]:
    """The proposals for roles without source that have several findings, by fingerprint: each policy has what earlier commands
    have put right, so that no command undoes another one."""
    roles = [o.proposal.role.id for o in outcomes if _has_command(o) and o.proposal and o.proposal.role and o.proposal.policy]
    if len(set(roles)) == len(roles):
        return {}
    copy = Texts(texts.original)
    copy.changed = dict(texts.changed)
    again = Rounds(msgspec.structs.replace(plan, in_memory=True, barrier=_no_barrier), copy, rounds.judged, rounds.report)
    again.run()
    made = {fingerprint: o.candidate.proposal for fingerprint, o in again.outcomes.items() if o.candidate}
    return {fingerprint: proposal for fingerprint, proposal in made.items() if proposal.shell}


def _no_barrier(path: str) -> None:
    return None


def _has_command(outcome: Outcome) -> bool:
    stop = outcome.stop
    proposal = outcome.proposal
    if outcome.candidate is not None or proposal is None or stop is None:
        return False
    return not proposal.wishes or stop.reason in ("not-in-source", "generated")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fix(outcome: Outcome, candidate: PlannedEdit, rounds: Rounds) -> FindingFix:
    finding, proposal = outcome.finding, candidate.proposal
    edits = rounds.placed.get(finding.fingerprint) if outcome.made else None
    placed = edits or tuple(rounds.texts.placed(edit) for edit in candidate.edits)
    return FindingFix(
        rule=finding.rule,
        subject=finding.subject,
        fingerprint=finding.fingerprint,
        safety=proposal.safety,
        applied=outcome.made,
        title=finding.title,
        because=proposal.because,
        proof=proposal.proof,
        edits=placed,
        in_original=outcome.in_original,
    )


def _unfixed(outcome: Outcome, plan: FixPlan) -> Unfixed:
    finding, stop = outcome.finding, outcome.stop or CannotWrite("no-remedy", "no edit follows from the input")
    rule = plan.rules.get(finding.rule)
    return Unfixed(
        rule=finding.rule,
        subject=finding.subject,
        fingerprint=finding.fingerprint,
        reason=stop.reason,
        because=stop.because,
        how=stop.how or (rule.edit.how if rule else "") or finding.remedy,
    )


def _commands(outcome: Outcome, plan: FixPlan, in_order: Mapping[str, Proposal]) -> Iterator[FixCommand]:
    """What changes the live object of a finding that is in no source."""
    proposal = in_order.get(outcome.finding.fingerprint, outcome.proposal)
    if not _has_command(outcome) or proposal is None:
        return
    for command in proposal.shell:
        commented = proposal.safety == "unsafe" and not plan.unsafe
        yield FixCommand(
            rule=outcome.finding.rule,
            subject=outcome.finding.subject,
            shell="".join(f"# {line}\n" for line in command.splitlines()).rstrip("\n") if commented else command,
            document=proposal.policy,
            safety=proposal.safety,
            why=proposal.because,
        )
