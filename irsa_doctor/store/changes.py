"""What changed from one run to the next: a finding is mended only where the rule was asked of its subject again."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Literal, NamedTuple

from irsa_doctor.store.rows import RunRows, SightingRow

FindingChange = Literal[
    "new", "fixed", "gone", "reopened", "waived", "unwaived", "expired", "unseen", "seen-again", "rule-gone"
]
FindingStatus = Literal["open", "waived", "fixed", "gone"]
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_OF_RUN = ("waiver", "document", "settings")
"""subjects that belong to the run itself: they are there or not, whatever was read"""


class Standing(NamedTuple):
    """A finding as the runs before left it; `seen`: the last of them judged its subject."""

    key: str
    rule: str
    kind: str
    subject: str
    """the key of its subject"""
    holder: str
    """the key of what its subject is a part of: the service account of a binding, the role of a statement; "" for none"""
    account: str
    cluster: str
    status: FindingStatus
    seen: bool
    body: str
    """as it was last seen"""
    waiver_ends: str
    """the last day of the waiver that set it aside, "" for none"""


class FindingOutcome(NamedTuple):
    """What becomes of a finding in a run: its status, and what has changed of it."""

    status: FindingStatus
    changes: tuple[FindingChange, ...]


def outcome_of_seen(standing: Standing | None, sighting: SightingRow, day: str) -> FindingOutcome:
    """The outcome of a finding that a run sees, on a day."""
    if standing is None:
        return FindingOutcome(sighting.status, ("waived" if sighting.status == "waived" else "new",))
    again: tuple[FindingChange, ...] = () if standing.seen or standing.status in ("fixed", "gone") else ("seen-again",)
    if sighting.status == "waived":
        return FindingOutcome("waived", again if standing.status == "waived" else ("waived", *again))
    if standing.status == "waived":
        ended = bool(standing.waiver_ends) and standing.waiver_ends < day
        return FindingOutcome("open", ("expired" if ended else "unwaived", *again))
    return FindingOutcome("open", ("reopened",) if standing.status in ("fixed", "gone") else again)


def outcome_of_absent(standing: Standing, sight: "Sight") -> FindingOutcome:
    """The outcome of a finding that stood before a run, which does not see it."""
    if standing.status in ("fixed", "gone"):
        return FindingOutcome(standing.status, ())
    how = sight.why_absent(standing)
    if how == "unseen":
        return FindingOutcome(standing.status, ("unseen",) if standing.seen else ())
    return FindingOutcome("gone" if how == "gone" else "fixed", (how,))


_STATUS_OF: Mapping[str, FindingStatus] = {
    "new": "open",
    "reopened": "open",
    "expired": "open",
    "unwaived": "open",
    "waived": "waived",
    "fixed": "fixed",
    "rule-gone": "fixed",
    "gone": "gone",
}
"""what has not changed a status is not in it"""


def status_after(changes: Iterable[str]) -> FindingStatus | None:
    """The status of a finding after its changes, oldest first; None after none."""
    statuses = [_STATUS_OF[change] for change in changes if change in _STATUS_OF]
    return statuses[-1] if statuses else None


class Sight:
    """What a run could see; `verdicts_of` gives what each rule said of a subject (key), None where it was not there, and
    `departed` the accounts that have left the organisation."""

    def __init__(
        self,
        run: RunRows,
        verdicts_of: Callable[[str], Mapping[str, str] | None],
        departed: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._verdicts_of, self._departed = verdicts_of, cache(departed)
        self._rules = {tally.rule for tally in run.tallies}
        states = {(row.kind, row.id): row.state for row in run.scope}
        self._accounts = {ident for kind, ident in states if kind == "account"}
        self._dim = {ident for (kind, ident), state in states.items() if kind == "account" and state != "read"}
        self._clusters = {ident: state for (kind, ident), state in states.items() if kind == "cluster"}

    def why_absent(self, standing: Standing) -> Literal["fixed", "gone", "unseen", "rule-gone"]:
        """Why a finding that stood is not there any more."""
        if standing.rule not in self._rules:
            return "rule-gone"
        if standing.kind in _OF_RUN:
            return "fixed"
        verdict = self._verdicts_of(standing.subject)
        if self._is_dim(standing, is_there=verdict is not None) or (verdict or {}).get(standing.rule) == "unknown":
            return "unseen"
        is_there = verdict is not None or (standing.holder != "" and self._verdicts_of(standing.holder) is not None)
        return "fixed" if is_there else "gone"

    def _is_dim(self, standing: Standing, *, is_there: bool) -> bool:
        """Whether something that the judgement hangs on was out of sight: its own account or cluster, or another that the
        finding names. An account that was not to be read is out of sight too, unless it has left the organisation. Of a cluster
        that was read in part what is not there is out of sight; what is there was judged."""
        state = self._clusters.get(standing.cluster, "read")
        if state != "read" and not (state == "partial" and is_there):
            return True
        if not self._dim.isdisjoint({standing.account}):
            return True
        if standing.account and standing.account not in self._accounts and standing.account not in self._departed():
            return True
        return not self._dim.isdisjoint(_ACCOUNT.findall(standing.body))
