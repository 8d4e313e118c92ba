"""The answer: links walked, causes named and ordered, and the error that STS would give."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from irsa_doctor.diagnosis.case import Case
from irsa_doctor.diagnosis.chain import ALWAYS_DECIDING, link_of, link_of_finding, walk, wrong_on
from irsa_doctor.diagnosis.modes import modes
from irsa_doctor.diagnosis.records import Cause, Certainty, Diagnosis, Link, PredictedError, Subject, Whole
from irsa_doctor.diagnosis.symptoms import Symptom
from irsa_doctor.findings import Finding
from irsa_doctor.trust import speaks_of
from irsa_doctor.trust.languages import contains

_SHOWN = 8
_GENERAL = {
    "issuer": "oidc-provider-missing",
    "request": "role-arn-malformed",
    "audience": "aud-not-in-clientids",
    "role": "role-missing",
    "trust-policy": "trust-sub-mismatch",
}
_NEW_PODS = frozenset({"service-account", "webhook", "token-volume", "token-file", "workload", "request"})
_DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"


def diagnose(case: Case, symptoms: Sequence[Symptom] = (), replaced: Iterable[Link] = ()) -> Diagnosis:
    """Walk the chain of one case; `symptoms` are what somebody saw, `replaced` are links that a token speaks for itself."""
    own = {link.id: link for link in replaced}
    links = tuple(own.get(link.id, link) for link in walk(case))
    proved = tuple(_proved(case, links))
    verdict = _verdict(case, links, bool(own))
    causes = (*proved, *_fitting(case, links, proved, symptoms))
    if verdict != "broken" and any(symptom.effect == "broken" for symptom in symptoms):
        verdict = "broken"
    return Diagnosis(
        _subject(case),
        case.role,
        verdict,
        links,
        causes,
        _predicted(case, links, bool(own)),
        tuple(_notes(case)),
        () if case.role else tuple(_trusting(case)),
    )


def _subject(case: Case) -> Subject:
    workload = f"{case.workload.kind.lower()}/{case.workload.name}" if case.workload else ""
    return Subject(case.view.name_of(case.cluster_id), case.namespace, case.service_account, workload)


def _deciding(case: Case, has_token: bool) -> set[str]:
    more = {"workload", "webhook"} if case.workload else set()
    return {*ALWAYS_DECIDING, *more, *({"signature", "lifetime"} if has_token else ())}


def _verdict(case: Case, links: Sequence[Link], has_token: bool) -> Whole:
    if any(link.verdict == "fail" for link in links):
        return "broken"
    deciding = _deciding(case, has_token)
    return "works" if all(link.verdict == "pass" for link in links if link.id in deciding) else "unknown"


def _proved(case: Case, links: Sequence[Link]) -> Iterator[Cause]:
    """A cause for every defect of every link that fails, in the order in which the request meets them."""
    failed = {link.id for link in links if link.verdict == "fail"}
    seen: set[str] = set()
    for link in links:
        if link.verdict == "unknown":
            yield from (
                _of_finding(case, f, "likely") for f in wrong_on(case, link.id) if f.severity in ("critical", "high", "medium")
            )
        if link.id not in failed:
            continue
        findings = wrong_on(case, link.id)
        for finding in findings:
            # the provider that is gone is told once, where it is looked for
            if finding.rule == "trust-principal-provider-deleted" and "provider" in failed:
                continue
            if finding.rule not in seen:
                seen.add(finding.rule)
                yield _of_finding(case, finding)
        if not findings and (ident := _general(case, link)) not in seen:
            seen.add(ident)
            yield _of_mode(ident, "certain", link.because, restart=_restart(case, link.id))


def _general(case: Case, link: Link) -> str:
    if link.id == "service-account":
        return "sa-annotation-missing" if case.account else "service-account-missing"
    if link.id == "provider":
        elsewhere = case.view.accounts_of_issuer.get(case.issuer, frozenset())
        return "oidc-provider-other-account" if elsewhere else "oidc-provider-missing"
    if link.id == "trust-policy" and case.analysed:
        found = case.analysed.by_provider.get(case.provider_arn)
        if found and contains(found.subjects, case.subject):
            return "trust-aud-mismatch"
    return _GENERAL.get(link.id, link.id)


def _of_finding(case: Case, finding: Finding, certainty: Certainty = "certain") -> Cause:
    if finding.rule == "trust-sub-mismatch" and _is_for_aws_principals(case):
        return _of_mode("trust-principal-type-aws", "certain", finding.message)
    commands = tuple(snippet.text for snippet in finding.snippets if snippet.language == "sh")
    restart = _restart(case, link_of_finding(finding))
    return Cause(finding.rule, certainty, finding.message, finding.remedy.strip(), "", finding.url, (*commands, *restart))


def _of_mode(ident: str, certainty: str, because: str, *, restart: tuple[str, ...] = ()) -> Cause:
    mode = modes().get(ident)
    if mode is None:
        return Cause(ident, certainty, because, "", "", "", restart)  # type: ignore[arg-type]
    return Cause(ident, certainty, because or mode.title, mode.remedy, mode.settle, mode.url, restart)  # type: ignore[arg-type]


def _is_for_aws_principals(case: Case) -> bool:
    """Whether the role was made for roles and users: it trusts AWS principals, and no web identity at all."""
    policy = case.analysed.policy if case.analysed else None
    allows = [statement for statement in policy.statements if statement.allow] if policy else []
    return any(s.aws for s in allows) and not any(s.federated or s.service for s in allows)


def _restart(case: Case, link: str) -> tuple[str, ...]:
    """What makes pods anew: they get their identity once, when they are created."""
    if link not in _NEW_PODS:
        return ()
    return tuple(
        shlex.join(["kubectl", "delete", "pod", "-n", w.namespace, w.name])
        if w.kind == "Pod"
        else shlex.join(["kubectl", "rollout", "restart", f"{w.kind.lower()}/{w.name}", "-n", w.namespace])
        for w in case.workloads
        if w.kind in ("Pod", "Deployment", "StatefulSet", "DaemonSet")
    )


def _fitting(case: Case, links: Sequence[Link], proved: Sequence[Cause], symptoms: Sequence[Symptom]) -> Iterator[Cause]:
    """Modes that fit what was seen, and that nothing given rules out; none where what is proved explains it."""
    known = {cause.id for cause in proved}
    verdicts = {link.id: link.verdict for link in links}
    explained = {link_of(cause.id) for cause in proved}
    given = 0
    for symptom in symptoms:
        if symptom.proves and symptom.proves not in known:
            known.add(symptom.proves)
            yield _of_mode(symptom.proves, "certain", "the message names the same role as caller and as resource")
        if explained & set(symptom.links):
            continue
        for ident in symptom.modes:
            if ident in known or verdicts.get(link_of(ident)) == "pass" or given >= _SHOWN:
                continue
            known.add(ident)
            yield _of_mode(ident, "likely" if given == 0 and not proved else "possible", "")
            given += 1


def _predicted(case: Case, links: Sequence[Link], has_token: bool) -> PredictedError | None:
    deciding = _deciding(case, has_token)
    failed = next((link.id for link in links if link.verdict == "fail" and link.id in deciding), "")
    if failed == "request":
        return PredictedError("ValidationError", "Request ARN is invalid", 400)
    if failed == "provider":
        says = f"No OpenIDConnect provider found in your account for https://{case.issuer}"
        return PredictedError("InvalidIdentityToken", says, 400)
    if failed == "audience":
        return PredictedError("InvalidIdentityToken", "Incorrect token audience", 400)
    if failed == "signature":
        keys = (
            "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
            "documentation for requirements"
        )
        return PredictedError("InvalidIdentityToken", keys, 400)
    if failed == "lifetime":
        return PredictedError("ExpiredTokenException", "Token expired", 400)
    return PredictedError("AccessDenied", _DENIED, 403) if failed in ("role", "trust-policy") else None


def _notes(case: Case) -> Iterator[str]:
    """Wrong remedies that somebody has tried already, and what is worth a look though it breaks nothing."""
    opened = [rule for rule in case.findings if rule.startswith("open-")]
    if opened and case.analysed:
        yield f"The role is open wider than it looks: {', '.join(sorted(opened))}. Widening trust further mends nothing."
    policy = case.analysed.policy if case.analysed else None
    if policy and any("ec2.amazonaws.com" in statement.service and statement.allow for statement in policy.statements):
        yield "The role also trusts EC2: pods then get it through their node, all of them, which hides what is wrong here."
    if "static-keys-shadow" in case.findings:
        yield "Static keys in the environment go before the web identity, and stay when it is mended."


def _trusting(case: Case) -> Iterator[str]:
    """Roles whose trust admits this subject by any statement."""
    if not case.issuer:
        return
    audience = case.audience if isinstance(case.audience, str) else "sts.amazonaws.com"
    for analysed in case.view.roles:
        for provider, found in analysed.by_provider.items():
            named = any(speaks_of(s, provider) for s in analysed.policy.statements) if analysed.policy else False
            if named and provider.endswith(":oidc-provider/" + case.issuer) and found.admits(case.subject, audience):
                yield analysed.role.id
                break


def diagnose_symptoms(symptoms: Sequence[Symptom], links: Sequence[Link] = ()) -> Diagnosis:
    """What fits what was seen, where nobody said whose credential it is; `links` are those that a token speaks for."""
    causes: list[Cause] = []
    for symptom in symptoms:
        for ident in symptom.modes:
            if all(cause.id != ident for cause in causes) and len(causes) < _SHOWN:
                certainty = "certain" if ident == symptom.proves else "possible" if causes else "likely"
                causes.append(_of_mode(ident, certainty, ""))
    effects = {symptom.effect for symptom in symptoms}
    failed = any(link.verdict == "fail" for link in links)
    verdict: Whole = "broken" if failed or "broken" in effects else "works" if "works" in effects else "unknown"
    return Diagnosis(Subject(), "", verdict, tuple(links), tuple(causes))
