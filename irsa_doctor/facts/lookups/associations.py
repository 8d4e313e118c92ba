"""Facts of EKS Pod Identity: what its associations mean for the roles and the service accounts that they join."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.accounts import ACCOUNTS_HOW
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.issuers import EKS, profile_of
from irsa_doctor.model import Arn, Cluster, PodIdentityAssociation, ServiceAccount, Text, Unknown, parse_arn, text_of
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.commands import shell_command
from irsa_doctor.trust import Policy
from irsa_doctor.trust.holding import RequestContext
from irsa_doctor.trust.patterns import glob_of, pieces_of, widest
from irsa_doctor.trust.services import (
    AssumeCall,
    CallMiss,
    RoleCall,
    ServiceCall,
    call_misses,
    condition_keys,
    may_assume,
    open_keys,
    trusts,
)
from irsa_doctor.trust.times import known_time

SERVICE = "pods.eks.amazonaws.com"
CAPABILITIES = "capabilities.eks.amazonaws.com"
"""The caller for the roles of managed capabilities (https://docs.aws.amazon.com/eks/latest/userguide/capability-role.html)"""
ASSUME_ROLE, TAG_SESSION = "sts:AssumeRole", "sts:TagSession"
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html#pod-id-abac-tags
_TAGS_OF_CLUSTER = ("eks-cluster-arn", "eks-cluster-name", "kubernetes-namespace", "kubernetes-service-account")
_TAGS = (*_TAGS_OF_CLUSTER, "kubernetes-pod-name", "kubernetes-pod-uid")
# values that EKS does not document: that of aws:SourceArn is told of in awslabs/mountpoint-s3-csi-driver#781
_PRESUMED = frozenset({"aws:sourcearn", "aws:principalorgid", "aws:principalorgpaths"})
NO_ISSUER = Unknown("issuer of the cluster of the service account", "kubectl get --raw /.well-known/openid-configuration")
_BY_NAME = "run aws eks list-pod-identity-associations with the name of the cluster"
Override = Literal["no", "same-role", "other-role", "unseen-role"]
Served = Literal["none", "served", "explained", "no-trust", "no-tags", "external-id", "tags-off", "condition"]
_WORST: tuple[Served, ...] = ("no-trust", "no-tags", "external-id", "tags-off", "condition")
UNKNOWN_VALUES = Unknown("values of condition keys in the requests of EKS Pod Identity")


class TrustAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a trust policy answers to the requests for one association.

    `state` is "unknown" where it depends on `keys`. `action` is the one that is not allowed, `misses` what keeps it out, of the
    statement that comes nearest. `presumed`: the answer rests on a value that AWS does not document.
    """

    state: Served | Literal["unknown"]
    action: str = ""
    misses: tuple[CallMiss, ...] = ()
    keys: tuple[str, ...] = ()
    presumed: bool = False


def role_answer(policy: Policy, association: PodIdentityAssociation, lookups: Lookups) -> TrustAnswer:
    """Whether EKS may assume the role of an association
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html)."""
    return _with_tags(association, lambda known: _answer(policy, service_call(known, lookups, policy), known))


def target_answer(policy: Policy, association: PodIdentityAssociation, lookups: Lookups) -> TrustAnswer:
    """Whether the role of an association may assume its target role, as far as the target's trust policy decides
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html)."""
    return _with_tags(association, lambda known: _answer(policy, target_call(known, lookups, policy), known))


def _with_tags(association: PodIdentityAssociation, answer: Callable[[PodIdentityAssociation], TrustAnswer]) -> TrustAnswer:
    """The answer for an association; where a template decides on its session tags, the one that is right either way."""
    if not isinstance(association.session_tags, Text):
        return answer(association)
    on, off = (answer(msgspec.structs.replace(association, session_tags=tags)) for tags in (True, False))
    return on if on.state == off.state else TrustAnswer(state="unknown", keys=(text_of(association.session_tags),))


def _answer(policy: Policy, call: AssumeCall, association: PodIdentityAssociation) -> TrustAnswer:
    if policy.refused:
        return TrustAnswer(state="explained")
    actions = (ASSUME_ROLE, TAG_SESSION) if association.session_tags else (ASSUME_ROLE,)
    answers = {action: may_assume(policy, action, call) for action in actions}
    refused = next((action for action, allowed in answers.items() if allowed is False), "")
    if refused:
        misses = _nearest(call_misses(policy, refused, call))
        state = _failure(trusts(policy, call, refused), refused, misses, association)
        presumed = bool(misses) and all(miss.condition and miss.condition.key in _PRESUMED for miss in misses)
        return TrustAnswer(state=state, action=refused, misses=misses, presumed=presumed)
    if None in answers.values():
        keys = (key for action in actions for key in open_keys(policy, action, call))
        return TrustAnswer(state="unknown", keys=tuple(dict.fromkeys(keys)))
    return TrustAnswer(state="served")


def _nearest(misses: Iterable[CallMiss]) -> tuple[CallMiss, ...]:
    """Those of the statement that comes nearest: a Deny, else the Allow that fails in the fewest conditions."""
    table: dict[int, list[CallMiss]] = {}
    for miss in misses:
        table.setdefault(miss.statement.index, []).append(miss)
    ordered = sorted(table.values(), key=lambda listed: (not listed[0].denied, len(listed)))
    return tuple(ordered[0]) if ordered else ()


def _failure(named: bool, action: str, misses: Sequence[CallMiss], association: PodIdentityAssociation) -> Served:
    if not (named or any(miss.denied for miss in misses)):
        return "no-trust" if action == ASSUME_ROLE else "no-tags"
    keys = {miss.condition.key for miss in misses if miss.condition}
    if keys == {"sts:externalid"}:
        return "external-id"
    tags = keys and all(key.startswith(("aws:requesttag/", "aws:principaltag/")) or key in _OF_TAGS for key in keys)
    return "tags-off" if tags and not association.session_tags else "condition"


_OF_TAGS = frozenset({"aws:tagkeys", "sts:transitivetagkeys"})


def worst_answer(
    policy: Policy,
    associations: Sequence[PodIdentityAssociation],
    answer: Callable[[Policy, PodIdentityAssociation], TrustAnswer],
) -> Served | Unknown:
    """The worst answer of a policy for several associations: one that is refused counts before one that is unknown."""
    if policy.refused:
        return "explained"
    states = {answer(policy, association).state for association in associations}
    for worst in _WORST:
        if worst in states:
            return worst
    return UNKNOWN_VALUES if "unknown" in states else "served" if states else "none"


def service_call(association: PodIdentityAssociation, lookups: Lookups, policy: Policy) -> ServiceCall:
    """The request of EKS for the role of an association."""
    cluster = cluster_of(association, lookups)
    context: dict[str, tuple[str, ...]] = {"aws:principalorgid": (), "aws:principalorgpaths": (), **_time(policy, lookups)}
    if cluster:
        context |= {"aws:sourceaccount": (cluster.account,), "aws:sourcearn": (str(cluster),)}
    if role := parse_arn(text_of(association.role_arn)):
        context["aws:resourceaccount"] = (role.account,)
    tags, present = _of_session_tags(association, cluster, policy, "aws:requesttag/")
    return ServiceCall(SERVICE, {**context, **_absent_of_services(policy), **tags}, present)


def target_call(association: PodIdentityAssociation, lookups: Lookups, policy: Policy) -> RoleCall:
    """The request for the target role of an association; its tags are those of the first session too, for they are transitive
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining)."""
    cluster, context = cluster_of(association, lookups), dict(_time(policy, lookups))
    if ident := external_id(association, lookups):
        context["sts:externalid"] = (ident,)
    if role := parse_arn(text_of(association.target_role_arn)):
        context["aws:resourceaccount"] = (role.account,)
    tags, present = _of_session_tags(association, cluster, policy, "aws:requesttag/")
    own, known = _of_session_tags(association, cluster, policy, "aws:principaltag/")
    return RoleCall(text_of(association.role_arn), {**context, **tags, **own}, present | known)


def _time(policy: Policy, lookups: Lookups) -> RequestContext:
    return known_time(policy, lookups.standards_context.as_of)


def cluster_of(association: PodIdentityAssociation, lookups: Lookups) -> Arn | None:
    """The ARN of the cluster of an association: of the cluster, else by the association's own; None where it is not known."""
    cluster = lookups.inventory.cluster_by_id.get(text_of(association.cluster))
    if cluster and cluster.arn:
        return parse_arn(cluster.arn)
    own = parse_arn(association.arn)
    return msgspec.structs.replace(own, resource=f"cluster/{own.resource.split('/')[1]}") if own and own.name else None


def external_id(association: PodIdentityAssociation, lookups: Lookups) -> str:
    """The `sts:ExternalId` that EKS sends to the target role, "" where it is not known
    (recorded: region/account/cluster/namespace/service account)."""
    cluster, names = cluster_of(association, lookups), (association.namespace, association.service_account)
    if association.external_id or cluster is None or any(isinstance(name, Text) for name in names):
        return association.external_id
    return "/".join((cluster.region, cluster.account, cluster.name, *map(text_of, names)))


def session_tags(association: PodIdentityAssociation, cluster: Arn | None) -> dict[str, str]:
    """The session tags whose values are known, by name."""
    values: dict[str, str | Text] = {
        "kubernetes-namespace": association.namespace,
        "kubernetes-service-account": association.service_account,
        "eks-cluster-name": cluster.name if cluster else "",
        "eks-cluster-arn": str(cluster) if cluster else "",
    }
    return {name: value for name, value in values.items() if isinstance(value, str) and value}


def _of_session_tags(
    association: PodIdentityAssociation, cluster: Arn | None, policy: Policy, prefix: str
) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """(what is known of the keys of tags, the keys that are there with a value that is not known)."""
    names = _TAGS if association.session_tags else ()
    values = session_tags(association, cluster) if association.session_tags else {}
    context: dict[str, tuple[str, ...]] = {f"{prefix}{name}": (value,) for name, value in values.items()}
    present = frozenset(f"{prefix}{name}" for name in names) - context.keys()
    if prefix == "aws:requesttag/":
        context |= {"aws:tagkeys": names, "sts:transitivetagkeys": names}
        absent = [key for key in condition_keys(policy) if key.startswith(prefix)]
    else:
        # the role of the association may have tags of its own
        absent = [f"{prefix}{name}" for name in _TAGS]
    return context | {key: () for key in absent if key not in context and key not in present}, present


def _absent_of_services(policy: Policy) -> RequestContext:
    """A service is no principal that has tags, and presents no token whose claims would be keys."""
    keys = condition_keys(policy)
    return {key: () for key in keys if key.startswith("aws:principaltag/") or key.endswith((":sub", ":aud"))}


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


def may_be_associated(account: ServiceAccount, role: str, lookups: Lookups) -> bool:
    """Whether an association of a role (by its id) may be that of the account: a template fills in for whom it is."""
    names = account.namespace, account.name
    made = [(item.namespace, item.service_account) for item in lookups.associations_of_role.get(role, ())]
    return any(all(map(_may_be, written, names)) for written in made if any(isinstance(part, Text) for part in written))


def _may_be(value: str | Text, name: str) -> bool:
    return glob_of(widest(pieces_of(value, wildcards=False, variables=False))).matches(name)


def near_association(account: ServiceAccount, lookups: Lookups) -> PodIdentityAssociation | None:
    """The association that was most likely meant for a service account without one: its name is near, and nothing has it."""
    return lookups.misnamed_associations.get((account.cluster, account.namespace, account.name))


def association_elsewhere(
    lookups: Lookups, cluster: Cluster | None, namespace: str, service_account: str
) -> PodIdentityAssociation | None:
    """An association for a service account of this name in another cluster than its own, both known by name; None where the
    two may be one cluster."""
    own = parse_arn(cluster.arn) if cluster and cluster.arn else None
    for item in lookups.associations_by_account.get((namespace, service_account), ()) if cluster and own else ():
        other = cluster_of(item, lookups)
        name = other.name if other else item.cluster
        if isinstance(name, str) and name and own and (str(other) != str(own) if other else name != own.name):
            return item
    return None


def is_association_misnamed(account: ServiceAccount, lookups: Lookups) -> bool | Unknown:
    """Whether it is certain that such an association is for nobody, and that the service account has no other."""
    near, inventory = near_association(account, lookups), lookups.inventory
    if (account.cluster, account.namespace, account.name) in inventory.association_by_key:
        return False
    if near is None:
        unseen = unseen_associations(account, lookups, whole=True)
        return False if unseen is None else unseen
    if (unseen := unseen_associations(account, lookups)) is not None:
        return unseen
    namespaces = {account.namespace, text_of(near.namespace)}
    if all(inventory.closed.has_kind(account.cluster, "serviceaccounts", namespace) for namespace in namespaces):
        return True
    missing = f"all service accounts of {lookups.name_of(account.cluster)}"
    return inventory.unknown("serviceaccounts", account.cluster, "", missing, *ACCOUNTS_HOW)


def is_policy_refused(association: PodIdentityAssociation | None) -> bool | Unknown:
    """Whether EKS refuses the association for its session policy, which needs session tags to be off
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html)."""
    if association is None or not association.narrowed:
        return False
    tags = association.session_tags
    return Unknown(f"value of {text_of(tags)}, by which a template disables session tags") if isinstance(tags, Text) else tags


def is_repeated(association: PodIdentityAssociation | None) -> bool:
    """Whether a template makes a second association for the same service account, which EKS refuses (recorded: `Association
    already exists`)."""
    return association is not None and association.repeated is not None


def is_role_elsewhere(association: PodIdentityAssociation | None) -> bool:
    """Whether the role of an association is surely in another account than its cluster: whoever makes the association passes
    the role, and a role is passed in its own account only (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
    """
    if association is None:
        return False
    role, cluster = (parse_arn(text_of(value)) for value in (association.role_arn, association.cluster))
    return (
        role is not None
        and cluster is not None
        and "" not in (role.account, cluster.account)
        and role.account != cluster.account
    )


def _are_together(folder: str, other: str) -> bool:
    below, above = sorted((f"{folder}/", f"{other}/"), key=len, reverse=True)
    return above == "/" or below.startswith(above)


def overridden(account: ServiceAccount, lookups: Lookups) -> Override | Unknown:
    """Whether an association takes the place of the role that a service account names, and by which role."""
    named = account.annotations.get(ROLE_ARN, "")
    if named == "":
        return "no"
    association = lookups.inventory.association_by_key.get((account.cluster, account.namespace, account.name))
    if association is not None:
        return "unseen-role" if not association.role_arn else "same-role" if association.role_arn == named else "other-role"
    unseen = unseen_associations(account, lookups)
    return "no" if unseen is None else unseen


def unseen_associations(account: ServiceAccount, lookups: Lookups, *, whole: bool = False) -> Unknown | None:
    """Why it is not known which association a service account has, or with `whole` which ones others have; None where it is."""
    if not account.cluster:
        return NO_ISSUER
    closed, issuer = lookups.inventory.closed, lookups.issuer_of(account.cluster)
    is_asked = not whole and closed.has_association(account.cluster, account.namespace, account.name)
    if is_asked or account.cluster in closed.associations:
        return None
    if issuer and profile_of(issuer) is not EKS:
        return None
    name = lookups.name_of(account.cluster)
    # a cluster of which only the issuer is known has no name that EKS would know
    how = shell_command("aws eks list-pod-identity-associations --cluster-name {}", name) if name != issuer else _BY_NAME
    what = f"Pod Identity associations of {name}"
    return lookups.inventory.unknown("associations", account.cluster, f"{account.namespace}/{account.name}", what, how)


def refused_for(account: ServiceAccount, lookups: Lookups) -> Unknown | None:
    """Why it is not known whether a service account has an association that a source was asked for; None where it is, and
    where no source was asked."""
    key = (account.cluster, account.namespace, account.name)
    if key in lookups.inventory.association_by_key or lookups.inventory.closed.has_association(*key):
        return None
    return lookups.inventory.refused("associations", account.cluster, f"{account.namespace}/{account.name}")


def association_seen(account: ServiceAccount, lookups: Lookups) -> Literal["none", "seen"] | Unknown:
    """Whether the association of a service account says which role it hands out: a list does not."""
    association = lookups.inventory.association_by_key.get((account.cluster, account.namespace, account.name))
    if association is None or association.role_arn:
        return "none" if association is None else "seen"
    name = lookups.name_of(account.cluster)
    how = shell_command("aws eks describe-pod-identity-association --cluster-name {} --association-id {}", name, association.id)
    return Unknown(f"role that EKS supplies in {name} by Pod Identity association {association.id}", how)
