"""The first link in the cluster: the service account exists and names a role."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, observed, passed, signs_of, undecided
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts.lookups.accounts import NO_NAMESPACE
from irsa_doctor.facts.lookups.associations import association_elsewhere, near_association
from irsa_doctor.facts.lookups.mapped_accounts import is_mapped
from irsa_doctor.model import PodIdentityAssociation, ServiceAccount, Workload, text_of
from irsa_doctor.model.annotations import ROLE_ARN

_PODS = "kubectl get pods -n {namespace} -o yaml"
_ASSOCIATIONS = "aws eks list-pod-identity-associations --cluster-name {cluster}"


def meant_account_of(case: Case) -> ServiceAccount | None:
    """The only account of the namespace that has a role and is not used, where the workload runs as one without."""
    if case.workload is None or (case.account and case.account.annotations.get(ROLE_ARN)) or case.association:
        return None
    lookup, place = case.view.workload_lookups, (case.cluster_id, case.namespace)
    unused = [account for account in lookup.prepared.get(place, {}).values() if not lookup.users.get((*place, account.name))]
    return unused[0] if len(unused) == 1 and case.service_account == "default" else None


def _service_account(case: Case) -> LinkState:
    name = case.name
    if case.account is None:
        return _absent(case)
    if case.finding_of("account-without-role-used") or meant_account_of(case):
        return inapplicable(f"{name} is not the service account that was created for the workload")
    if (findings := case.findings.on_link("service-account")) and not case.stated_role:
        return failed(findings[0].message, *signs_of(findings))
    if case.annotation or case.findings.on_link("request"):
        return passed(f'{name} is annotated with "{case.annotation}"')
    if case.association:
        return passed(f"{name} has a Pod Identity association and needs no annotation")
    if case.role:
        return passed(f"{name} is not annotated with a role; the role is the one that was named")
    return _unannotated(case)


def _absent(case: Case) -> LinkState:
    says = f"the service account {case.name} does not exist in the cluster"
    same = [
        account
        for account in case.view.inventory.service_accounts
        if (account.cluster, account.name) == (case.cluster_id, case.service_account)
    ]
    made: list[ServiceAccount | Workload] = [*same]
    if case.workload and same:
        made.append(case.workload)
    if unplaced := next((each for each in made if each.unplaced), None):
        says = f"{case.name} is not there; the manifest of {unplaced.name} has no namespace, and gets one when it is applied"
        return undecided(says, settle=NO_NAMESPACE.how)
    namesakes = sorted(account.namespace for account in same)
    more = f"; a service account of this name exists in {', '.join(namesakes[:5])}" if namesakes else ""
    return observed("service-account-absent", says + more)


def _unannotated(case: Case) -> LinkState:
    is_empty = case.account is not None and ROLE_ARN in case.account.annotations
    says = f"{case.name} has {'an empty' if is_empty else 'no'} annotation eks.amazonaws.com/role-arn"
    place = case.account.place.at("metadata", "name") if case.account else None
    places = (case.located(place, "is not annotated with a role"),) if place else ()
    if case.shows_pod_identity:
        return _set_up(case, says)
    if case.account and (mapped := is_mapped(case.account, case.view)) is not False:
        because = f"{says}; the webhook of its cluster is told in a config map which service accounts get a role without one"
        absent = [] if mapped is True else [Sign("role-annotation-absent", says, None, places, "possible")]
        return undecided(because, *absent, settle=fill_command(_PODS, case))
    near = near_association(case.account, case.view) if case.account else None
    if near:
        return _misnamed(case, f"{text_of(near.namespace)}/{text_of(near.service_account)}", says)
    if other := association_elsewhere(case.view, case.cluster, case.namespace, case.service_account):
        return _elsewhere(case, other, says)
    if case.has_no_association:
        return observed("role-annotation-absent", says, *places)
    sign = Sign("role-annotation-absent", says, None, places, "likely")
    if case.evidence.failing:
        return failed(says, sign)
    because = f"{says}; it may have a Pod Identity association"
    refused = case.view.inventory.refused("associations", case.cluster_id, case.name)
    if refused is not None:
        return undecided(f"{because}: {refused.missing}", sign, settle=refused.how)
    return undecided(because, sign, settle=fill_command(_ASSOCIATIONS, case))


def _misnamed(case: Case, name: str, says: str) -> LinkState:
    """An association of a near name, which no service account of the input has."""
    because = f"{says}, and no Pod Identity association; one is for {name}, which nothing has"
    sign = Sign("association-of-near-name", because, at_most="likely")
    if case.has_no_association or case.evidence.failing:
        return failed(because, sign)
    return undecided(because, sign, settle=fill_command(_ASSOCIATIONS, case))


def _set_up(case: Case, says: str) -> LinkState:
    """Pods that EKS Pod Identity was set up for: they had an association when they were created, and need no annotation."""
    because = f"{says}; its pods were set up for EKS Pod Identity"
    if case.has_no_association:
        return inapplicable(because)
    return undecided(because, settle=fill_command(_ASSOCIATIONS, case))


def _elsewhere(case: Case, other: PodIdentityAssociation, says: str) -> LinkState:
    """An association of the service account's name in another cluster than its own."""
    cluster = case.view.name_of(text_of(other.cluster))
    because = f"{says}, and no Pod Identity association; one of this name is for cluster {cluster}"
    places = (case.located(other.place, f"is for cluster {cluster}"),)
    if case.has_no_association or case.evidence.failing:
        return failed(because, Sign("association-of-other-cluster", because, None, places, "likely"))
    sign = Sign("association-of-other-cluster", because, None, places, "possible")
    absent = Sign("role-annotation-absent", says, at_most="likely")
    return undecided(because, absent, sign, settle=fill_command(_ASSOCIATIONS, case))


SERVICE_ACCOUNT_LINK = Link(
    id="service-account",
    of_pods=True,
    title="the service account exists and names a role",
    signs=("service-account-absent", "role-annotation-absent", "association-of-near-name", "association-of-other-cluster"),
    needs=(needs.SERVICE_ACCOUNT_INPUT,),
    examine=_service_account,
    decides=frozenset({"web-identity", "pod-identity"}),
)
