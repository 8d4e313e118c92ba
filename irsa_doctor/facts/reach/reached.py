"""Facts of who reaches roles through Kubernetes: of identities, of roles, and of the map aws-auth of a cluster."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.authorisation.identities import ACCOUNTS
from irsa_doctor.authorisation.principals import has_path, is_for_nodes, rows_without_effect
from irsa_doctor.facts.grants.grant import GrantFacts
from irsa_doctor.facts.lookups.associations import SERVICE
from irsa_doctor.facts.lookups.planned_clusters import planned_cluster
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.reach.arrivals import Arrival, ChainHop
from irsa_doctor.facts.reach.changers import PART_WORDS, changed_parts, words_of_changers
from irsa_doctor.facts.reach.graph import ReachGraph
from irsa_doctor.facts.reach.listing import ANYONE, ListedIdentity, Reachability
from irsa_doctor.facts.reach.records import AuthMapFacts, Concern, IdentityFacts, ReachedRoleFacts
from irsa_doctor.facts.reach.through import EnablingObject, first_step, through
from irsa_doctor.facts.reach.undetermined import concerned_clusters
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import Cluster, Place, Unknown, parse_arn, text_of
from irsa_doctor.model.access import AuthMap, AuthRow
from irsa_doctor.model.commands import shell_command

_SHOWN = 5
_NOWHERE = Place("")


def reach_facts(view: View) -> Iterator[Judged]:
    """Every identity that reaches a role, every role that can be reached, and the maps aws-auth."""
    for auth_map in view.inventory.auth_maps:
        yield _of_map(view, auth_map)
    reachability = Reachability(view)
    for cluster in concerned_clusters(view):
        for unknown in reachability.undetermined(cluster):
            yield from _without_verdict("cluster", view.label_of(cluster), unknown)
    if reachability.is_known:
        yield from _reaching(view, reachability)


def _reaching(view: View, reachability: Reachability) -> Iterator[Judged]:
    reached: dict[ClusterIdentity, list[str]] = {}
    for role in sorted(view.cases_by_id):
        policy = view.cases_by_id[role][0].role.policy
        if isinstance(policy, Unknown):
            yield _without_verdict("role", role, policy)[1]
            continue
        if not _is_concerned(reachability, role):
            continue
        listed = reachability.listed(role)
        for entry in listed:
            if entry.sure:
                reached.setdefault(entry.identity, []).append(role)
        yield _of_role(reachability, role, listed)
    for identity, roles in reached.items():
        if identity.name in ANYONE and identity.kind != "ServiceAccount":
            continue
        yield _of_identity(reachability, identity, roles)


def judged_identities(reachability: Reachability, judged: Judged) -> tuple[tuple[ClusterIdentity, ...], tuple[str, ...]]:
    """(those whom a finding is about, the roles that they reach): of a finding about a role everybody who should not reach it
    so."""
    by_role = {role: reachability.listed(role) for role in sorted(reachability.view.cases_by_id)}
    if isinstance(judged.facts, ReachedRoleFacts):
        listed = by_role.get(judged.id, ())
        if judged.facts.anyone is True:
            named = [entry.identity for entry in listed if entry.sure and _is_anyone(reachability, entry.identity)]
        else:
            named = [entry.identity for entry in listed if entry.creates and not reachability.is_expected(entry.identity)]
        return tuple(named), (judged.id,)
    reached: dict[ClusterIdentity, list[str]] = {}
    for role, listed in by_role.items():
        for entry in listed:
            if entry.sure and _ident(reachability.view, entry.identity) == judged.id:
                reached.setdefault(entry.identity, []).append(role)
    return tuple(reached), tuple(dict.fromkeys(role for roles in reached.values() for role in roles))


def _without_verdict(kind: str, ident: str, unknown: Unknown) -> tuple[Judged, Judged]:
    """A subject of the rules about identities, and one of those about roles, of which an input that is missing decides."""
    identity, role = IdentityFacts(unknown, False), ReachedRoleFacts(unknown, unknown, unknown)
    return Judged(kind, ident, ident, identity, _no_evidence), Judged(kind, ident, ident, role, _no_evidence)


def _no_evidence() -> Evidence:
    return Evidence({}, {})


# identities


def _of_identity(reachability: Reachability, identity: ClusterIdentity, roles: Sequence[str]) -> Judged:
    expected = reachability.is_expected(identity)
    concern: Concern = "none" if expected else _concern(reachability, identity)
    facts = IdentityFacts(concern, not expected and _is_elsewhere(reachability, identity, roles))
    ident = _ident(reachability.view, identity)
    kind = "service-account" if identity.kind == "ServiceAccount" else "identity"
    return Judged(kind, ident, ident, facts, partial(_evidence, reachability, identity, roles))


def _concern(reachability: Reachability, identity: ClusterIdentity) -> Concern:
    if identity.kind == "Group" and (identity.name == ACCOUNTS or identity.name.startswith(f"{ACCOUNTS}:")):
        return "every-account"
    if reachability.admin_steps(identity) is not None:
        return "cluster-admin"
    if identity.kind == "ServiceAccount":
        return "account"
    return "principal" if identity.kind == "Principal" else "group"


def _is_elsewhere(reachability: Reachability, identity: ClusterIdentity, roles: Iterable[str]) -> bool:
    if identity.kind == "ServiceAccount":
        taken = (target for role in roles for target in _taken(reachability, identity, role))
        return any(target.namespace != identity.namespace for target in taken)
    if identity.kind == "Principal":
        arn, cluster = parse_arn(identity.name), reachability.view.inventory.cluster_by_id.get(identity.cluster)
        return bool(arn and cluster and cluster.account and arn.account != cluster.account)
    return False


def _taken(reachability: Reachability, identity: ClusterIdentity, role: str) -> Iterator[ClusterIdentity]:
    """The accounts of a role that somebody takes for certain, new ones too."""
    standing = reachability.graph.standing(identity)
    for target, arrival in reachability.graph.arrivals(role):
        if arrival.steps(identity, standing):
            yield target


def _ident(view: View, identity: ClusterIdentity) -> str:
    if identity.kind == "Principal":
        return identity.name
    label = view.label_of(identity.cluster)
    if identity.kind == "ServiceAccount":
        return f"{label}/{identity.namespace}/{identity.name}"
    return f"{label}/{identity.kind.lower()}/{identity.name}"


def _evidence(reachability: Reachability, identity: ClusterIdentity, roles: Sequence[str]) -> Evidence:
    graph = reachability.graph
    kinds, objects = _shortest(reachability, identity, roles[0])
    accounts = sorted({f"{t.namespace}/{t.name or '(new)'}" for role in roles for t in _taken(reachability, identity, role)})
    admin, _ = graph.admins.chain(identity, graph.standing(identity)) if reachability.admin_steps(identity) else ((), None)
    behind = graph.clusters[identity.cluster].principals_behind(identity) if identity.kind in ("User", "Group") else ()
    principals = [item.arn for item in behind]
    policies = graph.clusters[identity.cluster].access.principals.get(identity.name)
    own = graph.clusters[identity.cluster].accounts.get(identity)
    place = objects[0].place if objects else own.place if own else _NOWHERE
    names: dict[str, str | Callable[[], str]] = {
        "identity": _words(identity),
        "count": str(len(roles)),
        "role_or_roles": "role" if len(roles) == 1 else "roles",
        "roles": _enumerated(roles),
        "way": kinds,
        "through": ", ".join(item.words for item in objects) or "its mapping",
        "accounts": _enumerated(accounts),
        "chain": _chain_words(admin) or "its own roles",
        "who": f" ({_enumerated(principals)})" if principals else "",
        "scope": _policies(policies.policies) if policies else "",
        "default": ", which every pod without a service account of its own runs as," if identity.name == "default" else "",
        "changes": partial(_changes, reachability, identity, roles),
    }
    return Evidence(names, {"binding": place})


def _changes(reachability: Reachability, identity: ClusterIdentity, roles: Sequence[str]) -> str:
    """What somebody may change of the links that it reaches, as a sentence."""
    taken = dict.fromkeys(target for role in roles for target in _taken(reachability, identity, role) if target.name)
    parts: dict[str, None] = {}
    for target in list(taken)[:_SHOWN]:
        if target.cluster == identity.cluster:
            parts.update(
                (PART_WORDS[part], None) for part in changed_parts(reachability, identity, target.namespace, target.name)
            )
    return f" It may also {' and '.join(parts)}." if parts else ""


def _changers(reachability: Reachability, role: str) -> str:
    """Who may change the links of a role, as a sentence."""
    for account in sorted(reachability.graph.admission(role).accounts):
        if words := words_of_changers(reachability, account.cluster, account.namespace, account.name):
            return f" The link of {account.namespace}/{account.name} may be changed by {words}."
    return ""


def _policies(policies: Sequence) -> str:  # type: ignore[type-arg]
    words = [f"{p.name} in {'the cluster' if p.namespaces is None else ', '.join(p.namespaces)}" for p in policies]
    return f" by {_enumerated(words)}" if words else ""


def _words(identity: ClusterIdentity) -> str:
    if identity.kind == "Principal":
        return identity.name
    if identity.kind == "ServiceAccount":
        return f"service account {identity.namespace}/{identity.name}"
    if identity.kind == "Grant":
        return f"{identity.name} in {identity.namespace or 'the cluster'}"
    return f"{identity.kind.lower()} {identity.name}"


def _enumerated(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _chain_words(hops: Iterable[ChainHop]) -> str:
    return ", then ".join(f"{hop.kind} {_words(hop.identity)}" for hop in hops)


def _shortest(
    reachability: Reachability, identity: ClusterIdentity, role: str, *, only_new: bool = False
) -> tuple[str, Sequence[EnablingObject]]:
    """(the shortest way to a role in words, what makes its first step possible); `only_new`: to an account that does not
    exist."""
    graph, standing = reachability.graph, reachability.graph.standing(identity)
    reached: list[tuple[int, ClusterIdentity, Arrival]] = []
    for target, arrival in graph.arrivals(role):
        if (steps := arrival.steps(identity, standing)) and not (only_new and target.name):
            reached.append((steps, target, arrival))
    if not reached:
        return "", ()
    _, target, arrival = min(reached, key=lambda entry: entry[0])
    hops, node = arrival.chain(identity, standing)
    last = arrival.last(node)
    objects = first_step(graph, identity, hops) if hops else through(graph, identity, last) if last else iter(())
    final = f"{last.kind} {target.namespace or '(a new namespace)'}/{target.name or '(a new account)'}" if last else ""
    return ", then ".join(filter(None, (_chain_words(hops), final))), tuple(objects)


# roles


def _is_concerned(reachability: Reachability, role: str) -> bool:
    """Whether a role has to do with a cluster of which something of RBAC is known: it admits somebody there, or is a principal
    there. Nothing was looked at of any other."""
    graph = reachability.graph
    return not graph.known.isdisjoint(_admitted_clusters(graph, role)) or role in graph.principals_of_role


def _admitted_clusters(graph: ReachGraph, role: str) -> set[str]:
    admission = graph.admission(role)
    return {cell.cluster for cell in admission.cells} | {account.cluster for account in admission.accounts}


def _of_role(reachability: Reachability, role: str, listed: Sequence[ListedIdentity]) -> Judged:
    anyone = [entry.identity for entry in listed if entry.sure and _is_anyone(reachability, entry.identity)]
    makers = [entry.identity for entry in listed if entry.creates and not reachability.is_expected(entry.identity)]
    is_held = _is_of_workloads(reachability.view, reachability.view.cases_by_id[role][0])
    onward = list(_onward(reachability, role)) if is_held else []
    unseen = next(_unseen(reachability, role), False)
    creatable = _perhaps_creatable(reachability, role, listed) if unseen is False else unseen
    facts = ReachedRoleFacts(
        anyone=True if anyone else unseen,
        creatable=True if makers else creatable,
        maps_back=True if onward else is_held and unseen,
    )
    return Judged("role", role, role, facts, partial(_role_evidence, reachability, role, anyone, makers, onward))


def _unseen(reachability: Reachability, role: str) -> Iterator[bool | Unknown]:
    """What is missing of the clusters of a role: what is not found there is not denied."""
    graph = reachability.graph
    principals = {principal.cluster for principal in graph.principals_of_role.get(role, ())}
    for cluster in sorted(_admitted_clusters(graph, role) | principals):
        yield from reachability.undetermined(cluster)


def _perhaps_creatable(reachability: Reachability, role: str, listed: Iterable[ListedIdentity]) -> bool | Unknown:
    """Why somebody may be able to make an account that the trust of a role names: it may exist where not all were listed."""
    graph, inventory = reachability.graph, reachability.view.inventory
    standings = {graph.standing(entry.identity) for entry in listed if not reachability.is_expected(entry.identity)}
    for target, arrival in graph.arrivals(role):
        if target.namespace and not target.name and not standings.isdisjoint(arrival.direct):
            space, then = target.namespace, "--complete serviceaccounts"
            how = shell_command("kubectl get serviceaccounts -n {} -o yaml", space)
            return inventory.unknown("serviceaccounts", target.cluster, space, f"service accounts of {space}", how, then)
    return False


def _is_anyone(reachability: Reachability, identity: ClusterIdentity) -> bool:
    is_one = identity.kind in ("User", "Group") and identity.name in ANYONE
    return is_one and not reachability.is_expected(identity)


def _is_of_workloads(view: View, analysed: AnalysedRole) -> bool:
    """Whether workloads of a cluster may have a role: it trusts an issuer that may be that of a cluster, or EKS Pod Identity,
    or somebody that is not known. A role of people, of instances or of pipelines alone leads nobody back into a cluster."""
    policy, role = analysed.policy, analysed.role
    if policy is None or view.associations_of_role.get(role.id) or view.associations_of_target.get(role.arn):
        return True
    kinds = {grant.facts.issuer_kind for grant in analysed.grants if isinstance(grant.facts, GrantFacts)}
    allowing = [statement for statement in policy.statements if statement.allow]
    services = {text_of(value) for statement in allowing for value in statement.service}
    return bool(kinds - {"other"}) or SERVICE in services or any(statement.unseen for statement in allowing)


def _onward(reachability: Reachability, role: str) -> Iterator[ClusterIdentity]:
    """The principals that a role is and that reach another role, or become administrators."""
    for principal in reachability.graph.principals_of_role.get(role, ()):
        if reachability.admin_steps(principal) is not None or any(_others(reachability, principal, role)):
            yield principal


def _others(reachability: Reachability, principal: ClusterIdentity, role: str) -> Iterator[str]:
    standing = reachability.graph.standing(principal)
    for other in sorted(reachability.view.cases_by_id):
        if other != role and any(a.steps(principal, standing) for _, a in reachability.graph.arrivals(other)):
            yield other


def _role_evidence(
    reachability: Reachability,
    role: str,
    anyone: Sequence[ClusterIdentity],
    makers: Sequence[ClusterIdentity],
    onward: Sequence[ClusterIdentity],
) -> Evidence:
    graph, analysed = reachability.graph, reachability.view.cases_by_id[role][0]
    subject = next(iter((*anyone, *makers)), None)
    way, objects = _shortest(reachability, subject, role, only_new=not anyone) if subject else ("", ())
    place = objects[0].place if objects else analysed.role.place
    mapping = graph.clusters[onward[0].cluster].access.principals[onward[0].name].place if onward else place
    holders = [f"{account.namespace}/{account.name}" for account in graph.admission(role).accounts]
    leads = [] if not onward else [*_others(reachability, onward[0], role)]
    admin = bool(onward) and reachability.admin_steps(onward[0]) is not None
    spaces = [t.namespace or "(a new namespace)" for t, _ in graph.arrivals(role) if not t.name]
    names: dict[str, str | Callable[[], str]] = {
        "role": role,
        "anyone": _enumerated([_words(identity) for identity in anyone]),
        "makers": _enumerated([_words(identity) for identity in makers]),
        "spaces": _enumerated(spaces),
        "way": way,
        "through": ", ".join(item.words for item in objects) or "its mapping",
        "changers": partial(_changers, reachability, role),
        "holders": _enumerated(holders) or "no account of the input",
        "leads": "the whole cluster" if admin else _enumerated(leads),
    }
    return Evidence(names, {"binding": place, "mapping": mapping})


# the map


def _of_map(view: View, auth_map: AuthMap) -> Judged:
    cluster = view.inventory.cluster_by_id.get(auth_map.cluster)
    if not auth_map.cluster:
        cluster = planned_cluster(view.inventory, auth_map.place.document)
    mode = cluster.mode if cluster else ""
    with_path = [row for row in auth_map.rows if row.list == "mapRoles" and has_path(row.arn) and not is_for_nodes(row)]
    ignored: bool | Unknown = mode == "API" and bool(auth_map.rows)
    if cluster and not mode and auth_map.rows:
        how = shell_command("aws eks describe-cluster --name {}", cluster.name)
        ignored = Unknown(f"authentication mode of cluster {cluster.name}", how)
    lost = list(rows_without_effect(auth_map)) if mode != "API" else []
    facts = AuthMapFacts(bool(with_path) and mode != "API", ignored, bool(lost))
    ident = view.label_of(auth_map.cluster)
    return Judged("cluster", ident, ident, facts, partial(_map_evidence, auth_map, with_path, lost, cluster))


def _map_evidence(
    auth_map: AuthMap, rows: Sequence[AuthRow], lost: Sequence[tuple[str, str, Place]], cluster: Cluster | None
) -> Evidence:
    row = rows[0] if rows else None
    names = {
        "cluster": cluster.name if cluster else "an unknown cluster",
        "row": f"{row.list}[{row.index}]" if row else "",
        "arn": row.arn if row else "",
        "without_path": _without_path(row.arn) if row else "",
        "count": str(len(auth_map.rows)),
        "lost": "; ".join(f"{name}: {why}" for name, why, _ in lost[:_SHOWN]),
        "more": f"; and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else "",
    }
    places = {"row": row.place if row else auth_map.place, "map": auth_map.place}
    return Evidence(names, {**places, "lost_row": lost[0][2] if lost else auth_map.place})


def _without_path(arn: str) -> str:
    head, _, name = arn.partition(":role/")
    return f"{head}:role/{name.rpartition('/')[2]}"
