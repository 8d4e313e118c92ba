"""Facts of pods that use an identity of Azure, and of clusters of AKS."""

from functools import partial
from typing import Literal

from irsa_doctor.facts.clouds.lookup import (
    CLIENT_ID,
    CLIENT_VARIABLE,
    RETIRED_LABEL,
    SKIPPED_CONTAINERS,
    TOKEN_EXPIRATION,
    TOKEN_FILE_VARIABLE,
    USE_LABEL,
    CloudLookups,
)
from irsa_doctor.facts.clouds.records import AksClusterFacts, AzureWorkloadFacts
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import CloudCluster, ServiceAccount, Text, Unknown, Workload, text_of
from irsa_doctor.model.commands import shell_command

_EXPIRATION = range(3600, 86401)
_SECRETS_STORE = "secrets-store.csi.k8s.io"
# the kubelet gives the driver the token of the service account with each mount: it needs neither the webhook nor the label
# (https://github.com/Azure/secrets-store-csi-driver-provider-azure/issues/1022)
_BY_VOLUME = Unknown("whether pods with a volume of the secrets store, which needs no label, use their identity otherwise")


def expiration_range(written: str | Text | None) -> Literal["fine", "out-of-range"]:
    """Whether the webhook accepts the lifetime of a token (seconds)."""
    if written is None or isinstance(written, Text):
        return "fine"
    return "fine" if written.isdecimal() and int(written[:9]) in _EXPIRATION else "out-of-range"


def azure_workload_facts(lookups: CloudLookups, workload: Workload) -> Judged | None:
    """The facts of pods that use an identity of Azure, None where nothing shows that they do."""
    account = lookups.account_of(workload)
    named = account is not None and CLIENT_ID in account.annotations
    if not named and USE_LABEL not in workload.labels and RETIRED_LABEL not in workload.labels:
        return None
    facts = AzureWorkloadFacts(
        client_id=_client_of(lookups, workload, account),
        label=_label_of(workload, named=named),
        containers=_skipped(workload),
        expiration=expiration_range(workload.annotations.get(TOKEN_EXPIRATION)),
        retired_identity=RETIRED_LABEL in workload.labels,
    )
    common = lookups.common
    ident = f"{common.label_of(workload.cluster)}/{workload.namespace}/{workload.kind.lower()}/{workload.name}"
    group = f"{common.label_of(workload.cluster)}/{workload.namespace}/{workload.service_account}"
    return Judged("workload", ident, group, facts, partial(_workload_evidence, workload, account))


def _client_of(
    lookups: CloudLookups, workload: Workload, account: ServiceAccount | None
) -> Literal["fine", "missing"] | Unknown:
    by_hand = any(CLIENT_VARIABLE in container.env for container in workload.containers)
    if workload.labels.get(USE_LABEL) != "true" or by_hand or any(container.env_from for container in workload.containers):
        return "fine"
    if account is not None:
        return "fine" if CLIENT_ID in account.annotations else "missing"
    name = f"{workload.namespace}/{workload.service_account}"
    command = shell_command("kubectl get serviceaccount -n {} {} -o yaml", workload.namespace, workload.service_account)
    return lookups.common.inventory.unknown("serviceaccounts", workload.cluster, "", f"service account {name}", command)


def _label_of(workload: Workload, *, named: bool) -> Literal["set", "missing", "by-hand"] | Unknown:
    if workload.labels.get(USE_LABEL) == "true" or not named:
        return "set"
    if any(TOKEN_FILE_VARIABLE in container.env for container in workload.containers):
        return "by-hand"
    return _BY_VOLUME if _SECRETS_STORE in workload.volume_drivers else "missing"


def _skipped(workload: Workload) -> Literal["fine", "all-skipped"]:
    """https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html"""
    written = workload.annotations.get(SKIPPED_CONTAINERS)
    if not isinstance(written, str) or workload.labels.get(USE_LABEL) != "true":
        return "fine"
    skipped = {name.strip() for name in written.split(";")}
    regular = [container.name for container in workload.containers if not container.init]
    return "all-skipped" if regular and all(name in skipped for name in regular) else "fine"


def _workload_evidence(workload: Workload, account: ServiceAccount | None) -> Evidence:
    at = workload.template.at("metadata")
    names = {
        "workload": f"{workload.kind.lower()} {workload.namespace}/{workload.name}",
        "account": f"{workload.namespace}/{workload.service_account}",
        "label": f'"{workload.labels[USE_LABEL]}"' if USE_LABEL in workload.labels else "not set",
        "skipped": text_of(workload.annotations.get(SKIPPED_CONTAINERS, "")),
        "expiration": text_of(workload.annotations.get(TOKEN_EXPIRATION, "")),
    }
    labels, annotations = at.at("labels"), at.at("annotations")
    places = {
        "labels": labels if workload.labels else workload.place.at("metadata", "name"),
        "skipped": annotations.at(SKIPPED_CONTAINERS),
        "expiration": annotations.at(TOKEN_EXPIRATION),
        "retired": labels.at(RETIRED_LABEL),
        "account": account.place.at("metadata", "name") if account else workload.template.at("spec"),
    }
    return Evidence(names, places)


def aks_cluster_facts(lookups: CloudLookups, cluster: CloudCluster) -> Judged:
    """The facts of a cluster of AKS."""
    unseen = Unknown(f"settings of the cluster {lookups.common.name_of(cluster.cluster)}", "az aks show")
    facts = AksClusterFacts(
        used=lookups.uses_azure(cluster.cluster),
        issues_tokens=unseen if cluster.issues_tokens is None else cluster.issues_tokens,
        injects=unseen if cluster.injects is None else cluster.injects,
    )
    name = lookups.common.name_of(cluster.cluster)
    at = cluster.place
    places = {"issuer": at.at("oidcIssuerProfile"), "webhook": at.at("securityProfile"), "cluster": at}
    return Judged("cluster", cluster.cluster, cluster.cluster, facts, lambda: Evidence({"cluster": name}, places))
