"""What numeric, date, Boolean, binary and IP address operators say of one value.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
What they say of values of another type was recorded: radkawar/stackd, commit 9dc356f5, testdata/aws/iam/condition_values.json
and condition_ip.json.
"""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from irsa_doctor.model.regex import regex
from irsa_doctor.trust.operators import Operator

_NUMBER = regex(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)
_TIME = r"T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:[0-5]\d)?"
_DATE = regex(rf"(\d{{4}})(?:-(\d\d)(?:-(\d\d)(?:{_TIME})?)?)?", re.ASCII)
_EPOCH = regex(r"\+\d{1,20}|\d{1,3}|\d{5,20}", re.ASCII)
_BINARY = regex(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_PREFIX_LENGTH = regex(r"\+?(\d{1,9})", re.ASCII)
_LONGEST = 400
"""characters of a number that are read"""


def _number(text: str) -> Decimal | None:
    """An exact decimal; NaN and Infinity are no numbers."""
    return Decimal(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else None


def milliseconds(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 date (UTC where it has no zone), the rest cut off, or of epoch seconds.

    Four digits alone are a year.
    """
    if _EPOCH.fullmatch(text):
        return int(text) * 1000
    match = _DATE.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        moment += timedelta(hours=_below(24, hour), minutes=_below(60, minute), seconds=_below(60, second))
        ahead = _ahead(zone)
    except (ValueError, OverflowError):
        return None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + int((fraction or "").ljust(3, "0")[:3]) - ahead


def _below(limit: int, digits: str | None) -> int:
    """The number of some digits; raises ValueError from a limit on."""
    number = int(digits or 0)
    if number >= limit:
        raise ValueError
    return number


def _ahead(zone: str | None) -> int:
    """Milliseconds by which a zone is ahead of UTC."""
    if zone is None or zone == "Z":
        return 0
    minutes = _below(24, zone[1:3]) * 60 + _below(60, zone[4:6])
    return (-minutes if zone[0] == "-" else minutes) * 60_000


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "equal": operator.eq,
    "less": operator.lt,
    "less-or-equal": operator.le,
    "greater": operator.gt,
    "greater-or-equal": operator.ge,
}


def _ordered(comparison: str, listed: object | None, value: object | None) -> bool:
    return listed is not None and value is not None and _COMPARE[comparison](value, listed)


def _address(text: str) -> tuple[int, int] | None:
    """(bits of its family, number) of an IP address; leading zeros are decimal."""
    from ipaddress import IPv6Address

    if ":" not in text:
        fields = text.split(".")
        if len(fields) != 4 or not all(field.isascii() and field.isdigit() and len(field) <= 9 for field in fields):
            return None
        numbers = [int(field) for field in fields]
        return (32, int.from_bytes(bytes(numbers))) if max(numbers) < 256 else None
    try:
        return (128, int(IPv6Address(text))) if "%" not in text else None
    except ValueError:
        return None


def _network(text: str) -> tuple[int, int, int] | None:
    """(bits of its family, number, bits that do not matter) of an address or a range; host bits of a range are ignored."""
    begin, slash, length = text.partition("/")
    address, prefix = _address(begin), _PREFIX_LENGTH.fullmatch(length)
    if address is None or (slash and prefix is None):
        return None
    bits, number = address
    kept = int(prefix[1]) if prefix else bits
    return (bits, number, bits - kept) if kept <= bits else None


def _within(listed: str, value: str) -> bool:
    network, address = _network(listed), _address(value)
    if network is None or address is None or network[0] != address[0]:
        return False
    return network[1] >> network[2] == address[1] >> network[2]


def range_within(inner: str, outer: str) -> bool:
    """Whether every address of one range (or address) of a policy is in another."""
    small, large = _network(inner), _network(outer)
    if small is None or large is None or small[0] != large[0] or small[2] > large[2]:
        return False
    return small[1] >> large[2] == large[1] >> large[2]


_LIMITS = {"less": "less-or-equal", "greater": "greater-or-equal"}


def order_implies(first: Operator, limit: str, second: Operator, other: str) -> bool:
    """Whether every number or date that meets the first operator with its limit meets the second with the other."""
    if first.comparison == "equal":
        return compare_typed(second, other, limit)
    if _LIMITS.get(first.comparison, first.comparison) != _LIMITS.get(second.comparison, second.comparison):
        return False
    read = _number if first.family == "numeric" else milliseconds
    is_stricter = first.comparison == second.comparison or first.comparison in _LIMITS
    comparison = _LIMITS.get(second.comparison, second.comparison) if is_stricter else second.comparison
    return _ordered(comparison, read(other), read(limit))


@lru_cache(maxsize=16384)
def compare_typed(use: Operator, listed: str, value: str) -> bool:
    """Whether a request's value meets one policy value under a typed operator, negation set aside (S4).

    What is not of the type meets nothing, but under Bool, where anything but "true" reads as "false". Binary values are
    compared by their text. String and ARN operators are not handled here: their values are patterns.
    """
    match use.family:
        case "bool":
            return reads_true(listed) == reads_true(value)
        case "numeric":
            return _ordered(use.comparison, _number(listed), _number(value))
        case "date":
            return _ordered(use.comparison, milliseconds(listed), milliseconds(value))
        case "ip":
            return _within(listed, value)
        case _:
            return listed == value and is_of_type(use, value)


def reads_true(text: str) -> bool:
    """Whether a Boolean text reads as true, under Bool and Null."""
    return text.lower() == "true"


def is_of_type(use: Operator, text: str) -> bool:
    """Whether a request's value is of the type that a typed operator compares."""
    match use.family:
        case "numeric":
            return _number(text) is not None
        case "date":
            return milliseconds(text) is not None
        case "ip":
            return _address(text) is not None
        case "binary":
            return _BINARY.fullmatch(text) is not None
        case _:
            return True


def is_policy_value(use: Operator, text: str) -> bool:
    """Whether a policy's value is of the type that a typed operator compares: of IP operators, ranges too."""
    return _network(text) is not None if use.family == "ip" else is_of_type(use, text)
