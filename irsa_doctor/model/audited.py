"""What a store of audits has of its subjects: verdicts by run, findings, and a run in numbers."""

from collections.abc import Mapping
from typing import NamedTuple


class FindingNote(NamedTuple):
    """A finding of a subject in a run; `first_seen` and `last_seen` are runs. Of an open one nobody has accepted, the last four
    are ""."""

    rule: str
    key: str
    severity: str
    status: str
    first_seen: int
    last_seen: int
    owner: str = ""
    accepted_by: str = ""
    expires: str = ""
    reason: str = ""


class RunVerdicts(NamedTuple):
    """What the rules said of a subject in a run, and the rules whose findings were waived in it."""

    run: int
    verdicts: Mapping[str, str]
    waived: frozenset[str]


class StoredSubject(NamedTuple):
    """A subject with its verdicts in each of the chosen runs. `unseen`: it is in none of them, for its account or cluster could
    not be read; the verdicts are those of the last run in which it was seen."""

    key: str
    kind: str
    id: str
    account: str
    cluster: str
    runs: tuple[RunVerdicts, ...]
    unseen: bool = False


class RunTrend(NamedTuple):
    """A run in numbers: open findings by severity, those out of sight, and what changed in it."""

    run: int
    as_of: str
    open: dict[str, int]
    unseen: int
    new: int
    fixed: int
    waived: int
