"""Reads the service accounts in values of templates: manifests of Kubernetes, and values of charts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.model import Place, ServiceAccount, Text
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.sources.documents.kubernetes import about_aws
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.access import AccessTemplate, read_access_manifest
from irsa_doctor.sources.templates.named_accounts import goes_elsewhere, is_of_accounts, leaves_open
from irsa_doctor.sources.templates.values import TemplateValue, anchors_of, hole, known, scalar_text

_DEEP = 8
"""Levels of values in which a chart has its service accounts, and of lists in lists of manifests"""


class ManifestSource(msgspec.Struct, frozen=True):
    """The resource of a template that applies manifests or installs a chart: its address, place, and reading; `namespace` is
    that of objects which name none."""

    address: str
    place: Place
    reading: DocumentReading
    namespace: TemplateValue | None = None


def read_manifests(source: ManifestSource, documents: Iterable[TemplateValue]) -> None:
    """Add the service accounts of manifests, those in a `List` too; a manifest of which nothing is known is noted."""
    pending = list(documents)
    for number, document in enumerate(pending):
        members = _members(document)
        if not members:
            source.reading.notes.append(f"{source.address} has a manifest that is not known before it is applied")
        kind = known(members["kind"].value) if "kind" in members else ""
        if kind == "ServiceAccount":
            at = source.place.at(len(source.reading.service_accounts))
            add_template_account(source, members.get("metadata"), "", at)
        elif kind == "List" and len(pending) < _DEEP:
            pending += _items(members.get("items"))
        else:
            at = source.place.at("manifest", number)
            read_access_manifest(AccessTemplate(source.address, at, source.reading), document)


def add_template_account(source: ManifestSource, metadata: TemplateValue | None, default: str, place: Place) -> None:
    """Add the service account of a metadata object; `default` is its name where the resource has a fixed one.

    Of one whose name or namespace is filled in later only the annotations are certain.
    """
    members, reading = _members(metadata), source.reading
    name = default or (known(members["name"].value) if "name" in members else "")
    written = members.get("namespace")
    written = source.namespace if written is None or written.value is None else written
    namespace = "default" if written is None or written.value is None else known(written.value)
    annotations = dict(annotations_in(members.get("annotations")))
    if metadata is not None:
        reading.anchors.update(anchors_of(metadata, place.at("metadata")))
    if name and namespace:
        reading.service_accounts.append(ServiceAccount("", namespace, name, place, annotations, template=True))
        return
    reading.notes.append(f"{source.address} has no name before it is applied")
    named = f"service account of {source.address}"
    reading.account_templates.append(ServiceAccount("", "", named, place, annotations, template=True, planned=True))


def annotations_in(written: TemplateValue | None) -> Iterator[tuple[str, str | Text]]:
    """Yield the annotations about AWS; where they are not known as a whole, the role that they may name is not either.

    An empty role is what configuration writes where it makes none (`var.on ? aws_iam_role.app[0].arn : ""`), and the webhook
    takes it for none (https://github.com/aws/amazon-eks-pod-identity-webhook/blob/master/pkg/handler/handler.go).
    """
    if written is None or written.value is None:
        return
    if not isinstance(written.value, Mapping):
        yield ROLE_ARN, written.value if isinstance(written.value, Text) else ""
        return
    for name, item in written.value.items():
        text = scalar_text(item.value)
        if isinstance(name, str) and about_aws(name) and text is not None and (name, text) != (ROLE_ARN, ""):
            yield name, text


def read_chart_values(source: ManifestSource, values: TemplateValue, namespace: TemplateValue | None) -> None:
    """Add the service accounts that the values of a chart name and annotate. Others a chart may make by itself."""
    goes_to = "" if namespace is None else known(namespace.value)
    for written, is_open in _accounts_in(values, goes_to, 0):
        members = _members(written)
        create, name = members.get("create"), members.get("name")
        annotations = members.get("annotations")
        if annotations is None or not dict(annotations_in(annotations)) or (create and create.value in (False, "false")):
            continue
        if name is None or name.value is None:
            note = f"{source.address} names a role for a service account whose name is that of its chart"
            source.reading.notes.append(note)
            continue
        own = TemplateValue(hole(f"namespace of {source.address}")) if is_open else namespace
        metadata = {"name": name, "annotations": annotations} | ({"namespace": own} if own else {})
        place = source.place.at("serviceAccount", len(source.reading.service_accounts))
        add_template_account(source, msgspec.structs.replace(written, value=metadata), "", place)


def _accounts_in(
    values: TemplateValue, namespace: str, depth: int, *, is_inside: bool = False, is_open: bool = False
) -> Iterator[tuple[TemplateValue, bool]]:
    """The objects that charts call `serviceAccount`, or those of several components in it; and whether it is open to which
    namespace, or whether at all, the chart puts them."""
    members = _members(values)
    beside = [*members.items(), *(_members(members.get("global")).items() if depth == 0 else ())]
    is_open = is_open or any(leaves_open(str(name), item.value, namespace) for name, item in beside)
    for name, item in members.items():
        if not isinstance(item.value, Mapping) or depth > _DEEP:
            continue
        is_account = is_inside or (isinstance(name, str) and is_of_accounts(name))
        is_left = is_open or goes_elsewhere(str(name))
        if is_account and "annotations" in item.value:
            own = any(leaves_open(str(key), member.value, namespace) for key, member in item.value.items())
            yield item, is_left or own
        else:
            yield from _accounts_in(item, namespace, depth + 1, is_inside=is_account, is_open=is_left)


def _members(written: TemplateValue | None) -> Mapping[object, TemplateValue]:
    return written.value if written is not None and isinstance(written.value, Mapping) else {}


def _items(written: TemplateValue | None) -> Sequence[TemplateValue]:
    return written.value if written is not None and isinstance(written.value, tuple) else ()
