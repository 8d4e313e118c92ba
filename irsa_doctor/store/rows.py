"""The rows of one run, as they are written and read."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from irsa_doctor.model import ScopeState


def canonical(value: object) -> str:
    """JSON with sorted members and without spaces: the same text for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_lines(rows: Sequence[Sequence[str | int | None]]) -> bytes:
    """The canonical JSON of rows of texts and numbers, in UTF-8, each with a line end."""
    return _JSON.encode_lines(rows)


_JSON = msgspec.json.Encoder()


def sha256(text: str) -> str:
    """The digest of a text, `sha256:` and hexadecimal."""
    return f"sha256:{digest_bytes(text).hex()}"


def digest_bytes(text: str) -> bytes:
    """The digest of a text as bytes."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


class ScopeRow(NamedTuple):
    """An account, a cluster (ARN) or a region (`ACCOUNT/REGION`) that was to be read, or a list (`OWNER/LIST/PART`) of one of
    them that was not read whole."""

    kind: Literal["account", "cluster", "region", "list"]
    id: str
    name: str
    ou: tuple[str, ...]
    state: ScopeState
    why: str | None
    taken: str
    sha256: str = ""


class SightingRow(NamedTuple):
    """A finding as a run saw it; `body` is the finding as JSON."""

    key: str
    rule: str
    kind: str
    subject: str
    account: str
    cluster: str
    severity: str
    confidence: str
    status: Literal["open", "waived"]
    waiver: str
    body: str


class SubjectRow(NamedTuple):
    """A subject; `verdicts` is the number of what the rules said of it among those of its list. `key` are the bytes of the
    digest that a store writes out: of nothing else are there as many."""

    key: bytes
    kind: str
    id: str
    account: str
    cluster: str
    verdicts: int


class SubjectList(NamedTuple):
    """Subjects, and the distinct sets of what the rules said of them."""

    verdicts: list[tuple[tuple[str, str], ...]]
    rows: list[SubjectRow]


class WaiverRow(NamedTuple):
    """A waiver as it was in the settings of a run; `used`: it set a finding aside."""

    rule: str
    subject: str
    owner: str
    reason: str
    expires: str
    accepted_by: str
    file: str
    line: int
    used: bool


class TallyRow(NamedTuple):
    """How often a rule was asked, and what it answered."""

    rule: str
    evaluated: int
    passed: int
    failed: int
    unknown: int
    waived: int


class UnknownRow(NamedTuple):
    """A missing input; `rules` could not be judged without it."""

    missing: str
    how: str
    rules: tuple[str, ...]
    subjects: int
    then: str
    file: str


class KeyRow(NamedTuple):
    """A key that a run saw: a key id of a cluster (its id), or a thumbprint of a provider (its ARN)."""

    kind: Literal["signing-key", "thumbprint"]
    subject: str
    key: str


class SubjectDraft(Protocol):
    """The subjects of a run in the making."""

    def write(self, run: int) -> None:
        """Write them to a run of the store."""


class RunRows(NamedTuple):
    """Everything that is kept of one run. `options` are what it was called with, and its counts; times are RFC 3339."""

    started: str
    finished: str
    as_of: str
    tool: str
    rules_digest: str
    settings: str
    inputs: str
    options: Mapping[str, Any]
    scope: tuple[ScopeRow, ...]
    sightings: Iterable[SightingRow]
    """gone through once, in the order in which they are shown"""
    subjects: SubjectDraft
    waivers: tuple[WaiverRow, ...]
    tallies: tuple[TallyRow, ...]
    unknown: tuple[UnknownRow, ...]
    keys: tuple[KeyRow, ...] = ()
