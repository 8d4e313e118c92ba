"""Reads the objects from which Azure Service Operator and Config Connector make identities and bindings."""

from collections.abc import Callable, Mapping

from irsa_doctor.model import AzureIdentity, FederatedCredential, GoogleAccount, Hole, Place, RoleBinding, Text
from irsa_doctor.sources.documents.clouds.google import resource_named
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

_Members = Mapping[str, object]
_PROJECT = "cnrm.cloud.google.com/project-id"


def read_cloud_object(page: Page, reading: DocumentReading) -> None:
    """An object of either; other kinds are passed over."""
    members, place = shapes.mapping(page.value, page.place), page.place
    kind = shapes.text(members, "kind", place)
    read = _READERS.get(kind)
    if read is None:
        reading.passed.append(f"an object of kind {kind}, which is not read")
        return
    read(shapes.inner(members, "metadata", place), shapes.inner(members, "spec", place), place, reading)


def _read_credential(metadata: _Members, spec: _Members, place: Place, reading: DocumentReading) -> None:
    """https://azure.github.io/azure-service-operator/reference/managedidentity/"""
    at = place.at("spec")
    owner = shapes.inner(spec, "owner", at)
    name = shapes.text(spec, "azureName", at) or shapes.text(metadata, "name", place)
    reading.cloud_records.append(
        FederatedCredential(
            name=name,
            place=at,
            identity=(shapes.text(owner, "armId", at) or shapes.text(owner, "name", at)).lower(),
            issuer=_configured(spec, "issuer", at),
            subject=_configured(spec, "subject", at),
            audiences=tuple(map(with_holes, shapes.texts(spec, "audiences", at))),
            address=name,
        )
    )


def _configured(spec: _Members, name: str, place: Place) -> str | Text:
    """A value, or a hole where it comes from a ConfigMap."""
    if f"{name}FromConfig" in spec:
        return Text((Hole(f"{name}FromConfig"),))
    return with_holes(shapes.text(spec, name, place))


def _read_identity(metadata: _Members, spec: _Members, place: Place, reading: DocumentReading) -> None:
    name = shapes.text(metadata, "name", place)
    azure_name = shapes.text(spec, "azureName", place) or name
    reading.cloud_records.append(AzureIdentity(kind="managed", place=place, name=azure_name, address=name))


def _read_account(metadata: _Members, spec: _Members, place: Place, reading: DocumentReading) -> None:
    name = shapes.text(spec, "resourceID", place) or shapes.text(metadata, "name", place)
    project = shapes.text(shapes.inner(metadata, "annotations", place), _PROJECT, place)
    email = f"{name}@{project}.iam.gserviceaccount.com" if project else ""
    reading.cloud_records.append(GoogleAccount(email=email, place=place, project=project, address=name))


def _resource_of(metadata: _Members, spec: _Members, place: Place) -> str:
    at = place.at("spec")
    reference = shapes.inner(spec, "resourceRef", at) or shapes.inner(spec, "resourceReference", at)
    if external := shapes.text(reference, "external", at):
        return resource_named(external)
    project = shapes.text(shapes.inner(metadata, "annotations", place), _PROJECT, place)
    name = shapes.text(reference, "name", at)
    is_account = shapes.text(reference, "kind", at) == "IAMServiceAccount"
    return f"{name}@{project}.iam.gserviceaccount.com" if is_account and project else f"${{{name}.email}}" if name else ""


def _read_member(metadata: _Members, spec: _Members, place: Place, reading: DocumentReading) -> None:
    at = place.at("spec")
    member = shapes.text(spec, "member", at)
    _add(spec, (with_holes(member),) if member else (), at, _resource_of(metadata, spec, place), reading)


def _read_policy(metadata: _Members, spec: _Members, place: Place, reading: DocumentReading) -> None:
    resource = _resource_of(metadata, spec, place)

    def read(item: object, at: Place) -> None:
        binding = shapes.mapping(item, at)
        items = shapes.many(binding, "members", at)
        listed = [
            member if isinstance(member, str) else shapes.text(shapes.mapping(member, at), "member", at) for member in items
        ]
        _add(binding, tuple(map(with_holes, filter(None, listed))), at, resource, reading)

    reading.each(shapes.many(spec, "bindings", place.at("spec")), place.at("spec", "bindings"), read)


def _add(binding: _Members, members: tuple[str | Text, ...], place: Place, resource: str, reading: DocumentReading) -> None:
    condition = shapes.text(shapes.inner(binding, "condition", place), "expression", place)
    role = shapes.text(binding, "role", place)
    reading.cloud_records.append(RoleBinding(resource=resource, role=role, members=members, place=place, condition=condition))


_READERS: Mapping[str, Callable[[_Members, _Members, Place, DocumentReading], None]] = {
    "FederatedIdentityCredential": _read_credential,
    "UserAssignedIdentity": _read_identity,
    "IAMServiceAccount": _read_account,
    "IAMPolicyMember": _read_member,
    "IAMPartialPolicy": _read_policy,
    "IAMPolicy": _read_policy,
}
