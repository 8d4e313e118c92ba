"""Merges the records of several documents about one object, and reports where they differ."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, TypeVar

import msgspec

from irsa_doctor.model import (
    Cluster,
    ClusterAddon,
    ConfigMap,
    Namespace,
    OidcProvider,
    Place,
    PodIdentityAssociation,
    ResourceControlPolicy,
    Role,
    ServiceAccount,
    TrustPolicy,
    Unknown,
    Webhook,
    Workload,
    has_hole,
    parse_arn,
    text_of,
)
from irsa_doctor.model.access import AccessBinding, AccessEntry, AccessRole, AssociatedAccess, WebhookConfiguration
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.sources.joining.disputes import Differing, Disputes, IsSaid, contradictions_in_clusters

_Item = TypeVar("_Item")
_Named = TypeVar("_Named", AccessRole, AccessBinding, WebhookConfiguration)


def disputed(what: str, of: str) -> Unknown:
    """Return the unknown value of a property on which two documents differ."""
    return Unknown(f"which {what} of {of} is the current one: two documents differ")


def _grouped(items: Iterable[_Item], key_of: Callable[[_Item], object]) -> Iterable[list[_Item]]:
    """The records of each object; those without a key are alone."""
    groups: dict[object, list[_Item]] = {}
    for number, item in enumerate(items):
        groups.setdefault(key_of(item) or number, []).append(item)
    return groups.values()


def merged_roles(roles: Iterable[Role], disputes: Disputes) -> list[Role]:
    """Return one role for each ARN and case; bare policies have no ARN and are not merged."""
    groups = _grouped(roles, lambda role: (role.arn, role.case) if role.arn else None)
    return [group[0] if len(group) == 1 else _merged_role(group, disputes) for group in groups]


def _merged_role(group: Sequence[Role], disputes: Disputes) -> Role:
    known = [role for role in group if isinstance(role.policy, TrustPolicy)]
    first = known[0] if known else group[0]
    merged = msgspec.structs.replace(
        group[0],
        policy=first.policy,
        place=first.place,
        max_session=_first(role.max_session for role in group),
        created=_first(role.created for role in group),
        address=_first(role.address for role in group),
        planned=_first(role.planned for role in group),
        managed_by=_first(role.managed_by for role in group),
        permissions=_first(role.permissions for role in group),
        last_used=max((role.last_used for role in group if role.last_used is not None), default=None),
    )
    differing = Differing(merged.arn, "trust policy", grave=True, place_of=lambda role: role.policy.place)
    if not disputes.add(differing.between(known, _trust)):
        return merged
    held = ((msgspec.structs.replace(merged, policy=role.policy, place=role.place), _trust(role)) for role in known)
    disputes.hold("roles", held)
    return msgspec.structs.replace(merged, policy=disputed("trust policy", merged.arn))


def _first(values: Iterable[Any]) -> Any:
    """The first value that says something, else the last one."""
    value = None
    for value in values:
        if value:
            break
    return value


def _trust(role: Role) -> object:
    """What a trust policy says, and whether it can be read to its end."""
    return (role.policy.document, bool(role.policy.flaws)) if isinstance(role.policy, TrustPolicy) else None


def merged_providers(providers: Iterable[OidcProvider], disputes: Disputes) -> list[OidcProvider]:
    """Return one provider for each ARN; its place is that of the answer with the most values."""
    groups = _grouped(providers, lambda provider: provider.arn)
    return [group[0] if len(group) == 1 else _merged_provider(group, disputes) for group in groups]


def _merged_provider(group: Sequence[OidcProvider], disputes: Disputes) -> OidcProvider:
    arn = group[0].arn
    audiences = _known(group, "client_ids")
    telling = audiences[0] if audiences else group[0]
    prints = (_known(group, "thumbprints") or [group[0]])[0].thumbprints
    url, created = _first(item.url for item in group), _first(item.created for item in group)
    tool = _first(item.managed_by for item in group)
    merged = OidcProvider(arn, telling.place, telling.client_ids, prints, url, created, tool)
    of_audiences = disputes.add(Differing(arn, "client ids", grave=True).between(group, _audiences))
    of_prints = disputes.add(Differing(arn, "thumbprints", grave=False).between(group, _thumbprints))
    if of_audiences or of_prints:
        disputes.hold("providers", ((_filled(item, merged), (_audiences(item), _thumbprints(item))) for item in group))
    return msgspec.structs.replace(
        merged,
        client_ids=disputed("client ids", arn) if of_audiences else merged.client_ids,
        thumbprints=disputed("thumbprints", arn) if of_prints else prints,
    )


def _known(group: Iterable[OidcProvider], field: str) -> list[OidcProvider]:
    return [provider for provider in group if not isinstance(getattr(provider, field), Unknown)]


def _audiences(provider: OidcProvider) -> object:
    return None if isinstance(provider.client_ids, Unknown) else frozenset(provider.client_ids)


def _thumbprints(provider: OidcProvider) -> object:
    return None if isinstance(provider.thumbprints, Unknown) else frozenset(provider.thumbprints)


def _filled(provider: OidcProvider, merged: OidcProvider) -> OidcProvider:
    """A provider as one document has it, with what it leaves open from others."""
    audiences = merged.client_ids if isinstance(provider.client_ids, Unknown) else provider.client_ids
    prints = merged.thumbprints if isinstance(provider.thumbprints, Unknown) else provider.thumbprints
    return msgspec.structs.replace(provider, client_ids=audiences, thumbprints=prints)


def merged_clusters(clusters: Iterable[Cluster], disputes: Disputes) -> list[Cluster]:
    """Return one cluster for each id. A discovery document adds nothing to a described cluster with the same issuer."""
    described = list(clusters)
    issuers = {cluster.issuer for cluster in described if cluster.arn and isinstance(cluster.issuer, str)}
    left = (item for item in described if item.arn or item.name != item.issuer or item.issuer not in issuers)
    groups = _grouped(left, lambda cluster: cluster.id)
    return [group[0] if len(group) == 1 else _merged_cluster(group, disputes) for group in groups]


def _merged_cluster(group: Sequence[Cluster], disputes: Disputes) -> Cluster:
    known = [cluster for cluster in group if isinstance(cluster.issuer, str)]
    first = known[0] if known else group[0]
    if not disputes.add(Differing(first.id, "issuer", grave=True).between(known, lambda cluster: cluster.issuer)):
        return first
    disputes.hold("clusters", ((cluster, cluster.issuer) for cluster in known))
    return msgspec.structs.replace(first, issuer=disputed("issuer", first.id))


def merged_service_accounts(accounts: Iterable[ServiceAccount], disputes: Disputes, is_said: IsSaid) -> list[ServiceAccount]:
    """Return one service account for each cluster, namespace and name, the first. In an unknown cluster only equal ones are
    merged: accounts of one name may belong to two clusters."""
    extra: list[ServiceAccount] = []
    groups = _grouped(accounts, lambda account: (account.cluster, account.namespace, account.name))
    kept = [group[0] if len(group) == 1 else _merged_account(group, disputes, extra, is_said) for group in groups]
    return [*kept, *extra]


def _merged_account(
    group: list[ServiceAccount], disputes: Disputes, extra: list[ServiceAccount], is_said: IsSaid
) -> ServiceAccount:
    manifests = [account for account in group if not account.template]
    # a manifest says what a template leaves open
    first = manifests[0] if manifests else group[0]
    others = [account for account in group if account.annotations != first.annotations and not _is_open(account)]
    # what is installed under one name for two roles goes to two clusters, and a template does not say to which
    installed, rest = _parted(others, lambda account: account.template and _names_two_roles(account, first))
    if installed and first.template:
        installed, rest, first = others, [], msgspec.structs.replace(first, cluster="")
    extra += (msgspec.structs.replace(account, cluster="") for account in installed)
    elsewhere, differing = _parted(rest, lambda account: not account.cluster or _is_elsewhere(account, first))
    extra += elsewhere
    subject = "/".join((first.cluster, first.namespace, first.name))
    versions = [first, *differing]
    told = Differing(subject, f"annotation {ROLE_ARN}", grave=True)
    disputes.add(contradictions_in_clusters(told, versions, _role_named, is_said))
    if differing:
        disputes.hold("service_accounts", ((account, account.annotations) for account in versions))
    return first


def _parted(
    accounts: Iterable[ServiceAccount], test: Callable[[ServiceAccount], bool]
) -> tuple[list[ServiceAccount], list[ServiceAccount]]:
    """The accounts of which something is true, and the others."""
    parts: tuple[list[ServiceAccount], list[ServiceAccount]] = ([], [])
    for account in accounts:
        parts[not test(account)].append(account)
    return parts


def _role_named(account: ServiceAccount) -> str:
    return text_of(account.annotations.get(ROLE_ARN, ""))


def _names_two_roles(account: ServiceAccount, other: ServiceAccount) -> bool:
    return len({_role_named(account), _role_named(other)} - {""}) == 2


def _is_open(account: ServiceAccount) -> bool:
    """Whether a template leaves annotations of a service account open."""
    return account.template and any(map(has_hole, account.annotations.values()))


def _is_elsewhere(account: ServiceAccount, first: ServiceAccount) -> bool:
    """Whether two manifests of one name are those of two environments: in folders of their own, for roles of two accounts."""
    roles = parse_arn(_role_named(account)), parse_arn(_role_named(first))
    folders = {os.path.dirname(item.place.document) for item in (account, first)}
    return len(folders) == 2 and all(roles) and len({arn.account for arn in roles if arn}) == 2


def merged_workloads(workloads: Iterable[Workload], disputes: Disputes, is_said: IsSaid) -> list[Workload]:
    """Return one workload for each cluster, kind, namespace and name, the first; in an unknown cluster only equal ones
    are merged."""
    extra: list[Workload] = []
    groups = _grouped(workloads, lambda item: (item.cluster, item.namespace, item.kind, item.name))
    kept = [group[0] if len(group) == 1 else _merged_workload(group, disputes, extra, is_said) for group in groups]
    return [*kept, *extra]


def _merged_workload(group: Sequence[Workload], disputes: Disputes, extra: list[Workload], is_said: IsSaid) -> Workload:
    # a running pod has more than the manifest that it was made of
    admitted = [workload for workload in group if workload.admitted] if group[0].cluster else []
    versions = admitted or group
    first = versions[0]
    others = [workload for workload in versions if _content(workload) != _content(first)]
    if not first.cluster:
        extra += others
    elif others:
        subject = "/".join((first.cluster, first.namespace, first.kind, first.name))
        differing = Differing(subject, "service account", grave=False)
        disputes.add(contradictions_in_clusters(differing, versions, lambda workload: workload.service_account, is_said))
        disputes.hold("workloads", ((workload, _content(workload)) for workload in versions))
    return first


def _content(workload: Workload) -> object:
    containers = [(item.name, item.init, item.env, item.mounts) for item in workload.containers]
    return workload.service_account, workload.annotations, workload.token_audiences, containers


def merged_associations(associations: Iterable[PodIdentityAssociation], disputes: Disputes) -> list[PodIdentityAssociation]:
    """Return one association for each cluster, namespace and service account; the list has no role, the description has."""
    groups = _grouped(associations, _association_key)
    return [group[0] if len(group) == 1 else _merged_association(group, disputes) for group in groups]


def _association_key(item: PodIdentityAssociation) -> object:
    names = (item.cluster, item.namespace, item.service_account)
    # a hole of one template is not that of another one
    return (*names, item.place) if any(map(has_hole, names)) else names


def _merged_association(group: Sequence[PodIdentityAssociation], disputes: Disputes) -> PodIdentityAssociation:
    described = [item for item in group if item.role_arn]
    merged = reduce(_with_association, group)
    subject = "/".join(map(text_of, (merged.cluster, merged.namespace, merged.service_account)))
    disputes.add(Differing(subject, "Pod Identity role", grave=True).between(described, _role_associated))
    held = [(item, (item.role_arn, item.target_role_arn, item.session_tags, item.narrowed)) for item in described]
    if any(value != held[0][1] for _, value in held):
        disputes.hold("associations", held)
    return merged


def _role_associated(item: PodIdentityAssociation) -> str | None:
    return None if has_hole(item.role_arn) else text_of(item.role_arn)


def _with_association(first: PodIdentityAssociation, second: PodIdentityAssociation) -> PodIdentityAssociation:
    if not first.role_arn and second.role_arn:
        return second
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


def merged_entries(entries: Iterable[AccessEntry]) -> list[AccessEntry]:
    """Return one access entry for each cluster and principal; the list has the principals alone."""
    kept: dict[tuple[str, str], AccessEntry] = {}
    for entry in entries:
        key = (entry.cluster, entry.principal)
        if key not in kept or not kept[key].type:
            kept[key] = entry
    return list(kept.values())


def merged_access(items: Iterable[AssociatedAccess]) -> tuple[AssociatedAccess, ...]:
    """Return the access policies of each cluster and principal in one record: templates associate each by itself."""
    kept: dict[tuple[str, str], AssociatedAccess] = {}
    for item in items:
        key = (item.cluster, item.principal)
        known = kept.setdefault(key, item)
        scopes = {(policy.name, policy.namespaces) for policy in known.policies}
        more = tuple(policy for policy in item.policies if (policy.name, policy.namespaces) not in scopes)
        if more:
            kept[key] = msgspec.structs.replace(known, policies=(*known.policies, *more))
    return tuple(kept.values())


def merged_objects(items: Sequence[_Named]) -> list[_Named]:
    """Return one object for each cluster, kind, namespace and name: of one in a known cluster what the API server holds, else
    the first."""
    kept: dict[tuple[object, ...], _Named] = {}
    for number, item in enumerate(items):
        kind, namespace = getattr(item, "kind", ""), getattr(item, "namespace", "")
        key = (item.cluster, kind, namespace, item.name, "" if item.cluster else number)
        if key not in kept or (getattr(item, "stored", False) and not getattr(kept[key], "stored", False)):
            kept[key] = item
    return list(kept.values())


def merged_guardrails(items: Iterable[ResourceControlPolicy]) -> list[ResourceControlPolicy]:
    """Return one resource control policy for each id and account, more where documents differ about it; one without an id is
    that of its document."""
    kept: dict[tuple[str, ...], ResourceControlPolicy] = {}
    for item in items:
        kept.setdefault((item.id, item.account, "" if item.id else item.place.document, repr(item.document.document)), item)
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


def told_apart(templates: Iterable[ServiceAccount]) -> Iterator[ServiceAccount]:
    """The service accounts that are still to be rendered; from the second of one name in a document on, with a number."""
    places: dict[tuple[str, str], dict[Place, int]] = {}
    for account in templates:
        numbers = places.setdefault((account.place.document, account.name), {})
        number = numbers.setdefault(account.place, len(numbers) + 1)
        yield account if number == 1 else msgspec.structs.replace(account, name=f"{account.name} ({number})")
