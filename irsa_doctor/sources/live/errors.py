"""Failures of calls as values: what kind of failure, and one sentence."""

from typing import Literal

import msgspec

from irsa_doctor.model import Gap
from irsa_doctor.sources.snapshot.snapshot import Snapshot
from irsa_doctor.text.errors import LiveError

ErrorKind = Literal["absent", "denied", "credentials", "gone", "throttled", "unreachable", "other"]


class CallError(msgspec.Struct, frozen=True):
    """Why a call has no answer: the kind of failure, and a sentence without full stop."""

    kind: ErrorKind
    says: str


def refuse_silence(snapshot: Snapshot, is_needed: bool) -> None:
    """Raise LiveError where answers are needed and not one call succeeded, with the first error of each source."""
    if not is_needed or snapshot.documents or not snapshot.missing:
        return
    first: dict[str, Gap] = {}
    for gap in sorted(snapshot.missing, key=lambda gap: (gap.owner, gap.missing)):
        first.setdefault(gap.owner, gap)
    raise LiveError("none of the calls to the live sources succeeded: " + "; ".join(gap.missing for gap in first.values()))
