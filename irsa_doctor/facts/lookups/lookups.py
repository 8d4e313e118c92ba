"""What facts look up beside the subject itself: tables over one inventory, each made when it is first used."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.facts.grants.principals import Principals
from irsa_doctor.facts.lookups.accounts import Accounts
from irsa_doctor.facts.lookups.chains import Chains
from irsa_doctor.facts.lookups.names import Names
from irsa_doctor.facts.lookups.template_roles import TemplateRoles
from irsa_doctor.facts.roles.policy_shape import PolicyShape
from irsa_doctor.facts.workloads.token_paths import audiences_by_hand
from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model import (
    Cluster,
    Contradiction,
    Inventory,
    OidcProvider,
    PodIdentityAssociation,
    ServiceAccount,
    Text,
    Unknown,
    parse_arn,
)
from irsa_doctor.model.access import ExpectedAccess
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.model.nearness import nearest
from irsa_doctor.model.standards import NO_CONTEXT, NO_STANDARDS, Standards, StandardsContext
from irsa_doctor.trust.defects import Expected
from irsa_doctor.trust.languages import Finite, Language
from irsa_doctor.trust.work import Work

_AccountsByPair = dict[tuple[str, str], list[ServiceAccount]]


class Lookups(msgspec.Struct, frozen=True, dict=True):
    """One inventory, and the tables over it that facts use."""

    inventory: Inventory
    expected: Mapping[str, tuple[str, ...]] = {}
    """issuer without scheme -> the audiences that its tokens are meant to have, where the settings declare them"""
    owner: Mapping[str, tuple[str, ...]] = {}
    """id of an issuer -> the tenants that are one's own, as names, ids, or both as `name@id`"""
    issuers: Mapping[str, str] = {}
    """issuer without scheme -> the id of what it is, where its name shows nothing"""
    expected_access: ExpectedAccess = ExpectedAccess()
    """who is expected to reach roles through Kubernetes"""
    standards: Standards = NO_STANDARDS
    """the lifetimes that the project allows"""
    standards_context: StandardsContext = NO_CONTEXT

    @property
    def own_clusters(self) -> Sequence[Cluster]:
        """The clusters that are subjects: all of the inventory."""
        return self.inventory.clusters

    @cached_property
    def work(self) -> Work:
        """What the policies have cost so far."""
        return Work()

    @cached_property
    def principals(self) -> Principals:
        """Federated principals, classified."""
        return Principals(self.inventory)

    @cached_property
    def expected_tokens(self) -> dict[tuple[str, str, str, int], Expected]:
        """(principal, account of the policy, issuer, profile) -> what is known of its tokens, filled as it is looked up."""
        return {}

    @cached_property
    def shapes(self) -> "dict[PolicyShape, PolicyShape]":
        """The shapes of policies, each once: what is worked out of one is so for all roles that have it."""
        return {}

    @cached_property
    def accounts(self) -> Accounts:
        """Service accounts, by language."""
        return Accounts(self.inventory)

    @cached_property
    def names_of_accounts(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """(cluster id, namespace) -> the names of its service accounts."""
        table: dict[tuple[str, str], set[str]] = {}
        for account in self.inventory.service_accounts:
            table.setdefault((account.cluster, account.namespace), set()).add(account.name)
        return {key: frozenset(names) for key, names in table.items()}

    @cached_property
    def accounts_called(self) -> Mapping[str, Sequence[ServiceAccount]]:
        """Namespace/name -> the service accounts of all clusters that findings call so, those of templates last."""
        table: dict[str, list[ServiceAccount]] = {}
        for account in (*self.inventory.service_accounts, *self.inventory.account_templates):
            table.setdefault(f"{account.namespace}/{account.name}", []).append(account)
        return table

    @cached_property
    def audiences(self) -> frozenset[str]:
        """Audiences that service accounts ask for by annotation, and manifests that set up a web identity themselves."""
        annotated = (account.annotations.get(AUDIENCE_ANNOTATION) for account in self.inventory.service_accounts)
        by_hand = (audience for workload in self.inventory.workloads for _, audience in audiences_by_hand(workload))
        return frozenset(value for value in (*annotated, *by_hand) if isinstance(value, str) and value)

    def audiences_of(self, issuer: str) -> frozenset[str]:
        """The audiences that tokens of an issuer may have: as said, else the defaults of EKS, or of any cluster."""
        usual = self.default_audiences(issuer)
        return self.audiences | usual if self.audiences else usual

    def default_audiences(self, issuer: str) -> frozenset[str]:
        """Audiences of tokens for which no service account requests another: as declared, else the default of the webhook."""
        stated = self.expected.get(issuer)
        return frozenset(stated if stated is not None else cluster_profile(issuer).audience.default)

    def sees_accounts_of(self, issuer: str) -> bool:
        """Whether the input has service accounts that may be of the cluster of an issuer, or is known to have all there are: an
        annotation of one may ask for another audience than the usual one."""
        clusters = [cluster.id for cluster in self.inventory.clusters_by_issuer.get(issuer, ())]
        if any(self.inventory.closed.has_kind(cluster, "serviceaccounts") for cluster in clusters):
            return True
        owners = self.clusters_of_accounts
        return bool(owners and (not clusters or "" in owners or not owners.isdisjoint(clusters)))

    def sees_accounts_among(self, issuer: str, subjects: Language) -> bool:
        """The same of the service accounts that are meant: each one that is named, else one of those that fit."""
        clusters = [cluster.id for cluster in self.inventory.clusters_by_issuer.get(issuer, ())]
        if issuer in self.expected or not clusters or "" in self.clusters_of_accounts:
            return True
        if any(self.inventory.closed.has_kind(cluster, "serviceaccounts") for cluster in clusters):
            return True
        among = self.accounts.count(issuer, subjects)
        return among >= len(subjects.values) if isinstance(subjects, Finite) else among > 0

    @cached_property
    def clusters_of_accounts(self) -> frozenset[str]:
        """The clusters of the service accounts of the input, "" for those of an unknown one."""
        return frozenset([account.cluster for account in self.inventory.service_accounts])

    def takes_several_audiences(self, provider_arn: str) -> bool:
        """Whether an OIDC provider of the input takes tokens with more than one audience."""
        provider = self.inventory.provider_by_arn.get(provider_arn)
        return provider is not None and isinstance(provider.client_ids, tuple) and len(provider.client_ids) > 1

    def audience_of(self, issuer: str) -> str:
        """The audience that a trust policy for this issuer should ask for."""
        stated = self.expected.get(issuer)
        return stated[0] if stated else cluster_profile(issuer).audience.default[0]

    def called(self, issuer: str) -> str:
        """What people call an issuer: its cluster by name where it was given, else the issuer itself."""
        names = sorted(cluster.name for cluster in self.inventory.clusters_by_issuer.get(issuer, ()))
        return f"cluster {', '.join(names)}" if names else issuer

    @cached_property
    def naming(self) -> Mapping[str, tuple[str, ...]]:
        """Role ARN -> subjects of the service accounts that name it, sorted."""
        table: dict[str, set[str]] = {}
        for account in self.inventory.service_accounts:
            value = account.annotations.get(ROLE_ARN)
            if isinstance(value, str):
                table.setdefault(value, set()).add(account.subject)
        return {role: tuple(sorted(subjects)) for role, subjects in table.items()}

    @cached_property
    def provider_names(self) -> Mapping[str, Names]:
        """ARNs of OIDC providers, by account."""
        table: dict[str, list[str]] = {}
        for provider in self.inventory.providers:
            table.setdefault(provider.account, []).append(provider.arn)
        return {account: Names(tuple(arns)) for account, arns in table.items()}

    @cached_property
    def providers_by_issuer(self) -> Mapping[str, tuple[OidcProvider, ...]]:
        """Issuer without scheme -> the OIDC providers that accounts have for it."""
        table: dict[str, list[OidcProvider]] = {}
        for provider in self.inventory.providers:
            table.setdefault(provider.issuer, []).append(provider)
        return {issuer: tuple(sorted(providers, key=arn_of)) for issuer, providers in table.items()}

    @cached_property
    def chains(self) -> Chains:
        """Chains of roles that the files configure."""
        return Chains(self.inventory)

    @cached_property
    def template_roles(self) -> TemplateRoles:
        """Roles that templates make."""
        return TemplateRoles(self.inventory)

    @cached_property
    def associations_of_role(self) -> Mapping[str, tuple[PodIdentityAssociation, ...]]:
        """Id of a role -> the Pod Identity associations that hand it out, also by a reference inside a template."""
        table: dict[str, list[PodIdentityAssociation]] = {}
        for association in self.inventory.associations:
            arn, made = association.role_arn, None
            if isinstance(arn, Text) or arn not in self.inventory.role_by_arn:
                made = self.template_roles.of(arn, association.place)
            if made or (isinstance(arn, str) and arn):
                table.setdefault(made.id if made else str(arn), []).append(association)
        return {role: tuple(sorted(associations, key=association_place)) for role, associations in table.items()}

    @cached_property
    def refused_associations(self) -> Mapping[str, Unknown]:
        """Account -> why not all associations of its clusters, and their roles, are in the input; "" where it may be any."""
        known = self.inventory.cluster_by_id
        table: dict[str, Unknown] = {}
        for gap in self.inventory.gaps:
            if gap.collection in ("association", "associations"):
                arn = parse_arn(known[gap.owner].arn if gap.owner in known else gap.owner)
                table.setdefault(arn.account if arn else "", Unknown(gap.missing, gap.how))
        return table

    @cached_property
    def associations_by_account(self) -> Mapping[tuple[str | Text, str | Text], tuple[PodIdentityAssociation, ...]]:
        """(namespace, service account) -> its Pod Identity associations in all clusters."""
        table: dict[tuple[str | Text, str | Text], list[PodIdentityAssociation]] = {}
        for association in self.inventory.associations:
            table.setdefault((association.namespace, association.service_account), []).append(association)
        return {key: tuple(sorted(several, key=association_place)) for key, several in table.items()}

    @cached_property
    def misnamed_associations(self) -> Mapping[tuple[str, str, str], PodIdentityAssociation]:
        """(cluster id, namespace, service account) -> the association of a near name that no service account or workload has;
        only of service accounts that have neither an association nor an annotation."""
        table: dict[tuple[str, str, str], PodIdentityAssociation] = {}
        for key, association in self.inventory.association_by_key.items():
            names = tuple([name for name in key if isinstance(name, str)])
            if len(names) == len(key) and not self._is_used(names):
                for near in self._near_accounts(*names):
                    table.setdefault((near.cluster, near.namespace, near.name), association)
        return table

    def _is_used(self, key: tuple[str, ...]) -> bool:
        return key in self.inventory.service_account_by_key or key in self.inventory.workloads_by_service_account

    def _near_accounts(self, cluster: str, namespace: str, name: str) -> list[ServiceAccount]:
        """The service account without a role that has a near name in a namespace, else the same name in another, at most 1."""
        by_namespace, by_name = self._accounts_without_role
        without = {account.name: account for account in by_namespace.get((cluster, namespace), ())}
        near = [other for other in without if _is_longer(other, name) or _is_longer(name, other)]
        if near := near or list(nearest(name, without)):
            return [without[near[0]]] if len(near) == 1 else []
        same = by_name.get((cluster, name), [])
        return same if len(same) == 1 else []

    @cached_property
    def _accounts_without_role(self) -> tuple[_AccountsByPair, _AccountsByPair]:
        """The service accounts with neither an association nor an annotation, by cluster and namespace, by cluster and name;
        `default` is meant by nobody."""
        by_namespace: _AccountsByPair = {}
        by_name: _AccountsByPair = {}
        associated = self.inventory.association_by_key
        for account in self.inventory.service_accounts:
            key = (account.cluster, account.namespace, account.name)
            if account.name != "default" and not account.annotations.get(ROLE_ARN) and key not in associated:
                by_namespace.setdefault(key[:2], []).append(account)
                by_name.setdefault((account.cluster, account.name), []).append(account)
        return by_namespace, by_name

    @cached_property
    def associations_of_target(self) -> Mapping[str, tuple[PodIdentityAssociation, ...]]:
        """ARN of a role -> the Pod Identity associations that have it for their target role."""
        table: dict[str, list[PodIdentityAssociation]] = {}
        for association in self.inventory.associations:
            if association.target_role_arn and isinstance(association.target_role_arn, str):
                table.setdefault(association.target_role_arn, []).append(association)
        return {role: tuple(sorted(associations, key=association_place)) for role, associations in table.items()}

    @cached_property
    def contradictions_of(self) -> Mapping[str, tuple[Contradiction, ...]]:
        """Path of a document -> what it contradicts in a document before it."""
        table: dict[str, list[Contradiction]] = {}
        for contradiction in self.inventory.contradictions:
            table.setdefault(contradiction.second.document, []).append(contradiction)
        return {path: tuple(listed) for path, listed in table.items()}

    @cached_property
    def first_of_account(self) -> Mapping[str, tuple[str, int]]:
        """Account -> its first OIDC provider (ARN), and how many it has."""
        table: dict[str, tuple[str, int]] = {}
        for provider in self.inventory.providers:
            first, count = table.get(provider.account, (provider.arn, 0))
            table[provider.account] = (first, count + 1)
        return table

    @cached_property
    def annotated_workloads(self) -> frozenset[tuple[str, str, str]]:
        """(cluster id, namespace, name) of service accounts of which a workload carries the role annotation itself."""
        return frozenset(
            (workload.cluster, workload.namespace, workload.service_account)
            for workload in self.inventory.workloads
            if ROLE_ARN in workload.annotations or ROLE_ARN in workload.own_annotations
        )

    def accounts_of_issuer(self, issuer: str) -> frozenset[str]:
        """The accounts that have an OIDC provider for an issuer (without scheme)."""
        return frozenset(provider.account for provider in self.providers_by_issuer.get(issuer, ()))

    def unseen_roles(self, owner: str, issuer: str) -> Unknown | None:
        """Why roles that trust an issuer may not be in the input: those of the account of its cluster ("" where that is not
        known), of one that has a provider for it, or of one that was asked for them."""
        accounts = {owner, *self.accounts_of_issuer(issuer), *self._asked_for_roles} - self.inventory.closed.roles - {""}
        return roles_unseen(self.inventory, min(accounts)) if accounts else None

    @cached_property
    def _asked_for_roles(self) -> frozenset[str]:
        asked = (gap.owner for gap in self.inventory.gaps if gap.collection == "roles" and not gap.name)
        return frozenset((*asked, *(account.id for account in self.inventory.organization)))

    def issuer_of(self, cluster: str) -> str:
        """Issuer of a cluster without scheme, "" where it is not known."""
        entry = self.inventory.cluster_by_id.get(cluster)
        return entry.issuer if entry and isinstance(entry.issuer, str) else ""

    def name_of(self, cluster: str) -> str:
        """The name by which findings call a cluster."""
        entry = self.inventory.cluster_by_id.get(cluster)
        return self.inventory.unless_shared(entry, entry.name) if entry else cluster or "unknown-cluster"

    def label_of(self, cluster: str) -> str:
        """The part of the ids of a cluster's objects that names it: it does not hang on what live sources answered."""
        entry = self.inventory.cluster_by_id.get(cluster)
        return self.inventory.unless_shared(entry, entry.label) if entry else cluster or "unknown-cluster"

    def meant_provider(self, principal: str, account: str) -> str:
        """The provider (ARN) that a wrong principal was most likely meant to be, "" where none is near."""
        known = self.provider_names.get(account)
        return self.principals.intended_provider(principal, account) or (known.near(principal) if known else "")


def roles_unseen(inventory: Inventory, account: str) -> Unknown:
    """Why the roles of an account are not all known."""
    how = "aws iam get-account-authorization-details --filter Role"
    return inventory.unknown("roles", account, "", f"roles of account {account}", how)


def arn_of(provider: OidcProvider) -> str:
    """By what the providers of several accounts are sorted."""
    return provider.arn


def association_place(association: PodIdentityAssociation) -> tuple[str, int, str]:
    """By what the associations of several accounts are sorted."""
    place = association.place
    return place.document, place.part, place.pointer


def _is_longer(longer: str, name: str) -> bool:
    """Whether a name is another one with a word before or behind it."""
    return longer.endswith(f"-{name}") or longer.startswith(f"{name}-")
