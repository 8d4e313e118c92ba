"""Whom a role admits beside whom an intent means: compared as sets, never as texts."""

from collections.abc import Iterator

import msgspec

from irsa_doctor.answers.intents.plan import MadeRole
from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model import Place, TrustPolicy, issuer_of_provider
from irsa_doctor.remedies.proof import Comparison, Surplus, Viewpoint
from irsa_doctor.trust import Policy, read_policy
from irsa_doctor.trust.refusals import document_size


class Compared(msgspec.Struct, frozen=True):
    """A role and its intent, for the tokens of one provider: what it admits too much, and what is missing."""

    view: Viewpoint
    wider: Surplus
    narrower: Surplus

    @property
    def is_same(self) -> bool:
        """Whether it is proved that both admit the same."""
        nobody = frozenset[str]()
        grammar = self.view.profile.grammar
        return self.wider.is_within(nobody, grammar) and self.narrower.is_within(nobody, grammar)


def policy_meant(role: MadeRole) -> Policy:
    """The trust policy of a role as the intent says it, read as any other."""
    return read_policy(_source(role.policy))


def _source(document: object) -> TrustPolicy:
    return TrustPolicy(document, Place(""), size=document_size(document))


def in_force(policy: Policy) -> Policy:
    """A policy as far as it is in force: IAM saves nothing of one that it refuses."""
    return msgspec.structs.replace(policy, statements=()) if policy.refused else policy


def compared(found: Policy, meant: Policy) -> Iterator[Compared]:
    """A policy beside the one that is meant, provider by provider."""
    found = in_force(found)
    statements = (*found.statements, *meant.statements)
    providers = {value for statement in statements for value in statement.federated if isinstance(value, str)}
    for provider in sorted(provider for provider in providers if issuer_of_provider(provider)):
        issuer = issuer_of_provider(provider)
        view = Viewpoint(provider, issuer, cluster_profile(issuer))
        both = Comparison(found, meant, view)
        yield Compared(view, both.gained, both.lost)


def is_same_policy(found: Policy, meant: Policy) -> bool:
    """Whether two policies say the same statement by statement, wherever these stand: for callers that bring no token."""
    return sorted(map(_bare, found.statements)) == sorted(map(_bare, meant.statements))


def _bare(statement: msgspec.Struct) -> str:
    """A statement without the places of its parts, as a text."""
    conditions = [(str(c.use), c.key, sorted(map(str, c.values))) for c in statement.conditions]  # type: ignore[attr-defined]
    others = [getattr(statement, name) for name in ("allow", "federated", "aws", "service", "actions", "not_actions")]
    return repr((others, sorted(conditions)))
