"""Circumstances of a case, by name: causes require them under `only`, and messages under `first` and `unless`."""

from collections.abc import Callable, Mapping

from irsa_doctor.answers.why.case import Case
from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.grants.grant import GrantFacts
from irsa_doctor.issuers import EKS, profile_of
from irsa_doctor.model import Issuer, issuer_of_provider
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.rulebook.causes import Cause
from irsa_doctor.trust import Admitted
from irsa_doctor.trust.languages import Finite

_PROXIES = frozenset({"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"})

CIRCUMSTANCES: Mapping[str, Callable[[Case], bool]] = {
    "issuer-in-china": lambda case: Issuer.of(case.issuer).partition in ("", "aws-cn"),
    "issuer-eks": lambda case: case.profile is EKS,
    "issuer-not-eks": lambda case: not (case.profile is EKS and case.issuer),
    "other-partition-known": lambda case: Issuer.of(case.issuer).partition not in ("", "aws"),
    "of-service-account": lambda case: case.is_of_cluster,
    "of-run": lambda case: not case.is_of_cluster,
    "run-context-required": lambda case: not case.is_of_cluster and _requires_context(case.analysed or case.lone_policy),
    "issuer-known-eks": lambda case: case.profile is EKS and bool(case.issuer),
    "audience-annotated": lambda case: case.account is None or AUDIENCE_ANNOTATION in case.account.annotations,
    "role-not-annotated": lambda case: case.account is None or not case.account.annotations.get(ROLE_ARN),
    "pod-identity-associated": lambda case: case.association is not None or not case.cluster_id,
    "association-known": lambda case: case.association is not None,
    "association-differs": lambda case: case.association is None or bool(case.association.differences),
    "hybrid-node-known": lambda case: any(
        case.view.installations.agents.compute_type(workload) == "hybrid" for workload in case.workloads
    ),
    "target-role-known": lambda case: bool(case.target_role),
    "role-known": lambda case: case.analysed is not None,
    "second-role-known": lambda case: any(_is_second(case, analysed) for analysed in case.view.roles),
    "other-audience-required": lambda case: case.token is None and _requires_other(case.analysed or case.lone_policy),
    "proxy-known": lambda case: any(_PROXIES & set(container.env) for container in case.containers),
    "profile-known": lambda case: any("AWS_PROFILE" in container.env for container in case.containers),
}
"""whether each is possible: those of a name without `known` are, as long as the input does not say otherwise"""


def _is_second(case: Case, analysed: AnalysedRole) -> bool:
    """Whether a role trusts the role of the case by name, so that a chain of the two is meant."""
    policy = analysed.policy
    if not case.role or policy is None or policy.refused or analysed.role.arn == case.role:
        return False
    return any(s.allow and case.role in s.aws for s in policy.statements)


def _requires_context(analysed: AnalysedRole | None) -> bool:
    """Whether a policy may require a branch, a tag, an environment or an event of its runs."""
    rings = {grant.facts.ring for grant in analysed.grants if isinstance(grant.facts, GrantFacts)} if analysed else {"ref"}
    return not rings.isdisjoint(("workload", "ref", "nobody"))


def _requires_other(analysed: AnalysedRole | None) -> bool:
    """Whether a policy admits from each provider only tokens with another audience than is usual at its issuer."""
    by_provider = analysed.by_provider if analysed else {}
    return bool(by_provider) and all(_is_other(provider, let_in) for provider, let_in in by_provider.items())


def _is_other(provider: str, let_in: Admitted) -> bool:
    profile = profile_of(issuer_of_provider(provider))
    if profile is None or not isinstance(let_in.audiences, Finite):
        return False
    written = {values.get("aud", "") for values in profile.right.values()}
    usual = {*profile.audience.default, *(value for value in written if value and "<" not in value)}
    return bool(usual and let_in.audiences.values) and usual.isdisjoint(let_in.audiences.values)


def is_possible(cause: Cause, case: Case) -> bool:
    """Whether no circumstance of a case rules a cause out."""
    return all(CIRCUMSTANCES[name](case) for name in cause.only)
