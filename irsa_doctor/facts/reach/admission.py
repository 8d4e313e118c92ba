"""Which service accounts a role admits: those that exist, those that its trust names and that do not, and patterns."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.facts.lookups.associations import role_answer, target_answer
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.model import PodIdentityAssociation, issuer_of_provider, parse_arn
from irsa_doctor.trust.fresh import fresh_account, fresh_namespace, literal_accounts
from irsa_doctor.trust.languages import Finite, Language, contains

POD_IDENTITY_AUDIENCE = "pods.eks.amazonaws.com"
"""the audience of tokens for EKS Pod Identity (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html)"""
_FRESH = 3
"""names of new accounts that are tried of one language"""
_SERVED = ("served", "unknown", "explained")


class AdmittedCell(msgspec.Struct, frozen=True):
    """Subjects of one cluster that a role admits with some audiences; `client_ids` are those of the provider, None where they
    are not known."""

    cluster: str
    issuer: str
    audiences: Language
    subjects: Language
    client_ids: tuple[str, ...] | None

    @property
    def is_open(self) -> bool:
        """Whether there may be a token that is admitted: some client id of the provider is an audience that is."""
        if self.client_ids is not None:
            return any(contains(self.audiences, audience) for audience in self.client_ids)
        return not isinstance(self.audiences, Finite) or bool(self.audiences.values)

    def takes(self, audience: str) -> bool:
        """Whether tokens with an audience are admitted."""
        return contains(self.audiences, audience) and (self.client_ids is None or audience in self.client_ids)


class RoleAdmission:
    """What one role admits in the clusters of the input."""

    def __init__(self, view: View, role: AnalysedRole) -> None:
        self.view = view
        self.role = role
        self.cells: Sequence[AdmittedCell] = tuple(self._cells()) if _is_in_force(role) else ()

    def _cells(self) -> Iterator[AdmittedCell]:
        inventory = self.view.inventory
        for provider, admits in self.role.by_provider.items():
            arn, issuer = parse_arn(provider), issuer_of_provider(provider)
            own = not (arn and self.role.role.account) or arn.account == self.role.role.account
            known = inventory.provider_by_arn.get(provider)
            if not own or (known is None and arn and arn.account in inventory.closed.providers):
                continue
            client_ids = known.client_ids if known and isinstance(known.client_ids, tuple) else None
            for cluster in inventory.clusters_by_issuer.get(issuer, ()):
                for audiences, subjects in admits.cells:
                    cell = AdmittedCell(cluster.id, issuer, audiences, subjects, client_ids)
                    if cell.is_open:
                        yield cell

    @cached_property
    def accounts(self) -> Mapping[ClusterIdentity, Sequence[AdmittedCell | None]]:
        """Service accounts that exist and are admitted, with the cells that admit each; None for EKS Pod Identity."""
        table: dict[ClusterIdentity, list[AdmittedCell | None]] = {}
        for cell in self.cells:
            for account in self.view.accounts.admitted(cell.issuer, cell.subjects):
                if account.cluster == cell.cluster:
                    key = ClusterIdentity(account.cluster, "ServiceAccount", account.name, account.namespace)
                    table.setdefault(key, []).append(cell)
        existing = self.view.inventory.service_account_by_key
        for key in self._associated():
            if (key.cluster, key.namespace, key.name) in existing:
                table.setdefault(key, []).append(None)
        return table

    def _associated(self) -> Iterator[ClusterIdentity]:
        """The service accounts to which EKS Pod Identity gives the role, by itself or as a target role."""
        policy, role, view = self.role.policy, self.role.role, self.view
        if policy is None:
            return
        given = [
            *((item, role_answer(policy, item, view)) for item in view.associations_of_role.get(role.id, ())),
            *((item, target_answer(policy, item, view)) for item in view.associations_of_target.get(role.arn, ())),
        ]
        for association, answer in given:
            if answer.state in _SERVED and (key := _account_of(association)):
                yield key

    def takes(self, account: ClusterIdentity, audiences: frozenset[str]) -> bool:
        """Whether a token of an account with one of some audiences is enough to become the role."""
        return any(
            cell.takes(audience) if cell else audience == POD_IDENTITY_AUDIENCE
            for cell in self.accounts.get(account, ())
            for audience in audiences
        )

    @cached_property
    def absent(self) -> Sequence[ClusterIdentity]:
        """Service accounts that the trust names and that are not in the input."""
        existing = self.view.inventory.service_account_by_key
        named = {
            ClusterIdentity(cell.cluster, "ServiceAccount", name, namespace)
            for cell in self.cells
            for namespace, name in literal_accounts(cell.subjects)
        }
        return sorted(key for key in named if (key.cluster, key.namespace, key.name) not in existing)

    def fresh_accounts(self, cluster: str, namespace: str) -> Sequence[str]:
        """Names of accounts that do not exist in a namespace and that patterns admit: a few, as some patterns leave no choice
        (`*:web`), and rules may single out such a name."""
        names: list[str] = []
        for cell in (cell for cell in self.cells if cell.cluster == cluster and not isinstance(cell.subjects, Finite)):
            for _ in range(_FRESH):
                known = self.names_in(cluster, namespace).union(names)
                if name := fresh_account(cell.subjects, namespace, known):
                    names.append(name)
        return names

    def fresh_namespace(self, cluster: str, namespaces: frozenset[str], account: str = "") -> str:
        """A namespace that does not exist and that a pattern admits, "" where there is none."""
        cells = (cell for cell in self.cells if cell.cluster == cluster)
        return next(filter(None, (fresh_namespace(cell.subjects, namespaces, account) for cell in cells)), "")

    @property
    def has_patterns(self) -> bool:
        """Whether the trust admits more than it names."""
        return any(not isinstance(cell.subjects, Finite) for cell in self.cells)

    def names_in(self, cluster: str, namespace: str) -> frozenset[str]:
        """The names of the accounts of a namespace."""
        return self.view.names_of_accounts.get((cluster, namespace), frozenset())


def _is_in_force(role: AnalysedRole) -> bool:
    return role.policy is not None and not role.policy.refused


def _account_of(association: PodIdentityAssociation) -> ClusterIdentity | None:
    parts = (association.cluster, association.namespace, association.service_account)
    names = [part for part in parts if isinstance(part, str)]
    return ClusterIdentity(names[0], "ServiceAccount", names[2], names[1]) if len(names) == len(parts) else None
