"""What the trust policy of a role that a template makes does with a token, before anybody knows who the issuer is.

A provider and an issuer that come from two placeholders belong together unless something shows that they do not; what rests on
that is likely, never certain.
"""

from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs
from irsa_doctor.answers.why.links.state import LinkState, Sign, at_most_likely, failed, signs_of, undecided
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.grants.exclusion import exclusions
from irsa_doctor.facts.service_accounts.through_holes import admitted_through, principals_of
from irsa_doctor.model import Text, TrustPolicy, Verdict, is_provider_of
from irsa_doctor.rulebook.causes import causes_of_sign
from irsa_doctor.trust import Admitted
from irsa_doctor.trust.association import SeenPolicy
from irsa_doctor.trust.presented import PresentedToken


class SeenTrust(msgspec.Struct, frozen=True):
    """A role, its policy as it reads for tokens of one of its principals, and what that admits."""

    role: AnalysedRole
    seen: SeenPolicy
    admits: Admitted


def trust_of_template(case: Case, audience: str) -> LinkState | None:
    """The state of the link for a role that a template makes, None where the policy is not known or another thing decides."""
    cases = case.template_roles
    if case.uses_pod_identity or not cases or any(role.policy is None or role.policy.refused for role in cases):
        return None
    findings = [finding for finding in case.findings.on_link("trust-policy") if finding.subject.kind == "binding"]
    trusts = [trust for role in cases for trust in _trusts(case, role)]
    verdicts = {trust.admits.verdict(case.subject, audience) for trust in trusts}
    certain = all(trust.seen.certain for trust in trusts) and not any(f.confidence != "high" for f in findings)
    if findings:
        return _state(findings[0].message, signs_of(findings), certain=certain)
    if not trusts or Verdict.UNKNOWN in verdicts or _has_unseen_effect(cases):
        return None
    if Verdict.PASS in verdicts:
        says = f"it admits {case.subject} with the audience {audience}, if the provider is that of the cluster"
        return undecided(says, settle=fill_command(needs.TEMPLATE_ROLE_INPUT.command, case))
    signs = tuple(sign for trust in trusts for sign in _signs(case, trust, audience))
    return _state(signs[0].because, signs, certain=certain) if signs else None


def _has_unseen_effect(cases: Sequence[AnalysedRole]) -> bool:
    return any(not statement.effect_seen for role in cases if role.policy for statement in role.policy.statements)


def _state(says: str, signs: Sequence[Sign], *, certain: bool) -> LinkState:
    if certain:
        return failed(says, *signs)
    return undecided(says, *map(at_most_likely, signs))


def _trusts(case: Case, role: AnalysedRole) -> Iterator[SeenTrust]:
    """The policy for each provider that may be that of the cluster."""
    for principal in principals_of(role.policy) if role.policy else ():
        if case.issuer and not isinstance(principal, Text) and not is_provider_of(principal, case.issuer):
            continue
        if role.policy:
            admits, seen = admitted_through(role.policy, principal)
            yield SeenTrust(role, seen, admits)


def _signs(case: Case, trust: SeenTrust, audience: str) -> Iterator[Sign]:
    """The failing checks, each with the finding of its rule."""
    token = PresentedToken("", trust.seen.principal, trust.seen.issuer, case.subject, audience, {}, generated=False)
    source = trust.role.role.policy
    for exclusion in exclusions(trust.seen.policy, token, case.view):
        ident = causes_of_sign(exclusion.kind)[0].id
        subjects = (f"{trust.role.role.id}#{exclusion.statement}", trust.role.role.id)
        finding = next((f for f in case.findings.by_rule.get(ident, ()) if f.subject.id in subjects), None)
        says = f"statement {exclusion.statement} of the trust policy does not admit the token: {exclusion.says}"
        places = exclusion.defect.places[:1]
        located = (
            (case.located(source.place.at(*places[0]), exclusion.says),) if isinstance(source, TrustPolicy) and places else ()
        )
        yield Sign(ident, finding.message if finding else says, finding, located)
