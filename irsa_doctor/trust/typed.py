"""What numeric, date, Boolean, binary and IP address operators say of one value.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import operator
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from irsa_doctor.trust.operators import Operator

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_TIME = r"T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:[0-5]\d)"
_DATE = re.compile(rf"(\d{{4}})(?:-(\d\d)(?:-(\d\d)(?:{_TIME})?)?)?", re.ASCII)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if len(text) <= 400 and _NUMBER.fullmatch(text) else None


def _date(text: str) -> Fraction | None:
    """Seconds since 1970 of an ISO 8601 date (W3C profile) or of epoch seconds; four digits alone are a year."""
    if text.isascii() and text.isdigit() and len(text) != 4 and len(text) <= 20:
        return Fraction(int(text))
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=_zone(zone)
        )
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return Fraction(since.days * 86400 + since.seconds) + Fraction(int((fraction or "0").ljust(9, "0")), 10**9)


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-ahead if text[0] == "-" else ahead)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "equal": operator.eq,
    "less": operator.lt,
    "less-or-equal": operator.le,
    "greater": operator.gt,
    "greater-or-equal": operator.ge,
}


def _ordered(comparison: str, listed: object | None, value: object | None) -> bool | None:
    return None if listed is None or value is None else _COMPARE[comparison](value, listed)


def _bytes(text: str) -> bytes | None:
    """What base64 text stands for."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


def _within(listed: str, value: str) -> bool | None:
    from ipaddress import ip_address, ip_network

    try:
        network, address = ip_network(listed, strict=False), ip_address(value)
    except ValueError:
        return None
    return address in network


@lru_cache(maxsize=16384)
def compare_typed(use: Operator, listed: str, value: str) -> bool | None:
    """Whether a request's value meets one policy value under a typed operator (negation set aside), None where either is
    not of the type (S4).

    String and ARN operators are not handled here: their values are patterns.
    """
    match use.family:
        case "bool":
            want, have = listed.lower(), value.lower()
            return want == have if {want, have} <= {"true", "false"} else None
        case "numeric":
            return _ordered(use.comparison, _number(listed), _number(value))
        case "date":
            return _ordered(use.comparison, _date(listed), _date(value))
        case "ip":
            return _within(listed, value)
        case _:
            return _ordered(use.comparison, _bytes(listed), _bytes(value))
