"""Principals of a trust policy that are no web identities (AWS principals, services, SAML providers), and who of them is new.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.model import parse_arn, text_of
from irsa_doctor.trust.actions import OF_SESSIONS
from irsa_doctor.trust.policy import Policy, Statement, Value, covering, names_of_holes
from irsa_doctor.trust.restrictions import Restrictions, alternatives_of, implied, restrictions_of

PrincipalKind = Literal["AWS", "Service", "SAML"]
_ACTIONS: dict[PrincipalKind, str] = {"AWS": "sts:AssumeRole", "Service": "sts:AssumeRole", "SAML": "sts:AssumeRoleWithSAML"}


class NamedPrincipal(msgspec.Struct, frozen=True, kw_only=True):
    """One principal that one statement lets assume the role, or denies that, under restrictions; `session` is an action that
    is needed beside that for some sessions, "" for the assuming itself.

    `name` is one and the same for all forms of a principal: an account has two. `value` is what is written, `text` what people
    read.
    """

    allow: bool
    kind: PrincipalKind
    name: str
    value: str
    restrictions: Restrictions
    text: str
    session: str = ""

    def covers(self, other: "NamedPrincipal") -> bool:
        """Whether it is proved that a statement says this of everybody, and in every request, of whom the other says it."""
        return self.names(other) and implied(other.restrictions, self.restrictions)

    def names(self, other: "NamedPrincipal") -> bool:
        """Whether everybody is named whom the other names, for the same action."""
        named = self.name == other.name or (self.kind == "AWS" and self.name == "*")
        return named and self.kind == other.kind and self.session == other.session

    def is_covered(self, others: Iterable["NamedPrincipal"]) -> bool:
        """Whether it is proved that some of the others say this too, if each of a part of its requests."""
        others = [other for other in others if other.allow is self.allow and other.names(self)]
        asked = {restriction for other in others for restriction in other.restrictions}
        cases = (msgspec.structs.replace(self, restrictions=case) for case in alternatives_of(self.restrictions, asked))
        return all(any(other.covers(case) for other in others) for case in cases)

    def may_meet(self, other: "NamedPrincipal") -> bool:
        """Whether both may speak of one action of one caller."""
        return self.session == other.session and self.may_name(other)

    def may_name(self, other: "NamedPrincipal") -> bool:
        """Whether both may speak of one caller; a Deny for every AWS principal is taken to stop all others too (P5)."""
        if not self.allow and self.kind == "AWS" and self.name == "*":
            return True
        if self.kind != other.kind or self.name == other.name:
            return self.kind == other.kind
        accounts = {_account(self.name), _account(other.name)}
        return self.kind == "AWS" and (len(accounts) == 1 or "" in accounts)


def named_principals(policy: Policy | None) -> Sequence[NamedPrincipal]:
    """Every principal of the statements that let it assume the role, or deny it that."""
    if policy is None:
        return []
    return [
        NamedPrincipal(
            allow=statement.allow,
            kind=kind,
            name=_name(kind, value),
            value=text_of(value),
            restrictions=restrictions_of(policy, statement),
            text=f"{_text(statement, kind, value)}{f' ({session})' if session else ''}",
            session=session,
        )
        for statement in policy.statements
        if statement.effect_seen
        for kind, value in _principals(statement)
        for session in ("", *OF_SESSIONS)
        if covering(statement, session or _ACTIONS[kind]) is not False
    ]


def admitted_principals(policy: Policy) -> Sequence[NamedPrincipal]:
    """The principals that may assume the role, if only in some requests: no Deny stops them in all of them."""
    named = [each for each in named_principals(policy) if not each.session]
    denied = [each for each in named if not each.allow]
    return [each for each in named if each.allow and not _is_denied(each, denied)]


def _is_denied(allowed: NamedPrincipal, denied: Sequence[NamedPrincipal]) -> bool:
    return bool(denied) and msgspec.structs.replace(allowed, allow=False).is_covered(denied)


def admit_more(later: Sequence[NamedPrincipal], earlier: Sequence[NamedPrincipal]) -> bool:
    """Whether later statements may let somebody in whom the earlier ones did not, or with other sessions: by an Allow, or
    because a Deny is gone."""
    assuming = [each for each in later if each.allow and not each.session]
    allowed = [each for each in later if each.allow and (not each.session or any(some.may_name(each) for some in assuming))]
    gained = any(not each.is_covered(earlier) for each in allowed)
    freed = (each for each in earlier if not each.allow and not each.is_covered(later))
    return gained or any(denial.may_meet(each) for denial in freed for each in allowed)


def unseen_statements(policy: Policy | None) -> Mapping[object, Sequence[str]]:
    """The statements with principals that are no web identities of which it is left open what they say, and whether they allow
    or deny; with the holes."""
    if policy is None:
        return {}
    table: dict[object, Sequence[str]] = {}
    for statement in policy.statements:
        named = list(_principals(statement))
        acts = {covering(statement, action) for kind, _ in named for action in (_ACTIONS[kind], *OF_SESSIONS)}
        holes = (*statement.unseen, *(names_of_holes(statement.not_actions or statement.actions) if None in acts else ()))
        is_one_hole = bool(statement.actions) and statement.federated == statement.actions
        if holes and (named or is_one_hole):
            says = msgspec.structs.replace(statement, index=0, steps=(), conditions=())
            table[says, policy.variables, restrictions_of(policy, statement)] = holes
    return table


def is_saml(federated: str) -> bool:
    """Whether a federated principal is a SAML provider."""
    return ":saml-provider/" in federated


def _principals(statement: Statement) -> Iterator[tuple[PrincipalKind, Value]]:
    yield from (("AWS", value) for value in statement.aws)
    yield from (("Service", value) for value in statement.service)
    yield from (("SAML", value) for value in statement.federated if is_saml(text_of(value)))


def _name(kind: PrincipalKind, value: Value) -> str:
    """Of an account its id, in whichever way it is written."""
    text = text_of(value)
    return _account(text) if kind == "AWS" and text.endswith(":root") and _account(text) else text


def _account(name: str) -> str:
    """The account of an AWS principal, "" where the name does not show one."""
    arn = parse_arn(name)
    return arn.account if arn else name if name.isdigit() else ""


def _text(statement: Statement, kind: PrincipalKind, value: Value) -> str:
    checks = sorted(f"{c.use} {text_of(c.raw_key)} {sorted(map(text_of, c.values))}" for c in statement.conditions)
    where = f" where {'; '.join(checks)}" if checks else ""
    return f"{'' if statement.allow else 'Deny '}{kind} {text_of(value)}{where}"
