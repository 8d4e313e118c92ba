"""Whom a role admits beside whom an intent means: compared as sets, never as texts."""

import msgspec

from irsa_doctor.answers.intents.plan import MadeRole
from irsa_doctor.answers.intents.policies import Pair
from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model import Place, TrustPolicy, issuer_of_provider
from irsa_doctor.trust import Policy, Statement, admitted, read_policy, spell
from irsa_doctor.trust.languages import Finite, contains, union
from irsa_doctor.trust.refusals import document_size


def policy_meant(role: MadeRole) -> Policy:
    """The trust policy of a role as the intent says it, read as any other."""
    return read_policy(_source(role.policy))


def _source(document: object) -> TrustPolicy:
    return TrustPolicy(document, Place(""), size=document_size(document))


def in_force(policy: Policy) -> Policy:
    """A policy as far as it is in force: IAM saves nothing of one that it refuses."""
    return msgspec.structs.replace(policy, statements=()) if policy.refused else policy


def admits_its_pairs(role: MadeRole, policy: Policy) -> bool:
    """Whether a policy admits exactly those who may be a role, by provider and audience; nobody's token for Pod Identity."""
    meant: dict[str, dict[str, set[str]]] = {}
    for pair in role.pairs if role.via == "irsa" else ():
        meant.setdefault(role.intended.provider(pair.cluster.issuer), {}).setdefault(pair.audience, set()).update(
            _subject(pair, role)
        )
    return {provider: _admitted(policy, provider) for provider in providers_of(policy)} == meant


def _subject(pair: Pair, role: MadeRole) -> tuple[str, ...]:
    """The subject of a pair, none where its whole namespace is meant too."""
    whole = msgspec.structs.replace(pair.subject, name="")
    covered = pair.subject.name and Pair(pair.cluster, whole, pair.asked) in role.pairs
    return () if covered else (pair.subject.subject,)


def _admitted(policy: Policy, provider: str) -> dict[str, set[str]]:
    """Audience -> patterns of the subjects that a policy admits with it, "*" for audiences that are not named."""
    issuer = issuer_of_provider(provider)
    profile = cluster_profile(issuer)
    cells = admitted(policy, provider, issuer, profile=profile).cells
    named = {audience for audiences, _ in cells if isinstance(audiences, Finite) for audience in audiences.values}
    by_audience = {audience: [subjects for audiences, subjects in cells if contains(audiences, audience)] for audience in named}
    others = [subjects for audiences, subjects in cells if not isinstance(audiences, Finite)]
    everywhere = {**by_audience, **({"*": others} if others else {})}
    return {audience: set(spell(union(parts), profile.grammar).patterns) for audience, parts in everywhere.items()}


def providers_of(*policies: Policy) -> list[str]:
    """The ARNs of OIDC providers that policies name, sorted."""
    statements = [statement for policy in policies for statement in policy.statements]
    named = {value for statement in statements for value in statement.federated if isinstance(value, str)}
    return sorted(value for value in named if issuer_of_provider(value))


def is_same_policy(found: Policy, meant: Policy) -> bool:
    """Whether two policies say the same statement by statement, wherever these stand, for every caller there is.

    One that a template leaves open says the same as none.
    """
    return sorted(map(_bare, found.statements)) == sorted(map(_bare, meant.statements))


def _bare(statement: Statement) -> str:
    """A statement without the places of its parts, as a text."""
    conditions = [(str(c.use), c.key, sorted(map(repr, c.values))) for c in statement.conditions]
    principals = (statement.federated, statement.aws, statement.service)
    effect = (statement.allow, statement.effect_seen, statement.unseen)
    return repr((effect, principals, statement.actions, statement.not_actions, sorted(conditions)))
