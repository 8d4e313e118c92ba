"""What one condition says of every token of an issuer at once: limits sub, limits aud, never holds, always holds, or depends.

The same semantics as `decide`, over sets in place of values. sub and aud are in every token and single-valued.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, TypeGuard

import msgspec

from irsa_doctor.issuers import Profile
from irsa_doctor.model import has_hole, text_of
from irsa_doctor.trust.keys import TIME_KEYS, Presence, is_multi_valued, presence
from irsa_doctor.trust.languages import EVERYTHING, NOTHING, Language, Like, complement, intersection, literal, union
from irsa_doctor.trust.matching import value_meets
from irsa_doctor.trust.operators import Operator, parse_operator
from irsa_doctor.trust.patterns import (
    Piece,
    Plain,
    Variable,
    Wild,
    arn_components,
    glob_of,
    is_plain,
    merged_pieces,
    pieces_of,
    widest,
)
from irsa_doctor.trust.policy import Condition, Value, names_of_holes

LimitEffect = Literal["sub", "aud", "never", "always", "depends", "unknown"]


class Limit(msgspec.Struct, frozen=True):
    """What a condition comes to.

    Where it limits sub or aud, `language` bounds the values with which it can hold from above, `surely` from below: with
    these it holds whatever the `depends` keys are and however a `contested` point is read. `unseen` are holes.
    `because` says why it never or always holds: missing-key, null, empty-list, type, value (of a key that has one and the same
    in every request) or multi-valued.
    """

    effect: LimitEffect
    language: Language = EVERYTHING
    surely: Language = EVERYTHING
    because: str = ""
    contested: str = ""
    depends: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether sub and aud alone decide, in all readings alike."""
        return self.surely == self.language


def _never(because: str) -> Limit:
    return Limit("never", NOTHING, NOTHING, because)


def _unseen(*values: Value) -> Limit:
    return Limit("unknown", EVERYTHING, NOTHING, unseen=names_of_holes(values))


def _open(effect: LimitEffect, contested: str) -> Limit:
    """Two readings: in one it holds, in the other it does not."""
    return Limit(effect, EVERYTHING, NOTHING, contested=contested)


def limit_of(
    condition: Condition, issuer: str, *, variables: bool, profile: Profile, known: Mapping[str, str] | None = None
) -> Limit:
    """What the condition says of tokens of an issuer (in lower case, without scheme); `known`: see `keys.known_values`."""
    if not condition.key:
        return _unseen(condition.raw_key)
    where = presence(condition.key, issuer, profile)
    if condition.use.operator.family == "null":
        return _null(condition, where)
    if where == "never":
        return _missing(condition)
    if not condition.values:
        return _without_values(condition, where)
    if where in ("sub", "aud"):
        if limit := _claim(condition, where):
            return limit
        scene = _Scene(condition.use.operator, where, issuer, profile, known or {})
        return _pattern(condition, scene, variables=variables)
    if known and condition.key in known:
        return _known(condition, known, variables=variables)
    return _depends(condition, where)


def _matches_any_value(condition: Condition) -> bool:
    """Whether a condition holds for every value, as `StringLike` with `*` does."""
    operator = condition.use.operator
    if operator.family != "string" or operator.negated or not operator.has_wildcards:
        return False
    return any(isinstance(value, str) and value and not value.strip("*") for value in condition.values)


def _depends(condition: Condition, where: Presence) -> Limit:
    """A key that may have any value, or be absent."""
    use = condition.use
    if is_multi_valued(condition.key) and not use.qualifier and not use.if_exists and not use.operator.negated:
        return _never("multi-valued")
    if where == "always" and _matches_any_value(condition):
        return Limit("always", because="value")
    # a time is the same for all callers: one that is not seen may be over
    unseen = names_of_holes(condition.values) if condition.key in TIME_KEYS else ()
    return Limit("depends", EVERYTHING, NOTHING, depends=(text_of(condition.raw_key),), unseen=unseen)


def _known(condition: Condition, known: Mapping[str, str], *, variables: bool) -> Limit:
    """A key that has the same value in every request of these tokens."""
    pieces = [piece for value in condition.values for piece in pieces_of(value, wildcards=False, variables=variables)]
    if any(isinstance(piece, Variable) and piece.key not in known for piece in pieces):
        return _depends(condition, "always")
    value = known[condition.key]
    truth = value_meets(condition.use.operator, condition.values, value, lambda v: known.get(v.key), variables=variables)
    if truth is None:
        return _unseen(*condition.values)
    return Limit("always", because="value") if truth else _never("value")


def _missing(condition: Condition) -> Limit:
    """The key is never there: positive never holds, negated, ...IfExists and ForAllValues always do (C6, C7, C9, C10)."""
    use = condition.use
    if use.qualifier == "ForAnyValue":
        return _never("missing-key")
    if use.qualifier == "ForAllValues" or use.if_exists or use.operator.negated:
        return Limit("always", because="missing-key")
    return _never("missing-key")


def _null(condition: Condition, where: Presence) -> Limit:
    """A condition that depends only on whether the key is in the request (C12)."""
    if condition.use.qualifier:
        return Limit("always") if condition.use.qualifier == "ForAllValues" else _never("null")
    if not condition.values:
        return _open("depends", "C11")
    # what is not "true" reads as "false"
    absent = {value.lower() == "true" for value in condition.values if isinstance(value, str)}
    if len(absent) == 2 or (where != "maybe" and (where == "never") in absent):
        return Limit("always", because="null")
    if any(map(has_hole, condition.values)):
        return _unseen(*condition.values)
    if where == "maybe":
        return Limit("depends", EVERYTHING, NOTHING, depends=(text_of(condition.raw_key),))
    return _never("null")


def _without_values(condition: Condition, where: Presence) -> Limit:
    """An empty list of values (C11), the key not being absent for certain."""
    use = condition.use
    if use.qualifier == "ForAnyValue":
        return _never("empty-list")
    if not use.qualifier and not use.if_exists:
        return _open(where if where in ("sub", "aud") else "depends", "C11")
    if where == "maybe":
        return Limit("depends", EVERYTHING, NOTHING, depends=(text_of(condition.raw_key),))
    return _never("empty-list")


def _claim(condition: Condition, claim: Literal["sub", "aud"]) -> Limit | None:
    """A condition on sub or aud, which are in every token, that compares it with texts; None for every other."""
    operator = condition.use.operator
    if operator.family == "string" and _are_literal(condition.values, operator):
        language: Language = literal(*condition.values)
        language = complement(language) if operator.negated else language
        return Limit(claim, language, language)
    return None


def _pattern(condition: Condition, scene: "_Scene", *, variables: bool) -> Limit:
    """A condition on sub or aud with wildcards, variables or holes, or one that compares no texts."""
    operator, claim = scene.operator, scene.claim
    if any(map(has_hole, condition.values)):
        return _unseen(*condition.values)
    if operator.family not in ("string", "arn"):
        return _typed(condition, scene)
    bounds = [
        bound
        for value in condition.values
        if (bound := scene.bounds(pieces_of(value, wildcards=operator.has_wildcards, variables=variables)))
    ]
    upper, lower = union(bound.upper for bound in bounds), union(bound.lower for bound in bounds)
    depends = tuple(dict.fromkeys(key for bound in bounds for key in bound.depends))
    if not operator.negated:
        return Limit(claim, upper, lower, depends=depends)
    # a negated operator for ARNs holds for ARNs only (S4)
    comparable = _ARNS if operator.family == "arn" else EVERYTHING
    widest_left, surely_left = (intersection((comparable, complement(matched))) for matched in (lower, upper))
    return Limit(claim, widest_left, surely_left, depends=depends)


def _typed(condition: Condition, scene: "_Scene") -> Limit:
    """An operator for numbers, dates, Booleans, binary values or addresses on a text (S4)."""
    from irsa_doctor.trust.typed import is_policy_value, reads_true

    operator, claim = scene.operator, scene.claim
    values = [value for value in condition.values if isinstance(value, str)]
    if operator.family == "bool":
        asked = set(map(reads_true, values))
        language: Language = EVERYTHING if len(asked) == 2 else _TRUE if True in asked else complement(_TRUE)
        return Limit(claim, language, language, "type")
    if operator.family == "binary":
        language = literal(*(value for value in values if is_policy_value(operator, value)))
        return Limit(claim, language, language, "type")
    typed = _addresses() if operator.family == "ip" else _numerals()
    if not any(is_policy_value(operator, value) for value in values):
        typed = typed if operator.family == "ip" and operator.negated else NOTHING
    # which texts are of the type is bounded from above: no service account's subject is
    is_exact = typed == NOTHING or (claim == "sub" and scene.profile.is_cluster)
    depends = () if is_exact else (text_of(condition.raw_key),)
    if operator.negated and operator.family != "ip":
        return Limit(claim, EVERYTHING, complement(typed), "type", depends=depends)
    return Limit(claim, typed, NOTHING, "type", depends=depends)


_TRUE = Like(glob_of(("true",), ignore_case=True))


@cache
def _numerals() -> Language:
    """Every text that may be a number or a date, and more."""
    return union(Like(glob_of((begin, Wild.MANY))) for begin in "+-.0123456789")


@cache
def _addresses() -> Language:
    """Every text that may be an IP address, and more."""
    dots, colons = (Wild.MANY, ".") * 3, (Wild.MANY, ":") * 2
    version_4 = [Like(glob_of((begin, *dots, Wild.MANY))) for begin in "0123456789"]
    version_6 = [Like(glob_of((begin, *colons, Wild.MANY))) for begin in "0123456789abcdefABCDEF"]
    return union((*version_4, *version_6, Like(glob_of(("::", Wild.MANY)))))


def _are_literal(values: tuple[Value, ...], operator: Operator) -> TypeGuard[tuple[str, ...]]:
    """Whether nothing in the values of an operator on texts means anything but itself: most conditions are like that."""
    if operator.comparison == "equal-ignoring-case":
        return False
    for value in values:
        if not isinstance(value, str) or "$" in value or (operator.has_wildcards and ("*" in value or "?" in value)):
            return False
    return True


def is_plain_equality(condition: Condition) -> bool:
    """Whether a condition says StringEquals, or StringLike without wildcards, with values that mean but themselves."""
    return condition.use in _PLAIN and _are_literal(condition.values, condition.use.operator)


_PLAIN = (parse_operator("StringEquals"), parse_operator("StringLike"))


class _Bounds(msgspec.Struct, frozen=True):
    """What one value of a condition matches at most, and for certain."""

    upper: Language
    lower: Language
    depends: tuple[str, ...] = ()


class _Scene(msgspec.Struct, frozen=True):
    """The use of a value: the operator and the claim that it is compared with."""

    operator: Operator
    claim: Literal["sub", "aud"]
    issuer: str
    profile: Profile
    known: Mapping[str, str]

    def bounds(self, pieces: tuple[Piece, ...]) -> _Bounds | None:
        """None for a value that never matches because a variable in it has no value (V2)."""
        if is_plain(pieces):
            return self.exactly(pieces)
        filled = self.filled(pieces)
        if filled is None:
            return None
        if is_plain(filled):
            return self.exactly(filled)
        variables = [piece for piece in filled if isinstance(piece, Variable)]
        depends = tuple(dict.fromkeys(v.key for v in variables if self.presence(v) != self.claim))
        if len(depends) < len({v.key for v in variables}):
            return self.self_reference(filled, depends)
        if self.operator.family == "arn":
            # the values of variables may hold colons, so even the components are open
            return _Bounds(_ARNS, NOTHING, depends)
        return _Bounds(self.language(widest(filled)), NOTHING, depends)

    def presence(self, variable: Variable) -> Presence:
        """Whether the key of a variable is in the request."""
        return presence(variable.key, self.issuer, self.profile)

    def filled(self, pieces: Sequence[Piece]) -> tuple[Piece, ...] | None:
        """Variables with a known value replaced by it, those whose key is never there by their defaults; None where one has
        none."""
        filled: list[Piece] = []
        for piece in pieces:
            if isinstance(piece, Variable) and piece.key in self.known:
                filled.append(self.known[piece.key])
            elif isinstance(piece, Variable) and self.presence(piece) == "never":
                if piece.default is None:
                    return None
                filled.append(piece.default)
            else:
                filled.append(piece)
        return merged_pieces(filled)

    def exactly(self, pieces: tuple[Plain, ...]) -> _Bounds:
        """A value without variables."""
        language = self.language(pieces)
        return _Bounds(language, language)

    def language(self, pieces: tuple[Plain, ...]) -> Language:
        """What plain pieces match under the operator."""
        if self.operator.family == "arn":
            return Like(glob_of(pieces, arn=True)) if arn_components(pieces) else NOTHING
        if self.operator.comparison == "equal-ignoring-case":
            return Like(glob_of(pieces, ignore_case=True))
        if pieces == (Wild.MANY,):
            return EVERYTHING
        if all(isinstance(piece, str) for piece in pieces):
            return literal("".join(map(str, pieces)))
        return Like(glob_of(pieces))

    def self_reference(self, pieces: Sequence[Piece], depends: tuple[str, ...]) -> _Bounds:
        """`${issuer:sub}` compared with sub itself: holds where all that stands beside it is empty (V1)."""
        own = sum(isinstance(piece, Variable) and self.presence(piece) == self.claim for piece in pieces)
        if own > 1 or any(isinstance(piece, str) or piece is Wild.ONE for piece in pieces):
            return _Bounds(NOTHING, NOTHING)
        everything = _ARNS if self.operator.family == "arn" else EVERYTHING
        return _Bounds(everything, NOTHING if depends else everything, depends)


_ARNS = Like(glob_of(("arn:", *(Wild.MANY, ":") * 4, Wild.MANY), arn=True))
