"""Whom a role admits beside whom it should: compared as sets of subjects and audiences, never as texts."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from irsa_doctor.answers.intents.languages import in_force, is_same_policy, policy_meant, providers_of
from irsa_doctor.answers.intents.plan import MadeRole
from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.lookups.associations import role_answer
from irsa_doctor.issuers import OTHER, SubjectGrammar, cluster_profile, profile_of
from irsa_doctor.model import (
    Place,
    PodIdentityAssociation,
    Text,
    arn_of_provider,
    issuer_in,
    issuer_of_provider,
    text_of,
)
from irsa_doctor.model.findings import Severity
from irsa_doctor.model.once import once
from irsa_doctor.trust import Admitted, Policy, admitted, spell
from irsa_doctor.trust.beyond import beyond
from irsa_doctor.trust.languages import Language, difference, union
from irsa_doctor.trust.refusals import Value
from irsa_doctor.trust.subjects import Reach, is_empty, reach_of

_ANY_ACCOUNT = "111122223333"


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """How a role differs from what is meant, as a predicate: `says` goes on after its name."""

    kind: Literal["wider", "narrower", "audience"]
    severity: Severity
    says: str
    intended: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    witness: str | None = None


class OpenTo(msgspec.Struct, frozen=True):
    """Whom a role admits of some issuers."""

    reach: Reach
    patterns: tuple[str, ...]


class RoleBesideIntent:
    """The trust policy of a role, which is known, beside the one that is meant."""

    def __init__(self, policy: Policy, role: MadeRole, view: View) -> None:
        self._role = role
        self._view = view
        self._policy = in_account(in_force(policy), role.intended.partition, role.account)

    @once
    def _meant(self) -> Policy:
        return policy_meant(self._role)

    @once
    def _is_same(self) -> bool:
        """Whether it says the same in the same words, as most do: then nothing is to be worked out."""
        return is_same_policy(self._policy, self._meant)

    @once
    def _both(self) -> "Sequence[_Both]":
        if self._is_same:
            return ()
        providers = providers_of(self._policy, self._meant)
        return [_Both.of(provider, self._policy, self._meant, self._view) for provider in providers]

    @property
    def unseen(self) -> tuple[str, ...]:
        """The values of a template that are not known and on which it depends whom the role admits."""
        allows = [statement for statement in self._policy.statements if statement.allow]
        holes = [text_of(value) for statement in allows for value in statement.federated if isinstance(value, Text)]
        return tuple(dict.fromkeys((*holes, *(name for both in self._both for name in both.found.unseen))))

    @property
    def is_too_complex(self) -> bool:
        """Whether it was not worked out whom the role admits, or whether that is more or less than is meant."""
        return any(
            both.found.too_complex
            or is_empty(both.too_many, _grammar(both)) is None
            or not beyond(both.meant, both.found).certain
            for both in self._both
        )

    @property
    def mismatches(self) -> Iterator[Mismatch]:
        """How it differs from what is meant: too much, too little, other audiences."""
        yield from _wider(self._both)
        yield from _narrower(self._both, self._role, self._policy, self._view)
        yield from _audiences(self._both)


class _Both(msgspec.Struct, frozen=True):
    """What a policy admits of the tokens of one provider, and what it should."""

    provider: str
    found: Admitted
    meant: Admitted

    @classmethod
    def of(cls, provider: str, found: Policy, meant: Policy, view: View) -> "_Both":
        issuer = issuer_of_provider(provider)
        is_meant = any(provider in statement.federated for statement in meant.statements)
        is_cluster = is_meant or issuer in view.inventory.clusters_by_issuer
        profile = cluster_profile(issuer) if is_cluster else profile_of(issuer) or OTHER
        return cls(provider, *[admitted(policy, provider, issuer, profile=profile) for policy in (found, meant)])

    @property
    def too_many(self) -> Language:
        """The subjects that get in, with whatever audience, and should not."""
        return difference(self.found.subjects, self.meant.subjects)


def in_account(policy: Policy, partition: str, account: str) -> Policy:
    """A policy of a template that does not say its account, as it is in one."""

    def filled(value: Value) -> Value:
        issuer = issuer_in(value)
        return arn_of_provider(partition, account, issuer) if isinstance(value, Text) and isinstance(issuer, str) else value

    statements = [msgspec.structs.replace(s, federated=tuple(map(filled, s.federated))) for s in policy.statements]
    return msgspec.structs.replace(policy, statements=tuple(statements))


def _grammar(both: _Both) -> SubjectGrammar:
    return both.found.profile.grammar


def _wider(both: Sequence[_Both]) -> Iterator[Mismatch]:
    open_ones = [one for one in both if is_empty(one.too_many, _grammar(one)) is not True]
    if not open_ones:
        return
    reaches = [reach_of(one.too_many, _grammar(one)) for one in open_ones]
    worst = next((reach for reach in reaches if reach.scope in ("cluster", "anyone")), reaches[0])
    witness = worst.witness or next((reach.witness for reach in reaches if reach.witness), None)
    yield Mismatch(
        kind="wider",
        severity="critical" if worst.scope in ("cluster", "anyone") else "high",
        says=f"admits more than is meant: {witness}, for example",
        intended=_patterns([one.meant for one in both]),
        found=_patterns([one.found for one in both]),
        witness=witness,
    )


def _narrower(both: Sequence[_Both], role: MadeRole, found: Policy, view: View) -> Iterator[Mismatch]:
    lacking = [one for one in both if beyond(one.meant, one.found).cells]
    subjects = [pattern for one in lacking for pattern in _lacking(one)]
    if role.via == "pod-identity":
        subjects += _not_served(role, found, view)
    if not subjects:
        return
    yield Mismatch(
        kind="narrower",
        severity="high",
        says=f"does not admit {', '.join(subjects[:6])}" + (f" and {len(subjects) - 6} more" if len(subjects) > 6 else ""),
        intended=_patterns([one.meant for one in both]) or tuple(pair.subject.subject for pair in role.pairs),
        found=_patterns([one.found for one in both]),
    )


def _lacking(both: _Both) -> tuple[str, ...]:
    missing = union(subjects for _, subjects in beyond(both.meant, both.found).cells)
    return spell(missing, both.meant.profile.grammar).patterns


def _not_served(role: MadeRole, found: Policy, view: View) -> list[str]:
    """The service accounts whose association could not hand the role out."""
    lacking = []
    for pair in role.pairs:
        association = PodIdentityAssociation(
            pair.cluster.arn or pair.cluster.name, pair.subject.namespace, pair.subject.name, Place(""), role.role
        )
        if role_answer(found, association, view).state not in ("served", "unknown"):
            lacking.append(pair.subject.account)
    return lacking


def _audiences(both: Sequence[_Both]) -> Iterator[Mismatch]:
    """Audiences beside those that are meant, of subjects that are."""
    for one in both:
        cells = [(a, s) for a, s in one.found.cells if not is_empty(difference(a, one.meant.audiences), "text")]
        meant = [subjects for _, subjects in one.meant.cells]
        if any(_overlap(s, other, _grammar(one)) for _, s in cells for other in meant):
            yield Mismatch(
                kind="audience",
                severity="low",
                says="admits tokens for other audiences too",
                intended=spell(one.meant.audiences).patterns,
                found=spell(one.found.audiences).patterns,
            )
            return


def _overlap(language: Language, other: Language, grammar: SubjectGrammar) -> bool:
    return is_empty(difference(language, difference(language, other)), grammar) is not True


def _patterns(admitted_of: Sequence[Admitted]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p for one in admitted_of for p in spell(one.subjects, one.profile.grammar).patterns))


def open_to(case: AnalysedRole, issuers: Sequence[str]) -> OpenTo | None:
    """Whom a role admits of some issuers (without scheme), None where nobody."""
    if case.policy is None or case.policy.refused:
        return None
    # which account a template is for does not matter here
    policy = in_account(case.policy, "aws", _ANY_ACCOUNT)
    languages = [
        one
        for provider in providers_of(policy)
        if (issuer := issuer_of_provider(provider)) in issuers
        for one in (admitted(policy, provider, issuer, profile=cluster_profile(issuer)),)
        if one.reach.scope != "nobody"
    ]
    if not languages:
        return None
    return OpenTo(
        next((one.reach for one in languages if one.reach.scope in ("cluster", None)), languages[0].reach), _patterns(languages)
    )
