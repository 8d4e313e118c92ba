"""The link above the account: no resource control policy forbids the call."""

from functools import lru_cache

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, passed, undecided
from irsa_doctor.model import ResourceControlPolicy, TrustPolicy, Unknown
from irsa_doctor.trust.guardrails import Denial, Guardrail, denial, guardrails
from irsa_doctor.trust.holding import holds


class _Denied(msgspec.Struct, frozen=True):
    """A statement of a resource control policy, and what it denies to the token."""

    rcp: ResourceControlPolicy
    rail: Guardrail
    denial: Denial


def _guardrails_disproof(case: Case) -> LinkState | None:
    """Which accounts a policy is attached to is not in it: each one of the input is taken to apply."""
    if not case.role_arn or case.uses_pod_identity:
        return None
    denied = [row for rcp in case.view.inventory.rcps for row in _denials(case, rcp)]
    if total := next((row for row in denied if row.denial.stops == "all"), None):
        return failed(_sign(case, total).because, _sign(case, total))
    if partial := next((row for row in denied if row.denial.stops != "none"), None):
        keys = ", ".join(partial.denial.depends) or "conditions of a resource control policy"
        sign = msgspec.structs.replace(_sign(case, partial), at_most="possible")
        return undecided(f"a resource control policy denies the call for some values of {keys}", sign)
    return None


def _guardrails(case: Case) -> LinkState:
    if not case.view.inventory.rcps:
        return inapplicable("no resource control policy in the input")
    return passed("no resource control policy of the input denies it")


@lru_cache(maxsize=1024)
def _rails(document: TrustPolicy) -> tuple[Guardrail, ...]:
    return guardrails(document)


def _denials(case: Case, rcp: ResourceControlPolicy) -> list[_Denied]:
    account = case.role_arn.account if case.role_arn else ""
    if rcp.account not in ("", account):
        return []
    return [_Denied(rcp, rail, _denial(case, rail)) for rail in _rails(rcp.document) if rail.covers_role(case.role)]


def _denial(case: Case, rail: Guardrail) -> Denial:
    """What a guardrail denies to this token: conditions on its own sub and aud are decided with its claims."""
    answer = denial(rail, case.provider_arn)
    if answer.stops != "some" or isinstance(case.audience, Unknown):
        return answer
    issuer = case.issuer.lower()
    context = {f"{issuer}:sub": (case.subject,), f"{issuer}:aud": (case.audience,)}
    own = [c for c in rail.statement.conditions if c.key in context]
    met = [holds(condition, context, variables=rail.policy.variables) for condition in own]
    if False in met:
        return Denial("none", rail.place)
    others = tuple(c for c in rail.statement.conditions if c.key not in context)
    without = msgspec.structs.replace(rail, statement=msgspec.structs.replace(rail.statement, conditions=others))
    return answer if None in met else denial(without, case.provider_arn)


def _sign(case: Case, denied: _Denied) -> Sign:
    sign = "guardrail-by-issuer" if denied.rail.by_provider else "guardrail-by-organization"
    exempt = denied.denial.exempt
    unless = f", unless the role has a tag {', '.join(exempt)}" if exempt else ""
    document = denied.rcp.place.document
    says = f"a resource control policy in {document} denies sts:AssumeRoleWithWebIdentity to this token{unless}"
    place = case.located(denied.denial.place, "denies it")
    certain = bool(denied.rcp.account) and not exempt
    return Sign(sign, says, case.finding_of(sign), (place,), "certain" if certain else "likely")


GUARDRAILS_LINK = Link(
    id="guardrails",
    title="no policy above the account denies it",
    signs=("guardrail-by-issuer", "guardrail-by-organization"),
    disproof=_guardrails_disproof,
    skips=(skips.no_role, skips.pod_identity),
    needs=(needs.GUARDRAILS_INPUT,),
    examine=_guardrails,
    after="request",
)
