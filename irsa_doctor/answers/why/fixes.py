"""What mends a cause: the corrected trust policy, or the commands to run, with those that create its pods anew."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.lookups.associations import role_answer, target_answer
from irsa_doctor.model import Issuer
from irsa_doctor.model.edits import FixKind
from irsa_doctor.model.findings import Finding, Fix
from irsa_doctor.remedies import (
    add_audience,
    annotation,
    association_policy_for,
    command_fix,
    create_eks_provider,
    create_provider,
    create_service_account,
    policy_for,
    restart,
)
from irsa_doctor.rulebook.cause_block import Certainty
from irsa_doctor.rulebook.causes import Cause
from irsa_doctor.trust.presented import PresentedToken


def fix_of(case: Case, cause: Cause, link: str, finding: Finding | None, certainty: Certainty) -> Fix | None:
    """What corrects a cause of a link: the first of its kinds that belongs to the link, else what the finding has.

    None where the cause is only possible; a policy is offered only where the cause is certain.
    """
    if certainty == "possible":
        return None
    kinds = [kind for kind in cause.fix if link in _LINKS[kind] and (kind not in _POLICIES or certainty == "certain")]
    own = _FIXES[kinds[0]](case) if kinds else None
    if own is None and finding is not None and not (finding.fix and finding.fix.policy is not None):
        own = finding.fix
    # new pods alone change nothing where something else has to be mended first
    commands = tuple(_restarts(case)) if cause.restart and (own or not cause.fix) else ()
    if not commands:
        return own
    return msgspec.structs.replace(own, commands=(*own.commands, *commands)) if own else Fix(None, commands)


def remedy_of(case: Case, cause: Cause, finding: Finding | None) -> str:
    """What to do about a cause, in words: no provider is made for an issuer that STS cannot reach."""
    if case.issuer and "provider" in cause.fix and not Issuer.of(case.issuer).is_public:
        return (
            f"STS cannot reach https://{case.issuer}, so a provider for it is of no use. Let the API servers issue tokens with"
            " an issuer that is public (--service-account-issuer), and create the provider for that one."
        )
    return (finding.remedy.strip() if finding else "") or cause.remedy.strip()


def _policy(case: Case) -> Fix | None:
    """The policy of the role with all mended that keeps the token out."""
    if case.analysed is None or case.assumed_policy or not case.provider_arn or not isinstance(case.audience, str):
        return None
    if case.provider is None and case.role_arn and case.role_arn.account in case.view.inventory.closed.providers:
        # no policy admits a token whose provider does not exist
        return None
    account = case.role_arn.account if case.role_arn else ""
    known = {"aws:securetransport": ("true",), "aws:resourceaccount": (account,)}
    target = PresentedToken(account, case.provider_arn, case.issuer, case.subject, case.audience, known)
    return policy_for(case.view, case.analysed, target)


def _association_policy(case: Case) -> Fix | None:
    """The policy of the association's role, or of its target role, that lets EKS Pod Identity hand it out."""
    if case.association is None or not case.uses_pod_identity:
        return None
    roles = ((case.supplied, False), (case.target, True))
    offered = (
        association_policy_for(case.view, analysed, case.association, target=target)
        for analysed, target in roles
        if analysed and not _is_served(case, analysed, target)
    )
    return next(filter(None, offered), None)


def _is_served(case: Case, analysed: AnalysedRole, target: bool) -> bool:
    """Whether the trust policy of a role serves the association as it is."""
    if case.association is None or analysed.policy is None:
        return False
    answer = (target_answer if target else role_answer)(analysed.policy, case.association, case.view)
    return answer.state == "served"


def _client_id(case: Case) -> Fix | None:
    """The audience of the token added to the provider."""
    if case.provider is None or not isinstance(case.audience, str) or not case.audience:
        return None
    return command_fix(add_audience(case.provider_arn, case.audience), case.provider.managed_by)


def _provider(case: Case) -> Fix | None:
    """The provider created in the account of the role; STS has to reach its issuer."""
    if not Issuer.of(case.issuer).is_public or not case.provider_arn or not isinstance(case.audience, str) or not case.audience:
        return None
    cluster, account = case.cluster, case.role_arn.account if case.role_arn else ""
    if cluster and cluster.account == account and cluster.region and Issuer.of(case.issuer).form == "eks":
        return command_fix(create_eks_provider(cluster.name, cluster.region))
    return command_fix(create_provider(case.issuer, case.audience))


def _service_account(case: Case) -> Fix | None:
    """The service account created."""
    return command_fix(create_service_account(case.namespace, case.service_account)) if case.service_account else None


def _annotation(case: Case) -> Fix | None:
    """The role that was requested named on the service account, else the only one whose trust policy names it."""
    trusting = case.view.trusted_by_name.get((case.issuer, case.own_subject), ())
    role = case.stated_role or (trusting[0].role.arn if len(trusting) == 1 else "")
    return annotation(case.view, case.namespace, case.service_account, role) if role else None


_FIXES: Mapping[FixKind, Callable[[Case], Fix | None]] = {
    "policy": _policy,
    "client-id": _client_id,
    "provider": _provider,
    "service-account": _service_account,
    "annotation": _annotation,
    "association-policy": _association_policy,
}
_POLICIES = ("policy", "association-policy")
_LINKS: Mapping[FixKind, tuple[str, ...]] = {
    "policy": ("trust-policy",),
    "client-id": ("audience",),
    "provider": ("provider",),
    "service-account": ("service-account",),
    "annotation": ("service-account",),
    "association-policy": ("pod-identity", "target-role"),
}
"""the links that each of them mends"""


def _restarts(case: Case) -> Iterator[str]:
    """What creates pods anew: they get their identity once, when they are created."""
    commands = []
    for workload in case.workloads:
        above = case.view.workload_lookups.owner_of(workload) if workload.owner else None
        whole = above or workload
        commands.append(restart(whole.namespace, whole.kind, whole.name))
    yield from dict.fromkeys(command for command in commands if command)
