"""Which issuer a statement speaks of where a template leaves its principal or its condition keys open.

A provider and an issuer that come from two placeholders belong together unless something shows that they do not: a policy whose
keys are of another issuer than its provider admits nobody, and nobody writes that on purpose.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.model import (
    UNEXPANDED,
    Hole,
    Text,
    holes_in,
    issuer_in,
    issuer_of_provider,
    joined,
    parse_arn,
    text_of,
    without_scheme,
)
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.patterns import glob_of, pieces_of, widest
from irsa_doctor.trust.policy import Condition, Policy, Statement, Value
from irsa_doctor.trust.subjects import PREFIX
from irsa_doctor.trust.symbols import GLOBAL_KEYS, seen_key

_HOST = regex(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?(/[^\s${}<>%]*)?", re.IGNORECASE)
_INDEX = regex(r"\[([^\[\]]+)\]")
# a store of parameters or secrets has the values of anything, so that its entries own nothing
_OWNER = regex(r"\b(module|aws_(?!ssm_|secretsmanager_|appconfig_)\w+)\.([\w-]+)")
_ALIASES = 64
_OF_ARN = regex(r"(?:\b|_|[a-z](?=A))(?:arn|Arn|ARN)\W*$")
_REFERENCE = regex(r"\$\{.*\}", re.DOTALL)


class SeenStatement(msgspec.Struct, frozen=True):
    """A statement as it reads for tokens of one of its principals.

    `issuer` is without scheme, with holes where it has some. Keys of this issuer have the name that `text_of` gives it; a key
    of which it cannot be known whether it is of the issuer has no name. `certain`: no key was only presumed to be of the
    issuer.
    """

    statement: Statement
    issuer: Value
    certain: bool = True


def seen_for(statement: Statement, principal: Value, *, expanded: bool = True) -> SeenStatement:
    """The statement as it reads for tokens of a principal.

    `expanded`: a hole `${...}` is a reference that its template resolves; else it is text that an author had to fill in, and
    beside a principal that is filled in it is literal.
    """
    issuer = issuer_in(principal) if isinstance(principal, Text) else issuer_of_provider(principal)
    if issuer == "" and isinstance(principal, str) and _HOST.fullmatch(principal):
        # Cognito, Google and others, which have no provider in the account
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
        issuer = principal
    keys = [condition for condition in statement.conditions if not condition.key]
    if isinstance(principal, str) and (not keys or not issuer):
        return SeenStatement(statement, issuer)
    return _Association(statement, principal, issuer, expanded).seen()


def seen_as_meant(statement: Statement, principal: str, issuer: str) -> SeenStatement:
    """The statement as it reads for tokens of the issuer that a wrong principal was meant for: keys of the issuer that the
    principal names are the same mistake."""
    arn = parse_arn(principal)
    alias = (arn.name if arn else principal.removeprefix("https://").rstrip("/")).lower()
    low = issuer.lower()
    if not alias or alias == low:
        return SeenStatement(statement, issuer)
    conditions = tuple(
        msgspec.structs.replace(c, key=low + c.key[len(alias) :]) if c.key.startswith(alias + ":") else c
        for c in statement.conditions
    )
    return SeenStatement(msgspec.structs.replace(statement, conditions=conditions), issuer)


class SeenPolicy(msgspec.Struct, frozen=True):
    """A whole policy as it reads for tokens of one of its principals, which has the name that `text_of` gives it.

    `issuer` is the name of the issuer, as in the keys. `certain`: no key was only presumed to be of the issuer.
    """

    policy: Policy
    principal: str
    issuer: str
    certain: bool


def policy_seen_for(policy: Policy, principal: Value, *, expanded: bool = True) -> SeenPolicy:
    """The policy as it reads for tokens of a principal of which a template leaves something open (see `seen_for`)."""
    name = text_of(principal)
    seen = [seen_for(statement, principal, expanded=expanded) for statement in policy.statements]
    statements = tuple(
        msgspec.structs.replace(
            each.statement, federated=tuple(name if value == principal else value for value in each.statement.federated)
        )
        for each in seen
    )
    named = next((each for each in seen if principal in each.statement.federated and each.issuer), None)
    issuer = text_of(named.issuer) if named else text_of(issuer_in(principal))
    certain = all(each.certain for each in seen if principal in each.statement.federated)
    return SeenPolicy(msgspec.structs.replace(policy, statements=statements), name, issuer or name, certain)


class _Association(msgspec.Struct, frozen=True):
    """One statement, one principal, and the issuer that the principal names."""

    statement: Statement
    principal: Value
    issuer: Value
    expanded: bool

    def seen(self) -> SeenStatement:
        named = list(_issuers_of_keys(self.statement))
        issuer = self.meant(named)
        aliases = [other for other in named if other != issuer and self.is_alias(other, issuer)]
        # so many placeholders do not all mean one issuer
        if len(aliases) > _ALIASES or any(_are_apart(first, second) for first in aliases for second in aliases):
            aliases = []
        conditions = tuple(self.renamed(condition, issuer, aliases) for condition in self.statement.conditions)
        statement = msgspec.structs.replace(self.statement, conditions=conditions)
        return SeenStatement(statement, issuer, not aliases and issuer == self.issuer)

    def renamed(self, condition: Condition, issuer: Value, aliases: Sequence[Value]) -> Condition:
        """A condition with its key read as that of tokens of the issuer."""
        raw, named = condition.raw_key, _split(condition)
        if named is None:
            return seen_key(condition, issuer)
        if named[0] == self.principal and self.is_of_provider:
            return msgspec.structs.replace(condition, key=f"arn:{text_of(raw).lower()}")
        if named[0] == issuer or named[0] in aliases:
            return msgspec.structs.replace(condition, key=f"{text_of(issuer).lower()}:{named[1]}")
        if self.is_strange(named[0], issuer):
            return msgspec.structs.replace(condition, key=_named_without_blanks(raw).lower())
        return seen_key(condition, issuer)

    def meant(self, named: Sequence[Value]) -> Value:
        """The issuer of the principal, or that of the keys where the principal has a hole in its place."""
        if isinstance(self.issuer, str) and self.issuer:
            return self.issuer
        if self.issuer in named:
            return self.issuer
        literal = {other.lower(): other for other in named if isinstance(other, str) and _HOST.fullmatch(other)}
        if len(literal) == 1 and (not self.issuer or _may_be(self.issuer, next(iter(literal)))):
            return next(iter(literal.values()))
        return self.issuer or issuer_in(Text((Hole(text_of(self.principal)),)))

    @property
    def is_of_provider(self) -> bool:
        """Whether a principal that is one hole holds the ARN of a provider: its name says so, or the subjects are those of a
        cluster, which has no principal without an ARN as Cognito and Google have."""
        if _OF_ARN.search(text_of(self.principal)):
            return True
        values = [value for condition in self.statement.conditions for value in condition.values]
        return any(text_of(value).startswith(PREFIX) for value in values)

    def is_alias(self, other: Value, issuer: Value) -> bool:
        """Whether a text other than the issuer means the issuer, as far as is known."""
        if isinstance(other, str) or self.is_left_over(other) or _has_scheme(other, issuer):
            return False
        if isinstance(issuer, str):
            return _may_be(other, issuer)
        return not _are_apart(other, issuer) and not _are_unequal(other, issuer)

    def is_strange(self, other: Value, issuer: Value) -> bool:
        """Whether another text than the issuer can be no issuer at all, or not this one."""
        if isinstance(other, str):
            return isinstance(issuer, Text) and not (_HOST.fullmatch(other) and _may_be(issuer, other))
        if self.is_left_over(other) or _has_scheme(other, issuer):
            return True
        return not _may_be(other, issuer) if isinstance(issuer, str) else _are_unequal(other, issuer)

    def is_left_over(self, other: Value) -> bool:
        """Whether it has a placeholder that nothing expands, while the principal is complete."""
        if isinstance(self.principal, Text):
            return _is_unexpanded(other) and not _is_unexpanded(self.principal)
        return not self.expanded or not all(_REFERENCE.fullmatch(hole.name) for hole in holes_in(other))


def _named_without_blanks(value: Value) -> str:
    """The text of a value; a blank in the name of a placeholder is none of a key."""
    parts = value.parts if isinstance(value, Text) else (value,)
    return "".join("".join(part.name.split()) if isinstance(part, Hole) else part for part in parts)


def _issuers_of_keys(statement: Statement) -> Iterator[Value]:
    """The issuers of the keys, each once, as they are written."""
    seen: set[Value] = set()
    for condition in statement.conditions:
        named = _split(condition)
        if named and named[0] not in seen:
            seen.add(named[0])
            yield named[0]


def _split(condition: Condition) -> tuple[Value, str] | None:
    """(the issuer of a key, the claim in lower case), None where it has no claim that is seen, or is a key of AWS."""
    raw = condition.raw_key
    if text_of(raw).lower().startswith(GLOBAL_KEYS):
        return None
    last = raw if isinstance(raw, str) else raw.parts[-1]
    if not isinstance(last, str) or ":" not in last:
        return None
    before, _, claim = last.rpartition(":")
    if isinstance(raw, str):
        return before, claim.lower()
    return joined((*raw.parts[:-1], before)), claim.lower()


def _has_scheme(value: Value, issuer: Value) -> bool:
    """Whether a value is an issuer with `https://` before it, which no key begins with."""
    return value != issuer and without_scheme(value) == issuer


def _is_unexpanded(value: Value) -> bool:
    return any(hole.name.endswith(UNEXPANDED) for hole in holes_in(value))


def _may_be(value: Value, text: str) -> bool:
    """Whether a value with holes can turn out to be a text, whatever its case."""
    pieces = pieces_of(value, wildcards=False, variables=False)
    return glob_of(widest(pieces), ignore_case=True).matches(text)


def _are_unequal(one: Text, other: Text) -> bool:
    """Whether two texts with holes differ whatever these hold: behind, or before, what both have, one has another letter than
    the other, or one is at its end and the other has a letter left. Letters count whatever their case."""
    left, right = _letters(one), _letters(other)
    for _ in range(2):
        same = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
        left, right = left[same:], right[same:]
        ends = left[:1], right[:1]
        if all(end and isinstance(end[0], str) for end in ends):
            return True
        left, right = left[::-1], right[::-1]
    return (not left or not right) and any(isinstance(letter, str) for letter in (*left, *right))


def _letters(value: Text) -> tuple[str | Hole, ...]:
    return tuple(letter for part in value.parts for letter in (part.lower() if isinstance(part, str) else (part,)))


def _are_apart(one: Value, other: Value) -> bool:
    """Whether two references are visibly of two things: of two modules, two resources of a kind, two keys of a map."""
    words = " ".join(hole.name for hole in holes_in(one)), " ".join(hole.name for hole in holes_in(other))
    if any(_differ(*(set(_INDEX.findall(text)) for text in words)) for _ in words):
        return True
    owners = [dict[str, set[str]](), dict[str, set[str]]()]
    for table, text in zip(owners, words, strict=True):
        for kind, name in _OWNER.findall(text):
            table.setdefault(kind, set()).add(name)
    return any(_differ(owners[0][kind], owners[1][kind]) for kind in owners[0].keys() & owners[1].keys())


def _differ(one: set[str], other: set[str]) -> bool:
    return bool(one and other) and one.isdisjoint(other)
