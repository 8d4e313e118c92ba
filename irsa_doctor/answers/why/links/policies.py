"""The links that are policies: the role's own, and the guardrails above its account."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.records import Certainty
from irsa_doctor.answers.why.statements import MODES_OF_KEYS, Miss, Presented, misses
from irsa_doctor.answers.why.step import Named, Step, failed, named_by, passed, skipped, unseen
from irsa_doctor.model import ResourceControlPolicy, TrustPolicy, Unknown
from irsa_doctor.model import Verdict as Three
from irsa_doctor.model.findings import Finding
from irsa_doctor.trust import Policy, Request, admitted, decide
from irsa_doctor.trust.guardrails import Denial, Guardrail, denial, guardrails
from irsa_doctor.trust.holding import holds


def trust_policy(case: Case) -> Step:
    """L15: the role's trust policy admits the token's sub and aud."""
    ident = "trust-policy"
    if case.uses_pod_identity:
        return skipped(ident, "EKS Pod Identity hands out the role")
    if not case.role_arn:
        return skipped(ident, "no role is named")
    if case.analysed is None or case.analysed.policy is None:
        gone = case.view.inventory.closed.has_role(case.role_arn.account, case.role_name)
        how = f"aws iam get-role --role-name {case.role_name}"
        account, name = case.role_arn.account, case.role_name.lower()
        why = case.view.inventory.unknown("roles", account, name, "the trust policy of the role", how)
        return skipped(ident, "there is no such role") if gone else unseen(ident, why)
    return _assumed(case, _judged(case, case.analysed.policy)) if case.assumed_policy else _judged(case, case.analysed.policy)


def _assumed(case: Case, step: Step) -> Step:
    """What is said of a policy that nobody said is the role's own."""
    taken = f"taken for the policy of {case.role} because it is the only one without a role"
    says = f"of {case.assumed_policy}, {taken}: {step.because}"
    causes = tuple(msgspec.structs.replace(c, certainty="likely") if c.certainty == "certain" else c for c in step.causes)
    verdict = "unknown" if step.verdict == "pass" else step.verdict
    how = f"aws iam get-role --role-name {case.role_name}"
    return msgspec.structs.replace(step, verdict=verdict, because=says, causes=causes, settle=how)


def _judged(case: Case, policy: Policy) -> Step:
    ident = "trust-policy"
    if policy.refused:
        return _refused(case)
    if not case.issuer:
        return unseen(ident, case.issuer_unseen)
    if isinstance(case.audience, Unknown):
        return unseen(ident, case.audience)
    return _asked(case, policy, case.audience)


def _refused(case: Case) -> Step:
    """A document that IAM would not save is not the one in force, unless it came from IAM: what then counts is not known."""
    ident = "trust-policy"
    twice = case.findings.get("policy-duplicate-member", ())
    if twice:
        return Step(ident, "unknown", twice[0].message, named_by(twice))
    wrong = case.wrong_on(ident)
    own = [f for f in wrong if not f.rule.startswith("policy-")] or wrong
    says = own[0].message if own else "IAM refuses to save the trust policy"
    return failed(ident, says, *named_by(own))


def _asked(case: Case, policy: Policy, audience: str) -> Step:
    ident = "trust-policy"
    found = admitted(policy, case.provider_arn, case.issuer)
    known = _known(case)
    verdict = found.verdict(case.subject, audience)
    if verdict is Three.UNKNOWN and found.depends_on and {key.lower() for key in found.depends_on} <= known.keys():
        verdict = _decided(case, policy, audience, known)
    if verdict is Three.PASS:
        return passed(ident, f"it admits {case.subject} with the audience {audience}")
    token = Presented(
        case.role_arn.account if case.role_arn else "", case.provider_arn, case.issuer, case.subject, audience, known
    )
    if verdict is Three.UNKNOWN:
        return _open(case, (*found.depends_on, *found.unseen, *found.contested))
    missed = misses(policy, token, case.view)
    named = tuple(_named(case, miss) for miss in missed)
    own = (*_elsewhere(case), *named, *_deleted(case, named)) if named and named[0].id in _MORE else named
    says = missed[0].says if missed else f"it does not admit {case.subject} with the audience {audience}"
    return failed(ident, says, *(own or (Named("trust-sub-mismatch", "certain", says),)))


_MORE = frozenset({"trust-sub-mismatch", "sa-namespace-mismatch", "sa-helm-generated-name", "oidc-provider-stale-cluster"})


def _elsewhere(case: Case) -> tuple[Named, ...]:
    """Another role admits this very service account: then the annotation is what is wrong, more likely than the policy."""
    found = case.finding("two-sas-one-annotation")
    return (Named("two-sas-one-annotation", "certain", found.message, found),) if found else ()


def _deleted(case: Case, named: tuple[Named, ...]) -> tuple[Named, ...]:
    """A role that trusts the issuer of a cluster that is gone may trust a provider that is gone as well."""
    found = case.finding("trust-principal-provider-deleted")
    is_stale = named[0].id == "oidc-provider-stale-cluster"
    return (Named("trust-principal-provider-deleted", "certain", found.message, found),) if found and is_stale else ()


def _named(case: Case, miss: Miss) -> Named:
    """A failing check as a cause, in the words of the rule that finds it in the same statement."""
    subjects = (f"{case.role}#{miss.statement}", case.role)
    same = [f for f in case.findings.get(miss.id, ()) if f.subject.id in subjects or f.subject.kind == "binding"]
    source = case.analysed.role.policy if case.analysed else None
    places = (case.located(source.place.at(*miss.steps), miss.says),) if isinstance(source, TrustPolicy) else ()
    if same:
        return Named(miss.id, "certain", same[0].message, same[0], places)
    return Named(miss.id, "certain", _sentence(miss), None, places)


def _sentence(miss: Miss) -> str:
    return f"statement {miss.statement} of the trust policy keeps the token out: {miss.says}"


def _open(case: Case, hangs: tuple[str, ...]) -> Step:
    """What sub and aud alone do not decide."""
    says = f"it hangs on {', '.join(hangs) or 'what was not seen'}"
    causes: dict[str, Named] = {}
    for key in hangs:
        if mode := MODES_OF_KEYS.get(key.lower()):
            found = case.finding(mode)
            causes[mode] = Named(mode, "likely" if found else "possible", found.message if found else "", found)
    if contested := case.findings.get("policy-contested", ()):
        causes["policy-contested"] = Named("policy-contested", "possible", contested[0].message, contested[0])
    how = "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity"
    return Step("trust-policy", "unknown", says, tuple(causes.values()), how)


def _known(case: Case) -> dict[str, tuple[str, ...]]:
    """What is known of the request beside the token: what is always so, and what an event or the environment says."""
    known: dict[str, tuple[str, ...]] = {"aws:securetransport": ("true",)}
    if case.evidence.now:
        moment = datetime.fromtimestamp(case.evidence.now, tz=UTC)
        known["aws:currenttime"] = (moment.strftime("%Y-%m-%dT%H:%M:%SZ"),)
        known["aws:epochtime"] = (str(int(case.evidence.now)),)
    if case.role_arn:
        known["aws:resourceaccount"] = (case.role_arn.account,)
    if case.events:
        event = case.events[0]
        told = {
            "aws:sourceip": event.source if not event.endpoint else "",
            "aws:sourcevpce": event.endpoint,
            "aws:requestedregion": event.region,
            "sts:rolesessionname": event.session_name,
        }
        known |= {key: (value,) for key, value in told.items() if value}
        if event.source:
            known |= {key: () for key in ("aws:sourceip", "aws:sourcevpce") if not told[key]}
    elif names := _session_names(case):
        known["sts:rolesessionname"] = names
    return known


def _session_names(case: Case) -> tuple[str, ...]:
    """The session name that the environment sets, the same for all containers."""
    values = {container.env.get("AWS_ROLE_SESSION_NAME") for container in case.containers if not container.init}
    value = values.pop() if len(values) == 1 else None
    return (value,) if isinstance(value, str) and "$(" not in value else ()


def _decided(case: Case, policy: Policy, audience: str, known: Mapping[str, tuple[str, ...]]) -> Three:
    """The answer where every key that it hangs on is known."""
    issuer = case.issuer.lower()
    context = {key: values for key, values in known.items() if values}
    context |= {f"{issuer}:sub": (case.subject,), f"{issuer}:aud": (audience,)}
    decision = decide(policy, Request(case.role_arn.account if case.role_arn else "", case.provider_arn, context))
    if not decision.is_certain:
        return Three.UNKNOWN
    return Three.PASS if decision.outcome == "allow" else Three.FAIL


# ---- above the account


@lru_cache(maxsize=1024)
def _rails(document: TrustPolicy) -> tuple[Guardrail, ...]:
    return guardrails(document)


def above(case: Case) -> Step:
    """L16: no resource control policy forbids it. Which accounts one is attached to is not in it: what is given is taken to
    apply."""
    ident = "guardrails"
    rcps = case.view.inventory.rcps
    if not case.role_arn or case.uses_pod_identity:
        return skipped(ident, "no role is named" if not case.role_arn else "EKS Pod Identity hands out the role")
    found = [(rcp, rail, answer) for rcp in rcps for rail, answer in _denials(case, rcp)]
    stops = [row for row in found if row[2].stops == "all"]
    if stops:
        rcp, rail, answer = stops[0]
        return failed(ident, f"{rcp.place.document} denies it", _guard(case, rcp, rail, answer))
    unsure = [row for row in found if row[2].stops != "none"]
    if unsure:
        rcp, rail, answer = unsure[0]
        named = msgspec.structs.replace(_guard(case, rcp, rail, answer), certainty="possible")
        return Step(ident, "unknown", f"it hangs on {', '.join(answer.depends) or 'conditions of a guardrail'}", (named,))
    refused = case.view.inventory.refused("rcps", case.role_arn.account)
    if refused is not None:
        return unseen(ident, refused)
    if not rcps:
        return skipped(ident, "no resource control policy was given")
    return passed(ident, "no resource control policy that was given forbids it")


def _denials(case: Case, rcp: ResourceControlPolicy) -> list[tuple[Guardrail, Denial]]:
    account = case.role_arn.account if case.role_arn else ""
    if rcp.account not in ("", account):
        return []
    return [(rail, _denial(case, rail)) for rail in _rails(rcp.document) if rail.covers_role(case.role)]


def _denial(case: Case, rail: Guardrail) -> Denial:
    """What a guardrail does to this token: conditions on its own sub and aud are asked with them."""
    answer = denial(rail, case.provider_arn)
    if answer.stops != "some" or isinstance(case.audience, Unknown):
        return answer
    issuer = case.issuer.lower()
    context = {f"{issuer}:sub": (case.subject,), f"{issuer}:aud": (case.audience,)}
    own = [c for c in rail.statement.conditions if c.key in context]
    met = [holds(condition, context, variables=rail.policy.variables) for condition in own]
    if False in met:
        return Denial("none", rail.place)
    rest = tuple(c for c in rail.statement.conditions if c.key not in context)
    others = denial(
        msgspec.structs.replace(rail, statement=msgspec.structs.replace(rail.statement, conditions=rest)), case.provider_arn
    )
    return others if None not in met else answer


def _guard(case: Case, rcp: ResourceControlPolicy, rail: Guardrail, answer: Denial) -> Named:
    mode = "rcp-trusted-oidc-providers" if rail.by_provider else "rcp-principalorgid"
    found: Finding | None = case.finding(mode)
    unless = f", unless the role has a tag {', '.join(answer.exempt)}" if answer.exempt else ""
    says = f"a resource control policy in {rcp.place.document} denies sts:AssumeRoleWithWebIdentity to this token{unless}"
    certainty: Certainty = "certain" if rcp.account and not answer.exempt else "likely"
    return Named(mode, certainty, says, found, (case.located(answer.place, "denies it"),))
