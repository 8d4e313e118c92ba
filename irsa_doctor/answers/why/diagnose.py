"""The answer: links walked, what was seen weighed, causes named, and the error that STS would give."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.causes import causes_of, wrong_fixes
from irsa_doctor.answers.why.chain import deciding, walk
from irsa_doctor.answers.why.records import Cause, Diagnosis, Link, PredictedError, Subject, Whole, sights
from irsa_doctor.answers.why.step import TITLES, Step
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.answers.why.weighing import symptoms_of_case, weighed
from irsa_doctor.model import Verdict as Three

_DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
_NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation "
    "for requirements"
)
# links after which nothing goes to STS any more
_BEFORE_STS = ("service-account", "workload", "webhook", "token-volume", "token-file", "sdk", "sts-endpoint")


def diagnose(case: Case) -> Diagnosis:
    """Walk the chain of one case."""
    looked = walk(case)
    proved: Mapping[str, str] = {step.id: step.verdict for step in looked}
    steps = weighed(case, looked)
    symptoms = symptoms_of_case(case)
    causes = causes_of(case, steps, symptoms, proved)
    return Diagnosis(
        _subject(case),
        case.role,
        _verdict(case, steps, symptoms),
        tuple(Link(s.id, TITLES[s.id], s.verdict, s.because, sights(s.places), s.settle) for s in steps),
        causes,
        _predicted(case, steps),
        tuple(_notes(case, symptoms, causes)),
        () if case.role else tuple(_trusting(case)),
        wrong_fixes(case),
        case.token.shown if case.token else {},
        {step.id: step.places for step in steps if step.verdict == "fail" and step.places},
    )


def _subject(case: Case) -> Subject:
    workload = f"{case.workload.kind.lower()}/{case.workload.name}" if case.workload else ""
    known = case.cluster_id or case.namespace
    cluster = case.view.name_of(case.cluster_id) if case.cluster_id else case.issuer
    return Subject(cluster if known else case.issuer, case.namespace, case.service_account, workload)


def _verdict(case: Case, steps: Sequence[Step], symptoms: Sequence[Symptom]) -> Whole:
    if any(step.verdict == "fail" for step in steps) or any(symptom.effect == "broken" for symptom in symptoms):
        return "broken"
    wanted = deciding(case)
    return "works" if all(step.verdict == "pass" for step in steps if step.id in wanted) else "unknown"


def _predicted(case: Case, steps: Sequence[Step]) -> PredictedError | None:
    """The answer of STS to the request, None where it never gets one, or a good one."""
    wanted = deciding(case)
    if case.uses_pod_identity:
        return None
    # a request that is refused for its role was sent: then the annotation was there
    first = next((step for step in steps if step.verdict == "fail" and step.id in wanted), None)
    if first is None or first.id in _BEFORE_STS:
        return None
    modes = {cause.id for cause in first.causes}
    return _ANSWERS[first.id](case, modes) if first.id in _ANSWERS else None


def _of_request(case: Case, modes: set[str]) -> PredictedError:
    if modes & {"token-malformed", "token-env-holds-path-as-token"}:
        return PredictedError("InvalidIdentityToken", "", 400)
    if "session-name-invalid" in modes:
        return PredictedError("ValidationError", "", 400)
    return PredictedError("ValidationError", "Request ARN is invalid" if len(case.role) >= 20 else "", 400)


def _of_lifetime(case: Case, modes: set[str]) -> PredictedError:
    end = case.token.claims.get("exp") if case.token else None
    if "token-stale-cached" not in modes or not isinstance(end, int):
        return PredictedError("InvalidIdentityToken", "", 400)
    says = f"Token expired: current date/time {int(case.evidence.now)} must be before the expiration date/time {end}"
    return PredictedError("ExpiredTokenException", says, 400)


def _no_provider(case: Case, modes: set[str]) -> PredictedError:
    says = f"No OpenIDConnect provider found in your account for https://{case.issuer}"
    return PredictedError("InvalidIdentityToken", "" if "token-legacy-secret" in modes else says, 400)


def _of_signature(case: Case, modes: set[str]) -> PredictedError:
    return PredictedError("InvalidIdentityToken", _NO_KEY if "jwks-missing-kid" in modes else "", 400)


def _of_audience(case: Case, modes: set[str]) -> PredictedError:
    return PredictedError("InvalidIdentityToken", "Incorrect token audience", 400)


def _of_role(case: Case, modes: set[str]) -> PredictedError:
    return PredictedError("AccessDenied", _DENIED, 403)


_ANSWERS: Mapping[str, Callable[[Case, set[str]], PredictedError]] = {
    "issuer": _no_provider,
    "request": _of_request,
    "provider": _no_provider,
    "signature": _of_signature,
    "audience": _of_audience,
    "lifetime": _of_lifetime,
    "role": _of_role,
    "trust-policy": _of_role,
}


def _notes(case: Case, symptoms: Sequence[Symptom], causes: Sequence[Cause]) -> Iterator[str]:
    """What is worth a look though it is no cause."""
    trail = case.evidence.trail
    if trail and not case.service_account:
        yield f"The log has {trail.events} events, and none of them is a call of a service account."
    elif trail and not case.events:
        yield (
            f"The log has {trail.events} events and no call with the token of {case.name}. What STS refuses for its token or "
            "its provider is not logged: look at the links before the role."
        )
    if case.evidence.failing and not symptoms:
        yield "The message is none that is known here; the links say what the files tell."
    for event in case.events[:1]:
        if event.role and case.role and event.role != case.role:
            yield f"The last call in the log is for {event.role}."
    if len(case.events) > 1 and case.events[0].error and any(not event.error for event in case.events[1:]):
        yield "The log has earlier calls that succeeded: something has changed since."
    if any(cause.id == "imds-fallback-generic" for cause in causes):
        yield "A pod that reaches the metadata of its node runs with the node's role: a hop limit of 1 lets it fail instead."


def _trusting(case: Case) -> Iterator[str]:
    """Roles whose trust may admit this subject."""
    audience = case.audience if isinstance(case.audience, str) else "sts.amazonaws.com"
    for analysed in case.view.roles if case.issuer else ():
        for provider, found in analysed.by_provider.items():
            ours = provider.endswith(":oidc-provider/" + case.issuer)
            if ours and found.verdict(case.subject, audience) is not Three.FAIL:
                yield analysed.role.id
                break
