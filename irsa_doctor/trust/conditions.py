"""What one condition says of every token of an issuer at once: limits sub, limits aud, never holds, always holds, or depends.

The same semantics as `decide`, over sets in place of values. sub and aud are in every token of a cluster, and single-valued.
"""

from typing import Literal

import msgspec

from irsa_doctor.model import Hole
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import EVERYTHING, NOTHING, Language, Like, complement, literal, union
from irsa_doctor.trust.patterns import Glob, Piece, Variable, Wild, is_arn_pattern, pieces_of
from irsa_doctor.trust.policy import Condition, Value

Effect = Literal["sub", "aud", "never", "always", "depends", "unknown"]


class Limit(msgspec.Struct, frozen=True):
    """What a condition comes to. `language` bounds sub or aud from above and, where `exact`, from below; `because` says why it never or always holds."""

    effect: Effect
    language: Language = EVERYTHING
    exact: bool = True
    because: str = ""
    contested: str = ""
    depends: str = ""


_NEVER, _ALWAYS = Limit("never", NOTHING), Limit("always")


def limit_of(condition: Condition, issuer: str, *, variables: bool, kubernetes: bool) -> Limit:
    """What the condition says of tokens of an issuer (in lower case, without scheme)."""
    if not condition.key:
        return Limit("unknown", exact=False, depends=str(condition.raw_key))
    where = presence(condition.key, issuer)
    if condition.use.operator.family == "null":
        return _null(condition, where)
    if where == "never":
        return _missing(condition)
    if where in ("sub", "aud"):
        return _claim(condition, where, issuer, variables=variables, kubernetes=kubernetes)
    if not condition.values and condition.use.qualifier == "ForAnyValue":
        return Limit("never", NOTHING, because="empty-list")
    return Limit("depends", exact=False, depends=str(condition.raw_key))


def _missing(condition: Condition) -> Limit:
    """The key is never there: positive never holds, negated, ...IfExists and ForAllValues always do (C6, C7, C9, C10)."""
    use = condition.use
    if use.qualifier == "ForAnyValue":
        return Limit("never", NOTHING, because="missing-key")
    if use.qualifier == "ForAllValues" or use.if_exists or use.operator.negated:
        return Limit("always", because="missing-key")
    return Limit("never", NOTHING, because="missing-key")


def _null(condition: Condition, where: str) -> Limit:
    if condition.use.qualifier:
        return _ALWAYS if condition.use.qualifier == "ForAllValues" else Limit("never", NOTHING, because="null")
    wanted = {v.lower() for v in condition.values if isinstance(v, str)}
    if {"true", "false"} <= wanted:
        return _ALWAYS
    if where == "maybe" and wanted & {"true", "false"}:
        return Limit("depends", exact=False, depends=str(condition.raw_key))
    holds = "true" in wanted if where == "never" else "false" in wanted
    return Limit("always", because="null") if holds else Limit("never", NOTHING, because="null")


def _claim(condition: Condition, claim: Literal["sub", "aud"], issuer: str, *, variables: bool, kubernetes: bool) -> Limit:
    use = condition.use
    if not condition.values:
        if use.qualifier or use.if_exists:
            return Limit("never", NOTHING, because="empty-list")
        return Limit(claim, EVERYTHING if use.operator.negated else NOTHING, False, contested="C11")
    if use.operator.family not in ("string", "arn"):
        if claim == "sub" and kubernetes:
            return (
                Limit(claim, EVERYTHING, False, contested="S4")
                if use.operator.negated
                else Limit(claim, NOTHING, because="type")
            )
        return Limit("depends", exact=False, depends=str(condition.raw_key))
    languages: list[Language] = []
    exact, contested, depends = True, "", ""
    for value in condition.values:
        language, surely, why = _language(condition, value, claim, issuer, variables)
        languages.append(language)
        if why == "hole":
            return Limit("unknown", exact=False, depends=str(value))
        if why == "S4":
            contested = "S4" if use.operator.negated else ""
        elif not surely:
            exact, depends = False, why
    whole = union(languages)
    if use.operator.negated:
        # where a value is only bounded from above, its complement is not bounded at all
        whole = complement(whole) if exact else EVERYTHING
    return Limit(claim, whole, exact and not contested, contested=contested, depends=depends)


def _language(condition: Condition, value: Value, claim: str, issuer: str, variables: bool) -> tuple[Language, bool, str]:
    """(upper bound of what one value matches, whether it is exact, why not)"""
    operator = condition.use.operator
    pieces = pieces_of(value, wildcards=operator.has_wildcards, variables=variables)
    if (
        len(pieces) == 1
        and isinstance(pieces[0], str)
        and operator.comparison != "equal-ignoring-case"
        and operator.family == "string"
    ):
        return literal(pieces[0]), True, ""
    if any(isinstance(piece, Hole) for piece in pieces):
        return EVERYTHING, False, "hole"
    resolved: list[Piece] = []
    why = ""
    for piece in pieces:
        if not isinstance(piece, Variable):
            resolved.append(piece)
            continue
        where = presence(piece.key, issuer)
        if where == claim:
            return _self_reference(pieces), True, ""
        if where == "never":
            if piece.default is None:
                return NOTHING, True, ""
            resolved.append(piece.default)
        else:
            resolved.append(Wild.MANY)
            why = piece.key
    joined = tuple(piece for piece in resolved if isinstance(piece, str | Wild))
    if operator.family == "arn":
        if not is_arn_pattern(joined):
            return NOTHING, False, "S4"
        return Like(Glob(joined, arn=True)), False, "S4"
    if not any(isinstance(piece, Wild) for piece in joined) and operator.comparison != "equal-ignoring-case":
        return literal("".join(map(str, joined))), True, ""
    return Like(Glob(joined, operator.comparison == "equal-ignoring-case")), not why, why


def _self_reference(pieces: tuple[Piece, ...]) -> Language:
    """`${issuer:sub}` compared with sub itself: holds where what stands beside it can be empty (V1)."""
    own = sum(isinstance(piece, Variable) for piece in pieces)
    rest_empty = all(piece is Wild.MANY for piece in pieces if not isinstance(piece, Variable))
    return EVERYTHING if own == 1 and rest_empty else NOTHING
