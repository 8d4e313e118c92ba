"""Failures of calls as values: what kind of failure, and one sentence."""

from typing import Literal

import msgspec

ErrorKind = Literal["absent", "denied", "credentials", "gone", "throttled", "unreachable", "other"]


class CallError(msgspec.Struct, frozen=True):
    """Why a call has no answer: the kind of failure, and a sentence without full stop."""

    kind: ErrorKind
    says: str
