"""Reads the identities and federated credentials of a template of Azure Resource Manager, nested deployments too."""

from collections.abc import Iterator, Mapping

from irsa_doctor.model import AzureIdentity, FederatedCredential, Hole, Place, Text
from irsa_doctor.sources.documents.clouds.azure import expression_of
from irsa_doctor.sources.documents.clouds.marks import CREDENTIAL_TYPE, IDENTITY_TYPE
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes

_DEEP = 8
"""Deployments in deployments that are read"""


def read_arm_template(page: Page, reading: DocumentReading) -> None:
    """The resources of a template."""
    _read_resources(shapes.mapping(page.value, page.place), page.place, "", reading, 0)
    if not reading.cloud_records:
        reading.passed.append("a template without identities and federated credentials")


def _read_resources(members: Mapping[str, object], place: Place, parent: str, reading: DocumentReading, depth: int) -> None:
    for item, at in _resources(members, place):
        if isinstance(item, dict) and depth < _DEEP:
            _read_resource(item, at, parent, reading, depth)


def _resources(members: Mapping[str, object], place: Place) -> Iterator[tuple[object, Place]]:
    """The resources of a list, or by their symbolic names."""
    listed = members.get("resources")
    pairs = listed.items() if isinstance(listed, dict) else enumerate(listed) if isinstance(listed, list) else ()
    for name, item in pairs:
        yield item, place.at("resources", name)


def _read_resource(members: dict[str, object], place: Place, parent: str, reading: DocumentReading, depth: int) -> None:
    kind = shapes.text(members, "type", place).lower()
    name = "/".join(filter(None, (parent, _literal(shapes.text(members, "name", place)))))
    inside = shapes.inner(members, "properties", place)
    if kind.endswith(CREDENTIAL_TYPE):
        owner, _, own = name.rpartition("/")
        reading.cloud_records.append(_credential(inside, place, owner, own))
    elif kind.endswith(IDENTITY_TYPE):
        reading.cloud_records.append(AzureIdentity(kind="managed", place=place, name=name, address=name))
    elif kind == "microsoft.resources/deployments" and isinstance(inside.get("template"), dict):
        _read_resources(shapes.inner(inside, "template", place), place.at("properties", "template"), "", reading, depth + 1)
    _read_resources(members, place, name, reading, depth + 1)


def _credential(inside: Mapping[str, object], place: Place, owner: str, name: str) -> FederatedCredential:
    at = place.at("properties")
    audiences = inside.get("audiences")
    listed = audiences if isinstance(audiences, list) else []
    return FederatedCredential(
        name=name,
        place=at,
        identity=owner.lower(),
        issuer=_text(shapes.text(inside, "issuer", at)),
        subject=_text(shapes.text(inside, "subject", at)),
        audiences=tuple(_text(value) for value in listed if isinstance(value, str)),
        expression=expression_of(inside, at),
        address=name,
    )


def _literal(name: str) -> str:
    return name.strip("[]") if name.startswith("[") else name


def _text(value: str) -> str | Text:
    """A text, or a hole for an expression
    (https://learn.microsoft.com/en-us/azure/azure-resource-manager/templates/template-expressions)."""
    is_expression = value.startswith("[") and value.endswith("]") and not value.startswith("[[")
    return Text((Hole(value),)) if is_expression else value
