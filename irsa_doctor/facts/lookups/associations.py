"""Facts of EKS Pod Identity: what its associations mean for the roles and the service accounts that they join."""

import os
from collections.abc import Sequence
from typing import Literal

from irsa_doctor.facts.lookups.lookups import ROLE_ARN, Lookups
from irsa_doctor.issuers import profile_of
from irsa_doctor.model import PodIdentityAssociation, ServiceAccount, Unknown, text_of
from irsa_doctor.trust import Policy
from irsa_doctor.trust.services import ServiceCall, service_may, trusts_service

SERVICE = "pods.eks.amazonaws.com"
_ASSUME, _TAG = "sts:AssumeRole", "sts:TagSession"
NO_ISSUER = Unknown("issuer of the cluster of the service account", "kubectl get --raw /.well-known/openid-configuration")
_BY_NAME = "run aws eks list-pod-identity-associations with the name of the cluster"
Override = Literal["no", "same-role", "other-role", "unseen-role"]
Served = Literal["none", "served", "explained", "no-trust", "no-tags"]
_WORST: tuple[Served, ...] = ("no-trust", "no-tags", "served", "none", "explained")


def served(policy: Policy, associations: Sequence[PodIdentityAssociation], lookups: Lookups) -> Served | Unknown:
    """Whether EKS may assume a role for the associations that name it
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html)."""
    if policy.refused:
        return "explained"
    if not associations:
        return "none"
    states = [_served(policy, association, lookups) for association in associations]
    for worst in _WORST[:2]:
        if worst in states:
            return worst
    return next((state for state in states if isinstance(state, Unknown)), "served")


def _served(policy: Policy, association: PodIdentityAssociation, lookups: Lookups) -> Served | Unknown:
    if not trusts_service(policy, SERVICE, _ASSUME):
        return "no-trust"
    call = ServiceCall(SERVICE, _context(association, lookups))
    actions = (_ASSUME, _TAG) if association.session_tags else (_ASSUME,)
    answers = [service_may(policy, action, call) for action in actions]
    if answers[0] is False:
        return "no-trust"
    if False in answers:
        return "no-tags"
    if None in answers:
        return Unknown("values of condition keys in the requests of EKS Pod Identity")
    return "served"


def _context(association: PodIdentityAssociation, lookups: Lookups) -> dict[str, tuple[str, ...]]:
    """What is known of the requests for an association
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html#pod-id-abac-tags)."""
    cluster = lookups.inventory.cluster_by_id.get(text_of(association.cluster))
    context: dict[str, tuple[str, ...]] = {}
    if cluster and cluster.account:
        context["aws:sourceaccount"] = (cluster.account,)
    tags = {
        "kubernetes-namespace": association.namespace,
        "kubernetes-service-account": association.service_account,
        "eks-cluster-name": cluster.name if cluster else "",
        "eks-cluster-arn": cluster.arn if cluster else "",
    }
    names = (*tags, "kubernetes-pod-name", "kubernetes-pod-uid")
    if not association.session_tags:
        return context | {f"aws:requesttag/{name}": () for name in names} | {"aws:tagkeys": (), "sts:transitivetagkeys": ()}
    known = {name: value for name, value in tags.items() if isinstance(value, str) and value}
    context |= {f"aws:requesttag/{name}": (value,) for name, value in known.items()}
    return context | {"aws:tagkeys": names, "sts:transitivetagkeys": names}


def association_of(account: ServiceAccount, lookups: Lookups) -> PodIdentityAssociation | None:
    """The association of a service account.

    An account that a template makes, in a cluster that is not known, has the one of its name that a template of its folder, of
    one above or of one below it makes.
    """
    known = lookups.inventory.association_by_key.get((account.cluster, account.namespace, account.name))
    if known is not None or account.cluster or not account.template:
        return known
    folder = os.path.dirname(account.place.document)
    named = lookups.associations_by_account.get((account.namespace, account.name), ())
    return next((item for item in named if _are_together(folder, os.path.dirname(item.place.document))), None)


def _are_together(folder: str, other: str) -> bool:
    below, above = sorted((f"{folder}/", f"{other}/"), key=len, reverse=True)
    return above == "/" or below.startswith(above)


def overridden(account: ServiceAccount, lookups: Lookups) -> Override | Unknown:
    """Whether an association takes the place of the role that a service account names, and by which role."""
    named = account.annotations.get(ROLE_ARN, "")
    if named == "":
        return "no"
    if not account.cluster:
        return NO_ISSUER
    key = (account.cluster, account.namespace, account.name)
    association = lookups.inventory.association_by_key.get(key)
    if association is not None:
        return "unseen-role" if not association.role_arn else "same-role" if association.role_arn == named else "other-role"
    issuer = lookups.issuer_of(account.cluster)
    if lookups.inventory.closed.has_association(*key) or (issuer and profile_of(issuer) is None):
        return "no"
    name = lookups.name_of(account.cluster)
    # a cluster of which only the issuer is known has no name that EKS would know
    how = f"aws eks list-pod-identity-associations --cluster-name {name}" if name != issuer else _BY_NAME
    what = f"Pod Identity associations of {name}"
    return lookups.inventory.unknown("associations", account.cluster, f"{account.namespace}/{account.name}", what, how)


def association_seen(account: ServiceAccount, lookups: Lookups) -> Literal["none", "seen"] | Unknown:
    """Whether the association of a service account says which role it hands out: a list does not."""
    association = lookups.inventory.association_by_key.get((account.cluster, account.namespace, account.name))
    if association is None or association.role_arn:
        return "none" if association is None else "seen"
    name = lookups.name_of(account.cluster)
    how = f"aws eks describe-pod-identity-association --cluster-name {name} --association-id {association.id}"
    return Unknown(f"role that EKS supplies in {name} by Pod Identity association {association.id}", how)
