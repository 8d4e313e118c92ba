"""Whether a changed trust policy is safe: it admits nobody else, nobody loses the role, and both follow from the input.

Of the policy before (B) and after (A): N are the service accounts that name the role, W the subjects that the text itself
names. Safe is A = B, A in B, A in B + N, or A in B + W, where nobody of N that is in B is lost; and where A is smaller by
subjects, the service accounts of the cluster are listed whole, or A = W.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.model import parse_arn
from irsa_doctor.model.edits import Proof, ProofKind, Safety, SubjectSet
from irsa_doctor.model.once import once
from irsa_doctor.remedies.draft import PolicyDocument, read_for_iam
from irsa_doctor.remedies.policy_texts import not_denying, texts_for, texts_of
from irsa_doctor.remedies.principals import others, viewpoints
from irsa_doctor.remedies.proof import Comparison, Surplus, Viewpoint
from irsa_doctor.remedies.trust_policy import RolePolicy, admits, provider_for
from irsa_doctor.trust import Admitted, Policy, Statement, is_subject, spell
from irsa_doctor.trust.keys import claim_meant, presence
from irsa_doctor.trust.languages import Finite, contains, difference, literal
from irsa_doctor.trust.policy import DEFAULT_QUOTA
from irsa_doctor.trust.presented import PresentedToken
from irsa_doctor.trust.subjects import is_empty, subject_form

_AUDIENCE = "sts.amazonaws.com"
_LISTED = 32
"""subjects of a proof that are named"""


class Widening(Exception):
    """A changed policy that nobody should save, whatever flag is given; the text says why."""


def policy_change(
    role: RolePolicy, document: PolicyDocument, targets: Sequence[PresentedToken] = (), *, handed_out: bool = False
) -> "PolicyChange":
    """What a changed policy of a role comes to; `targets` are tokens that it is to admit.

    `handed_out`: it changes what services or roles may do, which has a proof of its own. Raises Widening where it admits every
    service account of a cluster that it did not admit, changes what other principals may do, or would be refused.
    """
    new = _accepted(role, document, handed_out=handed_out)
    views = tuple(viewpoints(role, new, targets))
    wanted = {view.provider: frozenset(t.subject for t in targets if t.provider == view.provider) for view in views}
    change = PolicyChange(
        role=role,
        document=document,
        targets=tuple(targets),
        providers=tuple(_Provider(role, new, document, view, wanted[view.provider]) for view in views),
    )
    if any(provider.is_opened for provider in change.providers):
        raise Widening("the role would admit every service account of the cluster, or all but those that it names")
    return change


def _accepted(role: RolePolicy, document: PolicyDocument, *, handed_out: bool) -> Policy:
    try:
        new = read_for_iam(document)
    except UnicodeEncodeError:
        raise Widening("the policy has text that has no encoding") from None
    if new.refused:
        raise Widening("IAM would refuse the policy still")
    if new.size > max(DEFAULT_QUOTA, role.policy.size):
        raise Widening(f"the policy would have {new.size} characters, more than the quota of {DEFAULT_QUOTA}")
    if not handed_out and others(role, document) != others(role, role.document):
        raise Widening("what other principals may do would change")
    return new


class _Provider(msgspec.Struct, frozen=True, dict=True):
    """What changes for the tokens of one provider."""

    role: RolePolicy
    new: Policy
    document: PolicyDocument
    view: Viewpoint
    wanted: frozenset[str] = frozenset()
    """the subjects that are to be admitted"""

    @once
    def compared(self) -> Comparison:
        old = self.role.policy
        if old.refused:  # what IAM refuses is not in force
            return Comparison(self.new, msgspec.structs.replace(old, statements=()), self.view)
        return Comparison(self.new, old, self.view, self.role.admitted_at(self.view))

    @property
    def after(self) -> Admitted:
        return self.compared.both[0]

    @property
    def before(self) -> Admitted:
        return self.compared.both[1]

    @property
    def is_opened(self) -> bool:
        """Whether it admits every service account of the cluster, but some whom it names, and did not before."""
        is_whole = self.after.reach.scope == "cluster" != self.before.reach.scope
        is_newly_open = contains(self.after.subjects, _STRANGER) and not contains(self.before.subjects, _STRANGER)
        return self.view.profile.is_cluster and (is_whole or is_newly_open)

    @once
    def is_own(self) -> bool:
        """Whether STS looks for this provider when a token of the issuer asks for the role: one of another account gives nobody
        the role."""
        role = self.role.known_role
        return not role.account or self.view.provider == provider_for(role, self.view.issuer)

    @once
    def named(self) -> frozenset[str]:
        """N: the subjects that name the role, with tokens of this issuer, at the provider of the role's account."""
        return self.role.users_at(self.view) if self.is_own and self.view.profile.is_cluster else frozenset()

    @once
    def written(self) -> frozenset[str]:
        """W: the subjects that the text writes out for this provider alone, with an audience that it writes out too."""
        texts = self._own_texts
        found: set[str] = set()
        for statement in self.new.statements if self.view.profile.is_cluster else ():
            if statement.allow and statement.federated == (self.view.provider,):
                subjects, audiences = (set(_required(statement, self.view, claim)) for claim in ("sub", "aud"))
                if audiences and audiences <= self.audiences & texts:
                    literal_subjects = {value for value in subjects & texts if not self.role.is_open(value)}
                    found |= {value for value in literal_subjects if is_subject(value)}
        return frozenset(found) - self.absent

    @once
    def absent(self) -> frozenset[str]:
        """The subjects that the text writes out that no cluster has, which is known: who creates one gets the role."""
        accounts = self.role.view.accounts
        subjects = self._required_subjects if self._is_listed else ()
        return frozenset(subject for subject in subjects if accounts.missing(self.view.issuer, [subject]) is True)

    @once
    def audiences(self) -> frozenset[str]:
        """The audiences that tokens of the cluster carry."""
        carried = {user.audience for user in self.role.users_of(self.view) if user.audience}
        return frozenset({_AUDIENCE} | carried)

    @once
    def fewer(self) -> Surplus:
        """What it admitted and does no longer, of the audiences that tokens carry."""
        lost = self.compared.lost
        cells = [cell for cell in lost.cells if any(contains(cell[0], audience) for audience in self.audiences)]
        return Surplus(tuple(c for c in cells if not is_empty(c[1], self.view.profile.grammar)), lost.certain)

    @once
    def kind(self) -> ProofKind:
        more, grammar = self.compared.gained, self.view.profile.grammar
        if more.is_within(frozenset(), grammar):
            return "narrower" if self.fewer.cells or self.compared.lost.cells else "same"
        if more.is_within(self.named, grammar):
            return "intended"
        return "written" if more.is_within(self.named | self.written, grammar) else "none"

    def doubts(self) -> Iterator[str]:
        """What may go wrong; nothing where the change is safe."""
        if self.kind == "none" and self.compared.gained.is_within(self._expected, self.view.profile.grammar):
            gained = sorted(subject for subject in self.absent if self.compared.gained.has(subject, None))
            yield f"it admits {', '.join(gained[:3])}, which no cluster has: whoever creates it gets the role"
        elif self.kind == "none":
            yield "it admits subjects that neither name the role nor stand in its text with the audience of their tokens"
        if not self.compared.lost.certain:
            yield "who loses the role is too complex to be worked out"
        if (self.before.contested or self.after.contested) and not self.role.policy.refused:
            yield "what IAM makes of the statement is not documented"
        lost = [user for user in self.role.users_of(self.view) if self.compared.lost.has(user.subject, user.audience or None)]
        if lost and self.view.profile.is_cluster:
            yield from losing(lost)
        if not self.view.profile.is_cluster:
            if not self.compared.lost.is_within(frozenset(), self.view.profile.grammar):
                yield "whoever gets tokens of this issuer may lose the role"
        elif self.fewer.cells and not self._is_listed and not self._is_as_written and not self._is_absent:
            yield "a service account that is not in the input may lose the role; --complete serviceaccounts rules it out"

    @once
    def is_harmless(self) -> bool:
        """Whether it admits only those who name the role, are to be admitted, or stand in the policy, and whoever uses the role
        keeps it."""
        profile, compared = self.view.profile, self.compared
        more = self.wanted | self.role.users_at(self.view) | self.spelled if profile.is_cluster else frozenset[str]()
        if not compared.gained.is_within(more, profile.grammar) or not compared.lost.certain:
            return False
        if not profile.is_cluster:
            return compared.lost.is_within(frozenset(), profile.grammar)
        if any(compared.lost.has(user.subject, user.audience or None) for user in self.role.users_of(self.view)):
            return False
        named_before = self.spelled & self._own_texts
        if not (self.is_own and self.fewer.cells) or self._is_listed:
            return True
        return self._is_within(named_before) and not self._loses_named

    @once
    def spelled(self) -> frozenset[str]:
        """The subjects that statements for this provider alone write out, whatever audience they require, and which the text
        before does not name, however it is written, for another issuer."""
        foreign = {subject_form(text)[1] for text in set(texts_of(self.role.document)) - self._own_texts}
        return self._required_subjects - self.absent - foreign

    @once
    def _required_subjects(self) -> frozenset[str]:
        own = [s for s in self.new.statements if s.allow and s.federated == (self.view.provider,)]
        return frozenset(value for s in own for value in _required(s, self.view, "sub") if is_subject(value))

    @property
    def _expected(self) -> frozenset[str]:
        """The subjects that name the role or are written out, whether they exist or not."""
        return self.named | self.written | self.absent

    @once
    def _own_texts(self) -> frozenset[str]:
        """What the text before says of tokens of this issuer: all but the values of keys of another one, and whom it denies."""
        return frozenset(texts_for(list(not_denying(self.role.document)), self.view.issuer.lower()))

    @property
    def _is_listed(self) -> bool:
        return self.view.issuer in self.role.view.accounts.listed_whole

    @property
    def _is_absent(self) -> bool:
        """Whether the account surely has no such provider, so that STS takes no token for it and nobody loses anything."""
        inventory, arn = self.role.view.inventory, parse_arn(self.view.provider)
        is_known = self.view.provider in inventory.provider_by_arn or inventory.planned_providers
        return arn is not None and arn.account in inventory.closed.providers and not is_known

    @property
    def _is_as_written(self) -> bool:
        return self._is_within(self.written) and not self._loses_named

    @once
    def _loses_named(self) -> bool:
        """Whether somebody loses the role whom the text names one by one, perhaps an account that is not in the input: with an
        audience that tokens carry, or that the text names."""
        audiences = self.audiences | {*_audiences_meant(self.role.policy, self.view)}
        named = [subject for subject in self._own_texts if is_subject(subject)]
        return any(self.compared.lost.has(subject, audience) for subject in named for audience in audiences)

    def _is_within(self, subjects: frozenset[str]) -> bool:
        """Whether it admits some of these subjects and no other."""
        rest = difference(self.after.subjects, literal(*subjects))
        within = is_empty(rest, self.view.profile.grammar) is True
        return bool(subjects) and within and isinstance(self.after.subjects, Finite)


_STRANGER = "system:serviceaccount:0--0:0--0"
"""a subject that no text and no pattern means"""


def losing(users: Sequence[RoleUser]) -> Iterator[str]:
    """Who loses a role for certain, and who may, by the audience that their tokens have."""
    lost = [user.subject for user in users if user.audience]
    unknown = [user.subject for user in users if not user.audience]
    if lost:
        yield f"{', '.join(lost[:3])} would lose the role"
    if unknown:
        yield f"{', '.join(unknown[:3])} may lose the role: the audience of the tokens is not in the input"


class PolicyChange(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A changed policy of a role, and what it comes to for the tokens of each provider of which either policy speaks."""

    role: RolePolicy
    document: PolicyDocument
    targets: Sequence[PresentedToken]
    providers: Sequence[_Provider]

    @once
    def doubts(self) -> Sequence[str]:
        """What may go wrong; nothing where the change is safe."""
        return tuple(dict.fromkeys(doubt for provider in self.providers for doubt in provider.doubts()))

    @property
    def safety(self) -> Safety:
        """Whether it is safe."""
        return "unsafe" if self.doubts else "safe"

    @once
    def proof(self) -> Proof:
        """How those whom it admits are related to those before."""
        return _proof(self.providers)

    @property
    def because(self) -> str:
        """Why it is safe, or what may go wrong."""
        kind: ProofKind = max((provider.kind for provider in self.providers), key=_RANK.index, default="same")
        return ". ".join(self.doubts) or _WHY[kind]

    @once
    def is_harmless(self) -> bool:
        """Whether it may be offered: the tokens are admitted, whoever uses the role keeps it, and nobody else gets in."""
        by_provider = {provider.view.provider: provider for provider in self.providers}
        let_in = all(admits(by_provider[t.provider].new, t, by_provider[t.provider].after) for t in self.targets)
        return let_in and all(provider.is_harmless for provider in self.providers)

    @once
    def keeps(self) -> int:
        """How many service accounts are admitted before and after."""
        kept = {
            (user.subject, user.issuer)
            for provider in self.providers
            if provider.view.profile.is_cluster
            for user in self.role.users_of(provider.view)
            if user.audience and all(policy.admits(user.subject, user.audience) for policy in provider.compared.both)
        }
        return len(kept)

    @once
    def admits(self) -> Sequence[str]:
        """The subjects that are newly admitted, of those whom it may admit."""
        named = {
            subject
            for provider in self.providers
            if provider.is_own
            for subject in provider.wanted | provider.named | provider.spelled
            if provider.compared.gained.has(subject, None)
        }
        return tuple(sorted(named))


def _required(statement: Statement, view: Viewpoint, claim: str) -> Iterator[str]:
    """The values that a statement requires of a claim."""
    issuer = view.issuer.lower()
    for condition in statement.conditions:
        if presence(condition.key, issuer) == claim and not condition.use.operator.negated:
            yield from (str(value) for value in condition.values)


def _audiences_meant(policy: Policy, view: Viewpoint) -> Iterator[str]:
    """The values of keys that are that of the audience, or were meant to be."""
    issuer = view.issuer.lower()
    for statement in policy.statements:
        for condition in statement.conditions:
            if "aud" in (presence(condition.key, issuer), claim_meant(condition.key, issuer)):
                yield from (str(value) for value in condition.values)


_RANK: Sequence[ProofKind] = ("same", "narrower", "intended", "written", "none")


def _proof(providers: Sequence[_Provider]) -> Proof:
    several = len(providers) > 1
    return Proof(
        kind=max((provider.kind for provider in providers), key=_RANK.index, default="same"),
        before=tuple(_subjects(p.before, p.view.provider if several else "") for p in providers),
        after=tuple(_subjects(p.after, p.view.provider if several else "") for p in providers),
        gained=tuple(_patterns((p.compared.gained, p.view) for p in providers)),
        lost=tuple(_patterns((p.fewer, p.view) for p in providers)),
    )


def _subjects(admitted: Admitted, provider: str) -> SubjectSet:
    spelling = spell(admitted.subjects, admitted.profile.grammar)
    return SubjectSet(
        provider=provider, scope=admitted.reach.scope or "unknown", patterns=spelling.patterns, without=spelling.without
    )


def _patterns(surpluses: Iterable[tuple[Surplus, Viewpoint]]) -> list[str]:
    named = [
        pattern
        for surplus, view in surpluses
        for _, language in surplus.cells
        if not is_empty(language, view.profile.grammar)
        for pattern in spell(language, view.profile.grammar).patterns
    ]
    return list(dict.fromkeys(named))[:_LISTED]


_WHY: Mapping[ProofKind, str] = {
    "same": "it admits the same subjects as before",
    "narrower": "it admits nobody who was not admitted before, and nobody who uses the role loses it",
    "intended": "it newly admits only service accounts that name the role",
    "written": "it newly admits only subjects that the policy itself names",
    "none": "",
}
