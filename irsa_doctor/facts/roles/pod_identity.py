"""Facts of a role that EKS Pod Identity hands out, or assumes in a second step, and what messages say of them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from irsa_doctor.facts.lookups.associations import (
    ASSUME_ROLE,
    CAPABILITIES,
    SERVICE,
    TAG_SESSION,
    Served,
    TrustAnswer,
    external_id,
    role_answer,
    service_call,
    target_answer,
    target_call,
    worst_answer,
)
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.evidence import wide_principals
from irsa_doctor.model import Place, PodIdentityAssociation, Role, TrustPolicy, Unknown, text_of
from irsa_doctor.trust import Policy
from irsa_doctor.trust.holding import RequestContext
from irsa_doctor.trust.policy import Statement, covers
from irsa_doctor.trust.services import CallMiss, ServiceCall, trusts, trusts_service

_SHOWN = 6
Capability = Literal["none", "complete", "incomplete"]


def handed_out(role: Role, policy: Policy, lookups: Lookups) -> Served | Unknown:
    """Whether EKS may assume the role for the associations that name it."""
    associations = lookups.associations_of_role.get(role.id, ())
    return worst_answer(policy, associations, lambda p, association: role_answer(p, association, lookups))


def reached_as_target(role: Role, policy: Policy, lookups: Lookups) -> Served | Unknown:
    """Whether the roles of the associations that name the role as their target may assume it."""
    associations = lookups.associations_of_target.get(role.arn, ())
    if any(not association.role_arn or not isinstance(association.role_arn, str) for association in associations):
        return Unknown(f"the roles of the associations whose target is {role.arn}")
    return worst_answer(policy, associations, lambda p, association: target_answer(p, association, lookups))


def is_for_pods(statement: Statement) -> bool:
    """Whether a statement is for EKS Pod Identity, even where it compares a key of tokens, which no such request has."""
    return SERVICE in statement.service and not statement.covers_web_identity


def any_cluster_may(role: Role, policy: Policy, lookups: Lookups) -> bool | Unknown:
    """Whether no condition of a role that is handed out limits the clusters, namespaces or service accounts that get it."""
    wide = (statement for width, value, statement in wide_principals(policy) if width == "service" and value == SERVICE)
    if not any(covers(statement, ASSUME_ROLE) for statement in wide):
        return False
    if lookups.associations_of_role.get(role.id):
        return handed_out(role, policy, lookups) == "served"
    unseen = lookups.refused_associations
    return unseen.get(role.account, unseen.get("", False))


def capability_of(policy: Policy) -> tuple[Capability, str]:
    """(whether a role is that of a managed capability of EKS, and allows what it needs; the action that it does not allow)
    (https://docs.aws.amazon.com/eks/latest/userguide/capability-role.html)."""
    call, actions = ServiceCall(CAPABILITIES), (ASSUME_ROLE, TAG_SESSION)
    if policy.refused or not any(trusts_service(policy, CAPABILITIES, action) for action in actions):
        return "none", ""
    lacking = next((action for action in actions if not trusts(policy, call, action)), "")
    return ("incomplete" if lacking else "complete"), lacking


def capability_role(role: Role, policy: Policy, lookups: Lookups) -> tuple[Capability, str]:
    """The same of a role; one that a capability of the input has is incomplete where it does not trust EKS for it at all."""
    capability, lacking = capability_of(policy)
    if capability == "none" and role.arn and any(item.role_arn == role.arn for item in lookups.inventory.capabilities):
        return ("none", "") if policy.refused else ("incomplete", ASSUME_ROLE)
    return capability, lacking


def pod_identity_evidence(
    role: Role, source: TrustPolicy | None, policy: Policy | None, lookups: Lookups
) -> tuple[dict[str, str], dict[str, Place]]:
    """The names and places that messages have of the associations of a role, and of those whose target it is."""
    names: dict[str, str] = {}
    places: dict[str, Place] = {}
    names["capability_action"] = capability_role(role, policy, lookups)[1] if policy else ""
    own, targeted = lookups.associations_of_role.get(role.id, ()), lookups.associations_of_target.get(role.arn, ())
    answers = {"": partial(role_answer, lookups=lookups), "target_": partial(target_answer, lookups=lookups)}
    for prefix, associations in (("", own), ("target_", targeted)):
        if not associations:
            continue
        unread: _Answered = [(association, None) for association in associations]
        refused = _refused(policy, associations, answers[prefix]) if policy else unread
        first, answer = refused[0]
        names[f"{prefix}associated"] = _listed([association for association, _ in refused])
        places[f"{prefix}association"] = first.place
        names[f"{prefix}source"] = text_of(first.role_arn)
        if answer and answer.misses and source and policy:
            call = target_call if prefix else service_call
            miss = answer.misses[0]
            names[f"{prefix}condition"] = miss_text(miss, call(first, lookups, policy).known)
            places[f"{prefix}condition"] = place_of(miss, source)
            _say_shared(names, places, answer.state, prefix)
            names["external_id_sent"] = external_id(first, lookups) if prefix else "none, for it has no target role"
    return names, places


# what rules call an answer that the role and the target role of an association can both give
_SHARED = {"tags-off": "tags", "external-id": "external_id"}


def _say_shared(names: dict[str, str], places: dict[str, Place], state: str, prefix: str) -> None:
    if word := _SHARED.get(state):
        names[f"{word}_associated"] = names[f"{prefix}associated"]
        places |= {f"{word}_{name}": places[f"{prefix}{name}"] for name in ("condition", "association")}


_Answer = Callable[[Policy, PodIdentityAssociation], TrustAnswer]
_Answered = list[tuple[PodIdentityAssociation, TrustAnswer | None]]


def _refused(policy: Policy, associations: Sequence[PodIdentityAssociation], answer: _Answer) -> _Answered:
    """The associations of the worst answer with it; all where none is refused."""
    worst = worst_answer(policy, associations, answer)
    listed = [(association, answer(policy, association)) for association in associations]
    refused: _Answered = [(association, own) for association, own in listed if own.state == worst and own.state != "served"]
    return refused or [(association, None) for association, _ in listed]


def _listed(associations: Sequence[PodIdentityAssociation]) -> str:
    names = list(dict.fromkeys(f"{text_of(a.namespace)}/{text_of(a.service_account)}" for a in associations))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def miss_text(miss: CallMiss, known: RequestContext) -> str:
    """What keeps a request out, in one clause: the condition, and the value that the request has."""
    if miss.condition is None:
        return f"statement {miss.statement.index} denies it"
    key, use = text_of(miss.condition.raw_key), miss.condition.use
    required = ", ".join(f'"{text_of(value)}"' for value in miss.condition.values[:_SHOWN])
    values = known.get(miss.condition.key)
    has = "has no such key" if values == () else f"has {', '.join(values)}" if values else "has another value"
    verb = "denies" if miss.denied else "requires"
    return f"statement {miss.statement.index} {verb} {use} {key} {required}, and the request {has}"


def place_of(miss: CallMiss, source: TrustPolicy) -> Place:
    """Where it stands in the policy."""
    return source.place.at(*(miss.condition.steps if miss.condition else miss.statement.steps))
