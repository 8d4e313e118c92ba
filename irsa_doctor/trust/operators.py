"""The condition operators of IAM.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

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

    def __str__(self) -> str:
        """As a policy writes it."""
        return f"{self.qualifier}{':' if self.qualifier else ''}{self.operator.name}{'IfExists' if self.if_exists else ''}"


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
    ordered: tuple[tuple[Literal["numeric", "date"], str], ...] = (("numeric", "Numeric"), ("date", "Date"))
    for family, prefix in ordered:
        table += [
            Operator(prefix + "Equals", family, "equal"),
            Operator(prefix + "NotEquals", family, "equal", True),
            Operator(prefix + "LessThan", family, "less"),
            Operator(prefix + "LessThanEquals", family, "less-or-equal"),
            Operator(prefix + "GreaterThan", family, "greater"),
            Operator(prefix + "GreaterThanEquals", family, "greater-or-equal"),
        ]
    return {entry.name: entry for entry in table}


OPERATORS = _table()


_QUALIFIERS: dict[str, Qualifier] = {"": "", "ForAllValues": "ForAllValues", "ForAnyValue": "ForAnyValue"}


@lru_cache(maxsize=4096)
def parse_operator(text: str) -> OperatorUse | None:
    """The operator of a condition block, or None where IAM knows none of this name. Names are case-sensitive (C14)."""
    before, colon, name = text.rpartition(":")
    qualifier = _QUALIFIERS.get(before)
    if qualifier is None or (colon and not qualifier):
        return None
    if plain := OPERATORS.get(name):
        return OperatorUse(plain, qualifier)
    known = OPERATORS.get(name.removesuffix("IfExists"))
    # IAM refuses "NullIfExists" (access-analyzer-reference-policy-checks)
    return None if known is None or known.family == "null" else OperatorUse(known, qualifier, True)


def fold(text: str) -> str:
    """Lower case, character by character, so that length and positions stay (S1).

    A capital sigma that ends a word is a final one; letters above U+FFFF, and İ, which no one letter is the lower case of, stay
    (recorded: radkawar/stackd, commit 9dc356f5, testdata/aws/iam/condition_strings.json).
    """
    if text.isascii():
        return text.lower()
    lowered = text.replace(_DOTTED_I, "I").lower()
    return "".join(low if char <= "\uffff" and char != _DOTTED_I else char for char, low in zip(text, lowered, strict=True))


_DOTTED_I = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"


@lru_cache(maxsize=1024)
def spellings(char: str) -> tuple[str, ...]:
    """Every character that folds to the same as this one."""
    folded = fold(char)
    if folded.isascii():
        return tuple(sorted({folded, folded.upper(), *("\N{KELVIN SIGN}" if folded == "k" else "")}))
    # beyond ASCII many fold to others that do not lead back to them; policies hardly ever have any
    return tuple(c for c in map(chr, range(0x80, 0x10000)) if fold(c) == folded)
