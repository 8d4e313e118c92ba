"""Which audiences roles require and service accounts request, and which of them an OIDC provider accepts."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.accounts import ACCOUNTS_HOW
from irsa_doctor.facts.lookups.lookups import Lookups, roles_unseen
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.issuers import EKS, profile_of
from irsa_doctor.model import OidcProvider, Text, Unknown, issuer_in, parse_arn
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION
from irsa_doctor.trust import Policy
from irsa_doctor.trust.languages import EVERYTHING, Finite, Language, contains

_OF_KOPS = "amazonaws.com"
ClientIds = Literal["used", "unused"]
RoleAudiences = tuple[frozenset[str], tuple[Language, ...]]
KopsAudience = Literal["not-kops", "there", "missing"]


class AudienceLookups(msgspec.Struct, frozen=True, dict=True):
    """What one inventory says of audiences, by provider and by cluster."""

    lookups: Lookups
    roles: Sequence[AnalysedRole]

    @cached_property
    def _of_roles(self) -> Mapping[str, RoleAudiences]:
        """Provider ARN -> audiences that trust policies name, and patterns of audiences."""
        return audiences_of_roles(self.roles)

    @cached_property
    def trusting(self) -> Mapping[str | Text, tuple[tuple[Policy, str | Text], ...]]:
        """Issuer, with holes where a template leaves it open -> the policies that trust it, each with the principal."""
        table: dict[str | Text, dict[tuple[int, str | Text], tuple[Policy, str | Text]]] = {}
        for number, policy in enumerate(analysed.policy for analysed in self.roles):
            for statement in policy.statements if policy else ():
                for principal in statement.federated if statement.allow else ():
                    if policy:
                        table.setdefault(issuer_in(principal), {})[(number, principal)] = (policy, principal)
        return {issuer: tuple(pairs.values()) for issuer, pairs in table.items()}

    @cached_property
    def _of_clusters(self) -> Mapping[str, frozenset[str]]:
        """Cluster id -> audiences that service accounts and projected tokens ask for."""
        table: dict[str, set[str]] = {}
        for account in self.lookups.inventory.service_accounts:
            if account.annotations and isinstance(requested := account.annotations.get(AUDIENCE_ANNOTATION), str):
                table.setdefault(account.cluster, set()).add(requested)
        for workload in self.lookups.inventory.workloads:
            table.setdefault(workload.cluster, set()).update(token.audience for token in workload.tokens)
        return {cluster: frozenset(requested) for cluster, requested in table.items()}

    def client_ids(self, provider: OidcProvider) -> ClientIds | Unknown:
        """Whether each client id of a cluster's provider is used: by default, by a service account, by a trust policy."""
        clusters = self.lookups.inventory.clusters_by_issuer.get(provider.issuer, ())
        if not clusters:
            return "used"
        if isinstance(provider.client_ids, Unknown):
            return provider.client_ids
        if not (spare := self.unused(provider)):
            return "used"
        if any(not _is_usual(value) for value in spare):
            return "used"
        for cluster in clusters:
            if not self.lookups.inventory.closed.has_kind(cluster.id, "serviceaccounts"):
                missing = f"all service accounts of {cluster.name}"
                return self.lookups.inventory.unknown("serviceaccounts", cluster.id, "", missing, *ACCOUNTS_HOW)
        if provider.account not in self.lookups.inventory.closed.roles:
            return roles_unseen(self.lookups.inventory, provider.account)
        return "unused"

    def unused(self, provider: OidcProvider) -> list[str]:
        """The client ids that nothing given here uses."""
        if isinstance(provider.client_ids, Unknown):
            return []
        usual = self.lookups.default_audiences(provider.issuer)
        spare = [value for value in provider.client_ids if value not in usual]
        if not spare:
            return []
        named, patterns = self._of_roles.get(provider.arn, (frozenset(), ()))
        clusters = self.lookups.inventory.clusters_by_issuer.get(provider.issuer, ())
        requested = named.union(*(self._of_clusters.get(cluster.id, frozenset()) for cluster in clusters))
        return [v for v in spare if v not in requested and not any(contains(pattern, v) for pattern in patterns)]

    def kops(self, provider: OidcProvider) -> KopsAudience | Unknown:
        """Whether a cluster that is not of EKS lacks, at its provider, an audience that its roles expect."""
        expected = self.expected_of_kops(provider)
        if not expected:
            return "not-kops"
        if isinstance(provider.client_ids, Unknown):
            return provider.client_ids
        return "there" if expected <= set(provider.client_ids) else "missing"

    def expected_of_kops(self, provider: OidcProvider) -> frozenset[str]:
        """The audiences of kOps and of EKS that roles expect of this provider, where its issuer is a cluster not of EKS."""
        known = provider.issuer in self.lookups.inventory.clusters_by_issuer
        if profile_of(provider.issuer) is EKS or not known or parse_arn(provider.arn) is None:
            return frozenset()
        usual = self.lookups.default_audiences(provider.issuer)
        named, _ = self._of_roles.get(provider.arn, (frozenset(), ()))
        return named & usual if _OF_KOPS in usual else frozenset()


def audiences_of_roles(roles: Iterable[AnalysedRole]) -> Mapping[str, RoleAudiences]:
    """Provider ARN -> audiences that the trust policies of some roles name, and patterns of audiences."""
    named: dict[str, set[str]] = {}
    patterns: dict[str, list[Language]] = {}
    for analysed in roles:
        for provider, admits in analysed.by_provider.items():
            if isinstance(admits.audiences, Finite):
                named.setdefault(provider, set()).update(admits.audiences.values)
            elif admits.audiences != EVERYTHING:
                patterns.setdefault(provider, []).append(admits.audiences)
    return {arn: (frozenset(named.get(arn, ())), tuple(patterns.get(arn, ()))) for arn in named.keys() | patterns.keys()}


def _is_usual(value: str) -> bool:
    """Whether a client id is plain text: odd characters are a finding of their own."""
    return value.isascii() and value.isprintable() and value.strip() == value
