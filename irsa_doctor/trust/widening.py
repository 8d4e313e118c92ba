"""Whether one policy may admit a token that another does not, with whatever a request may hold beside sub and aud."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from typing import Literal

import msgspec

from irsa_doctor.issuers import Profile
from irsa_doctor.model import joined
from irsa_doctor.model.once import once
from irsa_doctor.trust.actions import OF_SESSIONS
from irsa_doctor.trust.admitted import Admitted, Grant, admitted, grant_of
from irsa_doctor.trust.beyond import beyond
from irsa_doctor.trust.languages import Language, intersection
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, Policy, Statement, Value, covers
from irsa_doctor.trust.restrictions import Restrictions, alternatives_of, implied, restriction_of
from irsa_doctor.trust.subjects import is_empty
from irsa_doctor.trust.symbols import issuer_named

Gain = Literal["none", "some", "too-complex", "contested"]

_Cell = tuple[Language, Language]
_NOTHING = Policy(False, (), (), 0)


def widening(earlier: Policy | None, later: Policy | None, provider: str, profile: Profile) -> Gain:
    """Whether the later policy may admit a token of a provider that the earlier one does not, tags of its session and all.

    It is contested where that depends on whether a Deny for every AWS principal stops web identities (P5).
    """
    if later is None:
        return "none"
    if earlier is None:
        return _Comparison(_NOTHING, _without_denials_of_everybody(later), provider, profile).widening()
    earlier, later = _of_one_version(earlier, later)
    gains = [_widening(earlier, later, provider, profile)]
    if profile.session_tags:
        let_in = admitted(later, provider, issuer_named(provider), profile=profile)
        gains += [
            _widening(_about(action, earlier), _about(action, later), provider, profile, let_in) for action in OF_SESSIONS
        ]
    return min(gains, key=_GRAVEST.index)


_GRAVEST: Sequence[Gain] = ("some", "too-complex", "contested", "none")


def _of_one_version(*policies: Policy) -> Sequence[Policy]:
    """The policies in the version that has variables, where one of them is in it."""
    return [_with_variables(policy) for policy in policies] if any(policy.variables for policy in policies) else policies


def _with_variables(policy: Policy) -> Policy:
    """A policy as the version that has variables writes it: what an old version takes for text stays text (V3, V6)."""
    if policy.variables:
        return policy
    statements = tuple(_with_variables_of(statement) for statement in policy.statements)
    return msgspec.structs.replace(policy, variables=True, statements=statements)


def _with_variables_of(statement: Statement) -> Statement:
    conditions = (msgspec.structs.replace(c, values=tuple(map(_as_text, c.values))) for c in statement.conditions)
    return msgspec.structs.replace(statement, conditions=tuple(conditions))


def _as_text(value: Value) -> Value:
    if isinstance(value, str):
        return value.replace("${", "${$}{")
    return joined(part.replace("${", "${$}{") if isinstance(part, str) else part for part in value.parts)


def _about(action: str, policy: Policy) -> Policy:
    """What a policy says of another action, said of the assuming itself."""
    kept = [s for s in policy.statements if covers(s, action)]
    spoken = tuple(msgspec.structs.replace(s, actions=(WEB_IDENTITY,), not_actions=None) for s in kept)
    return msgspec.structs.replace(policy, statements=spoken)


def _widening(earlier: Policy, later: Policy, provider: str, profile: Profile, within: Admitted | None = None) -> Gain:
    if not any(_is_for_everybody(statement) for statement in (*earlier.statements, *later.statements)):
        return _Comparison(earlier, later, provider, profile, within).widening()
    without = _Comparison(
        _without_denials_of_everybody(earlier), _without_denials_of_everybody(later), provider, profile, within
    )
    as_ours = _Comparison(_with_denials_for(provider, earlier), _with_denials_for(provider, later), provider, profile, within)
    readings = {without.widening(), as_ours.widening()}
    return readings.pop() if len(readings) == 1 else "too-complex" if "too-complex" in readings else "contested"


def _is_for_everybody(statement: Statement) -> bool:
    return not statement.allow and "*" in statement.aws and statement.covers_web_identity


def _without_denials_of_everybody(policy: Policy) -> Policy:
    kept = tuple(s if not _is_for_everybody(s) else msgspec.structs.replace(s, aws=()) for s in policy.statements)
    return msgspec.structs.replace(policy, statements=kept)


def _with_denials_for(provider: str, policy: Policy) -> Policy:
    kept = (
        msgspec.structs.replace(s, aws=(), federated=(*s.federated, provider)) if _is_for_everybody(s) else s
        for s in policy.statements
    )
    return msgspec.structs.replace(policy, statements=tuple(kept))


def further_conditions(grant: Grant) -> tuple[Condition, ...]:
    """The conditions on which a statement depends beside sub and aud, those too that compare sub or aud with what a request may
    hold. What always holds is none of them."""
    return tuple(
        condition
        for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True)
        if limit.effect != "always" and (limit.effect not in ("sub", "aud") or limit.depends or limit.contested)
    )


class _Part(msgspec.Struct, frozen=True):
    """A statement, what it requires beside sub and aud, and itself with what it requires of these only."""

    statement: Statement
    restrictions: Restrictions
    freed: Statement


def _implied_in_cases(restrictions: Restrictions, parts: Sequence[_Part]) -> Iterable[Sequence[_Part]]:
    """The parts that hold wherever restrictions do, for each of the cases of these."""
    asked = {restriction for part in parts for restriction in part.restrictions}
    cases = alternatives_of(restrictions, asked)
    found = ([n for n, part in enumerate(parts) if implied(case, part.restrictions)] for case in cases)
    return ([parts[n] for n in numbers] for numbers in dict.fromkeys(map(tuple, found)))


class _Comparison(msgspec.Struct, frozen=True, dict=True):
    """Two policies, and the provider of the tokens; what is gained counts where it is `within` something."""

    earlier: Policy
    later: Policy
    provider: str
    profile: Profile
    within: Admitted | None = None

    def widening(self) -> Gain:
        """Whether an Allow admits more, or a Deny stops less."""
        is_certain = True
        for answer in chain(self._by_allows(), self._by_denials()):
            if answer:
                return "some"
            is_certain = is_certain and answer is not None
        return "none" if is_certain else "too-complex"

    def _parts(self, policy: Policy, *, allow: bool) -> Iterator[_Part]:
        """The Allow or Deny statements that may match tokens of the provider."""
        issuer = issuer_named(self.provider)
        for statement in policy.statements:
            if statement.allow is not allow or self.provider not in statement.federated or not statement.covers_web_identity:
                continue
            grant = grant_of(policy, statement, issuer, profile=self.profile, provider=self.provider)
            if grant.never:
                continue
            further = further_conditions(grant)
            kept = tuple(condition for condition in statement.conditions if condition not in further)
            restrictions = frozenset(restriction_of(condition, variables=policy.variables) for condition in further)
            yield _Part(statement, restrictions, msgspec.structs.replace(statement, conditions=kept))

    @once
    def _allowed(self) -> Mapping[Restrictions, Sequence[Statement]]:
        """The later Allow statements, by their restrictions."""
        allowed: dict[Restrictions, list[Statement]] = {}
        for part in self._parts(self.later, allow=True):
            allowed.setdefault(part.restrictions, []).append(part.statement)
        return allowed

    def _by_allows(self) -> Iterable[bool | None]:
        """Whether something is admitted under some restrictions that was not under these or wider ones."""
        allows = tuple(self._parts(self.earlier, allow=True))
        earlier, later = ([part.statement for part in self._parts(p, allow=False)] for p in (self.earlier, self.later))
        for restrictions, statements in self._allowed.items():
            for wider in _implied_in_cases(restrictions, allows):
                now = self._admitted(self.later, statements, later)
                yield self._is_more(now, self._admitted(self.earlier, [part.statement for part in wider], earlier))

    def _by_denials(self) -> Iterable[bool | None]:
        """Whether something that a Deny stopped under some restrictions is admitted under them."""
        later = tuple(self._parts(self.later, allow=False))
        for denial in self._parts(self.earlier, allow=False):
            for restrictions, statements in self._allowed.items() if denial.restrictions else ():
                for parts in _implied_in_cases(denial.restrictions | restrictions, later):
                    still = [part.freed for part in parts]
                    now = self._admitted(self.later, statements, still)
                    yield self._is_more(now, self._admitted(self.later, statements, [*still, denial.freed]))

    def _admitted(self, policy: Policy, allows: Iterable[Statement], denials: Iterable[Statement]) -> Admitted:
        """What some Allow statements admit, without what Deny statements stop in every request."""
        part = Policy(policy.variables, (*allows, *denials), (), policy.size)
        return admitted(part, self.provider, issuer_named(self.provider), profile=self.profile)

    def _is_more(self, now: Admitted, before: Admitted) -> bool | None:
        gained = beyond(now, before)
        if not gained.certain or self.within is None:
            return bool(gained.cells) if gained.certain else None
        shared = [self._share(cell, other) for cell, other in product(gained.cells, self.within.cells)]
        return True if True in shared else None if None in shared else False

    def _share(self, cell: _Cell, other: _Cell) -> bool | None:
        """Whether some token is in both."""
        (audiences, subjects), (more_audiences, more_subjects) = cell, other
        empty = {
            is_empty(intersection((audiences, more_audiences)), "text"),
            is_empty(intersection((subjects, more_subjects)), self.profile.grammar),
        }
        return False if True in empty else None if None in empty else True
