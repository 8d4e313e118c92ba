"""Trust policies of which holes decide how far they reach: what a gate cannot judge."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.evidence import grant_evidence
from irsa_doctor.facts.grants.extent import extent_of
from irsa_doctor.facts.grants.grant import GrantFacts
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import UNREAD_TRUST, Gap, Place, Text, Unknown, text_of
from irsa_doctor.trust.conditions import is_plain_equality
from irsa_doctor.trust.operators import parse_operator
from irsa_doctor.trust.policy import Condition


class GateFacts(msgspec.Struct, frozen=True):
    """Whether a trust policy admits finitely many subjects whatever fills its holes (`bounded`), and what the settings require
    where it does not (`gate`)."""

    bounded: bool
    gate: Literal["fail", "tell"]


class Unbounded(msgspec.Struct, frozen=True):
    """A role, or one statement of its policy, with the `hole` that decides how far it reaches.

    `mark` is the same where it is equally unknown: of the same subject, with the same text around the same holes.
    """

    kind: str
    id: str
    group: str
    hole: str
    mark: tuple[str, str, str]
    evidence: Evidence

    def judged(self, gate: Literal["fail", "tell"]) -> Judged:
        """It as a subject of rules about what a gate cannot judge."""
        names = {"role": self.evidence.names["role"], "hole": self.hole}
        whole = Evidence(names, self.evidence.places)
        return Judged(self.kind, self.id, self.group, GateFacts(bounded=False, gate=gate), lambda: whole)


def unbounded(view: View) -> Iterator[Unbounded]:
    """Every role of a template, every statement, and every part that may make a role, that a hole opens to no one knows
    whom."""
    yield from (_of_gap(gap) for gap in view.inventory.gaps if gap.collection == UNREAD_TRUST)
    for analysed in view.roles:
        if isinstance(analysed.role.policy, Unknown):
            if analysed.role.address:
                yield _of_subject(analysed.judged, analysed.role.policy)
            continue
        for read, judged in zip(analysed.readings, analysed.grants, strict=False):
            if isinstance(judged.facts, GrantFacts) and _is_unbounded(read, judged.facts):
                yield _of_grant(read, judged)
        for judged in analysed.grants[len(analysed.readings) :]:
            hidden = judged.facts
            if isinstance(hidden, GrantFacts) and isinstance(hidden.scope, Unknown):
                yield _of_subject(judged, hidden.scope)


def _of_gap(gap: Gap) -> Unbounded:
    """A part of a template that may make a role, and cannot be read."""
    ident = f"{gap.owner}: {gap.name}"
    return Unbounded(
        kind="role",
        id=ident,
        group=ident,
        hole=gap.missing,
        mark=("role", ident, gap.missing),
        evidence=Evidence({"role": gap.name}, {"statement": Place(gap.owner)}),
    )


def _of_subject(judged: Judged, hole: Unknown) -> Unbounded:
    """A role or statement of which nothing is known."""
    return Unbounded(
        kind=judged.kind,
        id=judged.id,
        group=judged.group,
        hole=hole.missing,
        mark=(judged.kind, judged.id, hole.missing),
        evidence=judged.evidence(),
    )


def _of_grant(read: GrantReading, judged: Judged) -> Unbounded:
    """A statement of which a hole decides how many subjects get in."""
    return Unbounded(
        kind=judged.kind,
        id=judged.id,
        group=judged.group,
        hole=_holes(read),
        mark=(judged.kind, judged.id, extent_of(read).digest),
        evidence=grant_evidence(read),
    )


def _is_unbounded(read: GrantReading, facts: GrantFacts) -> bool:
    """Whether a hole decides how many subjects get in; a contested point is no hole."""
    if not isinstance(facts.scope, Unknown) or read.reading.action == "other":
        return False
    contested = read.known.contested or (read.share is not None and read.share.contested)
    return not contested and not any(map(_names_subjects, read.statement.conditions))


_EXACT = (parse_operator("StringEquals"), parse_operator("StringEqualsIgnoreCase"))


def _names_subjects(condition: Condition) -> bool:
    """Whether a condition leaves finitely many subjects, whatever its holes hold."""
    return condition.key.endswith(":sub") and (condition.use in _EXACT or is_plain_equality(condition))


def _holes(read: GrantReading) -> str:
    """The values with holes, as the document writes them."""
    values = [text_of(v) for c in read.statement.conditions for v in c.values if isinstance(v, Text)]
    return ", ".join(dict.fromkeys((*values, *read.statement.unseen))) or "a value that is not in the input"
