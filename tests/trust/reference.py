# Long: the specification once more, line by line
"""The semantics of trust policies once more, as plainly as can be: what the tests compare the real ones with.

Written from the documentation and from what was recorded on AWS, rule by rule: recursive matching, no automata, no memory,
nothing shared with `irsa_doctor.trust`. A `Reading` says how the points are read on which both are silent.

Recordings: radkawar/stackd, commit 9dc356f5, testdata/aws/iam/condition_{sets,values,strings,ip}.json and
internal/services/sts/testdata/oidc/aws-trust.json, made in September 2026.
"""

import itertools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date as calendar_day
from ipaddress import IPv6Address


@dataclass(frozen=True)
class Reading:
    """How contested points are read; the defaults are the usual reading."""

    everyone_is_denied: bool = True  # P5
    empty_list: str = "logic"  # C11: logic, holds, fails
    two_spellings: str = "both"  # K2: both, either


def all_readings() -> Iterator[Reading]:
    """Every combination, the usual one first."""
    for chosen in itertools.product((True, False), ("logic", "holds", "fails"), ("both", "either")):
        yield Reading(*chosen)


@dataclass(frozen=True)
class Call:
    """A request: the provider's ARN, the keys in lower case with their values, and those that are multi-valued."""

    provider: str
    context: dict[str, list[str]]
    multi: frozenset[str] = frozenset()
    action: str = "sts:AssumeRoleWithWebIdentity"


def decide(policy: dict, call: Call, reading: Reading = Reading()) -> str:
    """allow, implicit_deny or explicit_deny (E1)."""
    statements = policy["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    version = policy.get("Version", "2008-10-17")
    effects = [s["Effect"] for s in statements if statement_matches(s, version, call, reading)]
    if "Deny" in effects:
        return "explicit_deny"
    return "allow" if "Allow" in effects else "implicit_deny"


def as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]


def as_text(value: object) -> str:
    """G4: Booleans and numbers are compared by their text."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def statement_matches(statement: dict, version: str, call: Call, reading: Reading) -> bool:
    """E2: principal, action and every condition."""
    return (
        principal_matches(statement, call, reading)
        and action_matches(statement, call.action)
        and conditions_match(statement.get("Condition", {}), version, call, reading)
    )


def principal_matches(statement: dict, call: Call, reading: Reading) -> bool:
    for kind, listed in statement["Principal"].items():
        for value in as_list(listed):
            if kind == "Federated" and value == call.provider:  # P1, P2
                return True
            # P5: recorded for Allow, not for Deny
            if kind == "AWS" and value == "*" and statement["Effect"] == "Deny" and reading.everyone_is_denied:
                return True
    return False


def action_matches(statement: dict, action: str) -> bool:
    """A1, A2."""
    if "NotAction" in statement:
        return not any(wild(list(a.lower()), list(action.lower())) for a in as_list(statement["NotAction"]))
    return any(wild(list(a.lower()), list(action.lower())) for a in as_list(statement["Action"]))


def conditions_match(block: dict, version: str, call: Call, reading: Reading) -> bool:
    """C1 to C3, and K2 where a key stands twice under one operator."""
    for operator, keys in block.items():
        for low in {key.lower() for key in keys}:
            truths = [
                condition_holds(operator, low, [as_text(v) for v in as_list(listed)], version, call, reading)
                for key, listed in keys.items()
                if key.lower() == low
            ]
            if not (any(truths) if reading.two_spellings == "either" else all(truths)):
                return False
    return True


def condition_holds(operator: str, key: str, wanted: list[str], version: str, call: Call, reading: Reading) -> bool:
    qualifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = "Not" in name
    values = call.context.get(key, [])
    missing = values == []

    if name == "Null":  # C12: what is not "true" reads as "false"
        if qualifier == "ForAllValues":
            return True
        if qualifier == "ForAnyValue":
            return False
        if not wanted:
            return reading.empty_list == "holds"
        return any((word.lower() == "true") == missing for word in wanted)

    def satisfies(value: str) -> bool:
        return value_satisfies(name, wanted, value, version, call)

    if qualifier == "ForAnyValue":  # C10, C11
        return any(satisfies(value) for value in values) if wanted else False
    if qualifier == "ForAllValues":  # C9, C11
        if missing:
            return True
        return bool(wanted) and all(satisfies(value) for value in values)
    if missing:  # C6, C7
        return negated or if_exists
    if len(values) > 1 or key in call.multi:  # C8
        return False
    if not wanted:  # C11
        if if_exists:
            return False
        return {"logic": negated, "holds": True, "fails": False}[reading.empty_list]
    return satisfies(values[0])


def value_satisfies(name: str, wanted: list[str], value: str, version: str, call: Call) -> bool:
    """C4, C5: OR over the policy's values, NOR where the operator is negated; S4 for values of another type."""
    positive = name.replace("Not", "", 1)
    met = any(compare(positive, one, value, version, call) for one in wanted)
    if positive == name:
        return met
    if positive.startswith("Arn") and len(arn_parts(value)) != 6:
        return False
    if positive == "IpAddress" and address(value) is None:
        return False
    return not met


def compare(name: str, wanted: str, value: str, version: str, call: Call) -> bool:
    """Whether a value meets one value of the policy."""
    if name.startswith(("String", "Arn")):
        tokens = tokens_of(wanted, version, call)
        if tokens is None:  # V2
            return False
        if name.startswith("Arn"):
            return arn_like(tokens, value)
        if name == "StringLike":
            return wild(units(tokens), units(value))
        text = "".join(str(token) for token in tokens)
        if name == "StringEqualsIgnoreCase":
            return folded(text) == folded(value)
        return text == value
    return typed(name, wanted, value)


def folded(text: str) -> list[str]:
    """S1: letters one by one, but for a sigma that ends a word; none above U+FFFF."""
    letters = []
    for at, char in enumerate(text):
        lower = char.lower()
        if char == "\u03a3":
            lower = "\u03c2" if ends_word(text, at) else "\u03c3"
        letters.append(lower if len(lower) == 1 and char <= "\uffff" else char)
    return letters


def ends_word(text: str, at: int) -> bool:
    """Whether a cased letter stands before, and none behind (Unicode, SpecialCasing, Final_Sigma)."""

    def next_is_cased(rest: str) -> bool:
        for char in rest:
            if char.lower() != char.upper() or char.istitle():
                return True
            if not is_ignored(char):
                return False
        return False

    return next_is_cased(text[:at][::-1]) and not next_is_cased(text[at + 1 :])


def is_ignored(char: str) -> bool:
    return char in "'.:\u00b7\u2018\u2019\u2024\u2027" or unicodedata.category(char) in ("Mn", "Me", "Cf", "Lm", "Sk")


class Literal(str):
    """A character that is meant literally though it looks like a wildcard."""

    __slots__ = ()


def units(tokens: list[str] | str) -> list[str]:
    """S2: one token a UTF-16 unit."""
    split: list[str] = []
    for token in tokens:
        code = ord(token)
        if code > 0xFFFF:
            split += [chr(0xD800 + (code - 0x10000 >> 10)), chr(0xDC00 + (code - 0x10000 & 0x3FF))]
        else:
            split.append(token)
    return split


def tokens_of(text: str, version: str, call: Call) -> list[str] | None:
    """Characters, variables resolved (V1 to V6); None where one has no value."""
    tokens: list[str] = []
    rest = text
    while rest:
        if version == "2012-10-17" and rest.startswith("${") and "}" in rest:
            inner, _, rest = rest[2:].partition("}")
            if inner in ("*", "?", "$"):
                tokens.append(Literal(inner))
                continue
            found = variable(inner, call)
            if found is None:
                return None
            tokens += [Literal(char) for char in found]
        else:
            tokens.append(rest[0])
            rest = rest[1:]
    return tokens


def variable(inner: str, call: Call) -> str | None:
    name, comma, default = inner.partition(",")
    default = default.strip()
    if not (comma and len(default) >= 2 and default.startswith("'") and default.endswith("'")):
        name, default = inner, ""
        comma = ""
    key = name.strip().lower()
    values = call.context.get(key, [])
    if len(values) == 1 and key not in call.multi:
        return values[0]
    return default[1:-1] if comma and not values else None


def wild(tokens: list[str], text: list[str]) -> bool:
    """S2, over units."""
    if not tokens:
        return not text
    first, rest = tokens[0], tokens[1:]
    if first == "*" and not isinstance(first, Literal):
        return wild(rest, text) or (bool(text) and wild(tokens, text[1:]))
    if not text:
        return False
    if first == "?" and not isinstance(first, Literal):
        return wild(rest, text[1:])
    return text[0] == first and wild(rest, text[1:])


def arn_parts(value: str) -> list[str]:
    """The six components of an ARN, none of a text that is none."""
    parts = value.split(":", 5)
    return parts if len(parts) == 6 and parts[0] == "arn" else []


def arn_like(tokens: list[str], value: str) -> bool:
    """S4: six components at the first five colons, wildcards within one."""
    components: list[list[str]] = [[]]
    for token in tokens:
        if token == ":" and len(components) < 6:
            components.append([])
        else:
            components[-1].append(token)
    parts = arn_parts(value)
    if len(components) != 6 or not parts:
        return False
    return all(wild(units(component), units(part)) for component, part in zip(components, parts, strict=True))


def typed(name: str, wanted: str, value: str) -> bool:
    """S4: every other family, of values and policy values that may be of no type at all."""
    if name == "Bool":
        return (wanted.lower() == "true") == (value.lower() == "true")
    if name == "BinaryEquals":
        return wanted == value and is_binary(value)
    if name == "IpAddress":
        return within(wanted, value)
    parse = number if name.startswith("Numeric") else date
    one, other = parse(value), parse(wanted)
    if one is None or other is None:
        return False
    order = compared(one, other)
    comparison = name.removeprefix("Numeric").removeprefix("Date")
    return {
        "Equals": order == 0,
        "LessThan": order < 0,
        "LessThanEquals": order <= 0,
        "GreaterThan": order > 0,
        "GreaterThanEquals": order >= 0,
    }[comparison]


def is_binary(text: str) -> bool:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    return len(text) % 4 == 0 and len(text) - len(body) <= 2 and all(char in alphabet for char in body)


DIGITS = "0123456789"


def is_digits(text: str) -> bool:
    return text != "" and all(char in DIGITS for char in text)


def unsigned(text: str) -> tuple[str, str]:
    return (text[0], text[1:]) if text[:1] in ("+", "-") else ("+", text)


def number(text: str) -> tuple[int, int] | None:
    """An exact decimal as (digits with sign, exponent of the last)."""
    mantissa, _, exponent = text.replace("E", "e").partition("e")
    if "e" in text.lower() and not is_digits(unsigned(exponent)[1]):
        return None
    sign, mantissa = unsigned(mantissa)
    whole, _, fraction = mantissa.partition(".")
    if not is_digits(whole + fraction):
        return None
    scale = int(exponent or "0") - len(fraction)
    return int(sign + whole + fraction), scale


def compared(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Less than, equal to or more than nothing, as one is less than, equal to or more than the other."""
    (a, scale_a), (b, scale_b) = one, other
    if (a > 0) != (b > 0) or (a < 0) != (b < 0):
        return (a > b) - (a < b)
    if a == 0:
        return 0
    size_a, size_b = len(str(abs(a))) + scale_a, len(str(abs(b))) + scale_b
    if size_a != size_b:
        return (size_a > size_b) - (size_a < size_b) if a > 0 else (size_a < size_b) - (size_a > size_b)
    least = min(scale_a, scale_b)
    a, b = a * 10 ** (scale_a - least), b * 10 ** (scale_b - least)
    return (a > b) - (a < b)


def date(text: str) -> tuple[int, int] | None:
    """Milliseconds since 1970, the rest cut off; four digits alone are a year."""
    sign, digits = unsigned(text)
    if sign == "+" and is_digits(digits) and not is_year(text):
        return int(digits) * 1000, 0
    day, has_time, time = text.partition("T")
    fields = day.split("-")
    if not 1 <= len(fields) <= 3 or not is_year(fields[0]) or any(len(f) != 2 or not is_digits(f) for f in fields[1:]):
        return None
    if has_time and len(fields) < 3:
        return None
    year, month, number_of_day = (*map(int, fields), 1, 1)[:3]
    try:
        days = calendar_day(year, month, number_of_day).toordinal() - calendar_day(1970, 1, 1).toordinal()
    except ValueError:
        return None
    since_midnight = clock(time) if has_time else 0
    return None if since_midnight is None else (days * 86_400_000 + since_midnight, 0)


def is_year(text: str) -> bool:
    return len(text) == 4 and is_digits(text)


def clock(text: str) -> int | None:
    """Milliseconds after midnight UTC; without a zone it is UTC."""
    zone = 0
    if text.endswith("Z"):
        text = text[:-1]
    elif len(text) > 6 and text[-6] in "+-" and text[-3] == ":" and is_digits(text[-5:-3] + text[-2:]):
        hours, minutes = int(text[-5:-3]), int(text[-2:])
        if hours > 23 or minutes > 59:
            return None
        zone = (1 if text[-6] == "+" else -1) * (hours * 60 + minutes) * 60_000
        text = text[:-6]
    seconds, dot, fraction = text.partition(".")
    fields = seconds.split(":")
    if len(fields) not in (2, 3) or any(len(f) != 2 or not is_digits(f) for f in fields):
        return None
    if dot and (len(fields) != 3 or not is_digits(fraction)):
        return None
    hour, minute, second = (*map(int, fields), 0)[:3]
    if hour > 23 or minute > 59 or second > 59:
        return None
    return ((hour * 60 + minute) * 60 + second) * 1000 + int((fraction + "000")[:3]) - zone


def address(text: str) -> tuple[int, int] | None:
    """(bits of the family, number); leading zeros are decimal."""
    if ":" not in text:
        fields = text.split(".")
        if len(fields) != 4 or not all(is_digits(field) and int(field) < 256 for field in fields):
            return None
        return 32, sum(int(field) << 24 - 8 * n for n, field in enumerate(fields))
    try:
        return (128, int(IPv6Address(text))) if "%" not in text else None
    except ValueError:
        return None


def within(wanted: str, value: str) -> bool:
    """Host bits of the range are ignored; an address with a prefix is no value."""
    begin, slash, length = wanted.partition("/")
    network, one = address(begin), address(value)
    if network is None or one is None or network[0] != one[0]:
        return False
    bits = network[0]
    if slash:
        digits = length[1:] if length.startswith("+") else length
        if not is_digits(digits) or int(digits) > bits:
            return False
        bits = int(digits)
    shift = network[0] - bits
    return network[1] >> shift == one[1] >> shift
