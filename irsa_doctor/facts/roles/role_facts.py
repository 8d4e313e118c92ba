"""Facts of whole roles, whatever service account names them."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from irsa_doctor.facts.grants.reach import lost_subject
from irsa_doctor.facts.lookups.associations import Served
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.chains import Chained, reached_by_chain
from irsa_doctor.facts.roles.clusters import clusters_with_same_account
from irsa_doctor.facts.roles.evidence import (
    is_permission_policy,
    on_claims,
    unexplained,
    wide_principals,
    without_federated,
)
from irsa_doctor.facts.roles.likeness import is_long_session, is_near_quota
from irsa_doctor.facts.roles.pod_identity import (
    Capability,
    any_cluster_may,
    capability_role,
    handed_out,
    is_for_pods,
    reached_as_target,
)
from irsa_doctor.facts.roles.shutting import Shuts, shutting_of_role
from irsa_doctor.facts.roles.target_permissions import OnTarget, on_targets
from irsa_doctor.facts.workloads.records import PLACEHOLDERS
from irsa_doctor.model import Role, TrustPolicy, Unknown
from irsa_doctor.trust import Admitted, Policy
from irsa_doctor.trust.refusals import Problem, Steps
from irsa_doctor.trust.times import policy_at

_OF_NOBODY = frozenset({"no-statement", "empty-principal"})
Mixed = Literal["no", "service", "account", "everyone"]


class RoleFacts(msgspec.Struct, frozen=True):
    """What is true of a whole role or bare policy."""

    refused: Literal["yes", "no"] | Unknown
    """Whether IAM refuses to save the policy"""
    duplicate_member: bool | Unknown
    replaced_opens: bool | Unknown
    """Whether a member of that name removed the only condition on the subject"""
    wrong_document: bool | Unknown
    near_quota: bool | Unknown
    deny: Shuts | Unknown
    """How a Deny statement denies the service accounts that name the role: it matches, or the key that it negates is missing"""
    mixed: Mixed | Unknown
    """Who may assume the role beside web identities"""
    web_identity_of_aws: bool | Unknown
    clusters: int | Unknown
    """In how many clusters the same service account is trusted"""
    contested: bool | Unknown
    """Whether the verdict depends on a point on which AWS is silent"""
    pod_identity: Served | Unknown
    """Whether the Pod Identity association that names the role can use it, and if not, what is missing"""
    pod_identity_target: Served | Unknown
    """The same of an association that names it as target role"""
    on_targets: OnTarget | Unknown
    """Whether the permissions of a role of Pod Identity associations allow it to assume their target roles"""
    pod_identity_open: bool | Unknown
    capability: Capability | Unknown
    chain: Chained | Unknown
    """Whether a role in the input that assumes it from a first role is trusted by it"""
    long_session: bool | Unknown


def role_facts(
    role: Role, policy: Policy, by_provider: dict[str, Admitted], defective: list[Steps], lookups: Lookups
) -> RoleFacts:
    """The facts of a role with a policy; `defective` are the places of the defects that are findings."""
    codes = {problem.code for problem in policy.problems if problem.refused}
    replaced = role.policy.replaced if isinstance(role.policy, TrustPolicy) else ()
    served = handed_out(role, policy, lookups)
    web_of_aws = any(not (served == "condition" and is_for_pods(statement)) for statement in without_federated(policy))
    is_ours = by_provider or web_of_aws or any(map(on_claims, policy.statements))
    mixed = _mixed(policy) if is_ours else "no"
    return RoleFacts(
        refused=_refused(role, unexplained(policy, defective)),
        duplicate_member="duplicate-member" in codes or bool(replaced),
        replaced_opens=bool(replaced) and any(lost_subject(statement, replaced) for statement in policy.statements),
        wrong_document=is_permission_policy(policy),
        near_quota=is_near_quota(policy.size),
        deny=shutting_of_role(policy, policy_at(policy, lookups.standards_context.as_of), by_provider).kind,
        mixed=mixed,
        web_identity_of_aws=web_of_aws,
        clusters=clusters_with_same_account(by_provider),
        contested=bool([a for a in by_provider.values() if a.contested]),
        pod_identity=served,
        pod_identity_target=reached_as_target(role, policy, lookups),
        on_targets=on_targets(role, lookups),
        pod_identity_open=mixed == "no" and any_cluster_may(role, policy, lookups),
        capability=capability_role(role, policy, lookups)[0],
        chain=reached_by_chain(role, policy, lookups),
        long_session=bool(by_provider) and is_long_session(role.max_session),
    )


def _refused(role: Role, problems: Sequence[Problem]) -> Literal["yes", "no"] | Unknown:
    """Whether IAM refuses the policy; that nobody is in it, in one case of a template, may be a case that nobody takes."""
    if role.case and problems and {problem.code for problem in problems} <= _OF_NOBODY:
        return PLACEHOLDERS
    return "yes" if problems else "no"


def _mixed(policy: Policy) -> Mixed:
    """Who else may assume the role without a condition that narrows it: the widest of them."""
    widths = {width for width, _, _ in wide_principals(policy)}
    order: tuple[Mixed, ...] = ("everyone", "account", "service")
    return next((width for width in order if width in widths), "no")
