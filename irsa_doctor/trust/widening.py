"""Whether one policy may admit a token that another does not, with whatever a request may hold beside sub and aud."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal

import msgspec

from irsa_doctor.issuers import Profile
from irsa_doctor.trust.admitted import Admitted, admitted, grant_of
from irsa_doctor.trust.beyond import beyond
from irsa_doctor.trust.policy import Policy, Statement
from irsa_doctor.trust.restrictions import Restrictions, implied, restriction_of
from irsa_doctor.trust.symbols import issuer_named

Gain = Literal["none", "some", "too-complex", "contested"]

_NOTHING = Policy(False, (), (), 0)


def widening(earlier: Policy | None, later: Policy | None, provider: str, profile: Profile) -> Gain:
    """Whether the later policy may admit a token of a provider that the earlier one does not.

    It is contested where that depends on whether a Deny for every AWS principal stops web identities (P5).
    """
    if later is None:
        return "none"
    if earlier is None:
        return _Comparison(_NOTHING, _without_denials_of_everybody(later), provider, profile).widening()
    if not any(_is_for_everybody(statement) for statement in (*earlier.statements, *later.statements)):
        return _Comparison(earlier, later, provider, profile).widening()
    without = _Comparison(_without_denials_of_everybody(earlier), _without_denials_of_everybody(later), provider, profile)
    as_ours = _Comparison(_with_denials_for(provider, earlier), _with_denials_for(provider, later), provider, profile)
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


class _Comparison(msgspec.Struct, frozen=True):
    """Two policies, and the provider of the tokens."""

    earlier: Policy
    later: Policy
    provider: str
    profile: Profile

    def widening(self) -> Gain:
        """Whether an Allow admits more, or a Deny stops less."""
        answers = {*self._by_allows(), *self._by_denials()}
        return "some" if True in answers else "too-complex" if None in answers else "none"

    def _by_allows(self) -> Iterable[bool | None]:
        """Whether something is admitted under some restrictions that was not under these or wider ones."""
        for restrictions in self._allowed(self.later):
            now = self._admitted(self.later, restrictions.__eq__)
            before = self._admitted(self.earlier, partial(implied, restrictions))
            yield _is_more(now, before)

    def _by_denials(self) -> Iterable[bool | None]:
        """Whether something that a Deny stopped under some restrictions is admitted under them."""
        for denial in self._statements(self.earlier, allow=False):
            stopped = self._restrictions(self.earlier, denial)
            for restrictions in self._allowed(self.later) if stopped else ():
                known = stopped | restrictions
                later = self._statements(self.later, allow=False)
                still = [self._freed(s) for s in later if implied(known, self._restrictions(self.later, s))]
                now = self._admitted(self.later, restrictions.__eq__, still)
                yield _is_more(now, self._admitted(self.later, restrictions.__eq__, [*still, self._freed(denial)]))

    def _allowed(self, policy: Policy) -> list[Restrictions]:
        allows = self._statements(policy, allow=True)
        return sorted({self._restrictions(policy, s) for s in allows}, key=lambda some: sorted(map(repr, some)))

    def _statements(self, policy: Policy, *, allow: bool) -> list[Statement]:
        return [s for s in policy.statements if s.allow is allow and self.provider in s.federated and s.covers_web_identity]

    def _restrictions(self, policy: Policy, statement: Statement) -> Restrictions:
        """What a statement requires beside sub and aud; what always holds is no restriction."""
        grant = grant_of(policy, statement, issuer_named(self.provider), profile=self.profile, provider=self.provider)
        return frozenset(
            restriction_of(condition, variables=policy.variables)
            for condition, limit in zip(statement.conditions, grant.limits, strict=True)
            if condition.key not in self._claims and limit.effect != "always"
        )

    @property
    def _claims(self) -> tuple[str, ...]:
        issuer = issuer_named(self.provider).lower()
        return (f"{issuer}:sub", f"{issuer}:aud") if issuer else ()

    def _freed(self, statement: Statement) -> Statement:
        """The statement with what it requires of sub and aud only."""
        kept = tuple(condition for condition in statement.conditions if condition.key in self._claims)
        return msgspec.structs.replace(statement, conditions=kept)

    def _admitted(
        self, policy: Policy, fits: Callable[[Restrictions], bool], denials: Iterable[Statement] | None = None
    ) -> Admitted:
        """What the Allow statements admit whose restrictions fit, without what Deny statements stop: those of the policy, or
        these."""
        own = policy.statements if denials is None else (*(s for s in policy.statements if s.allow), *denials)
        kept = tuple(s for s in own if not s.allow or fits(self._restrictions(policy, s)))
        part = Policy(policy.variables, kept, (), policy.size)
        return admitted(part, self.provider, issuer_named(self.provider), profile=self.profile)


def _is_more(now: Admitted, before: Admitted) -> bool | None:
    gained = beyond(now, before)
    return bool(gained.cells) if gained.certain else None
