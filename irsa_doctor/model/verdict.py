"""The three verdicts: holds, does not hold, and cannot be told from what was given."""

from enum import StrEnum
from typing import NoReturn

import msgspec


class Verdict(StrEnum):
    """What is known of one statement about one subject."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Unknown(msgspec.Struct, frozen=True):
    """A value that could not be seen.

    `missing` names the input that would settle it, `how` the command that fetches that input ("" where there is none),
    `then` the option that irsa-doctor is to be given with it (`--complete pods`; "" where it needs none). `cluster` is the name
    of the cluster that the command reads, where the input has several and its answer does not name it.
    """

    missing: str
    how: str = ""
    then: str = ""
    cluster: str = ""

    def __bool__(self) -> NoReturn:  # so that the type checker sees what comes after such a question as unreachable
        """An unknown value is neither true nor false, so nobody may ask."""
        raise TypeError(f"unknown is no verdict: {self.missing}")
