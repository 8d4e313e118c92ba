"""Everything that a trust policy admits: the set of subjects and audiences, all statements together, Deny included.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.issuers import EKS, Profile, SubjectGrammar
from irsa_doctor.model import Text, Verdict
from irsa_doctor.model.once import once
from irsa_doctor.trust.conditions import Limit, LimitEffect, limit_of
from irsa_doctor.trust.keys import known_values
from irsa_doctor.trust.languages import (
    EVERYTHING,
    NOTHING,
    Finite,
    Language,
    Like,
    complement,
    contains,
    difference,
    intersection,
    literal,
    may_share,
    union,
)
from irsa_doctor.trust.operators import OperatorUse
from irsa_doctor.trust.patterns import glob_of, pieces_of, widest
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, Policy, Statement, Value, covering, names_of_holes
from irsa_doctor.trust.subjects import Reach, reach_of
from irsa_doctor.trust.windows import within_window

CLASSES = 256
"""kinds of audiences told apart, without counting those that are named, before a policy is called too complex"""


class Grant(msgspec.Struct, frozen=True, dict=True):
    """What one statement says of tokens of one provider, its principal and action set aside; `limits` are one for each
    condition, in order."""

    statement: Statement
    limits: tuple[Limit, ...]

    @once
    def subjects(self) -> Language:
        """The subjects that it can match, an upper bound; nothing where a condition never holds."""
        if "never" in [limit.effect for limit in self.limits]:
            return NOTHING
        return intersection([limit.language for limit in self.limits if limit.effect == "sub"])

    @once
    def audiences(self) -> Language:
        """The audiences that it can match, likewise."""
        return intersection([limit.language for limit in self.limits if limit.effect == "aud"])

    @once
    def sure_subjects(self) -> Language:
        """The subjects that, with one of `sure_audiences`, it matches whatever else is in the request: a lower bound."""
        if self.statement.unseen or any(limit.surely == NOTHING for limit in self.limits):
            return NOTHING
        return intersection(limit.surely for limit in self.limits if limit.effect == "sub")

    @once
    def sure_audiences(self) -> Language:
        """See `sure_subjects`."""
        return intersection(limit.surely for limit in self.limits if limit.effect == "aud")

    @property
    def contested(self) -> tuple[str, ...]:
        """The points on which AWS's documentation is silent and on which its subjects or audiences hang (C11, K2)."""
        return _sorted([limit.contested for limit in self.limits if limit.contested])

    @property
    def never(self) -> bool:
        """Whether it is certain that no token is matched, as far as that is seen without comparing patterns."""
        return NOTHING in (self.subjects, self.audiences)


class Part(msgspec.Struct, frozen=True):
    """A grant in the whole of a policy. Without `sure`, a hole or a contested point decides whether it speaks of us at all."""

    grant: Grant
    sure: bool = True

    def may(self, subject: str, audience: str) -> bool:
        """Whether it can match a pair."""
        grant = self.grant
        return not grant.never and contains(grant.audiences, audience) and contains(grant.subjects, subject)

    def surely(self, subject: str, audience: str) -> bool:
        """Whether it matches a pair whatever else is in the request."""
        grant = self.grant
        return self.sure and contains(grant.sure_audiences, audience) and contains(grant.sure_subjects, subject)


class Admitted(msgspec.Struct, frozen=True, dict=True):
    """The set of (audience, subject) pairs that a policy admits for tokens of one provider.

    `cells` are pairs of languages with disjoint audiences. They are the exact set, but an upper bound where something
    `depends_on` further keys of the request or is `contested` (points on which AWS's documentation is silent, P5 say), or
    where values are `unseen` (holes; a statement of which not even the effect is seen is left out). If the policy is
    `too_complex` to be worked out, there is one cell that holds it all. `allows` and `denies` are what it was made of, and
    `grants` are all that speak of the provider.
    """

    cells: tuple[tuple[Language, Language], ...]
    depends_on: tuple[str, ...] = ()
    contested: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    profile: Profile = EKS
    too_complex: bool = False
    allows: tuple[Part, ...] = ()
    denies: tuple[Part, ...] = ()
    grants: tuple[Grant, ...] = ()

    @once
    def subjects(self) -> Language:
        """Every subject that is admitted with some audience."""
        return union([subjects for _, subjects in self.cells])

    @once
    def audiences(self) -> Language:
        """Every audience that is admitted with some subject; EVERYTHING itself where that is any."""
        whole = union(audiences for audiences, _ in self.cells)
        if isinstance(whole, Finite | Like) or reach_of(whole, "text").scope != "anyone":
            return whole
        return EVERYTHING

    @once
    def reach(self) -> Reach:
        """Scope and witness of the subjects; no scope where the policy is too complex, or not seen whole."""
        if self.too_complex or self.unseen:
            return Reach(None, None)
        return reach_of(self.subjects, self.profile.grammar)

    def grant(self, statement: Statement) -> Grant | None:
        """What a statement of the policy says of the provider's tokens, None where it does not speak of them."""
        return self._by_statement.get(id(statement))

    @once
    def _by_statement(self) -> Mapping[int, Grant]:
        return {id(grant.statement): grant for grant in self.grants}

    def admits(self, subject: str, audience: str) -> bool:
        """Whether a pair is in the set, which may be an upper bound."""
        return any(contains(a, audience) and contains(s, subject) for a, s in self.cells)

    def verdict(self, subject: str, audience: str) -> Verdict:
        """Whether a token gets in: in any case, in none, or it cannot be told from sub and aud (and what was seen)."""
        if not any(part.may(subject, audience) for part in self.allows):
            return Verdict.FAIL
        if any(part.surely(subject, audience) for part in self.denies):
            return Verdict.FAIL
        sure = any(part.surely(subject, audience) for part in self.allows)
        return Verdict.PASS if sure and not any(part.may(subject, audience) for part in self.denies) else Verdict.UNKNOWN


def grant_of(policy: Policy, statement: Statement, issuer: str, *, profile: Profile, provider: str = "") -> Grant:
    """What a statement says of tokens of an issuer (without scheme), its principal and action set aside.

    `provider` is the ARN of their provider, "" where it is not known: some keys have their value from it.
    """
    low, variables, known = issuer.lower(), policy.variables, known_values(provider, profile)
    conditions = statement.conditions
    limits = tuple([limit_of(each, low, variables=variables, profile=profile, known=known) for each in conditions])
    limits = within_window(conditions, limits)
    return Grant(statement, _with_two_spellings(statement.conditions, limits) if "K2" in statement.points else limits)


def _with_two_spellings(conditions: Sequence[Condition], limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """One key twice under one operator: both must hold, or only one of them counts (K2)."""
    same: dict[tuple[OperatorUse, str], list[Limit]] = {}
    for condition, limit in zip(conditions, limits, strict=True):
        same.setdefault((condition.use, condition.key), []).append(limit)
    merged = {name: of_name[0] if len(set(of_name)) == 1 else _either(of_name) for name, of_name in same.items()}
    return tuple([merged[condition.use, condition.key] for condition in conditions])


_WIDEST: tuple[LimitEffect, ...] = ("unknown", "sub", "aud", "depends", "always", "never")


def _either(limits: Sequence[Limit]) -> Limit:
    effects = {limit.effect for limit in limits}
    return Limit(
        next(effect for effect in _WIDEST if effect in effects),
        union(limit.language for limit in limits),
        intersection(limit.surely for limit in limits),
        "",
        "K2",
        tuple(dict.fromkeys(key for limit in limits for key in limit.depends)),
        tuple(dict.fromkeys(hole for limit in limits for hole in limit.unseen)),
    )


def speaks_of(statement: Statement, provider_arn: str) -> bool:
    """Whether web identities of a provider are, as far as is known, among its principals, and its actions cover them."""
    named = provider_arn in statement.federated or ("*" in statement.aws and not statement.allow)
    return named and statement.covers_web_identity


class _Gathered(msgspec.Struct):
    """The statements of a policy that are about tokens of one provider, by what they do; `unseen` is what cannot be known."""

    allows: list[Part]
    denies: list[Part]
    grants: list[Grant]
    unseen: set[str]


def admitted(policy: Policy, provider_arn: str, issuer: str, *, profile: Profile = EKS) -> Admitted:
    """The pairs that a policy admits for tokens of one provider of the role's own account.

    `issuer` is without scheme; its profile says what subjects and claims its tokens have.
    """
    parts = _gathered(policy, provider_arn, issuer, profile)
    allows, denies, unseen = parts.allows, parts.denies, parts.unseen
    if not allows:
        return Admitted((), profile=profile, grants=tuple(parts.grants))
    in_doubt = any("*" in part.grant.statement.aws and not part.sure and _touches(part, allows) for part in denies)
    contested = {point for part in (*allows, *denies) for point in part.grant.statement.points if point != "K2"}
    contested.update(("P5",) if in_doubt else ())
    open_limits = [
        limit for part in (*allows, *denies) for limit in part.grant.limits if limit.depends or limit.contested or limit.unseen
    ]
    for limit in open_limits:
        contested.update((limit.contested,) if limit.contested else ())
        unseen.update(limit.unseen)
    cells = _cells(allows, denies, profile.grammar)
    return Admitted(
        _bound(allows) if cells is None else cells,
        _sorted([key for limit in open_limits for key in limit.depends]),
        _sorted(contested),
        _sorted(unseen),
        profile,
        cells is None,
        tuple(allows),
        tuple(denies),
        tuple(parts.grants),
    )


def _gathered(policy: Policy, provider_arn: str, issuer: str, profile: Profile) -> _Gathered:
    """The statements about tokens of a provider. One of which it is open whether it allows is among both."""
    parts = _Gathered([], [], [], set())
    for statement in policy.statements_on(provider_arn):
        open_points = _open_points(statement, provider_arn)
        if open_points is None:
            continue
        grant = grant_of(policy, statement, issuer, profile=profile, provider=provider_arn)
        parts.grants.append(grant)
        if grant.never:
            continue
        part = Part(grant, not open_points and "G1" not in statement.points)
        if statement.allow or not statement.effect_seen:
            parts.allows.append(part)
        if not statement.allow:
            parts.denies.append(part)
        if open_points or statement.unseen:
            parts.unseen.update(statement.unseen, (point for point in open_points if point != "P5"))
    return parts


def not_worked_out(statement: Statement, profile: Profile) -> Admitted:
    """An answer for a provider of which nothing is known but that a statement names it: everything may be admitted."""
    grant = Grant(statement, (Limit("depends", EVERYTHING, NOTHING),) * len(statement.conditions))
    return Admitted(
        ((EVERYTHING, EVERYTHING),), profile=profile, too_complex=True, allows=(Part(grant, sure=False),), grants=(grant,)
    )


def _touches(denial: Part, allows: Iterable[Part]) -> bool:
    """Whether a Deny can speak of a token that is let in; of claims that are not named one by one it is taken to."""
    denied, allowed = denial.grant, (part.grant for part in allows)
    return any(may_share(denied.subjects, a.subjects) and may_share(denied.audiences, a.audiences) for a in allowed)


def share_of(policy: Policy, index: int, provider_arn: str, issuer: str, *, profile: Profile) -> Admitted:
    """The pairs that one Allow statement (by its index) admits, after all Deny statements of its policy."""
    kept = tuple(s for s in policy.statements if s.index == index or not s.allow)
    return admitted(msgspec.structs.replace(policy, statements=kept), provider_arn, issuer, profile=profile)


def _sorted(texts: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts))) if texts else ()


def _open_points(statement: Statement, provider_arn: str) -> tuple[str, ...] | None:
    """On what it hangs whether a statement speaks of a provider's tokens: P5, holes, nothing; None where it does not."""
    # {"AWS": "*"} admits no web identity; whether it stops one is not known (P5)
    aws = () if statement.allow else statement.aws
    if statement.covers_web_identity:
        if provider_arn in statement.federated:
            return ()
        if not any(isinstance(value, Text) for value in (*statement.federated, *aws)):
            return ("P5",) if "*" in aws else None
    covers = covering(statement, WEB_IDENTITY)
    if covers is False:
        return None
    of_action = () if covers else names_of_holes(statement.not_actions or statement.actions)
    if provider_arn in statement.federated:
        return of_action
    of_principal = names_of_holes(v for v in statement.federated if may_be(v, provider_arn))
    of_principal += names_of_holes(v for v in aws if may_be(v, "*"))
    star = ("P5",) if "*" in aws else ()
    return (*of_action, *of_principal, *star) if of_principal or star else None


def may_be(value: Value, text: str) -> bool:
    """Whether a value with holes can turn out to be a text."""
    if isinstance(value, str):
        return value == text
    return glob_of(widest(pieces_of(value, wildcards=False, variables=False))).matches(text)


_Cells = tuple[tuple[Language, Language], ...]


def _let_in(allows: Iterable[Part]) -> _Cells:
    return tuple((part.grant.audiences, part.grant.subjects) for part in allows if part.grant.statement.effect_seen)


def _bound(allows: Iterable[Part]) -> _Cells:
    """One cell that holds everything that is let in."""
    cells = _let_in(allows)
    return ((union(audiences for audiences, _ in cells), union(subjects for _, subjects in cells)),)


def _cells(allows: Sequence[Part], denies: Sequence[Part], grammar: SubjectGrammar) -> _Cells | None:
    """None where it is too complex to tell the audiences apart."""
    let_in = _let_in(allows)
    if len(let_in) == 1 and not denies:
        audiences, subjects = let_in[0]
        return () if is_nothing(audiences) or is_nothing(subjects, grammar) else ((audiences, subjects),)
    kept_out = [
        (part.grant.sure_audiences, part.grant.sure_subjects)
        for part in denies
        if part.sure and NOTHING not in (part.grant.sure_audiences, part.grant.sure_subjects)
    ]
    if len({audiences for audiences, _ in let_in}) == 1 and all(audiences == EVERYTHING for audiences, _ in kept_out):
        subjects = difference(union(subjects for _, subjects in let_in), union(subjects for _, subjects in kept_out))
        audiences = let_in[0][0]
        return () if is_nothing(audiences) or is_nothing(subjects, grammar) else ((audiences, subjects),)
    classes = _classes([audiences for audiences, _ in (*let_in, *kept_out)])
    if classes is None:
        return None
    allowed, denied = _BySample(let_in), _BySample(kept_out)
    cells: dict[Language, list[Language]] = {}
    for audiences, sample in classes:
        subjects = difference(union(allowed.subjects(sample)), union(denied.subjects(sample)))
        cells.setdefault(subjects, []).append(audiences)
    if sum(not isinstance(subjects, Finite | Like) for subjects in cells) > CLASSES:
        return None
    return tuple((union(audiences), subjects) for subjects, audiences in cells.items() if not is_nothing(subjects, grammar))


def is_nothing(language: Language, grammar: SubjectGrammar = "text") -> bool:
    """Whether a language has no string; where it has one that a cluster can mint, that is known or will be asked anyway."""
    if isinstance(language, Finite | Like) or language == EVERYTHING:
        return language == NOTHING
    if grammar != "text" and reach_of(language, grammar).scope != "nobody":
        return False
    return reach_of(language, "text").scope == "nobody"


class _BySample:
    """Cells by audience; those with a finite number of audiences need no search."""

    def __init__(self, cells: Iterable[tuple[Language, Language]]) -> None:
        self.named: dict[str, list[Language]] = {}
        self.others: list[tuple[Language, Language]] = []
        for audiences, subjects in cells:
            if isinstance(audiences, Finite):
                for audience in audiences.values:
                    self.named.setdefault(audience, []).append(subjects)
            else:
                self.others.append((audiences, subjects))

    def subjects(self, audience: str) -> list[Language]:
        """The subjects of every cell that has this audience."""
        others = [subjects for audiences, subjects in self.others if contains(audiences, audience)]
        return [*self.named.get(audience, ()), *others]


def _classes(languages: Sequence[Language]) -> list[tuple[Language, str]] | None:
    """Disjoint audience languages, between which no given language tells apart, each with one audience of it; None where
    there are too many, or one is too complex."""
    literals = sorted({value for language in languages if isinstance(language, Finite) for value in language.values})
    classes = [(literal(value), value) for value in literals]
    rest = [difference(EVERYTHING, literal(*literals))]
    for language in dict.fromkeys(languages):
        if isinstance(language, Finite) or language == EVERYTHING:
            continue
        rest = [intersection((part, side)) for part in rest for side in (language, complement(language))]
        reaches = [(part, reach_of(part, "text")) for part in rest]
        if len(rest) > CLASSES or any(reach.scope is None for _, reach in reaches):
            return None
        rest = [part for part, reach in reaches if reach.scope != "nobody"]
    return [*classes, *((part, reach_of(part, "text").witness or "") for part in rest)]
