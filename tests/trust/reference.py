"""The semantics of trust policies once more, as plainly as can be: what the tests compare the real ones with.

TemplateValue from the documentation rule by rule: recursive matching, no automata, no memory, nothing shared with
`irsa_doctor.trust`. A `Reading` says how the points are read on which the documentation is silent.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from ipaddress import ip_address, ip_network


@dataclass(frozen=True)
class Reading:
    """How contested points are read; the defaults are the usual reading."""

    everyone_means_tokens: bool = True  # P5
    plain_on_many_values: str = "fails"  # C8: fails, or holds if some value does
    empty_text_is_nothing: bool = False  # C9
    empty_list: str = "logic"  # C11: logic, holds, fails
    two_spellings: str = "both"  # K2: both, either
    incomparable_differ: bool = True  # S4


def all_readings() -> Iterator[Reading]:
    """Every combination, the usual one first."""
    for chosen in itertools.product(
        (True, False), ("fails", "some"), (False, True), ("logic", "holds", "fails"), ("both", "either"), (True, False)
    ):
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
        principal_matches(statement["Principal"], call, reading)
        and action_matches(statement, call.action)
        and conditions_match(statement.get("Condition", {}), version, call, reading)
    )


def principal_matches(principal: dict, call: Call, reading: Reading) -> bool:
    for kind, listed in principal.items():
        for value in as_list(listed):
            if kind == "Federated" and value == call.provider:  # P1, P2
                return True
            if kind == "AWS" and value == "*" and reading.everyone_means_tokens:  # P5
                return True
    return False


def action_matches(statement: dict, action: str) -> bool:
    """A1, A2."""
    if "NotAction" in statement:
        return not any(wild(list(a.lower()), action.lower()) for a in as_list(statement["NotAction"]))
    return any(wild(list(a.lower()), action.lower()) for a in as_list(statement["Action"]))


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

    if name == "Null":  # C12
        if qualifier == "ForAllValues":
            return True
        if qualifier == "ForAnyValue":
            return False
        if not wanted:
            return reading.empty_list == "holds"
        return ("true" if missing else "false") in [w.lower() for w in wanted]

    def satisfies(value: str) -> bool:
        return value_satisfies(name, key, wanted, value, version, call, reading)

    if qualifier == "ForAnyValue":  # C10, C11
        return any(satisfies(value) for value in values) if wanted else False
    if qualifier == "ForAllValues":  # C9, C11
        if missing:
            return True
        if not wanted:
            return False
        if reading.empty_text_is_nothing and all(value == "" for value in values):
            return True
        return all(satisfies(value) for value in values)
    if missing:  # C6, C7
        return negated or if_exists
    if not wanted:  # C11
        if if_exists:
            return False
        return {"logic": negated, "holds": True, "fails": False}[reading.empty_list]
    if len(values) > 1 or key in call.multi:  # C8
        return reading.plain_on_many_values == "some" and any(satisfies(value) for value in values)
    return satisfies(values[0])


def value_satisfies(name: str, key: str, wanted: list[str], value: str, version: str, call: Call, reading: Reading) -> bool:
    """C4, C5: OR over the policy's values, NOR where the operator is negated."""
    positive = name.replace("Not", "", 1)
    results = [compare(positive, key, one, value, version, call) for one in wanted]
    if positive == name:
        return True in results
    if True in results:
        return False
    return reading.incomparable_differ if None in results else True  # S4


def compare(name: str, key: str, wanted: str, value: str, version: str, call: Call) -> bool | None:
    """Whether a value meets one value of the policy; None where they cannot be compared."""
    if name.startswith(("String", "Arn")):
        tokens = tokens_of(wanted, version, call)
        if tokens is None:  # V2
            return False
        if name.startswith("Arn"):
            return arn_like(tokens, value)
        if name == "StringLike":
            return wild(tokens, value)
        text = "".join(str(token) for token in tokens)
        if name == "StringEqualsIgnoreCase":
            return text.lower() == value.lower()
        return text == value
    issuer = call.provider.split(":", 5)[5].partition("/")[2].lower()
    if key in (issuer + ":sub", issuer + ":aud"):  # S4: these are text
        return None
    return typed(name, wanted, value)


class Literal(str):
    """A character that is meant literally though it looks like a wildcard."""

    __slots__ = ()


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


def wild(tokens: list[str], text: str) -> bool:
    """S2."""
    if not tokens:
        return text == ""
    first, rest = tokens[0], tokens[1:]
    if first == "*" and not isinstance(first, Literal):
        return wild(rest, text) or (text != "" and wild(tokens, text[1:]))
    if text == "":
        return False
    if first == "?" and not isinstance(first, Literal):
        return wild(rest, text[1:])
    return text[0] == first and wild(rest, text[1:])


def arn_like(tokens: list[str], value: str) -> bool | None:
    """S4: six components at the first five colons, wildcards within one."""
    components: list[list[str]] = [[]]
    for token in tokens:
        if token == ":" and len(components) < 6:
            components.append([])
        else:
            components[-1].append(token)
    parts = value.split(":", 5)
    if len(components) != 6 or not wild(components[0], "arn") or len(parts) != 6 or parts[0] != "arn":
        return None
    return all(wild(component, part) for component, part in zip(components, parts, strict=True))


def typed(name: str, wanted: str, value: str) -> bool | None:
    if name == "Bool":
        if not {wanted.lower(), value.lower()} <= {"true", "false"}:
            return None
        return wanted.lower() == value.lower()
    if name == "BinaryEquals":
        return binary(wanted, value)
    if name == "IpAddress":
        try:
            network, address = ip_network(wanted, strict=False), ip_address(value)
        except ValueError:
            return None
        return network.version == address.version and address in network
    parse = number if name.startswith("Numeric") else date
    one, other = parse(value), parse(wanted)
    if one is None or other is None:
        return None
    comparison = name.removeprefix("Numeric").removeprefix("Date")
    return {
        "Equals": one == other,
        "LessThan": one < other,
        "LessThanEquals": one <= other,
        "GreaterThan": one > other,
        "GreaterThanEquals": one >= other,
    }[comparison]


def binary(wanted: str, value: str) -> bool | None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for text in (wanted, value):
        body = text.rstrip("=")
        if len(text) % 4 or len(text) - len(body) > 2 or any(char not in alphabet for char in body):
            return None
    return wanted == value


def number(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def date(text: str) -> Fraction | None:
    if text.isdigit() and len(text) != 4:
        return Fraction(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        if "T" in text:
            return None
        moment = moment.replace(tzinfo=UTC)
    return Fraction(moment.timestamp())
