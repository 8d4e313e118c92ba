"""Reads claims matching expressions of flexible federated credentials
(https://learn.microsoft.com/en-us/entra/workload-id/workload-identities-flexible-federated-identity-credentials)."""

import re
from typing import Literal

import msgspec

from irsa_doctor.model import Text, Unknown
from irsa_doctor.trust.clouds.matching import PLACEHOLDERS_OF_CLOUD

_CLAIM = re.compile(r"\s*claims\[\s*'([^'\\]{1,64})'\s*\]\s+(eq|matches)\s+'([^'\\]{0,1024})'\s*")
_AND = re.compile(r"and\s+")
_MOST_CLAIMS = 16


class ClaimCondition(msgspec.Struct, frozen=True):
    """A condition on a claim; with `wildcards`, `*` is any text and `?` one character."""

    claim: str
    value: str
    wildcards: bool


def read_expression(expression: str) -> tuple[ClaimCondition, ...] | None:
    """The conditions of an expression, all of which must hold; None where it is not one that is known."""
    conditions: list[ClaimCondition] = []
    end = 0
    while len(conditions) < _MOST_CLAIMS and (part := _CLAIM.match(expression, end)):
        conditions.append(ClaimCondition(part[1], part[3], part[2] == "matches"))
        end = part.end()
        if end == len(expression):
            return tuple(conditions)
        if not (joined := _AND.match(expression, end)):
            return None
        end = joined.end()
    return None


def expression_form(expression: str | Text) -> Literal["fine", "unreadable"] | Unknown:
    """Whether an expression can be read."""
    if isinstance(expression, Text):
        return PLACEHOLDERS_OF_CLOUD
    return "fine" if read_expression(expression) else "unreadable"
