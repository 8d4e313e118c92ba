"""Reads the permission policies of one role, kept as the answer of get-account-authorization-details that has them.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from irsa_doctor.model import Inventory, parse_arn
from irsa_doctor.model.commands import shell_command
from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.aws import AwsAccount, policy_document
from irsa_doctor.sources.live.calls import Job, side_by_side
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.snapshot.snapshot import Origin

_Members = dict[str, Any]


def role_policy_jobs(
    inventory: Inventory, roles: Iterable[str], account_of: Callable[[str], AwsAccount | None]
) -> Iterator[Job]:
    """The calls for the permission policies of roles that were read and whose policies are not known yet."""
    for arn in roles:
        parsed, role = parse_arn(arn), inventory.role_by_arn.get(arn)
        account = account_of(parsed.account) if parsed else None
        if account and role and role.permissions is None:
            late = account.late("role-permissions", role.name.lower(), f"permission policies of {arn}")
            yield Job(partial(_read_role_policies, account, role.name, arn), late)


def _read_role_policies(account: AwsAccount, name: str, arn: str) -> None:
    """The permission policies of a role, with its boundary, which the list of roles does not have."""
    try:
        role = _answered(account.member_of("iam", "GetRole", "Role", RoleName=name))
        inline = [_inline(account, name, policy) for policy in _listed(account, "ListRolePolicies", "PolicyNames", name)]
        attached = _listed(account, "ListAttachedRolePolicies", "AttachedPolicies", name)
    except _Refused as refused:
        if refused.fault.kind != "absent":
            how = shell_command("aws iam list-role-policies --role-name {}", name)
            account.gap(refused.fault, "role-permissions", name.lower(), f"permission policies of {arn}", how)
        return
    arns = [str(item.get("PolicyArn")) for item in attached]
    attachments = [{"PolicyArn": policy} for policy in arns]
    detail = {**role, "RolePolicyList": inline, "AttachedManagedPolicies": attachments}
    policies = _managed(account, name, arns)
    # these are neither all roles of the account nor all its policies
    document = {"RoleDetailList": [fields.permissions_of_role(detail)], "Policies": policies, "IsTruncated": True}
    path = f"aws://{account.id}/iam/role-policies/{name}"
    account.notes.answered(path, "iam-get-account-authorization-details", document, Origin(account=account.id))


class _Refused(Exception):
    """A call that did not answer: without it, nobody can say what the role may do."""

    def __init__(self, fault: CallError) -> None:
        super().__init__(fault.says)
        self.fault = fault


def _answered(answer: _Members | CallError) -> _Members:
    if isinstance(answer, CallError):
        raise _Refused(answer)
    return answer


def _listed(account: AwsAccount, operation: str, key: str, name: str) -> list[Any]:
    items, fault = account.pages("iam", operation, key, RoleName=name)
    if fault is not None:
        raise _Refused(fault)
    return items


def _inline(account: AwsAccount, name: str, policy: str) -> _Members:
    answer = _answered(account.ask("iam", "GetRolePolicy", RoleName=name, PolicyName=policy))
    return {"PolicyName": policy, "PolicyDocument": policy_document(str(answer.get("PolicyDocument")))}


def _managed(account: AwsAccount, name: str, arns: list[str]) -> list[_Members]:
    """The managed policies with their documents, without those that cannot be read: the role's list still names them."""
    versions: dict[str, object] = {}
    late = account.late("role-permissions", name.lower(), f"managed policies of role {name}")
    side_by_side([Job(partial(_read_version, account, arn, versions), late) for arn in arns], account.clock, account.notes)
    return [
        {"Arn": arn, "PolicyVersionList": [{"IsDefaultVersion": True, "Document": versions[arn]}]}
        for arn in arns
        if arn in versions
    ]


def _read_version(account: AwsAccount, arn: str, versions: dict[str, object]) -> None:
    """The document of the version of a managed policy that is in force; where it cannot be read, the policy is not known."""
    policy = account.member_of("iam", "GetPolicy", "Policy", PolicyArn=arn)
    if isinstance(policy, CallError):
        return
    version = str(policy.get("DefaultVersionId"))
    answer = account.member_of("iam", "GetPolicyVersion", "PolicyVersion", PolicyArn=arn, VersionId=version)
    if not isinstance(answer, CallError) and isinstance(answer.get("Document"), str):
        versions[arn] = policy_document(str(answer["Document"]))
