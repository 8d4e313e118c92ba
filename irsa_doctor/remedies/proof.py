"""Proves what one trust policy admits beyond another, for the tokens of one provider.

Conditions on anything but the token (source address, region, ...) have no value here. They stay symbols: a statement of the
one policy is set against those statements of the other that stand under the same symbols or under fewer of them.
"""

from collections.abc import Sequence

import msgspec

from irsa_doctor.issuers import EKS, Profile, SubjectGrammar
from irsa_doctor.model.once import once
from irsa_doctor.trust import Admitted, Policy, Statement, admitted, grant_of
from irsa_doctor.trust.beyond import beyond
from irsa_doctor.trust.conditions import Limit
from irsa_doctor.trust.languages import Language, contains, difference, literal
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, covering
from irsa_doctor.trust.subjects import is_empty

Symbol = tuple[object, ...]
"""a condition whose value is not known, as far as two policies may have it in common"""
_EVERYONE: Symbol = ("P5",)


class Viewpoint(msgspec.Struct, frozen=True):
    """Whose tokens two policies are compared for: a provider (ARN) of the role's account, its issuer without scheme."""

    provider: str
    issuer: str
    profile: Profile = EKS


class Surplus(msgspec.Struct, frozen=True):
    """(audiences, subjects) that one policy admits and another does not; not `certain` where that is too complex.

    Pairs that are admitted under further conditions are among them, whether these can hold or not.
    """

    cells: tuple[tuple[Language, Language], ...] = ()
    certain: bool = True

    def has(self, subject: str, audience: str | None) -> bool:
        """Whether a token is in it; `audience` None: with any audience."""
        return any(contains(subjects, subject) and (audience is None or contains(a, audience)) for a, subjects in self.cells)

    def is_within(self, subjects: frozenset[str], grammar: SubjectGrammar) -> bool:
        """Whether it is proved to hold none but these subjects."""
        named = literal(*subjects)
        rest = (difference(language, named) for _, language in self.cells)
        return self.certain and all(is_empty(language, grammar) for language in rest)


class _Allow(msgspec.Struct, frozen=True):
    """An Allow statement for one provider, with its further conditions as symbols."""

    symbols: frozenset[Symbol]
    statement: Statement


class Comparison(msgspec.Struct, frozen=True, dict=True):
    """Two policies for the tokens of one provider; that IAM refuses a document is left aside."""

    new: Policy
    old: Policy
    view: Viewpoint
    admitted_before: Admitted | None = None
    """what the old one admits, where somebody knows it already"""

    @once
    def both(self) -> tuple[Admitted, Admitted]:
        """What each of them admits, an upper bound."""
        view = self.view
        now = admitted(self.new, view.provider, view.issuer, profile=view.profile)
        return now, self.admitted_before or admitted(self.old, view.provider, view.issuer, profile=view.profile)

    @once
    def _is_exact(self) -> bool:
        return not any(a.depends_on or a.contested or a.unseen or a.too_complex for a in self.both)

    @once
    def gained(self) -> Surplus:
        """What the new one admits and the old one does not."""
        return self._beyond(*self.both) if self._is_exact else gained(self.new, self.old, self.view)

    @once
    def lost(self) -> Surplus:
        """What the old one admits and the new one does not."""
        return self._beyond(*reversed(self.both)) if self._is_exact else gained(self.old, self.new, self.view)

    def _beyond(self, one: Admitted, other: Admitted) -> Surplus:
        more = beyond(one, other)
        return Surplus(more.cells, more.certain)


def gained(new: Policy, old: Policy, view: Viewpoint) -> Surplus:
    """What `new` admits and `old` does not, where conditions on the request decide as well."""
    allows, known = _allows(new, view), _allows(old, view)
    denies, known_denies = _denies(new, view), _denies(old, view)
    if set(allows) <= set(known) and _same(denies, known_denies, new, old):
        return Surplus()
    new_denies, old_denies = _set_against(new, denies, old, known_denies, view)
    cells: list[tuple[Language, Language]] = []
    certain = True
    for symbols in dict.fromkeys(allow.symbols for allow in allows):
        mine = _admitted(new, [a.statement for a in allows if a.symbols == symbols], new_denies, view)
        theirs = _admitted(old, [a.statement for a in known if a.symbols <= symbols], old_denies, view)
        more = beyond(mine, theirs)
        certain &= more.certain
        cells += more.cells
    return Surplus(tuple(cells), certain)


def _admitted(policy: Policy, allows: Sequence[Statement], denies: Sequence[Statement], view: Viewpoint) -> Admitted:
    alone = Policy(policy.variables, (*allows, *denies), (), 0)
    return admitted(alone, view.provider, view.issuer, profile=view.profile)


def _key(statement: Statement) -> Statement:
    """A statement without the places of its parts."""
    conditions = tuple(msgspec.structs.replace(condition, steps=()) for condition in statement.conditions)
    return msgspec.structs.replace(statement, conditions=conditions, index=0, steps=())


def _same(denies: Sequence[Statement], others: Sequence[Statement], new: Policy, old: Policy) -> bool:
    return new.variables == old.variables and list(map(_key, denies)) == list(map(_key, others))


def _set_against(
    new: Policy, denies: Sequence[Statement], old: Policy, others: Sequence[Statement], view: Viewpoint
) -> tuple[list[Statement], list[Statement]]:
    """The Deny statements with which to compare: what both have counts alike; of the rest, what `new` surely denies and what
    `old` may deny."""
    shared = {_key(deny) for deny in denies} & {_key(deny) for deny in others} if new.variables == old.variables else set()
    widest = [deny if _key(deny) in shared else _without_symbols(old, deny, view).statement for deny in others]
    return list(denies), widest


def _allows(policy: Policy, view: Viewpoint) -> list[_Allow]:
    return [_without_symbols(policy, s, view) for s in policy.statements if s.allow and _speaks(s, view)]


def _denies(policy: Policy, view: Viewpoint) -> list[Statement]:
    return [statement for statement in policy.statements if not statement.allow and _speaks(statement, view)]


def _speaks(statement: Statement, view: Viewpoint) -> bool:
    named = view.provider in statement.federated or (not statement.allow and "*" in statement.aws)
    return named and covering(statement, WEB_IDENTITY) is not False


def _without_symbols(policy: Policy, statement: Statement, view: Viewpoint) -> _Allow:
    """A statement with only those conditions that the token alone decides."""
    limits = grant_of(policy, statement, view.issuer, profile=view.profile, provider=view.provider).limits
    plain, symbols = [], set()
    for condition, limit in zip(statement.conditions, limits, strict=True):
        if _is_symbol(limit):
            symbols.add(_symbol(condition, statement, policy))
        else:
            plain.append(condition)
    federated = statement.federated
    if view.provider not in federated:
        symbols.add(_EVERYONE)
        federated = (view.provider,)
    bare = msgspec.structs.replace(
        statement, conditions=tuple(plain), federated=federated, aws=(), index=0, steps=(), points=()
    )
    return _Allow(frozenset(symbols), bare)


def _is_symbol(limit: Limit) -> bool:
    return limit.effect in ("depends", "unknown") or bool(limit.depends or limit.contested or limit.unseen)


def _symbol(condition: Condition, statement: Statement, policy: Policy) -> Symbol:
    """What stands for a condition; with a key in two spellings (K2) each stands for all of them."""
    same = [condition]
    if "K2" in statement.points:
        same = [other for other in statement.conditions if (other.use, other.key) == (condition.use, condition.key)]
    return tuple(
        (str(c.use), c.key, frozenset(map(str, c.values)), policy.variables and any("$" in str(v) for v in c.values))
        for c in same
    )
