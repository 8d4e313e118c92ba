"""Reads federated credentials, identities, apps and clusters of Azure as `az` and Microsoft Graph print them."""

from collections.abc import Mapping

from irsa_doctor.model import AzureIdentity, CloudCluster, Cluster, FederatedCredential, Issuer, Place, Unknown
from irsa_doctor.model.commands import shell_command
from irsa_doctor.sources.documents.clouds.marks import properties_of
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

_PART = "/federatedidentitycredentials/"


def read_credential(page: Page, reading: DocumentReading) -> None:
    """One credential, whose id names its identity; the one of an app does not."""
    add_credential(shapes.mapping(page.value, page.place), page.place, "", reading)


def add_credential(members: Mapping[str, object], place: Place, identity: str, reading: DocumentReading) -> None:
    """Add a credential; `identity` is used where its own id names none."""
    values = properties_of(members)
    ident = shapes.text(members, "id", place)
    owner, part, _ = ident.lower().rpartition(_PART)
    reading.cloud_records.append(
        FederatedCredential(
            name=shapes.text(members, "name", place) or ident,
            place=place.at("properties") if isinstance(members.get("properties"), dict) else place,
            identity=owner if part else identity,
            id=ident,
            issuer=with_holes(shapes.text(values, "issuer", place)),
            subject=with_holes(shapes.text(values, "subject", place)),
            audiences=tuple(with_holes(value) for value in shapes.texts(values, "audiences", place)),
            expression=expression_of(values, place),
        )
    )


def expression_of(values: Mapping[str, object], place: Place) -> str:
    """The claims matching expression of a credential, "" where it has none."""
    written = values.get("claimsMatchingExpression")
    if isinstance(written, dict):
        return shapes.text(written, "value", place.at("claimsMatchingExpression"))
    return written if isinstance(written, str) else ""


def read_identity(page: Page, reading: DocumentReading) -> None:
    """A user-assigned identity."""
    members, place = shapes.mapping(page.value, page.place), page.place
    values, ident = properties_of(members), shapes.text(members, "id", page.place)
    reading.cloud_records.append(
        AzureIdentity(
            kind="managed",
            place=place,
            name=shapes.text(members, "name", place) or ident.rpartition("/")[2],
            id=ident,
            client_id=shapes.text(values, "clientId", place),
            principal_id=shapes.text(values, "principalId", place),
            tenant=shapes.text(values, "tenantId", place),
        )
    )


def read_app_registration(page: Page, reading: DocumentReading) -> None:
    """An app registration."""
    members, place = shapes.mapping(page.value, page.place), page.place
    reading.cloud_records.append(
        AzureIdentity(
            kind="application",
            place=place,
            name=shapes.text(members, "displayName", place),
            id=shapes.text(members, "id", place),
            client_id=shapes.required(members, "appId", place),
            tenant=shapes.text(members, "appOwnerOrganizationId", place) or shapes.text(members, "publisherTenantId", place),
        )
    )


def read_aks_cluster(page: Page, reading: DocumentReading) -> None:
    """A managed cluster; its issuer ends in a slash, which belongs to it."""
    members, place = shapes.mapping(page.value, page.place), page.place
    values = properties_of(members)
    name, ident = shapes.required(members, "name", place), shapes.text(members, "id", place)
    profile, security = (shapes.inner(values, part, place) for part in ("oidcIssuerProfile", "securityProfile"))
    at = place.at("oidcIssuerProfile")
    # the Azure CLI writes the name of the REST API in its own way
    url = shapes.text(profile, "issuerUrl", at) or shapes.text(profile, "issuerURL", at)
    group = _group_of(ident)
    how = shell_command("az aks show --name {} --resource-group {}", name, group) if group else "az aks list"
    issuer = Issuer.of(url).name if url else Unknown(f"issuer of the cluster {name}", how)
    reading.clusters.append(Cluster(name, ident, issuer, place, shapes.text(values, "kubernetesVersion", place)))
    identity, workload = shapes.inner(members, "identity", place), shapes.inner(security, "workloadIdentity", place)
    reading.cloud_records.append(
        CloudCluster(
            cluster=ident or name,
            cloud="azure",
            place=place,
            tenant=shapes.text(identity, "tenantId", place),
            issues_tokens=_switch(values, "oidcIssuerProfile", profile),
            injects=_switch(values, "securityProfile", workload),
        )
    )


def _switch(values: Mapping[str, object], member: str, inside: Mapping[str, object]) -> bool | None:
    """Whether something is enabled; a member that is there and says nothing is off, one that is not there is not known."""
    return shapes.flag(inside, "enabled") is True if member in values else None


def _group_of(ident: str) -> str:
    parts = ident.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""
