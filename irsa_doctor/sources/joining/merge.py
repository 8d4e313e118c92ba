"""Makes one record of what several documents say about one object, and reports where they differ."""

from collections.abc import Iterable, Sequence

import msgspec

from irsa_doctor.model import (
    Cluster,
    ConfigMap,
    Contradiction,
    Namespace,
    OidcProvider,
    PodIdentityAssociation,
    Role,
    ServiceAccount,
    TrustPolicy,
    Unknown,
    Webhook,
    Workload,
)

_ROLE_ARN = "eks.amazonaws.com/role-arn"
Contradictions = list[Contradiction]


def disputed(what: str, of: str) -> Unknown:
    """The value of something that two documents tell differently."""
    return Unknown(f"which {what} of {of} is the current one: two documents differ")


def merged_roles(roles: Iterable[Role], contradictions: Contradictions) -> list[Role]:
    """One role an ARN; bare policies have none and stay apart."""
    kept: dict[str | int, Role] = {}
    for number, role in enumerate(roles):
        key = role.arn or number
        known = kept.get(key)
        kept[key] = role if known is None else _merged_role(known, role, contradictions)
    return list(kept.values())


def _merged_role(first: Role, second: Role, contradictions: Contradictions) -> Role:
    policy, place = first.policy, first.place
    if isinstance(first.policy, TrustPolicy) and isinstance(second.policy, TrustPolicy):
        if first.policy.document != second.policy.document or bool(first.policy.flaws) != bool(second.policy.flaws):
            contradictions.append(Contradiction(first.arn, "trust policy", first.policy.place, second.policy.place))
            policy = disputed("trust policy", first.arn)
    elif isinstance(second.policy, TrustPolicy) and not _is_disputed(first.policy):
        policy, place = second.policy, second.place
    longest, created = first.max_session or second.max_session, first.created or second.created
    address, planned = first.address or second.address, first.planned or second.planned
    return Role(first.arn, first.name, first.account, policy, place, longest, created, address, planned)


def _is_disputed(value: object) -> bool:
    return isinstance(value, Unknown) and value.missing.startswith("which ")


def merged_providers(providers: Iterable[OidcProvider], contradictions: Contradictions) -> list[OidcProvider]:
    """One provider an ARN; the place is that of the answer that tells most."""
    kept: dict[str, OidcProvider] = {}
    for provider in providers:
        known = kept.get(provider.arn)
        kept[provider.arn] = provider if known is None else _merged_provider(known, provider, contradictions)
    return list(kept.values())


def _merged_provider(first: OidcProvider, second: OidcProvider, contradictions: Contradictions) -> OidcProvider:
    client_ids = _merged_value(first, second, "client_ids", "client ids", contradictions)
    thumbprints = _merged_value(first, second, "thumbprints", "thumbprints", contradictions)
    tells_more = isinstance(first.client_ids, Unknown) and not isinstance(second.client_ids, Unknown)
    place = second.place if tells_more and not _is_disputed(first.client_ids) else first.place
    url, created = first.url or second.url, first.created or second.created
    return OidcProvider(first.arn, place, client_ids, thumbprints, url, created)


def _merged_value(
    first: OidcProvider, second: OidcProvider, field: str, what: str, contradictions: Contradictions
) -> tuple[str, ...] | Unknown:
    left: tuple[str, ...] | Unknown = getattr(first, field)
    right: tuple[str, ...] | Unknown = getattr(second, field)
    if isinstance(left, Unknown):
        return left if _is_disputed(left) else right
    if isinstance(right, Unknown) or set(left) == set(right):
        return left
    contradictions.append(Contradiction(first.arn, what, first.place, second.place))
    return disputed(what, first.arn)


def merged_clusters(clusters: Iterable[Cluster], contradictions: Contradictions) -> list[Cluster]:
    """One cluster an id. A discovery document tells nothing of a cluster whose description has the same issuer."""
    described = list(clusters)
    known_issuers = {cluster.issuer for cluster in described if cluster.arn and isinstance(cluster.issuer, str)}
    kept: dict[str, Cluster] = {}
    for cluster in described:
        if not cluster.arn and cluster.name == cluster.issuer and cluster.issuer in known_issuers:
            continue
        known = kept.get(cluster.id)
        kept[cluster.id] = cluster if known is None else _merged_cluster(known, cluster, contradictions)
    return list(kept.values())


def _merged_cluster(first: Cluster, second: Cluster, contradictions: Contradictions) -> Cluster:
    if isinstance(first.issuer, Unknown):
        return first if _is_disputed(first.issuer) else second
    if isinstance(second.issuer, Unknown) or first.issuer == second.issuer:
        return first
    contradictions.append(Contradiction(first.id, "issuer", first.place, second.place))
    return msgspec.structs.replace(first, issuer=disputed("issuer", first.id))


def merged_service_accounts(accounts: Iterable[ServiceAccount], contradictions: Contradictions) -> list[ServiceAccount]:
    """One account a cluster, namespace and name, the first. In an unknown cluster only repeats are dropped: accounts
    of one name may be those of two clusters."""
    kept: dict[tuple[str, ...], ServiceAccount] = {}
    extra: list[ServiceAccount] = []
    for account in accounts:
        key = (account.cluster, account.namespace, account.name)
        known = kept.setdefault(key, account)
        if known is account or known.annotations == account.annotations:
            continue
        if not account.cluster:
            extra.append(account)
        elif known.annotations.get(_ROLE_ARN) != account.annotations.get(_ROLE_ARN):
            subject = "/".join(key)
            contradictions.append(Contradiction(subject, f"annotation {_ROLE_ARN}", known.place, account.place))
    return [*kept.values(), *extra]


def merged_workloads(workloads: Iterable[Workload], contradictions: Contradictions) -> list[Workload]:
    """One workload a cluster, kind, namespace and name, the first; in an unknown cluster only repeats are dropped."""
    kept: dict[tuple[str, ...], Workload] = {}
    extra: list[Workload] = []
    for workload in workloads:
        key = (workload.cluster, workload.namespace, workload.kind, workload.name)
        known = kept.setdefault(key, workload)
        if known is workload or _same_workload(known, workload):
            continue
        if not workload.cluster:
            extra.append(workload)
        elif workload.admitted and not known.admitted:
            # what runs tells more than the manifest that it was made of
            kept[key] = workload
        elif known.service_account != workload.service_account:
            contradictions.append(Contradiction("/".join(key), "service account", known.place, workload.place))
    return [*kept.values(), *extra]


def _same_workload(first: Workload, second: Workload) -> bool:
    def identity(workload: Workload) -> object:
        containers = [(item.name, item.init, item.env, item.mounts) for item in workload.containers]
        return workload.service_account, workload.annotations, workload.token_audiences, containers

    return identity(first) == identity(second)


def merged_associations(
    associations: Iterable[PodIdentityAssociation], contradictions: Contradictions
) -> list[PodIdentityAssociation]:
    """One association a cluster, namespace and service account; the list names no role, the description does."""
    kept: dict[tuple[str, str, str], PodIdentityAssociation] = {}
    for item in associations:
        key = (item.cluster, item.namespace, item.service_account)
        known = kept.get(key)
        if known is None or (not known.role_arn and item.role_arn):
            kept[key] = item
        elif item.role_arn and item.role_arn != known.role_arn:
            contradictions.append(Contradiction("/".join(key), "Pod Identity role", known.place, item.place))
    return list(kept.values())


def merged_namespaces(items: Sequence[Namespace]) -> list[Namespace]:
    """One namespace a cluster and name."""
    kept: dict[tuple[str, str], Namespace] = {}
    for item in items:
        kept.setdefault((item.cluster, item.name), item)
    return list(kept.values())


def merged_config_maps(items: Sequence[ConfigMap]) -> list[ConfigMap]:
    """One config map or secret a name, unless their keys differ."""
    kept: dict[tuple[object, ...], ConfigMap] = {}
    for item in items:
        kept.setdefault((item.cluster, item.kind, item.namespace, item.name, item.keys), item)
    return list(kept.values())


def merged_webhooks(items: Sequence[Webhook]) -> list[Webhook]:
    """One webhook a configuration and name, unless they differ."""
    kept: dict[tuple[object, ...], Webhook] = {}
    for item in items:
        kept.setdefault((item.cluster, item.configuration, item.name, item.failure_policy, item.on_pod_create), item)
    return list(kept.values())
