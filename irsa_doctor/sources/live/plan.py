"""Reads what a command needs from the live sources, side by side, and loads it with the files of the input."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import partial
from typing import Any

from irsa_doctor.model import Arn, Cluster, Gap, Inventory, Issuer, parse_arn
from irsa_doctor.sources.live.aws import AwsAccount
from irsa_doctor.sources.live.calls import Job, side_by_side
from irsa_doctor.sources.live.cluster_parts import access_job, cluster_part_jobs, read_clusters
from irsa_doctor.sources.live.errors import CallError, refuse_silence
from irsa_doctor.sources.live.issuer import fetch_issuer
from irsa_doctor.sources.live.kubernetes import ApiServer, same_server
from irsa_doctor.sources.live.operations import ORGANIZATION, Resource, resources_of
from irsa_doctor.sources.live.options import LiveOptions, Plan, Target
from irsa_doctor.sources.live.role_policies import role_policy_jobs
from irsa_doctor.sources.live.sources import LiveSources
from irsa_doctor.sources.live.targets import (
    clusters_with,
    has_issuer,
    is_cluster_of,
    is_near_issuer,
    roles_named_by,
    roles_with_next,
    service_accounts_of,
)
from irsa_doctor.sources.loading import Loaded, Loading
from irsa_doctor.sources.snapshot.snapshot import Snapshot
from irsa_doctor.version import __version__

_OF_CLUSTERS = {"entries": "access entries", "associations": "Pod Identity associations"}
"""what of a cluster is not known where its account is not read"""
_OTHER_REGIONS = "other regions"
"""the name of a gap about no region in particular: what is known of those that are read stays known"""
_CLUSTER_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", re.ASCII)
# https://ABC.gr7.us-east-1.eks.amazonaws.com
_ENDPOINT = re.compile(r"https://[^/]*\.(?P<region>[a-z]{2,}(?:-[a-z]+)+-\d+)\.eks\.")


def load_live(plan: Plan, options: LiveOptions, loading: Loading | None = None) -> Loaded:
    """Read from the live sources what the plan needs, and load it together with the documents.

    Raises LiveError where no requested source can be read at all; for `check` also where no call after that succeeds.
    """
    snapshot = take(plan, options, documents := Loading() if loading is None else loading)
    refuse_silence(snapshot, plan.command == "check" and (options.aws or options.kube))
    return documents.loaded((snapshot,))


def take(plan: Plan, options: LiveOptions, loading: Loading | None = None) -> Snapshot:
    """What the live sources answer, as a snapshot. Raises LiveError as `load_live` does."""
    sources = LiveSources(plan.command, options)
    run = LiveRun(plan, sources, Loading() if loading is None else loading)
    try:
        sources.open()
        if plan.target is not None:
            run.read_target(plan.target)
        elif plan.everything:
            run.read_everything()
        else:
            run.read_roles()
        run.read_role_policies()
        run.name_clusters()
        if options.fetch_issuer:
            run.fetch_issuers()
    finally:
        sources.close()
    return run.snapshot()


class LiveRun:
    """What one run reads of live sources that are open, collected in a snapshot."""

    def __init__(self, plan: Plan, sources: LiveSources, loading: Loading) -> None:
        self.plan = plan
        self.sources = sources
        self.options, self.notes = sources.options, sources.notes
        self._loading = loading

    def snapshot(self) -> Snapshot:
        """What has been answered up to now."""
        return self.notes.snapshot(version=__version__, taken=datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def inventory(self) -> Inventory:
        """The files and what has been answered up to now."""
        return self._loading.loaded((self.snapshot(),)).inventory

    # everything

    def read_everything(self) -> None:
        """All that there is, in every account and cluster."""
        jobs = list(self._whole_clusters())
        for account in self.sources.accounts:
            jobs.append(Job(account.read_roles, account.late("roles", "", f"roles of account {account.id}")))
            if self.options.alone:
                jobs.append(Job(account.read_guardrails, account.late("rcps", "", "resource control policies")))
            jobs.append(self._job(partial(self._read_account, account), account.id))
        side_by_side(jobs, self.sources.clock, self.notes)

    def _whole_clusters(self) -> Iterator[Job]:
        for server in self.sources.servers:
            yield self._job(partial(server.read_everything, self._resources), server.cluster)

    @property
    def _resources(self) -> tuple[Resource, ...]:
        return resources_of(self.plan.command, secrets=self.options.secrets)

    def _job(self, run: Callable[[], None], owner: str) -> Job:
        return Job(run, Gap("", owner, "", self.sources.late("part of the input"), "a longer --timeout"))

    def _read_account(self, account: AwsAccount) -> None:
        """Providers and clusters; the issuers of the providers tell in which regions there are clusters."""
        issuers = account.read_providers(lambda issuer: True)
        regions = self._regions(account, (*issuers, *(server.issuer for server in self.sources.servers)))
        jobs = [
            Job(partial(read_clusters, account, region), account.late("clusters", region, f"clusters in {region}"))
            for region in regions
        ]
        side_by_side(jobs, self.sources.clock, self.notes)

    def _regions(self, account: AwsAccount, issuers: Iterable[str]) -> list[str]:
        if self.options.regions:
            return list(dict.fromkeys(self.options.regions))
        enabled, fault = ([], None) if self.options.alone else account.enabled_regions()
        if enabled and not fault:
            return enabled
        if fault:
            what = f"clusters of account {account.id} in regions that no provider names"
            account.gap(fault, "clusters", _OTHER_REGIONS, what, "name one with --region")
        regions = {account.region, *enabled, *(Issuer.of(issuer).region for issuer in issuers)} - {""}
        if not regions:
            missing = f"clusters of account {account.id}: no region is configured"
            self.notes.gap(Gap("clusters", account.id, "", missing, "name one with --region"))
        return sorted(regions)

    # a target

    def read_target(self, target: Target) -> None:
        """What is about one service account or workload: its namespace, its cluster, its roles and their account."""
        in_files = self._loading.loaded().inventory.clusters
        issuers = {server.issuer for server in self.sources.servers} | {str(cluster.issuer) for cluster in in_files}
        clusters: dict[str, dict[str, Any]] = {}
        jobs = [
            self._job(partial(server.read_namespace, target.namespace, self._resources), server.cluster)
            for server in self.sources.servers
        ]
        jobs += [
            self._job(
                partial(_ignored, account.read_providers, partial(is_near_issuer, frozenset({*issuers, *self.plan.issuers}))),
                account.id,
            )
            for account in self.sources.accounts
        ]
        if self.sources.accounts:
            jobs += [self._job(partial(self._find, server, clusters), server.cluster) for server in self.sources.servers]
            jobs += self._jobs_of_files(in_files)
        side_by_side(jobs, self.sources.clock, self.notes)
        self._read_bound(target, clusters)

    def _jobs_of_files(self, in_files: Sequence[Cluster]) -> Iterator[Job]:
        """The cluster that the user, a token or the files name, where the API server is not read; else any may be it."""
        if self.sources.servers or any(cluster.arn for cluster in in_files):
            return
        issuers = {*self.plan.issuers, *(cluster.issuer for cluster in in_files if isinstance(cluster.issuer, str))}
        for account in self.sources.accounts:
            for region in self._regions(account, issuers):
                if name := self._named_cluster(account, region):
                    yield self._job(partial(_ignored, account.read_cluster, name, region), account.id)
                elif issuers and not self.plan.cluster:
                    is_it = partial(has_issuer, frozenset(issuers))
                    yield self._job(partial(_ignored, account.find_cluster, is_it, region, ()), account.id)
                elif not self.plan.cluster:
                    yield self._job(partial(_ignored, account.read_clusters, region), account.id)

    def _named_cluster(self, account: AwsAccount, region: str) -> str:
        """The cluster that the user names, where it can be one of this account and region."""
        arn = parse_arn(self.plan.cluster)
        if arn:
            return arn.name if (arn.account, arn.region) == (account.id, region) else ""
        return self.plan.cluster if _CLUSTER_NAME.fullmatch(self.plan.cluster) else ""

    def _find(self, server: ApiServer, clusters: dict[str, dict[str, Any]]) -> None:
        """Find the EKS cluster of a context: by its issuer, else by its endpoint, never by names."""
        if server.issuer and Issuer.of(server.issuer).form != "eks":
            return
        hints = [(parse_arn(hint), hint) for hint in server.connection.hints]
        named = {arn.account for arn, _ in hints if arn and arn.service == "eks"}
        accounts = [account for account in self.sources.accounts if account.id in named] or self.sources.accounts
        collection = "entries" if self.plan.command == "who-can" else "associations"
        unseen: list[tuple[AwsAccount, CallError]] = []
        for account in accounts:
            for region in self._regions_of(server, account, [arn for arn, _ in hints if arn]):
                names = [arn.name if arn else hint for arn, hint in hints]
                cluster_names = [name for name in names if _CLUSTER_NAME.fullmatch(name)]
                cluster = account.find_cluster(partial(is_cluster_of, server), region, cluster_names)
                if isinstance(cluster, CallError):
                    unseen.append((account, cluster))
                elif cluster:
                    clusters[str(cluster.get("arn"))] = cluster
                    return
        for account, fault in unseen:
            what = f"{_OF_CLUSTERS[collection]} of the cluster of context {server.context}"
            account.gap(fault, collection, "", what, "a longer --timeout, or another try", owner=server.cluster)
        if not unseen:
            self._note_elsewhere(server, named, collection)

    def _note_elsewhere(self, server: ApiServer, named: Set[str], collection: str) -> None:
        """Note that the cluster of a context is in none of the accounts; `named` are those that its kubeconfig names."""
        elsewhere = named - {account.id for account in self.sources.accounts}
        where = f"; the kubeconfig names account {', '.join(sorted(elsewhere))}" if elsewhere else ""
        accounts_read = ", ".join(sorted(account.id for account in self.sources.accounts))
        missing = (
            f"{_OF_CLUSTERS[collection]}: the cluster of context {server.context} is not in account {accounts_read}{where}"
        )
        self.notes.gap(Gap(collection, server.cluster, "", missing, "a --profile of the cluster's account"))

    def _regions_of(self, server: ApiServer, account: AwsAccount, hints: Sequence[Arn]) -> list[str]:
        if self.options.regions:
            return list(dict.fromkeys(self.options.regions))
        endpoint = _ENDPOINT.match(server.connection.server)
        region = Issuer.of(server.issuer).region or (endpoint["region"] if endpoint else "")
        return [region] if region else sorted({account.region, *(arn.region for arn in hints)} - {""})

    def _read_bound(self, target: Target, clusters: Mapping[str, Mapping[str, Any]]) -> None:
        """The roles that the target names or is associated with, and the policies over their account."""
        known = self.inventory()
        accounts = list(service_accounts_of(known, target))
        associated: list[str] = []
        jobs: list[Job] = []
        for arn in clusters_with(known, target) or {*clusters, *(cluster.arn for cluster in known.clusters if cluster.arn)}:
            jobs += self._association_jobs(arn, target, accounts, associated)
        side_by_side(jobs, self.sources.clock, self.notes)
        named = {*roles_named_by(known, target, accounts), *self.plan.roles}
        self._read_roles({*named, *associated} - {""})
        if not named:
            self._read_more(known, target)

    def _association_jobs(self, cluster: str, target: Target, names: Sequence[str], roles: list[str]) -> Iterator[Job]:
        arn = parse_arn(cluster)
        account = self.sources.account_of(arn.account) if arn else None
        if arn is None or account is None:
            return
        for name in names:

            def read(name: str = name, arn: Arn = arn, account: AwsAccount = account) -> None:
                roles.extend(account.read_associations(arn.name, arn.region, target.namespace, name))

            yield self._job(read, account.id)
        yield from cluster_part_jobs(account, arn.name, arn.region)

    def _read_more(self, known: Inventory, target: Target) -> None:
        """No role is named: the roles that trust the target, and accounts of its name elsewhere, show which was meant."""
        jobs = [
            Job(account.read_roles, account.late("roles", "", f"roles of account {account.id}"))
            for account in self.sources.accounts
        ]
        jobs += [self._job(server.read_service_accounts, server.cluster) for server in self.sources.servers]
        side_by_side(jobs, self.sources.clock, self.notes)

    def read_roles(self) -> None:
        """The roles of the plan; for who-can what shows who becomes them through Kubernetes, for why the providers."""
        jobs = [self._job(partial(self._read_roles, self.plan.roles), "")]
        if self.plan.command == "why":
            is_relevant = partial(is_near_issuer, frozenset(self.plan.issuers))
            jobs += [
                self._job(partial(_ignored, account.read_providers, is_relevant), account.id)
                for account in self.sources.accounts
            ]
        else:
            jobs += self._whole_clusters()
            if self.sources.accounts:
                jobs += [self._job(partial(self._read_access, server), server.cluster) for server in self.sources.servers]
        side_by_side(jobs, self.sources.clock, self.notes)

    def _read_access(self, server: ApiServer) -> None:
        """Who EKS lets into the cluster of a context."""
        clusters: dict[str, dict[str, Any]] = {}
        self._find(server, clusters)
        for arn in map(parse_arn, clusters):
            if arn and (account := self.sources.account_of(arn.account)):
                side_by_side([access_job(account, arn.name, arn.region)], self.sources.clock, self.notes)

    def _read_roles(self, roles: Iterable[str]) -> None:
        jobs: list[Job] = []
        over: dict[str, AwsAccount] = {}
        for role in sorted(set(roles)):
            arn = parse_arn(role)
            name = (arn.name if arn else role).rpartition("/")[2]
            account = self.sources.account_of(arn.account) if arn else None
            if arn and account is None:
                self._note_other_account(arn, name)
                continue
            for candidate in [account] if account else self.sources.accounts:
                late = candidate.late("roles", name.lower(), f"role {name} of account {candidate.id}")
                jobs.append(Job(partial(_ignored, candidate.read_role, name), late))
                over[candidate.id] = candidate
        if self.plan.command == "why":
            jobs += [
                Job(candidate.read_guardrails, candidate.late("rcps", "", "resource control policies"))
                for candidate in over.values()
            ]
        side_by_side(jobs, self.sources.clock, self.notes)

    def _note_other_account(self, arn: Arn, name: str) -> None:
        if not self.options.aws or not self.sources.accounts:
            return
        read = ", ".join(sorted(signed_in.id for signed_in in self.sources.accounts))
        for collection, key, what in (("roles", name.lower(), f"role {arn}"), ("providers", "", "OIDC providers")):
            missing = f"{what} of account {arn.account}: the credentials are those of account {read}"
            self.notes.gap(Gap(collection, arn.account, key, missing, f"a --profile of account {arn.account}"))

    # afterwards

    def read_role_policies(self) -> None:
        """The permission policies of the roles that assume another one, by an association or by what the files configure."""
        if self.plan.command not in ("why", "collect", ORGANIZATION):
            return
        known = self.inventory()
        roles = (*roles_with_next(known), *(role.arn for role in known.node_roles))
        side_by_side(role_policy_jobs(known, dict.fromkeys(roles), self.sources.account_of), self.sources.clock, self.notes)

    def name_clusters(self) -> None:
        """Name the clusters of contexts without known issuer by the clusters of EKS that have their endpoints."""
        better = {}
        for server in self.sources.servers:
            for account in self.sources.accounts:
                for endpoint, arn in account.endpoints.items():
                    if not server.issuer and same_server(server.connection.server, endpoint):
                        better[server.cluster] = arn
        self.notes.rename(better)

    def fetch_issuers(self) -> None:
        """Fetch the published documents of the issuers of all clusters."""
        known = {str(cluster.issuer) for cluster in self.inventory().clusters if isinstance(cluster.issuer, str)} | set(
            self.plan.issuers
        )
        jobs = [
            Job(
                partial(fetch_issuer, issuer, self.sources.clock, self.notes),
                Gap("issuer", "", issuer, self.sources.late(issuer), "--timeout"),
            )
            for issuer in sorted(known)
        ]
        side_by_side(jobs, self.sources.clock, self.notes)


def _ignored(function: Callable[..., object], *arguments: object) -> None:
    """Call a function whose result is not needed."""
    function(*arguments)
