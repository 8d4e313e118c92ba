"""Reads the resources of Azure and Google Cloud that templates make, in whatever language the template is.

A kind of resource is one function and one row of `CLOUD_RESOURCES`; its fields are those of the providers of Terraform.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from irsa_doctor.model import (
    AzureIdentity,
    CloudCluster,
    CloudRecord,
    Cluster,
    FederatedCredential,
    GoogleAccount,
    Issuer,
    NodePool,
    NodePoolOfCluster,
    Place,
    PoolProvider,
    RoleBinding,
    Text,
    Unknown,
    text_of,
)
from irsa_doctor.sources.documents.clouds.google import project_of, resource_named
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.values import hole

MEMBER_ROLE = "roles/iam.workloadIdentityUser"
"""the role that a policy may give of which nothing is seen"""


class TemplateFields(msgspec.Struct, frozen=True, kw_only=True):
    """A resource of a template: its values by name, with holes for what is known only when it is applied."""

    address: str
    place: Place
    text: Callable[[str], str | Text]
    texts: Callable[[str], tuple[str | Text, ...]]
    pairs: Callable[[str], Mapping[str, str]]
    block: Callable[[str], "TemplateFields | None"]
    lists: Callable[[str], bool]
    """whether a value is a list of which the items are known"""
    blocks: Callable[[str], tuple["TemplateFields", ...]]
    document: Callable[[str], "TemplateFields | None"]
    """the members of a text that is the JSON of an object, None where that is not known"""


def _credential(fields: TemplateFields) -> Iterator[CloudRecord]:
    parent = fields.text("parent_id") or fields.text("user_assigned_identity_id") or fields.text("application_id")
    expression = fields.text("claims_matching_expression")
    yield FederatedCredential(
        name=text_of(fields.text("name") or fields.text("display_name")),
        place=fields.place,
        identity=_owner(parent or fields.text("application_object_id")),
        issuer=fields.text("issuer"),
        subject=fields.text("subject"),
        audiences=fields.texts("audience") or fields.texts("audiences") or _only(fields.text("audience")),
        expression=expression,
        address=fields.address,
    )


def _only(value: str | Text) -> tuple[str | Text, ...]:
    return (value,) if value else ()


def _owner(parent: str | Text) -> str:
    """The identity as credentials name it; azuread writes the object id of an app as `/applications/ID`."""
    return text_of(parent).removeprefix("/applications/").lower()


def _identity(fields: TemplateFields) -> Iterator[CloudRecord]:
    yield AzureIdentity(
        kind="managed",
        place=fields.place,
        name=text_of(fields.text("name")),
        id=_known(fields.text("id")),
        client_id=fields.text("client_id"),
        principal_id=_known(fields.text("principal_id")),
        tenant=_known(fields.text("tenant_id")),
        address=fields.address,
    )


def _application(fields: TemplateFields) -> Iterator[CloudRecord]:
    yield AzureIdentity(
        kind="application",
        place=fields.place,
        name=text_of(fields.text("display_name")),
        id=_known(fields.text("object_id")),
        client_id=fields.text("client_id") or fields.text("application_id"),
        address=fields.address,
    )


def _known(value: str | Text) -> str:
    return value if isinstance(value, str) else ""


def _account(fields: TemplateFields) -> Iterator[CloudRecord]:
    name, project, email = (_known(fields.text(part)) for part in ("account_id", "project", "email"))
    email = email or (f"{name}@{project}.iam.gserviceaccount.com" if name and project else "")
    yield GoogleAccount(email=email, place=fields.place, project=project or project_of(email), address=fields.address)


def _binding(fields: TemplateFields) -> Iterator[CloudRecord]:
    yield _binding_on(_resource(fields), fields)


def _resource(fields: TemplateFields) -> str | Text:
    """The resource of a binding or a policy: a service account, else a project."""
    resource = fields.text("service_account_id") or fields.text("project")
    if not fields.text("service_account_id") and resource:
        resource = f"projects/{text_of(resource)}"
    return resource_named(resource) if isinstance(resource, str) else resource


def _binding_on(resource: str | Text, fields: TemplateFields) -> RoleBinding:
    condition = fields.block("condition")
    return RoleBinding(
        resource=resource,
        role=fields.text("role"),
        members=_members(fields),
        place=fields.place,
        condition=text_of(condition.text("expression")) if condition else "",
    )


def _policy(fields: TemplateFields) -> Iterator[CloudRecord]:
    """The whole policy of a resource: the bindings of its document, and that there are no others; where the document is not
    known, who is in it is a placeholder."""
    resource, document = _resource(fields), fields.document("policy_data")
    if document is None or not document.lists("bindings"):
        unseen = _only(fields.text("policy_data")) or (hole(f"policy of {fields.address}"),)
        yield RoleBinding(resource=resource, role=MEMBER_ROLE, members=unseen, place=fields.place)
        return
    for binding in document.blocks("bindings"):
        yield _binding_on(resource, binding)
    yield RoleBinding(resource=resource, role="", members=(), place=fields.place)


def _members(fields: TemplateFields) -> tuple[str | Text, ...]:
    """The members of a binding; what fills them in later is a placeholder, never nobody."""
    if fields.lists("members"):
        return fields.texts("members")
    return _only(fields.text("members") or fields.text("member") or hole(f"members of {fields.address}"))


def _pool_provider(fields: TemplateFields) -> Iterator[CloudRecord]:
    oidc = fields.block("oidc")
    yield PoolProvider(
        name=text_of(fields.text("workload_identity_pool_provider_id")) or fields.address,
        pool=text_of(fields.text("workload_identity_pool_id")),
        project=text_of(fields.text("project")),
        place=fields.place,
        issuer=oidc.text("issuer_uri") if oidc else "",
        mapping=fields.pairs("attribute_mapping"),
        condition=fields.text("attribute_condition"),
        audiences=tuple(map(text_of, oidc.texts("allowed_audiences"))) if oidc else (),
    )


def _switch(fields: TemplateFields, name: str) -> bool | None:
    """A switch that is written, None where it is not or a template decides."""
    return {"true": True, "false": False}.get(text_of(fields.text(name)).lower())


def _aks_cluster(fields: TemplateFields) -> Iterator[CloudRecord | Cluster]:
    """A cluster of AKS; before it is made, nobody knows its issuer. What is not switched on is off
    (https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/kubernetes_cluster)."""
    name, ident = text_of(fields.text("name")) or fields.address, _known(fields.text("id")) or fields.address
    url, identity = fields.text("oidc_issuer_url"), fields.block("identity")
    unknown = Unknown(f"issuer of the cluster {name}", "az aks list")
    yield Cluster(name, ident, Issuer.of(url).name if isinstance(url, str) and url else unknown, fields.place)
    yield CloudCluster(
        cluster=ident,
        cloud="azure",
        place=fields.place,
        tenant=_known(identity.text("tenant_id")) if identity else "",
        issues_tokens=_stated(fields, "oidc_issuer_enabled"),
        injects=_stated(fields, "workload_identity_enabled"),
    )


def _stated(fields: TemplateFields, name: str) -> bool | None:
    """Whether an argument is on; one that is not written is off, one that a template decides is not known."""
    return _switch(fields, name) if fields.text(name) else False


def _gke_cluster(fields: TemplateFields) -> Iterator[CloudRecord | Cluster]:
    """A cluster of GKE; its issuer follows from project, location and name. Node pools are resources of their own.
    (https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/container_cluster)."""
    project, location, name = (fields.text(part) for part in ("project", "location", "name"))
    path = f"projects/{text_of(project)}/locations/{text_of(location)}/clusters/{text_of(name)}"
    is_known = all(isinstance(part, str) and part for part in (project, location, name))
    workload, autopilot = fields.block("workload_identity_config"), _switch(fields, "enable_autopilot")
    how = "gcloud container clusters list --format json"
    issuer = f"container.googleapis.com/v1/{path}" if is_known else Unknown(f"issuer of the cluster {text_of(name)}", how)
    ident = path if is_known else fields.address
    yield Cluster(text_of(name) or fields.address, ident, issuer, fields.place)
    yield CloudCluster(
        cluster=ident,
        cloud="google",
        place=fields.place,
        project=_known(project),
        pool=text_of(workload.text("workload_pool")) if workload else "",
        pools=_own_pools(fields),
        autopilot=autopilot is True,
        address=fields.address,
    )


_METADATA_SERVER = "GKE_METADATA"


def _own_pools(fields: TemplateFields) -> tuple[NodePool, ...] | None:
    """The node pools of a cluster that are no resources of their own; None where the mode of one is not known."""
    pools = [_node_pool(block) for block in fields.blocks("node_pool")]
    if not pools and _switch(fields, "remove_default_node_pool") is not True:
        # nothing is said of the default pool, which may be older than the workload identity pool of the cluster
        pools = [_node_pool(fields)] if fields.block("node_config") else [None]
    known = [pool for pool in pools if pool is not None]
    return tuple(known) if len(known) == len(pools) else None


def _node_pool(fields: TemplateFields) -> NodePool | None:
    """A node pool with its mode, None where that is not known. Where a cluster has a workload identity pool, new node pools
    serve its metadata unless they say otherwise (https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity)."""
    nodes = fields.block("node_config")
    metadata = nodes.block("workload_metadata_config") if nodes else None
    mode = metadata.text("mode") or metadata.text("node_metadata") if metadata else ""
    if not isinstance(mode, str):
        return None
    name = text_of(fields.text("name")) or fields.address
    return NodePool(name, _METADATA_SERVER if mode in ("", "GKE_METADATA_SERVER") else mode)


def _pool_resource(fields: TemplateFields) -> Iterator[CloudRecord]:
    """A node pool that is a resource of its own
    (https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/container_node_pool)."""
    yield NodePoolOfCluster(
        cluster=fields.text("cluster"), place=fields.place, pool=_node_pool(fields), project=_known(fields.text("project"))
    )


def add_cloud_resource(kind: str, fields: TemplateFields, reading: DocumentReading) -> None:
    """Add the records of a resource to its reading; clusters are those of the inventory too."""
    for record in CLOUD_RESOURCES[kind](fields):
        if isinstance(record, Cluster):
            reading.clusters.append(record)
        else:
            reading.cloud_records.append(record)


CLOUD_RESOURCES: Mapping[str, Callable[[TemplateFields], Iterator[CloudRecord | Cluster]]] = {
    "azurerm_kubernetes_cluster": _aks_cluster,
    "google_container_cluster": _gke_cluster,
    "google_container_node_pool": _pool_resource,
    "google_project_iam_binding": _binding,
    "google_project_iam_policy": _policy,
    "google_service_account_iam_policy": _policy,
    "azurerm_federated_identity_credential": _credential,
    "azuread_application_federated_identity_credential": _credential,
    "azuread_application_flexible_federated_identity_credential": _credential,
    "azurerm_user_assigned_identity": _identity,
    "azuread_application": _application,
    "azuread_application_registration": _application,
    "google_service_account": _account,
    "google_service_account_iam_member": _binding,
    "google_service_account_iam_binding": _binding,
    "google_project_iam_member": _binding,
    "google_iam_workload_identity_pool_provider": _pool_provider,
}
