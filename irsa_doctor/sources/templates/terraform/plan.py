"""Reads what `terraform show -json` prints of a plan or a state, and the state file itself.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from irsa_doctor.model import (
    Cluster,
    Issuer,
    OidcProvider,
    Place,
    PodIdentityAssociation,
    Role,
    ServiceAccount,
    Text,
    TrustPolicy,
    Unknown,
    parse_arn,
)
from irsa_doctor.sources.documents.aws import account_of, client_ids_missing, issuer_missing, thumbprints_missing
from irsa_doctor.sources.documents.kubernetes import about_aws
from irsa_doctor.sources.documents.policies import read_policy_text
from irsa_doctor.sources.documents.reading import DocumentReading, NamelessProvider, Page
from irsa_doctor.sources.templates.addons import is_policy
from irsa_doctor.sources.templates.clusters import add_cluster
from irsa_doctor.sources.templates.manifests import ManifestSource
from irsa_doctor.sources.templates.terraform.clouds import CLOUD_READERS_OF_TERRAFORM, read_planned_cloud_resource
from irsa_doctor.sources.templates.terraform.plan_coverage import covered
from irsa_doctor.sources.templates.terraform.plan_objects import PLAN_OBJECT_READERS
from irsa_doctor.sources.templates.terraform.planned_values import PlannedValues
from irsa_doctor.sources.templates.terraform.policy_document import document_of
from irsa_doctor.sources.templates.terraform.references import References
from irsa_doctor.sources.templates.values import hole, policy_of
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.positions import Anchor

_MODULES_DEEP = 32
"""Modules inside modules that are read."""
_PROVIDERS = ("aws_iam_openid_connect_provider", "awscc_iam_oidc_provider")
_AFTER_APPLY = "terraform show -json > state.json"


class ResourceState(msgspec.Struct, frozen=True):
    """One instance of a resource or data source: the values that are known, and which are known only after apply."""

    address: str
    kind: str
    values: Mapping[str, object]
    place: Place
    unknown: Mapping[str, object] = {}

    def is_unknown(self, name: str) -> bool:
        """Whether a value is missing because it is known only after apply."""
        return self.values.get(name) is None and self.unknown.get(name) is True

    def text(self, name: str) -> str:
        """A value that is text, "" where it is none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""


def read_terraform(page: Page, reading: DocumentReading) -> None:
    """A plan, a state as `show -json` prints it, or a state file."""
    members, place = shapes.mapping(page.value, page.place), page.place
    if isinstance(members.get("planned_values"), dict):
        _read_plan(members, place, reading)
        return
    if isinstance(members.get("values"), dict):
        resources = list(_of_values(members["values"], place.at("values")))
    elif isinstance(members.get("resources"), list):
        resources = list(_of_state(members, place))
    else:
        reading.passed.append("a Terraform plan or state without resources")
        return
    _read_all(resources, {}, References({}), reading)
    reading.plans, reading.is_state = covered(resource.address for resource in resources), True


def _read_plan(members: Mapping[str, Any], place: Place, reading: DocumentReading) -> None:
    """The planned resources and the data that was read already; resources to be destroyed are left out."""
    changes = {}
    for number, item in enumerate(_listed(members, "resource_changes", place, reading)):
        if isinstance(item, dict) and isinstance(item.get("change"), dict) and isinstance(item.get("address"), str):
            changes[item["address"]] = (item["change"], place.at("resource_changes", number, "change"))
    planned = [
        msgspec.structs.replace(resource, unknown=_inside(changes.get(resource.address, ({},))[0], "after_unknown"))
        for resource in _of_values(members["planned_values"], place.at("planned_values"))
    ]
    before = members.get("prior_state")
    data = []
    if isinstance(before, dict) and isinstance(before.get("values"), dict):
        known = {resource.address for resource in planned}
        every = _of_values(before["values"], place.at("prior_state", "values"))
        data = [resource for resource in every if resource.address not in known and ".data." in f".{resource.address}"]
    _read_all([*planned, *data], changes, References(_inside(members, "configuration")), reading)
    reading.plans = covered((resource.address for resource in planned), _inside(members, "configuration"))


def _listed(members: Mapping[str, Any], name: str, place: Place, reading: DocumentReading) -> list[object]:
    """A member that is a list; anything else is noted, and what does not need it is read."""
    try:
        return shapes.many(members, name, place)
    except WrongShape as wrong:
        reading.broken.append((Place(place.document, wrong.pointer, place.part), wrong.why))
        return []


Changes = Mapping[str, tuple[Mapping[str, Any], Place]]


def _inside(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _of_values(values: object, place: Place) -> Iterator[ResourceState]:
    """The resources of a values representation, those of child modules too."""
    pending = [(_inside(values, "root_module") if isinstance(values, dict) else {}, place.at("root_module"), 0)]
    while pending:
        module, module_place, depth = pending.pop()
        listed = module.get("resources")
        for number, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, dict) and isinstance(item.get("values"), dict):
                at = module_place.at("resources", number, "values")
                yield ResourceState(str(item.get("address", "")), str(item.get("type", "")), item["values"], at)
        children = module.get("child_modules")
        if depth < _MODULES_DEEP:
            below = [
                (child, module_place.at("child_modules", number), depth + 1)
                for number, child in enumerate(children if isinstance(children, list) else ())
                if isinstance(child, dict)
            ]
            pending += reversed(below)


def _of_state(members: Mapping[str, Any], place: Place) -> Iterator[ResourceState]:
    """The resources of a state file, version 4."""
    for number, item in enumerate(members["resources"]):
        instances = item.get("instances") if isinstance(item, dict) else None
        for order, instance in enumerate(instances if isinstance(instances, list) else ()):
            if isinstance(instance, dict) and isinstance(instance.get("attributes"), dict):
                at = place.at("resources", number, "instances", order, "attributes")
                address = _address(item, instance.get("index_key"))
                yield ResourceState(address, str(item.get("type", "")), instance["attributes"], at)


def _address(item: Mapping[str, object], index: object) -> str:
    words = [item.get("module"), "data" if item.get("mode") == "data" else None, item.get("type"), item.get("name")]
    address = ".".join(str(word) for word in words if word)
    return address if index is None else f"{address}[{json.dumps(index)}]"


def _read_all(resources: list[ResourceState], changes: Changes, references: References, reading: DocumentReading) -> None:
    providers = {resource.address: resource.text("url") for resource in resources if resource.kind in _PROVIDERS}
    for resource in resources:
        read = _Reader(changes, references, providers, resource)
        if reader := _READERS.get(resource.kind):
            reading.attempt(read, resource.place, partial(_read, reader, reading))
        elif resource.kind in CLOUD_READERS_OF_TERRAFORM:
            reading.attempt(read, resource.place, partial(_read, _read_cloud, reading))
        elif resource.kind in PLAN_OBJECT_READERS:
            reading.attempt(read, resource.place, partial(_read, _read_object, reading))
    if not reading.gave_something():
        reading.passed.append("a plan or state without role, OIDC provider, cluster or service account")


class _Reader(msgspec.Struct, frozen=True):
    """One resource with the changes, references and providers of its plan."""

    changes: Changes
    references: References
    providers: Mapping[str, str]
    """address of an OIDC provider -> its URL, "" where that is not known"""
    resource: ResourceState


def _read(reader: Callable[[_Reader, DocumentReading], None], reading: DocumentReading, read: Any, place: Place) -> None:
    reader(read, reading)


def _read_role(read: _Reader, reading: DocumentReading) -> None:
    resource = read.resource
    arn = resource.text("arn")
    named = resource.text("name") or resource.text("role_name")
    name = named if arn else resource.address
    policy = _policy(read, reading)
    longest, created = shapes.number(resource.values, "max_session_duration"), shapes.moment(resource.values, "create_date")
    planned = "" if arn or not named else f"{resource.text('path') or '/'}{named}".lstrip("/")
    role = Role(
        arn, name or resource.address, account_of(arn), policy, resource.place, longest, created, resource.address, planned
    )
    reading.roles.append(role)


def _policy(read: _Reader, reading: DocumentReading) -> TrustPolicy | Unknown:
    resource = read.resource
    member = "assume_role_policy_document" if resource.kind.startswith("awscc_") else "assume_role_policy"
    place = resource.place.at(member)
    if text := resource.text(member):
        policy = read_policy_text(text, place)
        if policy.flaws:
            reading.apart.append(place)
        return policy
    missing = Unknown(f"trust policy of {resource.address}, which is known after apply", _AFTER_APPLY)
    if not resource.is_unknown(member):
        return Unknown(f"trust policy of {resource.address}", _AFTER_APPLY)
    return _deferred(read, missing, reading, member)


def _deferred(read: _Reader, missing: Unknown, reading: DocumentReading, member: str) -> TrustPolicy | Unknown:
    """The policy of a data source that can be read only after apply: what is known of its arguments, holes for the rest."""
    address = read.references.data_source(read.resource.address, member, "aws_iam_policy_document")
    if address not in read.changes:
        return missing
    change, place = read.changes[address]
    after, unknown = change.get("after"), change.get("after_unknown")
    if not isinstance(after, dict):
        return missing
    at = place.at("after")
    references = read.references if read.references.has_statements(address, after.get("statement")) else References({})
    config = PlannedValues(address, references, read.providers, at.document).value(after, unknown, "", at.pointer)
    policy, anchors = policy_of(document_of(config, address), at, missing)
    reading.anchors.update(anchors)
    return policy


def _read_provider(read: _Reader, reading: DocumentReading) -> None:
    resource = read.resource
    arn, url = resource.text("arn"), resource.text("url")
    issuer = url.removeprefix("https://")
    client_ids: tuple[str, ...] | Unknown = client_ids_missing(arn or issuer)
    thumbprints: tuple[str, ...] | Unknown = thumbprints_missing(arn or issuer)
    if isinstance(resource.values.get("client_id_list"), list) and not _has_unknown(resource.unknown.get("client_id_list")):
        client_ids = shapes.texts(resource.values, "client_id_list", resource.place)
    if isinstance(resource.values.get("thumbprint_list"), list) and not _has_unknown(resource.unknown.get("thumbprint_list")):
        thumbprints = shapes.texts(resource.values, "thumbprint_list", resource.place)
    if parse_arn(arn):
        reading.providers.append(OidcProvider(arn, resource.place, client_ids, thumbprints, issuer, managed_by="Terraform"))
        return
    planned = issuer or hole(f"issuer of {resource.address}")
    reading.nameless_providers.append(NamelessProvider(planned, client_ids, thumbprints, "", resource.place, resource.address))


def _has_unknown(marks: object) -> bool:
    return marks is True or (isinstance(marks, list) and any(_has_unknown(mark) for mark in marks))


def _read_cluster(read: _Reader, reading: DocumentReading) -> None:
    resource = read.resource
    arn, name = resource.text("arn"), resource.text("name")
    mode = _first_text(resource.values, "access_config", "authentication_mode")
    if not parse_arn(arn):
        is_later = _has_unknown(resource.unknown.get("access_config"))
        add_cluster(reading, name, (resource.address, resource.place), mode or ("" if is_later else None))
        return
    url = _first_text(resource.values, "identity", "oidc", "issuer") or resource.text("open_id_connect_issuer_url")
    issuer: str | Unknown = Issuer.of(url).name if url else issuer_missing(name)
    outpost = bool(resource.values.get("outpost_config"))
    auto_mode = _first(resource.values, "compute_config", "enabled") is True
    version, created = resource.text("version"), shapes.moment(resource.values, "created_at")
    name = name or arn.rsplit("/", 1)[-1]
    reading.clusters.append(Cluster(name, arn, issuer, resource.place, version, created, outpost, auto_mode, mode=mode))


def _first(values: Mapping[str, object], *steps: str) -> object:
    """A value inside blocks, each of which is a list of one object."""
    value: object = values
    for step in steps:
        if isinstance(value, list):
            value = value[0] if value else None
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _first_text(values: Mapping[str, object], *steps: str) -> str:
    value = _first(values, *steps)
    return value if isinstance(value, str) else ""


def _read_cloud(read: _Reader, reading: DocumentReading) -> None:
    resource = read.resource
    source, reference = (resource.address, resource.place), partial(read.references.only, resource.address)
    read_planned_cloud_resource(resource.kind, resource.values, source, reference, reading)


def _read_object(read: _Reader, reading: DocumentReading) -> None:
    """What is applied to a cluster, its values with holes where they are known after apply."""
    resource = read.resource
    place = resource.place
    known = PlannedValues(resource.address, read.references, read.providers, place.document)
    values = known.value(resource.values, resource.unknown, "", place.pointer)
    PLAN_OBJECT_READERS[resource.kind](ManifestSource(resource.address, place, reading), values)


def _read_service_account(read: _Reader, reading: DocumentReading) -> None:
    resource = read.resource
    name, namespace = _first_text(resource.values, "metadata", "name"), _first_text(resource.values, "metadata", "namespace")
    if not name:
        return
    written = _first(resource.values, "metadata", "annotations")
    marks = _first(resource.unknown, "metadata", "annotations")
    annotations: dict[str, str | Text] = {}
    for key, value in written.items() if isinstance(written, dict) else ():
        if about_aws(str(key)) and isinstance(value, str):
            annotations[str(key)] = value
    unseen = marks is True
    made = read.references.role_arn(resource.address, "metadata[0].annotations")
    for key, mark in marks.items() if isinstance(marks, dict) else ():
        if mark is True and about_aws(str(key)):
            annotations[str(key)] = hole(made or f"{resource.address}.metadata[0].annotations[{json.dumps(key)}]")
    if unseen:
        annotations["eks.amazonaws.com/role-arn"] = hole(made or f"{resource.address}.metadata[0].annotations")
    reading.anchors[(resource.place.part, resource.place.at("metadata").pointer)] = Anchor(
        resource.place.at("metadata", 0).pointer
    )
    account = ServiceAccount("", namespace or "default", name, resource.place, annotations, template=True)
    reading.service_accounts.append(account)


def _filled_in_later(read: _Reader, resource: ResourceState, name: str) -> Text | None:
    """The reference for an attribute that the configuration sets and whose value is known only after apply; the provider itself
    computes what the configuration leaves out."""
    reference = read.references.only(resource.address, name) if resource.is_unknown(name) else ""
    return hole(reference) if reference else None


def _read_association(read: _Reader, reading: DocumentReading) -> None:
    resource = read.resource
    cluster, namespace, account = (resource.text(name) for name in ("cluster_name", "namespace", "service_account"))
    if not (cluster and namespace and account):
        return
    role: str | Text = resource.text("role_arn")
    if not role and resource.is_unknown("role_arn"):
        role = hole(read.references.only(resource.address, "role_arn") or f"{resource.address}.role_arn")
    later = partial(_filled_in_later, read, resource)
    tags = later("disable_session_tags") or resource.values.get("disable_session_tags") is not True
    target = later("target_role_arn") or resource.text("target_role_arn")
    policy = is_policy(resource.text("policy"))
    reading.associations.append(
        PodIdentityAssociation(cluster, namespace, account, resource.place, role, target, tags, narrowed=policy)
    )


_READERS = {
    "aws_iam_role": _read_role,
    "aws_iam_openid_connect_provider": _read_provider,
    "aws_eks_cluster": _read_cluster,
    "kubernetes_service_account": _read_service_account,
    "kubernetes_service_account_v1": _read_service_account,
    "kubernetes_default_service_account": _read_service_account,
    "kubernetes_default_service_account_v1": _read_service_account,
    "aws_eks_pod_identity_association": _read_association,
    "awscc_iam_role": _read_role,
    "awscc_iam_oidc_provider": _read_provider,
    "awscc_eks_cluster": _read_cluster,
    "awscc_eks_pod_identity_association": _read_association,
}
