"""What belongs to a workload: its service account, its owner, its configuration, the provider of its cluster."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from posixpath import dirname

import msgspec

from irsa_doctor.facts.lookups.accounts import ACCOUNTS_HOW
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.workloads.webhook import names_a_role
from irsa_doctor.issuers import EKS
from irsa_doctor.model import (
    Container,
    EnvSource,
    Inventory,
    PodIdentityAssociation,
    ServiceAccount,
    Unknown,
    Workload,
    text_of,
)
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION

_KEYS = Unknown(
    "keys of the ConfigMaps and Secrets that containers take as environment",
    # the values of Secrets, and the annotations that repeat them, do not belong in a file
    "kubectl get configmaps,secrets -A -o json | jq '.items |= map({apiVersion, kind, metadata: {name: .metadata.name, "
    'namespace: .metadata.namespace}, data: ((.data // {}) | map_values(""))})\' > configmaps-secrets.json',
)
AccountKey = tuple[str, str, str]


class WorkloadLookups(msgspec.Struct, frozen=True, dict=True):
    """The tables of one inventory in which workloads look up what belongs to them."""

    lookups: Lookups

    @property
    def inventory(self) -> Inventory:
        """The inventory."""
        return self.lookups.inventory

    @cached_property
    def _strays(self) -> Mapping[tuple[str, str], list[ServiceAccount]]:
        """Service accounts of no known cluster, by namespace and name."""
        table: dict[tuple[str, str], list[ServiceAccount]] = {}
        for account in self.inventory.service_accounts:
            if not account.cluster:
                table.setdefault((account.namespace, account.name), []).append(account)
        return table

    def account_of(self, workload: Workload) -> ServiceAccount | Unknown | None:
        """The service account of a workload, None where it does not exist.

        Manifests of no known cluster belong together where they lie in one folder, or where there is nothing else.
        """
        key = (workload.cluster, workload.namespace, workload.service_account)
        if workload.cluster:
            exact = self.inventory.service_account_by_key.get(key)
            if exact is not None:
                return exact
        else:
            known = self._strays.get((workload.namespace, workload.service_account), [])
            folder = dirname(workload.place.document)
            near = [account for account in known if dirname(account.place.document) == folder]
            if len(near) == 1:
                return near[0]
            if len(known) == 1 and not self.inventory.clusters:
                return known[0]
        if self.inventory.lacks_account(*key):
            return None
        cluster = self.lookups.name_of(workload.cluster)
        missing = f"service accounts of the namespaces of workloads in {cluster}"
        return self.inventory.unknown("serviceaccounts", workload.cluster, workload.namespace, missing, *ACCOUNTS_HOW)

    def has_looked_for(self, account: ServiceAccount | Unknown | None, workload: Workload) -> bool:
        """Whether somebody has looked for the account of a workload: manifests of some objects say nothing of others."""
        refused = self.inventory.refused("serviceaccounts", workload.cluster, workload.namespace)
        return not isinstance(account, Unknown) or refused is not None

    def association_of(self, workload: Workload) -> PodIdentityAssociation | None:
        """The Pod Identity association of a workload's service account, where one is known."""
        key = (workload.cluster, workload.namespace, workload.service_account)
        return self.inventory.association_by_key.get(key)

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str, str], Workload]:
        return {(w.cluster, w.namespace, f"{w.kind}/{w.name}"): w for w in self.inventory.workloads}

    def owner_of(self, workload: Workload) -> Workload | None:
        """The topmost object of the input that owns a workload; None where it has no owner."""
        top, seen = None, {f"{workload.kind}/{workload.name}"}
        owner = workload.owner
        while owner and owner not in seen:
            seen.add(owner)
            above = self._by_name.get((workload.cluster, workload.namespace, owner)) or self._maker(workload, owner)
            if above is None:
                break
            top, owner = above, above.owner
        return top

    def _maker(self, workload: Workload, owner: str) -> Workload | None:
        """What made an owner that is not here: a Deployment names its ReplicaSets by the hash of the template, a CronJob its
        Jobs by the time (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label)."""
        kind, _, name = owner.partition("/")
        base, _, last = name.rpartition("-")
        above = ""
        if kind == "ReplicaSet" and last and last == workload.labels.get("pod-template-hash"):
            above = f"Deployment/{base}"
        elif kind == "Job" and last.isdecimal():
            above = f"CronJob/{base}"
        return self._by_name.get((workload.cluster, workload.namespace, above)) if above else None

    @cached_property
    def _keys(self) -> Mapping[tuple[str, str, str, str], frozenset[str]]:
        table: dict[tuple[str, str, str, str], frozenset[str]] = {}
        for item in self.inventory.config_maps:
            key = (item.cluster, item.namespace, item.kind, item.name)
            table[key] = table.get(key, frozenset()) | frozenset(item.keys)
        return table

    def takes(self, workload: Workload, container: Container, name: str) -> bool | Unknown:
        """Whether a container has an environment variable from a whole ConfigMap or Secret."""
        unseen = False
        for source in container.env_from:
            keys = self._keys.get((workload.cluster, workload.namespace, source.kind, source.name))
            if keys is not None and _gives(source, keys, name):
                return True
            unseen = unseen or (keys is None and name.startswith(source.prefix))
        return _KEYS if unseen else False

    def expected_audiences(self, workload: Workload, account: ServiceAccount | Unknown | None) -> frozenset[str]:
        """The audience that the token of a workload should have: as its service account requests, else the default of the
        webhook."""
        audience = account.annotations.get(AUDIENCE_ANNOTATION) if isinstance(account, ServiceAccount) else None
        if audience is not None:
            return frozenset({text_of(audience)})
        issuer = self.lookups.issuer_of(workload.cluster)
        return self.lookups.default_audiences(issuer) if issuer else frozenset(EKS.audience.default)

    def _client_ids(self, issuer: str) -> frozenset[str] | None:
        """Client ids of the providers of an issuer in all accounts, None where those of one are not known, or it has none."""
        known = [provider.client_ids for provider in self.lookups.providers_by_issuer.get(issuer, ())]
        seen = [frozenset(ids) for ids in known if not isinstance(ids, Unknown)]
        return frozenset().union(*seen) if known and len(seen) == len(known) else None

    def accepted(self, cluster: str) -> frozenset[str] | Unknown:
        """The audiences that some OIDC provider of a cluster's issuer accepts."""
        client_ids = self._client_ids(self.lookups.issuer_of(cluster))
        if client_ids is None:
            what = f"client ids of the OIDC provider of {self.lookups.name_of(cluster)}"
            return Unknown(what, self._command_for_client_ids(self.lookups.issuer_of(cluster)))
        return client_ids

    def _command_for_client_ids(self, issuer: str) -> str:
        """That of the provider whose client ids are not known; where the input has no provider, that which lists them."""
        seen = (provider.client_ids for provider in self.lookups.providers_by_issuer.get(issuer, ()))
        unseen = next((ids for ids in seen if isinstance(ids, Unknown)), None)
        return unseen.how if unseen is not None else "aws iam list-open-id-connect-providers"

    @cached_property
    def users(self) -> Mapping[AccountKey, int]:
        """How many workloads run under a service account, by cluster, namespace and name."""
        return Counter((w.cluster, w.namespace, w.service_account) for w in self.inventory.workloads if not w.over)

    @cached_property
    def prepared(self) -> Mapping[tuple[str, str], Mapping[str, ServiceAccount]]:
        """Service accounts that have a role, by cluster and namespace, then by name."""
        table: dict[tuple[str, str], dict[str, ServiceAccount]] = {}
        for account in self.inventory.service_accounts:
            associated = (account.cluster, account.namespace, account.name) in self.inventory.association_by_key
            if associated or names_a_role(account):
                table.setdefault((account.cluster, account.namespace), {})[account.name] = account
        return table


def _gives(source: EnvSource, keys: frozenset[str], name: str) -> bool:
    return name.startswith(source.prefix) and name[len(source.prefix) :] in keys
