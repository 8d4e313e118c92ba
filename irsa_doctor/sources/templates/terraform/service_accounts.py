"""Reads the service accounts that a Terraform configuration makes: resources, manifests, and values of Helm releases."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from irsa_doctor.model import Place, ServiceAccount, Text
from irsa_doctor.sources.documents.kubernetes import about_aws
from irsa_doctor.sources.templates.terraform.helm_values import release_values
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.values import TemplateValue, anchors_of, known, scalar_text, written_yaml

_ROLE_ARN = "eks.amazonaws.com/role-arn"
_DEEP = 8
"""Levels of values in which a chart has its service accounts"""


def read_service_account(resource: ResourceInstance) -> None:
    """`kubernetes_service_account` and the like."""
    metadata = next(iter(blocks_of(members_of(resource.config).get("metadata"))), None)
    default = "default" if "default_service_account" in resource.block.labels[0] else ""
    _add(resource, metadata, default, resource.place)


def read_manifest(resource: ResourceInstance) -> None:
    """`kubernetes_manifest`, whose manifest is an object."""
    manifest = members_of(resource.config).get("manifest")
    _read_objects(resource, [manifest] if manifest else [])


def read_yaml_manifest(resource: ResourceInstance) -> None:
    """`kubectl_manifest`, whose manifest is a text."""
    text = members_of(resource.config).get("yaml_body")
    documents = written_yaml(text) if text else ()
    if not documents:
        resource.reading.notes.append(f"{resource.address} has a manifest that is not known before it is applied")
    _read_objects(resource, documents)


def _read_objects(resource: ResourceInstance, documents: Iterable[TemplateValue]) -> None:
    pending = list(documents)
    for document in pending:
        members = members_of(document)
        if not members:
            resource.reading.notes.append(f"{resource.address} has a manifest that is not known before it is applied")
        kind = known(members["kind"].value) if "kind" in members else ""
        if kind == "ServiceAccount":
            number = len(resource.reading.service_accounts)
            _add(resource, members.get("metadata"), "", resource.place.at(number))
        elif kind == "List" and len(pending) < _DEEP:
            pending += blocks_of(members.get("items"))


def _add(resource: ResourceInstance, metadata: TemplateValue | None, default: str, place: Place) -> None:
    """Add the service account of a metadata object to the reading."""
    members = members_of(metadata)
    name = default or (known(members["name"].value) if "name" in members else "")
    written = members.get("namespace")
    namespace = "default" if written is None or written.value is None else known(written.value)
    if metadata is None or not name or not namespace:
        resource.reading.notes.append(f"{resource.address} has no name before it is applied")
        return
    annotations = dict(_annotations(members.get("annotations")))
    resource.reading.anchors.update(anchors_of(metadata, place.at("metadata")))
    resource.reading.service_accounts.append(ServiceAccount("", namespace, name, place, annotations, template=True))


def _annotations(written: TemplateValue | None) -> Iterator[tuple[str, str | Text]]:
    """The annotations about AWS; where they are not known as a whole, the role that they may name is not either."""
    if written is None or written.value is None:
        return
    if not isinstance(written.value, Mapping):
        yield _ROLE_ARN, written.value if isinstance(written.value, Text) else ""
        return
    for name, item in written.value.items():
        text = scalar_text(item.value)
        if isinstance(name, str) and about_aws(name) and text is not None:
            yield name, text


def read_release(resource: ResourceInstance) -> None:
    """`helm_release`: the service accounts that its values name and annotate. Others a chart may make by itself."""
    namespace = members_of(resource.config).get("namespace")
    for written in _accounts_in(release_values(resource.config), 0):
        members = members_of(written)
        create, name = members.get("create"), members.get("name")
        annotations = members.get("annotations")
        if annotations is None or not dict(_annotations(annotations)) or (create and create.value in (False, "false")):
            continue
        if name is None or name.value is None:
            note = f"{resource.address} names a role for a service account whose name is that of its chart"
            resource.reading.notes.append(note)
            continue
        metadata = {"name": name, "annotations": annotations} | ({"namespace": namespace} if namespace else {})
        place = resource.place.at("serviceAccount", len(resource.reading.service_accounts))
        _add(resource, msgspec.structs.replace(written, value=metadata), "", place)


def _accounts_in(values: TemplateValue, depth: int, *, is_inside: bool = False) -> Iterator[TemplateValue]:
    """The objects that charts call `serviceAccount`, or those of several components in it."""
    for name, item in members_of(values).items():
        if not isinstance(item.value, Mapping) or depth > _DEEP:
            continue
        is_account = is_inside or (isinstance(name, str) and name.lower() in ("serviceaccount", "serviceaccounts"))
        if is_account and "annotations" in item.value:
            yield item
        else:
            yield from _accounts_in(item, depth + 1, is_inside=is_account)
