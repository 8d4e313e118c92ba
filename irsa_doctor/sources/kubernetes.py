"""Reads objects of the Kubernetes API, single or in lists, from manifests or from `kubectl get`."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from irsa_doctor.model import (
    ConfigMap,
    Container,
    Namespace,
    Place,
    ServiceAccount,
    Text,
    Webhook,
    Workload,
)
from irsa_doctor.sources import shapes
from irsa_doctor.sources.placeholders import with_holes
from irsa_doctor.sources.reading import Page, Reading
from irsa_doctor.sources.trouble import WrongShape

# names that are about AWS, or look as if they were meant to be
_ABOUT_AWS = re.compile(r"aws|role[-_]?arn|iam\.|amazon", re.IGNORECASE)
# the only variables whose values are kept: none of them is a secret
_KEPT_VALUES = frozenset(
    {
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_PROFILE",
        "AWS_ROLE_SESSION_NAME",
    }
)
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
    """Whether an annotation of this name is kept."""
    return _ABOUT_AWS.search(name) is not None


def read_object(page: Page, reading: Reading) -> None:
    """Any object; a list is read item by item."""
    _read(page.value, page.place, "", reading, 0)


def _read(item: object, place: Place, kind: str, reading: Reading, depth: int) -> None:
    members = shapes.mapping(item, place)
    # items of a typed list carry neither kind nor apiVersion on the wire
    kind = shapes.text(members, "kind", place) or kind
    items = members.get("items")
    if isinstance(items, list) and (kind.endswith("List") or not kind):
        if depth >= _LISTS_DEEP:
            raise WrongShape(place.pointer, "lists inside lists inside lists")
        inner = kind.removesuffix("List")
        reading.empty = reading.empty or not items
        reading.each(items, place.at("items"), lambda one, at: _read(one, at, inner, reading, depth + 1))
        return
    read_one(kind, members, place, reading)


def read_one(kind: str, members: dict[str, object], place: Place, reading: Reading) -> None:
    """One object of a kind."""
    if reader := _READERS.get(kind):
        reader(kind, members, place, reading)
    elif _template_steps(kind, members) is not None:
        _read_workload(kind, members, place, reading)


def annotations_of(metadata: Mapping[str, object], place: Place) -> dict[str, str | Text]:
    """The annotations about AWS; a value that is no text, which the API server refuses, is kept as it was written."""
    annotations = shapes.inner(metadata, "annotations", place)
    return {name: with_holes(shapes.as_text(value)) for name, value in annotations.items() if about_aws(str(name))}


def _name(metadata: Mapping[str, object], place: Place) -> str:
    name = shapes.text(metadata, "name", place) or shapes.text(metadata, "generateName", place)
    return name or shapes.required(metadata, "name", place)


def _identity(members: Mapping[str, object], place: Place) -> tuple[dict[str, object], str, str, str]:
    """Metadata, namespace, name and time of creation."""
    at = place.at("metadata")
    metadata = shapes.inner(members, "metadata", place)
    namespace = shapes.text(metadata, "namespace", at) or "default"
    return metadata, namespace, _name(metadata, at), shapes.moment(metadata, "creationTimestamp")


def _read_service_account(kind: str, members: dict[str, object], place: Place, reading: Reading) -> None:
    metadata, namespace, name, created = _identity(members, place)
    annotations = annotations_of(metadata, place.at("metadata"))
    reading.service_accounts.append(ServiceAccount("", namespace, name, place, annotations, created))


def _read_namespace(kind: str, members: dict[str, object], place: Place, reading: Reading) -> None:
    _, _, name, _ = _identity(members, place)
    reading.namespaces.append(Namespace("", name, place))


def _read_config_map(kind: str, members: dict[str, object], place: Place, reading: Reading) -> None:
    """Names of keys only: what a secret holds is nobody's business here."""
    _, namespace, name, _ = _identity(members, place)
    keys: list[str] = []
    for part in ("data", "stringData", "binaryData"):
        keys.extend(key for key in shapes.inner(members, part, place) if key not in keys)
    reading.config_maps.append(ConfigMap("", kind, namespace, name, tuple(keys), place))


def _read_webhooks(kind: str, members: dict[str, object], place: Place, reading: Reading) -> None:
    """https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"""
    _, _, name, _ = _identity(members, place)

    def read(item: object, at: Place) -> None:
        webhook = shapes.mapping(item, at)
        rules = shapes.many(webhook, "rules", at)
        on_create = any(_mutates_new_pods(shapes.mapping(rule, at)) for rule in rules)
        policy = shapes.text(webhook, "failurePolicy", at)
        reading.webhooks.append(Webhook("", name, shapes.text(webhook, "name", at), at, policy, on_create))

    reading.each(shapes.many(members, "webhooks", place), place.at("webhooks"), read)


def _mutates_new_pods(rule: Mapping[str, object]) -> bool:
    wanted = {"operations": {"*", "CREATE"}, "apiGroups": {"*", ""}, "resources": {"*", "*/*", "pods"}}
    return all(_names_one(rule.get(name), right) for name, right in wanted.items())


def _names_one(values: object, right: set[str]) -> bool:
    return isinstance(values, list) and any(isinstance(value, str) and value in right for value in values)


def _template_steps(kind: str, members: Mapping[str, object]) -> tuple[str, ...] | None:
    """The way to the pod template, None where there is none."""
    if kind in _TEMPLATES:
        return _TEMPLATES[kind]
    spec = members.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    inside = template.get("spec") if isinstance(template, dict) else None
    return ("spec", "template") if isinstance(inside, dict) and "containers" in inside else None


def _read_workload(kind: str, members: dict[str, object], place: Place, reading: Reading) -> None:
    _, namespace, name, created = _identity(members, place)
    template, at = members, place
    for step in _template_steps(kind, members) or ():
        template, at = shapes.inner(template, step, at), at.at(step)
    metadata, spec = shapes.inner(template, "metadata", at), shapes.inner(template, "spec", at)
    # `serviceAccount` is the old name of the field, still honoured
    # (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/)
    account = shapes.text(spec, "serviceAccountName", at.at("spec")) or shapes.text(spec, "serviceAccount", at.at("spec"))
    audiences, expirations = _tokens(spec, at.at("spec"))
    workload = Workload(
        "",
        kind,
        namespace,
        name,
        account or "default",
        place,
        at,
        annotations_of(metadata, at.at("metadata")),
        _labels(metadata, at.at("metadata")),
        _containers(spec, at.at("spec"), reading),
        audiences,
        expirations,
        created,
    )
    reading.workloads.append(workload)


def _labels(metadata: Mapping[str, object], place: Place) -> dict[str, str]:
    labels = shapes.inner(metadata, "labels", place)
    return {name: shapes.as_text(value) for name, value in labels.items()}


def _containers(spec: Mapping[str, object], place: Place, reading: Reading) -> tuple[Container, ...]:
    containers: list[Container] = []
    for name, init in (("initContainers", True), ("containers", False)):
        items = shapes.many(spec, name, place)
        reading.each(items, place.at(name), partial(_add_container, containers, init))
    return tuple(containers)


def _add_container(containers: list[Container], init: bool, item: object, place: Place) -> None:
    containers.append(_container(item, place, init))


def _container(item: object, place: Place, init: bool) -> Container:
    members = shapes.mapping(item, place)
    env: dict[str, str | Text | None] = {}
    for number, variable in enumerate(shapes.many(members, "env", place)):
        at = place.at("env", number)
        entry = shapes.mapping(variable, at)
        env[shapes.text(entry, "name", at)] = _env_value(entry)
    mounts: dict[str, str] = {}
    for number, mount in enumerate(shapes.many(members, "volumeMounts", place)):
        at = place.at("volumeMounts", number)
        entry = shapes.mapping(mount, at)
        mounts[shapes.text(entry, "name", at)] = shapes.text(entry, "mountPath", at)
    name, image = shapes.text(members, "name", place), shapes.text(members, "image", place)
    return Container(name, place, image, env, mounts, init)


def _env_value(entry: Mapping[str, object]) -> str | Text | None:
    value = entry.get("value")
    if entry.get("name") not in _KEPT_VALUES or value is None:
        return None
    return with_holes(shapes.as_text(value))


def _tokens(spec: Mapping[str, object], place: Place) -> tuple[dict[str, str], dict[str, int]]:
    """Projected service account tokens
    (https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken)."""
    audiences: dict[str, str] = {}
    expirations: dict[str, int] = {}
    for number, item in enumerate(shapes.many(spec, "volumes", place)):
        at = place.at("volumes", number)
        volume = shapes.mapping(item, at)
        name = shapes.text(volume, "name", at)
        projected = shapes.inner(volume, "projected", at)
        for source in shapes.many(projected, "sources", at.at("projected")):
            token = source.get("serviceAccountToken") if isinstance(source, dict) else None
            if not isinstance(token, dict) or name in audiences:
                continue
            audiences[name] = shapes.text(token, "audience", at)
            if "expirationSeconds" in token:
                expirations[name] = shapes.number(token, "expirationSeconds")
    return audiences, expirations


_READERS: Mapping[str, Callable[[str, dict[str, object], Place, Reading], None]] = {
    "ServiceAccount": _read_service_account,
    "Namespace": _read_namespace,
    "ConfigMap": _read_config_map,
    "Secret": _read_config_map,
    "MutatingWebhookConfiguration": _read_webhooks,
    "Pod": _read_workload,
    "PodTemplate": _read_workload,
    "CronJob": _read_workload,
}
