"""What `fix` answers: every finding with its edits or the reason why there are none."""

from collections.abc import Mapping

import msgspec

from irsa_doctor.model.edits import FileEdit, Proof, Safety, UnfixedReason
from irsa_doctor.model.findings import Subject
from irsa_doctor.remedies.draft import PolicyDocument


class FindingFix(msgspec.Struct, frozen=True, kw_only=True):
    """The edits that fix a finding, made (`applied`) or offered; `because` is why they are safe, or what may go wrong."""

    rule: str
    subject: Subject
    fingerprint: str
    safety: Safety
    applied: bool
    title: str
    because: str
    proof: Proof
    edits: tuple[FileEdit, ...]
    in_original: bool = True
    """whether the edits are those of the files as they are, and not of what earlier edits have made of them"""


class Unfixed(msgspec.Struct, frozen=True, kw_only=True):
    """A finding of which nothing is edited: a reason of the closed list, why, and the next step for a person."""

    rule: str
    subject: Subject
    fingerprint: str
    reason: UnfixedReason
    because: str
    how: str


class Remaining(msgspec.Struct, frozen=True):
    """A finding that is there after all edits; `uncovered_by` is the rule whose fix uncovered it, None where none did."""

    rule: str
    subject: Subject
    uncovered_by: str | None


class ChangedFile(msgspec.Struct, frozen=True):
    """A file with edits, and the digests of its bytes."""

    path: str
    changed: bool
    sha256_before: str
    sha256_after: str


class FixCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What changes the live object of a finding that has no source: a line for a POSIX shell, with the whole corrected policy
    where it saves one. One that is not safe is a comment, where unsafe fixes are not made."""

    rule: str
    subject: Subject
    shell: str
    document: PolicyDocument | None
    safety: Safety
    why: str


class Fixing(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `fix`; `before` and `after` are the bytes of the files with edits, by path."""

    fixes: tuple[FindingFix, ...]
    unfixed: tuple[Unfixed, ...]
    remaining: tuple[Remaining, ...]
    files: tuple[ChangedFile, ...]
    commands: tuple[FixCommand, ...]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    uncommitted: int | None = None
    """how many of the files with edits differ from what git has of them already, None where they are in no repository"""
