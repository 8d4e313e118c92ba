"""What changed from one run to the next: a finding is mended only where the rule was asked of its subject again."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Literal, NamedTuple

from irsa_doctor.store.rows import RunRows, ScopeRow, SightingRow

FindingChange = Literal[
    "new", "fixed", "gone", "reopened", "waived", "unwaived", "expired", "unseen", "seen-again", "rule-gone"
]
FindingStatus = Literal["open", "waived", "fixed", "gone"]
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_LIST_OF: Mapping[str, str] = {
    "role": "roles",
    "grant": "roles",
    "policy": "roles",
    "provider": "providers",
    "cluster": "clusters",
}
"""the list of an account in which a kind of subject is, of those that are in none of a cluster"""
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
    last_seen: int
    """the last run that saw it"""
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


class LostPart(NamedTuple):
    """What could not be read whole: a list (`OWNER/LIST/PART`), or an account, a cluster or a region for another reason."""

    id: str
    why: str = ""
    """"" for a list: a refusal may be worded in another way each time"""


class RunSight:
    """What could not be read whole in a run, by the account that it is of."""

    def __init__(self, scope: Iterable[ScopeRow]) -> None:
        rows = tuple(scope)
        self.accounts = {row.id: row.state for row in rows if row.kind == "account"}
        """account -> its state"""
        self.clusters = {row.id: row.state for row in rows if row.kind == "cluster"}
        """cluster (ARN) -> its state"""
        self._lost: dict[str, set[LostPart]] = {}
        of_lists = {row.why for row in rows if row.kind == "list"}
        for row in rows:
            if row.kind == "list":
                self._add(LostPart(row.id))
            elif row.state != "read" and row.why not in of_lists:
                self._add(LostPart(row.id, row.why or "?"))

    def _add(self, part: LostPart) -> None:
        for account in _ACCOUNT.findall(part.id) or [""]:
            self._lost.setdefault(account, set()).add(part)

    def lost(self, accounts: Iterable[str] | None) -> set[LostPart]:
        """What could not be read whole of some accounts (None: of all), or of nobody knows which."""
        chosen = self._lost if accounts is None else ("", *accounts)
        return set().union(*(self._lost.get(account, ()) for account in chosen))


class Sight:
    """What a run could see; `verdicts_of` gives what each rule said of a subject (key), None where it was not there,
    `sight_of` what could be seen in an earlier run, and `departed` the accounts that have left the organisation."""

    def __init__(
        self,
        run: RunRows,
        verdicts_of: Callable[[str], Mapping[str, str] | None],
        sight_of: Callable[[int], RunSight],
        departed: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._verdicts_of, self._sight_of, self._departed = verdicts_of, cache(sight_of), cache(departed)
        self._rules = {tally.rule for tally in run.tallies}
        self._now = RunSight(run.scope)

    def why_absent(self, standing: Standing) -> Literal["fixed", "gone", "unseen", "rule-gone"]:
        """Why a finding that stood is not there any more."""
        if standing.rule not in self._rules:
            return "rule-gone"
        if standing.kind in _OF_RUN:
            return "fixed"
        verdict = self._verdict(standing)
        if verdict == "unknown" or self._is_dim(standing, is_there=verdict is not None):
            return "unseen"
        if verdict is None and not (standing.holder and self._verdicts_of(standing.holder) is not None):
            return "gone" if self._is_listed_whole(standing) else "unseen"
        # what the rule does not look at any more may be another thing for what another account has
        near = None if verdict == "" else _near(standing)
        return "fixed" if self._is_as_visible(standing, near) else "unseen"

    def _verdict(self, standing: Standing) -> str | None:
        """What the rule said of the subject, "" where it did not look at it, None where the subject was not there."""
        verdicts = self._verdicts_of(standing.subject)
        return None if verdicts is None else verdicts.get(standing.rule, "")

    def _is_dim(self, standing: Standing, *, is_there: bool) -> bool:
        """Whether something that the judgement hangs on was not read at all: its own account or cluster, or another that the
        finding names. An account that was not to be read is out of sight too, unless it has left the organisation. Of a cluster
        that was read in part what is not there is out of sight; what is there was judged."""
        accounts = self._now.accounts
        state = self._now.clusters.get(standing.cluster, "read")
        if state != "read" and not (state == "partial" and is_there):
            return True
        if standing.account and standing.account not in accounts and standing.account not in self._departed():
            return True
        return any(accounts.get(account, "read") not in ("read", "partial") for account in _near(standing))

    def _is_as_visible(self, standing: Standing, near: Collection[str] | None) -> bool:
        """Whether all was seen of some accounts (None: of all) by which the finding was seen. What is not may be why a rule
        passes: it looks for a provider, say, in a list that it was refused. Whether a role admits a service account depends on
        so many lists that none of an account may be missing, then neither."""
        lost = self._now.lost(near)
        if standing.kind == "binding" and any(part.why or _ACCOUNT.match(part.id) for part in lost):
            return False
        return lost <= self._sight_of(standing.last_seen).lost(near)

    def _is_listed_whole(self, standing: Standing) -> bool:
        """Whether what would have the subject was read whole."""
        own = _LIST_OF.get(standing.kind)
        if own is None:
            # what is in a cluster was listed, or the cluster is dim; who may do what there depends on all of it
            return standing.kind != "identity" or self._is_as_visible(standing, _near(standing))
        parts = self._now.lost({standing.account})
        return not any(part.why or part.id.startswith(f"{standing.account}/{own}/") for part in parts)


def _near(standing: Standing) -> set[str]:
    """The accounts that a finding is of, or names."""
    return {standing.account, *_ACCOUNT.findall(standing.cluster), *_ACCOUNT.findall(standing.body)} - {""}
