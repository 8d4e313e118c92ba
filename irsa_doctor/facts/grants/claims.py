"""What the conditions of one grant say of the claims of a token, gathered in one pass over them."""

import re
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.keys import key_form
from irsa_doctor.issuers import Profile
from irsa_doctor.model import Issuer, text_of
from irsa_doctor.trust import SUBJECT_PREFIX, Grant, is_subject
from irsa_doctor.trust.conditions import Limit
from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import NOTHING, Like
from irsa_doctor.trust.patterns import glob_of, pieces_of, widest
from irsa_doctor.trust.policy import Condition
from irsa_doctor.trust.subjects import reach_of

STS = "sts.amazonaws.com"
# https://docs.aws.amazon.com/general/latest/gr/sts.html, and VPC endpoints
ENDPOINT = re.compile(r"(https://)?([a-z0-9-]+\.)?sts(-fips)?\.[a-z0-9-]+\.((vpce\.)?amazonaws\.com(\.cn)?|api\.aws)")
_PRIVATE = re.compile(
    r"10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:", re.IGNORECASE
)


Oddity = Literal["", "variable", "wildcard", "case", "shape"]


class Claims(msgspec.Struct):
    """Conditions on sub and aud, and what catches the eye in them.

    `forms` are the ways in which keys miss the issuer (see `key_form`); `vacuous`: such a key is in a condition that then
    always holds. `subs` and `auds` are the values of conditions that ask for them (not of negated ones); `sub_limits` counts
    the conditions on sub that let somebody through.
    """

    profile: Profile
    issuer: str
    forms: set[str] = msgspec.field(default_factory=set)
    vacuous: bool = False
    has_sub: bool = False
    has_aud: bool = False
    sub_conditions: int = 0
    sub_limits: int = 0
    sub_negated: bool = False
    subs: list[str] = msgspec.field(default_factory=list)
    auds: list[str] = msgspec.field(default_factory=list)
    equals_with_wildcard: bool = False
    sub_prefix_missing: bool = False
    sub_case: bool = False
    has_variable: bool = False
    for_any_value: bool = False
    for_all_values: bool = False
    if_exists: bool = False
    private_source_ip: bool = False
    region_excluded: bool = False
    session_name: bool = False

    @property
    def swapped(self) -> bool:
        """Whether a subject stands where the audience belongs, or the reverse."""
        return any(value.startswith(SUBJECT_PREFIX) for value in self.auds) or STS in self.subs


def claims_of(grant: Grant, issuer: str, *, profile: Profile) -> Claims:
    """The claims of a grant for an issuer (without scheme)."""
    found = Claims(profile, issuer)
    low = issuer.lower()
    for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True):
        where = presence(condition.key, low, profile) if condition.key else _claim_of_hole(condition)
        if where == "sub":
            _subject(found, condition, limit)
        elif where == "aud":
            _audience(found, condition)
        elif where == "never":
            form = key_form(condition.key, low)
            if limit.effect == "never":
                found.forms.add(form)
            elif form not in ("session", "unavailable"):
                found.vacuous = True
        else:
            _surroundings(found, condition)
    return found


def _claim_of_hole(condition: Condition) -> str:
    """A key whose issuer is a hole is taken for the claim that it ends in."""
    raw = text_of(condition.raw_key).lower()
    return "sub" if raw.endswith(":sub") else "aud" if raw.endswith(":aud") else "maybe"


def _qualified(found: Claims, condition: Condition) -> None:
    if qualifier := condition.use.qualifier:
        found.for_any_value |= qualifier == "ForAnyValue"
        found.for_all_values |= qualifier == "ForAllValues"


def _subject(found: Claims, condition: Condition, limit: Limit) -> None:
    operator = condition.use.operator
    if operator.family == "null":
        return
    found.has_sub = True
    found.sub_conditions += 1
    found.sub_limits += limit.language != NOTHING
    found.sub_negated |= operator.negated
    found.if_exists |= condition.use.if_exists and not operator.negated
    _qualified(found, condition)
    if operator.family != "string" or operator.negated:
        return
    for value in condition.values:
        if isinstance(value, str):
            found.subs.append(value)
            odd = oddity(condition, value)
            found.has_variable |= odd == "variable"
            found.equals_with_wildcard |= found.profile.is_cluster and odd == "wildcard"
            found.sub_case |= found.profile.is_cluster and odd == "case"
            found.sub_prefix_missing |= found.profile.is_cluster and odd == "shape"


def oddity(condition: Condition, value: str) -> Oddity:
    """Why no service account has a subject that a value of a condition on sub asks for."""
    if is_subject(value):
        return ""
    if "${" in value:
        return "variable"
    operator = condition.use.operator
    if not operator.has_wildcards and ("*" in value or "?" in value):
        return "wildcard"
    if _is_possible(value, wildcards=operator.has_wildcards):
        return ""
    if _is_possible(value.lower(), wildcards=operator.has_wildcards):
        return "" if operator.comparison == "equal-ignoring-case" else "case"
    return "" if value == STS else "shape"


def _is_possible(value: str, *, wildcards: bool) -> bool:
    """Whether some service account could have the subject."""
    if not wildcards or ("*" not in value and "?" not in value):
        return is_subject(value)
    pattern = Like(glob_of(widest(pieces_of(value, wildcards=True, variables=False))))
    return reach_of(pattern, "service-account").scope != "nobody"


def _audience(found: Claims, condition: Condition) -> None:
    operator = condition.use.operator
    if operator.family == "null":
        return
    found.has_aud = True
    _qualified(found, condition)
    if operator.family == "string" and not operator.negated:
        found.auds += [value for value in condition.values if isinstance(value, str)]


def _surroundings(found: Claims, condition: Condition) -> None:
    """Conditions on what surrounds the request: its source, its region, its session name."""
    operator = condition.use.operator
    asks = operator.family == "string" and not operator.negated
    if condition.key == "aws:sourceip":
        private = bool(condition.values) and all(_PRIVATE.match(text_of(v)) for v in condition.values)
        found.private_source_ip |= private and operator.name == "IpAddress"
    elif condition.key == "sts:rolesessionname":
        found.session_name |= asks
    elif condition.key == "aws:requestedregion":
        region = Issuer.of(found.issuer).region
        excluded = bool(region) and holds(condition, {condition.key: (region,)}, variables=False) is False
        found.region_excluded |= excluded
