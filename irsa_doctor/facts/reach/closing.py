"""The smallest change of bindings that closes every way of somebody to some roles, and what it takes away."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.authorisation import ClusterAccess, ClusterIdentity, Permission
from irsa_doctor.authorisation.decisions import EVERYWHERE, allows
from irsa_doctor.authorisation.identities import subject_identity
from irsa_doctor.authorisation.steps import AccessWay, Use
from irsa_doctor.facts.reach.arrivals import Arrival
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.reached import judged_identities
from irsa_doctor.facts.reach.records import ReachedRoleFacts
from irsa_doctor.facts.subject import Judged
from irsa_doctor.model.access import AccessBinding, AccessRule, AccessSubject

_MOST = 12
"""subjects that are removed from bindings at most: a subject with more ways than that needs a decision, not a patch"""


class SubjectRemoval(msgspec.Struct, frozen=True):
    """A subject that a binding is to lose."""

    binding: AccessBinding
    subject: AccessSubject


class Closing(msgspec.Struct, frozen=True):
    """Removals after which somebody has no way that is certain or likely to any of some roles, none of them needless. `rights`
    are what each takes away beside that, in words."""

    removals: tuple[SubjectRemoval, ...]
    rights: tuple[str, ...]


class NotClosed(Exception):
    """That no change of bindings closes the ways, and why."""


def closing(reachability: Reachability, identity: ClusterIdentity, roles: Sequence[str], *, only_new: bool = False) -> Closing:
    """Find the removals, proved by working out the ways anew without them. `only_new`: only ways to service accounts that do
    not exist have to go. Raises NotClosed."""
    removals: list[SubjectRemoval] = []
    now = reachability
    while (removal := _next(now, identity, roles, only_new)) is not None:
        removals.append(removal)
        if len(removals) > _MOST:
            raise NotClosed(f"more than {_MOST} bindings would have to change")
        now = without_subjects(reachability, removals)
    for removal in tuple(removals):
        fewer = [other for other in removals if other is not removal]
        if fewer and not _ways(without_subjects(reachability, fewer), identity, roles, only_new):
            removals = fewer
    if not removals:
        raise NotClosed("no way to the role is left")
    final = without_subjects(reachability, removals)
    return Closing(tuple(removals), tuple(_rights(reachability, final, removal) for removal in removals))


def closing_of(reachability: Reachability, judged: Judged) -> Closing:
    """The removals for everybody whom a finding is about; of one about accounts that can be created only ways to new ones have
    to go. Raises NotClosed."""
    identities, roles = judged_identities(reachability, judged)
    if not identities:
        raise NotClosed("nobody whom a binding names reaches a role")
    only_new = isinstance(judged.facts, ReachedRoleFacts) and judged.facts.anyone is not True
    answers = [closing(reachability, identity, roles, only_new=only_new) for identity in identities]
    removals = dict.fromkeys(removal for answer in answers for removal in answer.removals)
    return Closing(tuple(removals), tuple(dict.fromkeys(words for answer in answers for words in answer.rights)))


def without_subjects(reachability: Reachability, removals: Iterable[SubjectRemoval]) -> Reachability:
    """The ways that there are once some bindings have lost subjects."""
    gone: dict[AccessBinding, set[AccessSubject]] = {}
    for removal in removals:
        gone.setdefault(removal.binding, set()).add(removal.subject)
    view = reachability.view
    bindings = tuple(
        msgspec.structs.replace(item, subjects=tuple(s for s in item.subjects if s not in gone[item])) if item in gone else item
        for item in view.inventory.access_bindings
    )
    inventory = msgspec.structs.replace(view.inventory, access_bindings=bindings)
    return Reachability(msgspec.structs.replace(view, inventory=inventory))


def _ways(
    reachability: Reachability, identity: ClusterIdentity, roles: Iterable[str], only_new: bool
) -> list[tuple[int, ClusterIdentity, Arrival]]:
    ways = (entry for role in roles for entry in _arrivals(reachability, identity, role))
    return [entry for entry in ways if not (only_new and entry[1].name)]


def _arrivals(
    reachability: Reachability, identity: ClusterIdentity, role: str
) -> Iterator[tuple[int, ClusterIdentity, Arrival]]:
    """The targets of a role to which somebody gets by ways that are certain or likely."""
    if identity.cluster not in reachability.graph.clusters:
        return
    standing = reachability.graph.standing(identity)
    for target, arrival in reachability.graph.arrivals(role):
        if steps := arrival.steps(identity, standing):
            yield steps, target, arrival


def _next(reachability: Reachability, identity: ClusterIdentity, roles: Sequence[str], only_new: bool) -> SubjectRemoval | None:
    """What to remove first: on the shortest way that is left, the subject of the binding nearest to whoever goes it."""
    ways = _ways(reachability, identity, roles, only_new)
    if not ways:
        return None
    _, _, arrival = min(ways, key=lambda entry: (entry[0], entry[1]))
    graph = reachability.graph
    for actor, way in _taken(reachability, identity, arrival):
        access = graph.clusters[actor.cluster].access
        for use in way.uses:
            if removal := _removal(access, actor, use):
                return removal
    raise NotClosed("the way rests on no binding: on an access policy, a mapping or a group that needs none")


def _taken(
    reachability: Reachability, identity: ClusterIdentity, arrival: Arrival
) -> Iterator[tuple[ClusterIdentity, AccessWay]]:
    """The steps of a shortest way, each with whoever takes it."""
    hops, node = arrival.chain(identity, reachability.graph.standing(identity))
    actor = identity
    for hop in hops:
        if hop.way is not None:
            yield actor, hop.way
        actor = hop.identity
    if last := arrival.last(node):
        yield actor, last


def _removal(access: ClusterAccess, actor: ClusterIdentity, use: Use) -> SubjectRemoval | None:
    """The subject by which a binding gives a permission: the actor itself before the groups that it is in."""
    for other in (actor, *access.implied(actor)):
        for held in access.own(other):
            is_in_scope = held.grant.scope in (EVERYWHERE, use.scope)
            if not is_in_scope or not isinstance(held.source, AccessBinding):
                continue
            if allows(access.rules(held.grant.role), use.permission, use.name):
                named = [s for s in held.source.subjects if subject_identity(access.cluster, s) == other]
                if named:
                    return SubjectRemoval(held.source, named[0])
    return None


def _rights(before: Reachability, after: Reachability, removal: SubjectRemoval) -> str:
    """What the subject of a removal loses, without what other bindings still give it."""
    binding, subject = removal.binding, removal.subject
    access = before.graph.clusters[binding.cluster].access
    identity = subject_identity(binding.cluster, subject)
    scope = binding.namespace or EVERYWHERE
    left = _rules_left(after, identity, scope)
    lost = [words for rule in access.rules(access.key_of(binding)) if (words := _lost(rule, left))]
    where = f"in namespace {binding.namespace}" if binding.namespace else "in the whole cluster"
    who = f"{subject.kind} {subject.namespace}/{subject.name}" if subject.namespace else f"{subject.kind} {subject.name}"
    return f"{who} loses {'; '.join(lost) or 'nothing that it does not have otherwise'} {where}"


def _rules_left(after: Reachability, identity: ClusterIdentity, scope: str) -> tuple[AccessRule, ...]:
    if identity.cluster not in after.graph.clusters:
        return ()
    access = after.graph.clusters[identity.cluster].access
    held = (entry.grant for entry in access.held(identity) if entry.grant.scope in (EVERYWHERE, scope))
    return tuple(rule for grant in held for rule in access.rules(grant.role))


def _lost(rule: AccessRule, left: Sequence[AccessRule]) -> str:
    """The permissions of a rule that others do not give, in words; "" where these give all of them."""
    verbs = [
        verb
        for verb in rule.verbs
        if not all(
            _is_left(left, Permission(verb, group, *_resource(path)), rule.names)
            for group in rule.groups
            for path in rule.resources
        )
    ]
    named = f" named {', '.join(rule.names)}" if rule.names else ""
    return f"{', '.join(verbs)} of {', '.join(rule.resources)}{named}" if verbs else ""


def _resource(path: str) -> tuple[str, str]:
    resource, _, subresource = path.partition("/")
    return resource, subresource


def _is_left(left: Sequence[AccessRule], permission: Permission, names: Sequence[str]) -> bool:
    return all(allows(left, permission, name) for name in names or ("",))
