"""Answers what one subject can become: the roles that it reaches, and whether it becomes an administrator."""

from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.answers.missing import MissingInput
from irsa_doctor.answers.reach.missing import is_complete, open_parts, without_rbac
from irsa_doctor.answers.reach.paths import LineOf, PathWriter
from irsa_doctor.answers.reach.records import AdminReach, ReachedRole, ReachPath, ReachSubject
from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.authorisation.principals import identity_of
from irsa_doctor.facts import View
from irsa_doctor.facts.reach.arrivals import Arrival
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.model import parse_arn
from irsa_doctor.model.errors import IrsaDoctorError


class NoSuchSubject(IrsaDoctorError):
    """A subject is not in the input, or is written in no form that is known; the text names it."""


class SubjectReach(msgspec.Struct, frozen=True, kw_only=True):
    """What a subject can become; `implied` are the groups that it is in without being named in the question."""

    subject: ReachSubject
    implied: tuple[str, ...]
    roles: tuple[ReachedRole, ...]
    cluster_admin: AdminReach | None
    complete: bool
    unknown: tuple[MissingInput, ...]


_FORMS = "user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME or the ARN of an IAM principal"


def reach_of_subject(view: View, words: str, line_of: LineOf, cluster: str = "") -> SubjectReach:
    """What the subject of some words can become; `cluster` is the name or id of its cluster, "" where one alone has it.

    Raises NoSuchSubject.
    """
    reachability = Reachability(view, everything=True)
    identity = _identity(reachability, words, cluster)
    reachability.graph.include(identity)
    writer = PathWriter(reachability, line_of)
    is_known = identity.cluster in reachability.graph.known
    missing = list(dict.fromkeys(open_parts(reachability, [identity.cluster])))
    if not is_known:
        missing = [without_rbac([view.name_of(identity.cluster)])]
    access = reachability.graph.clusters[identity.cluster].access
    missing += [MissingInput(f"{text}, of {words}") for text in dict.fromkeys(access.unknown_of(identity))]
    return SubjectReach(
        subject=writer.subject(identity),
        implied=tuple(f"{other.kind.lower()} {other.name}" for other in access.implied(identity)),
        roles=tuple(sorted(_roles(reachability, writer, identity), key=lambda role: (role.steps, role.role))),
        cluster_admin=_admin(reachability, writer, identity),
        complete=is_known and is_complete(missing),
        unknown=tuple(missing),
    )


def _roles(reachability: Reachability, writer: PathWriter, identity: ClusterIdentity) -> Iterator[ReachedRole]:
    graph = reachability.graph
    for role in graph.view.cases_by_id:
        if reachability.is_excluded(role, identity):
            yield ReachedRole(role, 0, "certain", ())
            continue
        targets = list(graph.arrivals(role))
        steps = [reached for _, arrival in targets if (reached := arrival.steps(identity, graph.standing(identity)))]
        paths = tuple(writer.paths(identity, targets))
        if steps:
            shortest = min(steps)
            sure = [path.certainty for path in paths if path.steps == shortest and path.certainty != "possible"]
            yield ReachedRole(role, shortest, "certain" if "certain" in sure else "likely", _ordered(paths))
        elif any(_is_possible(reachability, identity, arrival) for _, arrival in targets):
            yield ReachedRole(role, 1, "possible", _ordered(paths))


def _ordered(paths: Sequence[ReachPath]) -> tuple[ReachPath, ...]:
    return tuple(sorted(paths, key=lambda path: (path.certainty == "possible", path.steps, path.kind, path.namespace or "")))


def _is_possible(reachability: Reachability, identity: ClusterIdentity, arrival: Arrival) -> bool:
    return bool(arrival.direct.get(reachability.graph.standing(identity)))


def _admin(reachability: Reachability, writer: PathWriter, identity: ClusterIdentity) -> AdminReach | None:
    steps = reachability.admin_steps(identity)
    if steps is None:
        return None
    hops, _ = reachability.graph.admins.chain(identity, reachability.graph.standing(identity))
    return AdminReach(steps, writer.steps(hops))


# which subject


def _identity(reachability: Reachability, words: str, cluster: str) -> ClusterIdentity:
    kind, _, name = words.partition(":")
    candidates = {
        "user": _everywhere,
        "group": _everywhere,
        "serviceaccount": _accounts,
        "arn": _principals,
    }.get(kind)
    if candidates is None or not name:
        raise NoSuchSubject(f"{words}: not a subject; give {_FORMS}")
    view, graph = reachability.view, reachability.graph
    several = [
        identity
        for identity in candidates(reachability, words)
        if not cluster or cluster in (identity.cluster, view.name_of(identity.cluster), view.label_of(identity.cluster))
    ]
    if not several:
        of = f" of cluster {cluster}" if cluster else ""
        raise NoSuchSubject(f"{words}: no such subject{of} in the input")
    if len(several) > 1:
        named = [identity for identity in several if identity in graph.named]
        if len(named) != 1:
            names = ", ".join(sorted(view.name_of(identity.cluster) for identity in several))
            raise NoSuchSubject(f"{words}: {len(several)} clusters may have it; give --cluster, one of {names}")
        several = named
    return several[0]


def _everywhere(reachability: Reachability, words: str) -> Iterator[ClusterIdentity]:
    """A user or group may be in any cluster: nothing has to name it."""
    kind, _, name = words.partition(":")
    for ident, standings in reachability.graph.clusters.items():
        yield standings.access.of_user(name) if kind == "user" else ClusterIdentity(ident, "Group", name)


def _accounts(reachability: Reachability, words: str) -> Iterator[ClusterIdentity]:
    space, _, name = words.partition(":")[2].partition("/")
    for account in reachability.view.inventory.service_accounts:
        if (account.namespace, account.name) == (space, name):
            yield ClusterIdentity(account.cluster, "ServiceAccount", name, space)


def _principals(reachability: Reachability, words: str) -> Iterator[ClusterIdentity]:
    """A principal of IAM; the ARN of a session, as `aws sts get-caller-identity` prints it, is that of its role."""
    parts = parse_arn(words)
    if parts and parts.service == "sts" and parts.kind == "assumed-role":
        words = f"arn:{parts.partition}:iam::{parts.account}:role/{parts.name.partition('/')[0]}"
    sought = identity_of(words)
    for ident, standings in reachability.graph.clusters.items():
        for principal in standings.principals:
            if identity_of(principal.arn) == sought:
                yield ClusterIdentity(ident, "Principal", principal.arn)
