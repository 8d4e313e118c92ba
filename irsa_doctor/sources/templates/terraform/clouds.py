"""Reads the resources of Azure and Google Cloud in a Terraform configuration, a plan or a state."""

from collections.abc import Callable, Mapping

from irsa_doctor.model import Place, Text
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.cloud_resources import CLOUD_RESOURCES, TemplateFields, add_cloud_resource
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.values import TemplateValue, hole, scalar_text
from irsa_doctor.text.json import read_json
from irsa_doctor.text.scanner import Scan


def read_cloud_resource(resource: ResourceInstance) -> None:
    """Add the records of a resource of a configuration, and the places of its arguments."""
    kind, reading = resource.block.labels[0], resource.reading
    add_cloud_resource(kind, _of_value(resource.config, resource.address, resource.place), reading)
    for name, value in members_of(resource.config).items():
        if value.anchor and value.document == resource.place.document:
            reading.anchors[(0, resource.place.at(str(name)).pointer)] = value.anchor


def _of_value(config: TemplateValue, address: str, place: Place) -> TemplateFields:
    members = members_of(config)

    def text(name: str) -> str | Text:
        value = members.get(name)
        return (scalar_text(value.value) if value is not None else None) or ""

    def texts(name: str) -> tuple[str | Text, ...]:
        value = members.get(name)
        items = value.value if value is not None and isinstance(value.value, tuple) else ()
        return tuple(filter(None, (scalar_text(item.value) for item in items)))

    def pairs(name: str) -> Mapping[str, str]:
        value = members.get(name)
        inside = members_of(value) if value is not None else {}
        return {str(key): written for key, item in inside.items() if isinstance(written := scalar_text(item.value), str)}

    def block(name: str) -> TemplateFields | None:
        inside = next(iter(blocks_of(members.get(name))), None)
        return _of_value(inside, address, place.at(name)) if inside is not None else None

    def lists(name: str) -> bool:
        value = members.get(name)
        return value is not None and isinstance(value.value, tuple)

    def blocks(name: str) -> tuple[TemplateFields, ...]:
        return tuple(_of_value(inside, address, place.at(name, n)) for n, inside in enumerate(blocks_of(members.get(name))))

    def document(name: str) -> TemplateFields | None:
        value = members.get(name)
        if value is not None and value.made is not None:
            return _of_value(value.made, address, place.at(name))
        return _of_json(text(name), address, place.at(name))

    return TemplateFields(
        address=address,
        place=place,
        text=text,
        texts=texts,
        pairs=pairs,
        block=block,
        lists=lists,
        blocks=blocks,
        document=document,
    )


def _of_json(text: str | Text, address: str, place: Place) -> TemplateFields | None:
    """The members of a text that is the JSON of an object, None where it is not, or not all of it is known."""
    scan = read_json(text.encode(errors="replace")) if isinstance(text, str) and text else None
    value = scan.value if isinstance(scan, Scan) else None
    return _of_mapping(value, (address, place), _no_reference) if isinstance(value, dict) else None


ReferredAttribute = Callable[[str], str]
"""argument -> the attribute of another resource that it refers to, "" where it refers to none"""


def read_planned_cloud_resource(
    kind: str, values: Mapping[str, object], source: tuple[str, Place], reference: ReferredAttribute, reading: DocumentReading
) -> None:
    """Add the records of a resource of a plan or a state; `source` is its address and place."""
    add_cloud_resource(kind, _of_mapping(values, source, reference), reading)


def _of_mapping(values: Mapping[str, object], source: tuple[str, Place], reference: ReferredAttribute) -> TemplateFields:
    def text(name: str) -> str | Text:
        value = values.get(name)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str):
            return value
        named = reference(name) if value is None else ""
        return hole(named) if named else ""

    def texts(name: str) -> tuple[str | Text, ...]:
        value = values.get(name)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()

    def pairs(name: str) -> Mapping[str, str]:
        value = values.get(name)
        return {key: str(item) for key, item in value.items()} if isinstance(value, dict) else {}

    def block(name: str) -> TemplateFields | None:
        value = values.get(name)
        inside = value[0] if isinstance(value, list) and value else value
        return _of_mapping(inside, source, _no_reference) if isinstance(inside, dict) else None

    def lists(name: str) -> bool:
        return isinstance(values.get(name), list)

    def blocks(name: str) -> tuple[TemplateFields, ...]:
        value = values.get(name)
        items = value if isinstance(value, list) else ()
        return tuple(_of_mapping(item, source, _no_reference) for item in items if isinstance(item, dict))

    address, place = source
    return TemplateFields(
        address=address,
        place=place,
        text=text,
        texts=texts,
        pairs=pairs,
        block=block,
        lists=lists,
        blocks=blocks,
        document=lambda name: _of_json(text(name), address, place),
    )


def _no_reference(name: str) -> str:
    return ""


CLOUD_READERS_OF_TERRAFORM: Mapping[str, Callable[[ResourceInstance], None]] = dict.fromkeys(
    CLOUD_RESOURCES, read_cloud_resource
)
