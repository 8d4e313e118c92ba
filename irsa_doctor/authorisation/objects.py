"""The objects of one cluster that ways need: accounts, pods, workloads, secrets and bindings that exist."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

import msgspec

from irsa_doctor.model import Cluster, ConfigMap, ServiceAccount, Workload
from irsa_doctor.model.access import AccessBinding

RESOURCES: Mapping[str, tuple[str, str]] = {
    "Pod": ("", "pods"),
    "Deployment": ("apps", "deployments"),
    "DaemonSet": ("apps", "daemonsets"),
    "StatefulSet": ("apps", "statefulsets"),
    "ReplicaSet": ("apps", "replicasets"),
    "ReplicationController": ("", "replicationcontrollers"),
    "Job": ("batch", "jobs"),
    "CronJob": ("batch", "cronjobs"),
}
"""kind -> API group and resource of what makes pods"""
_KUBERNETES = ("", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local")
"""audiences of the API server (https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/)"""
AWS_AUTH = ("kube-system", "aws-auth")
_EXEC_BY_CREATE_ALONE = (1, 35)
# https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
_ADMISSION_POLICIES = (1, 36)
_Key = TypeVar("_Key", bound=Hashable)


class HeldPod(msgspec.Struct, frozen=True):
    """A pod that runs: its account, and what its tokens are good for."""

    namespace: str
    name: str
    account: str
    node: str
    api: bool
    audiences: frozenset[str]


class ClusterObjects:
    """What exists in one cluster, by namespace and name."""

    def __init__(
        self,
        cluster: Cluster | None,
        accounts: Iterable[ServiceAccount],
        workloads: Iterable[Workload],
        secrets: Iterable[ConfigMap],
        bindings: Iterable[AccessBinding],
        webhooks: Iterable[str],
        namespaces: Iterable[str],
        *,
        has_aws_auth: bool,
    ) -> None:
        self.version = _version(cluster.version if cluster else "")
        self.mode = cluster.mode if cluster else ""
        self.has_aws_auth = has_aws_auth
        self.webhooks = frozenset(webhooks)
        self.namespaces = frozenset(namespaces)
        self.accounts: dict[str, dict[str, ServiceAccount]] = {}
        for account in accounts:
            self.accounts.setdefault(account.namespace, {})[account.name] = account
        self.workloads: dict[tuple[str, str], set[str]] = {}
        self.pods: list[HeldPod] = []
        for workload in workloads:
            self._add(workload)
        self.secrets: dict[str, dict[str, str]] = {}
        for secret in secrets:
            self.secrets.setdefault(secret.namespace, {})[secret.name] = secret.token_of
        self.bindings: dict[str, dict[str, AccessBinding]] = {}
        for binding in bindings:
            self.bindings.setdefault(binding.namespace, {})[binding.name] = binding

    def _add(self, workload: Workload) -> None:
        resource = RESOURCES.get(workload.kind)
        if resource is None:
            return
        self.workloads.setdefault((resource[1], workload.namespace), set()).add(workload.name)
        if workload.kind == "Pod" and not workload.over:
            self.pods.append(self._held(workload))

    def _held(self, pod: Workload) -> HeldPod:
        """https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"""
        audiences = frozenset(token.audience for token in pod.tokens)
        api = bool(audiences.intersection(_KUBERNETES))
        if not api and not pod.admitted:
            account = self.accounts.get(pod.namespace, {}).get(pod.service_account)
            mounts = pod.automount if pod.automount is not None else account.automount if account else None
            api = mounts is not False
        return HeldPod(pod.namespace, pod.name, pod.service_account, pod.node, api, audiences.difference(_KUBERNETES))

    @cached_property
    def pods_of(self) -> Mapping[tuple[str, str], Sequence[HeldPod]]:
        """Pods by (namespace, service account)."""
        return _grouped(self.pods, lambda pod: (pod.namespace, pod.account))

    @cached_property
    def pods_named(self) -> Mapping[str, Sequence[HeldPod]]:
        """Pods by name."""
        return _grouped(self.pods, lambda pod: pod.name)

    @cached_property
    def pods_in(self) -> Mapping[str, Sequence[HeldPod]]:
        """Pods by namespace."""
        return _grouped(self.pods, lambda pod: pod.namespace)

    @cached_property
    def pods_on(self) -> Mapping[str, Sequence[HeldPod]]:
        """Pods by node, those that are on one."""
        return _grouped((pod for pod in self.pods if pod.node), lambda pod: pod.node)

    @cached_property
    def spaces_of_workloads(self) -> Mapping[str, Sequence[str]]:
        """Namespaces by the resource of which they have an object."""
        return _grouped_names(self.workloads)

    @cached_property
    def tokens_of(self) -> Mapping[tuple[str, str], Sequence[str]]:
        """Names of the Secrets with a token, by (namespace, service account)."""
        table: dict[tuple[str, str], list[str]] = {}
        for namespace, secrets in self.secrets.items():
            for name, account in secrets.items():
                if account:
                    table.setdefault((namespace, account), []).append(name)
        return table

    def spaces(self, scope: str) -> Iterable[str]:
        """The namespaces of a scope."""
        return self.namespaces if scope == "*" else (scope,)

    def exec_by_get(self) -> bool | None:
        """Whether `get` of pods/exec is enough, None where the version is not known.

        https://github.com/kubernetes/kubernetes/issues/128743
        """
        return None if self.version is None else self.version < _EXEC_BY_CREATE_ALONE

    @property
    def has_admission_policies(self) -> bool:
        """Whether policies may change pods without a webhook: by default, and where the version is not known."""
        return self.version is None or self.version >= _ADMISSION_POLICIES


def _version(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(".")
    minor = minor.partition(".")[0].rstrip("+")
    is_version = major.isdecimal() and minor.isdecimal() and len(text) < 16
    return (int(major), int(minor)) if is_version else None


def _grouped(pods: Iterable[HeldPod], key: Callable[[HeldPod], _Key]) -> Mapping[_Key, Sequence[HeldPod]]:
    table: dict[_Key, list[HeldPod]] = {}
    for pod in pods:
        table.setdefault(key(pod), []).append(pod)
    return table


def _grouped_names(workloads: Mapping[tuple[str, str], set[str]]) -> Mapping[str, Sequence[str]]:
    table: dict[str, list[str]] = {}
    for resource, namespace in workloads:
        table.setdefault(resource, []).append(namespace)
    return table
