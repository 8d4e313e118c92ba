"""Reads clusters, service accounts, IAM policies and workload identity pools of Google Cloud as `gcloud` prints them."""

import re
from collections.abc import Mapping

import msgspec

from irsa_doctor.model import CloudCluster, Cluster, GoogleAccount, NodePool, Place, PoolProvider, RoleBinding
from irsa_doctor.sources.documents.clouds.listings import note_list
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

_ACCOUNT = re.compile(r"(?:^|/)serviceAccounts/([^/]+)$")
_POOL = re.compile(r"projects/([^/]+)/locations/global/workloadIdentityPools/([^/]+)(?:/providers/([^/]+))?")


def resource_named(name: str) -> str:
    """The email where a resource is a service account, `projects/ID` where it is a project, else the name as it is."""
    if account := _ACCOUNT.search(name):
        return account[1]
    return name.removeprefix("//cloudresourcemanager.googleapis.com/")


def read_gke_cluster(page: Page, reading: DocumentReading) -> None:
    """A cluster; its issuer is its own address
    (https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity)."""
    members, place = shapes.mapping(page.value, page.place), page.place
    link = shapes.required(members, "selfLink", place)
    path = link.partition("/projects/")[2]
    ident, issuer = f"projects/{path}", f"container.googleapis.com/v1/projects/{path}"
    name = shapes.text(members, "name", place) or path.rpartition("/")[2]
    reading.clusters.append(Cluster(name, ident, issuer, place))
    workload, autopilot = (shapes.inner(members, part, place) for part in ("workloadIdentityConfig", "autopilot"))
    reading.cloud_records.append(
        CloudCluster(
            cluster=ident,
            cloud="google",
            place=place,
            project=path.partition("/")[0],
            pool=shapes.text(workload, "workloadPool", place),
            pools=_node_pools(members, place),
            autopilot=shapes.flag(autopilot, "enabled") is True,
        )
    )


def _node_pools(members: Mapping[str, object], place: Place) -> tuple[NodePool, ...] | None:
    if "nodePools" not in members:
        return None
    pools = []
    for number, item in enumerate(shapes.many(members, "nodePools", place)):
        at = place.at("nodePools", number)
        pool = shapes.mapping(item, at)
        settings = shapes.inner(shapes.inner(pool, "config", at), "workloadMetadataConfig", at.at("config"))
        mode = shapes.text(settings, "mode", at) or shapes.text(settings, "nodeMetadata", at)
        pools.append(NodePool(shapes.text(pool, "name", at), mode))
    return tuple(pools)


def read_google_account(page: Page, reading: DocumentReading) -> None:
    """A service account."""
    members, place = shapes.mapping(page.value, page.place), page.place
    email = shapes.required(members, "email", place)
    reading.cloud_records.append(
        GoogleAccount(
            email=email,
            place=place,
            unique_id=shapes.as_text(members.get("uniqueId") or ""),
            project=shapes.text(members, "projectId", place) or project_of(email),
            disabled=shapes.flag(members, "disabled") is True,
        )
    )


def project_of(email: str) -> str:
    """The id of the project in the address of a service account, "" where it has another form."""
    host = email.partition("@")[2]
    return host.removesuffix(".iam.gserviceaccount.com") if host.endswith(".iam.gserviceaccount.com") else ""


def read_iam_policy(page: Page, reading: DocumentReading) -> None:
    """A policy that does not name its resource: the user does, or the only service account of its folder."""
    add_bindings(shapes.mapping(page.value, page.place), page.place, reading.iam_resource, "", reading)


def read_policy_search(page: Page, reading: DocumentReading) -> None:
    """A policy with its resource."""
    members, place = shapes.mapping(page.value, page.place), page.place
    name = shapes.text(members, "resource", place) or shapes.text(members, "name", place)
    member = "policy" if "policy" in members else "iamPolicy"
    number = shapes.text(members, "project", place).removeprefix("projects/")
    add_bindings(shapes.inner(members, member, place), place.at(member), resource_named(name), number, reading)


def read_search_results(page: Page, reading: DocumentReading) -> None:
    """The results of a search, and that they are all where no page follows."""
    members = shapes.mapping(page.value, page.place)
    items = shapes.many(members, "results", page.place)

    def read(item: object, place: Place) -> None:
        read_policy_search(Page(item, place, page.duplicates), reading)

    reading.each(items, page.place.at("results"), read)
    if not members.get("nextPageToken"):
        note_list(items, page.place, reading)


def add_bindings(policy: Mapping[str, object], place: Place, resource: str, project: str, reading: DocumentReading) -> None:
    """Add the bindings of a policy; one that is read as a whole is kept as a binding of no role, for it shows that there are no
    others."""

    def read(item: object, at: Place) -> None:
        binding = shapes.mapping(item, at)
        condition = shapes.text(shapes.inner(binding, "condition", at), "expression", at.at("condition"))
        members = tuple(with_holes(member) for member in shapes.texts(binding, "members", at))
        role = shapes.required(binding, "role", at)
        found = msgspec.structs.replace(blank, role=role, members=members, place=at, condition=condition)
        reading.cloud_records.append(found)

    blank = RoleBinding(resource=resource, role="", members=(), place=place, project=project)
    items = shapes.many(policy, "bindings", place)
    unread = len(reading.broken) + len(reading.faults)
    reading.each(items, place.at("bindings"), read)
    if len(reading.broken) + len(reading.faults) == unread:
        reading.cloud_records.append(blank)


def read_pool(page: Page, reading: DocumentReading) -> None:
    """A pool, or a provider of one; of those only OIDC providers have an issuer."""
    members, place = shapes.mapping(page.value, page.place), page.place
    name = shapes.required(members, "name", place)
    parts = _POOL.match(name)
    oidc = shapes.inner(members, "oidc", place)
    mapping = shapes.inner(members, "attributeMapping", place)
    reading.cloud_records.append(
        PoolProvider(
            name=(parts[3] or "") if parts else name,
            pool=parts[2] if parts else "",
            project=parts[1] if parts else "",
            place=place,
            issuer=with_holes(shapes.text(oidc, "issuerUri", place.at("oidc"))),
            mapping={key: shapes.text(mapping, key, place.at("attributeMapping")) for key in mapping},
            condition=with_holes(shapes.text(members, "attributeCondition", place)),
            audiences=shapes.texts(oidc, "allowedAudiences", place.at("oidc")),
            state="DISABLED" if shapes.flag(members, "disabled") else shapes.text(members, "state", place),
        )
    )
