"""An estate as an intent sees it: its clusters by the names of the intent, and what is known of roles and service accounts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.answers.intents.clusters import ResolvedCluster
from irsa_doctor.answers.intents.plan import IntentPlan, MadeAssociation, MadeRole
from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.lookups.accounts import ACCOUNTS_HOW
from irsa_doctor.facts.roles.role import planned_arn
from irsa_doctor.model import PlannedProvider, PodIdentityAssociation, ServiceAccount, Unknown, issuer_in
from irsa_doctor.model.commands import shell_command
from irsa_doctor.model.once import once


class Estate:
    """An inventory, and the clusters and roles of an intent in it."""

    def __init__(self, view: View, plan: IntentPlan) -> None:
        clusters = plan.clusters
        self.view = view
        self.roles = plan.roles
        self._issuers = {cluster.issuer for cluster in clusters if cluster.issuer}
        self._eks_names = {cluster.name: cluster.eks_name for cluster in clusters}
        self._ids = {cluster.name: self._id_of(cluster, clusters) for cluster in clusters}
        self._names = {ident: name for name, ident in reversed(self._ids.items()) if ident is not None}

    def _id_of(self, cluster: ResolvedCluster, clusters: Sequence[ResolvedCluster]) -> str | None:
        """The id of a cluster in the inventory, None where it is not there; documents that name none are of the only one."""
        inventory = self.view.inventory
        by_issuer = inventory.clusters_by_issuer.get(cluster.issuer, ()) if cluster.issuer else ()
        if known := inventory.cluster_by_id.get(cluster.arn) or (by_issuer[0] if len(by_issuer) == 1 else None):
            return known.id
        # a name that the user gave is all that is known of such a cluster
        named = [i for i in dict.fromkeys(_names_of(cluster)) if i in inventory.cluster_by_id and self._is_name_alone(i)]
        if len(named) == 1 and {each.identity for each in clusters if named[0] in _names_of(each)} == {cluster.identity}:
            return named[0]
        return "" if len(clusters) == 1 and not inventory.clusters else None

    def _is_name_alone(self, ident: str) -> bool:
        known = self.view.inventory.cluster_by_id[ident]
        return not known.arn and isinstance(known.issuer, Unknown)

    def cluster_of(self, ident: str) -> str:
        """The name that the intent has for a cluster of the inventory, "" where it has none."""
        return self._names.get(ident, "")

    def first_name(self, cluster: str) -> str:
        """The first name that the intent has for a cluster: it has several where service accounts ask for other audiences."""
        ident = self._ids[cluster]
        return cluster if ident is None else self._names[ident]

    def cases_of(self, role: MadeRole) -> Sequence[AnalysedRole]:
        """A role in every case in which its template makes it; none where it is not in the input.

        A template that does not say its account has the role by name and path, where it trusts an issuer of the intent, and
        no other role of the intent has the same: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
        wants the provider in the account of the role.
        """
        known = self.view.cases_by_arn(role.role)
        name = _planned_name(role)
        if self._planned_names[name] > 1:
            return known
        named = [case for case in self._without_account.get(name, ()) if case not in known]
        return (*known, *named) if len({case.role.id for case in named}) == 1 else known

    @once
    def _planned_names(self) -> Mapping[str, int]:
        """How many roles of the intent have a path and name: several accounts may have the same."""
        return Counter(map(_planned_name, self.roles))

    @once
    def _without_account(self) -> Mapping[str, Sequence[AnalysedRole]]:
        """Roles of templates that do not say their account, by path and name, as far as they may trust an issuer of the
        intent."""
        named: dict[str, list[AnalysedRole]] = {}
        for case in self.view.roles:
            if case.role.planned and not case.role.arn and not planned_arn(case) and self._may_concern(case):
                named.setdefault(case.role.planned, []).append(case)
        return named

    def _may_concern(self, case: AnalysedRole) -> bool:
        statements = case.policy.statements if case.policy else ()
        issuers = [issuer_in(value) for statement in statements for value in statement.federated]
        return not issuers or any(not isinstance(issuer, str) or issuer in self._issuers for issuer in issuers)

    def other_roles(self) -> Iterator[AnalysedRole]:
        """The roles that are not in the intent."""
        known = {id(case) for role in self.roles for case in self.cases_of(role)}
        return (role for role in self.view.roles if id(role) not in known and not role.role.is_bare)

    def planned_providers(self, url: str) -> Sequence[PlannedProvider]:
        """The OIDC providers that templates make for an issuer."""
        issuer = url.removeprefix("https://")
        return [provider for provider in self.view.inventory.planned_providers if provider.issuer == issuer]

    def account(self, cluster: str, namespace: str, name: str) -> ServiceAccount | None:
        """A service account by the name of its cluster."""
        ident = self._ids[cluster]
        return None if ident is None else self.view.inventory.service_account_by_key.get((ident, namespace, name))

    def association(self, cluster: str, namespace: str, name: str) -> PodIdentityAssociation | None:
        """The association of a service account."""
        ident = self._ids[cluster]
        return None if ident is None else self.view.inventory.association_by_key.get((ident, namespace, name))

    def unlisted(self, cluster: str, namespace: str) -> Unknown | None:
        """Why it is not known whether a service account exists; None where those of its namespace were listed whole."""
        inventory, ident = self.view.inventory, self._ids[cluster]
        if ident is not None and inventory.closed.has_kind(ident, "serviceaccounts", namespace):
            return None
        missing = inventory.unknown("serviceaccounts", ident or "", "", f"service accounts of cluster {cluster}", *ACCOUNTS_HOW)
        if len(self._ids) == 1 or missing.how != ACCOUNTS_HOW[0] or missing.cluster:
            return missing
        # the answers of several clusters look alike
        known = inventory.cluster_by_id.get(ident or "")
        return msgspec.structs.replace(missing, cluster=inventory.unless_shared(known, known.name) if known else cluster)

    def unlisted_associations(self, association: MadeAssociation) -> Unknown | None:
        """Why it is not known whether an association exists; None where those of its cluster were listed whole."""
        inventory, ident = self.view.inventory, self._ids[association.cluster]
        if ident and inventory.closed.has_association(ident, association.namespace, association.service_account):
            return None
        missing = f"Pod Identity associations of cluster {association.cluster}"
        how = shell_command("aws eks list-pod-identity-associations --cluster-name {}", self._eks_names[association.cluster])
        return inventory.unknown("associations", ident or "", "", missing, how)


def _names_of(cluster: ResolvedCluster) -> tuple[str, str]:
    """The names by which a user may call a cluster."""
    return cluster.name, cluster.eks_name


def _planned_name(role: MadeRole) -> str:
    """Path and name, as templates say them."""
    return f"{role.intended.path}{role.name}".removeprefix("/")
