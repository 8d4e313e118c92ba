"""What is said of the inventory: findings, what could not be told, and the report that holds them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import msgspec

from irsa_doctor.model.edits import Suggestion
from irsa_doctor.model.extents import NO_EXTENT, LazyExtent, worked_out
from irsa_doctor.model.limits import reached

Severity = Literal["critical", "high", "medium", "low"]
Confidence = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
CONFIDENCES: tuple[Confidence, ...] = ("high", "medium", "low")


class Subject(msgspec.Struct, frozen=True):
    """Of what a finding speaks; the kinds are a closed list (role, grant, policy, binding, ...)."""

    kind: str
    id: str


class Location(msgspec.Struct, frozen=True):
    """A place, found. Lines and columns are 1-based and count characters; the end is exclusive; 0 = not known.

    `source` is the text of the line, or the part of a long one around the place, "" where it was not kept; the place begins at
    `offset` (0-based) in it.
    """

    file: str
    line: int
    column: int
    pointer: str
    says: str
    primary: bool = False
    end_line: int = 0
    end_column: int = 0
    source: str = ""
    offset: int = 0


class Snippet(msgspec.Struct, frozen=True):
    """A remedy that can be pasted: a command or a corrected document."""

    language: Literal["sh", "json", "yaml"]
    title: str
    text: str


class Fix(msgspec.Struct, frozen=True):
    """What mends a finding or a cause, proved not to do harm; `policy` is the whole trust policy of the role, corrected.

    Each command can be pasted into a POSIX shell as it stands. `keeps` counts the service accounts that use the role and keep
    it, `admits` are the subjects that the policy newly admits. `diff` is the change of the policy: lines of JSON after a space,
    `-` or `+`, for people. `managed_by` is the tool that undoes what the commands change, in words, "" where none is known:
    there the change belongs.
    """

    policy: Mapping[str, Any] | None = None
    commands: tuple[str, ...] = ()
    keeps: int = 0
    admits: tuple[str, ...] = ()
    diff: str = ""
    managed_by: str = ""


class Offer:
    """A fix that is worked out when it is first read: findings that nobody shows cost nothing."""

    def __init__(self, make: Callable[[], Fix | None] | None = None) -> None:
        self._make = make
        self._fix: Fix | None = None

    @property
    def fix(self) -> Fix | None:
        """The fix, None where none is proved, or where the run has reached a limit before."""
        if self._make is not None:
            make, self._make = self._make, None
            self._fix = None if reached() else make()
        return self._fix

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Another process gets the fix."""
        return "NO_OFFER" if self is NO_OFFER else (Offer, (partial(worked_out, self.fix),))

    def __eq__(self, other: object) -> bool:
        """Equal where the fixes are."""
        return isinstance(other, Offer) and self.fix == other.fix

    def __hash__(self) -> int:
        """The same for all: what it offers may not be known yet."""
        return hash(Offer)


NO_OFFER = Offer()


class AccountList(msgspec.Struct, frozen=True):
    """Service accounts that use a role: the first `ids` (cluster/namespace/name), sorted, and the `count` of all.

    `kept_out`: they are those that the role does not admit; else all that use it.
    """

    ids: tuple[str, ...] = ()
    count: int = 0
    kept_out: bool = False


class RoleAccounts:
    """The service accounts that a finding about a role concerns, worked out when they are first read."""

    def __init__(self, make: Callable[[], AccountList] | None = None) -> None:
        self._make = make
        self._accounts = AccountList()

    @property
    def accounts(self) -> AccountList:
        """The service accounts."""
        if self._make is not None:
            make, self._make = self._make, None
            self._accounts = make()
        return self._accounts

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Another process gets the service accounts."""
        return "NO_ACCOUNTS" if self is NO_ACCOUNTS else (RoleAccounts, (partial(worked_out, self.accounts),))

    def __eq__(self, other: object) -> bool:
        """Equal where the service accounts are."""
        return isinstance(other, RoleAccounts) and self.accounts == other.accounts

    def __hash__(self) -> int:
        """The same for all: the service accounts may not be known yet."""
        return hash(RoleAccounts)


NO_ACCOUNTS = RoleAccounts()


class Finding(msgspec.Struct, frozen=True):
    """One defect of one subject.

    `group` is the role, bare policy, provider, cluster or service account under which people want to read it; `controls` maps a
    framework to its control ids; `fingerprint` does not change when lines move.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    title: str
    message: str
    subject: Subject
    locations: tuple[Location, ...]
    remedy: str
    controls: Mapping[str, tuple[str, ...]]
    url: str
    fingerprint: str
    group: str = ""
    offer: Offer = NO_OFFER
    role_accounts: RoleAccounts = NO_ACCOUNTS
    lazy_extent: LazyExtent = NO_EXTENT
    """who gets in, of a finding about a grant: what is accepted with it"""

    @property
    def fix(self) -> Fix | None:
        """What mends it, None where nothing is proved to."""
        return self.offer.fix

    @property
    def service_accounts(self) -> tuple[str, ...]:
        """The first service accounts that it concerns, as cluster/namespace/name; none where it is not about a role."""
        return self.role_accounts.accounts.ids

    def settle(self) -> None:
        """Work out everything that is worked out when it is first read."""
        for lazy in (self.offer.fix, self.role_accounts.accounts, self.lazy_extent.extent):
            del lazy


class Missing(msgspec.Struct, frozen=True):
    """An input that was not given, the command that fetches it, and what could not be judged without it.

    `file` is the file that the command writes, the next input; `then` is the option that irsa-doctor needs besides; "" for
    none.
    """

    missing: str
    how: str
    rules: tuple[str, ...]
    subjects: int
    then: str = ""
    file: str = ""

    @property
    def addition(self) -> str:
        """What the next call of `check` has besides: the file and the option."""
        return " ".join(filter(None, (self.file, self.then)))


class Tally(msgspec.Struct, frozen=True):
    """How often one rule was asked, and what it answered."""

    id: str
    evaluated: int
    passed: int
    failed: int
    unknown: int
    waived: int = 0


class Waived(msgspec.Struct, frozen=True):
    """A finding that somebody answers for, until `expires` (YYYY-MM-DD, or "" for never)."""

    finding: Finding
    owner: str
    reason: str
    expires: str
    accepted_by: str = ""


class JudgedSubject(msgspec.Struct, frozen=True):
    """A subject with what each rule said of it: (rule, pass, fail or unknown), sorted; the same tuple for many subjects."""

    kind: str
    id: str
    group: str
    verdicts: tuple[tuple[str, str], ...]


class DocumentRow(msgspec.Struct, frozen=True):
    """What became of one given path."""

    path: str
    kind: str
    status: Literal["read", "ignored", "unreadable"]
    why: str | None
    sha256: str | None
    base: bool = False
    """whether it is of what a change is laid over"""


class Counts(msgspec.Struct, frozen=True):
    """What was looked at."""

    documents: int
    roles: int
    policies: int
    providers: int
    clusters: int
    service_accounts: int
    workloads: int
    associations: int = 0


class Report(msgspec.Struct, frozen=True):
    """Everything that `check` has to say. Findings are sorted: by severity, role, rule, subject."""

    version: str
    rules_digest: str
    counts: Counts
    findings: tuple[Finding, ...]
    unknown: tuple[Missing, ...]
    tallies: tuple[Tally, ...]
    waived: tuple[Waived, ...]
    documents: tuple[DocumentRow, ...]
    baselined: int = 0
    hidden: int = 0
    """findings below --min-severity or --min-confidence"""
    limit: str = ""
    """the limit of the run that was reached, in words: then not everything was judged"""
    unshown: Mapping[str, int] = {}
    """findings by rule that `baselined` and `hidden` count: they are not shown, and they are there"""
    suggestions: Mapping[str, Suggestion] = {}
    """safe edits by the fingerprint of the finding that they fix"""
    subjects: tuple[JudgedSubject, ...] = ()
    """every subject, where it was asked for"""
    fitting_waivers: frozenset[str] = frozenset()
    """ids of the waivers that fit a finding, whether they set it aside or not"""
    as_of: str = ""
    """when it was judged: a day, or the time (RFC 3339) that the user names; waivers and ages go by it"""
    lean: bool = False
    """without the lines of documents, and without what a baseline keeps of a finding"""
