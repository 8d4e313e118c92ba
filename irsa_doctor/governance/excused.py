"""What waivers and comments excused at the base of a change: the most that they excuse in the change."""

from collections.abc import Iterable, Mapping

import msgspec

from irsa_doctor.governance.baseline import Entry, entry_of
from irsa_doctor.model.findings import Finding, Waived

Key = tuple[str, str]
"""rule, id of the subject"""


class Excused(msgspec.Struct, frozen=True):
    """Findings of the base that a waiver set aside, and those that a comment did, by rule and subject."""

    by_waiver: Mapping[Key, Entry]
    by_comment: Mapping[Key, Entry]

    def beyond_waiver(self, finding: Finding, *, by_pattern: bool = False) -> str:
        """In what a finding is more than a waiver excused at the base, as a sentence; "" where it is not, and where the base
        had nothing of the kind: then the waiver alone decides, where it names the subject and not a pattern (`by_pattern`):
        whoever makes a change chooses the names in it."""
        if by_pattern and (finding.rule, finding.subject.id) not in self.by_waiver:
            return "A waiver by pattern excuses only what it excused before the change."
        return _beyond(self.by_waiver, finding)

    def beyond_comment(self, finding: Finding) -> str:
        """The same of a comment, which excuses nothing that it did not excuse at the base: it could be moved to anything."""
        if (finding.rule, finding.subject.id) not in self.by_comment:
            return "A comment excuses only what it excused before the change."
        return _beyond(self.by_comment, finding)


def _beyond(known: Mapping[Key, Entry], finding: Finding) -> str:
    entry = known.get((finding.rule, finding.subject.id))
    return "" if entry is None else entry.beyond(entry_of(finding), finding.severity)


def excused(waived: Iterable[Waived]) -> Excused:
    """What a report of the base set aside."""
    by_waiver: dict[Key, Entry] = {}
    by_comment: dict[Key, Entry] = {}
    for row in waived:
        known = by_waiver if row.expires else by_comment
        known[row.finding.rule, row.finding.subject.id] = entry_of(row.finding)
    return Excused(by_waiver, by_comment)
