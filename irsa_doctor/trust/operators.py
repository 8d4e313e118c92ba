"""The condition operators of IAM, and what one of them says of one value.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import msgspec

Qualifier = Literal["", "ForAllValues", "ForAnyValue"]


class Operator(msgspec.Struct, frozen=True):
    """One operator: what it compares, and whether it is the negation (`Not...`) of another."""

    name: str
    family: Literal["string", "arn", "numeric", "date", "bool", "binary", "ip", "null"]
    comparison: str
    negated: bool = False

    @property
    def has_wildcards(self) -> bool:
        """Whether `*` and `?` in its values are wildcards."""
        return self.comparison == "like"


class OperatorUse(msgspec.Struct, frozen=True):
    """An operator as a policy writes it: `ForAnyValue:StringLikeIfExists`."""

    operator: Operator
    qualifier: Qualifier = ""
    if_exists: bool = False


def _table() -> dict[str, Operator]:
    table = [
        Operator("StringEquals", "string", "equal"),
        Operator("StringNotEquals", "string", "equal", True),
        Operator("StringEqualsIgnoreCase", "string", "equal-ignoring-case"),
        Operator("StringNotEqualsIgnoreCase", "string", "equal-ignoring-case", True),
        Operator("StringLike", "string", "like"),
        Operator("StringNotLike", "string", "like", True),
        # "ArnEquals and ArnLike behave identically"
        Operator("ArnEquals", "arn", "like"),
        Operator("ArnLike", "arn", "like"),
        Operator("ArnNotEquals", "arn", "like", True),
        Operator("ArnNotLike", "arn", "like", True),
        Operator("Bool", "bool", "equal"),
        Operator("BinaryEquals", "binary", "equal"),
        Operator("IpAddress", "ip", "within"),
        Operator("NotIpAddress", "ip", "within", True),
        Operator("Null", "null", "absent"),
    ]
    for family, prefix in (("numeric", "Numeric"), ("date", "Date")):
        table += [
            Operator(prefix + "Equals", family, "equal"),  # type: ignore[arg-type]
            Operator(prefix + "NotEquals", family, "equal", True),  # type: ignore[arg-type]
            Operator(prefix + "LessThan", family, "less"),  # type: ignore[arg-type]
            Operator(prefix + "LessThanEquals", family, "less-or-equal"),  # type: ignore[arg-type]
            Operator(prefix + "GreaterThan", family, "greater"),  # type: ignore[arg-type]
            Operator(prefix + "GreaterThanEquals", family, "greater-or-equal"),  # type: ignore[arg-type]
        ]
    return {operator.name: operator for operator in table}


OPERATORS = _table()


@lru_cache(maxsize=4096)
def parse_operator(text: str) -> OperatorUse | None:
    """The operator of a condition block, or None where IAM knows none of this name. Names are case-sensitive (C14)."""
    qualifier, colon, name = text.rpartition(":")
    if qualifier not in ("", "ForAllValues", "ForAnyValue") or (colon and not qualifier):
        return None
    if operator := OPERATORS.get(name):
        return OperatorUse(operator, qualifier)  # type: ignore[arg-type]
    operator = OPERATORS.get(name.removesuffix("IfExists"))
    # NullIfExists is refused (access-analyzer-reference-policy-checks)
    if operator is None or operator.family == "null":
        return None
    return OperatorUse(operator, qualifier, True)  # type: ignore[arg-type]


def fold(text: str) -> str:
    """Lower case, character by character, so that length and positions stay."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d))?)?)?", re.ASCII)


def _number(text: str) -> object | None:
    from decimal import Decimal

    return Decimal(text) if len(text) <= 400 and _NUMBER.fullmatch(text) else None


def _date(text: str) -> object | None:
    """Seconds since 1970 of an ISO 8601 date (W3C profile) or of epoch seconds."""
    from datetime import UTC, datetime, timedelta, timezone
    from fractions import Fraction

    if text.isascii() and text.isdigit() and len(text) != 4 and len(text) <= 20:
        return Fraction(int(text))
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = UTC if zone in (None, "Z") else None
    try:
        if offset is None:
            sign = -1 if zone[0] == "-" else 1
            offset = timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])))
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=offset
        )
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return Fraction(since.days * 86400 + since.seconds) + Fraction(int((fraction or "0").ljust(9, "0")), 10**9)


def _ordered(comparison: str, wanted: object | None, value: object | None) -> bool | None:
    if wanted is None or value is None:
        return None
    compare: dict[str, Callable[[], bool]] = {
        "equal": lambda: value == wanted,
        "less": lambda: value < wanted,  # type: ignore[operator]
        "less-or-equal": lambda: value <= wanted,  # type: ignore[operator]
        "greater": lambda: value > wanted,  # type: ignore[operator]
        "greater-or-equal": lambda: value >= wanted,  # type: ignore[operator]
    }
    return compare[comparison]()


def _within(wanted: str, value: str) -> bool | None:
    from ipaddress import ip_address, ip_network

    try:
        network, address = ip_network(wanted, strict=False), ip_address(value)
    except ValueError:
        return None
    return address.version == network.version and address in network


def compare_typed(operator: Operator, wanted: str, value: str) -> bool | None:
    """Whether a request's value meets one policy value under a typed operator (negation set aside), None where either is not of the type.

    String and ARN operators are not handled here: their values are patterns.
    """
    match operator.family:
        case "bool":
            want, have = wanted.lower(), value.lower()
            return want == have if {want, have} <= {"true", "false"} else None
        case "numeric":
            return _ordered(operator.comparison, _number(wanted), _number(value))
        case "date":
            return _ordered(operator.comparison, _date(wanted), _date(value))
        case "ip":
            return _within(wanted, value)
        case _:
            return wanted == value
