"""Sets aside findings that have a waiver, and reports waivers that no longer apply."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

import msgspec

from irsa_doctor.facts import Evidence, Judged, WaiverFacts
from irsa_doctor.governance.baseline import told_as
from irsa_doctor.governance.excused import Excused
from irsa_doctor.governance.settings import Waiver
from irsa_doctor.model import Gap, Place, Unknown, is_account_id, parse_arn
from irsa_doctor.model.findings import Finding, Waived
from irsa_doctor.model.nearness import suggestion
from irsa_doctor.model.regex import regex

_ACCOUNTS = regex(r"(?<![0-9])[0-9]{12}(?![0-9])")
"""the ids of accounts in a subject"""


class Sorted(msgspec.Struct, frozen=True):
    """The findings that remain, those that are waived, and the waivers as subjects of rules of their own."""

    findings: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    waivers: tuple[Judged, ...]
    used: frozenset[str] = frozenset()
    """the ids of the waivers that fit a finding"""


def apply_waivers(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    chosen: Collection[str],
    known: Collection[str],
    today: date,
    at_base: Excused | None = None,
    gaps: Sequence[Gap] = (),
) -> Sorted:
    """Every finding to the first waiver that fits it, covers its severity and has not expired.

    `at_base` is what was excused before a change: of a subject that was there no more is.

    `chosen` are the ids of the rules of this run, `known` those of all rules. Nothing is said of a waiver whose rule was left
    out of this run.
    """
    by_rule: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        by_rule.setdefault(waiver.rule, []).append(waiver)
    used: set[int] = set()
    standing: list[Finding] = []
    waived: list[Waived] = []
    for finding in findings:
        fitting = [w for w in by_rule.get(finding.rule, ()) if w.matches(finding.rule, finding.subject.id)]
        used |= {id(waiver) for waiver in fitting}
        holding = next((w for w in fitting if not w.is_expired(today) and w.covers(finding.severity)), None)
        beyond = at_base.beyond_waiver(finding, by_pattern=holding.is_pattern) if at_base and holding else ""
        if holding is None or beyond:
            standing.append(told_as(finding, beyond or _milder(fitting, finding, today)))
        else:
            waived.append(Waived(finding, holding.owner, holding.reason, holding.expires.isoformat(), holding.accepted_by))
    fitting_ids = {waiver.id for waiver in waivers if id(waiver) in used}
    judged = judged_waivers(waivers, fitting_ids, chosen, known, today, gaps)
    return Sorted(tuple(standing), tuple(waived), judged, frozenset(fitting_ids))


def judged_waivers(
    waivers: Sequence[Waiver],
    used: Collection[str],
    chosen: Collection[str],
    known: Collection[str],
    today: date,
    gaps: Sequence[Gap] = (),
) -> tuple[Judged, ...]:
    """The waivers as subjects of rules of their own; `used` are the ids of those that fit a finding. Whether one that fits none
    is needed is unknown where the account that it names was not read, of which there are `gaps`, or where it names none and a
    whole list is missing."""
    about = [waiver for waiver in waivers if waiver.rule in chosen or waiver.rule not in known]
    facts = [(waiver, _facts(waiver, waiver.id in used, today, known, gaps)) for waiver in about]
    return tuple(_judged(waiver, fact, known) for waiver, fact in facts)


def _gap_over(subject: str, gaps: Sequence[Gap]) -> Gap | None:
    """What could not be read and may have the subject of a waiver."""
    named = _ACCOUNTS.findall(subject)
    return next((gap for gap in gaps if (_account(gap.owner) in named if named else not gap.name)), None)


def _account(owner: str) -> str:
    arn = parse_arn(owner)
    return arn.account if arn else owner if is_account_id(owner) else ""


def _milder(fitting: Sequence[Waiver], finding: Finding, today: date) -> str:
    """That a waiver covers less than the severity of a finding, as a sentence."""
    milder = [waiver for waiver in fitting if not waiver.is_expired(today) and not waiver.covers(finding.severity)]
    return f"A waiver accepts it up to {milder[0].severity}, it is {finding.severity}." if milder else ""


def _facts(waiver: Waiver, used: bool, today: date, known: Collection[str], gaps: Sequence[Gap]) -> WaiverFacts:
    if waiver.rule not in known:
        return WaiverFacts("unknown-rule")
    if waiver.is_expired(today):
        return WaiverFacts("expired")
    if not used and (gap := _gap_over(waiver.subject, gaps)):
        return WaiverFacts(Unknown(gap.missing, gap.how))
    return WaiverFacts("used" if used else "unused")


def _judged(waiver: Waiver, facts: WaiverFacts, known: Collection[str]) -> Judged:
    names: Mapping[str, str] = {
        "rule": waiver.rule,
        "subject": waiver.subject,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat(),
        "waiver": "waiver",
        "named": f"{waiver.rule}, which is not a rule",
        "hint": suggestion(waiver.rule, known),
    }
    return Judged("waiver", waiver.id, waiver.file, facts, lambda: Evidence(names, {"waiver": waiver_place(waiver)}))


def waiver_place(waiver: Waiver) -> Place:
    """The place of a waiver: it is in no document that was read, so only its line is known."""
    return Place(waiver.file, f"/waivers/{waiver.id}")
