"""The audiences that the tokens of a service account have, and the Deny statements of a role that match it."""

from irsa_doctor.facts.grants.exclusion import denials
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.model import ServiceAccount, Text, is_provider_of
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION
from irsa_doctor.trust import Admitted, Policy, Statement
from irsa_doctor.trust.presented import PresentedToken
from irsa_doctor.trust.times import policy_at


def audiences_of(view: View, account: ServiceAccount, issuer: str) -> frozenset[str]:
    """What the token of an account may have as audience; none where a template leaves it open."""
    audience = account.annotations.get(AUDIENCE_ANNOTATION)
    if isinstance(audience, Text):
        return frozenset()
    return frozenset([audience]) if audience else view.default_audiences(issuer)


def sure_denials(view: View, account: ServiceAccount, policy: Policy, audiences: frozenset[str]) -> list[Statement]:
    """The Deny statements that match an account on the day of the run, whatever the policy allows."""
    if not audiences or not policy.has_deny:
        return []
    issuer, made = view.issuer_of(account.cluster), not account.template
    providers = {v for s in policy.statements for v in s.federated if isinstance(v, str) and is_provider_of(v, issuer)}
    tokens = [
        PresentedToken("", provider, issuer, account.subject, min(audiences), generated=made) for provider in sorted(providers)
    ]
    today = policy_at(policy, view.standards_context.as_of)
    denying = {exclusion.statement for token in tokens for exclusion in denials(today, token)}
    return [statement for statement in policy.statements if statement.index in denying]


def denying_statements(answer: Admitted, subject: str, audiences: frozenset[str]) -> list[Statement]:
    """The Deny statements without which a subject would be admitted."""
    let_in = [audience for audience in audiences if any(part.may(subject, audience) for part in answer.allows)]
    return [part.grant.statement for part in answer.denies if any(part.may(subject, audience) for audience in let_in)]
