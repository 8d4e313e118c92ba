"""Merges the records of several documents about one object, and reports where they differ."""

import os
from collections.abc import Iterable, Sequence

import msgspec

from irsa_doctor.model import (
    Cluster,
    ClusterAddon,
    ConfigMap,
    Contradiction,
    Namespace,
    OidcProvider,
    Place,
    PodIdentityAssociation,
    Role,
    ServiceAccount,
    TrustPolicy,
    Unknown,
    Webhook,
    Workload,
    has_hole,
    text_of,
)

_ROLE_ARN = "eks.amazonaws.com/role-arn"
Contradictions = list[Contradiction]


def disputed(what: str, of: str) -> Unknown:
    """Return the unknown value of a property on which two documents differ."""
    return Unknown(f"which {what} of {of} is the current one: two documents differ")


def merged_roles(roles: Iterable[Role], contradictions: Contradictions) -> list[Role]:
    """Return one role for each ARN and case; bare policies have no ARN and are not merged."""
    kept: dict[tuple[str, str] | int, Role] = {}
    for number, role in enumerate(roles):
        key = (role.arn, role.case) if role.arn else number
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
    return msgspec.structs.replace(
        first,
        policy=policy,
        place=place,
        max_session=longest,
        created=created,
        address=address,
        planned=planned,
        managed_by=first.managed_by or second.managed_by,
        permissions=first.permissions or second.permissions,
    )


def _is_disputed(value: object) -> bool:
    return isinstance(value, Unknown) and value.missing.startswith("which ")


def merged_providers(providers: Iterable[OidcProvider], contradictions: Contradictions) -> list[OidcProvider]:
    """Return one provider for each ARN; its place is that of the answer with the most values."""
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
    """Return one cluster for each id. A discovery document adds nothing to a described cluster with the same issuer."""
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
    """Return one service account for each cluster, namespace and name, the first. In an unknown cluster only equal ones are
    merged: accounts of one name may belong to two clusters."""
    kept: dict[tuple[str, ...], ServiceAccount] = {}
    extra: list[ServiceAccount] = []
    for account in accounts:
        key = (account.cluster, account.namespace, account.name)
        known = kept.setdefault(key, account)
        if known.template and not account.template and known is not account:
            # a manifest says what a template leaves open
            kept[key] = known = account
        if known is account or account.template or known.annotations == account.annotations:
            continue
        if not account.cluster:
            extra.append(account)
        elif known.annotations.get(_ROLE_ARN) != account.annotations.get(_ROLE_ARN):
            subject = "/".join(key)
            contradictions.append(Contradiction(subject, f"annotation {_ROLE_ARN}", known.place, account.place))
    return [*kept.values(), *extra]


def merged_workloads(workloads: Iterable[Workload], contradictions: Contradictions) -> list[Workload]:
    """Return one workload for each cluster, kind, namespace and name, the first; in an unknown cluster only equal ones
    are merged."""
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
            # a running pod has more than the manifest that it was made of
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
    """Return one association for each cluster, namespace and service account; the list has no role, the description has."""
    kept: dict[tuple[object, ...], PodIdentityAssociation] = {}
    for item in associations:
        names = (item.cluster, item.namespace, item.service_account)
        # a hole of one template is not that of another one
        key = (*names, item.place) if any(map(has_hole, names)) else names
        known = kept.get(key)
        kept[key] = item if known is None else _merged_association(known, item, contradictions)
    return list(kept.values())


def _merged_association(
    first: PodIdentityAssociation, second: PodIdentityAssociation, contradictions: Contradictions
) -> PodIdentityAssociation:
    if not first.role_arn and second.role_arn:
        return second
    differ = second.role_arn and second.role_arn != first.role_arn
    if differ and not (has_hole(first.role_arn) or has_hole(second.role_arn)):
        subject = "/".join(map(text_of, (first.cluster, first.namespace, first.service_account)))
        contradictions.append(Contradiction(subject, "Pod Identity role", first.place, second.place))
    if bool(first.id) != bool(second.id) and second.role_arn:
        described, written = (first, second) if first.id else (second, first)
        return msgspec.structs.replace(described, differences=tuple(_differences(described, written)))
    if not (first.id or second.id or first.repeated) and _are_of_one_template(first.place, second.place):
        return msgspec.structs.replace(first, repeated=second.place)
    return first


def _are_of_one_template(first: Place, second: Place) -> bool:
    """Whether two places are of one template: of one file, or of two files of one Terraform module. A plan beside the
    configuration that it was made of repeats it."""
    if first.document == second.document:
        return first != second
    paths = (first.document, second.document)
    return all(path.endswith(".tf") for path in paths) and len({os.path.dirname(path) for path in paths}) == 1


def _differences(described: PodIdentityAssociation, written: PodIdentityAssociation) -> Iterable[str]:
    """The settings that EKS has otherwise than a template, as far as both are known; by their names in the API."""
    fields = {"roleArn": "role_arn", "targetRoleArn": "target_role_arn", "disableSessionTags": "session_tags"}
    for name, field in fields.items():
        left, right = getattr(described, field), getattr(written, field)
        if left != right and not (has_hole(left) or has_hole(right)):
            yield name
    if described.narrowed != written.narrowed:
        yield "policy"


def merged_addons(addons: Iterable[ClusterAddon]) -> list[ClusterAddon]:
    """Return one add-on for each cluster and name; the list has the names alone."""
    kept: dict[tuple[str, str], ClusterAddon] = {}
    for addon in addons:
        key = (addon.cluster, addon.name)
        if key not in kept or not kept[key].status:
            kept[key] = addon
    return list(kept.values())


def merged_namespaces(items: Sequence[Namespace]) -> list[Namespace]:
    """Return one namespace for each cluster and name."""
    kept: dict[tuple[str, str], Namespace] = {}
    for item in items:
        kept.setdefault((item.cluster, item.name), item)
    return list(kept.values())


def merged_config_maps(items: Sequence[ConfigMap]) -> list[ConfigMap]:
    """Return one config map or secret for each name, more where their keys differ."""
    kept: dict[tuple[object, ...], ConfigMap] = {}
    for item in items:
        kept.setdefault((item.cluster, item.kind, item.namespace, item.name, item.keys), item)
    return list(kept.values())


def merged_webhooks(items: Sequence[Webhook]) -> list[Webhook]:
    """Return one webhook for each configuration and name, more where they differ."""
    kept: dict[tuple[object, ...], Webhook] = {}
    for item in items:
        kept.setdefault((item.cluster, item.configuration, item.name, item.failure_policy, item.on_pod_create), item)
    return list(kept.values())
