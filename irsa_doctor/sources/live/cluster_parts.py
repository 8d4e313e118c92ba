"""Reads parts of a cluster of EKS: the add-on of the Pod Identity agent, the roles of its nodes, and who is let in."""

from collections.abc import Iterator
from functools import partial

from irsa_doctor.model.commands import shell_command
from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.access_entries import read_access_entries
from irsa_doctor.sources.live.aws import AwsAccount
from irsa_doctor.sources.live.calls import Job, side_by_side
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.live.operations import allowed
from irsa_doctor.sources.snapshot.snapshot import Origin

_AGENT = "eks-pod-identity-agent"
_DESCRIBE_ADDON = "aws eks describe-addon --cluster-name {} --addon-name {} --region {}"
_DESCRIBE_GROUP = "aws eks describe-nodegroup --cluster-name {} --nodegroup-name {} --region {}"


def read_clusters(account: AwsAccount, region: str) -> None:
    """The clusters of a region, then their parts."""
    jobs = [job for name in account.read_clusters(region) for job in cluster_part_jobs(account, name, region)]
    side_by_side(jobs, account.clock, account.notes)


def cluster_part_jobs(account: AwsAccount, name: str, region: str) -> Iterator[Job]:
    """The calls for the parts of one cluster. What is denied of them is unknown, and nothing else needs it."""
    arn = account.cluster_arn(name, region)
    if ("eks", "ListAccessEntries") in allowed(account.command):
        yield access_job(account, name, region)
    if ("eks", "ListAddons") not in allowed(account.command):
        return
    yield Job(partial(_read_addons, account, name, region), account.late("addons", "", f"add-ons of cluster {name}", arn))
    yield Job(
        partial(_read_node_groups, account, name, region), account.late("nodegroups", "", f"node groups of cluster {name}", arn)
    )


def access_job(account: AwsAccount, name: str, region: str) -> Job:
    """The calls for the IAM principals that are users of a cluster."""
    late = account.late("entries", "", f"access entries of cluster {name}", account.cluster_arn(name, region))
    return Job(partial(read_access_entries, account, name, region), late)


def _read_addons(account: AwsAccount, name: str, region: str) -> None:
    """The names of the add-ons, and that of the agent with its configuration
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddon.html)."""
    names, fault = account.pages("eks", "ListAddons", "addons", region, clusterName=name)
    origin = Origin(account=account.id, region=region, cluster=account.cluster_arn(name, region))
    path = f"eks/{region}/clusters/{name}/addons"
    listed = [str(addon) for addon in names]
    account.note_list(path, "eks-list-addons", "addons", listed, fault, {"nextToken": "more"}, region, origin)
    what, how = f"add-ons of cluster {name}", shell_command("aws eks list-addons --cluster-name {} --region {}", name, region)
    if fault:
        account.gap(fault, "addons", "", what, how, origin.cluster)
    if _AGENT not in listed:
        return
    answer = account.member_of("eks", "DescribeAddon", "addon", region, clusterName=name, addonName=_AGENT)
    if not isinstance(answer, CallError):
        document = {"addon": fields.addon(answer)}
        account.notes.answered(f"aws://{account.id}/{path}/{_AGENT}", "eks-describe-addon", document, origin)
    elif answer.kind != "absent":
        how = shell_command(_DESCRIBE_ADDON, name, _AGENT, region)
        account.gap(answer, "addon", _AGENT, f"add-on {_AGENT} of cluster {name}", how, origin.cluster)


def _read_node_groups(account: AwsAccount, name: str, region: str) -> None:
    """Each node group of a cluster with its role
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeNodegroup.html)."""
    groups, fault = account.pages("eks", "ListNodegroups", "nodegroups", region, clusterName=name)
    arn = account.cluster_arn(name, region)
    if fault:
        how = shell_command("aws eks list-nodegroups --cluster-name {} --region {}", name, region)
        account.gap(fault, "nodegroups", "", f"node groups of cluster {name}", how, arn)
    jobs = [
        Job(
            partial(_read_node_group, account, name, region, str(group)),
            account.late("nodegroups", str(group), f"node group {group} of cluster {name}", arn),
        )
        for group in groups
    ]
    side_by_side(jobs, account.clock, account.notes)


def _read_node_group(account: AwsAccount, name: str, region: str, group: str) -> None:
    answer = account.member_of("eks", "DescribeNodegroup", "nodegroup", region, clusterName=name, nodegroupName=group)
    arn = account.cluster_arn(name, region)
    if isinstance(answer, CallError):
        if answer.kind != "absent":
            how = shell_command(_DESCRIBE_GROUP, name, group, region)
            account.gap(answer, "nodegroups", group, f"node group {group} of cluster {name}", how, arn)
        return
    path = f"aws://{account.id}/eks/{region}/clusters/{name}/nodegroups/{group}"
    origin = Origin(account=account.id, region=region, cluster=arn)
    account.notes.answered(path, "eks-describe-nodegroup", {"nodegroup": fields.node_group(answer)}, origin)
