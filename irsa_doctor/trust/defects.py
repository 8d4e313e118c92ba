"""Everything that is wrong with one statement, found in one pass over it.

Facts, messages, remedies and `why` take the mistakes of a statement from here, so that all of them speak of the same one. Which
finding or cause a kind of defect leads to is in the files of rules and causes, under `signs`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from irsa_doctor.issuers import Profile
from irsa_doctor.model import Issuer, Text, text_of
from irsa_doctor.model.once import once
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.actions import ActionForm, action_defects, action_form
from irsa_doctor.trust.admitted import Grant, admitted, speaks_of
from irsa_doctor.trust.audiences import AudienceForm, audience_form, audience_meant, is_meant_for_tokens
from irsa_doctor.trust.conditions import Limit
from irsa_doctor.trust.defect_kinds import Defect, DefectKind
from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.keys import KeyForm, claim_meant, key_form, presence
from irsa_doctor.trust.languages import EVERYTHING, NOTHING, contains, difference
from irsa_doctor.trust.minted import has_form
from irsa_doctor.trust.patterns import Variable, pieces_of
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, Policy, Statement
from irsa_doctor.trust.subjects import PREFIX, SubjectForm, is_subject, reach_of, subject_form
from irsa_doctor.trust.times import holds_at, holds_from, policy_at
from irsa_doctor.trust.unreplaced import unfilled_variables


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the tokens that a statement is for.

    `issuer` is without scheme, `audiences` are those that tokens have: with `audiences_known` it is certain that they have no
    other, with `audiences_usual` they have no other unless somebody chose one. `provider` is the ARN that the principal should
    be ("" where that is unknown), `principal` what it is, `now` the day or the moment of the run.
    """

    issuer: str
    profile: Profile
    audiences: frozenset[str] = frozenset()
    audiences_known: bool = True
    audiences_usual: bool = True
    principal: str = ""
    provider: str = ""
    principal_defect: DefectKind | None = None
    now: str = ""

    def is_wrong_audience(self, value: str, form: AudienceForm) -> bool:
        """Whether no token has this audience: where whoever requests a token chooses it, a host of STS is one like another."""
        if form in ("invisible", "case") or self.audiences_known:
            return True
        return self.audiences_usual and (form != "other" or is_meant_for_tokens(value, self.audiences))


class StatementReading(msgspec.Struct, frozen=True, kw_only=True):
    """What one statement requires of the claims of a token, and its defects.

    `checks_sub` and `checks_aud` are None where only a condition of unknown content may check the claim.
    """

    defects: tuple[Defect, ...]
    action: ActionForm
    checks_sub: bool | None
    checks_aud: bool | None

    def of(self, *kinds: DefectKind) -> list[Defect]:
        """The defects of some kinds, in the order of the statement."""
        return [defect for defect in self.defects if defect.kind in kinds]


def defects_of(policy: Policy, grant: Grant, expected: Expected) -> tuple[Defect, ...]:
    """The defects of one Allow statement for tokens of one issuer, in the order in which the statement is read."""
    return reading_of(policy, grant, expected).defects


def reading_of(policy: Policy, grant: Grant, expected: Expected) -> StatementReading:
    """One Allow statement read for tokens of one issuer; `grant` is what its conditions admit of them."""
    statement = grant.statement
    action = action_form(statement, policy)
    defects = [*_of_principal(statement, expected), *_of_actions(statement, action)]
    scene = _Scene(policy, grant, expected, expected.issuer.lower())
    checks: dict[str, list[Condition]] = {}
    for condition, limit in zip(statement.conditions, grant.limits, strict=True):
        claim = scene.claim(condition)
        if condition.use.operator.family != "null" and not (claim == "aud" and limit.surely == EVERYTHING):
            checks.setdefault(claim, []).append(condition)
        if not scene.is_plain(condition, claim):
            defects += scene.of_condition(condition, limit, claim)
    on_sub = checks.get("sub", [])
    if len(on_sub) > 1 and not any(defect.kind in _KEYS for defect in defects):
        defects += _conflict(grant, on_sub)
    defects += _of_denials(policy, expected)
    otherwise = None if statement.hides_conditions else False
    return StatementReading(
        defects=tuple(defects),
        action=action,
        checks_sub=bool(on_sub) or otherwise,
        checks_aud="aud" in checks or otherwise,
    )


def _of_principal(statement: Statement, expected: Expected) -> Iterator[Defect]:
    if expected.principal_defect:
        yield Defect(
            kind=expected.principal_defect,
            value=expected.principal,
            meant=expected.provider,
            places=((*statement.steps, "Principal"),),
        )


def _of_actions(statement: Statement, form: ActionForm) -> Iterator[Defect]:
    for kind, value, element in action_defects(statement, form):
        yield Defect(kind=kind, value=value, meant=WEB_IDENTITY, places=((*statement.steps, element),))


def _of_denials(policy: Policy, expected: Expected) -> Iterator[Defect]:
    """Deny statements for all source addresses but private ones: STS sees none of those, so that they deny everybody."""
    for denial in policy.statements if policy.has_deny else ():
        if denial.allow or not denial.effect_seen or not speaks_of(denial, expected.principal) or len(denial.conditions) != 1:
            continue
        (condition,), values = denial.conditions, tuple(map(text_of, denial.conditions[0].values))
        if condition.key == "aws:sourceip" and condition.use.operator.name == "NotIpAddress" and _are_private(values):
            yield Defect(kind="source-address", condition=condition, value=", ".join(values), places=(condition.steps,))


def _are_private(addresses: Sequence[str]) -> bool:
    return bool(addresses) and all(map(_PRIVATE.match, addresses))


def _conflict(grant: Grant, on_sub: list[Condition]) -> Iterator[Defect]:
    """Conditions on sub each of which admits a subject, and which together admit none."""
    numbers = {id(condition) for condition in on_sub}
    pairs = zip(grant.statement.conditions, grant.limits, strict=True)
    limits = [limit for condition, limit in pairs if id(condition) in numbers]
    if grant.subjects == NOTHING and all(limit.language != NOTHING for limit in limits):
        yield Defect(kind="subject-conflict", condition=on_sub[0], places=tuple(condition.steps for condition in on_sub))


_OF_KEYS: dict[KeyForm, DefectKind] = {
    "scheme": "key-scheme",
    "arn": "key-arn",
    "trailing-slash": "key-slash",
    "missing-path": "key-path",
    "other-issuer": "key-issuer",
    "claim": "key-absent",
    "session": "key-session",
    "unavailable": "key-absent",
}
_KEYS = frozenset({*_OF_KEYS.values(), "key-two-issuers"})
_OF_AUDIENCES: dict[AudienceForm, DefectKind] = {
    "china": "audience-china",
    "endpoint": "audience-endpoint",
    "invisible": "audience-invisible",
    "case": "audience-case",
    "other": "audience-other",
}
_OF_SUBJECTS: dict[SubjectForm, DefectKind] = {
    "wildcard": "subject-wildcard",
    "case": "subject-case",
    "invisible": "subject-invisible",
    "shape": "subject-shape",
}
_PRIVATE = regex(
    r"10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:", re.IGNORECASE
)


_NAME = "name"
"""what a hole is taken for"""


class _Scene(msgspec.Struct, frozen=True, dict=True):
    """One statement and what is known of the tokens; `low` is their issuer in lower case."""

    policy: Policy
    grant: Grant
    expected: Expected
    low: str

    def claim(self, condition: Condition) -> str:
        """The presence of a condition's key; one of which it cannot be known whose it is may be there."""
        return presence(condition.key, self.low, self.expected.profile) if condition.key else "maybe"

    def is_plain(self, condition: Condition, claim: str) -> bool:
        """Whether a condition requires one value that tokens have and leaves nothing else open: most are right like that."""
        use, values = condition.use, condition.values
        if use.qualifier or use.if_exists or use.operator.negated or use.operator.family != "string" or len(values) != 1:
            return False
        value = text_of(values[0])
        if claim == "sub":
            return value is values[0] and is_subject(value)
        return claim == "aud" and values[0] in self.expected.audiences and "$" not in value

    @once
    def checks_sub(self) -> bool:
        """Whether some condition checks the subject of these tokens."""
        conditions = self.grant.statement.conditions
        return any(self.claim(c) == "sub" and c.use.operator.family != "null" for c in conditions)

    def of_condition(self, condition: Condition, limit: Limit, claim: str) -> Iterator[Defect]:
        """What is wrong with one condition on a claim, or on what else is in a request."""
        if claim == "never":
            yield from self.of_key(condition, limit)
        elif claim not in ("sub", "aud"):
            yield from self.of_request(condition, limit)
            yield from self.of_lenient(condition)
        elif condition.use.operator.family != "null":
            yield from self.of_operator(condition, claim, limit)
            yield from self.of_subjects(condition) if claim == "sub" else self.of_audiences(condition, limit)

    def of_key(self, condition: Condition, limit: Limit) -> Iterator[Defect]:
        """A key that is in no request of these tokens."""
        form = key_form(condition.key, self.low)
        raw = text_of(condition.raw_key)
        claim = claim_meant(condition.key, self.low) or self.claim_of_values(condition)
        meant = f"{self.expected.issuer}:{claim}" if claim else ""
        if limit.effect == "never":
            kind = _OF_KEYS[form]
            if kind == "key-issuer" and self.checks_sub:
                kind = "key-two-issuers"
            yield Defect(kind=kind, condition=condition, value=raw, meant=meant, places=(condition.steps,))
        elif form == "claim" and condition.use.qualifier == "ForAllValues" and not self.expected.profile.is_cluster:
            yield from self.of_lenient(condition)
        elif form not in ("session", "unavailable"):
            yield Defect(kind="key-ignored", condition=condition, value=raw, meant=meant, places=(condition.steps,))

    def of_lenient(self, condition: Condition) -> Iterator[Defect]:
        """An operator that holds for tokens without the claim of an issuer that it compares."""
        use = condition.use
        if self.requires(condition.key):
            return
        if condition.key.startswith(f"{self.low}:") and (use.if_exists or use.qualifier == "ForAllValues"):
            kind: DefectKind = "for-all-values" if use.qualifier else "if-exists"
            yield Defect(kind=kind, condition=condition, value=str(use), places=(condition.steps[:-1],))

    def claim_of_values(self, condition: Condition) -> Literal["sub", "aud", ""]:
        """The claim whose values a condition has, "" where they are not values of a claim."""
        values = condition.values
        if values and all(isinstance(value, str) and is_subject(value) for value in values):
            return "sub"
        return "aud" if values and self.expected.audiences.issuperset(values) else ""

    def of_subjects(self, condition: Condition) -> Iterator[Defect]:
        """Values that no service account has as its subject."""
        operator = condition.use.operator
        if operator.family != "string" or operator.negated:
            return
        for number, value in enumerate(condition.values):
            places = (condition.steps_to(number),)
            if isinstance(value, Text):
                if self.has_literal_wildcard(condition, value):
                    yield Defect(kind="subject-wildcard", condition=condition, value=str(value), places=places)
            elif not is_subject(value) and (kind_and_meant := self.of_subject(condition, value)):
                kind, meant = kind_and_meant
                yield Defect(kind=kind, condition=condition, value=value, meant=meant, places=places)

    def has_literal_wildcard(self, condition: Condition, value: Text) -> bool:
        """Whether a wildcard beside a hole is compared literally, so that no subject fits whatever the hole holds."""
        named = "".join(part if isinstance(part, str) else _NAME for part in value.parts)
        return not is_subject(named) and (self.of_subject(condition, named) or ("", ""))[0] == "subject-wildcard"

    def of_subject(self, condition: Condition, value: str) -> tuple[DefectKind, str] | None:
        """What is wrong with one value, and what was meant."""
        operator, is_cluster = condition.use.operator, self.expected.profile.is_cluster
        if value in self.expected.audiences:  # beside a subject it only matches nothing
            return ("claims-swapped", "") if self.expected.audiences.issuperset(condition.values) else None
        if "${" in value:
            return self.of_variable(value)
        if not is_cluster:
            return self.of_other_subject(value, has_wildcards=operator.has_wildcards)
        ignoring_case = operator.comparison == "equal-ignoring-case"
        form, meant = subject_form(value, wildcards=operator.has_wildcards, ignoring_case=ignoring_case)
        return (_OF_SUBJECTS[form], meant) if form else None

    def of_other_subject(self, value: str, *, has_wildcards: bool) -> tuple[DefectKind, str] | None:
        """A wildcard that is compared literally, where no subject of the issuer has one."""
        forms = self.expected.profile.subject
        is_literal = not has_wildcards and ("*" in value or "?" in value)
        return (
            ("subject-wildcard", value) if is_literal and forms and not any(has_form(value, form) for form in forms) else None
        )

    def of_variable(self, value: str) -> tuple[DefectKind, str] | None:
        """A policy variable that is plain text, or that has no value; a placeholder that nobody filled in looks like one."""
        if unfilled_variables(value):
            return "subject-shape" if self.expected.profile.is_cluster else "subject-unreplaced", ""
        if not self.policy.variables:
            return "subject-version", ""
        pieces = pieces_of(value, wildcards=False, variables=True)
        absent = [
            piece
            for piece in pieces
            if isinstance(piece, Variable)
            and piece.default is None
            and presence(piece.key, self.low, self.expected.profile) == "never"
        ]
        return ("subject-variable", "") if absent else None

    def of_audiences(self, condition: Condition, limit: Limit) -> Iterator[Defect]:
        """Audiences that no token has, where the condition admits none that they have."""
        operator, expected = condition.use.operator, self.expected
        if operator.family != "string":
            return
        missed = limit.effect != "unknown" and not any(contains(limit.language, audience) for audience in expected.audiences)
        if operator.negated:
            excluded = ", ".join(map(text_of, condition.values))
            if missed and expected.audiences_known:
                yield Defect(kind="audience-other", condition=condition, value=excluded, places=(condition.steps,))
            return
        if not missed:
            return
        for number, value in enumerate(condition.values):
            if not isinstance(value, str):
                continue
            places = (condition.steps_to(number),)
            form = audience_form(value, expected.audiences)
            if value.startswith(PREFIX):
                yield Defect(kind="claims-swapped", condition=condition, value=value, places=places)
            elif expected.is_wrong_audience(value, form):
                meant = audience_meant(value, form, expected.audiences)
                yield Defect(kind=_OF_AUDIENCES[form], condition=condition, value=value, meant=meant, places=places)

    def of_request(self, condition: Condition, limit: Limit) -> Iterator[Defect]:
        """Conditions on what surrounds the request: its source, its region, its session name, and what is the same in all."""
        operator = condition.use.operator
        values = tuple(map(text_of, condition.values))
        kind: DefectKind | None = None
        if limit.effect == "never" and limit.because in ("value", "null"):
            kind = "role-pinning" if condition.key == _ROLE_PINNING else "context-value"
        elif holds_from(condition, self.expected.now, variables=self.policy.variables) is False:
            kind = "context-value"
        elif self.is_out_of_time(condition):
            kind = "time-ahead"
        elif condition.key == "aws:sourceip" and operator.name == "IpAddress":
            kind = "source-address" if _are_private(values) else None
        elif (
            condition.key == "sts:rolesessionname"
            and limit.effect != "always"
            and operator.family == "string"
            and not operator.negated
        ):
            kind = "session-name"
        elif condition.key == "aws:requestedregion":
            region = Issuer.of(self.expected.issuer).region
            excluded = region and holds(condition, {condition.key: (region,)}, variables=False) is False
            kind = "region" if excluded else None
        if kind:
            yield Defect(kind=kind, condition=condition, value=", ".join(values), places=(condition.steps,))

    def is_out_of_time(self, condition: Condition) -> bool:
        """Whether a condition on the time keeps out today those whom no other statement of the policy lets in."""
        policy, expected = self.policy, self.expected
        if holds_at(condition, expected.now, variables=policy.variables) is not False:
            return False
        today = admitted(policy_at(policy, expected.now), expected.principal, expected.issuer, profile=expected.profile)
        return difference(self.grant.subjects, today.subjects) != NOTHING

    def requires(self, key: str) -> bool:
        """Whether `Null` with "false" requires a key, so that an operator that holds without it leaves nothing open."""
        return any(
            other.key == key
            and other.use.operator.family == "null"
            and not other.use.qualifier
            and [text_of(value).lower() for value in other.values] == ["false"]
            for other in self.grant.statement.conditions
        )

    def of_operator(self, condition: Condition, claim: str, limit: Limit) -> Iterator[Defect]:
        """Operators that hold for more tokens than it seems."""
        use, grammar = condition.use, self.expected.profile.grammar
        # a subject is no number and no date, and reads as "false" (S4)
        if claim == "sub" and use.operator.family in _TYPED and reach_of(limit.surely, grammar).scope not in _FEW:
            yield Defect(kind="typed-operator", condition=condition, value=str(use), places=(condition.steps[:-1],))
            return
        kinds: list[DefectKind] = []
        if use.qualifier == "ForAnyValue":
            kinds.append("for-any-value")
        elif use.qualifier and not self.requires(condition.key):
            kinds.append("for-all-values")
        if claim == "sub" and use.operator.negated:
            kinds.append("negated")
        elif claim == "sub" and use.if_exists and not self.requires(condition.key):
            kinds.append("if-exists")
        for kind in kinds:
            yield Defect(kind=kind, condition=condition, value=str(use), places=(condition.steps[:-1],))


_ROLE_PINNING = "sts:roleauthorizedbyidp"
_TYPED = frozenset({"numeric", "date", "bool"})
_FEW = ("nobody", "one", "several")
