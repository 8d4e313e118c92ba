"""The state of one link: the verdict, why, and the signs by which causes are named."""

from collections.abc import Iterable

import msgspec

from irsa_doctor.answers.why.records import CERTAINTIES, LinkVerdict
from irsa_doctor.model import Unknown
from irsa_doctor.model.findings import Finding, Location
from irsa_doctor.rulebook.cause_block import Certainty


class Sign(msgspec.Struct, frozen=True):
    """An observation that speaks for causes: for those that list it under `signs`, or for the cause whose id it is.

    `because` is what was observed, "" where the cause says it as well; `finding` the finding of the rule that observed it;
    `at_most` how sure a cause may be of it in this case.
    """

    id: str
    because: str = ""
    finding: Finding | None = None
    places: tuple[Location, ...] = ()
    at_most: Certainty = "certain"


class LinkState(msgspec.Struct, frozen=True):
    """The verdict of one link, why, the signs in order, and `settle`: the command that supplies what is unknown."""

    verdict: LinkVerdict
    because: str
    signs: tuple[Sign, ...] = ()
    settle: str = ""

    @property
    def places(self) -> tuple[Location, ...]:
        """Where it is wrong: the failing check, where it is known, then all that a finding points at."""
        signs = self.signs if self.verdict == "fail" else ()
        places = (p for sign in signs for p in (*sign.places, *(sign.finding.locations if sign.finding else ())))
        return tuple(dict.fromkeys(places))


def passed(because: str) -> LinkState:
    """The link holds."""
    return LinkState("pass", because)


def inapplicable(because: str) -> LinkState:
    """The link does not apply to the case, or nothing of the input is about it."""
    return LinkState("skipped", because)


def undecided(because: str, *signs: Sign, settle: str = "") -> LinkState:
    """The link may hold or not."""
    return LinkState("unknown", because, signs, settle)


def unseen(unknown: Unknown, *signs: Sign) -> LinkState:
    """An input of the link is missing."""
    return undecided(f"not in the input: {unknown.missing}", *signs, settle=unknown.how)


def failed(because: str, *signs: Sign) -> LinkState:
    """The link does not hold."""
    return LinkState("fail", because, signs)


def observed(sign: str, because: str, *places: Location) -> LinkState:
    """The link does not hold, by one observation."""
    return failed(because, Sign(sign, because, None, places))


def signs_of(findings: Iterable[Finding], at_most: Certainty = "certain") -> tuple[Sign, ...]:
    """Findings as signs, each rule once."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
    return tuple(Sign(rule, finding.message, finding, (), at_most) for rule, finding in first.items())


def at_most(certainty: Certainty, sign: Sign) -> Sign:
    """A sign of which no cause is more certain than this."""
    return msgspec.structs.replace(sign, at_most=max(certainty, sign.at_most, key=CERTAINTIES.index))


def at_most_likely(sign: Sign) -> Sign:
    """A sign that proves nothing."""
    return at_most("likely", sign)
