"""The forms of audiences: what STS expects by default, and what people write in its place."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

from irsa_doctor.model.nearness import nearest
from irsa_doctor.model.regex import regex

STS = "sts.amazonaws.com"
"""the audience of EKS tokens in every partition and region
(https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html)"""
AudienceForm = Literal["expected", "china", "endpoint", "invisible", "case", "other"]

# https://docs.aws.amazon.com/general/latest/gr/sts.html, and VPC endpoints
_ENDPOINT = regex(
    r"([a-z0-9-]+\.)?sts(-fips)?\.[a-z0-9-]+\.((vpce\.)?amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)"
)
_OF_STS = regex(r"amazon|^sts\b", re.IGNORECASE)
_URL = regex(r"(?P<scheme>https?://)?(?P<host>[^/]*)(?P<slash>/?)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def audience_form(value: str, expected: frozenset[str]) -> AudienceForm:
    """How an audience compares with those that tokens have."""
    if value in expected:
        return "expected"
    seen = without_invisible(value)
    parts = _URL.fullmatch(seen.lower())
    host = parts["host"] if parts else ""
    if host == STS + ".cn":
        return "china"
    is_url = parts is not None and bool(parts["scheme"] or parts["slash"])
    if _ENDPOINT.fullmatch(host) or (is_url and host in expected):
        return "endpoint"
    if seen != value and (seen in expected or seen.lower() in expected):
        return "invisible"
    return "case" if value.lower() in {audience.lower() for audience in expected} else "other"


def is_meant_for_tokens(value: str, expected: Collection[str]) -> bool:
    """Whether an audience that tokens lack is a slip for one of those that they have, and not one that somebody chose."""
    return bool(_OF_STS.search(value)) or bool(nearest(value, expected))


def audience_meant(value: str, form: AudienceForm, expected: Collection[str]) -> str:
    """The audience that a value was meant to be, "" where several may be."""
    if form in ("invisible", "case"):
        seen = without_invisible(value).lower()
        return next((audience for audience in sorted(expected) if audience.lower() == seen), "")
    if STS in expected:
        return STS
    return next(iter(expected)) if len(expected) == 1 else ""


@lru_cache(maxsize=4096)
def without_invisible(value: str) -> str:
    """A text without white space, control characters and whatever else nobody sees."""
    if value.isascii() and value.isprintable() and " " not in value:
        return value
    return "".join(char for char in value if char.isprintable() and not char.isspace() and char not in _BLANK)


def has_invisible(value: str) -> bool:
    """Whether a text has characters that nobody sees."""
    return without_invisible(value) != value


def made_visible(value: str) -> str:
    """A text with the numbers of the characters that nobody sees, or that look like others; of spaces those at its ends."""
    if value.isascii() and value.isprintable() and not value.startswith(" ") and not value.endswith(" "):
        return value
    shown = "".join(char if char.isascii() and char.isprintable() else f"<U+{ord(char):04X}>" for char in value)
    inner = shown.strip(" ")
    before = len(shown) - len(shown.lstrip(" "))
    after = len(shown) - before - len(inner)
    return "<U+0020>" * before + inner + "<U+0020>" * after


_BLANK = frozenset("\u00ad\u115f\u1160\u2800\u3164\ufe0e\ufe0f\uffa0")
"""characters that Unicode calls printable and fonts show as nothing"""
