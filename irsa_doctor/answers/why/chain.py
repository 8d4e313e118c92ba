"""The chain: a table of plain functions, one a link, in the order in which a credential travels."""

from collections.abc import Callable, Sequence

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import federation, pods, policies
from irsa_doctor.answers.why.step import TITLES, Step, skipped

LINKS: Sequence[Callable[[Case], Step]] = (
    federation.issuer,
    pods.service_account,
    pods.workload,
    pods.webhook,
    pods.token_volume,
    pods.token_file,
    pods.sdk,
    pods.sts_endpoint,
    federation.request,
    federation.provider,
    federation.issuer_keys,
    federation.signature,
    federation.audience,
    federation.lifetime,
    federation.role,
    policies.trust_policy,
    policies.above,
    federation.session,
    lambda case: skipped("permissions", "what the role may do is not looked at"),
    pods.pod_identity,
)
_AFTER_REQUEST = ("provider", "audience", "role", "trust-policy", "guardrails")
"""links that STS does not come to where the request itself is refused"""
_ALWAYS_DECIDING = ("issuer", "service-account", "request", "provider", "audience", "role", "trust-policy")


def walk(case: Case) -> list[Step]:
    """Every link of a case, in order."""
    if case.absent:
        return [pods.absent(case) if ident == "workload" else skipped(ident, "the workload is not there") for ident in TITLES]
    if not case.service_account:
        return [_of_nobody(case, ident) for ident in TITLES]
    steps = [look(case) for look in LINKS]
    if any(step.id == "request" and step.verdict == "fail" for step in steps):
        steps = [skipped(s.id, "the request does not get that far") if s.id in _AFTER_REQUEST else s for s in steps]
    return steps


def _of_nobody(case: Case, ident: str) -> Step:
    """A link where nobody said whose credential it is: only a token speaks for itself."""
    alone = {
        "issuer": federation.issuer,
        "request": federation.request,
        "signature": federation.signature,
        "audience": federation.audience,
        "lifetime": federation.lifetime,
    }
    if ident in alone and case.evidence.token is not None:
        return alone[ident](case)
    return skipped(ident, "nobody said whose credential it is")


def deciding(case: Case) -> frozenset[str]:
    """The links that must hold for it to work; with EKS Pod Identity nothing goes to STS, and the association decides."""
    if case.uses_pod_identity:
        return frozenset({"service-account", "pod-identity", *(("workload", "webhook") if case.workload else ())})
    more = ("workload", "webhook") if case.workload else ()
    of_token = ("signature", "lifetime") if case.evidence.token is not None else ()
    other = ("pod-identity",) if case.shows_pod_identity else ()
    return frozenset({*_ALWAYS_DECIDING, *more, *of_token, *other})
