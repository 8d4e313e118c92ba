"""The answer of `fix`: as JSON, `irsa-doctor.fix/1`, for people, and as commands."""

import json
from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.answers.fix.records import (
    ChangedFile,
    FindingFix,
    FixCommand,
    Fixing,
    Remaining,
    Unfixed,
)
from irsa_doctor.model.edits import FileEdit, ProofKind, Safety, SubjectSet
from irsa_doctor.model.findings import Subject
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.json import ToolRecord, tool
from irsa_doctor.reports.style import Style

FIX_SCHEMA = "irsa-doctor.fix/1"


class FixSummary(msgspec.Struct, frozen=True):
    """How many fixes were made and offered, findings without one, and files with edits; whether these were written."""

    applied: int
    offered: int
    unfixed: int
    files: int
    written: bool
    uncommitted: int | None
    """of these files, how many had uncommitted changes already, null where they are in no repository"""


class ProofRecord(msgspec.Struct, frozen=True):
    """How the subjects after the edit are related to those before; lists where several providers are concerned."""

    kind: ProofKind
    before: SubjectSet | Sequence[SubjectSet]
    after: SubjectSet | Sequence[SubjectSet]
    gained: Sequence[str]
    lost: Sequence[str]


class FixRecord(msgspec.Struct, frozen=True):
    """The edits that fix one finding, made or offered."""

    rule: str
    subject: Subject
    fingerprint: str
    safety: Safety
    applied: bool
    title: str
    because: str
    proof: ProofRecord
    edits: Sequence[FileEdit]


class FixDocument(msgspec.Struct, frozen=True):
    """What `irsa-doctor fix --format json` prints."""

    schema: str
    tool: ToolRecord
    summary: FixSummary
    fixes: Sequence[FixRecord]
    unfixed: Sequence[Unfixed]
    remaining: Sequence[Remaining]
    files: Sequence[ChangedFile]
    commands: Sequence[FixCommand]


def fix_json(fixing: Fixing, written: bool) -> str:
    """Returns the answer as JSON."""
    document = FixDocument(
        FIX_SCHEMA,
        tool(),
        _summary(fixing, written),
        [_record(fix) for fix in fixing.fixes],
        fixing.unfixed,
        fixing.remaining,
        fixing.files,
        fixing.commands,
    )
    return json.dumps(msgspec.to_builtins(document), indent=2, ensure_ascii=False) + "\n"


def _summary(fixing: Fixing, written: bool) -> FixSummary:
    applied = sum(fix.applied for fix in fixing.fixes)
    offered = len(fixing.fixes) - applied
    return FixSummary(applied, offered, len(fixing.unfixed), len(fixing.files), written, fixing.uncommitted)


def _record(fix: FindingFix) -> FixRecord:
    proof = fix.proof
    sides = [side[0] if len(side) == 1 else side or SubjectSet() for side in (proof.before, proof.after)]
    shown = ProofRecord(proof.kind, sides[0], sides[1], proof.gained, proof.lost)
    return FixRecord(fix.rule, fix.subject, fix.fingerprint, fix.safety, fix.applied, fix.title, fix.because, shown, fix.edits)


def fix_text(fixing: Fixing, written: bool, style: Style) -> str:
    """Returns what was or would be edited, for people."""
    lines = ["\t".join(map(for_terminal, line.split("\t"))) for line in _text_lines(fixing, written, style)]
    summary = _summary(fixing, written)
    files = f"{summary.files} file{'s' * (summary.files != 1)}"
    done = "fixed" if written else "can be fixed"
    what = f"{summary.applied} {done} in {files}, {summary.offered} offered, {summary.unfixed} unfixed"
    if summary.files and not written:
        what += "; --write edits them, --diff shows the change"
    if summary.uncommitted:
        had = "had" if summary.uncommitted == 1 else "of them had"
        what += f"\n{summary.uncommitted} {had} uncommitted changes before"
    return "\n".join([*lines, what]) + "\n"


def _text_lines(fixing: Fixing, written: bool, style: Style) -> Iterator[str]:
    for fix in fixing.fixes:
        what = ("fixed" if written else "fix") if fix.applied else f"{fix.safety}, not applied"
        yield f"{fix.rule} ({fix.subject.id}): {what}: {fix.because}"
        for edit in fix.edits:
            yield f"  {edit.file}:{edit.start.line}:{edit.start.column}"
            yield from (f"    - {line}" for line in edit.old.splitlines())
            yield from (f"    + {line}" for line in edit.new.splitlines())
        yield ""
    for row in fixing.unfixed:
        yield f"{row.rule} ({row.subject.id}): {row.reason}: {row.because}"
        yield f"  {row.how}"
        yield ""


def commands_text(fixing: Fixing) -> str:
    """Returns the commands that change live objects, each below a comment that says why.

    Of every finding that no command is for, comments say why: that an edit of a file fixes it, else what keeps it from being
    fixed and what the next step is.
    """
    parts = [f"{_comment(c.rule, c.subject.id, c.why)}{c.shell}\n" for c in fixing.commands]
    for fix in fixing.fixes:
        files = ", ".join(dict.fromkeys(edit.file for edit in fix.edits))
        how = "--write" if fix.applied or fix.safety == "safe" else "--unsafe-fixes --write"
        parts.append(_comment(fix.rule, fix.subject.id, f"no command: {how} edits {files}"))
    with_commands = {(command.rule, command.subject) for command in fixing.commands}
    parts += [
        _comment(row.rule, row.subject.id, f"not fixed: {row.reason}: {row.because}") + _comment(row.how)
        for row in fixing.unfixed
        if (row.rule, row.subject) not in with_commands
    ]
    return "\n".join(parts)


def _comment(*parts: str) -> str:
    """A comment of a shell, on one line whatever the names in it hold."""
    return f"# {for_terminal(': '.join(' '.join(part.split()) for part in parts))}\n"
