"""Reads the IAM principals that EKS lets into a cluster: its access entries, and the access policies associated with each."""

from functools import partial
from typing import Any

from irsa_doctor.model.commands import shell_command
from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.aws import AwsAccount
from irsa_doctor.sources.live.calls import Job, side_by_side
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.snapshot.snapshot import Origin

_DESCRIBE = "aws eks describe-access-entry --cluster-name {} --principal-arn {} --region {}"
_POLICIES = "aws eks list-associated-access-policies --cluster-name {} --principal-arn {} --region {}"
_WITHOUT_ENTRIES = "CONFIG_MAP"
"""the mode in which EKS refuses the calls: only aws-auth counts
(https://docs.aws.amazon.com/eks/latest/userguide/grant-k8s-access.html)"""


def read_access_entries(account: AwsAccount, name: str, region: str) -> None:
    """Every access entry of a cluster with its policies
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAccessEntries.html)."""
    arn = account.cluster_arn(name, region)
    if account.modes.get(arn) == _WITHOUT_ENTRIES:
        return
    listed, fault = account.pages("eks", "ListAccessEntries", "accessEntries", region, clusterName=name)
    origin = Origin(account=account.id, region=region, cluster=arn)
    principals = [str(principal) for principal in listed]
    path = _path(name, region)
    more = {"nextToken": "more"}
    account.note_list(path, "eks-list-access-entries", "accessEntries", principals, fault, more, region, origin)
    if fault:
        how = shell_command("aws eks list-access-entries --cluster-name {} --region {}", name, region)
        account.gap(fault, "entries", "", f"access entries of cluster {name}", how, arn)
    jobs = [
        Job(
            partial(_read_entry, account, name, region, principal),
            account.late("entries", principal, f"access entry of {principal} in cluster {name}", arn),
        )
        for principal in principals
    ]
    side_by_side(jobs, account.clock, account.notes)


def _read_entry(account: AwsAccount, name: str, region: str, principal: str) -> None:
    """One entry, and of one that can have policies these
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAccessEntry.html)."""
    arn = account.cluster_arn(name, region)
    names: dict[str, Any] = {"clusterName": name, "principalArn": principal}
    answer = account.member_of("eks", "DescribeAccessEntry", "accessEntry", region, **names)
    if isinstance(answer, CallError):
        if answer.kind != "absent":
            how = shell_command(_DESCRIBE, name, principal, region)
            account.gap(answer, "entries", principal, f"access entry of {principal} in cluster {name}", how, arn)
        return
    kept = fields.access_entry(answer)
    path, origin = (
        f"aws://{account.id}/{_path(name, region)}/{principal}",
        Origin(account=account.id, region=region, cluster=arn),
    )
    account.notes.answered(path, "eks-describe-access-entry", {"accessEntry": kept}, origin)
    if not isinstance(kept, dict) or kept.get("type", "STANDARD") != "STANDARD":
        return
    listed, fault = account.pages("eks", "ListAssociatedAccessPolicies", "associatedAccessPolicies", region, **names)
    if fault:
        how = shell_command(_POLICIES, name, principal, region)
        account.gap(fault, "entries", principal, f"access policies of {principal} in cluster {name}", how, arn)
        return
    document = {**names, "associatedAccessPolicies": [fields.policy_of_entry(item) for item in listed]}
    account.notes.answered(f"{path}/policies", "eks-list-associated-access-policies", document, origin)


def _path(name: str, region: str) -> str:
    return f"eks/{region}/clusters/{name}/access-entries"
