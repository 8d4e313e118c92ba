"""Reads objects of the Kubernetes API, single or in lists, from manifests or from `kubectl get`."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import msgspec

from irsa_doctor.model import (
    ClusterNode,
    ConfigMap,
    HybridNodeConfig,
    Namespace,
    Place,
    ServiceAccount,
    Text,
    Webhook,
    Workload,
)
from irsa_doctor.model.access import WebhookConfiguration
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents import scheduling
from irsa_doctor.sources.documents.access import read_access_binding, read_access_role, read_auth_map
from irsa_doctor.sources.documents.calico import is_of_calico, read_calico_policy
from irsa_doctor.sources.documents.chaining import chained_roles, roles_of_arguments
from irsa_doctor.sources.documents.containers import containers_of, inside, mappings_of, projected_tokens
from irsa_doctor.sources.documents.custom_workloads import PodPart, pod_parts
from irsa_doctor.sources.documents.managing import manager_of_object, manager_of_writers
from irsa_doctor.sources.documents.network import read_cilium_policy, read_network_policy
from irsa_doctor.sources.documents.node_classes import read_node_class
from irsa_doctor.sources.documents.operator_accounts import operator_accounts
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.documents.rendered_texts import is_template_file
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import StillOpen, WrongShape
from irsa_doctor.text.placeholders import with_holes

# names that are about identities of a cloud, or look like a misspelt one
_ABOUT_AWS = regex(r"aws|role[-_]?arn|iam\.|amazon|azure|workload[.-]?identity|gke|gcp", re.IGNORECASE)
_OPT_OUT_LABEL = "eks.amazonaws.com/skip-pod-identity-webhook"
_LISTS_DEEP = 3
"""Lists inside lists that are read."""

# where the pod template is; everything else is looked for at spec.template
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


@lru_cache(maxsize=4096)
def about_aws(name: str) -> bool:
    """Whether an annotation is kept: its name is about AWS, or looks like a misspelt one."""
    return _ABOUT_AWS.search(name) is not None


def read_object(page: Page, reading: DocumentReading) -> None:
    """Read any object, a list item by item. A kind is one function and one row of `_READERS`; any other kind with a pod
    template is a workload."""
    _read(page.value, page.place, "", reading, 0)


def _read(item: object, place: Place, kind: str, reading: DocumentReading, depth: int) -> None:
    members = shapes.mapping(item, place)
    # items of a typed list carry neither kind nor apiVersion on the wire
    kind = shapes.text(members, "kind", place) or kind
    items = members.get("items")
    if isinstance(items, list) and (kind.endswith("List") or not kind):
        if depth >= _LISTS_DEEP:
            raise WrongShape(place.pointer, f"lists nested more than {_LISTS_DEEP} deep")
        inner = kind.removesuffix("List")
        reading.empty = reading.empty or not items
        reading.each(items, place.at("items"), lambda entry, at: _read(entry, at, inner, reading, depth + 1))
        return
    read_resource(kind, members, place, reading)


def listed_objects(value: object, place: Place) -> Iterator[tuple[Mapping[str, object], Place]]:
    """The objects of a list with their places, those of lists in it among them."""
    items = value.get("items") if isinstance(value, dict) else None
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield item, place.at("items", number)
            yield from listed_objects(item, place.at("items", number))


def read_version(page: Page, reading: DocumentReading) -> None:
    """The answer of the API server's `/version`, as EKS names versions: `1.31`; EKS writes the minor one as `31+`."""
    members = shapes.mapping(page.value, page.place)
    if all(numbers := [shapes.text(members, name, page.place).rstrip("+") for name in ("major", "minor")]):
        reading.versions.append(".".join(numbers))
    else:
        reading.passed.append("an API server that does not report its version")


def read_resource(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """Read one object of a kind; one of which a program fills in a whole part is passed over."""
    try:
        reading.chained_roles.extend(chained_roles(kind, members, place))
        if reader := _READERS.get(kind):
            reader(kind, members, place, reading)
        elif _template_steps(kind, members) is not None:
            _read_workload(kind, members, place, reading)
        else:
            _read_custom_workload(kind, members, place, reading)
    except StillOpen as part:
        reading.passed.append(f"a {kind} with {part.why} at {part.pointer}")


def annotations_of(metadata: Mapping[str, object], place: Place) -> dict[str, str | Text]:
    """Return the annotations about AWS; a value that is not a string (the API server refuses it) is kept as written, but null
    as the empty text that it decodes to."""
    annotations = shapes.inner(metadata, "annotations", place)
    kept = {name: value for name, value in annotations.items() if about_aws(str(name))}
    return {name: "" if value is None else with_holes(shapes.as_text(value)) for name, value in kept.items()}


def account_annotations(metadata: Mapping[str, object], place: Place) -> dict[str, str | Text]:
    """Return those of a service account; raises StillOpen where a program fills in their names: any may be there later."""
    for name in shapes.inner(metadata, "annotations", place):
        if "${" in str(name) or "{{" in str(name):
            raise StillOpen(place.at("annotations").pointer, f"`{name}`, a name which is filled in later")
    return annotations_of(metadata, place)


def _name(metadata: Mapping[str, object], place: Place) -> str:
    name = shapes.text(metadata, "name", place) or shapes.text(metadata, "generateName", place)
    return name or shapes.required(metadata, "name", place)


def _identity(members: Mapping[str, object], place: Place) -> tuple[dict[str, object], str, str, str]:
    """Metadata, namespace, name and time of creation."""
    at = place.at("metadata")
    metadata = shapes.inner(members, "metadata", place)
    namespace = shapes.text(metadata, "namespace", at) or "default"
    return metadata, namespace, _name(metadata, at), shapes.moment(metadata, "creationTimestamp")


def _read_service_account(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    metadata, namespace, name, created = _identity(members, place)
    at = place.at("metadata")
    tool = manager_of_object(shapes.inner(metadata, "labels", at), shapes.inner(metadata, "annotations", at))
    tool = tool or manager_of_writers(metadata.get("ownerReferences"), metadata.get("managedFields"))
    annotations, uid = account_annotations(metadata, at), shapes.text(metadata, "uid", at)
    mounts = _automount(members)
    account = ServiceAccount("", namespace, name, place, annotations, created, managed_by=tool, uid=uid, automount=mounts)
    is_template = is_template_file(place.document)
    reading.service_accounts.append(msgspec.structs.replace(account, unplaced=_is_unplaced(metadata), template=is_template))


def _is_unplaced(metadata: Mapping[str, object]) -> bool:
    """Whether a manifest has no namespace, so that `kubectl -n`, kustomize or Helm may give it any; an object that a cluster
    has made is in one."""
    return not any(metadata.get(name) for name in ("namespace", "uid", "creationTimestamp"))


def _automount(members: Mapping[str, object]) -> bool | None:
    """Whether pods get a token for the API server, None where it is not written
    (https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/)."""
    return shapes.flag(members, "automountServiceAccountToken")


def _read_namespace(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    _, _, name, _ = _identity(members, place)
    reading.namespaces.append(Namespace("", name, place))


def _read_node(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    metadata, _, name, _ = _identity(members, place)
    labels = _labels(metadata, place.at("metadata"))
    system = next((labels[key] for key in scheduling.OS_LABELS if labels.get(key)), "")
    group = labels.get("eks.amazonaws.com/nodegroup", "")
    reading.nodes.append(ClusterNode("", name, labels.get(scheduling.COMPUTE_TYPE, ""), place, system, group))


def _read_node_config(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/"""
    spec = inside(members, "spec")
    if "hybrid" in spec:
        name, at = shapes.as_text(inside(spec, "cluster").get("name") or ""), place.at("spec", "hybrid")
        is_on = inside(spec, "hybrid").get("enableCredentialsFile") is True
        reading.node_configs.append(HybridNodeConfig(cluster=name, credentials_file=is_on, place=at))


def _read_config_map(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """The names of the keys only: values of Secrets are never kept."""
    _, namespace, name, _ = _identity(members, place)
    keys: list[str] = []
    for part in ("data", "stringData", "binaryData"):
        keys.extend(key for key in shapes.inner(members, part, place) if key not in keys)
    token_of = _account_of_token(members) if kind == "Secret" else ""
    reading.config_maps.append(ConfigMap("", kind, namespace, name, tuple(keys), place, token_of))
    if (kind, namespace, name) == ("ConfigMap", "kube-system", "aws-auth"):
        read_auth_map(members, place, reading)


def _account_of_token(members: Mapping[str, object]) -> str:
    """The service account whose token a Secret holds, "" of any other Secret
    (https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets)."""
    if members.get("type") != "kubernetes.io/service-account-token":
        return ""
    annotations = inside(inside(members, "metadata"), "annotations")
    return str(annotations.get("kubernetes.io/service-account.name") or "")


def _read_webhooks(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"""
    _, _, name, _ = _identity(members, place)
    reading.webhook_configurations.append(WebhookConfiguration("", name, place))

    def read(item: object, at: Place) -> None:
        webhook = shapes.mapping(item, at)
        rules = shapes.many(webhook, "rules", at)
        on_create = any(_mutates_new_pods(shapes.mapping(rule, at)) for rule in rules)
        policy = shapes.text(webhook, "failurePolicy", at)
        in_cluster = bool(inside(webhook, "clientConfig").get("service"))
        own_name, opt_out = shapes.text(webhook, "name", at), _honours_opt_out(webhook)
        selects = any(inside(webhook, "namespaceSelector").values())
        reading.webhooks.append(Webhook("", name, own_name, at, policy, on_create, in_cluster, opt_out, selects))

    reading.each(shapes.many(members, "webhooks", place), place.at("webhooks"), read)


def _honours_opt_out(webhook: Mapping[str, object]) -> bool:
    """Whether the webhook skips pods with the opt-out label of the pod identity webhook, whatever its value."""
    expressions = mappings_of(inside(webhook, "objectSelector").get("matchExpressions"))
    return any(item.get("key") == _OPT_OUT_LABEL and item.get("operator") == "DoesNotExist" for item in expressions)


def _mutates_new_pods(rule: Mapping[str, object]) -> bool:
    matching = {"operations": {"*", "CREATE"}, "apiGroups": {"*", ""}, "resources": {"*", "*/*", "pods"}}
    return all(_names_any(rule.get(name), right) for name, right in matching.items())


def _names_any(values: object, right: set[str]) -> bool:
    return isinstance(values, list) and any(isinstance(value, str) and value in right for value in values)


def _template_steps(kind: str, members: Mapping[str, object]) -> tuple[str, ...] | None:
    """The steps to the pod template, None where the object has none."""
    if kind in _TEMPLATES:
        return _TEMPLATES[kind]
    spec = members.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    inside = template.get("spec") if isinstance(template, dict) else None
    return ("spec", "template") if isinstance(inside, dict) and "containers" in inside else None


def _read_workload(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    template, at = members, place
    for step in _template_steps(kind, members) or ():
        template, at = shapes.inner(template, step, at), at.at(step)
    spec = shapes.inner(template, "spec", at)
    # `serviceAccount` is the old name of the field, still honoured
    # (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/)
    account = shapes.text(spec, "serviceAccountName", at.at("spec")) or shapes.text(spec, "serviceAccount", at.at("spec"))
    _add_workload(kind, members, place, reading, PodPart("", template, at, account or "default"))


def _read_custom_workload(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """What an operator makes pods of, and service accounts."""
    name = shapes.as_text(inside(members, "metadata").get("name") or "")
    for made in operator_accounts(kind, members, place, name):
        annotations = account_annotations(made.metadata, made.place.at("metadata"))
        own, namespace, *_ = _identity(members, place)
        if annotations:
            tool, unplaced = f"the {kind} {name}", _is_unplaced(own)
            account = ServiceAccount(
                "", namespace, made.name, made.place, annotations, template=True, managed_by=tool, unplaced=unplaced
            )
            reading.service_accounts.append(account)
    for part in pod_parts(kind, members, place, name):
        _add_workload(kind, members, place, reading, part)


def _add_workload(kind: str, members: dict[str, object], place: Place, reading: DocumentReading, part: PodPart) -> None:
    own, namespace, name, created = _identity(members, place)
    template, at = part.template, part.place
    metadata, spec = shapes.inner(template, "metadata", at), shapes.inner(template, "spec", at)
    status, security = members.get("status"), inside(spec, "securityContext")
    annotations, labels = shapes.inner(metadata, "annotations", at.at("metadata")), _labels(metadata, at.at("metadata"))
    workload = Workload(
        cluster="",
        kind=kind,
        namespace=namespace,
        name=f"{name}-{part.label}" if part.label else name,
        service_account=part.account,
        place=place,
        template=at,
        annotations=annotations_of(metadata, at.at("metadata")),
        labels=labels,
        containers=containers_of(spec, at.at("spec"), reading),
        tokens=projected_tokens(spec, at.at("spec")),
        created=created,
        own_annotations={} if kind == "Pod" else annotations_of(own, place.at("metadata")),
        volumes=_volumes(spec, at.at("spec")),
        admitted=kind == "Pod" and bool(own.get("uid") or created or status),
        over=_is_over(kind, members, own),
        owner=_owner(own),
        user=shapes.whole(security, "runAsUser"),
        non_root=shapes.flag(security, "runAsNonRoot"),
        fs_group=shapes.whole(security, "fsGroup"),
        windows=scheduling.windows(spec),
        fargate=scheduling.is_on_fargate(spec, labels),
        mirror="kubernetes.io/config.mirror" in annotations,
        ephemeral=tuple(shapes.as_text(item.get("name", "")) for item in mappings_of(spec.get("ephemeralContainers"))),
        config_maps=_named_in_volumes(spec, "configMap", "name"),
        volume_drivers=_named_in_volumes(spec, "csi", "driver"),
        node=shapes.as_text(spec.get("nodeName") or ""),
        compute_type=scheduling.compute_type(spec),
        host_network=spec.get("hostNetwork") is True,
        node_selector=scheduling.gke_selector(spec),
        automount=_automount(spec),
        unplaced=_is_unplaced(own),
    )
    reading.workloads.append(workload)
    _read_arguments(workload, spec, at.at("spec"), reading)


def _named_in_volumes(spec: Mapping[str, object], kind: str, member: str) -> tuple[str, ...]:
    """What the volumes of one kind that a pod mounts name."""
    volumes = [volume for volume in mappings_of(spec.get("volumes")) if kind in volume]
    return tuple(str(inside(volume, kind).get(member, "")) for volume in volumes)


def _read_arguments(workload: Workload, spec: Mapping[str, object], place: Place, reading: DocumentReading) -> None:
    """The roles that the containers of a workload assume by their arguments."""
    for number, container in enumerate(mappings_of(spec.get("containers"))):
        arguments = [text for name in ("command", "args") for text in _texts_of(container.get(name))]
        where = place.at("containers", number)
        reading.chained_roles.extend(roles_of_arguments(arguments, where, workload.namespace, workload.service_account))


def _texts_of(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_over(kind: str, members: Mapping[str, object], metadata: Mapping[str, object]) -> bool:
    """Whether nothing will run again: a Pod in its last phase, a complete Job, what a Deployment keeps of an earlier revision
    (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase)."""
    status, spec = members.get("status"), members.get("spec")
    if kind == "Pod":
        return isinstance(status, dict) and status.get("phase") in ("Succeeded", "Failed")
    if kind == "Job":
        return isinstance(status, dict) and bool(status.get("completionTime"))
    idle = kind == "ReplicaSet" and isinstance(spec, dict) and spec.get("replicas") == 0
    return idle and bool(metadata.get("ownerReferences"))


def _owner(metadata: Mapping[str, object]) -> str:
    """The controlling object as `Kind/name`, "" where there is none
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/)."""
    for item in mappings_of(metadata.get("ownerReferences")):
        if item.get("controller") is True:
            return f"{item.get('kind', '')}/{item.get('name', '')}"
    return ""


def _volumes(spec: Mapping[str, object], place: Place) -> tuple[str, ...]:
    items = shapes.many(spec, "volumes", place)
    return tuple(shapes.text(shapes.mapping(item, place), "name", place) for item in items)


def _labels(metadata: Mapping[str, object], place: Place) -> dict[str, str]:
    labels = shapes.inner(metadata, "labels", place)
    return {name: shapes.as_text(value) for name, value in labels.items()}


def _read_namespaced_policy(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """Kubernetes and Calico have a kind of one name."""
    read = read_calico_policy if is_of_calico(members) else read_network_policy
    read(kind, members, place, reading)


_READERS: Mapping[str, Callable[[str, dict[str, object], Place, DocumentReading], None]] = {
    "ServiceAccount": _read_service_account,
    "Namespace": _read_namespace,
    "Node": _read_node,
    "NodeConfig": _read_node_config,
    "NetworkPolicy": _read_namespaced_policy,
    "GlobalNetworkPolicy": read_calico_policy,
    "EC2NodeClass": read_node_class,
    "CiliumNetworkPolicy": read_cilium_policy,
    "CiliumClusterwideNetworkPolicy": read_cilium_policy,
    "ConfigMap": _read_config_map,
    "Secret": _read_config_map,
    "MutatingWebhookConfiguration": _read_webhooks,
    "Role": read_access_role,
    "ClusterRole": read_access_role,
    "RoleBinding": read_access_binding,
    "ClusterRoleBinding": read_access_binding,
    "Pod": _read_workload,
    "PodTemplate": _read_workload,
    "CronJob": _read_workload,
}
